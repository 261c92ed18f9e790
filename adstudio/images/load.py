"""Reading pictures: the right way up, in sRGB, and never trusting a file.

Only formats on the allow-list are decoded; the header is judged before a single pixel is. The file itself is only read.
"""

from __future__ import annotations

import hashlib
import io
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import ExifTags, Image, ImageCms, ImageFile, UnidentifiedImageError

from adstudio.errors import ImageError
from adstudio.images.deep import read_deep
from adstudio.images.resize import resize

FORMATS = ("PNG", "JPEG", "WEBP", "TIFF", "AVIF", "BMP", "GIF")
"""What is decoded, in Pillow's names."""
MAX_PIXELS = 64_000_000
HARD_LIMIT_PIXELS = 268_000_000
WHITE = (255, 255, 255)
_KNOWN_AS = "PNG, JPEG, WebP, TIFF, AVIF, BMP or GIF"
_ORIENTATION = ExifTags.Base.Orientation
_SNIFFED = {
    b"%!PS": "EPS or PostScript",
    b"8BPS": "Photoshop (PSD)",
    b"SIMPLE": "FITS",
    b"<svg": "SVG",
    b"<?xml": "SVG or XML",
    b"%PDF": "PDF",
    b"PK\x03\x04": "a ZIP archive",
}
Crop = tuple[int, int, int, int]


@dataclass(frozen=True, slots=True, kw_only=True)
class ImageInfo:
    """What the header says. width, height: pixels of the upright picture; mode: Pillow's; animated: several frames."""

    width: int
    height: int
    format: str
    mode: str
    animated: bool


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class LoadedImage:
    """A picture in memory.

    pixels: float32 [height, width, 3], sRGB-encoded, 0 … 1, read-only, over the matte where the file is transparent;
    alpha: float32 [height, width] or None; bit_depth: bits per channel of the file; notices: what the artist should
    know.
    """

    pixels: NDArray[np.float32]
    alpha: NDArray[np.float32] | None
    source_format: str
    bit_depth: int
    had_profile: bool
    notices: tuple[str, ...] = ()

    @property
    def width(self) -> int:
        return int(self.pixels.shape[1])

    @property
    def height(self) -> int:
        return int(self.pixels.shape[0])


def probe_image(path: Path) -> ImageInfo:
    """The header of a picture. Raises ImageError for what is missing, unreadable, no picture, or far too large."""
    with _opened(path) as image:
        width, height = image.size
        if int(image.getexif().get(_ORIENTATION, 1) or 1) >= 5:
            width, height = height, width
        animated = bool(getattr(image, "is_animated", False))
        return ImageInfo(width=width, height=height, format=str(image.format), mode=image.mode, animated=animated)


def read_digest(path: Path) -> str:
    """SHA-256 of a file as 64 hexadecimal digits. Raises ImageError when it cannot be read."""
    try:
        with path.open("rb") as stream:
            return hashlib.file_digest(stream, "sha256").hexdigest()
    except OSError as error:
        raise ImageError(f"{path}: cannot be read ({error.strerror or error})") from error


def load_image(
    path: Path,
    *,
    matte: tuple[int, int, int] = WHITE,
    max_pixels: int = MAX_PIXELS,
    reduce_to_pixels: int | None = None,
    crop_px: Crop | None = None,
) -> LoadedImage:
    """Read a picture upright and in sRGB.

    matte: colour under transparent parts, 0 … 255 each. max_pixels: larger pictures are refused, or made smaller to
    reduce_to_pixels where that is given. crop_px: (left, top, width, height) in the upright picture.
    Raises ImageError.
    """
    notices: list[str] = []
    with _opened(path) as image:
        pixels_in_file = image.size[0] * image.size[1]
        if pixels_in_file > max_pixels and reduce_to_pixels is None:
            raise ImageError(
                f"{path}: {image.size[0]} × {image.size[1]} pixels are more than the {max_pixels // 1_000_000} million "
                "that are read at once; save a smaller copy, or let it be made smaller on opening"
            )
        if getattr(image, "is_animated", False):
            notices.append(f"{path.name} is animated; its first frame is used")
        orientation = int(image.getexif().get(_ORIENTATION, 1) or 1)
        profile = image.info.get("icc_profile")
        source_format, mode = str(image.format), image.mode
        deep = read_deep(path, source_format, mode)
        if deep is not None:
            values, depth = deep, 16
        else:
            values, depth = _decoded(path, image, profile, notices), 8
    if deep is not None and profile:
        values[..., :3] = _profile_applied_deep(values[..., :3], profile, path, notices)
    values = _upright(values, orientation)
    if crop_px is not None:
        values = _cropped(values, crop_px, path)
    if reduce_to_pixels is not None and values.shape[0] * values.shape[1] > max_pixels:
        scale = (reduce_to_pixels / (values.shape[0] * values.shape[1])) ** 0.5
        values = resize(values, max(1, int(values.shape[1] * scale)), max(1, int(values.shape[0] * scale)))
        notices.append(f"{path.name} was made smaller, to {values.shape[1]} × {values.shape[0]} pixels")
    pixels, alpha = _over_matte(values, matte)
    pixels.setflags(write=False)
    return LoadedImage(
        pixels=pixels,
        alpha=alpha,
        source_format=source_format,
        bit_depth=depth,
        had_profile=bool(profile),
        notices=tuple(notices),
    )


