"""A gallery that opens from disk in any browser without a network: a folder with its pictures, or one HTML file."""

from __future__ import annotations

import base64
import contextlib
import io
import os
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import numpy as np
from PIL import Image

from adstudio.errors import AdStudioError, StorageError
from adstudio.exports.gallery_html import Shown, ShownItem, page_text
from adstudio.images import atomic_write_bytes, encode_png, fit_within, load_image, to_uint8
from adstudio.images.profiles import srgb_profile

PAGE_NAME = "index.html"
_PICTURES = "pictures"
_THUMBNAIL_PX = 640
_INPUT_PX = 480
_VIEW_PX = 2048
_EMBEDDED_PX = 1280
_JPEG_QUALITY = 90

Progress = Callable[[int, int], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class NamedPicture:
    """A picture under a name for people."""

    name: str
    path: Path


@dataclass(frozen=True, slots=True, kw_only=True)
class GalleryItem:
    """A result. before: the content it was made from. inputs: what stands beside it. settings: name and value."""

    title: str
    result: Path
    before: Path | None = None
    inputs: tuple[NamedPicture, ...] = ()
    settings: tuple[tuple[str, str], ...] = ()
    prompt: str = ""
    notes: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Gallery:
    """What a gallery shows, in this order. introduction: paragraphs, with empty lines between them."""

    title: str
    items: tuple[GalleryItem, ...]
    introduction: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Written:
    """page: what to open. shown: how many pictures are in it. unread: pictures that could not be read."""

    page: Path
    shown: int
    unread: tuple[Path, ...] = ()


def write_gallery_folder(folder: Path, gallery: Gallery, progress: Progress = lambda _done, _of: None) -> Written:
    """Write a folder with index.html and the pictures, whole or not at all; the originals stay untouched.

    folder: new or empty. Pictures are written anew as sRGB without metadata.
    Raises StorageError where it holds something or cannot be written.
    """
    folder = folder.absolute()
    part = folder.with_name(f".{os.urandom(8).hex()}.part")
    try:
        if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
            raise StorageError(f"{folder}: is not empty; choose a new folder for the gallery")
        (part / _PICTURES).mkdir(parents=True)
        shelf = _Folder(part)
        text = _page(gallery, shelf, progress)
        atomic_write_bytes(part / PAGE_NAME, text)
        if folder.exists():
            folder.rmdir()
        part.rename(folder)
    except OSError as error:
        raise StorageError(f"{folder}: the gallery cannot be written ({error.strerror or error})") from error
    finally:
        with contextlib.suppress(OSError):
            if part.exists():
                shutil.rmtree(part)
    return Written(page=folder / PAGE_NAME, shown=shelf.shown, unread=tuple(shelf.unread))


def write_gallery_file(page: Path, gallery: Gallery, progress: Progress = lambda _done, _of: None) -> Written:
    """Write one HTML file with everything in it, pictures at up to 1280 pixels a side; one that is there is replaced.

    Raises StorageError, with the file as it was before.
    """
    page = page.absolute()
    shelf = _Embedded()
    text = _page(gallery, shelf, progress)
    try:
        page.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise StorageError(f"{page}: the gallery cannot be written ({error.strerror or error})") from error
    atomic_write_bytes(page, text)
    return Written(page=page, shown=shelf.shown, unread=tuple(shelf.unread))


class _Shelf(Protocol):
    """Where the page's pictures go."""

    view_px: int
    full_size: bool
    shown: int
    unread: list[Path]

    def put(self, name: str, content: bytes, /) -> str:
        """Keep a file and give the address under which the page finds it."""
        ...


class _Folder:
    view_px = _VIEW_PX
    full_size = True

    def __init__(self, base: Path) -> None:
        self._base = base
        self.shown = 0
        self.unread: list[Path] = []

    def put(self, name: str, content: bytes, /) -> str:
        atomic_write_bytes(self._base / _PICTURES / name, content)
        return f"{_PICTURES}/{name}"


class _Embedded:
    view_px = _EMBEDDED_PX
    full_size = False

    def __init__(self) -> None:
        self.shown = 0
        self.unread: list[Path] = []

    def put(self, _name: str, content: bytes, /) -> str:
        return "data:image/jpeg;base64," + base64.b64encode(content).decode()


def _page(gallery: Gallery, shelf: _Shelf, progress: Progress) -> bytes:
    items: list[ShownItem] = []
    for number, item in enumerate(gallery.items, start=1):
        shown = _item(number, item, shelf)
        if shown is not None:
            items.append(shown)
        progress(number, len(gallery.items))
    shelf.shown = len(items)
    if not items:
        names = ", ".join(path.name for path in shelf.unread) or "none was named"
        raise StorageError(f"There is no picture for the gallery that can be read ({names})")
    return page_text(gallery.title, gallery.introduction, items).encode("utf-8", "replace")


def _item(number: int, item: GalleryItem, shelf: _Shelf) -> ShownItem | None:
    image = _read(item.result, shelf)
    if image is None:
        return None
    stem = f"{number:03d}"
    before = _read(item.before, shelf) if item.before is not None else None
    inputs: list[tuple[str, Shown]] = []
    for index, one in enumerate(item.inputs, start=1):
        picture = _read(one.path, shelf)
        if picture is not None:
            inputs.append((one.name, _put(f"{stem}-input-{index}.jpg", picture, _INPUT_PX, shelf)))
    full = shelf.put(f"{stem}-full.png", encode_png(np.asarray(image))) if shelf.full_size else ""
    return ShownItem(
        title=item.title,
        thumbnail=_put(f"{stem}-small.jpg", image, _THUMBNAIL_PX, shelf),
        picture=_put(f"{stem}.jpg", image, shelf.view_px, shelf),
        before=_put(f"{stem}-before.jpg", before, shelf.view_px, shelf) if before is not None else None,
        full=full,
        inputs=tuple(inputs),
        settings=item.settings,
        prompt=item.prompt,
        notes=item.notes,
    )


def _read(path: Path, shelf: _Shelf) -> Image.Image | None:
    try:
        return Image.fromarray(to_uint8(load_image(path).pixels))
    except (AdStudioError, OSError):
        shelf.unread.append(path)
        return None


def _put(name: str, image: Image.Image, side_px: int, shelf: _Shelf) -> Shown:
    small = image.resize(fit_within(image.size, side_px), Image.Resampling.LANCZOS)
    stream = io.BytesIO()
    small.save(stream, "JPEG", quality=_JPEG_QUALITY, subsampling=0, icc_profile=srgb_profile())
    return Shown(address=shelf.put(name, stream.getvalue()), width=small.width, height=small.height)
