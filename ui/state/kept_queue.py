"""The queue of the open project, kept in its folder by the project's own thread."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from pathlib import Path

from adstudio.errors import AdStudioError
from adstudio.jobs.queue_entry import EntryState, QueueEntry, QueueFile
from adstudio.projects import Project
from ui.state.project_room import ProjectRoom
from ui.state.runs import entry_of

_NAME = "queue.json"


class KeptQueue:
    """Where a `JobQueue` is kept. Saving returns at once; what an earlier start left is handed in as `earlier`."""

    def __init__(self, room: ProjectRoom, project: Path, earlier: Sequence[QueueEntry] = ()) -> None:
        self._room = room
        self._project = project
        self._earlier = tuple(earlier)

    def load(self) -> tuple[QueueEntry, ...]:
        return self._earlier

    def save(self, entries: Sequence[QueueEntry]) -> None:
        """In the project's thread; another project that was opened meanwhile is left alone."""
        kept = tuple(entries)

        def write(project: Project) -> None:
            if project.folder == self._project:
                QueueFile(project.folder / _NAME).save(kept)

        self._room.ask(write, key="queue")


def read_earlier(project: Project) -> tuple[QueueEntry, ...]:
    """What an earlier start left in a project, all of it held back; runs that are made or gone are left out.

    A run that was going on with none behind it is left out, too: the history offers to go on with it.
    """
    stored = QueueFile(project.folder / _NAME).load()
    if [one.state for one in stored] == [EntryState.RUNNING]:
        return ()
    earlier: list[QueueEntry] = []
    for one in stored:
        try:
            run = entry_of(project, project.run(one.folder.name))
        except AdStudioError:
            continue
        if run.status != "finished" and not run.trashed:
            earlier.append(dataclasses.replace(one, folder=run.folder, state=EntryState.HELD))
    return tuple(earlier)
