"""Pictures that come in: decoded as the WebUI does, with its refusals, and brought to the wanted size."""

from typing import Any

from PIL import Image

from standins.pictures import codec
from standins.webui.errors import BROKEN_IMAGE, RefusedError

RESIZE_MODES = ("Just Resize", "Crop and Resize", "Resize and Fill")


def decode(text: Any) -> Image.Image:
    """An input image; a URL and a broken text are refused as the WebUI does."""
    if str(text).startswith(("http://", "https://")):
        raise RefusedError(500, "Request to local resource not allowed")
    try:
        return codec.decode(str(text))
    except ValueError as exc:
        raise RefusedError(500, BROKEN_IMAGE) from exc


def fit(image: Image.Image, size: tuple[int, int], resize_mode: str) -> Image.Image:
    """Bring an input image to the picture's size: squeeze, crop to fill, or fit into borders."""
    if resize_mode == RESIZE_MODES[0] or image.size == size:
        return image.resize(size, Image.Resampling.LANCZOS)
    scales = [wanted / given for wanted, given in zip(size, image.size, strict=True)]
    scale = max(scales) if resize_mode == RESIZE_MODES[1] else min(scales)
    scaled = codec.flat(image).resize((max(1, round(image.width * scale)), max(1, round(image.height * scale))))
    canvas = Image.new("RGB", size, scaled.getpixel((0, 0)))
    canvas.paste(scaled, ((size[0] - scaled.width) // 2, (size[1] - scaled.height) // 2))
    return canvas
