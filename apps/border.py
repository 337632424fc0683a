"""What every request must be, whatever it asks for."""

from urllib.parse import urlsplit

from flask import Flask, request
from werkzeug.exceptions import BadRequest, RequestEntityTooLarge

NO_HOST = "the header Host (or X-Forwarded-Host, -Proto, -Port, -Prefix) names no web address; correct it"


def register_border(app: Flask) -> None:
    """Refuse requests without a usable address of their own, and too large ones that do not tell their size."""

    @app.before_request
    def has_an_address() -> None:
        # The URLs of pictures are built on it.
        if not _is_web_address(request.url_root):
            raise BadRequest(NO_HOST)

    @app.before_request
    def is_not_cut() -> None:
        # A body without Content-Length is silently cut at the limit; one that reaches it is therefore not whole.
        limit = app.config["MAX_CONTENT_LENGTH"]
        if "Transfer-Encoding" in request.headers and len(request.get_data()) >= limit:
            raise RequestEntityTooLarge()


def _is_web_address(url: str) -> bool:
    try:
        parts = urlsplit(url)
        return parts.scheme in {"http", "https"} and bool(parts.hostname) and (parts.port or 80) > 0
    except ValueError:
        return False
