"""The farm speaks the WebUI's protocol well enough for our own client, takes its time and writes down the truth."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
import requests

from agent.errors import InstanceServiceError
from agent.instance import SDInstance
from agent.sam import mask_by_text
from agent.sd import capabilities_of, text2Image
from bench.farm.pictures import picture
from bench.processes import FarmAddress, farm
from tests.stand_ins import CHECKPOINT, request

pytestmark = pytest.mark.unit

OTHER = "v2-1_512-ema-pruned"
TIMES = ("--image-s", "0.1", "--load-s", "0.2", "--segment-s", "0.05")


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[FarmAddress]:
    """Run two WebUIs in one process."""
    with farm(tmp_path_factory.mktemp("farm"), 2, *TIMES) as address:
        yield address


@pytest.fixture
def webui(running: FarmAddress) -> Iterator[SDInstance]:
    """Give the first of them, idle, with the first checkpoint and an empty journal."""
    steer(running, "POST", "loaded", {"gpu-01": CHECKPOINT})
    steer(running, "DELETE", "journal")
    instance = SDInstance(running.endpoints[0], read_timeout_s=10)
    yield instance
    instance.close()
    steer(running, "POST", "fault", {"instance": "gpu-01", "kind": ""})


def steer(running: FarmAddress, method: str, what: str, body: Any = None) -> Any:
    answer = requests.request(method, f"{running.control}/{what}", json=body, timeout=10)
    answer.raise_for_status()
    return answer.json()


def test_our_client_reads_its_pictures_and_finds_all_as_asked(webui: SDInstance) -> None:
    painted = text2Image(webui, request(width=512, height=512, batch_size=2))

    assert not painted.not_applied
    assert [image.seed for image in painted.images] == [7, 8]
    assert painted.images[0].image_bytes != painted.images[1].image_bytes
    assert all(390_000 < len(image.image_bytes) < 420_000 for image in painted.images)


def test_our_client_finds_its_lists_and_its_masks(webui: SDInstance) -> None:
    assert capabilities_of(webui).checkpoint(OTHER)
    assert mask_by_text(webui, picture(), "kettle").mask_bytes


def test_a_load_and_a_picture_take_their_time_and_stand_in_the_journal(webui: SDInstance, running: FarmAddress) -> None:
    text2Image(webui, request(checkpoint=OTHER))

    [entry] = steer(running, "GET", "journal")
    assert entry["checkpoint"] == OTHER
    assert entry["load_end"] - entry["load_start"] >= 0.2
    assert entry["end"] - entry["start"] >= 0.1
    assert entry["others"] == 0


def test_a_second_call_waits_for_the_first_and_counts_as_a_double_booking(
    webui: SDInstance, running: FarmAddress
) -> None:
    second = SDInstance(running.endpoints[0])
    capabilities_of(webui), capabilities_of(second)
    with ThreadPoolExecutor(2) as threads:
        list(threads.map(lambda instance: text2Image(instance, request()), (webui, second)))

    first, later = steer(running, "GET", "journal")
    assert (first["others"], later["others"]) == (0, 1)
    assert later["start"] >= first["end"]


def test_one_that_fails_says_so_and_one_that_hangs_answers_nothing_until_it_is_mended(
    webui: SDInstance, running: FarmAddress
) -> None:
    capabilities_of(webui)
    steer(running, "POST", "fault", {"instance": "gpu-01", "kind": "error_500"})
    with pytest.raises(InstanceServiceError):
        text2Image(webui, request())
    steer(running, "POST", "fault", {"instance": "gpu-01", "kind": "hang"})
    mended = threading.Timer(0.3, steer, (running, "POST", "fault", {"instance": "gpu-01", "kind": ""}))
    began = time.monotonic()
    mended.start()
    text2Image(webui, request())

    assert time.monotonic() - began >= 0.3
    assert [entry["outcome"] for entry in steer(running, "GET", "journal")] == ["failed", "done"]


def test_the_farm_ends_with_the_block_that_started_it(tmp_path: Path) -> None:
    with farm(tmp_path, 1, *TIMES) as address:
        url = address.control
    with pytest.raises(requests.ConnectionError):
        requests.get(f"{url}/loaded", timeout=2)
