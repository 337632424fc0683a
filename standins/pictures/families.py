"""Products that people recognise, built from solids; the dice vary proportions and details."""

from collections.abc import Callable

import numpy as np

from standins.pictures.solids import ACCENT, BODY, DARK, LIGHT, METAL, Solid, ball, box, cylinder, lathe, ring, tube

Dice = np.random.Generator
Builder = Callable[[Dice], list[Solid]]


def _pair(solid: Solid) -> list[Solid]:
    return [solid, solid.mirrored()]


def drone(dice: Dice) -> list[Solid]:
    """Body, arms with rotors, legs, and a tank or a camera below."""
    arms, wide = int(dice.choice([4, 4, 6])), dice.uniform(0.28, 0.4)
    parts = [ball([wide, 0.17, wide * 1.15]), box([wide * 0.62, 0.05, wide * 0.7], 0.05, ACCENT).moved(y=0.15)]
    for index in range(arms):
        angle = 2 * np.pi * (index + 0.5) / arms
        x, z = np.cos(angle) * 0.92, np.sin(angle) * 0.92
        parts.append(tube([[x * 0.25, 0.02, z * 0.25], [x * 0.6, 0.06, z * 0.6], [x, 0.08, z]], 0.045, DARK))
        parts.append(cylinder(0.075, 0.17, METAL).moved(x, 0.13, z))
        turn = float(dice.uniform(0, 180))
        parts.append(box([0.36, 0.008, 0.035], 0.008, DARK).turned(y=turn).moved(x, 0.225, z))
        if dice.random() < 0.4:
            parts.append(ring(0.38, 0.02, BODY).moved(x, 0.2, z))
    for side in (-1, 1):
        x = side * wide * 0.8
        parts.append(tube([[x * 0.6, -0.08, 0.0], [x * 1.15, -0.42, 0.0]], 0.03, DARK))
        parts.append(tube([[x * 1.15, -0.44, -0.38], [x * 1.15, -0.44, 0.38]], 0.03, DARK))
    tank = box([0.24, 0.15, 0.24], 0.08, LIGHT).moved(y=-0.26)
    return [*parts, tank, ball([0.07, 0.07, 0.07], DARK).moved(y=-0.08, z=wide * 1.1)]


def chair(dice: Dice) -> list[Solid]:
    """Seat, back, four legs, sometimes armrests."""
    wide, deep, tall = dice.uniform(0.42, 0.52), dice.uniform(0.42, 0.5), dice.uniform(0.5, 0.75)
    soft, splay, lean = dice.uniform(0.03, 0.07), dice.uniform(0, 0.12), dice.uniform(-14, -4)
    back = box([wide * dice.uniform(0.85, 1), tall / 2, soft], soft, ACCENT).moved(y=tall / 2 + 0.08)
    parts = [box([wide, soft, deep], soft), back.turned(x=lean).moved(z=-deep * 0.9)]
    for side in (-1, 1):
        for front in (-1, 1):
            top, foot = (
                (side * wide * 0.85, -0.03, front * deep * 0.82),
                (side * (wide * 0.85 + splay), -0.85, front * (deep * 0.82 + splay)),
            )
            parts.append(tube([top, foot], 0.038, METAL))
    if dice.random() < 0.5:
        arm = [[wide, -0.02, deep * 0.6], [wide * 1.08, 0.32, deep * 0.6], [wide * 1.04, 0.34, -deep * 0.85]]
        parts += _pair(tube(arm, 0.035, METAL))
    return parts


def table(dice: Dice) -> list[Solid]:
    """A top on legs or on one foot."""
    if dice.random() < 0.5:
        return [
            cylinder(0.9, 0.07),
            cylinder(0.08, 0.9, METAL).moved(y=-0.45),
            cylinder(0.45, 0.05, ACCENT).moved(y=-0.92),
        ]
    top = box([1.0, 0.04, 0.55], 0.03)
    legs = [tube([[x * 0.9, 0, z * 0.45], [x * 0.95, -0.85, z * 0.5]], 0.045, ACCENT) for x in (-1, 1) for z in (-1, 1)]
    return [top, *legs, box([0.8, 0.06, 0.4], 0.02, ACCENT).moved(y=-0.1)]


def lamp(dice: Dice) -> list[Solid]:
    """A desk lamp with an arm, or a shade on a stem."""
    base = cylinder(0.36, 0.07, DARK).moved(y=-0.95)
    if dice.random() < 0.55:
        knee, head = (-0.42, -0.05, 0.0), (0.3, 0.62, 0.0)
        arm = [tube([[0, -0.92, 0], knee], 0.035, METAL), tube([knee, head], 0.03, METAL)]
        shade = lathe([(0.0, -0.12), (0.34, -0.16), (0.3, -0.1), (0.1, 0.2), (0.0, 0.26)], BODY)
        bulb = ball([0.2, 0.05, 0.2], LIGHT).moved(y=-0.13)
        joints = [ball([0.06, 0.06, 0.06], ACCENT).moved(*place) for place in (knee, head)]
        hood = [part.turned(z=float(dice.uniform(10, 30))).moved(0.38, 0.52) for part in (shade, bulb)]
        return [base, *arm, *joints, *hood]
    low, high = dice.uniform(0.42, 0.62), dice.uniform(0.2, 0.4)
    shade = lathe([(0.0, -0.02), (low, 0.0), (high, 0.6), (0.0, 0.62)], LIGHT).moved(y=0.25)
    return [base, cylinder(0.05, 1.2, METAL).moved(y=-0.35), shade, ball([0.16, 0.2, 0.16], BODY).moved(y=-0.72)]


