"""Files under their own SHA-256: written once, never rewritten, the same picture never twice."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from pathlib import Path

from PIL import Image

from adstudio.errors import ImageError, ProjectError
from adstudio.images import probe_image
from adstudio.projects.files import Files, digest_and_size
from adstudio.projects.layout import Layout, is_digest
from adstudio.projects.values import Health, StoredObject

_OTHER = "application/octet-stream"


class Objects:
    """The files below `objects`. It knows nothing of the database: what is not registered there is an orphan."""

    def __init__(self, layout: Layout, files: Files) -> None:
        self._layout = layout
        self._files = files

    def add(self, source: Path) -> StoredObject:
        """Take a copy of a file; it is on the disk before this returns. Raises OSError."""
        digest, size_bytes = digest_and_size(source)
        if self.look_at(digest) is not Health.SOUND:
            self._files.make_folder(self._layout.objects)
            digest, size_bytes = self._files.copy_in(source, self._layout.objects, self._layout.object)
            self._files.protect(self._layout.object(digest))
        return described(self._layout.object(digest), digest, size_bytes, name=source.name)

    def adopt(self, source: Path) -> StoredObject:
        """Take a file of this project's folder without a second copy of its content, where links are possible.

        What it holds must not be changed in place any more. Raises OSError.
        """
        digest, size_bytes = digest_and_size(source)
        target = self._layout.object(digest)
        if self.look_at(digest) is not Health.SOUND:
            self._files.make_folder(target.parent)
            self._files.link_or_copy(source, target)
            self._files.protect(target)
        return described(target, digest, size_bytes, name=source.name)

    def add_bytes(self, content: bytes, name: str) -> StoredObject:
        """Take content that is in no file yet. name: whose suffix says what it is. Raises OSError."""
        digest = hashlib.sha256(content).hexdigest()
        target = self._layout.object(digest)
        if self.look_at(digest) is not Health.SOUND:
            self._files.make_folder(target.parent)
            self._files.write_whole(target, content)
            self._files.protect(target)
        return described(target, digest, len(content), name=name)

    def path(self, digest: str) -> Path:
        """Where an object lies, whether it is there or not. Raises ProjectError for what is no digest."""
        try:
            return self._layout.object(digest)
        except ValueError as error:
            raise ProjectError(str(error)) from error

    def look_at(self, digest: str) -> Health:
        """Read an object to its end and say how it is: SOUND, MISSING or DAMAGED."""
        try:
            found, _ = digest_and_size(self._layout.object(digest))
        except FileNotFoundError:
            return Health.MISSING
        except OSError:
            return Health.DAMAGED
        return Health.SOUND if found == digest else Health.DAMAGED

    def place(self, digest: str, target: Path) -> None:
        """Put an object's content under another name of the project: a link, or a copy. Raises OSError."""
        self._files.link_or_copy(self._layout.object(digest), target)

    def remove(self, digest: str) -> None:
        """Raises OSError."""
        self._files.remove(self._layout.object(digest))

    def all(self) -> Iterator[tuple[str, int]]:
        """(digest, size in bytes) of every file that is called as an object is."""
        if not self._layout.objects.is_dir():
            return
        for folder in self._layout.objects.iterdir():
            if folder.is_dir():
                for path in folder.iterdir():
                    if is_digest(path.name) and path.name[:2] == folder.name:
                        yield path.name, path.stat().st_size

    def left_overs(self) -> Iterator[Path]:
        """Half-written files that a crash left behind."""
        if self._layout.objects.is_dir():
            yield from self._layout.objects.glob(".*.part")
            yield from self._layout.objects.glob("*/.*.part")


def described(path: Path, digest: str, size_bytes: int, *, name: str) -> StoredObject:
    """What an object is, from its first bytes; what is no picture that can be read is just a file."""
    try:
        info = probe_image(path)
    except ImageError:
        suffixed = {
            ".npz": "application/x-npz",
            ".json": "application/json",
            ".safetensors": "application/x-safetensors",
        }
        media_type = suffixed.get(Path(name).suffix.lower(), _OTHER)
        return StoredObject(digest=digest, size_bytes=size_bytes, media_type=media_type)
    return StoredObject(
        digest=digest,
        size_bytes=size_bytes,
        media_type=Image.MIME.get(info.format, f"image/{info.format.lower()}"),
        width=info.width,
        height=info.height,
    )
