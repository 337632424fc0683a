"""Surfaces as clouds of points with normals: boxes, balls, bodies of revolution, tubes. y is up, z towards us."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Points = NDArray[np.float32]
SPACING = 0.021
"""Distance of neighbouring points; a product is about two units wide."""
BODY, ACCENT, DARK, METAL, LIGHT = range(5)


@dataclass(frozen=True)
class Solid:
    """One part of a product: points and normals (n x 3) and its material."""

    points: Points
    normals: Points
    material: int = BODY

    def moved(self, x: float = 0, y: float = 0, z: float = 0) -> "Solid":
        """The same part elsewhere."""
        return Solid((self.points + np.array([x, y, z], np.float32)), self.normals, self.material)

    def turned(self, x: float = 0, y: float = 0, z: float = 0) -> "Solid":
        """Rotated about the origin by degrees, first about x, then y, then z."""
        matrix = rotation(x, y, z)
        return Solid(self.points @ matrix.T, self.normals @ matrix.T, self.material)

    def mirrored(self) -> "Solid":
        """The other side's part: x turned to -x."""
        flip = np.array([-1, 1, 1], np.float32)
        return Solid(self.points * flip, self.normals * flip, self.material)


def rotation(x: float, y: float, z: float = 0) -> Points:
    """The matrix of three turns in degrees."""
    (sx, sy, sz), (cx, cy, cz) = (fn(np.radians([x, y, z])) for fn in (np.sin, np.cos))
    about_x = np.array([[1, 0, 0], [0, cx, -sx], [0, sx, cx]])
    about_y = np.array([[cy, 0, sy], [0, 1, 0], [-sy, 0, cy]])
    about_z = np.array([[cz, -sz, 0], [sz, cz, 0], [0, 0, 1]])
    return np.asarray(about_z @ about_y @ about_x, dtype=np.float32)


def _faces(half: Sequence[float]) -> Points:
    """Points on the six faces of a box."""
    faces = []
    for axis in range(3):
        first, second = (axis + 1) % 3, (axis + 2) % 3
        counts = [max(3, int(2 * half[side] / SPACING)) for side in (first, second)]
        grid = np.meshgrid(*(np.linspace(-half[s], half[s], n) for s, n in zip((first, second), counts, strict=True)))
        for sign in (-1, 1):
            face = np.empty((grid[0].size, 3), np.float32)
            face[:, axis], face[:, first], face[:, second] = sign * half[axis], grid[0].ravel(), grid[1].ravel()
            faces.append(face)
    return np.concatenate(faces)


def box(half: Sequence[float], rounding: float = 0.04, material: int = BODY) -> Solid:
    """A box by half its sides, edges rounded."""
    radius = min(rounding, *half)
    points = _faces(half)
    inner = np.clip(points, -np.array(half) + radius, np.array(half) - radius).astype(np.float32)
    outward = points - inner
    normals = outward / np.maximum(np.linalg.norm(outward, axis=1, keepdims=True), 1e-6)
    return Solid(inner + radius * normals, normals.astype(np.float32), material)


def ball(radii: Sequence[float], material: int = BODY) -> Solid:
    """An ellipsoid."""
    unit = _faces([max(radii) * 0.8] * 3)
    unit = (unit / np.linalg.norm(unit, axis=1, keepdims=True)).astype(np.float32)
    normals = unit / np.array(radii, np.float32)
    normals /= np.linalg.norm(normals, axis=1, keepdims=True)
    return Solid((unit * np.array(radii, np.float32)).astype(np.float32), normals.astype(np.float32), material)