def cup(dice: Dice) -> list[Solid]:
    """A mug with a handle."""
    low, high, tall = dice.uniform(0.36, 0.55), dice.uniform(0.5, 0.66), dice.uniform(0.95, 1.3)
    wall = [(0, 0), (low, 0), (high, tall), (high - 0.06, tall), (low - 0.05, 0.08), (0, 0.08)]
    ear = [
        [high * 0.9, tall * 0.82, 0],
        [high + 0.42, tall * 0.8, 0],
        [high + 0.36, tall * 0.22, 0],
        [low * 0.98, tall * 0.2, 0],
    ]
    band = cylinder((low + high) / 2 + 0.025, tall * 0.14, ACCENT).moved(y=tall / 2)
    return [lathe(wall), tube(ear, 0.065, BODY), band]


def bottle(dice: Dice) -> list[Solid]:
    """A flask with a neck and a cap."""
    belly, waist, neck = dice.uniform(0.36, 0.5), dice.uniform(0.3, 0.46), dice.uniform(0.13, 0.2)
    outline = [(0, 0), (belly, 0), (belly, 0.12), (waist, 0.7), (belly, 1.1), (neck, 1.4), (neck, 1.6), (0, 1.62)]
    cap = cylinder(neck * 1.35, 0.24, ACCENT).moved(y=1.68)
    return [lathe(outline, BODY, smooth=True), cap, ring(neck * 1.3, 0.025, METAL).moved(y=1.5)]


def kettle(dice: Dice) -> list[Solid]:
    """Belly, spout, bow and lid."""
    belly = dice.uniform(0.6, 0.72)
    body = lathe([(0, -0.5), (belly, -0.5), (belly * 1.05, -0.1), (0.35, 0.42), (0.0, 0.45)], BODY, smooth=True)
    spout = tube([[belly * 0.8, -0.15, 0], [belly + 0.2, 0.05, 0], [belly + 0.36, 0.4, 0]], 0.085, BODY)
    bow = tube([[-0.45, 0.3, 0], [-0.5, 0.8, 0], [0.5, 0.8, 0], [0.42, 0.3, 0]], 0.05, DARK)
    return [body, spout, bow, cylinder(0.3, 0.06, ACCENT).moved(y=0.43), ball([0.08, 0.08, 0.08], DARK).moved(y=0.52)]


def bag(dice: Dice) -> list[Solid]:
    """A rounded body with a pocket, a flap and a handle."""
    wide, tall, deep = dice.uniform(0.55, 0.75), dice.uniform(0.6, 0.8), dice.uniform(0.26, 0.36)
    parts = [
        box([wide, tall, deep], 0.25),
        box([wide * 0.72, tall * 0.36, 0.1], 0.09, ACCENT).moved(y=-tall * 0.4, z=deep),
    ]
    parts.append(box([wide * 0.98, 0.035, deep + 0.03], 0.03, DARK).moved(y=tall * 0.32))
    parts.append(box([0.09, 0.05, 0.05], 0.02, METAL).moved(y=tall * 0.32, z=deep + 0.03))
    parts.append(
        tube(
            [[-0.26, tall * 0.95, 0], [-0.24, tall + 0.3, 0], [0.24, tall + 0.3, 0], [0.26, tall * 0.95, 0]],
            0.045,
            DARK,
        )
    )
    strap = [[wide * 0.6, tall * 0.85, -deep], [wide * 0.9, 0.2, -deep - 0.16], [wide * 0.7, -tall * 0.8, -deep]]
    return parts + _pair(tube(strap, 0.06, DARK))


def shoe(dice: Dice) -> list[Solid]:
    """Sole, toe, heel counter, collar and laces; it points to the right."""
    sole = box([0.95, 0.09, 0.33], 0.09, LIGHT).moved(y=-0.36)
    tread = box([0.93, 0.035, 0.31], 0.03, DARK).moved(y=-0.46)
    toe = ball([0.55, dice.uniform(0.22, 0.28), 0.31]).moved(0.38, -0.26)
    vamp = ball([0.5, 0.36, 0.28]).turned(z=-24).moved(0.02, -0.08)
    heel = ball([0.42, dice.uniform(0.42, 0.55), 0.3], BODY).moved(-0.5, -0.08)
    collar = ring(0.22, 0.06, ACCENT).turned(z=-8).moved(-0.48, 0.34)
    counter = box([0.08, 0.16, 0.2], 0.08, ACCENT).moved(-0.9, -0.12)
    laces = [
        tube([[x, y, -0.16], [x + 0.04, y + 0.06, 0], [x, y, 0.16]], 0.03, DARK)
        for x, y in ((0.0, 0.25), (0.13, 0.17), (0.26, 0.09))
    ]
    return [sole, tread, toe, vamp, heel, collar, counter, *laces]
