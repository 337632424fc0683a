"""One Stable Diffusion WebUI: where it is, how long to wait for it, what is known about it."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import requests

from agent.capabilities import Capabilities
from agent.sockets import OpenSockets, abortable_session

if TYPE_CHECKING:
    from agent.holding import Holding


class SDInstance:
    """A WebUI at `endpoint` (base URL). Use it only while you hold its lease.

    `auth` is "user:password" as its `--api-auth` has it; it is never shown. `capabilities` are its lists, once they
    were asked for. `unsettled` means that a job may still run there for which nobody waits: ask before sending more;
    `abandoned_task` is its id, if it is known. `loaded` is the checkpoint that it has, None when nobody knows.
    `holding` is the lease under which it is used.
    """

    def __init__(
        self,
        endpoint: str,
        auth: str | None = None,
        *,
        connect_timeout_s: float = 5.0,
        read_timeout_s: float = 300.0,
    ) -> None:
        """Only keep the values: the first connection is made by the first call."""
        self.endpoint = endpoint.rstrip("/")
        self.connect_timeout_s = connect_timeout_s
        self.read_timeout_s = read_timeout_s
        address = urlsplit(self.endpoint)
        # With its path: several WebUIs may stand behind one proxy.
        self.name = address.netloc.rpartition("@")[2] + address.path if address.netloc else self.endpoint
        self.capabilities: Capabilities | None = None
        self.unsettled = False
        self.abandoned_task: str | None = None
        self.loaded: str | None = None
        self.holding: Holding | None = None
        self._auth = auth
        self._sockets = OpenSockets()
        # Kept open between calls: a new connection for each picture would cost a round trip more. Questions have a
        # session of their own, as they are asked while a call is under way, from other threads.
        self.session = abortable_session(self._sockets)
        self.questions = requests.Session()
        if auth:
            user, _, password = auth.partition(":")
            self.session.auth = self.questions.auth = (user, password)

    def __repr__(self) -> str:
        """Show where it is, never its password."""
        return f"SDInstance({self.name!r})"

    def sibling(self, endpoint: str) -> SDInstance:
        """Make another instance with the same login and limits."""
        return SDInstance(
            endpoint,
            self._auth,
            connect_timeout_s=self.connect_timeout_s,
            read_timeout_s=self.read_timeout_s,
        )

    def abort(self) -> None:
        """End the call under way here from another thread; it fails as a lost connection. The job there may go on."""
        self._sockets.shut()

    def close(self) -> None:
        """Give its connections back to the system."""
        self.session.close()
        self.questions.close()
