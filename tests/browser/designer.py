"""A person at the front end's page: what they do with mouse and keyboard, and what they must never meet."""

from __future__ import annotations

import base64
import io
import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

from PIL import Image
from playwright.sync_api import BrowserContext, ConsoleMessage, Locator, Page, expect

SIDE = 512
ANSWER_MS = 20_000
"""The slowest thing that a test waits for: the answer of an operation on a busy machine."""

Point = tuple[int, int]


@dataclass(frozen=True)
class Answer:
    """What the page shows of one submission."""

    page: Page
    number: int

    def toast(self, text: str) -> None:
        """Wait for a toast of this submission."""
        # Playwright's own waiting looks only twice a second by then; this looks at every frame.
        self.page.wait_for_function(
            "([number, text]) => [...document.querySelectorAll('.toast')]"
            ".some(toast => toast.dataset.submission === number && toast.textContent === text)",
            arg=[str(self.number), text],
            timeout=ANSWER_MS,
        )

    @property
    def blocks(self) -> Locator:
        """The blocks, images and texts alike."""
        return self.page.locator(f".block[data-submission='{self.number}']")

    @property
    def cards(self) -> Locator:
        """The text cards."""
        return self.blocks.locator(".card")

    @property
    def images(self) -> Locator:
        """The pictures."""
        return self.blocks.locator("img")

    def urls(self) -> list[str]:
        """The addresses of the pictures, in order."""
        return [str(image.get_attribute("src")) for image in self.images.all()]


class Designer:
    """One user in a browser of their own, with an eye on everything that goes wrong in it."""

    def __init__(self, context: BrowserContext, page_url: str, api_url: str) -> None:
        self.page = context.new_page()
        self.problems: list[str] = []
        self._submissions = 0
        self.page.on("console", self._heard)
        self.page.on("pageerror", lambda error: self.problems.append(f"page error: {error}"))
        self.page.goto(f"{page_url}/index.html?api={api_url}")
        expect(self.page.locator("body")).to_have_attribute("data-ready", "yes")

    def introduces(self, username: str, task: str) -> None:
        """Type the user name and the design task."""
        self.page.get_by_label("实验编号").fill(username)
        self.page.get_by_label("设计任务").fill(task)

    def enters(self, stage: str) -> None:
        """Go to a workspace."""
        self._press("#stages", stage)

    def chooses(self, ai_stage: str, button: str, number: int | None = None) -> None:
        """Pick an operation, and how many; without a number what the page has set stays."""
        self._press("#ai-stages", ai_stage)
        self._press("#buttons", button)
        if number is not None:
            self.page.locator("#numbers").get_by_label(str(number)).check()

    def writes_and_selects(self, text: str) -> None:
        """Put a text on the canvas and click it."""
        self.page.get_by_label("新文本").fill(text)
        self.page.get_by_role("button", name="添加文本").click()
        self.page.locator("#texts").get_by_role("button", name=text, exact=True).last.click()

    def draws(self, points: Sequence[Point]) -> None:
        """Draw one line with the mouse, in pixels of the canvas."""
        box = self.page.locator("#canvas").bounding_box()
        assert box is not None
        (x, y), *others = points
        self.page.mouse.move(box["x"] + x, box["y"] + y)
        self.page.mouse.down()
        for x, y in others:
            self.page.mouse.move(box["x"] + x, box["y"] + y, steps=8)
        self.page.mouse.up()

    def selects_canvas(self) -> None:
        """Hand the canvas to the assistant."""
        self._press("#workspace", "选择画布")

    def submits(self) -> Answer:
        """Press 提交; several may be under way."""
        self.page.get_by_role("button", name="提交", exact=True).click()
        self._submissions += 1
        return Answer(self.page, self._submissions)

    def puts_in_workspace(self, image: Locator) -> None:
        """Click a picture, then 放至工作区, and wait until it lies on a new canvas page."""
        with self._new_page():
            image.click()
            image.locator("..").get_by_role("button", name="放至工作区").click()

    def uploads(self, name: str, content: bytes) -> None:
        """Pick a file with the cloud button and wait until it lies on a new canvas page."""
        with self._new_page():
            self.page.get_by_label("云上传").set_input_files({"name": name, "mimeType": "image/png", "buffer": content})

    @contextmanager
    def _new_page(self) -> Iterator[None]:
        canvas = self.page.locator("#canvas")
        before = int(canvas.get_attribute("data-pages") or 0)
        yield
        expect(canvas).to_have_attribute("data-pages", str(before + 1), timeout=ANSWER_MS)
        # When the picture could not be fetched the client adds an empty page and says nothing.
        assert len(self.canvas().getcolors(SIDE * SIDE) or []) > 1, "the new canvas page is empty"

    def canvas(self) -> Image.Image:
        """What lies on the canvas now."""
        url = self.page.locator("#canvas").evaluate("canvas => canvas.toDataURL('image/png')")
        return Image.open(io.BytesIO(base64.b64decode(url.partition(",")[2]))).convert("RGB")

    @contextmanager
    def expecting_problems(self, pattern: str) -> Iterator[None]:
        """Forget the problems of the block, which must be there and all fit the pattern."""
        before = len(self.problems)
        yield
        met, self.problems[before:] = self.problems[before:], []
        assert met and all(re.search(pattern, problem) for problem in met), met

    def _press(self, place: str, name: str) -> None:
        button = self.page.locator(place).get_by_role("button", name=name, exact=True)
        button.click()
        expect(button).to_have_attribute("aria-pressed", "true")

    def _heard(self, message: ConsoleMessage) -> None:
        if message.type in ("error", "warning"):
            self.problems.append(f"console: {message.text}")


def assert_visible(image: Locator) -> None:
    """Fail unless a picture is loaded in full size, on the screen, and more than one colour."""
    expect(image).to_have_js_property("naturalWidth", SIDE, timeout=ANSWER_MS)
    expect(image).to_be_visible()
    seen = Image.open(io.BytesIO(image.screenshot())).convert("L")
    low, high = seen.getextrema()
    assert isinstance(low, int) and isinstance(high, int) and high - low > 40, f"{image} looks empty"
