"""Where labels go, so that none covers another: a column beside the axes, or the plane. And how they write numbers.

A column. The labels of curves stand at heights y_1 ≤ … ≤ y_k, wherever the curves end; text of height h needs gaps
of h, and the page has an end. Least squares under those constraints,

    min Σ (p_i − y_i)²   subject to   p_{i+1} − p_i ≥ h,   low ≤ p_1,   p_k ≤ high,

becomes, with q_i = p_i − i h, the isotonic regression of y_i − i h between bounds. Pooling adjacent violators solves
it exactly in one pass, and clipping the result to the bounds is exact too (Ayer et al. 1955; Barlow et al. 1972). Order
is kept, so leader lines never cross.

The plane. Each label tries places on rings around the points that it may stand at and takes the cheapest, the others
held fixed, until nothing moves; the cost is what it would cover (labels most of all) and how far it is from the first
of its points. A local minimum, which is enough for the ten labels of a figure.

All lengths are in dots of the drawn figure, y upwards.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import floor, log10
from typing import Any

import numpy as np

from autograd_ae.plot.arguments import Array

OVERLAP, OUTSIDE, COVER, AWAY = 1e3, 1e3, 4.0, 0.1  # for a dot² of overlap, a dot outside, an obstacle, a dot away
CIRCLE = np.stack([np.cos(t := 2 * np.pi * (np.arange(16) + 0.5) / 16), np.sin(t)], axis=1)
RAISED = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")


def number(value: float) -> str:
    """Three digits, in words of print.

    >>> number(52.896533), number(36.0), number(-0.5), number(1e-6), number(3.2424e-10), number(0), number(250000)
    ('52.9', '36.0', '−0.500', '10⁻⁶', '3.24·10⁻¹⁰', '0', '2.50·10⁵')
    """
    if value == 0:
        return "0"
    if 1e-3 <= abs(value) < 99_950:
        return (
            f"{value:.3g}".replace("-", "−") if abs(value) >= 999.5 else f"{value:#.3g}".rstrip(".").replace("-", "−")
        )
    power = floor(log10(abs(value)))
    if (mantissa := f"{value / 10.0**power:.2f}") in ("10.00", "-10.00"):
        mantissa, power = mantissa.replace("10", "1"), power + 1
    raised = f"10{str(power).translate(RAISED)}"
    return raised if mantissa == "1.00" else f"{mantissa}·{raised}".replace("-", "−")


def size_of(text: Any) -> Array:
    """Width and height of a Matplotlib text, in dots, with the box around it if it has one."""
    patch = text.get_bbox_patch()
    renderer = text.figure.canvas.get_renderer()
    if patch is not None:
        text.update_bbox_position_size(renderer)
    extent = (patch or text).get_window_extent(renderer)
    return np.array([extent.width, extent.height])


def in_a_column(heights: Array, gap: float, *, low: float = -np.inf, high: float = np.inf) -> Array:
    """Positions nearest to `heights` in least squares, in the same order, at least `gap` apart, from low to high.

    >>> in_a_column(np.array([5.0, 0.0, 5.0]), 2.0).tolist()
    [4.0, 0.0, 6.0]
    >>> in_a_column(np.array([5.0, 0.0, 5.0]), 2.0, high=5.0).tolist()
    [3.0, 0.0, 5.0]
    """
    order = np.argsort(heights, kind="stable")
    shift = gap * np.arange(len(heights))
    blocks: list[tuple[float, int]] = []  # (mean, count), increasing
    for target in heights[order] - shift:
        mean, count = float(target), 1
        while blocks and blocks[-1][0] >= mean:
            m, c = blocks.pop()
            mean, count = (mean * count + m * c) / (count + c), count + c
        blocks.append((mean, count))
    isotonic = np.repeat([m for m, _ in blocks], [c for _, c in blocks])
    positions = np.empty(len(heights))
    positions[order] = np.clip(isotonic, low, high - shift[-1]) + shift
    return positions


def in_the_plane(
    anchors: Sequence[Array], sizes: Array, *, box: Array, obstacles: Sequence[Array], rings: Sequence[float]
) -> Array:
    """Centres (k, 2) of labels of these sizes (k, 2), each near one of its anchors and free of the others.

    anchors : k arrays (a, 2), the points that a label may stand at, the best first.
    box : (2, 2), lower left and upper right corner that labels should not leave.
    obstacles : k arrays (n, 2), the points that a label should not cover.
    rings : distances from anchor to label to try, nearest first; 0 is on the anchor itself.
    """
    tried = [_places(a, size, rings) for a, size in zip(anchors, sizes, strict=True)]
    alone = [
        OUTSIDE * _outside(p, size, box) + COVER * _covered(p, size, o) + AWAY * np.linalg.norm(p - a[0], axis=1)
        for p, a, o, size in zip(tried, anchors, obstacles, sizes, strict=True)
    ]
    centres = np.stack([p[0] for p in tried])
    for _ in range(20):
        before = centres.copy()
        for i, size in enumerate(sizes):
            rest = np.arange(len(sizes)) != i
            centres[i] = tried[i][np.argmin(alone[i] + OVERLAP * _overlap(tried[i], size, centres[rest], sizes[rest]))]
        if np.array_equal(before, centres):
            break
    return centres


def _places(anchors: Array, size: Array, rings: Sequence[float]) -> Array:
    """(m, 2): centres of a label whose edge is `ring` away from an anchor, for all anchors, rings and angles."""
    offsets = [np.zeros((1, 2)) if r == 0 else r * CIRCLE + np.sign(CIRCLE) * size / 2 for r in rings]
    return np.asarray((anchors[:, None] + np.concatenate(offsets)).reshape(-1, 2))


def _overlap(tried: Array, size: Array, centres: Array, sizes: Array) -> Array:
    """(m,): the area that a label at each tried centre shares with the others."""
    sides = np.clip((size + sizes) / 2 - np.abs(tried[:, None] - centres), 0, np.minimum(size, sizes))
    return np.asarray(sides.prod(axis=2).sum(axis=1))


def _outside(tried: Array, size: Array, box: Array) -> Array:
    """(m,): how far each tried label sticks out of the box."""
    below, above = box[0] - (tried - size / 2), (tried + size / 2) - box[1]
    return np.asarray((np.maximum(below, 0) + np.maximum(above, 0)).sum(axis=1))


def _covered(tried: Array, size: Array, obstacles: Array) -> Array:
    """(m,): how many obstacles each tried label covers."""
    return np.asarray((np.abs(tried[:, None] - obstacles) < size / 2).all(axis=2).sum(axis=1), dtype=np.float64)
