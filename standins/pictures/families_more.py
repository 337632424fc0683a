"""More products: machines and devices, and a generic one for everything else."""

import numpy as np

from standins.pictures.families import Dice
from standins.pictures.solids import ACCENT, BODY, DARK, LIGHT, METAL, Solid, ball, box, cylinder, lathe, ring, tube


def vehicle(dice: Dice) -> list[Solid]:
    """Body, cabin, four wheels, lamps; it drives to the right."""
    low, tall, start = dice.uniform(0.2, 0.28), dice.uniform(0.2, 0.3), dice.uniform(-0.3, 0.05)
    body = box([1.0, low, 0.44], 0.14)
    cabin = box([0.52, tall, 0.38], 0.16, DARK).moved(start, low + tall * 0.7)
    roof = box([0.44, 0.05, 0.35], 0.05).moved(start, low + tall * 1.6)
    bumper = [box([0.06, 0.07, 0.4], 0.04, METAL).moved(x, -low * 0.7) for x in (-0.98, 0.98)]
    lights = [ball([0.05, 0.06, 0.09], LIGHT).moved(0.96, 0.04, z) for z in (-0.3, 0.3)]
    parts = [body, cabin, roof, *bumper, *lights]
    for x in (-0.6, 0.6):
        for z in (-0.42, 0.42):
            parts.append(cylinder(0.25, 0.16, DARK, 0.05).turned(x=90).moved(x, -low, z))
            parts.append(cylinder(0.13, 0.19, METAL).turned(x=90).moved(x, -low, z))
    return parts


def speaker(dice: Dice) -> list[Solid]:
    """A box with two cones, or a round one with a cloth."""
    if dice.random() < 0.4:
        tall = dice.uniform(0.55, 0.8)
        parts = [cylinder(0.5, 2 * tall, ACCENT, 0.1), cylinder(0.44, 0.06, DARK).moved(y=tall)]
        return [*parts, ring(0.47, 0.03, LIGHT).moved(y=tall), cylinder(0.51, 0.12, DARK).moved(y=-tall)]
    wide, tall, deep = dice.uniform(0.42, 0.52), dice.uniform(0.75, 0.95), 0.4
    parts = [box([wide, tall, deep], dice.uniform(0.03, 0.2))]
    for y, radius in ((-tall * 0.3, wide * 0.72), (tall * 0.5, wide * 0.4)):
        dish = lathe([(0, 0.03), (radius, 0.09), (radius * 1.12, 0.05), (radius * 1.12, 0)][::-1], DARK).turned(x=90)
        parts += [dish.moved(y=y, z=deep), ring(radius * 1.08, 0.03, METAL).turned(x=90).moved(y=y, z=deep + 0.03)]
        parts.append(ball([radius * 0.35] * 3, ACCENT).moved(y=y, z=deep - 0.02))
    feet = [cylinder(0.06, 0.08, DARK).moved(x * wide * 0.75, -tall - 0.03, 0.25) for x in (-1, 1)]
    return [*parts, *feet]


def phone(dice: Dice) -> list[Solid]:
    """A flat body with a screen; some lean on a stand."""
    tall = dice.uniform(0.9, 1.0)
    parts = [box([0.47, tall, 0.05], 0.05), box([0.43, tall - 0.06, 0.012], 0.01, DARK).moved(z=0.046)]
    parts.append(box([0.3, tall * 0.3, 0.008], 0.006, LIGHT).moved(y=tall * 0.25, z=0.06))
    parts += [box([0.09, 0.09, 0.008], 0.006, ACCENT).moved(x, -tall * 0.55, 0.06) for x in (-0.25, 0, 0.25)]
    parts += [box([0.015, 0.09, 0.02], 0.01, METAL).moved(0.475, y) for y in (0.2, 0.42)]
    return [part.turned(x=-10) for part in parts]


def robot(dice: Dice) -> list[Solid]:
    """Head with eyes, torso, arms, and a foot or wheels."""
    wide, tall = dice.uniform(0.36, 0.46), dice.uniform(0.38, 0.5)
    head = ball([0.34, 0.28, 0.3]) if dice.random() < 0.6 else box([0.34, 0.25, 0.28], 0.12)
    face = box([0.25, 0.13, 0.05], 0.05, DARK).moved(y=tall + 0.42, z=0.25)
    eyes = [ball([0.05, 0.06, 0.03], LIGHT).moved(x, tall + 0.43, 0.3) for x in (-0.12, 0.12)]
    torso = [box([wide, tall, 0.3], 0.16), box([wide * 0.6, 0.16, 0.05], 0.04, ACCENT).moved(y=0.1, z=0.29)]
    parts = [head.moved(y=tall + 0.42), face, *eyes, *torso, cylinder(0.1, 0.2, DARK).moved(y=tall + 0.08)]
    arm = [[wide, tall * 0.7, 0], [wide + 0.24, 0.15, 0.08], [wide + 0.16, -0.3, 0.25]]
    for solid in (tube(arm, 0.075, METAL), ball([0.11, 0.11, 0.11], ACCENT).moved(*arm[2])):
        parts += [solid, solid.mirrored()]
    base = lathe([(0, -tall - 0.35), (0.46, -tall - 0.35), (0.46, -tall - 0.2), (0.25, -tall), (0, -tall)], DARK)
    return [
        *parts,
        base,
        ball([0.04, 0.04, 0.04], LIGHT).moved(y=tall + 0.82),
        cylinder(0.015, 0.2, METAL).moved(y=tall + 0.72),
    ]


