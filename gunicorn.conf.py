"""What makes the bare `gunicorn -w 4 app:app` hold hundreds of clients that wait minutes for their pictures.

gunicorn reads this file by itself when it is started in this folder. An option on the command line wins over it.
"""

import os
import resource
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Any

from dotenv import dotenv_values

FILES = 65536
LAST_S = 8.0

_settings = {**dotenv_values(".env"), **os.environ}

_host = _settings.get("HOST") or "127.0.0.1"
bind = f"{f'[{_host}]' if ':' in _host else _host}:{_settings.get('PORT') or '5002'}"
"""The same two settings as everywhere else."""

worker_class = "gthread"
"""A client that waits costs a sleeping thread, not a process. Plain threads: every library here works in them."""

threads = 1536
"""Waiting callers and open event streams per worker. The kernel does not spread connections evenly, so one worker must
be able to hold all of them, 200 callers of /generate and 1,000 streams, and still have threads for /ping. Threads are
made when they are needed; one that waits takes about 60 kB."""

worker_connections = 4096
"""Open connections per worker: the threads, and browsers that keep an idle connection."""

backlog = 2048
"""Connections that the kernel holds while a worker is busy accepting others: a class that presses one button."""

timeout = 60
"""Not a limit for requests: with gthread the worker's main loop gives the sign of life, whatever its threads wait for.
A worker without a sign for 60 s hangs as a whole, and is replaced."""

graceful_timeout = int(_settings.get("GRACEFUL_TIMEOUT") or 120)
"""Seconds that requests and jobs have to finish when the server is stopped or reloaded: a picture is worth a wait. The
last of them (LAST_S) are for giving back what has not ended, so that it is resumed after the start."""

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
    """End at once, with the reason said once, when a setting or a prompt is wrong; else make room for many sockets.

    A worker that cannot start would otherwise be replaced, and say the same, twice a second for ever. The check runs in
    a process of its own, so that the master stays empty: each worker builds its own parts.
    """
    checked = subprocess.run([sys.executable, "-c", "import app"], capture_output=True, text=True, check=False)
    if checked.returncode:
        server.log.error("not started:\n%s", checked.stderr.strip())
        sys.exit(1)
    _raise_file_limit()


def post_worker_init(worker: Any) -> None:
    """Start this worker's jobs, so that what was queued before a restart is resumed without waiting for a request."""
    jobs = worker.wsgi.extensions["stepideator"].jobs
    jobs.start()
    worker.end_s = None
    worker.cfg.set("graceful_timeout", int(worker.cfg.graceful_timeout - _last_s(worker)))
    finish = signal.getsignal(signal.SIGTERM)

    def begin_to_end(number: int, frame: Any) -> None:
        worker.end_s = time.monotonic() + worker.cfg.graceful_timeout
        # It writes to the database, which a signal handler cannot wait for.
        threading.Thread(target=jobs.retire, name="retire", daemon=True).start()
        finish(number, frame)

    signal.signal(signal.SIGTERM, begin_to_end)
    signal.siginterrupt(signal.SIGTERM, False)


def worker_exit(server: Any, worker: Any) -> None:
    """Let running jobs end, give the others back, close everything in order, and be gone.

    The threads of callers who still wait would keep the process until the master kills it, so they are not waited for.
    """
    if worker.pid != os.getpid() or not worker.booted:
        return
    grace_s = 0.0 if worker.end_s is None else max(worker.end_s - time.monotonic(), 0.0)
    services = worker.wsgi.extensions["stepideator"]
    try:
        services.close(grace_s)
    except SystemExit:
        # Somebody is in a hurry: Ctrl-C after SIGTERM.
        services.close()
    os._exit(0)


def _last_s(worker: Any) -> float:
    return min(LAST_S, worker.cfg.graceful_timeout / 2)


def _raise_file_limit() -> None:
    """Allow as many open files as the system lets us have: a waiting caller is one, and so is each call to a WebUI."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    room = FILES if hard == resource.RLIM_INFINITY else min(hard, FILES)
    if soft != resource.RLIM_INFINITY and soft < room:
        resource.setrlimit(resource.RLIMIT_NOFILE, (room, hard))
