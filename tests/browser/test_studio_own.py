"""What a participant brings in without the assistant: drawings, pictures, notes."""

from __future__ import annotations

import base64
import io

import pytest
from PIL import Image
from playwright.sync_api import expect

from tests.browser.conftest import NewParticipant
from tests.browser.participant import ANSWER_MS, Participant, has_ended, is_loaded
from tests.stand_ins import picture

pytestmark = pytest.mark.browser

LINE = [(120, 120), (300, 260), (420, 140)]


def _drawing(participant: Participant, label: str = "Your drawing") -> Image.Image:
    """The newest own picture as the server has it."""
    card = participant.page.get_by_role("article", name=label).first
    is_loaded(card.locator("img"))
    address = str(card.locator("img").get_attribute("src")).partition("?")[0]
    answer = participant.page.request.get(f"{participant.base_url}{address}")
    return Image.open(io.BytesIO(answer.body())).convert("RGB")


def _dark(image: Image.Image) -> int:
    return sum(image.convert("L").histogram()[:100])


def test_a_drawing_becomes_an_input(participant: Participant) -> None:
    page = participant.page
    participant.comes("Draws")
    participant.sets_the_task()
    participant.column("sketch").get_by_role("button", name="Draw", exact=True).click()
    page.get_by_role("button", name="Use drawing").click()
    expect(page.get_by_role("region", name="Notifications")).to_contain_text("Draw something first.")
    participant.draws(LINE)
    page.get_by_role("button", name="Use drawing").click()
    expect(page.get_by_role("article", name="Your drawing")).to_have_count(1, timeout=ANSWER_MS)
    drawn = _drawing(participant)
    assert drawn.getpixel((2, 2)) == (255, 255, 255)
    assert _dark(drawn) > 200

    sketch = participant.asks("sketch.extend")
    has_ended(sketch)
    page.reload()
    participant.is_in()
    expect(page.get_by_role("article", name="Your drawing")).to_have_count(1, timeout=ANSWER_MS)


def test_undo_redo_eraser_and_keys(participant: Participant) -> None:
    page = participant.page
    participant.comes("Undo")
    participant.column("sketch").get_by_role("button", name="Draw", exact=True).click()

    def ink() -> int:
        layer = page.locator(".paper canvas").evaluate("canvas => canvas.toDataURL()").partition(",")[2]
        return sum(Image.open(io.BytesIO(base64.b64decode(layer))).getchannel("A").histogram()[1:])

    participant.draws(LINE)
    first = ink()
    participant.draws([(60, 400), (400, 400)])
    both = ink()
    assert both > first > 0
    page.keyboard.press("Control+z")
    assert ink() == first
    page.keyboard.press("Control+Shift+Z")
    assert ink() == both
    page.keyboard.press("e")
    expect(page.get_by_role("button", name="Eraser")).to_have_attribute("aria-pressed", "true")
    participant.draws([(60, 400), (400, 400)])
    assert ink() < both
    page.get_by_role("button", name="Clear", exact=True).last.click()
    assert ink() == 0
    page.get_by_role("button", name="Undo").click()
    assert ink() > 0


def test_what_is_half_drawn_survives_a_reload(participant: Participant) -> None:
    participant.comes("Draft")
    participant.column("sketch").get_by_role("button", name="Draw", exact=True).click()
    participant.draws(LINE)
    participant.page.reload()
    participant.is_in()
    participant.column("sketch").get_by_role("button", name="Draw", exact=True).click()
    expect(participant.page.get_by_role("button", name="Undo")).to_be_enabled()


def test_a_finger_draws_too(new_participant: NewParticipant) -> None:
    participant = new_participant(820, 1180, has_touch=True)
    page = participant.page
    participant.comes("Touch")
    page.get_by_role("tab", name="Sketch").tap()
    page.get_by_role("button", name="Draw", exact=True).tap()
    box = page.locator(".paper canvas").bounding_box()
    assert box is not None
    touch = page.context.new_cdp_session(page)
    for kind, shift in (("touchStart", 0), ("touchMove", 60), ("touchMove", 140), ("touchEnd", None)):
        points = [] if shift is None else [{"x": box["x"] + 100 + shift, "y": box["y"] + 100 + shift}]
        touch.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": points})
    page.get_by_role("button", name="Use drawing").tap()
    expect(page.get_by_role("article", name="Your drawing")).to_have_count(1, timeout=ANSWER_MS)
    assert _dark(_drawing(participant)) > 100


