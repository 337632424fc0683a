"""Pictures on the wire: base64 PNG or JPEG, bare or as a data URL."""

import base64
import binascii
import io

from PIL import Image, PngImagePlugin


def decode(text: str) -> Image.Image:
    """The picture in a base64 text or data URL; ValueError if there is none."""
    bare = text.partition(",")[2] if text.startswith("data:") else text
    try:
        image = Image.open(io.BytesIO(base64.b64decode(bare)))
        image.load()
    except (binascii.Error, OSError, ValueError, SyntaxError) as exc:
        raise ValueError("not a picture in base64") from exc
    return image


def flat(image: Image.Image) -> Image.Image:
    """RGB, what is transparent laid on white."""
    if image.mode in ("RGBA", "LA", "PA") or "transparency" in image.info:
        rgba = image.convert("RGBA")
        ground = Image.new("RGBA", image.size, (255, 255, 255, 255))
        return Image.alpha_composite(ground, rgba).convert("RGB")
    return image.convert("RGB")


def encode(image: Image.Image, parameters: str | None = None, kind: str = "png") -> str:
    """Bare base64; the infotext goes into the text chunk `parameters`. Low compression: time matters here."""
    out = io.BytesIO()
    if kind in ("jpg", "jpeg"):
        image.convert("RGB").save(out, "JPEG", quality=80)
    else:
        chunks = PngImagePlugin.PngInfo()
        if parameters:
            chunks.add_text("parameters", parameters)
        image.save(out, "PNG", pnginfo=chunks, compress_level=1)
    return base64.b64encode(out.getvalue()).decode("ascii")
