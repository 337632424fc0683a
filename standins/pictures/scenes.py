"""Scenes without a product: field, room, street, mountains, as soft shapes with depth and light."""

import re

import numpy as np
from numpy.typing import NDArray

from standins.pictures import grids
from standins.pictures.grids import Grid

SIDE = 256
Colours = NDArray[np.float32]
Dice = np.random.Generator

LIGHTS = {
    "golden|sunset|sunrise|warm|evening|dusk": ((0.98, 0.74, 0.48), (0.45, 0.6, 0.85), 1.0),
    "night|blue hour|moon": ((0.35, 0.4, 0.6), (0.08, 0.12, 0.28), 0.55),
    "mist|fog|overcast|cloudy|soft": ((0.85, 0.87, 0.89), (0.66, 0.72, 0.78), 0.92),
}
DAY = ((0.86, 0.92, 0.97), (0.35, 0.6, 0.9), 1.0)


def _light(words: str) -> tuple[tuple[float, float, float], tuple[float, float, float], float]:
    return next((light for sign, light in LIGHTS.items() if re.search(sign, words.lower())), DAY)


def _ramp(top: float, bottom: float) -> Grid:
    return np.linspace(top, bottom, SIDE, dtype=np.float32)[:, None]


def _mix(one: Colours, two: Colours, share: Grid) -> Colours:
    return one + (two - one) * share[:, :, None]


def _noise(dice: Dice, cells: int, rows: int | None = None) -> Grid:
    small = dice.random((rows or cells, cells)).astype(np.float32)
    return grids.enlarge(small, (SIDE, SIDE))


def _ridge(dice: Dice, level: float, height: float) -> Grid:
    """1 below a wavy line across the picture, 0 above it."""
    across = np.linspace(0, 1, SIDE)
    line = np.full(SIDE, level)
    for n in (1, 2, 4, 7):
        line -= height * np.sin(across * 6.3 * n * dice.uniform(0.6, 1.2) + dice.uniform(0, 6)) / n
    rows = np.linspace(0, 1, SIDE)[:, None]
    ridge: Grid = np.clip((rows - line[None, :]) * SIDE * 0.7, 0, 1).astype(np.float32)
    return ridge


def _flat(colour: tuple[float, float, float]) -> Colours:
    return np.broadcast_to(np.array(colour, np.float32), (SIDE, SIDE, 3)).copy()


def _sky(dice: Dice, words: str) -> Colours:
    near, high, _dim = _light(words)
    share = np.broadcast_to(np.clip(_ramp(1.2, -0.9), 0, 1), (SIDE, SIDE)).astype(np.float32)
    sky = _mix(_flat(near), _flat(high), share)
    clouds = np.clip(_noise(dice, 5, 14) * 0.6 + _noise(dice, 11, 28) * 0.4 - 0.52, 0, 1) * 1.8
    return _mix(sky, _flat((0.98, 0.96, 0.94)), np.clip(clouds, 0, 0.7))


def paint(kind: str, words: str, dice: Dice) -> Colours:
    """SIDE x SIDE x 3 colours from 0 to 1."""
    painters = {"field": _field, "room": _room, "street": _street, "mountain": _mountain}
    picture = painters[kind](dice, words)
    grain = (_noise(dice, 64) - 0.5) * 0.03
    return np.clip(picture * _light(words)[2] + grain[:, :, None], 0, 1).astype(np.float32)


def _field(dice: Dice, words: str) -> Colours:
    horizon = dice.uniform(0.38, 0.5)
    picture = _sky(dice, words)
    picture = _mix(picture, _flat((0.45, 0.56, 0.62)), _ridge(dice, horizon - 0.02, 0.03))
    picture = _mix(picture, _flat((0.25, 0.4, 0.25)), _ridge(dice, horizon + 0.015, 0.008))
    crop = (0.78, 0.66, 0.32) if "wheat" in words.lower() else (0.42, 0.58, 0.26)
    rows, across = np.mgrid[0 : 1 : SIDE * 1j, -0.5 : 0.5 : SIDE * 1j]
    near = np.clip((rows - horizon) / (1 - horizon), 0.02, 1)
    furrows = 0.5 + 0.5 * np.sin((across + dice.uniform(-0.2, 0.2)) / near * dice.uniform(26, 40))
    ground = _flat(crop) * (0.72 + 0.32 * (furrows * np.clip(near * 2, 0, 1)))[:, :, None].astype(np.float32)
    ground *= (0.9 + 0.25 * _noise(dice, 30, 60))[:, :, None]
    return _mix(picture, ground, np.clip((rows - horizon - 0.02) * 60, 0, 1).astype(np.float32))


