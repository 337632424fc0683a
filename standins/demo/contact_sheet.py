"""The contact sheet of the demo: one page with all 14 operations, what went in and what came out."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from PIL import Image, ImageDraw

from standins.demo.lettering import can_write_chinese, font, in_letters, wrap

Box = tuple[int, int, int, int]

MARGIN, GUTTER = 70, 50
CELL_WIDTH, CELL_HEIGHT, CELL_GAP = 1360, 372, 22
SECTION_HEIGHT, HEADER_HEIGHT = 74, 210
INPUT_WIDTH, PAD, TITLE_HEIGHT = 250, 24, 66
ARROW_WIDTH, GAP = 46, 16
BODY_HEIGHT = CELL_HEIGHT - TITLE_HEIGHT - PAD

PAPER, INK, FAINT, LINE, RED = "#f5f4f0", "#20242b", "#7b8290", "#d9d8d2", "#b3261e"
COLUMNS = ((("Brief", "#3b6ea8"), ("Sketch", "#5b7f3b")), (("Model", "#8a6d3b"), ("Rendering", "#8b4a6b")))
SECTIONS = {"Brief": range(1, 4), "Sketch": range(4, 8), "Model": range(8, 11), "Rendering": range(11, 15)}


@dataclass(frozen=True)
class Cell:
    """One operation: what was selected and drawn, and what came back; or why nothing did."""

    number: int
    title: str
    button: str
    input_texts: tuple[str, ...] = ()
    canvas: Image.Image | None = None
    images: tuple[Image.Image, ...] = ()
    texts: tuple[dict[str, object], ...] = ()
    failure: str = ""


def draw_sheet(cells: Sequence[Cell], task: str) -> Image.Image:
    """Draw the page: two columns, a section for each representation, a cell for each operation."""
    by_number = {cell.number: cell for cell in cells}
    rows = max(sum(len(SECTIONS[name]) for name, _ in column) for column in COLUMNS)
    height = HEADER_HEIGHT + 2 * SECTION_HEIGHT + rows * (CELL_HEIGHT + CELL_GAP) + MARGIN
    page = Image.new("RGB", (2 * MARGIN + 2 * CELL_WIDTH + GUTTER, height), PAPER)
    _header(page, task)
    for index, column in enumerate(COLUMNS):
        left, top = MARGIN + index * (CELL_WIDTH + GUTTER), HEADER_HEIGHT
        for name, colour in column:
            _section(page, (left, top), name, colour)
            top += SECTION_HEIGHT
            for number in SECTIONS[name]:
                if number in by_number:
                    _cell(page, (left, top), by_number[number], colour)
                top += CELL_HEIGHT + CELL_GAP
    return page


def _header(page: Image.Image, task: str) -> None:
    pen = ImageDraw.Draw(page)
    pen.text((MARGIN, 108), "StepIdeator", fill=INK, font=font(64), anchor="ls")
    beside = MARGIN + font(64).getlength("StepIdeator") + 40
    words = "the 14 operations, each on what an earlier one gave"
    pen.text((beside, 108), words, fill=FAINT, font=font(34), anchor="ls")
    pen.text((MARGIN, 176), f"Design task: {in_letters(task)}", fill=INK, font=font(34), anchor="ls")


def _section(page: Image.Image, corner: tuple[int, int], name: str, colour: str) -> None:
    pen = ImageDraw.Draw(page)
    left, top = corner
    pen.text((left, top + 48), name, fill=colour, font=font(38), anchor="ls")
    pen.line((left, top + 62, left + CELL_WIDTH, top + 62), fill=colour, width=3)


def _cell(page: Image.Image, corner: tuple[int, int], cell: Cell, colour: str) -> None:
    pen = ImageDraw.Draw(page)
    left, top = corner
    pen.rounded_rectangle((left, top, left + CELL_WIDTH, top + CELL_HEIGHT), 14, fill="white", outline=LINE, width=2)
    _title(pen, (left, top), cell, colour)
    inner = top + TITLE_HEIGHT
    _input(page, (left + PAD, inner, left + PAD + INPUT_WIDTH, inner + BODY_HEIGHT), cell)
    _arrow(pen, left + PAD + INPUT_WIDTH, inner + BODY_HEIGHT // 2, colour)
    output = (left + PAD + INPUT_WIDTH + ARROW_WIDTH, inner, left + CELL_WIDTH - PAD, inner + BODY_HEIGHT)
    if cell.failure:
        _paragraph(pen, output, f"failed: {in_letters(cell.failure)}", 26, RED)
    else:
        _outputs(page, output, cell)


def _title(pen: ImageDraw.ImageDraw, corner: tuple[int, int], cell: Cell, colour: str) -> None:
    left, top = corner[0] + PAD, corner[1] + 14
    pen.ellipse((left, top, left + 42, top + 42), fill=colour)
    pen.text((left + 21, top + 21), str(cell.number), fill="white", font=font(25), anchor="mm")
    pen.text((left + 58, top + 21), cell.title, fill=INK, font=font(31), anchor="lm")
    if can_write_chinese():
        beside = left + 58 + font(31).getlength(cell.title) + 22
        pen.text((beside, top + 21), cell.button, fill=FAINT, font=font(27), anchor="lm")


def _input(page: Image.Image, box: Box, cell: Cell) -> None:
    pen = ImageDraw.Draw(page)
    left, top, right, bottom = box
    if cell.canvas:
        _picture(page, box, cell.canvas)
    elif cell.input_texts:
        pen.text((left, top + 4), "selected text", fill=FAINT, font=font(22))
        lines = wrap("  ".join(map(in_letters, cell.input_texts)), 25, right - left - 28)[:6]
        pen.rounded_rectangle((left, top + 40, right, top + 64 + 34 * len(lines)), 10, fill="#eef1f5")
        pen.multiline_text((left + 14, top + 50), "\n".join(lines), fill=INK, font=font(25), spacing=9)
    else:
        pen.text((left, (top + bottom) // 2), "the design task alone", fill=FAINT, font=font(23), anchor="lm")


def _arrow(pen: ImageDraw.ImageDraw, left: int, middle: int, colour: str) -> None:
    x = left + 16
    pen.polygon([(x, middle - 11), (x + 16, middle), (x, middle + 11)], fill=colour)


def _outputs(page: Image.Image, box: Box, cell: Cell) -> None:
    left, top, right, bottom = box
    if cell.texts:
        text_right = right if not cell.images else right - len(cell.images) * (BODY_HEIGHT + GAP)
        width = (text_right - left) // len(cell.texts)
        for number, text in enumerate(cell.texts):
            _card(page, (left + number * width, top, left + (number + 1) * width - 16, bottom), text)
        left = text_right
    if cell.images:
        for place, image in zip(_places((left, top, right, bottom), len(cell.images)), cell.images, strict=True):
            _picture(page, place, image)


def _places(box: Box, count: int) -> Iterator[Box]:
    """Squares for `count` pictures, in as many rows as makes them largest, in the middle of the height."""
    left, top, right, bottom = box
    width, height = right - left, bottom - top
    side, rows = max(
        (min((height - GAP * (rows - 1)) // rows, (width + GAP) // -(-count // rows) - GAP), rows) for rows in (1, 2, 3)
    )
    per_row = -(-count // rows)
    top += (height - rows * (side + GAP) + GAP) // 2
    for number in range(count):
        row, column = divmod(number, per_row)
        x, y = left + column * (side + GAP), top + row * (side + GAP)
        yield (x, y, x + side, y + side)


def _picture(page: Image.Image, box: Box, image: Image.Image) -> None:
    side = min(box[2] - box[0], box[3] - box[1])
    thumb = image.convert("RGB").resize((side, side), Image.Resampling.LANCZOS)
    page.paste(thumb, box[:2])
    ImageDraw.Draw(page).rectangle((box[0], box[1], box[0] + side - 1, box[1] + side - 1), outline=LINE, width=2)


def _card(page: Image.Image, box: Box, text: dict[str, object]) -> None:
    pen = ImageDraw.Draw(page)
    pen.rounded_rectangle(box, 10, fill="#faf9f5", outline=LINE, width=1)
    left, y, right, bottom = box[0] + 16, box[1] + 10, box[2] - 14, box[3] - 8
    rows = list(_rows(text))
    indent = left + max(int(font(21).getlength(key)) for key, _value in rows) + 20
    for key, value in rows:
        room = min(2, (bottom - y) // 29)
        if room < 1:
            break
        pen.text((left, y), key, fill=FAINT, font=font(21))
        lines = _cut(wrap(in_letters(value), 21, right - indent), room, right - indent)
        pen.multiline_text((indent, y), "\n".join(lines), fill=INK, font=font(21), spacing=7)
        y += 29 * max(1, len(lines)) + 4


def _cut(lines: list[str], room: int, width: int) -> list[str]:
    if len(lines) <= room:
        return lines
    last = lines[room - 1]
    while last and font(21).getlength(last + "…") > width:
        last = last[:-1]
    return [*lines[: room - 1], last + "…"]


def _rows(value: dict[str, object]) -> Iterator[tuple[str, str]]:
    """Flatten a text to (key, words) rows; a nested object gives a row for each of its own keys."""
    between = "；" if can_write_chinese() else "; "
    for key, part in value.items():
        if isinstance(part, dict):
            yield from _rows(part)
        else:
            yield in_letters(key), between.join(map(str, part)) if isinstance(part, list) else str(part)


def _paragraph(pen: ImageDraw.ImageDraw, box: Box, words: str, size: int, colour: str) -> None:
    lines = wrap(words, size, box[2] - box[0])[:5]
    pen.multiline_text(box[:2], "\n".join(lines), fill=colour, font=font(size), spacing=10)
