"""How the official code reads and writes pictures; its recorded runs start from what these give."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from tests.parity.models import Models
from tests.parity.recorded import BadCaseError, Case
from tests.parity.report import Report, largest

_MULTIPLE = 64
_BORDER_PX, _COLUMNS = 2, 8


def load_picture(path: Path, size: tuple[int, int] | None = None, mode: str = "RGB") -> Tensor:
    """A picture as float32 [1, channels, height, width] in 0 … 1, bicubic to (width, height) or to multiples of 64."""
    if not path.is_file():
        raise BadCaseError(f"there is no picture {path}; give its folder with --images")
    with Image.open(path) as opened:
        picture = opened.convert(mode)
    width, height = size or (picture.width // _MULTIPLE * _MULTIPLE, picture.height // _MULTIPLE * _MULTIPLE)
    if (width, height) != picture.size:
        picture = picture.resize((width, height), Image.Resampling.BICUBIC)
    values = torch.from_numpy(np.array(picture, dtype=np.float32) / 255)
    return (values[None] if mode == "L" else values.permute(2, 0, 1))[None]


def saved_bytes(images: Tensor) -> Tensor:
    """Images [batch, 3, height, width] as uint8 [height, width, 3]; several in a grid with black borders."""
    pixels = (images * 255 + 0.5).clamp(0, 255).to(torch.uint8)
    if len(pixels) == 1:
        return pixels[0].permute(1, 2, 0)
    height, width = pixels.shape[-2] + _BORDER_PX, pixels.shape[-1] + _BORDER_PX
    columns = min(_COLUMNS, len(pixels))
    rows = -(-len(pixels) // columns)
    grid = torch.zeros(3, rows * height + _BORDER_PX, columns * width + _BORDER_PX, dtype=torch.uint8)
    for index, image in enumerate(pixels):
        top, left = index // columns * height + _BORDER_PX, index % columns * width + _BORDER_PX
        grid[:, top : top + image.shape[1], left : left + image.shape[2]] = image
    return grid.permute(1, 2, 0)


def replay_image_io(case: Case, models: Models, report: Report) -> None:
    """Names say what was read: load_default_NAME, load_size_WxH_NAME, load_up_WxH_NAME, load_L_NAME_resized_SIDE."""
    for name in case.arrays:
        if name.startswith("load_"):
            wanted = case.tensor(name)
            errors = [largest(picture, wanted) for picture in _candidates(name, models.images)]
            report.absolute("load", torch.tensor(min(errors)), torch.tensor(0.0), 1e-6)
    inputs = case.tensor("save_in")
    for name in case.arrays:
        if name.startswith("save_b"):
            count = int(name.removeprefix("save_b").split("_")[0])
            report.equal("save", torch.equal(saved_bytes(inputs[:count]), case.tensor(name)), True)


def _candidates(name: str, folder: Path) -> list[Tensor]:
    """What a record may have been read from: the picture it names, or, as it says only "mask", any of the masks."""
    rest = name.removeprefix("load_")
    if rest.startswith("L_"):
        stem, _, side = rest.removeprefix("L_").rpartition("_resized_")
        named = folder / f"{stem}.png"
        paths = [named] if named.is_file() else sorted(folder.glob("mask*.png"))
        return [load_picture(path, (int(side), int(side)), "L") for path in paths or [named]]
    kind, _, rest = rest.partition("_")
    if kind == "default":
        return [load_picture(folder / f"{rest}.png")]
    size, _, stem = rest.partition("_")
    width, _, height = size.partition("x")
    return [load_picture(folder / f"{stem}.png", (int(width), int(height)))]
