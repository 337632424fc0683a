"""The picture before it has a style: for each pixel what is seen there, its normal, its depth; and the shadow."""

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from standins.pictures import grids, shading
from standins.pictures.grids import Grid, Mask
from standins.pictures.solids import ACCENT, BODY, DARK, SPACING, Solid, rotation
from standins.pictures.structure import Structure, inflated

SIDE = 256


@dataclass(frozen=True)
class View:
    """Where the camera stands: degrees about the product and above it."""

    yaw: float = 30.0
    pitch: float = 18.0


@dataclass(frozen=True)
class Relief:
    """SIDE x SIDE arrays. `normals` look at us along +z; `depth` grows towards us; `lines` are drawn edges 0 to 1.

    `shade` is light and dark about 1, taken from a photograph.
    """

    covered: Mask
    normals: NDArray[np.float32]
    depth: Grid
    materials: NDArray[np.int8]
    lines: Grid
    shadow: Grid
    shade: Grid | None = None

    def facing(self, x: float, y: float, z: float) -> Grid:
        """Cosine of the angle between the surface and a direction."""
        light = np.array([x, y, z], np.float32)
        return (self.normals @ (light / np.linalg.norm(light))).astype(np.float32)


def of_solids(solids: list[Solid], view: View, fill: float = 0.7, proportion: float | None = None) -> Relief:
    """Look at a product from a side; it fills that part of the picture's width or height.

    With a `proportion` (height by width) it is stretched towards it.
    """
    if proportion:
        solids = _stretched(solids, proportion)
    turn = (rotation(view.pitch, 0) @ rotation(0, view.yaw)).astype(np.float32)
    points = np.concatenate([solid.points for solid in solids]) @ turn.T
    normals = np.concatenate([solid.normals for solid in solids]) @ turn.T
    sizes = [len(solid.points) for solid in solids]
    materials = np.repeat(np.array([solid.material for solid in solids], np.int8), sizes)
    parts = np.repeat(np.arange(len(solids), dtype=np.int16), sizes)
    low, high = points.min(axis=0), points.max(axis=0)
    scale = fill * SIDE / max(high[0] - low[0], high[1] - low[1])
    centre = (low + high) / 2
    seen = normals[:, 2] > -0.05
    index = _splat((points[seen] - centre) * scale, reach=1 if scale * SPACING < 2.3 else 2)
    covered = index >= 0
    pick = np.flatnonzero(seen)[np.maximum(index, 0)]
    shape = (points[:, 2] - centre[2]) * scale / SIDE
    depth = np.where(covered, shape[pick], -1.0).astype(np.float32)
    seen_normals = (normals[pick] * covered[:, :, None]).astype(np.float32)
    lines = _edges(covered, depth, seen_normals, np.where(covered, parts[pick], -1))
    seen_normals = _smoothed(seen_normals, covered)
    ground = _shadow(np.concatenate([solid.points for solid in solids]), turn, centre, scale)
    return Relief(covered, seen_normals, depth, np.where(covered, materials[pick], BODY), lines, ground)


def _stretched(solids: list[Solid], proportion: float) -> list[Solid]:
    size = np.ptp(np.concatenate([solid.points for solid in solids]), axis=0)
    factor = float(np.clip(proportion * max(size[0], size[2]) / size[1], 0.75, 1.2))
    tall = np.array([1, factor, 1], np.float32)
    return [replace(solid, points=solid.points * tall) for solid in solids]


def _splat(points: NDArray[np.float32], reach: int) -> NDArray[np.int32]:
    """The index of the nearest point per pixel, -1 where there is none; a point covers pixels to its sides too."""
    column = np.round(SIDE / 2 + points[:, 0] - 0.5).astype(np.int32)
    row = np.round(SIDE / 2 - points[:, 1] - 0.5).astype(np.int32)
    low, high = reach, SIDE - 1 - reach
    inside = (column >= low) & (row >= low) & (column <= high) & (row <= high)
    order = np.flatnonzero(inside)
    order = order[np.argsort(points[order, 2], kind="stable")].astype(np.int32)
    flat = row[order] * SIDE + column[order]
    index = np.full(SIDE * SIDE, -1, np.int32)
    steps = range(-reach, reach + 1)
    around = np.array([down * SIDE + across for down in steps for across in steps], np.int32)
    index[(flat[:, None] + around).ravel()] = np.repeat(order, len(around))  # the last one written is the nearest
    return index.reshape(SIDE, SIDE)


