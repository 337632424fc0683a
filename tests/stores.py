"""Stores for tests, opened on a given server and closed at the end."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from store.connection import StoreConfig
from store.stores import Stores, open_stores


@contextmanager
def opened_stores(uri: str, database_name: str, *, selection_timeout_s: float = 5.0) -> Iterator[Stores]:
    """Open the stores of a database while the block runs."""
    config = StoreConfig(uri=uri, database=database_name, server_selection_timeout_s=selection_timeout_s)
    stores = open_stores(config)
    try:
        yield stores
    finally:
        stores.close()
