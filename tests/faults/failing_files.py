"""A file layer that counts its steps and fails at a chosen one, or from a chosen one on, as a disk that goes away."""

from __future__ import annotations

import errno
from pathlib import Path

from adstudio.projects.files import Files


class FailingFiles(Files):
    """fail_at: number of the step, from 1; 0 for never. lasting: all later steps fail too. code: of the OSError."""

    def __init__(self, fail_at: int = 0, *, lasting: bool = False, code: int = errno.EIO) -> None:
        self.steps: list[str] = []
        self._fail_at = fail_at
        self._lasting = lasting
        self._code = code

    def step(self, name: str, path: Path) -> None:
        self.steps.append(f"{name} {path.name}")
        number = len(self.steps)
        if self._fail_at and (number == self._fail_at or (self._lasting and number > self._fail_at)):
            raise OSError(self._code, "the test has pulled the plug", str(path))

    def arm(self, fail_at: int, *, lasting: bool) -> None:
        """Count from here on."""
        self.steps, self._fail_at, self._lasting = [], fail_at, lasting
