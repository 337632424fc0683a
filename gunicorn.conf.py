"""What makes the bare `gunicorn -w 4 app:app` hold hundreds of clients that wait minutes for their pictures.

gunicorn reads this file by itself when it is started in this folder. An option on the command line wins over it.
"""

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

from dotenv import dotenv_values

_settings = {**dotenv_values(".env"), **os.environ}

_host = _settings.get("HOST") or "127.0.0.1"
bind = f"{f'[{_host}]' if ':' in _host else _host}:{_settings.get('PORT') or '5002'}"
"""The same two settings as everywhere else."""

worker_class = "gthread"
"""A client that waits costs a sleeping thread, not a process. Plain threads: every library here works in them."""

threads = 256
"""Waiting clients per worker. The kernel does not spread connections evenly, so one worker must be able to hold all 200
of them and still answer /ping. Threads are made when they are needed."""

worker_connections = 1000
"""Open connections per worker: the threads, and browsers that keep an idle connection."""

backlog = 1024
"""Connections that the kernel holds while a worker is busy accepting others."""

timeout = 60
"""Not a limit for requests: with gthread the worker's main loop gives the sign of life, whatever its threads wait for.
A worker without a sign for 60 s hangs as a whole, and is replaced."""

graceful_timeout = int(_settings.get("GRACEFUL_TIMEOUT") or 120)
"""Seconds that requests in flight have to finish when the server is stopped or reloaded: a picture is worth a wait."""

keepalive = 75
"""Seconds that an idle connection stays open: longer than the 60 s for which nginx keeps one to us (deploy/nginx.conf),
so that it is never we who close a connection just as nginx sends a request on it."""

preload_app = False
"""Each worker builds its own connections to MongoDB and the services; none may be shared over a fork."""

worker_tmp_dir = "/dev/shm" if Path("/dev/shm").is_dir() else None
"""Signs of life are file times; on a slow or full disk they would come late and kill healthy workers."""

control_socket_disable = True
"""Nobody here uses gunicornc, and its socket would stay in the home folder."""

accesslog = None
"""The server itself logs each request, with its id and without the query, which could hold a token (apps/logs.py)."""


def on_starting(server: Any) -> None:
    """End at once, with the reason said once, when a setting or a prompt is wrong.

    A worker that cannot start would otherwise be replaced, and say the same, twice a second for ever. The check runs in
    a process of its own, so that the master stays empty: each worker builds its own parts.
    """
    checked = subprocess.run([sys.executable, "-c", "import app"], capture_output=True, text=True, check=False)
    if checked.returncode:
        server.log.error("not started:\n%s", checked.stderr.strip())
        sys.exit(1)
