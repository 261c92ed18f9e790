"""The text of a gallery's page; every word that comes from outside is escaped here."""

from __future__ import annotations

import html
from collections.abc import Sequence
from dataclasses import dataclass

from adstudio.exports.gallery_page import PAGE, SCRIPT, STYLE


@dataclass(frozen=True, slots=True, kw_only=True)
class Shown:
    """A picture as the page finds it; width, height in px."""

    address: str
    width: int
    height: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ShownItem:
    """A card of the page and what opens from it. full: address of the picture at its own size, or ""."""

    title: str
    thumbnail: Shown
    picture: Shown
    before: Shown | None
    full: str
    inputs: tuple[tuple[str, Shown], ...]
    settings: tuple[tuple[str, str], ...]
    prompt: str
    notes: str


def page_text(title: str, introduction: str, items: Sequence[ShownItem]) -> str:
    """The whole page."""
    paragraphs = [" ".join(part.split()) for part in introduction.replace("\r\n", "\n").split("\n\n")]
    intro = "".join(f'<p class="intro" dir="auto">{_escaped(part)}</p>' for part in paragraphs if part)
    return PAGE.format(
        title=_escaped(title),
        style=STYLE,
        script=SCRIPT,
        introduction=intro,
        cards="\n".join(_card(number, item) for number, item in enumerate(items, start=1)),
        boxes="\n".join(_box(number, item, len(items)) for number, item in enumerate(items, start=1)),
    )


def _card(number: int, item: ShownItem) -> str:
    picture = _image(item.thumbnail, f"{item.title}: the result")
    name = f'<span dir="auto">{_escaped(item.title)}</span>'
    return f'<li><button type="button" class="card" data-opens="p{number}">{picture}{name}</button></li>'


def _box(number: int, item: ShownItem, count: int) -> str:
    title = _escaped(item.title)
    full = f'<a class="full" href="{_escaped(item.full)}">Full size</a>' if item.full else ""
    return (
        f'<dialog id="p{number}" aria-labelledby="t{number}">'
        '<nav aria-label="Pictures"><button type="button" data-go="-1" aria-label="The picture before">←</button>'
        f"<span>{number} of {count}</span>"
        '<button type="button" data-go="1" aria-label="The next picture">→</button>'
        '<button type="button" data-close aria-label="Close">✕</button></nav>'
        f'<div class="stage">{_view(item)}</div>'
        f'<aside><h2 id="t{number}" dir="auto">{title}</h2>{_words(item.prompt, "prompt")}{_words(item.notes, "notes")}'
        f"{_inputs(item)}<dl>{_settings(item)}</dl>{full}</aside></dialog>"
    )


def _view(item: ShownItem) -> str:
    picture = _image(item.picture, f"{item.title}: the result")
    ratio = f"--width:{item.picture.width};--height:{item.picture.height}"
    if item.before is None:
        return f'<figure style="{ratio}">{picture}</figure>'
    return (
        f'<figure class="compare" style="{ratio}">{picture}'
        + _image(item.before, f"{item.title}: the content before", kind="before")
        + f'<input type="range" min="0" max="100" value="50" step="0.5" '
        f'aria-label="{_escaped(item.title)}: before and after">'
        '<span class="tag left">Before</span><span class="tag right">After</span></figure>'
    )


def _inputs(item: ShownItem) -> str:
    parts = [
        f'<figure>{_image(picture, name)}<figcaption dir="auto">{_escaped(name)}</figcaption></figure>'
        for name, picture in item.inputs
    ]
    return f'<div class="inputs">{"".join(parts)}</div>' if parts else ""


def _settings(item: ShownItem) -> str:
    return "".join(
        f'<div><dt>{_escaped(name)}</dt><dd dir="auto">{_escaped(value)}</dd></div>' for name, value in item.settings
    )


def _words(text: str, kind: str) -> str:
    return f'<p class="{kind}" dir="auto">{_escaped(text)}</p>' if text.strip() else ""


def _image(picture: Shown, words: str, *, kind: str = "") -> str:
    named = f' class="{kind}"' if kind else ""
    return (
        f'<img{named} src="{picture.address}" width="{picture.width}" height="{picture.height}" loading="lazy" '
        f'alt="{_escaped(words)}">'
    )


def _escaped(text: str) -> str:
    """For text and attributes; control characters, which HTML has no place for, become spaces."""
    return html.escape("".join(one if one in "\n\t" or one.isprintable() else " " for one in text), quote=True)
