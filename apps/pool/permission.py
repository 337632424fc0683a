"""Who may change the pool: whoever has the token, or, where none is set, whoever sits at this very machine."""

import hmac
import ipaddress
from urllib.parse import urlsplit

from flask import Request

from apps.errors import NotAllowedError

FORWARDED = ("HTTP_X_FORWARDED_FOR", "HTTP_FORWARDED", "HTTP_X_REAL_IP", "HTTP_VIA")
NO_TOKEN = "this needs the header Authorization: Bearer <ADMIN_TOKEN>"
ELSEWHERE = (
    "without ADMIN_TOKEN only a caller on the server's own machine, through no proxy, may do this; set ADMIN_TOKEN"
)


def check_permission(request: Request, token: str) -> None:
    """Let a request pass that may change the pool; `token` is ADMIN_TOKEN, empty when it is not set.

    Raises:
        NotAllowedError: 401 without the right token where there is one, 403 for a caller from elsewhere.
    """
    if token:
        kind, _, given = request.headers.get("Authorization", "").partition(" ")
        # Compared in constant time, so that nobody can find the token letter by letter.
        if kind.lower() != "bearer" or not hmac.compare_digest(given.strip().encode(), token.encode()):
            raise NotAllowedError(401, NO_TOKEN)
    elif not _is_from_here(request):
        raise NotAllowedError(403, ELSEWHERE)


def _is_from_here(request: Request) -> bool:
    environ = request.environ
    # ProxyFix put what a proxy claimed in the place of the socket's own peer.
    peer = environ.get("werkzeug.proxy_fix.orig", environ).get("REMOTE_ADDR") or ""
    if any(environ.get(name) for name in FORWARDED) or not _is_loopback(peer):
        return False
    # A page from elsewhere, in a browser on this machine, is a caller from elsewhere. Programs send no Origin.
    origin = request.headers.get("Origin")
    return origin is None or _is_loopback(_host_of(origin))


def _host_of(origin: str) -> str:
    try:
        return urlsplit(origin).hostname or ""
    except ValueError:
        return ""


def _is_loopback(host: str) -> bool:
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return host == "localhost"
    mapped = getattr(address, "ipv4_mapped", None)
    return (mapped or address).is_loopback
