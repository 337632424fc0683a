"""The WebUI's own error shapes.

WebUIError
├── InvalidError        422, shape A: {"detail": [{loc, msg, type}]}: the body does not fit the schema
├── RefusedError   HTTPException, shape B: text in `detail`, any status
└── CrashedError   any other exception in a handler, shape B: status 500, class in `error`, text in `errors`
"""

from typing import Any


class WebUIError(Exception):
    """Something that the WebUI answers with an error."""

    status = 500

    def body(self) -> dict[str, Any]:
        """The JSON that the WebUI would send."""
        raise NotImplementedError


class InvalidError(WebUIError):
    """A body that pydantic refuses."""

    status = 422

    def __init__(self, loc: list[str | int], msg: str, kind: str, ctx: dict[str, Any] | None = None) -> None:
        """Keep one entry of the list of errors."""
        super().__init__(msg)
        self.entry: dict[str, Any] = {"loc": loc, "msg": msg, "type": kind} | ({"ctx": ctx} if ctx else {})

    def body(self) -> dict[str, Any]:
        """Shape A."""
        return {"detail": [self.entry]}


class RefusedError(WebUIError):
    """FastAPI's HTTPException, raised on purpose in a handler."""

    def __init__(self, status: int, detail: str) -> None:
        """Keep status and text."""
        super().__init__(detail)
        self.status = status

    def body(self) -> dict[str, Any]:
        """Shape B with the text in `detail`."""
        return {"error": "HTTPException", "detail": str(self), "body": "", "errors": ""}


class CrashedError(WebUIError):
    """Any other exception; `name` is the class name that the real server would show."""

    def __init__(self, name: str, errors: str) -> None:
        """Keep class name and text."""
        super().__init__(errors)
        self.name = name

    def body(self) -> dict[str, Any]:
        """Shape B with the text in `errors`."""
        return {"error": self.name, "detail": "", "body": "", "errors": str(self)}


BROKEN_IMAGE = "Invalid encoded image"
OUT_OF_MEMORY = (
    "CUDA out of memory. Tried to allocate 20.00 GiB. GPU 0 has a total capacty of 23.69 GiB of which 1.00 GiB is free."
)
NAN = "A tensor with NaNs was produced in Unet. Use --disable-nan-check commandline argument to disable this check."

FAULTS = {
    "error_500": ("RuntimeError", "stand-in fault: an error inside the server"),
    "out_of_memory": ("OutOfMemoryError", OUT_OF_MEMORY),
    "nan": ("NansException", NAN),
}
"""Faults that are an exception inside the job, by kind."""
