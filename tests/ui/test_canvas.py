"""The canvas: geometry, the views, the hands."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PySide6.QtCore import QPoint, QPointF, QRectF, QSize, QSizeF, Qt
from PySide6.QtGui import QColor, QImage
from PySide6.QtTest import QTest
from pytestqt.qtbot import QtBot

from tests.ui.pictures import gradient, stripes
from ui.canvas.transform import ViewTransform
from ui.canvas.view import CanvasView, ViewMode
from ui.state.pictures import Source, cover_rect, make_pyramid, make_thumbnail, preview_image

VIEW = QRectF(0, 0, 800, 600)


@given(factor=st.floats(0.2, 5.0), x=st.floats(0, 800), y=st.floats(0, 600), zoom=st.floats(0.2, 4.0))
def test_zoom_keeps_the_point_under_the_pointer(factor: float, x: float, y: float, zoom: float) -> None:
    transform = ViewTransform(zoom=zoom, center=QPointF(300, 200))
    at = QPointF(x, y)
    before = transform.to_picture(at, VIEW)
    transform.zoom_at(factor, at, VIEW)
    after = transform.to_picture(at, VIEW)
    assert abs(before.x() - after.x()) < 1e-6 * max(1, abs(before.x()))
    assert abs(before.y() - after.y()) < 1e-6 * max(1, abs(before.y()))


def test_fit_shows_all_of_the_picture() -> None:
    transform = ViewTransform()
    transform.fit(QSizeF(4000, 1000), VIEW.size())
    assert VIEW.contains(transform.picture_rect(QSizeF(4000, 1000), VIEW))


def test_cover_rect_cuts_the_centre() -> None:
    assert cover_rect(QSizeF(400, 200), QSizeF(100, 100)) == QRectF(100, 0, 200, 200)


def test_levels_halve_and_the_smallest_sufficient_one_is_painted() -> None:
    pyramid = make_pyramid(gradient(1200, 800))
    assert [level.image.width() for level in pyramid.levels] == [1200, 600, 300, 150]
    assert pyramid.level_for(1.0)[0].width() == 1200
    assert pyramid.level_for(0.5)[0].width() == 600
    assert pyramid.level_for(0.3)[0].width() == 600
    assert pyramid.level_for(0.1)[0].width() == 150


def test_pictures_keep_their_colours() -> None:
    rgb = np.zeros((4, 4, 3), np.uint8)
    rgb[:] = (10, 120, 230)
    assert QColor(make_pyramid(rgb).levels[0].image.pixel(1, 1)).name() == "#0a78e6"
    assert QColor(preview_image(rgb).pixel(1, 1)).name() == "#0a78e6"
    assert QColor(make_thumbnail(rgb, 16).pixel(1, 1)).name() == "#0a78e6"


@pytest.fixture
def canvas(qtbot: QtBot) -> CanvasView:
    view = CanvasView()
    qtbot.addWidget(view)
    view.resize(600, 400)
    blue = np.zeros((100, 200, 3), np.uint8)
    blue[:] = (0, 0, 255)
    red = np.zeros((100, 200, 3), np.uint8)
    red[:] = (255, 0, 0)
    view.show_pictures(Source(pyramid=make_pyramid(blue)), Source(pyramid=make_pyramid(red)), QSizeF(200, 100))
    view.show()
    qtbot.waitExposed(view)
    return view


def _color(view: CanvasView, x: int, y: int) -> str:
    image: QImage = view.grab().toImage()
    return image.pixelColor(x, y).name()


def test_compare_shows_content_left_and_result_right(canvas: CanvasView) -> None:
    canvas.set_mode(ViewMode.COMPARE)
    assert _color(canvas, 200, 150) == "#0000ff"
    assert _color(canvas, 400, 150) == "#ff0000"
    canvas.set_split(0.9)
    assert _color(canvas, 400, 150) == "#0000ff"


def test_compare_handle_is_dragged(canvas: CanvasView) -> None:
    canvas.set_mode(ViewMode.COMPARE)
    QTest.mousePress(canvas, Qt.MouseButton.LeftButton, pos=QPoint(300, 200))
    QTest.mouseMove(canvas, QPoint(400, 200))
    QTest.mouseRelease(canvas, Qt.MouseButton.LeftButton, pos=QPoint(400, 200))
    assert canvas.split == pytest.approx(0.5 + 100 / (200 * canvas.zoom), abs=0.02)
    QTest.keyClick(canvas, Qt.Key.Key_Left)
    assert canvas.split < 0.5 + 100 / (200 * canvas.zoom)


def test_side_by_side_shows_both(canvas: CanvasView) -> None:
    canvas.set_mode(ViewMode.SIDE_BY_SIDE)
    assert _color(canvas, 150, 180) == "#0000ff"
    assert _color(canvas, 450, 180) == "#ff0000"


def test_result_alone_covers_the_content(canvas: CanvasView) -> None:
    assert _color(canvas, 200, 180) == _color(canvas, 400, 180) == "#ff0000"


def test_tiles_repeat_the_result_around(canvas: CanvasView) -> None:
    canvas.set_mode(ViewMode.TILES)
    step = round(200 * canvas.zoom)
    for x in (300 - step, 300, 300 + step):
        assert _color(canvas, x, 200) == "#ff0000"


def test_actual_size_then_fit(canvas: CanvasView) -> None:
    canvas.actual_size()
    assert canvas.zoom == pytest.approx(1.0)
    canvas.fit()
    assert canvas.zoom > 2


def test_middle_drag_pans(canvas: CanvasView, qtbot: QtBot) -> None:
    assert _color(canvas, 30, 200) == "#ff0000"
    QTest.mousePress(canvas, Qt.MouseButton.MiddleButton, pos=QPoint(200, 200))
    QTest.mouseMove(canvas, QPoint(350, 200))
    QTest.mouseRelease(canvas, Qt.MouseButton.MiddleButton, pos=QPoint(350, 200))
    assert _color(canvas, 30, 200) != "#ff0000"


def test_preview_stands_for_the_size_to_come(canvas: CanvasView) -> None:
    small = preview_image(stripes(50, 25))
    canvas.show_pictures(Source(), Source(preview=small), QSizeF(200, 100))
    fitted = canvas.zoom
    assert fitted == pytest.approx(552 / 200, rel=0.01)
    assert _color(canvas, 30, 200) != _color(canvas, 5, 5)


def test_pixel_under_the_pointer_is_told(canvas: CanvasView, qtbot: QtBot) -> None:
    with qtbot.waitSignal(canvas.pixel_hovered, check_params_cb=lambda pixel: pixel is not None) as told:
        QTest.mouseMove(canvas, QPoint(300, 200))
        QTest.mouseMove(canvas, QPoint(302, 202))
    assert told.args is not None
    x, y, color = told.args[0]
    assert color == "#ff0000"
    assert 95 <= x <= 105 and 45 <= y <= 55


def test_large_pictures_paint_within_a_frame(canvas: CanvasView) -> None:
    rng = np.random.default_rng(0)
    big = rng.integers(0, 255, (1500, 3000, 3), dtype=np.uint8)
    canvas.show_pictures(Source(), Source(pyramid=make_pyramid(big)), QSizeF(QSize(3000, 1500)))
    canvas.grab()
    source, share = make_pyramid(big).level_for(canvas.zoom)
    assert source.width() < 3000 and share < 1
