"""A pencil study of the jug and the fruit: hatching that follows the form, crossed where it is dark."""

import math

import numpy as np

from scripts.jit import compiled
from scripts.noise import gradient_noise, hash01, noise_field
from scripts.picture import Colour, Field, Picture, blur, colour, luminance, mix, size_for, smoothstep
from scripts.still_life import still_life
from scripts.studio import Finish, Studio, make_studio

LONG_SIDE_PX = 960
SEED = 15
LAYERS = (
    (0.0, 0.10, 5.2, 0.50),
    (0.75, 0.34, 5.0, 0.55),
    (-0.65, 0.50, 4.6, 0.62),
    (1.35, 0.62, 4.0, 0.95),
    (0.25, 0.74, 3.2, 1.3),
)
"""Per layer of hatching: its turn, the darkness it starts at, the gap between strokes, the pressure."""
TONES: tuple[float, ...] = (0.62, 0.50, 0.42, 0.38, 0.62, 0.66, 0.12, 0.12)
"""How light each material of the group is drawn, the table first."""


@compiled
def _paint(material: int, x: float, y: float, z: float, up: float) -> Finish:
    tone = TONES[material]
    return tone, tone, tone, 0.03, 0.2


@compiled
def _hatch(
    graphite: Field, tone: Field, angle: Field, edge: Field, spacing: float, offset: float, needed: float, span: float,
    weight: float, seed: int,
) -> None:  # fmt: skip
    """Lay slightly curved strokes where the tone asks for them. needed: darkness from which this layer is laid."""
    height, width = tone.shape
    columns = int(width / (span * 0.5)) + 2
    rows = int(height / spacing) + 2
    for j in range(rows * 2):
        for i in range(columns):
            x = (i + hash01(i, j, seed) - 0.5) * span * 0.5
            y = (j + 0.9 * hash01(i, j, seed + 1) - 0.45) * spacing * 0.5
            cx, cy = int(x), int(y)
            if cx < 0 or cy < 0 or cx >= width or cy >= height:
                continue
            dark = 1.0 - tone[cy, cx]
            chance = (dark - needed) * 2.6
            if hash01(i, j, seed + 2) > chance:
                continue
            pressure = weight * min(0.35 + 0.9 * max(dark - needed, 0.0), 1.0) * (0.7 + 0.6 * hash01(i, j, seed + 3))
            length = span * (0.5 + 0.8 * hash01(i, j, seed + 4))
            turn = 0.10 * (hash01(i, j, seed + 5) - 0.5)
            for way in range(2):
                px, py = x, y
                sign = 1.0 if way == 0 else -1.0
                for k in range(int(length / 1.2)):
                    qx, qy = int(px), int(py)
                    if qx < 1 or qy < 1 or qx >= width - 2 or qy >= height - 2:
                        break
                    if k > 1 and edge[qy, qx] > 0.5:
                        break
                    if 1.0 - tone[qy, qx] < needed - 0.03:
                        break
                    taper = math.sin(math.pi * (0.5 + 0.5 * k * 1.2 / length)) ** 0.6
                    mark = pressure * taper
                    fx, fy = px - qx, py - qy
                    graphite[qy, qx] += mark * (1 - fx) * (1 - fy)
                    graphite[qy, qx + 1] += mark * fx * (1 - fy)
                    graphite[qy + 1, qx] += mark * (1 - fx) * fy
                    graphite[qy + 1, qx + 1] += mark * fx * fy
                    a = angle[qy, qx] + offset + turn + 0.10 * gradient_noise(px * 0.02, py * 0.02, seed + 6, 0)
                    px += sign * 1.2 * math.cos(a)
                    py += sign * 1.2 * math.sin(a)