def clock(dice: Dice) -> list[Solid]:
    """A dial with hands, on feet."""
    deep = dice.uniform(0.1, 0.2)
    parts = [cylinder(0.85, 2 * deep, BODY, 0.05).turned(x=90), cylinder(0.72, 0.03, LIGHT).turned(x=90).moved(z=deep)]
    parts.append(ring(0.79, 0.05, ACCENT).turned(x=90).moved(z=deep))
    for hour in range(12):
        turn = hour * 30
        parts.append(box([0.02, 0.06, 0.012], 0.01, DARK).moved(y=0.6).turned(z=turn).moved(z=deep + 0.02))
    for reach, thick in ((0.38, 0.035), (0.54, 0.022)):
        hand = box([thick, reach / 2, 0.012], 0.01, DARK).moved(y=reach / 2)
        parts.append(hand.turned(z=float(dice.integers(0, 12) * 30)).moved(z=deep + 0.04))
    return [*parts, *(ball([0.1, 0.16, 0.12], ACCENT).moved(x, -0.85) for x in (-0.4, 0.4))]


def headphones(dice: Dice) -> list[Solid]:
    """A bow with two ear cups."""
    tall = dice.uniform(0.75, 0.95)
    angle = np.linspace(0, np.pi, 24)
    bow = tube([[float(np.cos(a)) * 0.72, float(np.sin(a)) * tall, 0] for a in angle], 0.055, DARK, smooth=False)
    pad = tube([[float(np.cos(a)) * 0.64, float(np.sin(a)) * (tall - 0.09), 0] for a in angle[6:-6]], 0.075, ACCENT)
    parts = [bow, pad]
    for solid in (cylinder(0.34, 0.16, BODY, 0.06), cylinder(0.3, 0.3, DARK, 0.08).moved(y=0.1)):
        cup = solid.turned(z=90).moved(0.78, -0.12)
        parts += [cup, cup.mirrored()]
    return parts


def camera(dice: Dice) -> list[Solid]:
    """A body with a lens."""
    wide = dice.uniform(0.75, 0.9)
    parts = [box([wide, 0.45, 0.22], 0.09), box([wide * 0.5, 0.12, 0.18], 0.08).moved(y=0.5)]
    for radius, reach in ((0.4, 0.3), (0.33, 0.55)):
        parts.append(cylinder(radius, reach, DARK, 0.04).turned(x=90).moved(y=-0.02, z=0.22 + reach / 2))
    parts.append(ball([0.24, 0.24, 0.06], LIGHT).moved(y=-0.02, z=0.78))
    return [
        *parts,
        cylinder(0.09, 0.1, METAL).moved(-wide * 0.7, 0.47),
        box([0.2, 0.4, 0.27], 0.1, ACCENT).moved(-wide * 0.8, -0.03),
    ]


def device(dice: Dice) -> list[Solid]:
    """Something with a housing, a panel, a knob, a grip: for words that are not known."""
    wide, tall, deep = dice.uniform(0.5, 0.85), dice.uniform(0.4, 0.75), dice.uniform(0.3, 0.5)
    parts = [
        box([wide, tall, deep], dice.uniform(0.08, 0.28)),
        box([wide * 0.97, 0.03, deep * 1.03], 0.03, DARK).moved(y=-tall * 0.35),
    ]
    parts.append(box([wide * 0.5, tall * 0.3, 0.03], 0.03, DARK).moved(-wide * 0.25, tall * 0.3, deep))
    parts.append(box([wide * 0.42, tall * 0.23, 0.02], 0.02, LIGHT).moved(-wide * 0.25, tall * 0.3, deep + 0.02))
    knob = cylinder(dice.uniform(0.1, 0.16), 0.14, ACCENT).turned(x=90).moved(wide * 0.55, tall * 0.3, deep + 0.05)
    feet = [box([0.1, 0.06, deep * 0.9], 0.04, DARK).moved(x * wide * 0.7, -tall - 0.03) for x in (-1, 1)]
    grip = [
        [-wide * 0.6, tall * 0.95, 0],
        [-wide * 0.55, tall + 0.3, 0],
        [wide * 0.55, tall + 0.3, 0],
        [wide * 0.6, tall * 0.95, 0],
    ]
    extra = (
        [tube(grip, 0.05, METAL)] if dice.random() < 0.5 else [cylinder(0.3, 0.2, ACCENT, 0.05).moved(y=tall + 0.06)]
    )
    return [*parts, knob, *feet, *extra]


def vessel(dice: Dice) -> list[Solid]:
    """A turned body with bands: the other shape for words that are not known."""
    points = [(float(dice.uniform(0.3, 0.7)), float(y)) for y in (-0.8, -0.4, 0.0, 0.4)]
    top = float(dice.uniform(0.2, 0.4))
    body = lathe([(0, -0.9), (points[0][0], -0.9), *points, (top, 0.75), (0, 0.8)], BODY, smooth=True)
    return [
        body,
        cylinder(top * 1.1, 0.12, ACCENT).moved(y=0.8),
        ball([top * 0.4] * 3, METAL).moved(y=0.92),
        cylinder(points[0][0] * 0.9, 0.1, DARK).moved(y=-0.92),
    ]
