"""The labelled grid: every picture in its place, words that fit, and what to see where there is no picture."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from adstudio.exports.grid import Cell, Header, draw_grid, write_grid
from adstudio.exports.lettering import set_lines

RED, BLUE, GREEN = (220, 30, 30), (30, 40, 220), (20, 200, 60)
SIZE = (300, 200)


def painted(path: Path, colour: tuple[int, int, int], size: tuple[int, int] = SIZE) -> Path:
    Image.new("RGB", size, colour).save(path)
    return path


def places(sheet: Image.Image, colour: tuple[int, int, int]) -> NDArray[np.int64]:
    """(top, left, bottom, right) of a colour on the sheet."""
    found = np.argwhere((np.asarray(sheet) == colour).all(axis=2))
    return np.concatenate((found.min(axis=0), found.max(axis=0)))


def test_pictures_stand_in_rows_and_columns_with_room_for_words(tmp_path: Path) -> None:
    colours = (RED, BLUE, GREEN)
    cells = [Cell(caption="a=1, b=1", picture=painted(tmp_path / f"{c}.png", c)) for c in colours]
    sheet = draw_grid("Sweep", Header(field="a", values=("1", "2")), Header(field="b", values=("1", "2")), cells)
    red, blue, green = (places(sheet, colour) for colour in colours)
    assert (red[3] - red[1] + 1, red[2] - red[0] + 1) == SIZE
    assert (red[0], red[1]) == (blue[0], green[1])
    assert blue[1] > red[3]
    assert green[0] > red[2] + 20
    rows, columns = np.asarray(sheet)[: red[0]], np.asarray(sheet)[:, : red[1]]
    assert (rows > 200).any() and (columns > 200).any(), "there are words above and to the left"


def test_one_field_flows_over_several_rows(tmp_path: Path) -> None:
    picture = painted(tmp_path / "red.png", RED, (100, 100))
    names = tuple(str(number) for number in range(10))
    cells = [Cell(caption=name, picture=picture) for name in names]
    few, many = (draw_grid("", Header(field="a", values=names[:n]), None, cells[:n]) for n in (4, 10))
    assert few.width > 3 * few.height
    assert 0.7 < many.width / many.height < 2


def test_cells_without_a_picture_say_why(tmp_path: Path) -> None:
    torn = tmp_path / "torn.png"
    torn.write_bytes(painted(tmp_path / "red.png", RED).read_bytes()[:50])
    failed = "Failed: there is not enough memory for this picture; make it smaller or close other programs. " * 9
    cells = [
        Cell(caption="a=1", note=failed, failed=True),
        Cell(caption="a=2", note="Not made yet"),
        Cell(caption="a=3", picture=torn, note="The picture cannot be read"),
        Cell(caption="a=4"),
    ]
    sheet = np.asarray(draw_grid("", Header(field="a", values=("1", "2", "3", "4")), None, cells)).astype(int)
    reddish = np.argwhere(sheet[:, :, 0] - sheet[:, :, 2] > 60)
    assert len(reddish)
    assert reddish[:, 1].max() < sheet.shape[1] // 4, "only the failed cell is marked"


@pytest.mark.parametrize("words", ["long " * 200, "x" * 900, "path/" * 90])
def test_long_words_do_not_widen_the_sheet(tmp_path: Path, words: str) -> None:
    cells = [Cell(caption=words, picture=painted(tmp_path / "red.png", RED))] * 4
    short = draw_grid("t", Header(field="f", values=("1", "2")), Header(field="g", values=("1", "2")), cells)
    long = Header(field=words, values=(words, words + "2"))
    sheet = draw_grid(words, long, long, cells)
    assert sheet.width <= short.width + 200
    assert sheet.height <= short.height + 300


def test_many_cells_are_made_smaller(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("adstudio.exports.grid._LARGEST_SHEET_PX", 2000)
    picture = painted(tmp_path / "red.png", RED, (400, 400))
    header = Header(field="a", values=tuple(str(number) for number in range(10)))
    write_grid(tmp_path / "grid.png", "", header, header, [Cell(caption="a=1", picture=picture)] * 100)
    with Image.open(tmp_path / "grid.png") as sheet:
        assert 1800 < sheet.width < 2200


def test_words_are_cut_in_the_middle_and_never_too_wide() -> None:
    text = "painting_watercolour_of_a_harbour_in_the_evening_2.jpg"
    one = set_lines(text, 14, 200, most=1)
    assert one.lines[0].startswith("painting") and one.lines[0].endswith(".jpg") and "…" in one.lines[0]
    assert one.width_px <= 201
    two = set_lines(text, 14, 240, most=2)
    assert "".join(two.lines) == text
    assert two.height_px == 2 * one.height_px
    assert set_lines("", 14, 100, most=2).lines == ()
    assert set_lines("wide", 14, 1, most=1).lines == ("…",)


def test_letters_the_font_lacks_are_drawn_by_another_or_replaced(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("adstudio.exports.lettering._SYSTEM_FONTS", ())
    assert set_lines("été 2 × 3 \U0001f3a8", 14, 400, most=1).lines == ("ete 2 x 3 ?",)
