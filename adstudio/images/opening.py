"""Opening picture files: only formats on the allow-list, judged by the header before a single pixel is decoded."""

from __future__ import annotations

import struct
import warnings
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from PIL import ExifTags, Image, ImageFile

from adstudio.errors import ImageError

FORMATS = ("PNG", "JPEG", "WEBP", "TIFF", "AVIF", "BMP", "GIF")
SUFFIXES = (".png", ".jpg", ".jpeg", ".webp", ".avif", ".tif", ".tiff", ".bmp", ".gif")
"""What is decoded, in Pillow's names."""
HARD_LIMIT_PIXELS = 268_000_000
"""Pictures with more pixels are not opened at all."""

# Pillow's own limit is one for the whole process, lower, and partly a mere warning. Here every picture passes `opened`.
Image.MAX_IMAGE_PIXELS = None
# What it remarks about odd files is for programmers: a file is read, or refused in one line.
warnings.filterwarnings("ignore", category=UserWarning, module=r"PIL\.")

DAMAGED = (
    ArithmeticError,
    AttributeError,
    EOFError,
    LookupError,
    MemoryError,
    OSError,
    RuntimeError,
    SyntaxError,
    TypeError,
    ValueError,
    struct.error,
    zlib.error,
)
"""All that Pillow's readers raise for bytes they did not expect."""

_KNOWN_AS = "PNG, JPEG, WebP, TIFF, AVIF, BMP or GIF"
_OURS = {
    b"\x89PNG": "PNG",
    b"\xff\xd8\xff": "JPEG",
    b"RIFF": "WebP",
    b"II*\0": "TIFF",
    b"MM\0*": "TIFF",
    b"II+\0": "TIFF",
    b"MM\0+": "TIFF",
    b"GIF8": "GIF",
    b"BM": "BMP",
}
_OTHERS = {
    b"%!PS": "EPS or PostScript",
    b"\xc5\xd0\xd3\xc6": "EPS or PostScript",
    b"8BPS": "Photoshop (PSD)",
    b"SIMPLE  =": "FITS",
    b"<svg": "SVG",
    b"%PDF": "PDF",
    b"PK\x03\x04": "a ZIP archive",
    b"\x1f\x8b": "a gzip archive",
    b"\xff\x0a": "JPEG XL",
    b"\0\0\0\x0cJXL ": "JPEG XL",
    b"\0\0\0\x0cjP  ": "JPEG 2000",
    b"v/1\x01": "OpenEXR",
    b"gimp xcf": "GIMP (XCF)",
}
_HEIF_BRANDS = (b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"hevm", b"hevs", b"mif1", b"msf1")
_AVIF_BRANDS = (b"avif", b"avis")


@contextmanager
def opened(path: Path) -> Iterator[ImageFile.ImageFile]:
    """The picture, header read and size judged, nothing decoded yet; closed at the end.

    Raises ImageError for what cannot be opened, and for whatever Pillow raises inside the `with`.
    """
    try:
        if path.exists() and not path.is_file():
            raise ImageError(f"{path}: this is no file")
        stream = path.open("rb")
    except FileNotFoundError as error:
        raise ImageError(f"{path}: there is no such file") from error
    except (OSError, ValueError) as error:
        raise ImageError(f"{path}: cannot be read ({getattr(error, 'strerror', None) or error})") from error
    start = b""
    with stream:
        try:
            start = stream.read(512)
            stream.seek(0)
            if not start:
                raise ImageError(f"{path}: the file is empty")
            image = Image.open(stream, formats=FORMATS)
        except DAMAGED as error:
            raise ImageError(_refusal(path, start)) from error
        assert isinstance(image, ImageFile.ImageFile)
        width, height = image.size
        if width * height > HARD_LIMIT_PIXELS:
            raise ImageError(
                f"{path}: claims {width} × {height} pixels, more than any picture this program opens; "
                "save it smaller with another program"
            )
        try:
            yield image
        except MemoryError as error:
            raise ImageError(f"{path}: {width} × {height} pixels need more memory than there is") from error
        except DAMAGED as error:
            raise ImageError(f"{path}: the file is damaged or cut short ({error})") from error


def orientation_of(image: Image.Image) -> int:
    """How the picture lies in the file, 1 … 8 as in EXIF; 1 where nothing sensible says otherwise.

    TIFF: Pillow turns while it decodes, and this is 1 from then on.
    """
    try:
        value = image.getexif().get(ExifTags.Base.Orientation, 1)
    except OSError:
        raise  # of the picture, which some formats read up to here
    except DAMAGED:
        return 1
    return value if isinstance(value, int) and 1 <= value <= 8 else 1


def upright_size(image: Image.Image) -> tuple[int, int]:
    """(width, height) of the picture once it is turned upright. Pillow says so itself for TIFF."""
    width, height = image.size
    return (height, width) if image.format != "TIFF" and orientation_of(image) >= 5 else (width, height)


def _refusal(path: Path, start: bytes) -> str:
    head = start.lstrip(b"\xef\xbb\xbf \r\n\t")
    kind = next((name for mark, name in _OTHERS.items() if start.startswith(mark) or head.startswith(mark)), None)
    if kind is None and head.startswith(b"<") and b"<svg" in head:
        kind = "SVG"
    if kind is None and start[4:8] == b"ftyp":
        brands = [start[at : at + 4] for at in range(8, min(int.from_bytes(start[:4]), len(start)), 4)]
        if not any(brand in _AVIF_BRANDS for brand in brands) and any(brand in _HEIF_BRANDS for brand in brands):
            return f"{path}: HEIC pictures are not read here; export it as JPEG, PNG or AVIF"
        if any(brand in _AVIF_BRANDS for brand in brands):
            return _damaged(path, "AVIF")
        kind = "a film or another container"
    if kind is not None:
        return f"{path}: this is {kind}, which is not opened; export it as {_KNOWN_AS}"
    ours = next((name for mark, name in _OURS.items() if start.startswith(mark)), None)
    if ours is not None:
        return _damaged(path, ours)
    words = "this is text, no picture" if _is_text(start) else "this is no picture that can be opened"
    return f"{path}: {words}; {_KNOWN_AS} are read"


def _damaged(path: Path, kind: str) -> str:
    return f"{path}: this {kind} file is damaged, cut short, or of a kind that is not read; save it anew as PNG or JPEG"


def _is_text(start: bytes) -> bool:
    try:
        text = start.decode()
    except UnicodeDecodeError as error:
        if error.start < len(start) - 3:  # else a letter cut in two by the end of what was read
            return False
        text = start[: error.start].decode()
    return all(letter.isprintable() or letter in "\r\n\t\f" for letter in text)
