"""Watercolour: a mountain lake at dusk with a red boat house, in washes that pool, bleed and granulate."""

import numpy as np

from scripts.noise import fractal_noise_at, noise_field
from scripts.picture import Field, Picture, blur, colour, lit_relief, size_for, smoothstep

LONG_SIDE_PX = 960
SEED = 12


class Sheet:
    """A sheet of rough paper that takes glazes; pigment multiplies what lies below, as thin paint does."""

    def __init__(self, height: int, width: int, seed: int) -> None:
        self.height, self.width, self.seed = height, width, seed
        self.tooth = 0.65 * noise_field(height, width, width / 7, 3, seed) + 0.35 * noise_field(
            height, width, width / 3, 2, seed + 1
        )
        self.light = np.broadcast_to(np.array(colour("f8f3e6"), np.float32), (height, width, 3)).copy()
        columns, rows = np.meshgrid(np.arange(width) / width, np.arange(height) / width)
        self.x, self.y = columns.astype(np.float32), rows.astype(np.float32)
        self.reserve = np.zeros((height, width), np.float32)
        """Where masking fluid keeps the paper dry, 0 … 1."""
        self._count = 0

    def wash(
        self,
        inside: Field,
        code: str,
        strength: Field | float,
        *,
        wet: float = 0.0,
        edge: float = 0.5,
        granulation: float = 0.35,
    ) -> None:
        """Lay a wash. inside: signed distance in sheet widths, below 0 within; wet: how far the edge bleeds."""
        self._count += 1
        key = self.seed + 97 * self._count
        unit = self.width / 960
        ragged = inside + 0.0035 * noise_field(self.height, self.width, 34, 5, key)
        if wet > 0:
            ragged = ragged + wet * (
                noise_field(self.height, self.width, 9, 6, key + 1)
                + 0.5 * noise_field(self.height, self.width, 30, 4, key + 2)
            )
        cover = smoothstep(0.0012 + 0.55 * wet, -0.0012 - 0.55 * wet, ragged.astype(np.float32))
        flow = noise_field(self.height, self.width, 5, 5, key + 3)
        pooled = 1 + 0.55 * flow + 0.25 * noise_field(self.height, self.width, 22, 4, key + 4)
        # Pigment is carried to the drying edge, and away from where water was dropped in.
        rim = np.clip(cover - blur(cover, 3.2 * unit), 0, 1) * 2.0 + np.clip(cover - blur(cover, 11 * unit), 0, 1) * 0.6
        bloom = (
            noise_field(self.height, self.width, 4, 4, key + 5)
            - 0.36
            + 0.05 * noise_field(self.height, self.width, 40, 3, key + 6)
        )
        backrun = np.exp(-((bloom / 0.012) ** 2)) * 0.35 - 0.30 * smoothstep(0.0, 0.06, bloom)
        cover = cover * (1 - self.reserve)
        density = cover * np.clip(pooled + edge * rim * 2.2 + backrun, 0.05, None) * strength
        density = density * np.clip(1 - granulation * 1.5 * self.tooth, 0.1, 2.2)
        absorb = -np.log(np.clip(np.array(colour(code), np.float32), 0.02, 0.995))
        self.light *= np.exp(-density[..., None] * absorb).astype(np.float32)

    def dry_stroke(self, inside: Field, code: str, strength: float, threshold: float) -> None:
        """A nearly dry brush that touches only the paper's high places."""
        touch = smoothstep(threshold, threshold + 0.12, self.tooth) * smoothstep(0.002, -0.002, inside)
        absorb = -np.log(np.clip(np.array(colour(code), np.float32), 0.02, 0.995))
        self.light *= np.exp(-(strength * touch)[..., None] * absorb).astype(np.float32)


def _line(sheet: Sheet, base: float, height: float, cells: float, seed: int, sharp: float) -> Field:
    """A skyline: how far each place lies above it (positive) or below, in sheet widths."""
    x = sheet.x[:1]
    noise = fractal_noise_at(x * cells, 0 * x + 0.37 * seed, 6, seed, 0)
    crest = (1 - np.abs(noise) * 2.0) * sharp + noise * (1 - sharp) * 1.5
    return (base - height * crest - sheet.y).astype(np.float32)