def lathe(profile: Sequence[tuple[float, float]], material: int = BODY, smooth: bool = False) -> Solid:
    """A body of revolution about y. The profile (radius, height) runs up the outside, counter-clockwise."""
    line = np.array(profile, np.float32)
    if smooth:
        line = _smoothed(line)
    steps = np.hypot(*np.diff(line, axis=0).T)
    reach = np.concatenate([[0], np.cumsum(steps)])
    wanted = (np.arange(max(3, int(reach[-1] / SPACING))) + 0.5) / max(3, int(reach[-1] / SPACING)) * reach[-1]
    radius, height = np.interp(wanted, reach, line[:, 0]), np.interp(wanted, reach, line[:, 1])
    index = np.clip(np.searchsorted(reach, wanted) - 1, 0, len(steps) - 1)
    along = np.diff(line, axis=0)[index] / np.maximum(steps[index], 1e-6)[:, None]
    if smooth:
        along = np.gradient(np.stack([radius, height], 1), axis=0)
        along /= np.maximum(np.linalg.norm(along, axis=1, keepdims=True), 1e-6)
    angle = np.linspace(0, 2 * np.pi, max(12, int(6.3 * line[:, 0].max() / SPACING)), endpoint=False)
    cos, sin = np.cos(angle)[:, None], np.sin(angle)[:, None]
    flat = np.ones_like(cos)
    points = np.stack([cos * radius, flat * height, sin * radius], -1).reshape(-1, 3)
    normals = np.stack([cos * along[:, 1], -flat * along[:, 0], sin * along[:, 1]], -1).reshape(-1, 3)
    return Solid(points.astype(np.float32), normals.astype(np.float32), material)


def _smoothed(line: Points) -> Points:
    for _ in range(3):  # Chaikin: cut the corners, keep the ends
        cut = np.stack([0.75 * line[:-1] + 0.25 * line[1:], 0.25 * line[:-1] + 0.75 * line[1:]], 1).reshape(-1, 2)
        line = np.concatenate([line[:1], cut, line[-1:]])
    return line


def cylinder(radius: float, height: float, material: int = BODY, bevel: float = 0.02) -> Solid:
    """Upright, centred on the origin."""
    top = height / 2
    edge = min(bevel, radius / 2, top)
    profile = [
        (0, -top),
        (radius - edge, -top),
        (radius, -top + edge),
        (radius, top - edge),
        (radius - edge, top),
        (0, top),
    ]
    return lathe(profile, material)


def tube(path: Sequence[Sequence[float]], radius: float, material: int = BODY, smooth: bool = True) -> Solid:
    """A round bar along a path, round at its ends; corners are rounded if `smooth`. A closed path has no ends."""
    line = np.array(path, np.float32)
    if smooth and len(line) > 2:
        for _ in range(3):
            cut = np.stack([0.75 * line[:-1] + 0.25 * line[1:], 0.25 * line[:-1] + 0.75 * line[1:]], 1)
            line = np.concatenate([line[:1], cut.reshape(-1, 3), line[-1:]])
    reach = np.concatenate([[0], np.cumsum(np.linalg.norm(np.diff(line, axis=0), axis=1))])
    wanted = np.linspace(0, reach[-1], max(4, int(reach[-1] / SPACING)))
    spine = np.stack([np.interp(wanted, reach, line[:, axis]) for axis in range(3)], 1)
    along = np.gradient(spine, axis=0)
    along /= np.maximum(np.linalg.norm(along, axis=1, keepdims=True), 1e-6)
    side = np.cross(along, np.array([0.13, 0.31, 0.94]))
    side /= np.maximum(np.linalg.norm(side, axis=1, keepdims=True), 1e-6)
    other = np.cross(along, side)
    angle = np.linspace(0, 2 * np.pi, max(8, int(6.3 * radius / SPACING)), endpoint=False)[:, None, None]
    normals = np.cos(angle) * side + np.sin(angle) * other
    points = (spine + radius * normals).reshape(-1, 3)
    if np.linalg.norm(line[0] - line[-1]) < radius:
        return Solid(points.astype(np.float32), normals.reshape(-1, 3).astype(np.float32), material)
    cap = ball([radius] * 3)
    return Solid(
        np.concatenate([points, cap.points + line[0], cap.points + line[-1]]).astype(np.float32),
        np.concatenate([normals.reshape(-1, 3), cap.normals, cap.normals]).astype(np.float32),
        material,
    )


def ring(radius: float, thickness: float, material: int = BODY) -> Solid:
    """A torus lying flat."""
    angle = np.linspace(0, 2 * np.pi, 40)
    path = np.stack([np.cos(angle) * radius, np.zeros_like(angle), np.sin(angle) * radius], 1)
    return tube([[float(value) for value in row] for row in path], thickness, material, smooth=False)
