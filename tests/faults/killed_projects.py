"""Kills a program that works on a project: `python -m tests.faults.killed_projects FOLDER ROUNDS SEED`.

Each round is a forked process that begins runs, computes, rates, tags, trashes, empties and backs up, and notes in a
file what it has been told is done. After a random number of steps and a random time it gets SIGKILL; then the project
is opened and held to the notes. Exit status 0 where nothing was lost; the last line says what the kills met.
"""

from __future__ import annotations

import json
import os
import random
import signal
import sys
import time
from collections import Counter
from pathlib import Path

from adstudio.projects import Fault, Project, Query, RunState
from adstudio.projects.files import Files, digest_and_size
from tests.fakes import Script
from tests.projects.makers import compute, job_in

_MOST_STEPS = 200
_LONGEST_DELAY_S = 0.01


class Notes:
    """What is done, a line each, in a file that outlives the process."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def add(self, *words: str) -> None:
        handle = os.open(self.path, os.O_WRONLY | os.O_APPEND | os.O_CREAT)
        os.write(handle, (" ".join(words) + "\n").encode())
        os.close(handle)

    def of(self, kind: str) -> list[list[str]]:
        lines = self.path.read_text().splitlines() if self.path.exists() else []
        return [line.split()[1:] for line in lines if line.startswith(f"{kind} ")]


class WatchedFiles(Files):
    """Says what is going on, and calls for the killer after so many steps; the work goes on until the kill comes."""

    def __init__(self, place: Path, call: int, steps: int) -> None:
        self._handle = os.open(place, os.O_WRONLY | os.O_CREAT)
        self._call = call
        self._left = steps
        self.doing = ""

    def step(self, name: str, path: Path) -> None:
        os.pwrite(self._handle, self.doing.ljust(20).encode(), 0)
        self._left -= 1
        if self._left == 0:
            os.write(self._call, b"!")


def work(folder: Path, notes: Notes, watched: WatchedFiles, round_: int) -> None:
    """What an artist does in a few hours, without end."""
    watched.doing = "open"
    with Project.open(folder, files=watched) as project:
        for number in range(10_000):
            watched.doing = "begin"
            width = 8 + (round_ * 37 + number) % 500
            request = project.begin_run(job_in(folder.parent / "pictures", width=width))
            watched.doing = "compute"
            run = compute(project, request, Script(steps=2, previews=False, checkpoints=True))
            notes.add("made", run.id, run.results[0].object.digest)
            watched.doing = "edit"
            project.rate([run.id], 1 + number % 5)
            notes.add("rated", run.id, str(1 + number % 5))
            project.change_tags([run.id], add=[f"round {round_}"])
            if number % 2:
                oldest = project.run_ids()[-1]
                notes.add("emptying", oldest)
                project.trash([oldest])
                watched.doing = "empty"
                project.empty_trash()
                watched.doing = "back up"
                project.back_up()


def held_to(folder: Path, notes: Notes) -> None:
    """Raise AssertionError where something that was told is not so."""
    with Project.open(folder) as project:
        assert project.notices == (), project.notices
        assert project._store.database.complaint(thorough=True) == ""
        findings = project.check()
        assert all(finding.fault is Fault.ORPHANS for finding in findings), findings
        going = {run_id for (run_id,) in notes.of("emptying")}
        there = set(project.run_ids()) | set(project.run_ids(Query(trashed=True)))
        for run_id, digest in notes.of("made"):
            if run_id in there:
                run = project.run(run_id)
                assert run.state is RunState.FINISHED
                assert [result.object.digest for result in run.results] == [digest]
                assert digest_and_size(project.object_path(digest))[0] == digest
            else:
                assert run_id in going, f"{run_id} is lost"
        for run_id, stars in notes.of("rated"):
            assert run_id not in there or project.run(run_id).rating == int(stars)
        assert not any(run.state is RunState.RUNNING for run in project.runs(list(there)))


def main(place: Path, rounds: int, seed: int) -> None:
    chance = random.Random(seed)
    folder = place / "project.adproj"
    Project.create(folder).close()
    notes = Notes(place / "notes")
    doing = place / "doing"
    kills: Counter[str] = Counter()
    for round_ in range(rounds):
        doing.write_text("")
        steps, delay_s = chance.randint(1, _MOST_STEPS), chance.uniform(0.0, _LONGEST_DELAY_S)
        called, call = os.pipe()
        child = os.fork()
        if child == 0:
            work(folder, notes, WatchedFiles(doing, call, steps), round_)
            os._exit(3)
        os.close(call)
        os.read(called, 1)
        time.sleep(delay_s)
        os.kill(child, signal.SIGKILL)
        os.close(called)
        _, status = os.waitpid(child, 0)
        assert os.waitstatus_to_exitcode(status) == -signal.SIGKILL, "the work ended by itself"
        kills[doing.read_text().strip() or "start"] += 1
        held_to(folder, notes)
    sys.stdout.write(json.dumps({"kills": kills, "made": len(notes.of("made"))}) + "\n")


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3]))
