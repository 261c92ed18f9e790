"""Where everything lies in a project's folder."""

from __future__ import annotations

import re
import secrets
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

SUFFIX = ".adproj"
DATABASE_NAME = "project.db"
RUN_SIDECAR_NAME = "run.json"
_RUN_ID = re.compile(r"^\d{8}-\d{6}-[0-9a-f]{8}$")
_DIGEST = re.compile(r"^[0-9a-f]{64}$")


@dataclass(frozen=True, slots=True)
class Layout:
    """The paths of one project; all but `journal_holds` ask the disk nothing."""

    folder: Path

    @property
    def database(self) -> Path:
        return self.folder / DATABASE_NAME

    @property
    def journal(self) -> Path:
        return self.folder / f"{DATABASE_NAME}-journal"

    def journal_holds(self) -> bool:
        """Whether a commit is half done."""
        return self.journal.exists() and self.journal.stat().st_size > 0

    @property
    def seal(self) -> Path:
        """The digest of the database as it was closed; absent while it is open for writing."""
        return self.folder / f"{DATABASE_NAME}.sha256"

    @property
    def sidecar(self) -> Path:
        """What belongs to no single run: name, boards, desk."""
        return self.folder / "project.json"

    @property
    def lock(self) -> Path:
        return self.folder / "project.lock"

    @property
    def objects(self) -> Path:
        return self.folder / "objects"

    @property
    def runs(self) -> Path:
        return self.folder / "runs"

    @property
    def backups(self) -> Path:
        return self.folder / "backups"

    @property
    def trash(self) -> Path:
        """Folders of runs on their way out; what the artist put into the trash stays in `runs` until it is emptied."""
        return self.folder / "trash"

    def object(self, digest: str) -> Path:
        """Raises ValueError for what is no digest, so that nothing else becomes a path."""
        if not _DIGEST.match(digest):
            raise ValueError(f"not a SHA-256 digest: {digest!r}")
        return self.objects / digest[:2] / digest

    def run(self, run_id: str) -> Path:
        """Raises ValueError for what is no run's id, so that nothing else becomes a path."""
        if not is_run_id(run_id):
            raise ValueError(f"not the id of a run: {run_id!r}")
        return self.runs / run_id

    def run_sidecar(self, run_id: str) -> Path:
        return self.run(run_id) / RUN_SIDECAR_NAME


def new_run_id(at: datetime | None = None) -> str:
    """Sorts by time, is readable, and differs from every other also on systems that do not tell cases apart."""
    return f"{(at or datetime.now(UTC)).astimezone(UTC):%Y%m%d-%H%M%S}-{secrets.token_hex(4)}"


def is_run_id(name: str) -> bool:
    """Whether a folder below `runs` is called as a run is."""
    return _RUN_ID.match(name) is not None


def is_digest(name: str) -> bool:
    """Whether a file below `objects` is called as an object is."""
    return _DIGEST.match(name) is not None
