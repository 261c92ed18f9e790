"""Fault 5: the disk is full while pictures leave the program."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from adstudio.errors import StorageFullError
from adstudio.exports.gallery import Gallery, GalleryItem, write_gallery_file, write_gallery_folder
from adstudio.images import save_png
from tests.faults.small_disks import small_disk


@pytest.mark.parametrize("single_file", [False, True])
def test_fault_5_a_gallery_on_a_full_disk_leaves_nothing_half(tmp_path: Path, single_file: bool) -> None:
    noise = np.random.default_rng(0).integers(0, 256, (320, 320, 3), dtype=np.uint8)
    save_png(tmp_path / "noise.png", noise)
    gallery = Gallery(title="", items=tuple(GalleryItem(title="", result=tmp_path / "noise.png") for _ in range(8)))
    with small_disk(tmp_path / "disk", 1 << 20) as disk:
        write, name = (write_gallery_file, "page.html") if single_file else (write_gallery_folder, "gallery")
        with pytest.raises(StorageFullError, match="the disk is full"):
            write(disk / name, gallery)
        assert list(disk.iterdir()) == []
