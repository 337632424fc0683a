"""Which answers are compressed: the files of the pages, and what is read as JSON. Never pictures or streams."""

from flask import Flask, Response, request
from flask_compress import Compress

TYPES = ["text/html", "text/css", "text/javascript", "image/svg+xml", "application/json"]
LEAST_BYTES = 860
"""Smaller answers fit into one packet anyway."""


def register_compression(app: Flask) -> None:
    """Compress by Brotli or gzip what is worth it."""
    app.config.update(
        COMPRESS_REGISTER=False,
        COMPRESS_STREAMS=False,
        COMPRESS_MIMETYPES=TYPES,
        COMPRESS_ALGORITHM=["br", "gzip"],
        COMPRESS_BR_LEVEL=5,
        COMPRESS_MIN_SIZE=LEAST_BYTES,
    )
    compress = Compress()
    compress.init_app(app)

    @app.after_request
    def compressed(response: Response) -> Response:
        is_wanted = request.method == "GET" and response.mimetype in TYPES and not response.is_streamed
        return compress.after_request(response) if is_wanted else response