@contextmanager
def _opened(path: Path) -> Iterator[ImageFile.ImageFile]:
    """The picture, header read and size judged, nothing decoded yet; closed at the end."""
    try:
        stream = path.open("rb")
    except FileNotFoundError as error:
        raise ImageError(f"{path}: there is no such file") from error
    except OSError as error:
        raise ImageError(f"{path}: cannot be read ({error.strerror or error})") from error
    with stream:
        start = stream.read(512)
        stream.seek(0)
        if not start:
            raise ImageError(f"{path}: the file is empty")
        try:
            image = Image.open(stream, formats=FORMATS)
        except (UnidentifiedImageError, Image.DecompressionBombError, OSError, SyntaxError, ValueError) as error:
            raise ImageError(_refusal(path, start, error)) from error
        if not isinstance(image, ImageFile.ImageFile):  # pragma: no cover - Pillow gives nothing else
            raise ImageError(f"{path}: cannot be read as a picture")
        width, height = image.size
        if width * height > HARD_LIMIT_PIXELS:
            raise ImageError(
                f"{path}: claims {width} × {height} pixels, more than any picture this program opens; "
                "save it smaller with another program"
            )
        try:
            yield image
        except (OSError, SyntaxError, ValueError, EOFError, IndexError) as error:
            raise ImageError(f"{path}: the file is damaged or cut short ({error})") from error


def _refusal(path: Path, start: bytes, error: Exception) -> str:
    if isinstance(error, Image.DecompressionBombError):
        return f"{path}: claims more pixels than any picture this program opens; save it smaller with another program"
    head = start.lstrip(b"\xef\xbb\xbf \r\n\t")
    if head[4:8] == b"ftyp" and head[8:12] in (b"heic", b"heix", b"mif1", b"hevc", b"msf1"):
        return f"{path}: HEIC pictures are not read here; export it as JPEG, PNG or AVIF"
    for mark, kind in _SNIFFED.items():
        if head.startswith(mark) or (mark == b"<?xml" and b"<svg" in start):
            return f"{path}: this is {kind}, which is not opened; export it as {_KNOWN_AS}"
    return f"{path}: this is no picture that can be opened ({_KNOWN_AS})"


def _decoded(path: Path, image: Image.Image, profile: bytes | None, notices: list[str]) -> NDArray[np.float32]:
    """8-bit pixels as float32 [height, width, 3 or 4] in sRGB."""
    image.load()
    alpha: Image.Image | None = None
    if image.mode in ("RGBA", "LA", "PA", "RGBa", "La") or "transparency" in image.info:
        rgba = image.convert("RGBA")
        alpha = rgba.getchannel("A")
        image = image.convert("L") if image.mode in ("LA", "La") else rgba.convert("RGB")
    elif image.mode in ("P", "1", "I", "F") or image.mode.startswith("I;"):
        image = _flattened(image)
    elif image.mode not in ("RGB", "L", "CMYK", "LAB", "YCbCr"):
        image = image.convert("RGB")
    if profile:
        image = _profile_applied(image, profile, path, notices)
    if image.mode != "RGB":
        image = image.convert("RGB")
    values = np.asarray(image, np.float32) / np.float32(255)
    if alpha is not None:
        values = np.concatenate((values, np.asarray(alpha, np.float32)[..., None] / np.float32(255)), axis=2)
    return values