def _edges(covered: Mask, depth: Grid, normals: NDArray[np.float32], parts: NDArray[np.int_]) -> Grid:
    """Outlines, steps in depth, borders of parts and creases."""
    lines = np.zeros_like(depth)
    for axis in (0, 1):
        one, two = (
            (slice(1, None), slice(None, -1))
            if axis == 0
            else ((slice(None), slice(1, None)), (slice(None), slice(None, -1)))
        )
        step = np.clip(np.abs(depth[one] - depth[two]) * 22 - 0.3, 0, 1)
        both = covered[one] & covered[two]
        crease = np.clip((1 - (normals[one] * normals[two]).sum(axis=-1)) * 2.2 - 0.3, 0, 0.7) * both
        border = (parts[one] != parts[two]) * 0.75
        edge = np.maximum(np.maximum(step, crease), border)
        lines[one] = np.maximum(lines[one], edge)
    silhouette = covered & ~grids.erode(covered)
    return np.maximum(lines, silhouette).astype(np.float32)


def _smoothed(normals: NDArray[np.float32], covered: Mask) -> NDArray[np.float32]:
    """The points' facets evened out."""
    even = np.stack([grids.blur(np.ascontiguousarray(normals[:, :, axis]), 1) for axis in range(3)], -1)
    even /= np.maximum(np.linalg.norm(even, axis=-1, keepdims=True), 1e-6)
    return np.asarray(even * covered[:, :, None], dtype=np.float32)


def _shadow(points: NDArray[np.float32], turn: NDArray[np.float32], centre: NDArray[np.float32], scale: float) -> Grid:
    """What the product's points darken on the ground beneath it, 0 to 1."""
    foot = points[:, 1].min()
    height = points[::3, 1] - foot
    cast = np.stack([points[::3, 0] + 0.35 * height, np.full(len(height), foot), points[::3, 2] - 0.25 * height], 1)
    place = ((cast.astype(np.float32) @ turn.T) - centre) * scale
    column = np.clip(SIDE / 2 + place[:, 0], 0, SIDE - 1).astype(np.int32)
    row = np.clip(SIDE / 2 - place[:, 1], 0, SIDE - 1).astype(np.int32)
    hit = np.zeros((SIDE, SIDE), np.float32)
    hit[row, column] = 1
    near = np.clip(grids.blur(hit, 2) * 1.6, 0, 1)
    return (0.6 * grids.blur(near, 3) + 0.4 * grids.blur(near, 9)).astype(np.float32)


def of_structure(structure: Structure) -> Relief:
    """Fill the fields between an input picture's lines with roundness; a photograph keeps its own shading as well."""
    covered = structure.silhouette
    lines = structure.lines * grids.dilate(covered, 2)
    fields = covered & (lines < 0.3)
    height = inflated(covered) * 20 - grids.blur(lines * covered, 1)
    if structure.is_drawing:  # a photograph's shading shows its fields already
        height += inflated(fields) * 9
    down, across = np.gradient(grids.blur(height.astype(np.float32), 3))
    normals = np.stack([-across, down, np.full_like(down, 0.75)], -1)
    normals /= np.linalg.norm(normals, axis=-1, keepdims=True)
    normals = (normals * covered[:, :, None]).astype(np.float32)
    rows = np.flatnonzero(covered.any(axis=1))
    shadow = _contact_shadow(covered, int(rows[-1]) if len(rows) else SIDE - 1)
    depth = np.where(covered, height / SIDE, -1).astype(np.float32)
    shade = None if structure.is_drawing else shading.of_photo(structure.greys, covered)
    return Relief(covered, normals, depth, _fields(structure, fields), lines.astype(np.float32), shadow, shade)


def _contact_shadow(covered: Mask, foot: int) -> Grid:
    """Dark beneath what stands on the ground, less so beneath what hangs above it."""
    lowest = np.where(covered.any(axis=0), SIDE - 1 - covered[::-1].argmax(axis=0), -SIDE)
    columns = grids.blur(np.repeat(np.exp((lowest - foot) / 16.0)[None, :], 4, 0).astype(np.float32), 4)[0]
    distance = (np.arange(SIDE) - foot + 1)[:, None] / 7.0
    return grids.blur((columns[None, :] * np.exp(-(distance**2))).astype(np.float32), 4)


def _fields(structure: Structure, fields: Mask) -> NDArray[np.int8]:
    """Materials: the largest closed fields get one each; in a photograph with dark places these are dark."""
    materials = np.zeros((SIDE, SIDE), np.int8)
    is_dark = structure.silhouette & (structure.greys < 0.3)
    if not structure.is_drawing and is_dark.sum() > 0.03 * structure.silhouette.sum():
        materials[is_dark] = DARK
        return materials
    free = grids.erode(fields[::2, ::2], 1)
    for material in (BODY, DARK) if not structure.is_drawing else (BODY, ACCENT, DARK):
        blob = grids.largest_blob(free)
        if blob.sum() < (40 if structure.is_drawing else 0.12 * fields[::2, ::2].sum()):  # patches look wrong
            break
        whole = grids.dilate(blob, 3)  # up to the middle of the lines
        large = grids.enlarge(grids.blur(whole.astype(np.float32), 1), (SIDE, SIDE)) > 0.5
        materials[large & (materials == BODY)] = material
        free = free & ~whole
    return materials