def _mountain(dice: Dice, words: str) -> Colours:
    picture = _sky(dice, words)
    for level, height, colour in (
        (0.42, 0.1, (0.6, 0.68, 0.78)),
        (0.54, 0.09, (0.42, 0.54, 0.6)),
        (0.68, 0.06, (0.28, 0.42, 0.36)),
    ):
        picture = _mix(picture, _flat(colour), _ridge(dice, level + dice.uniform(-0.03, 0.03), height))
    lake = _flat((0.5, 0.62, 0.68)) if "lake" in words or "sea" in words else _flat((0.5, 0.55, 0.36))
    rows = np.broadcast_to(_ramp(0, 1), (SIDE, SIDE))
    ground = lake * (0.85 + 0.25 * _noise(dice, 9, 60))[:, :, None]
    return _mix(picture, ground, np.clip((rows - 0.78) * 40, 0, 1).astype(np.float32))


def _street(dice: Dice, words: str) -> Colours:
    picture, horizon = _sky(dice, words), 0.62
    for _ in range(14):
        left, wide, top = dice.uniform(-0.05, 0.95), dice.uniform(0.08, 0.18), dice.uniform(0.12, 0.48)
        x0, x1, y0, y1 = (int(SIDE * value) for value in (max(0, left), min(1, left + wide), top, horizon))
        tone = dice.uniform(0.45, 0.75)
        picture[y0:y1, x0:x1] = np.array([tone * 1.02, tone, tone * 0.95])
        for y in range(y0 + 5, y1 - 4, 8):
            for x in range(x0 + 3, x1 - 3, 7):
                picture[y : y + 4, x : x + 3] = (0.95, 0.85, 0.6) if dice.random() < 0.3 else (0.3, 0.36, 0.44)
    rows, across = np.mgrid[0 : 1 : SIDE * 1j, -0.5 : 0.5 : SIDE * 1j]
    near = np.clip((rows - horizon) / (1 - horizon), 0.01, 1)
    stripe = (np.abs(across / near) < 0.03) & (np.sin(2.5 / near) > 0)
    road = _flat((0.42, 0.43, 0.45)) * (0.9 + 0.15 * _noise(dice, 40, 20))[:, :, None] + 0.35 * stripe[:, :, None]
    kerb = _flat((0.66, 0.65, 0.62))
    ground = _mix(kerb, road.astype(np.float32), (np.abs(across) < 0.06 + near * 0.7).astype(np.float32))
    return _mix(picture, ground, np.clip((rows - horizon) * 80, 0, 1).astype(np.float32))


def _room(dice: Dice, words: str) -> Colours:
    corner, floor = dice.uniform(0.25, 0.75), dice.uniform(0.64, 0.72)
    hue = np.array([0.86, 0.83, 0.78]) + dice.uniform(-0.06, 0.06, 3)
    rows, across = np.mgrid[0 : 1 : SIDE * 1j, 0 : 1 : SIDE * 1j]
    picture = (np.broadcast_to(hue, (SIDE, SIDE, 3)) * np.where(across < corner, 0.86, 1.0)[:, :, None]).astype(
        np.float32
    )
    left = dice.uniform(0.55, 0.62) if corner < 0.5 else dice.uniform(0.1, 0.2)
    window = (across > left) & (across < left + 0.26) & (rows > 0.12) & (rows < 0.5)
    frame = grids.dilate(window, 3) & ~window | window & (np.abs(across - left - 0.13) < 0.008)
    picture = np.where(window[:, :, None], _sky(dice, words), picture)
    picture[frame] = (0.97, 0.96, 0.94)
    edge = floor + 0.1 * np.abs(across - corner)
    near = np.clip((rows - floor + 0.25) / (1.25 - floor), 0.05, 1)
    planks = 0.86 + 0.14 * (np.sin((across - corner) / near * 40) > -0.9)
    wood = _flat((0.68, 0.52, 0.37)) * planks[:, :, None] * (0.85 + 0.3 * _noise(dice, 8, 50))[:, :, None]
    pool = np.exp(-(((across - left - 0.1) / 0.2) ** 2) - ((rows - floor - 0.16) / 0.1) ** 2) * 0.25
    wood = np.clip(wood + pool[:, :, None], 0, 1)
    picture = _mix(picture, wood.astype(np.float32), np.clip((rows - edge) * 90, 0, 1).astype(np.float32))
    shelf = (
        (across > 0.03) & (across < 0.2) & (rows > 0.3) & (rows < floor + 0.05)
        if left > 0.3
        else (across > 0.8) & (rows > 0.3) & (rows < floor + 0.05)
    )
    boards = np.where(np.sin(rows * 70) > 0.85, 0.4, 0.62 + 0.25 * _noise(dice, 60, 12))
    return np.where(shelf[:, :, None], _flat((0.9, 0.72, 0.52)) * boards[:, :, None], picture).astype(np.float32)