def _house_and_reeds(sheet: Sheet, shore: float, seed: int) -> tuple[Field, Field]:
    """Signed distances of the boat house and of the reeds in front."""
    x, y = sheet.x, sheet.y
    random = np.random.default_rng(seed + 1)
    hx, v = x - 0.43, y - shore
    house = np.maximum(np.abs(hx) - 0.045, np.maximum(v - 0.004, -v - 0.048))
    roof = np.maximum(np.abs(hx) - 0.058 + 0.9 * np.clip(-v - 0.045, 0, 1), np.maximum(v + 0.043, -v - 0.088))
    reeds = np.ones_like(x)
    for _ in range(170):
        foot = random.beta(0.75, 0.75)
        tall = random.uniform(0.05, 0.19) * (0.35 + 1.3 * abs(foot - 0.5))
        lean = random.normal(0, 0.25)
        bottom = y[-1, 0] - 0.03 + random.uniform(-0.01, 0.01)
        t = np.clip((bottom - y) / tall, 0, 1)
        reeds = np.minimum(
            reeds,
            np.maximum(
                np.abs(x - foot - lean * tall * t * t) - 0.0030 * (1 - t) ** 0.7 - 0.0004,
                np.maximum(y - bottom, bottom - tall - y),
            ),
        )
    return np.minimum(house, roof).astype(np.float32), reeds.astype(np.float32)


