"""A participant of a study: joins by a link, meets what the condition allows, and every step arrives once."""

from __future__ import annotations

import json
import time
from collections import Counter
from collections.abc import Callable
from typing import Any

import pytest
import requests
from playwright.sync_api import Route, expect

from tests.browser.conftest import NewParticipant, Serve
from tests.browser.participant import ANSWER_MS, Participant, has_ended

pytestmark = pytest.mark.browser

CUT = r"Failed to load resource"


@pytest.fixture(scope="module")
def lab_url(serve: Serve) -> str:
    """Run a server whose researchers need no login, as `make run` does."""
    return serve(RESEARCH_LOGIN="false", PROXY_COUNT="0")


def _ask(method: str, url: str, **more: Any) -> Any:
    answer = requests.request(method, url, timeout=10, **more)
    assert answer.ok, answer.text
    return answer.json()["data"]


def _study(lab_url: str, **condition: Any) -> str:
    """Lay out a study of one condition, open it, and give its link."""
    whole = {"id": "one", "name": "One", **condition}
    body = {"name": "Lamps", "task": "desk lamp", "consent_text": "We keep what you draw.", "conditions": [whole]}
    study = _ask("POST", f"{lab_url}/api/studies", json=body)
    return str(_ask("POST", f"{lab_url}/api/studies/{study['id']}/state", json={"state": "open"})["join_url"])


def _joins(participant: Participant, link: str) -> None:
    page = participant.page
    page.goto(link)
    expect(page.get_by_text("We keep what you draw.")).to_be_visible()
    assert participant.serious_findings() == []
    page.get_by_role("button", name="Agree and start").click()
    expect(page.get_by_role("alert")).to_have_text("Tick the box to take part.")
    page.get_by_label("I have read this and agree to take part").check()
    page.get_by_role("button", name="Agree and start").click()
    participant.is_in()


def test_a_condition_says_what_is_offered_and_the_end_is_thanked(lab_url: str, new_participant: NewParticipant) -> None:
    participant = new_participant(base_url=lab_url)
    page = participant.page
    _joins(participant, _study(lab_url, allowed=["sketch.create_new", "sketch.extend"], num_max=3))
    expect(page.get_by_role("textbox", name="Design task")).to_have_value("desk lamp")
    expect(page.locator("[data-operation]")).to_have_count(2)
    expect(page.locator("body")).not_to_contain_text("p-")
    for _ in range(3):
        if page.get_by_role("button", name="More proposals").is_enabled():
            page.get_by_role("button", name="More proposals").click()
    expect(page.locator(".num-value")).to_have_text("3")
    has_ended(participant.asks("sketch.create_new"))

    page.get_by_role("button", name="Finish").click()
    page.get_by_role("button", name="Yes, finish").click()
    expect(page.get_by_role("heading", name="Thank you for taking part")).to_be_attached()
    page.reload()
    expect(page.get_by_role("heading", name="Thank you for taking part")).to_be_attached(timeout=ANSWER_MS)


def test_without_the_assistant_there_is_only_ones_own_work(lab_url: str, new_participant: NewParticipant) -> None:
    participant = new_participant(base_url=lab_url)
    _joins(participant, _study(lab_url, assistant=False))
    expect(participant.page.locator("[data-operation]")).to_have_count(0)
    expect(participant.page.get_by_role("group", name="Proposals")).to_have_count(0)
    expect(participant.column("model").get_by_role("button", name="Draw", exact=True)).to_be_visible()
    assert participant.serious_findings() == []


def test_an_answer_that_is_held_looks_like_waiting(lab_url: str, new_participant: NewParticipant) -> None:
    participant = new_participant(base_url=lab_url)
    _joins(participant, _study(lab_url, hold={"kind": "fixed", "seconds": 4}))
    sketch = participant.asks("sketch.create_new")
    expect(sketch.locator(".tile-pending")).to_have_count(2)
    expect(sketch).to_contain_text("about")
    has_ended(sketch)
    expect(sketch.locator(".tile img")).to_have_count(2)


def test_a_link_that_leads_nowhere_says_so(lab_url: str, new_participant: NewParticipant) -> None:
    participant = new_participant(base_url=lab_url)
    with participant.expecting_problems("status of 404"):
        participant.page.goto(f"{lab_url}/join/nothing")
        expect(participant.page.get_by_role("alert")).to_contain_text("This link leads to no study")


def test_leaving_the_page_is_told_on_the_way_out(lab_url: str, new_participant: NewParticipant) -> None:
    participant = new_participant(base_url=lab_url)
    participant.comes("Leaves")
    session = _ask("POST", f"{lab_url}/api/sessions", json={"username": "Leaves"})["session"]["id"]
    participant.page.goto(f"{lab_url}/ping")
    _until(participant, lambda: _kept(lab_url, session)["page.close"] == 1)


class Steps:
    """What the page told of its steps, and what came of it."""

    def __init__(self, participant: Participant, cut: int) -> None:
        self.told: Counter[str] = Counter()
        self.verbs: dict[str, str] = {}
        self.session = ""
        self._cut = cut
        participant.page.route("**/api/sessions/*/events", self._on_its_way)

    def _on_its_way(self, route: Route) -> None:
        self.session = route.request.url.split("/")[-2]
        for event in json.loads(route.request.post_data or "{}")["events"]:
            self.verbs[event["id"]] = event["verb"]
            self.told[event["id"]] += 1
        if self._cut % 2 == 1:
            route.abort()
        elif self._cut > 0:
            # The server has them, but nobody hears that.
            route.fetch()
            route.abort()
        else:
            route.continue_()
        self._cut -= 1


def test_every_step_arrives_once_although_the_line_is_cut_and_the_page_left(
    lab_url: str, new_participant: NewParticipant
) -> None:
    participant = new_participant(base_url=lab_url)
    page = participant.page
    steps = Steps(participant, cut=3)
    with participant.expecting_problems(CUT):
        participant.comes("Steps")
        participant.sets_the_task()
        brief = participant.asks("brief.create_new")
        has_ended(brief)
        brief.locator(".sentence").first.click()
        _until(participant, lambda: bool(steps.told) and max(steps.told.values()) >= 2)
        page.reload()
        participant.is_in()
        participant.view("Tree")
        _until(participant, lambda: _kept(lab_url, steps.session).keys() >= set(steps.verbs.values()))
        page.wait_for_function(
            "() => Object.keys(localStorage).filter((key) => key.startsWith('studio.events.'))"
            ".every((key) => JSON.parse(localStorage[key]).length === 0)"
        )
    told = Counter(steps.verbs.values())
    kept = _kept(lab_url, steps.session)
    assert {verb: kept[verb] for verb in told if verb != "page.close"} == {
        verb: count for verb, count in told.items() if verb != "page.close"
    }
    assert told["page.open"] == 2
    assert {"task.set", "generation.submit", "generation.shown", "input.select", "tree.open"} <= told.keys()


def _until(participant: Participant, is_so: Callable[[], bool]) -> None:
    """Ask again and again until it is so, and let the browser go on meanwhile."""
    end = time.monotonic() + ANSWER_MS / 1000
    while not is_so():
        assert time.monotonic() < end, "not in time"
        participant.page.wait_for_timeout(100)


def _kept(lab_url: str, session: str) -> Counter[str]:
    page = _ask("GET", f"{lab_url}/api/research/sessions/{session}/chronicle", params={"limit": 200})
    entries = page["entries"] if isinstance(page, dict) else page
    return Counter(entry["verb"] for entry in entries if entry["actor"] == "participant")
