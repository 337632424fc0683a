"""Which model files the WebUIs have, by what stands in their lists: names and hashes."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from agent.capabilities import Capabilities, bare_checkpoint, from_text, without_hash
from agent.pool import SDInstancePool

ModelKind = Literal["checkpoint", "controlnet"]


@dataclass(frozen=True, order=True)
class Model:
    """A model file of one instance; `hash` is empty while the WebUI does not know it, as before a first load."""

    kind: ModelKind
    name: str
    instance: str
    hash: str


def models_of(pool: SDInstancePool | None) -> tuple[Model, ...]:
    """Tell the models of each instance that takes work and has told its lists; none while the pool cannot be read."""
    if pool is None:
        return ()
    asked = "SELECT name, text FROM instances JOIN lists USING (endpoint) WHERE mode = 'open'"
    try:
        with pool.ledger.look() as now:
            told = [(row["name"], from_text(row["text"])) for row in now.rows(asked)]
    except (OSError, sqlite3.Error):
        return ()
    return tuple(sorted(model for name, has in told for model in _models(name, has)))


def _models(instance: str, has: Capabilities) -> Iterator[Model]:
    for one in has.checkpoints:
        yield Model("checkpoint", bare_checkpoint(one.model_name), instance, one.sha256 or one.hash or "")
    for name in has.controlnet_models or ():
        bare = without_hash(name)
        yield Model("controlnet", bare, instance, name.removeprefix(bare).strip(" []"))
