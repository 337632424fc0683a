"""Read a prompt: which product, in which style, seen from where, in which colour, before which scene."""

import re
from dataclasses import dataclass

from standins.pictures import families, families_more
from standins.pictures.families import Builder
from standins.pictures.relief import View

FAMILIES: dict[str, Builder] = {
    r"drone|quadcopter|multicopter|uav|aircraft": families.drone,
    r"chair|stool|sofa|seat|armchair": families.chair,
    r"table|desk(?! lamp)": families.table, r"lamp|light fixture|lantern|luminaire": families.lamp,
    r"cup|mug|tumbler": families.cup, r"bottle|flask|thermos|vase": families.bottle,
    r"kettle|teapot|pot": families.kettle,
    r"bag|backpack|suitcase|handbag|luggage": families.bag, r"shoe|sneaker|boot": families.shoe,
    r"vehicle|car|truck|van|tractor|bus|cart|stroller": families_more.vehicle,
    r"speaker|loudspeaker|soundbox|radio": families_more.speaker,
    r"phone|smartphone|tablet|e-reader": families_more.phone, r"robot|android": families_more.robot,
    r"clock|watch|timer": families_more.clock, r"headphones?|headset|earphones?": families_more.headphones,
    r"camera|webcam|camcorder": families_more.camera,
}  # fmt: skip
UNKNOWN: tuple[Builder, ...] = (families_more.device, families_more.vessel, families_more.device)
COLOURS = {
    "red": (0.78, 0.16, 0.14), "orange": (0.92, 0.48, 0.12), "yellow": (0.93, 0.76, 0.2), "green": (0.3, 0.55, 0.3),
    "blue": (0.18, 0.38, 0.72), "purple": (0.45, 0.3, 0.62), "pink": (0.9, 0.6, 0.66), "brown": (0.5, 0.34, 0.22),
    "wood": (0.65, 0.46, 0.28), "wooden": (0.65, 0.46, 0.28), "black": (0.16, 0.16, 0.18),
    "silver": (0.72, 0.74, 0.77),
    "white": (0.9, 0.9, 0.89), "grey": (0.55, 0.56, 0.58), "gray": (0.55, 0.56, 0.58),
}  # fmt: skip
VIEWS = {
    r"front[- ]left|left[- ]front": View(45, 14), r"front[- ]right|right[- ]front": View(-45, 14),
    r"back[- ]left|left[- ]back": View(135, 14), r"back[- ]right|right[- ]back": View(-135, 14),
    r"top": View(0, 80), r"bottom": View(0, -70), r"back|rear": View(180, 8), r"left( side)?": View(90, 8),
    r"right( side)?|side": View(-90, 8), r"front": View(0, 8),
}  # fmt: skip
SCENES = {
    "field": r"field|farm\w*|wheat|rice|paddy|paddies|orchard|countryside|meadow|grass\w*|crop\w*|village|garden|park",
    "room": r"room|kitchen|office|interior|indoors?|apartment|bedroom|lobby|workshop|laboratory|bench|window|floor",
    "street": r"street|city|urban|square|subway|road|building\w*|plaza|terrace|platform",
    "mountain": r"mountain\w*|hills?|landscape|forest|trail|valley|sky|lake|sea\w*|beach|desert|outdoors?",
}  # fmt: skip
STYLE_WORDS = {
    "normals": r"normal map|normals map", "clay": r"clay|white model|matte white|plaster|untextured|gr[ae]y model",
    "sketch": r"sketch\w*|line ?drawing|line ?art|pencil|hand[- ]drawn|doodle|ink drawing|linework",
}  # fmt: skip
STUDIO_WORDS = r"(?:white|grey|gray|plain|neutral|simple|seamless|studio) background|studio light\w*"
PLACE_WORDS = r"background for product|free space in the foreground|empty scene|matching light and shadow"
STOP_WORDS = frozenset(
    ["the", "and", "with", "for", "from", "one", "product", "photo", "photograph", "photography", "render", "rendering"]
    + ["realistic", "detailed", "sketch", "drawing", "line", "lineart", "pencil", "clay", "matte", "white", "model"]
    + ["view", "design", "concept", "studio"]
)


@dataclass(frozen=True)
class Reading:
    """What the painter takes from a prompt."""

    style: str
    build: Builder | None
    nouns: str
    view: View | None
    colour: tuple[float, float, float] | None
    scene: str | None
    has_product: bool


def _found(words: str, text: str) -> bool:
    return re.search(rf"\b(?:{words})\b", text) is not None


def read(prompt: str) -> Reading:
    """The first family that is named, the style, the view, the colour and the scene."""
    text = re.sub(r"[()\[\]]|:\d[\d.]*", " ", prompt.lower())
    first = text.split(",")[0]
    style = next((style for style, words in STYLE_WORDS.items() if _found(words, text)), "photo")
    scene = None if style != "photo" or _found(STUDIO_WORDS, text) else _scene(text)
    before = re.split(r"\b(?:in|on|at|against|beside|near|over)\b", first, maxsplit=1)
    is_named = len(before) == 2 and bool(before[0].strip()) and _scene(before[0]) is None
    build, position = _family(text)
    is_place = _found(PLACE_WORDS, text) or (scene is not None and not is_named and _scene(first) is not None)
    if is_place and (build is families.table or position > len(first)):
        build = None  # furniture and what is named later belong to the place
    words = " ".join(word for word in re.findall(r"[a-z]{3,}", first) if word not in STOP_WORDS)
    has_product = build is not None or (not is_place and (is_named or scene is None))
    return Reading(style, build, words, _view(text), _colour(text), scene, has_product)


def _scene(text: str) -> str | None:
    return next((name for name, words in SCENES.items() if _found(words, text)), None)


def _family(text: str) -> tuple[Builder | None, int]:
    """The family that is named first, and where."""
    hits = ((re.search(rf"\b(?:{words})s?\b", text), build) for words, build in FAMILIES.items())
    places = {hit.start(): build for hit, build in hits if hit}
    return (places[min(places)], min(places)) if places else (None, 0)


def _view(text: str) -> View | None:
    for words, view in VIEWS.items():
        if _found(rf"(?:{words})(?:[- ]?side)? (?:view|elevation)|from (?:the )?(?:{words})", text):
            return view
    return None


def _colour(text: str) -> tuple[float, float, float] | None:
    """A colour word that is not the ground's or the style's."""
    for word, rgb in COLOURS.items():
        if re.search(rf"\b{word}\b(?! (?:seamless|background|clay|model|paper|ground|ink))", text):
            return rgb
    return None
