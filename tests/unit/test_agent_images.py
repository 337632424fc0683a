"""Pictures in memory."""

from __future__ import annotations

import io
import zlib

import pytest
from PIL import Image

from agent.images import CutOut, fit, is_blank_mask, on_white, resize_mask, size_of, to_png
from tests.stand_ins import picture


def _open(image_bytes: bytes) -> Image.Image:
    return Image.open(io.BytesIO(image_bytes))


def _png(image: Image.Image) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, "PNG")
    return buffer.getvalue()


def _half_mask(width: int = 64, height: int = 48) -> bytes:
    mask = Image.new("1", (width, height), 0)
    mask.paste(1, (0, 0, width // 2, height))
    return _png(mask)


def test_transparent_parts_become_white() -> None:
    clear = _png(Image.new("RGBA", (4, 4), (200, 0, 0, 0)))
    assert on_white(clear).getpixel((1, 1)) == (255, 255, 255)


def test_half_transparent_parts_are_mixed_with_white() -> None:
    half = _png(Image.new("RGBA", (4, 4), (0, 0, 0, 128)))
    assert on_white(half).getpixel((1, 1)) == (127, 127, 127)


def test_a_palette_picture_with_transparency_becomes_white_too() -> None:
    palette = Image.new("P", (4, 4), 0)
    palette.info["transparency"] = 0
    buffer = io.BytesIO()
    palette.save(buffer, "PNG", transparency=0)
    assert on_white(buffer.getvalue()).getpixel((0, 0)) == (255, 255, 255)


def test_fit_keeps_the_whole_picture_on_white_ground() -> None:
    fitted = _open(fit(_png(Image.new("RGB", (100, 50), (0, 0, 0))), 64, 64))
    assert fitted.size == (64, 64)
    assert fitted.getpixel((32, 2)) == (255, 255, 255)
    assert fitted.getpixel((1, 32)) == (0, 0, 0)


def test_what_fits_already_stays_as_it_is() -> None:
    opaque = _png(Image.effect_noise((64, 48), 50).convert("RGB"))
    assert fit(opaque, 64, 48) is opaque


def _turned() -> bytes:
    exif = Image.Exif()
    exif[0x0112] = 3
    buffer = io.BytesIO()
    Image.new("RGB", (64, 48), (200, 0, 0)).save(buffer, "PNG", exif=exif)
    return buffer.getvalue()


def _one_colour_clear() -> bytes:
    buffer = io.BytesIO()
    Image.new("RGB", (64, 48), (200, 0, 0)).save(buffer, "PNG", transparency=(200, 0, 0))
    return buffer.getvalue()


@pytest.mark.parametrize(
    "other",
    [
        _png(Image.new("RGBA", (64, 48), (200, 0, 0, 0))),
        _png(Image.new("P", (64, 48))),
        _png(Image.new("L", (64, 48))),
        picture(kind="JPEG"),
        _turned(),
        _one_colour_clear(),
    ],
    ids=["alpha", "palette", "grey", "JPEG", "turned", "one colour clear"],
)
def test_a_picture_of_the_right_size_that_is_not_plain_is_made_so(other: bytes) -> None:
    fitted = fit(other, 64, 48)
    assert fitted != other
    assert _open(fitted).mode == "RGB"
    assert not {"transparency", "exif"} & _open(fitted).info.keys()


def test_a_clear_colour_becomes_white() -> None:
    assert _open(fit(_one_colour_clear(), 64, 48)).getpixel((0, 0)) == (255, 255, 255)


def test_a_broken_picture_of_the_right_size_is_refused() -> None:
    broken = bytearray(_png(Image.effect_noise((64, 48), 50).convert("RGB")))
    broken[len(broken) // 2] ^= 1
    with pytest.raises(ValueError, match="no picture"):
        fit(bytes(broken), 64, 48)


@pytest.mark.parametrize("size", [(1, 1), (3000, 2), (2, 3000)])
def test_fit_takes_any_shape(size: tuple[int, int]) -> None:
    assert size_of(fit(_png(Image.new("RGB", size)), 64, 64)) == (64, 64)


def test_a_resized_mask_has_no_grey() -> None:
    mask = _open(resize_mask(_half_mask(), 31, 17))
    assert mask.size == (31, 17)
    assert {value for _, value in mask.getcolors() or []} == {0, 255}


def test_what_is_cut_out_is_opaque_and_the_rest_is_clear() -> None:
    cut = _open(CutOut(on_white(picture()), _half_mask(32, 24)).clear_bytes)
    assert (cut.mode, cut.size) == ("RGBA", (64, 48))
    assert [cut.getchannel("A").getpixel(where) for where in ((5, 5), (60, 5))] == [255, 0]


def test_on_white_ground_the_object_keeps_its_pixels_and_all_else_is_white() -> None:
    whole = on_white(picture())
    cut = _open(CutOut(whole, _half_mask(32, 24)).white_bytes)
    assert (cut.mode, cut.size) == ("RGB", (64, 48))
    assert cut.crop((0, 0, 32, 48)).tobytes() == whole.crop((0, 0, 32, 48)).tobytes()
    assert cut.crop((32, 0, 64, 48)).getcolors() == [(32 * 48, (255, 255, 255))]


def test_a_mask_without_anything_is_blank() -> None:
    assert is_blank_mask(_png(Image.new("1", (8, 8), 0)))
    assert not is_blank_mask(_half_mask())


@pytest.mark.parametrize("kind", ["JPEG", "WEBP", "GIF", "BMP"])
def test_other_formats_become_png(kind: str) -> None:
    assert _open(to_png(picture(kind=kind))).format == "PNG"


def test_a_png_stays_as_it_is() -> None:
    assert to_png(picture()) == picture()


def _gradient(mode: str, white: float) -> bytes:
    """Draw 64 columns from black to white with more than 8 bits of grey."""
    image = Image.new(mode, (64, 48))
    image.putdata([white * (column / 63) if mode == "F" else round(white * column / 63) for column in range(64)] * 48)
    buffer = io.BytesIO()
    image.save(buffer, "PNG" if mode == "I;16" else "TIFF")
    return buffer.getvalue()


@pytest.mark.parametrize(
    ("mode", "white"), [("I;16", 65535), ("I;16B", 65535), ("I", 255), ("I", 65535), ("I", 10**6), ("F", 1), ("F", 255)]
)
def test_more_than_8_bits_of_grey_stay_a_gradient(mode: str, white: float) -> None:
    deep = _gradient(mode, white)
    expected = [round(column * 255 / 63) for column in range(64)]
    for shallow in (on_white(deep), _open(fit(deep, 64, 48))):
        greys = list(shallow.getchannel("R").crop((0, 0, 64, 1)).tobytes())
        assert greys == pytest.approx(expected, abs=1)
    assert _open(resize_mask(deep, 64, 48)).getcolors() == [(32 * 48, 0), (32 * 48, 255)]


def test_a_dark_picture_of_16_bits_stays_dark() -> None:
    dark = _png(Image.new("I;16", (8, 8), 200))
    assert on_white(dark).getpixel((0, 0)) == (0, 0, 0)


def test_a_transparent_value_of_16_bits_is_not_taken_for_one_of_8() -> None:
    buffer = io.BytesIO()
    Image.new("I;16", (8, 8), 9 * 257).save(buffer, "PNG", transparency=256 + 9)
    assert on_white(buffer.getvalue()).getpixel((0, 0)) == (9, 9, 9)


@pytest.mark.parametrize("broken", [b"", b"no picture", picture()[:60], b"\x89PNG\r\n\x1a\n" + b"\0" * 40])
def test_what_is_no_picture_is_refused(broken: bytes) -> None:
    with pytest.raises(ValueError, match="no picture"):
        size_of(broken)


def test_a_picture_that_claims_too_many_pixels_is_refused_before_decoding() -> None:
    huge = bytearray(picture())
    huge[16:24] = (20000).to_bytes(4, "big") * 2
    huge[29:33] = zlib.crc32(bytes(huge[12:29])).to_bytes(4, "big")
    with pytest.raises(ValueError, match="no picture|too large"):
        size_of(bytes(huge))
