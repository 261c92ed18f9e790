"""Checkpoints on disk, and runs that go on from them to the same pixels."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

import adstudio.engine.checkpoint
from adstudio.engine.checkpoint import FOLDER_NAME, clear_checkpoints, save_checkpoint, sound_checkpoints
from adstudio.engine.checkpoint_files import UNREADABLE, opened_arrays, write_arrays
from adstudio.engine.patch.field import Layout
from adstudio.engine.patch.synthesis import State
from adstudio.jobs.events import Checkpointed, Progress
from tests.engine.studio import Control, Outcome, Studio, labels, marks, scene


def state(*, rounds_done: int = 2) -> State:
    rng = np.random.default_rng(rounds_done)
    return State(
        level=1,
        rounds_done=rounds_done,
        picture=torch.from_numpy(rng.standard_normal((3, 6, 5), dtype=np.float32)),
        field=torch.from_numpy(rng.integers(0, 9, (2, 6, 5)).astype(np.int32)),
        bias=torch.from_numpy(rng.standard_normal((9, 9), dtype=np.float32)),
        layout=Layout((0, 5), (4, 4), (9, 8)),
        hold=1.25,
    )


def is_state(found: State, wanted: State) -> bool:
    tensors = ("picture", "field", "bias")
    same = all(torch.equal(getattr(found, name), getattr(wanted, name)) for name in tensors)
    numbers = ("level", "rounds_done", "layout")
    return same and all(getattr(found, name) == getattr(wanted, name) for name in numbers)


def test_a_checkpoint_comes_back_bit_for_bit_and_the_two_newest_are_kept(tmp_path: Path) -> None:
    paths = [save_checkpoint(tmp_path, 3, state(rounds_done=number)) for number in range(1, 6)]
    assert [path.name for path in sorted((tmp_path / FOLDER_NAME).iterdir())] == ["000004.npz", "000005.npz"]
    assert paths[-1].name == "000005.npz"
    found = list(sound_checkpoints(tmp_path))
    assert [one.image_index for one in found] == [3, 3]
    assert is_state(found[0].state, state(rounds_done=5))
    assert is_state(found[1].state, state(rounds_done=4))


def test_nothing_saved_is_nothing_found(tmp_path: Path) -> None:
    assert list(sound_checkpoints(tmp_path)) == []
    clear_checkpoints(tmp_path)
    (tmp_path / FOLDER_NAME).mkdir()
    assert list(sound_checkpoints(tmp_path)) == []


def test_every_way_to_damage_the_newest_falls_back_to_the_one_before(tmp_path: Path) -> None:
    save_checkpoint(tmp_path, 0, state(rounds_done=1))
    newest = save_checkpoint(tmp_path, 0, state(rounds_done=2))
    sound = newest.read_bytes()
    rng = np.random.default_rng(0)
    damaged = [sound[:length] for length in (0, 1, 100, len(sound) // 2, len(sound) - 1)]
    for _ in range(300):
        changed = bytearray(sound)
        changed[rng.integers(0, len(sound))] ^= 1 << rng.integers(0, 8)
        damaged.append(bytes(changed))
    fallen_back = 0
    for content in damaged:
        newest.write_bytes(content)
        found = next(sound_checkpoints(tmp_path))
        whole = is_state(found.state, state(rounds_done=2))
        assert whole or is_state(found.state, state(rounds_done=1)), "a damaged checkpoint was believed"
        fallen_back += not whole
    assert fallen_back > 200, "only flips in what zip files keep twice may go unnoticed"


def test_no_flipped_bit_in_any_byte_of_the_headers_gets_past_the_check(tmp_path: Path) -> None:
    """numpy parses an array's header as Python before the archive's check sum is looked at."""
    path = write_arrays(tmp_path, {"latents": np.zeros((2, 3), np.float32)})
    sound = path.read_bytes()
    for place in range(len(sound)):
        changed = bytearray(sound)
        changed[place] ^= 8
        path.write_bytes(bytes(changed))
        try:
            with opened_arrays(path) as arrays:
                found = arrays["latents"]
        except UNREADABLE:
            continue
        assert found.shape == (2, 3) and not found.any()


def test_a_checkpoint_of_another_format_is_passed_over(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    save_checkpoint(tmp_path, 0, state(rounds_done=1))
    with monkeypatch.context() as later:
        later.setattr(adstudio.engine.checkpoint, "_FORMAT", 99)
        save_checkpoint(tmp_path, 0, state(rounds_done=2))
    (found,) = sound_checkpoints(tmp_path)
    assert is_state(found.state, state(rounds_done=1))


def test_clearing_takes_our_own_files_alone(tmp_path: Path) -> None:
    path = save_checkpoint(tmp_path, 0, state())
    (path.parent / ".000002.npz.4711-abcd.part").write_bytes(b"torn off by a crash")
    clear_checkpoints(tmp_path)
    assert not path.parent.exists()
    path = save_checkpoint(tmp_path, 0, state())
    (path.parent / "notes.txt").write_text("mine")
    clear_checkpoints(tmp_path)
    assert [one.name for one in path.parent.iterdir()] == ["notes.txt"]


# --- runs that go on


@pytest.fixture(autouse=True)
def pictures(studio: Studio) -> None:
    studio.save("content.png", scene(72, 60))
    studio.save("style.png", marks(64, 80))
    studio.save("style-mask.png", labels(64, 80, 1, 2, below=True))
    studio.save("target-mask.png", labels(72, 60, 1, 2, below=True))


FIELDS: dict[str, dict[str, Any]] = {
    "style_transfer": {
        "task": "style_transfer",
        "content": "content.png",
        "styles": [{"image": "style.png", "mask": "style-mask.png"}],
        "content_mask": "target-mask.png",
        "variation": 0.2,
    },
    "appearance_transfer": {"task": "appearance_transfer", "content": "content.png", "styles": ["style.png"]},
    "texture": {"task": "texture", "styles": ["style.png", "style.png"], "seamless": "both", "seed": 8},
}


def steps_of(outcome: Outcome) -> list[int]:
    return [event.step for event in outcome.events if isinstance(event, Progress)]


@pytest.mark.parametrize("task", list(FIELDS))
def test_a_cancelled_run_goes_on_to_the_same_pixels(studio: Studio, task: str) -> None:
    whole = studio.run(**FIELDS[task])
    last = steps_of(whole)[-1]
    request = studio.request(**FIELDS[task])
    for step in (1, 3, last // 2, last - 1):
        stopped = studio.stop_at(request, step)
        assert stopped.events[-1].type != "finished"
        assert not (request.folder / "result.png").exists()
        assert list((request.folder / FOLDER_NAME).iterdir())
    resumed = studio.resume(request)
    assert steps_of(resumed) == [last]
    assert np.array_equal(resumed.picture, whole.picture)
    assert not (request.folder / FOLDER_NAME).exists()


def test_pictures_that_are_there_are_not_made_again(studio: Studio) -> None:
    fields = {**FIELDS["texture"], "images": 3}
    whole = studio.run(**fields)
    each = steps_of(whole)[-1] // 3
    request = studio.request(**fields)
    studio.stop_at(request, each + each // 2)
    first = request.folder / "result.png"
    before = first.read_bytes(), first.stat().st_mtime_ns
    assert not (request.folder / "result-2.png").exists()
    resumed = studio.resume(request)
    assert steps_of(resumed) == list(range(each + each // 2 + 1, 3 * each + 1))
    assert all(np.array_equal(ours, theirs) for ours, theirs in zip(resumed.pictures, whole.pictures, strict=True))
    assert (first.read_bytes(), first.stat().st_mtime_ns) == before


def test_cancelled_before_anything_was_done_starts_over(studio: Studio) -> None:
    request = studio.request(**FIELDS["texture"])
    stopped = studio.follow(request, Control(stop=lambda: True))
    assert not steps_of(stopped)
    assert not (request.folder / FOLDER_NAME).exists()
    assert np.array_equal(studio.resume(request).picture, studio.run(**FIELDS["texture"]).picture)


def test_a_pause_in_a_round_drops_it_and_leaves_a_checkpoint(studio: Studio) -> None:
    request = studio.request(**FIELDS["texture"])
    looks = 0
    holding = False

    def pause() -> bool:
        nonlocal looks, holding
        looks += 1
        holding = holding or looks == 40
        return holding

    events = []
    for event in studio.engine.run(request, Control(pause=pause)):
        events.append(event)
        if holding and isinstance(event, Progress | Checkpointed):
            holding = False  # what a host does once the artist lets the run go on
    outcome = Outcome(request=request, events=tuple(events))
    steps = steps_of(outcome)
    assert looks > 40
    assert steps == sorted(steps)
    assert set(steps) == set(range(min(steps), steps[-1] + 1))
    assert np.array_equal(outcome.picture, studio.run(**FIELDS["texture"]).picture)
