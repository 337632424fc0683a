"""From a wish to a picture: chooses what to show and in which style."""

from PIL import Image

from standins.pictures.wish import Wish


def paint(wish: Wish) -> Image.Image:
    """Preliminary."""
    return Image.new("RGB", wish.size, tuple(int(value) for value in wish.dice("x").integers(0, 255, 3)))