def render(long_side_px: int = LONG_SIDE_PX, seed: int = SEED, rays: int = 2) -> Picture:
    """The picture at a size; rays: per pixel and axis of the model the study is drawn from."""
    height, width = size_for(long_side_px, 5 / 4)
    view = Studio(
        eye=(0.55, 2.15, -5.5), aim=(-0.13, 0.74, 0.0), tangent=0.335,
        lamp=(0.70, 0.62, -0.36), lamp_light=(2.3, 2.3, 2.3), lamp_spread=0.10, air=(0.20, 0.20, 0.20),
        backdrop=(0.42, 0.42, 0.42), fade=5.0, centre=(-0.2, 0.8, 0.0), radius=1.95,
    )  # fmt: skip
    # The model is small: a draughtsman squints, and the tracing is what takes long.
    light, normals, material = make_studio(still_life, _paint)(view, height // 2, width // 2, rays, seed)
    double = (
        (np.arange(height) // 2).clip(0, height // 2 - 1)[:, None],
        (np.arange(width) // 2).clip(0, width // 2 - 1)[None],
    )
    unit = long_side_px / 960
    shade = np.clip(blur(luminance(light), 0.8)[double] * 0.74, 0, 1) ** 0.58
    normal = blur(normals, 1.0)[double]
    kind = material[double]
    # Outlines: where the material or the surface's direction jumps.
    jump = (
        np.hypot(*np.gradient(normal[..., 0]))
        + np.hypot(*np.gradient(normal[..., 1]))
        + np.hypot(*np.gradient(normal[..., 2]))
    )
    other = (np.hypot(*np.gradient(kind)) > 0).astype(np.float32)
    edge = smoothstep(0.20, 0.42, blur(np.maximum(smoothstep(0.25, 0.45, jump.astype(np.float32)), other), 1.5))
    # On a form strokes run across its slope; on table and wall they slant.
    tilt = np.hypot(normal[..., 0], normal[..., 2])
    form = np.arctan2(normal[..., 0] * 0.9, normal[..., 1] * 0.55 + 0.75)
    rows = np.arange(height)[:, None] / height + 0 * kind
    slant = np.where(rows > 0.42, -0.12, -0.85)
    angle = np.where((kind > 0) & (tilt > 0.05), form - 0.35, slant).astype(np.float32)
    vignette = np.hypot(
        (np.arange(width)[None] / width - 0.5) / 0.56, (np.arange(height)[:, None] / height - 0.56) / 0.60
    )
    loose = vignette + 0.10 * noise_field(height, width, 6, 4, seed)
    tone = np.clip(1 - (1 - shade) * smoothstep(1.05, 0.72, loose.astype(np.float32)) * 1.05, 0, 1).astype(np.float32)
    graphite = np.zeros((height, width), np.float32)
    for layer, (offset, needed, spacing, weight) in enumerate(LAYERS):
        _hatch(
            graphite,
            tone,
            angle,
            edge.astype(np.float32),
            spacing * unit,
            offset,
            needed,
            30.0 * unit,
            weight,
            seed + 50 * layer,
        )
    line = _outline(edge.astype(np.float32), tone, unit, seed)
    tooth = 0.6 * noise_field(height, width, width / 2.6, 2, seed + 1) + 0.4 * noise_field(
        height, width, width / 7, 3, seed + 2
    )
    rub = blur(graphite, 3.0 * unit) * 0.26
    deposit = (graphite * 0.55 + line + rub) * np.clip(1.0 + 1.5 * tooth, 0.15, 2.0)
    cover = 1 - np.exp(-1.55 * deposit)
    paper_tone: Colour = colour("efe5d0")
    flecks = (
        noise_field(height, width, 160, 3, seed + 3)[..., None] * 0.035
        + noise_field(height, width, 5, 4, seed + 4)[..., None] * 0.025
    )
    paper = np.broadcast_to(np.array(paper_tone, np.float32), (height, width, 3)) * (
        1 + 0.045 * tooth[..., None] + flecks
    )
    return np.clip(mix(paper.astype(np.float32), colour("24252b"), np.clip(cover, 0, 0.96)), 0, 1)


def _outline(edge: Field, tone: Field, unit: float, seed: int) -> Field:
    """Two searching contours, drawn harder on the shadow side."""
    height, width = edge.shape
    total = np.zeros_like(edge)
    for k in range(2):
        dy = 1.6 * unit * noise_field(height, width, 9, 2, seed + 20 + k) + (k - 0.5) * 0.8
        dx = 1.6 * unit * noise_field(height, width, 9, 2, seed + 30 + k)
        j = np.clip(np.arange(height)[:, None] + np.round(dy), 0, height - 1).astype(int)
        i = np.clip(np.arange(width)[None] + np.round(dx), 0, width - 1).astype(int)
        press = 0.55 + 0.8 * noise_field(height, width, 14, 3, seed + 40 + k) + 0.5 * (1 - blur(tone, 4 * unit))
        total += blur(edge, 0.7 * unit)[j, i] * np.clip(press, 0.1, 1.4) * (0.62, 0.30)[k]
    return total.astype(np.float32)