def render(long_side_px: int = LONG_SIDE_PX, seed: int = SEED) -> Picture:
    """The picture at a size."""
    height, width = size_for(long_side_px, 1.35)
    sheet = Sheet(height, width, seed)
    x, y = sheet.x, sheet.y
    edge = np.maximum(np.abs(x - 0.5) - 0.490, np.abs(y - height / width / 2) - height / width / 2 + 0.010).astype(
        np.float32
    )
    shore = 0.455
    sheet.wash(edge, "f6c98a", 0.75 * smoothstep(0.0, 0.40, y) * smoothstep(0.50, 0.36, y) + 0.05, edge=0.3)
    sheet.wash(
        np.maximum(edge, y - 0.33),
        "e88f9a",
        0.75 * smoothstep(0.34, 0.20, y) * smoothstep(-0.04, 0.2, y),
        wet=0.03,
        edge=0.1,
    )
    sheet.wash(
        np.maximum(edge, y - 0.20), "5d6fb3", 1.05 * smoothstep(0.24, 0.0, y), wet=0.045, edge=0.15, granulation=0.6
    )
    house, reeds = _house_and_reeds(sheet, shore, seed)
    sheet.reserve = np.clip(smoothstep(0.001, -0.001, house) + smoothstep(0.001, -0.001, reeds), 0, 1)
    clouds = y - 0.105 - 0.05 * np.sin(5 * x + 1.0)
    sheet.wash(
        np.maximum(edge, np.abs(clouds) - 0.020 - 0.02 * noise_field(height, width, 6, 3, seed + 5)).astype(np.float32),
        "6a5a94",
        0.55,
        wet=0.035,
        edge=0.3,
        granulation=0.7,
    )
    for base, tall, cells, sharp, code, strength, wet in (
        (0.355, 0.085, 3.2, 0.9, "9a9cc8", 0.42, 0.004), (0.385, 0.060, 4.1, 0.8, "6b7fb8", 0.50, 0.003),
        (0.425, 0.060, 5.0, 0.5, "3f6a90", 0.62, 0.0025),
    ):  # fmt: skip
        above = _line(sheet, base, tall, cells, seed + int(1000 * base), sharp)
        fade = 0.45 + 0.75 * smoothstep(0.22, 0.0, -above)
        sheet.wash(
            np.maximum(np.maximum(edge, above), y - shore).astype(np.float32),
            code,
            strength * fade,
            wet=wet,
            edge=0.55,
            granulation=0.55,
        )
        # The same range upside down in the water, paler and drawn out by ripples.
        ripple = 0.006 * np.sin(150 * y + 5 * np.sin(7 * x)) * smoothstep(shore, 0.7, y)
        mirror = np.take_along_axis(
            above, np.clip(np.round((2 * shore - y) * width).astype(np.int64), 0, height - 1), 0
        )
        mirror = mirror + ripple * 3
        sheet.wash(
            np.maximum(np.maximum(edge, mirror), shore + 0.004 - y).astype(np.float32),
            code,
            0.6 * strength,
            wet=0.008,
            edge=0.25,
            granulation=0.4,
        )
    sheet.wash(
        np.maximum(edge, shore + 0.01 - y).astype(np.float32),
        "4a8a9a",
        0.10 + 0.6 * smoothstep(0.52, 0.74, y),
        wet=0.004,
        edge=0.35,
    )
    streaks = noise_field(height, width, 9, 4, seed + 40, stretch=(0.5, 6.0))
    sheet.wash(
        np.maximum(edge, np.maximum(0.10 - streaks, shore + 0.03 - y)).astype(np.float32),
        "2f6380",
        0.34,
        wet=0.01,
        edge=0.5,
    )
    bank = y - shore - 0.010 + 0.028 * fractal_noise_at(4 * x, 0 * x + 3, 4, seed + 41, 0)
    sheet.wash(np.maximum(edge, np.abs(bank + 0.012) - 0.016).astype(np.float32), "6f8040", 0.75, wet=0.003, edge=0.6)
    # Firs along the far bank.
    random = np.random.default_rng(seed)
    firs = np.ones_like(x)
    for _ in range(46):
        foot, tall = (
            random.choice([random.uniform(0.05, 0.30), random.uniform(0.62, 0.95)]),
            random.uniform(0.035, 0.095),
        )
        top = shore - tall
        t = np.clip((y - top) / tall, 0, 1)
        layers = 0.62 + 0.38 * np.abs(np.sin(t * random.uniform(12, 17)))
        firs = np.minimum(
            firs,
            np.maximum(np.abs(x - foot) - 0.20 * tall * t * layers - 0.0012, np.maximum(top - y, y - shore - 0.008)),
        )
    sheet.wash(np.maximum(edge, firs).astype(np.float32), "2c5a4c", 0.85, wet=0.0015, edge=0.5)
    reflected = np.take_along_axis(firs, np.clip(np.round((2 * shore - y) * width).astype(np.int64), 0, height - 1), 0)
    sheet.wash(
        np.maximum(np.maximum(edge, reflected), shore + 0.012 - y).astype(np.float32),
        "3a6a70",
        0.42,
        wet=0.010,
        edge=0.2,
    )
    # The boat house and its image.
    sheet.reserve = smoothstep(0.001, -0.001, reeds)
    hx = x - 0.43
    for turn, share, wet in ((1.0, 1.0, 0.0008), (-1.0, 0.6, 0.006)):
        v = (y - shore) * turn
        wall = np.maximum(np.abs(hx) - 0.045, np.maximum(v - 0.004, -v - 0.048))
        roof = np.maximum(np.abs(hx) - 0.058 + 0.9 * np.clip(-v - 0.045, 0, 1), np.maximum(v + 0.043, -v - 0.088))
        door = np.maximum(np.abs(hx + 0.012) - 0.013, np.maximum(v - 0.004, -v - 0.032))
        sheet.wash(wall.astype(np.float32), "c43a2c", 1.25 * share, wet=wet, edge=0.6)
        sheet.wash(roof.astype(np.float32), "4a2f3c", 1.15 * share, wet=wet, edge=0.5)
        sheet.wash(door.astype(np.float32), "3a2430", 1.2 * share, wet=wet, edge=0.4)
    sheet.reserve[:] = 0
    sheet.wash(np.maximum(edge, reeds).astype(np.float32), "a3a845", 0.85, wet=0.0008, edge=0.5)
    sheet.wash(
        np.maximum(edge, np.maximum(reeds, 0.60 - y)).astype(np.float32),
        "4f7a35",
        0.25 + 1.3 * smoothstep(0.56, 0.72, y),
        wet=0.0008,
    )
    sheet.wash(
        np.maximum(edge, 0.70 - y + 0.05 * noise_field(height, width, 7, 4, seed + 50) - 0.05 * np.abs(x - 0.5)).astype(
            np.float32
        ),
        "4a5c38",
        0.60,
        wet=0.02,
        edge=0.4,
        granulation=0.7,
    )
    sheet.dry_stroke(
        np.maximum(edge, np.abs(y - 0.585 - 0.01 * np.sin(4 * x)) - 0.018).astype(np.float32), "24506b", 0.7, 0.12
    )
    for _ in range(18):
        px, py, r = random.uniform(0.05, 0.95), random.uniform(0.05, 0.7), abs(random.normal(0, 0.0014)) + 0.0006
        sheet.wash(
            (np.hypot(x - px, y - py) - r).astype(np.float32), str(random.choice(["3f5f86", "5b6b3a", "c43a2c"])), 0.35
        )
    return lit_relief(np.clip(sheet.light, 0, 1), sheet.tooth, depth=1.1 * width / 960, ambient=0.72)