def test_a_picture_is_drawn_over(participant: Participant) -> None:
    page = participant.page
    participant.comes("Over")
    participant.sets_the_task()
    model = participant.asks("model.create_new")
    has_ended(model)
    model.locator(".tile").first.hover()
    model.get_by_role("button", name="Look closer").first.click()
    page.get_by_role("button", name="Draw on it").click()
    is_loaded(page.locator(".paper img"))
    participant.draws(LINE)
    page.get_by_role("button", name="Use drawing").click()
    expect(participant.column("model").get_by_role("article", name="Your drawing")).to_have_count(1, timeout=ANSWER_MS)
    participant.view("Tree")
    expect(page.get_by_role("button", name="Model: Your drawing, 1 picture, from New models")).to_be_visible()


def test_a_picture_is_uploaded_and_chosen(participant: Participant) -> None:
    page = participant.page
    participant.comes("Uploads")
    file = {"name": "mine.png", "mimeType": "image/png", "buffer": picture(300, 200)}
    with page.expect_file_chooser() as chooser:
        participant.column("model").get_by_role("button", name="Upload").click()
    chooser.value.set_files([file])  # type: ignore[list-item]
    card = participant.column("model").get_by_role("article", name="Your picture")
    expect(card.locator(".tile-choose")).to_have_attribute("aria-pressed", "true", timeout=ANSWER_MS)


def test_a_picture_is_dropped_and_another_one_pasted(participant: Participant) -> None:
    participant.comes("Drops")
    for count, kind in enumerate(("drop", "paste"), start=1):
        participant.page.evaluate(
            """async (kind) => {
                const canvas = Object.assign(document.createElement('canvas'), { width: 64, height: 64 });
                canvas.getContext('2d').fillRect(8, 8, kind === 'drop' ? 20 : 40, 40);
                const blob = await new Promise((done) => canvas.toBlob(done, 'image/png'));
                const data = new DataTransfer();
                data.items.add(new File([blob], 'one.png', { type: 'image/png' }));
                const box = document.querySelector('#column-sketch').getBoundingClientRect();
                const where = { clientX: box.x + 40, clientY: box.y + 80, bubbles: true, cancelable: true };
                const event = kind === 'drop' ? new DragEvent('drop', { ...where, dataTransfer: data })
                    : new ClipboardEvent('paste', { clipboardData: data, bubbles: true, cancelable: true });
                document.body.dispatchEvent(event);
            }""",
            kind,
        )
        expect(participant.page.get_by_role("article", name="Your picture")).to_have_count(count, timeout=ANSWER_MS)


def test_a_file_that_is_no_picture_is_refused_with_a_sentence(participant: Participant) -> None:
    page = participant.page
    participant.comes("No picture")
    broken = {"name": "broken.png", "mimeType": "image/png", "buffer": b"no picture at all"}
    with participant.expecting_problems("status of 422"):
        with page.expect_file_chooser() as chooser:
            participant.column("sketch").get_by_role("button", name="Upload").click()
        chooser.value.set_files([broken])  # type: ignore[list-item]
        notes = page.get_by_role("region", name="Notifications")
        expect(notes).to_contain_text("not a PNG, JPEG, GIF or WEBP picture", timeout=ANSWER_MS)


def test_a_note_is_kept_on_the_server_and_works_as_an_input(new_participant: NewParticipant) -> None:
    first = new_participant()
    first.comes("Notes")
    first.sets_the_task()
    first.column("brief").get_by_role("button", name="Write").click()
    first.page.get_by_label("Your thoughts").fill("Folds flat into a bag")
    with first.page.expect_response("**/paint/save"):
        first.page.get_by_role("button", name="Keep note").click()
    brief = first.asks("brief.extend")
    has_ended(brief)
    first.view("Tree")
    expect(first.page.get_by_role("button", name="Brief: Extend the ideas, 2 texts, from Your note")).to_be_visible()

    elsewhere = new_participant()
    elsewhere.comes("Notes")
    note = elsewhere.page.get_by_role("article", name="Your note")
    expect(note).to_contain_text("Folds flat into a bag")
    expect(elsewhere.column("brief").locator("[data-generation]")).to_have_count(1)
