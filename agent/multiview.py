"""An object from several sides, by a service like Wonder3D behind a small HTTP protocol (docs/multiview.md)."""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

import requests

from agent.errors import (
    MultiviewError,
    MultiviewNotConfiguredError,
    MultiviewRejectedError,
    MultiviewServiceError,
    MultiviewTimeoutError,
    MultiviewUnreachableError,
)
from agent.images import declared_size, decoded_png
from agent.wire import Answer, exchange

_SMALLEST_VIEW = 8

# The first class that fits decides; every other error of `requests` comes from a broken answer.
_REQUESTS_ERRORS: tuple[tuple[type[requests.RequestException], type[MultiviewError], str], ...] = (
    (
        requests.exceptions.InvalidURL,
        MultiviewNotConfiguredError,
        "has no valid address; correct MULTIVIEW_ENDPOINT",
    ),
    (requests.exceptions.MissingSchema, MultiviewNotConfiguredError, "has no http:// in MULTIVIEW_ENDPOINT"),
    (requests.exceptions.InvalidSchema, MultiviewNotConfiguredError, "has no http:// in MULTIVIEW_ENDPOINT"),
    (requests.exceptions.ConnectTimeout, MultiviewUnreachableError, "cannot be reached; is it running?"),
    (requests.exceptions.Timeout, MultiviewTimeoutError, "did not answer in time; it may still be working"),
    (
        requests.exceptions.ConnectionError,
        MultiviewUnreachableError,
        "cannot be reached or broke off; is it running?",
    ),
    (requests.exceptions.RequestException, MultiviewServiceError, "answered something that cannot be read"),
)


@dataclass(frozen=True)
class View:
    """One side of the object: its name as it was asked for, and the picture as PNG."""

    name: str
    image_bytes: bytes


class MultiviewClient:
    """The service at `endpoint` (base URL)."""

    def __init__(self, endpoint: str, *, connect_timeout_s: float = 5.0, read_timeout_s: float = 600.0) -> None:
        """Only keep the values: the first connection is made by the first call."""
        self._endpoint = endpoint.rstrip("/")
        self._connect_timeout_s = connect_timeout_s
        self._read_timeout_s = read_timeout_s
        self._session = requests.Session()
        self.name = urlsplit(self._endpoint).netloc.rpartition("@")[2] or self._endpoint

    def views(self, image_bytes: bytes, names: Sequence[str], *, seed: int) -> tuple[View, ...]:
        """Ask for the object on transparent ground (RGBA PNG) seen from each named side; in the order of `names`.

        Raises MultiviewError leaves.
        """
        body = {"image": base64.b64encode(image_bytes).decode("ascii"), "views": list(names), "seed": seed}
        answer = self._post("/views", body)
        # By name, not by position: a service may answer in the order in which it made them.
        found = {row["name"]: row.get("image") for row in _rows(answer)}
        lacking = [name for name in names if name not in found]
        if lacking:
            raise MultiviewServiceError(f"the multi-view service {self.name} left out {', '.join(lacking)}")
        return tuple(View(name, self._picture(found[name])) for name in names)

    def close(self) -> None:
        """Give its connections back to the system."""
        self._session.close()

    def _post(self, path: str, body: Any) -> Any:
        try:
            answer = exchange(
                self._session,
                "POST",
                self._endpoint + path,
                connect_timeout_s=self._connect_timeout_s,
                read_timeout_s=self._read_timeout_s,
                payload=body,
            )
        except requests.RequestException as exc:
            kind, sentence = next((kind, words) for one, kind, words in _REQUESTS_ERRORS if isinstance(exc, one))
            raise kind(f"the multi-view service {self.name} {sentence}") from exc
        return self._decoded(answer)

    def _decoded(self, answer: Answer) -> Any:
        if 400 <= answer.status < 500:
            raise MultiviewRejectedError(f"the multi-view service {self.name} refuses the request [{answer.status}]")
        if answer.status != 200:
            raise MultiviewServiceError(f"the multi-view service {self.name} failed [{answer.status}]; look at its log")
        try:
            return json.loads(answer.content)
        except ValueError as exc:
            raise MultiviewServiceError(f"the multi-view service {self.name} answered no JSON") from exc

    def _picture(self, text: Any) -> bytes:
        try:
            image_bytes = decoded_png(text)
        except ValueError as exc:
            raise MultiviewServiceError(f"the multi-view service {self.name} answered a broken picture") from exc
        if min(declared_size(image_bytes)) < _SMALLEST_VIEW:
            raise MultiviewServiceError(
                f"the multi-view service {self.name} answered a picture of less than {_SMALLEST_VIEW} pixels"
            )
        return image_bytes


def _rows(answer: Any) -> list[Mapping[str, Any]]:
    rows = answer.get("views") if isinstance(answer, Mapping) else None
    if not isinstance(rows, list) or not all(_has_name(row) for row in rows):
        raise MultiviewServiceError("the multi-view service answered without a list of views with names")
    return rows


def _has_name(row: Any) -> bool:
    return isinstance(row, Mapping) and isinstance(row.get("name"), str)
