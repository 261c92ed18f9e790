"""Intermediate states of a run that are kept, within a budget: what is thinned out leaves the rest evenly spread."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from adstudio.projects.rows import number_of, put_frame
from adstudio.projects.store import Store
from adstudio.projects.trash import remove_unused
from adstudio.projects.values import Frame, StoredObject

FRAME_BUDGET_BYTES = 64 << 20


def add(
    store: Store,
    run_id: str,
    frame: Frame,
    *,
    picture: tuple[bytes, str] | None,
    latents: tuple[bytes, str] | None,
    budget_bytes: int,
) -> bool:
    """Keep a frame and thin the others out; False where it finds no place within the budget.

    picture, latents: content and a file name whose suffix says what it is.
    """
    size_bytes = sum(len(part[0]) for part in (picture, latents) if part is not None)
    with store.change("the frame cannot be kept", follow=0):  # its sidecar follows with the next edit
        number = number_of(store.database, run_id)
        there = [one for one in store.run(run_id).frames if _place(one) != _place(frame)]
        dropped = thinned(there, frame, size_bytes, budget_bytes)
        if any(_place(one) == _place(frame) for one in dropped):
            return False
        stored = replace(
            frame,
            picture=store.objects.add_bytes(*picture) if picture is not None else None,
            latents=store.objects.add_bytes(*latents) if latents is not None else None,
        )
        with store.database.transaction():
            put_frame(store.database, number, stored)
            for one in dropped:
                store.database.write(
                    "DELETE FROM frames WHERE run = ? AND image_index = ? AND step = ?", (number, *_place(one))
                )
            store.database.write("UPDATE runs SET stale = 1 WHERE number = ?", (number,))
        remove_unused(store, [one.digest for frame_ in dropped for one in _objects(frame_)])
    return True


def pin(store: Store, run_id: str, image_index: int, step: int, *, pinned: bool) -> None:
    """Keep a frame whatever the budget says, or let it be thinned out again."""
    with store.change("the frame cannot be kept"):
        number = number_of(store.database, run_id)
        with store.database.transaction():
            store.database.write(
                "UPDATE frames SET pinned = ? WHERE run = ? AND image_index = ? AND step = ?",
                (pinned, number, image_index, step),
            )
            store.database.write("UPDATE runs SET stale = 1 WHERE number = ?", (number,))


def thinned(there: Sequence[Frame], new: Frame, new_bytes: int, budget_bytes: int) -> list[Frame]:
    """Which frames go so that the rest stays within the budget; `new` itself only when all else has gone.

    The one goes first whose neighbours are nearest to each other; pinned ones stay. The first of each picture goes
    after all those between.
    """
    kept = sorted([*there, new], key=_place)
    sizes = {_place(one): sum(part.size_bytes for part in _objects(one)) for one in there} | {_place(new): new_bytes}
    dropped: list[Frame] = []
    while sum(sizes[_place(one)] for one in kept) > budget_bytes:
        free = [index for index, one in enumerate(kept) if not one.pinned and one is not new]
        if not free:
            return dropped if new.pinned else [new]
        least = min(free, key=lambda index: (*_gap(kept, index), index))
        dropped.append(kept.pop(least))
    return dropped


def _gap(frames: Sequence[Frame], index: int) -> tuple[int, int]:
    """(0, steps between the neighbours) for a frame between two of its picture, (1, 0) for one at an end."""
    here = frames[index].image_index
    if 0 < index < len(frames) - 1:
        before, after = frames[index - 1], frames[index + 1]
        if before.image_index == here == after.image_index:
            return 0, after.step - before.step
    return 1, 0


def _place(frame: Frame) -> tuple[int, int]:
    return frame.image_index, frame.step


def _objects(frame: Frame) -> tuple[StoredObject, ...]:
    return tuple(one for one in (frame.picture, frame.latents) if one is not None)
