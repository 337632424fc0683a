"""Fixtures of the unit tests."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.pools import MakePool, pools


@pytest.fixture
def make_pool() -> Iterator[MakePool]:
    """Make pools that are closed when the test is over."""
    with pools() as make:
        yield make
