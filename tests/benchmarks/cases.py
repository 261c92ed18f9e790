"""What is compared: contents with styles, and textures; cropped square and brought to one size for everybody."""

from __future__ import annotations

from dataclasses import dataclass
from fnmatch import fnmatch
from pathlib import Path

from adstudio.images import centre_crop_to_aspect, load_image, resize, save_png

_SUFFIXES = frozenset({".jpg", ".jpeg", ".png", ".webp", ".avif", ".tif", ".tiff", ".bmp"})
_CONTENTS = ("content_",)
_STYLES = ("style_", "painting_")
_TEXTURES = ("texture_",)


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """One comparison. content: None for a texture, whose exemplar is the style. name: fit for a folder."""

    name: str
    content: Path | None
    style: Path


def find_cases(folder: Path, *, pairs: int | None = None, only: str = "*", textures: bool = True) -> list[Case]:
    """Every content with every style, then the textures of a folder.

    pairs: at most so many transfers; any number of them takes contents and styles evenly. only: glob on names such as
    "valley+oil" and "texture_pebbles".
    """
    files = sorted(path for path in folder.iterdir() if path.suffix.lower() in _SUFFIXES)
    contents, styles, exemplars = (_named(files, prefixes) for prefixes in (_CONTENTS, _STYLES, _TEXTURES))
    transfers = [
        Case(name=f"{_bare(content)}+{_bare(style)}", content=content, style=style)
        for shift in range(len(styles))
        for number, content in enumerate(contents)
        for style in (styles[(number + shift) % len(styles)],)
    ]
    woven = [Case(name=path.stem, content=None, style=path) for path in exemplars] if textures else []
    transfers = [case for case in transfers if fnmatch(case.name, only)][:pairs]
    return [*transfers, *(case for case in woven if fnmatch(case.name, only))]


def prepared(case: Case, folder: Path, size_px: int) -> Case:
    """The case with its pictures as size × size PNG files in a folder; those that are there already are taken."""
    folder.mkdir(parents=True, exist_ok=True)
    content = None if case.content is None else _squared(case.content, folder, size_px)
    return Case(name=case.name, content=content, style=_squared(case.style, folder, size_px))


def _squared(path: Path, folder: Path, size_px: int) -> Path:
    target = folder / f"{path.stem}.png"
    if not target.exists():
        save_png(target, resize(centre_crop_to_aspect(load_image(path).pixels, 1, 1), size_px, size_px))
    return target


def _named(files: list[Path], prefixes: tuple[str, ...]) -> list[Path]:
    return [path for path in files if path.name.startswith(prefixes)]


def _bare(path: Path) -> str:
    return path.stem.split("_", 1)[1]
