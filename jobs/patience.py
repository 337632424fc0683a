"""What took long to make is not lost because the database is away for a moment."""

import logging
import time
from collections.abc import Callable
from typing import Final, TypeVar

from store.errors import StoreUnavailableError

logger = logging.getLogger(__name__)

T = TypeVar("T")

PATIENCE_S: Final = 60.0
"""Longer than a database takes to start again."""

RETRY_S: Final = 0.5


def patiently(call: Callable[[], T], before_retry: Callable[[], object] = lambda: None) -> T:
    """Do something with the database, again and again while it is away; it must be a thing that may be done twice.

    Raises:
        StoreUnavailableError: it was away for a minute.
    """
    give_up_s = time.monotonic() + PATIENCE_S
    while True:
        try:
            return call()
        except StoreUnavailableError as exc:
            if time.monotonic() > give_up_s:
                raise
            logger.info("waiting for the database: %s", exc)
        time.sleep(RETRY_S)
        before_retry()
