"""Where a request comes from: this very machine, through no proxy and from no strange page, or elsewhere."""

import ipaddress
from urllib.parse import urlsplit

from flask import Request

FORWARDED = ("HTTP_X_FORWARDED_FOR", "HTTP_FORWARDED", "HTTP_X_REAL_IP", "HTTP_VIA")


def is_from_here(request: Request) -> bool:
    """Tell whether the caller sits at the server's own machine, as far as a request can prove it."""
    environ = request.environ
    # ProxyFix put what a proxy claimed in the place of the socket's own peer.
    peer = environ.get("werkzeug.proxy_fix.orig", environ).get("REMOTE_ADDR") or ""
    if any(environ.get(name) for name in FORWARDED) or not is_loopback(peer):
        return False
    # A page from elsewhere, in a browser on this machine, is a caller from elsewhere. Programs send no Origin.
    origin = request.headers.get("Origin")
    return origin is None or is_loopback(host_of(origin))


def is_of_a_strange_page(request: Request) -> bool:
    """Tell whether a browser says that a page of another origin made this request."""
    # Only the browser itself can set this header; it leaves it out where neither TLS nor this machine is spoken to.
    site, origin = request.headers.get("Sec-Fetch-Site"), request.headers.get("Origin")
    if site is not None:
        return site not in ("same-origin", "none")
    return origin is not None and origin.partition("//")[2] != request.host


def host_of(url: str) -> str:
    """Give the host that a URL names, without its port; empty where there is none."""
    try:
        return urlsplit(url).hostname or ""
    except ValueError:
        return ""


def is_loopback(host: str) -> bool:
    """Tell whether a name or address is that of the machine itself."""
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return host == "localhost"
    mapped = getattr(address, "ipv4_mapped", None)
    return (mapped or address).is_loopback
