"""One Stable Diffusion WebUI: where it is, how long to wait for it, what is known about it."""

from __future__ import annotations

from urllib.parse import urlsplit

import requests

from agent.capabilities import Capabilities


class SDInstance:
    """A WebUI at `endpoint` (base URL). Use it only while you hold its lease.

    `auth` is "user:password" as its `--api-auth` has it; it is never shown. `capabilities` are its lists, once they
    were asked for. `unsettled` means that a job may still run there for which nobody waits: ask before sending more;
    `abandoned_task` is its id, if this process sent it.
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
        # Kept open between calls: a new connection for each picture would cost a round trip more.
        self.session = requests.Session()
        if auth:
            user, _, password = auth.partition(":")
            self.session.auth = (user, password)

    def __repr__(self) -> str:
        """Show where it is, never its password."""
        return f"SDInstance({self.name!r})"

    def close(self) -> None:
        """Give its connections back to the system."""
        self.session.close()
