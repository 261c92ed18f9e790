"""Galleries: the parsed page, its files, and words that would like to be markup."""

from __future__ import annotations

from html.parser import HTMLParser
from pathlib import Path

import pytest
from PIL import Image

from adstudio.cli import main
from adstudio.errors import StorageError
from adstudio.exports.described_run import gallery_of
from adstudio.exports.gallery import Gallery, GalleryItem, NamedPicture, write_gallery_file, write_gallery_folder
from adstudio.projects import Project
from tests.projects.makers import contents, finished_run

_VOID = {"meta", "img", "input"}
_HOSTILE = '"><script>alert(1)</script><img src=x onerror=alert(2)>&amp; {title} \u202e\x00\udcff 🦊'


class _Page(HTMLParser):
    """Elements as (name, attributes) and the text outside of style and script; refuses what is not well nested."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str]]] = []
        self.text = ""
        self._open: list[str] = []
        self.feed(text)
        self.close()
        assert self._open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, {name: value or "" for name, value in attrs}))
        if tag not in _VOID:
            self._open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self._open.pop() == tag

    def handle_data(self, data: str) -> None:
        if self._open and self._open[-1] not in ("style", "script"):
            self.text += data

    def all(self, tag: str) -> list[dict[str, str]]:
        return [attributes for name, attributes in self.elements if name == tag]

    def addresses(self) -> list[str]:
        return [value for _, one in self.elements for name, value in one.items() if name in ("src", "href", "srcset")]


def _parsed(page: Path) -> _Page:
    text = page.read_text(encoding="utf-8")
    assert "http:" not in text and "https:" not in text and "url(" not in text and "@import" not in text
    return _Page(text)


@pytest.fixture
def picture(tmp_path: Path) -> Path:
    Image.new("RGB", (80, 60), (200, 80, 40)).save(tmp_path / "picture.png")
    return tmp_path / "picture.png"


def test_a_project_becomes_a_folder_that_is_whole_in_itself(project: Project, pictures: Path, tmp_path: Path) -> None:
    run = finished_run(project, pictures, seed=7)
    project.set_notes(run.id, "For the <hall>")
    project.close()
    out = tmp_path / "Galerie ü 🦊"
    assert (
        main(["export", str(project.folder), "--out", str(out), "--title", "Herbst & Wind", "--intro", "A\n\nB"]) == 0
    )
    page = _parsed(out / "index.html")
    for address in page.addresses():
        assert (out / address).is_file() and not address.startswith("/") and ".." not in address
    files = {name for name in contents(out) if name != "index.html"}
    assert files == set(page.addresses())
    assert all(one["alt"] for one in page.all("img"))
    assert "Herbst & Wind" in page.text and "For the <hall>" in page.text
    assert len([one for one in page.all("p") if one.get("class") == "intro"]) == 2
    assert len(page.all("dialog")) == 1 and page.all("input")[0]["type"] == "range"
    settings = dict(_gallery_of(project.folder).items[0].settings)
    assert settings["Seed"] == "7" and all(words in page.text for pair in settings.items() for words in pair)


def _gallery_of(folder: Path) -> Gallery:
    with Project.open(folder, read_only=True) as opened:
        return gallery_of(opened)


def test_pictures_leave_without_the_job_and_places_of_this_machine(
    project: Project, pictures: Path, tmp_path: Path
) -> None:
    finished_run(project, pictures)
    written = write_gallery_folder(tmp_path / "out", gallery_of(project))
    assert written.shown == 1 and written.unread == ()
    for content in contents(tmp_path / "out").values():
        assert str(tmp_path).encode() not in content and b"adstudio.job" not in content


def test_a_single_file_has_everything_inside(project: Project, pictures: Path, tmp_path: Path) -> None:
    finished_run(project, pictures)
    project.close()
    assert main(["export", str(project.folder), "--out", str(tmp_path / "page"), "--single-file"]) == 0
    addresses = _parsed(tmp_path / "page.html").addresses()
    assert addresses and all(one.startswith("data:image/jpeg;base64,") for one in addresses)
    assert not (tmp_path / "page").exists()


def test_hostile_words_stay_words(picture: Path, tmp_path: Path) -> None:
    item = GalleryItem(
        title=_HOSTILE,
        result=picture,
        before=picture,
        inputs=(NamedPicture(name=_HOSTILE, path=picture),),
        settings=((_HOSTILE, _HOSTILE),),
        prompt=_HOSTILE,
        notes=_HOSTILE,
    )
    gallery = Gallery(title=_HOSTILE, introduction=_HOSTILE, items=(item,))
    pages = [
        _parsed(write_gallery_folder(tmp_path / "out", gallery).page),
        _parsed(write_gallery_file(tmp_path / "out.html", gallery).page),
    ]
    for page in pages:
        assert len(page.all("script")) == 1 and page.text.count("<script>alert(1)</script>") >= 8
        assert not [one for _, one in page.elements for name in one if name.startswith("on")]
        assert "\x00" not in page.text and "\u202e" not in page.text


def test_boards_and_lists_keep_their_order(project: Project, pictures: Path, tmp_path: Path) -> None:
    first, second, third = (finished_run(project, pictures, seed=seed) for seed in (1, 2, 3))
    project.put_on_board(project.add_board("Wall"), [third.id, first.id])
    project.close()
    shelf = {"--board": "Wall", "--runs": f"{second.id},{first.id}"}
    seeds = {}
    for option, value in shelf.items():
        page = tmp_path / f"{option}.html"
        arguments = ["export", str(project.folder), "--out", str(page), "--single-file", option, value]
        assert main(arguments) == 0
        seeds[option] = [words[0] for words in _parsed(page).text.split("Seed")[1:]]
    assert seeds == {"--board": ["3", "1"], "--runs": ["2", "1"]}
    with Project.open(project.folder, read_only=True) as opened:
        assert [dict(one.settings)["Seed"] for one in gallery_of(opened).items] == ["1", "2", "3"]


def test_a_folder_with_something_in_it_is_left_alone(picture: Path, tmp_path: Path) -> None:
    before = contents(tmp_path)
    with pytest.raises(StorageError, match="is not empty"):
        write_gallery_folder(tmp_path, Gallery(title="", items=(GalleryItem(title="", result=picture),)))
    assert contents(tmp_path) == before


def test_a_picture_that_cannot_be_read_is_named_and_the_others_are_shown(picture: Path, tmp_path: Path) -> None:
    broken = tmp_path / "broken.png"
    broken.write_bytes(b"no picture")
    items = (GalleryItem(title="a", result=broken), GalleryItem(title="b", result=picture))
    written = write_gallery_file(tmp_path / "page.html", Gallery(title="", items=items))
    assert written.shown == 1 and written.unread == (broken,)
    with pytest.raises(StorageError, match=r"broken\.png"):
        write_gallery_folder(tmp_path / "out", Gallery(title="", items=items[:1]))
    assert not (tmp_path / "out").exists() and not list(tmp_path.glob(".*"))


def test_a_contact_sheet_has_the_chosen_columns_and_replaces_nothing(
    project: Project, pictures: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for seed in range(3):
        finished_run(project, pictures, seed=seed)
    project.close()
    sizes = {}
    for columns in (1, 3):
        sheet = tmp_path / f"{columns}.png"
        arguments = ["export", str(project.folder), "--contact-sheet", str(sheet), "--columns", str(columns)]
        assert main(arguments) == 0
        with Image.open(sheet) as image:
            sizes[columns] = image.size
        assert main(arguments) == 1 and "is there already" in capsys.readouterr().err
    assert sizes[3][0] - sizes[1][0] == 2 * (176 + 16) and sizes[1][1] > sizes[3][1]  # two cells and their gaps


@pytest.mark.parametrize(
    ("options", "named"), [([], "--out"), (["--contact-sheet", "a.png", "--columns", "0"], "--columns")]
)
def test_a_wish_that_cannot_be_is_refused(
    project: Project, capsys: pytest.CaptureFixture[str], options: list[str], named: str
) -> None:
    project.close()
    assert main(["export", str(project.folder), *options]) == 2
    assert named in capsys.readouterr().err


def test_a_project_without_pictures_makes_no_gallery(
    project: Project, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    project.close()
    assert main(["export", str(project.folder), "--out", str(tmp_path / "out")]) == 2
    assert "no finished picture" in capsys.readouterr().err and not (tmp_path / "out").exists()


@pytest.mark.parametrize(("option", "value"), [("--board", "Nowhere"), ("--runs", "../x"), ("--runs", "")])
def test_what_is_not_there_is_refused_and_nothing_is_written(
    project: Project, tmp_path: Path, capsys: pytest.CaptureFixture[str], option: str, value: str
) -> None:
    project.close()
    out = tmp_path / "out"
    assert main(["export", str(project.folder), "--out", str(out), option, value]) == 2
    assert capsys.readouterr().err.count("\n") == 1 and not out.exists()
