"""Which model files the WebUIs have, as their own lists and the heartbeats of worker hosts tell it."""

from __future__ import annotations

from dataclasses import astuple, replace

import pytest

from agent.models import Model, models_of
from jobs.celery_hosts import models_of_hosts
from store.ids import new_id
from store.stores import Stores
from tests.pools import MakePool, name_of, until
from tests.stand_ins import CHECKPOINT, StandIn

pytestmark = pytest.mark.unit


def test_the_models_of_all_webuis_are_told_with_the_hashes_that_they_know(
    make_pool: MakePool, three_webuis: tuple[StandIn, StandIn, StandIn]
) -> None:
    one, two, _ = three_webuis
    pool = make_pool([one.instance(), two.instance()], probes=True)
    pool.start()
    until(lambda: {model.instance for model in models_of(pool)} == {name_of(one), name_of(two)}, "both lists")

    found = [model for model in models_of(pool) if model.instance == name_of(one)]

    assert CHECKPOINT in {model.name for model in found if model.kind == "checkpoint"}
    assert any(model.hash for model in found if model.kind == "checkpoint"), "that which it has loaded"
    assert all(model.hash and "[" not in model.name for model in found if model.kind == "controlnet")
    pool.drain(name_of(two))
    assert {model.instance for model in models_of(pool)} == {name_of(one)}


def test_no_pool_has_no_models() -> None:
    assert models_of(None) == ()


def test_the_models_of_worker_hosts_come_with_their_heartbeats(stores: Stores) -> None:
    model = Model("checkpoint", "realistic", "gpu-1", "abc")
    other = replace(model, instance="gpu-2")
    for models in ([model], [model, other]):
        stores.runners.beat(new_id(), {"kind": "worker", "models": [list(astuple(one)) for one in models]})
    stores.runners.beat(new_id(), {"kind": "web"})

    assert models_of_hosts(stores) == (model, other)