def _flattened(image: Image.Image) -> Image.Image:
    if image.mode in ("P", "1"):
        return image.convert("RGB")
    values = np.asarray(image).astype(np.float64)
    top = 65535.0 if values.max(initial=0) > 255 else 255.0
    if image.mode == "F" and values.max(initial=0) <= 1:
        top = 1.0
    return Image.fromarray(np.round(np.clip(values / top, 0, 1) * 255).astype(np.uint8))


def _profile_applied(image: Image.Image, profile: bytes, path: Path, notices: list[str]) -> Image.Image:
    try:
        source = ImageCms.ImageCmsProfile(io.BytesIO(profile))
        target = ImageCms.createProfile("sRGB")
        intent = ImageCms.Intent.RELATIVE_COLORIMETRIC
        flags = ImageCms.Flags.BLACKPOINTCOMPENSATION
        converted = ImageCms.profileToProfile(image, source, target, intent, "RGB", flags=flags)
    except (ImageCms.PyCMSError, OSError, ValueError, TypeError):
        notices.append(f"{path.name} has a broken colour profile; it is read as sRGB")
        return image
    return converted if converted is not None else image


def _profile_applied_deep(
    values: NDArray[np.float32], profile: bytes, path: Path, notices: list[str]
) -> NDArray[np.float32]:
    """ICC to sRGB for deep pixels: LittleCMS sees 8 bits here, so its correction goes through a cube of colours."""
    edges = np.linspace(0, 255, 18)
    grid = np.stack(np.meshgrid(edges, edges, edges, indexing="ij"), -1).reshape(-1, 18, 3)
    cube = Image.fromarray(np.round(grid).astype(np.uint8))
    mapped = _profile_applied(cube, profile, path, notices)
    if mapped is cube:
        return values
    shift = (np.asarray(mapped, np.float32) - np.round(grid)) / 255
    table = shift.reshape(18, 18, 18, 3)
    scaled = values * 17
    low = np.clip(scaled.astype(np.int64), 0, 16)
    part = (scaled - low).astype(np.float32)
    total = np.zeros_like(values)
    for corner in range(8):
        bits = np.array([(corner >> 2) & 1, (corner >> 1) & 1, corner & 1])
        weight = np.prod(np.where(bits == 1, part, 1 - part), axis=-1, keepdims=True)
        index = low + bits
        total += weight * table[index[..., 0], index[..., 1], index[..., 2]]
    corrected: NDArray[np.float32] = np.clip(values + total, 0, 1)
    return corrected


def _upright(values: NDArray[np.float32], orientation: int) -> NDArray[np.float32]:
    turned = {
        2: lambda v: v[:, ::-1],
        3: lambda v: v[::-1, ::-1],
        4: lambda v: v[::-1],
        5: lambda v: v.swapaxes(0, 1),
        6: lambda v: v.swapaxes(0, 1)[:, ::-1],
        7: lambda v: v.swapaxes(0, 1)[::-1, ::-1],
        8: lambda v: v.swapaxes(0, 1)[::-1],
    }.get(orientation)
    return values if turned is None else np.ascontiguousarray(turned(values))


def _cropped(values: NDArray[np.float32], crop_px: Crop, path: Path) -> NDArray[np.float32]:
    left, top, width, height = crop_px
    inside = left >= 0 and top >= 0 and left + width <= values.shape[1] and top + height <= values.shape[0]
    if not inside or width < 1 or height < 1:
        raise ImageError(
            f"{path}: the crop {list(crop_px)} does not lie inside the picture of {values.shape[1]} × {values.shape[0]}"
        )
    return np.ascontiguousarray(values[top : top + height, left : left + width])


def _over_matte(
    values: NDArray[np.float32], matte: tuple[int, int, int]
) -> tuple[NDArray[np.float32], NDArray[np.float32] | None]:
    if values.shape[2] == 3:
        return np.ascontiguousarray(values, np.float32), None
    alpha = np.ascontiguousarray(values[..., 3], np.float32)
    ground = np.asarray(matte, np.float32) / np.float32(255)
    over = values[..., :3] * alpha[..., None] + ground * (1 - alpha[..., None])
    return np.ascontiguousarray(over, np.float32), alpha
