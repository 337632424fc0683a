"""Where the pages are: the participant's at `/`, the others under `/studio`, their files under `/studio/static`."""

import hashlib
import html
import re

from flask import Blueprint, Response, request
from flask.typing import ResponseReturnValue
from werkzeug.exceptions import NotFound

from studio.files import Files, media_type

studio = Blueprint("studio", __name__)

FILES = Files()
PAGE_NAME = re.compile(r"[a-z]+")
YEAR_S = 365 * 24 * 3600
POLICY = (
    "default-src 'self'; script-src 'self' 'unsafe-eval'; img-src 'self' data: blob:; "
    "style-src 'self' 'unsafe-inline'; object-src 'none'; "
    "base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
)
"""What a page may load: only what comes from this server. No script may stand in a page, so that no text of a
participant can become one. `unsafe-eval` is for browsers that are driven from outside: what they wait for is a text."""


@studio.get("/")
def home() -> ResponseReturnValue:
    """Show the participant's page."""
    return _page("index")


@studio.get("/join/<join_key>")
def join(join_key: str) -> ResponseReturnValue:
    """Show the page on which a participant agrees to take part; it reads the key from its own address."""
    del join_key
    return _page("join")


@studio.get("/studio/<page>")
def page(page: str) -> ResponseReturnValue:
    """Show a page by its name: research, prompts, login."""
    return _page(page)


@studio.get("/favicon.ico")
def favicon() -> ResponseReturnValue:
    """Give out the mark, for pages that name none of their own."""
    return static_file("shared/mark.svg")


@studio.get("/studio/static/<path:file_name>")
def static_file(file_name: str) -> ResponseReturnValue:
    """Give out a file of the pages; under the folder of the present version it may be cached for ever."""
    version, _, rest = file_name.partition("/")
    is_versioned = version.startswith("v-")
    name = rest if is_versioned else file_name
    content = FILES.get(name)
    if content is None or name.endswith(".html"):
        raise NotFound("there is no such file")
    response = Response(content, content_type=f"{media_type(name)}; charset=utf-8")
    if version == f"v-{FILES.version}":
        response.cache_control.public = True
        response.cache_control.max_age = YEAR_S
        response.cache_control.immutable = True
    else:
        response.cache_control.no_cache = True
    return _told(response, content)


def _page(name: str) -> Response:
    content = FILES.get(f"{name}.html") if PAGE_NAME.fullmatch(name) else None
    if content is None:
        raise NotFound("there is no such page")
    root = html.escape(request.script_root)
    words = {"{{root}}": root, "{{static}}": f"{root}/studio/static/v-{FILES.version}"}
    text = content.decode("utf-8")
    for word, value in words.items():
        text = text.replace(word, value)
    response = Response(text, content_type="text/html; charset=utf-8")
    response.cache_control.no_cache = True
    response.headers["Content-Security-Policy"] = POLICY
    response.headers["Referrer-Policy"] = "same-origin"
    return _told(response, text.encode())


def _told(response: Response, content: bytes) -> Response:
    response.set_etag(hashlib.sha256(content).hexdigest()[:32])
    response.headers["X-Content-Type-Options"] = "nosniff"
    response.make_conditional(request)
    return response
