"""A gallery in a real browser, driven by its keys."""

from __future__ import annotations

from pathlib import Path

import pytest
from PIL import Image

from adstudio.exports.gallery import Gallery, GalleryItem, write_gallery_file, write_gallery_folder
from tests.browser import a_browser

_DECODED = """Promise.all([...document.querySelectorAll('.card img')].map((one) => {
  one.loading = 'eager'; return one.decode();
})).then((all) => all.length)"""
_OPEN = "document.querySelector('dialog[open]')?.id"


@pytest.mark.slow
def test_a_gallery_is_looked_through_with_the_keyboard(tmp_path: Path) -> None:
    picture = tmp_path / "picture.png"
    Image.new("RGB", (80, 60), (200, 80, 40)).save(picture)
    items = tuple(GalleryItem(title=f"Picture {n}", result=picture, before=picture) for n in range(3))
    gallery = Gallery(title="Keys", items=items)
    pages = (
        write_gallery_folder(tmp_path / "ü #1 %20", gallery).page,
        write_gallery_file(tmp_path / "page.html", gallery).page,
    )
    with a_browser(tmp_path / "profile") as browser:
        for page in pages:
            browser.open(page)
            assert browser.value(_DECODED) == 3
            for key in ("Tab", "ArrowRight", "Enter"):
                browser.press(key)
            assert browser.value(_OPEN) == "p2"
            for key, shown in (("ArrowRight", "p3"), ("ArrowRight", "p3"), ("Home", "p1"), ("End", "p3")):
                browser.press(key)
                assert browser.value(_OPEN) == shown
            browser.value("document.querySelector('dialog[open] input').focus()")
            browser.press("Home")
            assert browser.value(_OPEN) == "p3"
            cut = browser.value("document.querySelector('#p3 .compare').style.getPropertyValue('--cut')")
            assert cut == "0%"
            browser.press("Escape")
            assert browser.value(_OPEN) is None
            assert browser.value("document.activeElement.dataset.opens") == "p3"
            assert browser.value("document.activeElement.matches(':focus-visible')")
