"""A project with all that a database can hold."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from adstudio.projects import Project, Query
from tests.fakes import Script
from tests.projects.makers import compute, finished_run, job_in
from tests.quick_disk import quick_folder


@contextmanager
def full_shelf() -> Iterator[Path]:
    """Its folder; it was closed as it should be."""
    with quick_folder() as folder:
        with Project.create(folder / "shelf") as project:
            first = finished_run(project, folder / "pictures")
            content = project.object_path(first.results[0].object.digest)
            second = finished_run(project, folder / "pictures", content=content, seed=2)
            cut = compute(
                project, project.begin_run(job_in(folder / "pictures", seed=3)), Script(error=OSError("gone"))
            )
            project.rate([first.id], 4)
            project.set_notes(second.id, "the one for the wall")
            project.change_tags([first.id, cut.id], add=["sea", "夕暮れ"])
            project.put_on_board(project.add_board("Wall"), [second.id, first.id])
            project.set_desk({"sliders": {"strength": 0.5}}, label="Strength")
            project.trash([cut.id])
        yield folder / "shelf.adproj"


def state_of(project: Project) -> object:
    """Everything but the steps of undo."""
    runs = [*project.page().runs, *project.page(Query(trashed=True)).runs]
    found = [project.run_ids(Query(text=text)) for text in ("wall", "sea", "夕暮れ")]
    return runs, project.boards(), project.desk("sliders"), project.name, found
