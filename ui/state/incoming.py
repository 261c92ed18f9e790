"""What a drop or the clipboard brings: files, or a bitmap that becomes a file first."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from PySide6.QtCore import QMimeData
from PySide6.QtGui import QImage

from adstudio.images.opening import SUFFIXES

_MOST_FROM_FOLDER = 16


@dataclass(frozen=True, slots=True, kw_only=True)
class Incoming:
    """files: in the order given. bitmap: pixels without a file, or None. addresses: of the web, nothing is fetched."""

    files: tuple[Path, ...] = ()
    bitmap: QImage | None = None
    addresses: tuple[str, ...] = ()


def incoming_from(mime: QMimeData) -> Incoming | None:
    """What can be taken from a drop or the clipboard; None where there is nothing for us. Reads no file."""
    files = tuple(Path(url.toLocalFile()) for url in mime.urls() if url.isLocalFile())
    if files:
        return Incoming(files=files)
    if mime.hasImage():
        image = QImage(mime.imageData())
        if not image.isNull():
            return Incoming(bitmap=image)
    addresses = tuple(url.toString() for url in mime.urls() if not url.isLocalFile() and url.isValid())
    return Incoming(addresses=addresses) if addresses else None


def resolve(incoming: Incoming, folder: Path) -> tuple[Path, ...]:
    """Files to use: folders opened, a bitmap saved as PNG into `folder`. Runs in the background; raises OSError."""
    if incoming.bitmap is not None:
        folder.mkdir(parents=True, exist_ok=True)
        target = folder / f"Pasted {datetime.now().astimezone():%Y-%m-%d %H.%M.%S.%f}"[:-4]
        target = target.with_name(target.name + ".png")
        partial = target.with_name(target.name + ".part")
        if not incoming.bitmap.save(str(partial), "PNG"):  # type: ignore[call-overload]
            raise OSError(28, "The pasted picture could not be saved; is there room on the disk?", str(target))
        partial.replace(target)
        return (target,)
    found: list[Path] = []
    for path in incoming.files:
        if path.is_dir():
            inside = sorted(p for p in path.iterdir() if p.suffix.lower() in SUFFIXES)
            found.extend(inside[:_MOST_FROM_FOLDER])
        else:
            found.append(path)
    return tuple(found)
