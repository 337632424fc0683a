"""A participant at our own page: what they do there, and an eye on everything that goes wrong in it."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from urllib.parse import urlsplit

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import BrowserContext, ConsoleMessage, Locator, Page, expect

ANSWER_MS = 20_000
"""The slowest thing that a test waits for: the answer of an operation on a busy machine."""

TASK = "设计一款适合小户型的桌面台灯"

Point = tuple[int, int]


def serious_findings(page: Page) -> list[str]:
    """What axe finds serious or critical in a page as it is."""
    found = Axe().run(page).response["violations"]
    return [
        f"{one['id']}: {one['nodes'][0]['html'][:160]}" for one in found if one["impact"] in ("serious", "critical")
    ]


class Participant:
    """Somebody with a browser of their own; `hosts` are all that the page has asked, `problems` what went wrong."""

    def __init__(self, context: BrowserContext, base_url: str) -> None:
        self.base_url = base_url
        self.problems: list[str] = []
        self.hosts: set[str] = set()
        self.page: Page = context.new_page()
        self.page.set_default_timeout(ANSWER_MS)
        self.page.on("console", self._heard)
        self.page.on("pageerror", lambda error: self.problems.append(f"page error: {error}"))
        self.page.on("request", lambda request: self.hosts.add(urlsplit(request.url).netloc))

    def comes(self, name: str) -> None:
        """Open the page, give a name, and wait until the workplace is there."""
        self.page.goto(f"{self.base_url}/")
        self.page.get_by_label("Your name").fill(name)
        self.page.get_by_role("button", name="Start", exact=True).click()
        self.is_in()

    def is_in(self) -> None:
        """Wait until the workplace is there."""
        expect(self.page.get_by_label("Design task", exact=True)).to_be_visible(timeout=ANSWER_MS)

    def sets_the_task(self, task: str = TASK) -> None:
        """Write the design task and leave the field."""
        field = self.page.get_by_role("textbox", name="Design task")
        field.fill(task)
        field.press("Enter")

    def operation(self, name: str) -> Locator:
        """The button of an operation."""
        return self.page.locator(f"[data-operation='{name}']")

    def asks(self, name: str) -> Locator:
        """Press an operation's button and give the generation that comes of it."""
        stage = name.partition(".")[0]
        before = self.page.locator(f"#column-{stage} [data-generation]").count()
        self.operation(name).click()
        expect(self.page.locator(f"#column-{stage} [data-generation]")).to_have_count(before + 1, timeout=ANSWER_MS)
        # By its id, as the newest stands on top and others may still come.
        newest = self.page.locator(f"#column-{stage} [data-generation]").first.get_attribute("data-generation")
        return self.page.locator(f"[data-generation='{newest}']")

    def column(self, stage: str) -> Locator:
        """One of the four columns."""
        return self.page.locator(f"#column-{stage}")

    def view(self, name: str) -> None:
        """Switch between Board and Tree."""
        self.page.get_by_role("group", name="View").get_by_role("button", name=name, exact=True).click()

    def draws(self, points: Sequence[Point]) -> None:
        """Draw one line with the mouse, in pixels of the shown canvas."""
        box = self.page.get_by_role("img", name=re.compile("Drawing surface")).bounding_box()
        assert box is not None
        (x, y), *others = points
        self.page.mouse.move(box["x"] + x, box["y"] + y)
        self.page.mouse.down()
        for x, y in others:
            self.page.mouse.move(box["x"] + x, box["y"] + y, steps=6)
        self.page.mouse.up()

    def serious_findings(self) -> list[str]:
        """What axe finds serious or critical in the page as it is."""
        return serious_findings(self.page)

    @contextmanager
    def expecting_problems(self, pattern: str) -> Iterator[None]:
        """Forget the problems of the block, which must be there and all fit the pattern."""
        before = len(self.problems)
        yield
        met, self.problems[before:] = self.problems[before:], []
        assert met and all(re.search(pattern, problem) for problem in met), met

    def _heard(self, message: ConsoleMessage) -> None:
        if message.type in ("error", "warning"):
            self.problems.append(f"console: {message.text}")


def has_ended(generation: Locator, state: str = "succeeded") -> None:
    """Wait until a generation has ended so."""
    expect(generation).to_have_attribute("data-state", state, timeout=ANSWER_MS)


def is_loaded(picture: Locator) -> None:
    """Wait until a picture is there and has content."""
    picture.scroll_into_view_if_needed()
    expect(picture).to_have_js_property("complete", True, timeout=ANSWER_MS)
    assert picture.evaluate("image => image.naturalWidth") > 0
