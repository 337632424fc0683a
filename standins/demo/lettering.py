"""Letters for the contact sheet, in Chinese where this machine has a font for it."""

import functools
import re

from PIL import ImageFont

CHINESE_FONTS = (
    "NotoSansCJK-Regular.ttc",
    "NotoSansCJKsc-Regular.otf",
    "SourceHanSansSC-Regular.otf",
    "wqy-microhei.ttc",
    "wqy-zenhei.ttc",
    "DroidSansFallbackFull.ttf",
    "PingFang.ttc",
    "Hiragino Sans GB.ttc",
    "STHeiti Light.ttc",
    "msyh.ttc",
    "simhei.ttf",
)
"""File names; Pillow looks for them where each system keeps its fonts."""

ENGLISH_KEYS = {
    "目标人群": "Target users", "使用场景": "Situations", "痛点": "Pain points", "主要功能": "Functions",
    "产品名": "Product", "结构": "Structure", "外观造型": "Form", "现有技术": "Technology",
    "形状": "Shape", "边缘加工": "Edges", "细节": "Details", "使用方式": "Handling",
    "建议尺寸": "Size", "尺寸": "Size", "技术规格": "Technical data",
}  # fmt: skip

_CHINESE = re.compile(r"[\u3000-\u303f\u4e00-\u9fff\uff00-\uffef]+")
_PIECE = re.compile(
    # A Chinese letter with the punctuation that must not begin a line; a word; space.
    r"[\u3000-\u303f\u4e00-\u9fff\uff00-\uffef][、。，；：！？）」』》”]*"
    r"|[^\s\u3000-\u303f\u4e00-\u9fff\uff00-\uffef]+[、。，；：！？）」』》”]*\s*|\s+"
)


@functools.cache
def font(size: int) -> ImageFont.FreeTypeFont:
    """The letters of this sheet in one size: a Chinese font when there is one, else the one that Pillow brings."""
    for name in CHINESE_FONTS:
        try:
            return ImageFont.truetype(name, size)
        except OSError:
            continue
    built_in = ImageFont.load_default(size)
    assert isinstance(built_in, ImageFont.FreeTypeFont)
    return built_in


@functools.cache
def can_write_chinese() -> bool:
    """Tell whether `font` has Chinese letters."""
    return font(20).getname()[0] != ImageFont.load_default(20).getname()[0]  # type: ignore[union-attr]


def in_letters(text: str) -> str:
    """The text as it can be shown: without a Chinese font, known keys in English and other Chinese as a note."""
    if can_write_chinese():
        return text
    return ENGLISH_KEYS.get(text) or _CHINESE.sub("[Chinese]", text)


def wrap(text: str, size: int, width: int) -> list[str]:
    """Break a text into lines of at most `width` pixels; Chinese breaks anywhere, other words between words."""
    lines, line = [], ""
    for piece in _PIECE.findall(text):
        if line and font(size).getlength(line + piece.rstrip()) > width:
            lines.append(line.rstrip())
            line = ""
        line += piece
    return [*lines, line.rstrip()] if line.strip() else lines
