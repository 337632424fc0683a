"""Our own page as it reaches the participant: light, fast, readable for everybody, from this server alone."""

from __future__ import annotations

import io
from urllib.parse import urlsplit

import pytest
from PIL import Image
from playwright.sync_api import CDPSession, Page, expect

from store.documents import GenerationInputs, Output
from store.stores import Stores
from tests.browser.conftest import NewParticipant
from tests.browser.participant import ANSWER_MS, TASK, Participant, has_ended, is_loaded
from tests.stores import opened_stores, queued

pytestmark = pytest.mark.browser

MOST_BYTES = 250_000
MOST_MS = 1000


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("width", [1280, 820])
def test_axe_finds_nothing_serious(new_participant: NewParticipant, width: int, theme: str) -> None:
    participant = new_participant(width, 900, color_scheme=theme)
    page, found = participant.page, {}
    page.goto(f"{participant.base_url}/")
    expect(page.get_by_label("Your name")).to_be_visible()
    found["welcome"] = participant.serious_findings()
    participant.comes(f"Axe {width} {theme}")
    found["empty"] = participant.serious_findings()
    participant.sets_the_task()
    found["brief"] = _after(participant, "brief.create_new")
    found["sketch"] = _after(participant, "sketch.reference")
    participant.column("sketch").locator(".tile-choose").first.click()
    found["chosen"] = participant.serious_findings()
    participant.column("sketch").locator(".tile").first.hover()
    participant.column("sketch").get_by_role("button", name="Look closer").first.click()
    page.get_by_text("How it was made").click()
    expect(page.get_by_text("Checkpoint")).to_be_visible(timeout=ANSWER_MS)
    found["detail"] = participant.serious_findings()
    page.keyboard.press("Escape")
    participant.column("sketch").get_by_role("button", name="Draw", exact=True).click()
    expect(page.locator(".paper canvas")).to_be_visible()
    found["drawing"] = participant.serious_findings()
    page.keyboard.press("Escape")
    participant.view("Tree")
    expect(page.locator(".node")).to_have_count(2)
    found["tree"] = participant.serious_findings()
    assert {place: findings for place, findings in found.items() if findings} == {}


def _after(participant: Participant, operation: str) -> list[str]:
    stage = operation.partition(".")[0]
    tab = participant.page.locator(f"#tab-{stage}")
    if tab.count():
        tab.click()
    has_ended(participant.asks(operation))
    return participant.serious_findings()


class Transfer:
    """What a page loads over the wire, pictures left out; compressed as it came."""

    def __init__(self, page: Page) -> None:
        self._session: CDPSession = page.context.new_cdp_session(page)
        self._kinds: dict[str, str] = {}
        self.bytes: dict[str, int] = {}
        self._session.on("Network.responseReceived", self._received)
        self._session.on("Network.loadingFinished", self._finished)
        self._session.send("Network.enable")

    def _received(self, event: dict[str, object]) -> None:
        self._kinds[str(event["requestId"])] = f"{event['type']} {event['response']['url']}"  # type: ignore[index]

    def _finished(self, event: dict[str, object]) -> None:
        kind = self._kinds.get(str(event["requestId"]), "")
        if "/images/" not in kind:
            self.bytes[kind] = int(str(event["encodedDataLength"]))


PAINTED = """() => new Promise((done) => new PerformanceObserver((list) => {
    const entry = list.getEntries().find((one) => one.name === 'first-contentful-paint');
    if (entry) done(entry.startTime);
}).observe({ type: 'paint', buffered: true }))"""


def test_the_first_paint_is_quick_and_light(new_participant: NewParticipant) -> None:
    # The first visit warms the server, the second one is somebody else's first.
    for _ in range(2):
        participant = new_participant()
        transfer = Transfer(participant.page)
        participant.page.goto(f"{participant.base_url}/")
        painted_ms = participant.page.evaluate(PAINTED)
        expect(participant.page.get_by_label("Your name")).to_be_visible()
    assert painted_ms < MOST_MS
    assert 0 < sum(transfer.bytes.values()) < MOST_BYTES, transfer.bytes

    participant.comes("Light")
    assert sum(transfer.bytes.values()) < MOST_BYTES, transfer.bytes
    assert participant.hosts == {urlsplit(participant.base_url).netloc}


def _full_history(stores: Stores, name: str, generations: int) -> None:
    """Keep so many generations of four pictures each, as the server would have made them."""
    participant = stores.participants.find_or_create(name)
    operations = ("sketch.create_new", "model.create_new", "rendering.create_new")
    for number in range(generations):
        outputs = []
        for index in range(4):
            buffer = io.BytesIO()
            shade = (number * 2 % 256, index * 60, (number * 7) % 256)
            Image.new("RGB", (512, 512), shade).save(buffer, "PNG")
            kept = stores.contents.put(buffer.getvalue(), "image/png", width=512, height=512)
            outputs.append(Output(kind="image", image_id=kept.sha256, index=index))
        inputs = GenerationInputs(task=TASK, num=4)
        claim = queued(
            stores.generations, participant_id=participant.id, operation=operations[number % 3], inputs=inputs
        )
        stores.generations.finish(claim, outputs=outputs)


def test_a_history_of_500_pictures_opens_at_once(participant: Participant, mongo_uri: str) -> None:
    page = participant.page
    with opened_stores(mongo_uri, "browser") as stores:
        _full_history(stores, "Veteran", 125)
    participant.comes("Veteran")
    expect(page.locator(".tile img").first).to_be_visible()

    page.reload()
    page.locator(".tile img").first.wait_for()
    page.wait_for_function("() => [...document.querySelectorAll('.tile img')].slice(0, 3).every((one) => one.complete)")
    opened_ms = page.evaluate("performance.now()")
    assert opened_ms < MOST_MS, f"it took {opened_ms:.0f} ms"

    shown = page.locator("[data-generation]")
    assert shown.count() < 60
    participant.column("sketch").locator(".column-scroll").evaluate("one => one.scrollTo(0, one.scrollHeight)")
    expect(shown).not_to_have_count(shown.count(), timeout=ANSWER_MS)
    participant.view("Tree")
    expect(page.locator(".node")).to_have_count(125, timeout=ANSWER_MS)
    is_loaded(page.locator(".node img").first)
