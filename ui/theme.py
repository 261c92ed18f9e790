"""How the window looks: Fusion, one palette per scheme, one compact style sheet, one accent."""

from __future__ import annotations

from dataclasses import dataclass

from PySide6.QtCore import Qt
from PySide6.QtGui import QColor, QFont, QFontDatabase, QFontInfo, QGuiApplication, QPalette
from PySide6.QtWidgets import QApplication

from adstudio.settings import Appearance
from ui.stylesheet import STYLE_SHEET

GRID_PX = 8
TEXT_PX = 13
# Where the desktop names no font of its own, its last resort is one of these: wide, with large letters.
_LAST_RESORTS = ("DejaVu Sans", "Bitstream Vera Sans", "Verdana")
_LAST_RESORT_TEXT_PX = 12
_BETTER_FONTS = ("Inter", "Noto Sans", "Cantarell", "Open Sans", "Ubuntu", "Roboto", "Source Sans 3")


@dataclass(frozen=True, slots=True, kw_only=True)
class Colors:
    """Colours by role, as #rrggbb. Text has a contrast of at least 4.5:1 on its surface."""

    window: str
    bar: str
    panel: str
    card: str
    field: str
    well: str
    raised: str
    raised_edge: str
    line: str
    edge: str
    text: str
    muted: str
    disabled: str
    accent: str
    accent_hover: str
    accent_text: str
    accent_ink: str
    danger: str
    success: str
    track: str
    handle: str
    surround: str


DARK = Colors(
    window="#1e1e1e",
    bar="#262626",
    panel="#232323",
    card="#1b1b1b",
    field="#191919",
    well="#1a1a1a",
    raised="#3d3d3d",
    raised_edge="#3d3d3d",
    line="#303030",
    edge="#4a4a4a",
    text="#ededed",
    muted="#a0a0a0",
    disabled="#6c6c6c",
    accent="#d98e32",
    accent_hover="#e79f49",
    accent_text="#1b1206",
    accent_ink="#e9a552",
    danger="#f0837a",
    success="#7cc77b",
    track="#424242",
    handle="#f0f0f0",
    surround="#3a3a3a",
)

LIGHT = Colors(
    window="#e4e4e4",
    bar="#f1f1f1",
    panel="#ececec",
    card="#fafafa",
    field="#ffffff",
    well="#dcdcdc",
    raised="#ffffff",
    raised_edge="#bdbdbd",
    line="#d2d2d2",
    edge="#b4b4b4",
    text="#1f1f1f",
    muted="#5c5c5c",
    disabled="#9b9b9b",
    accent="#d98e32",
    accent_hover="#c97f24",
    accent_text="#1b1206",
    accent_ink="#8a5208",
    danger="#b3261e",
    success="#2e7d32",
    track="#c4c4c4",
    handle="#4a4a4a",
    surround="#8c8c8c",
)


def _palette(colors: Colors) -> QPalette:
    palette = QPalette()
    roles = {
        QPalette.ColorRole.Window: colors.panel,
        QPalette.ColorRole.WindowText: colors.text,
        QPalette.ColorRole.Base: colors.field,
        QPalette.ColorRole.AlternateBase: colors.card,
        QPalette.ColorRole.Text: colors.text,
        QPalette.ColorRole.PlaceholderText: colors.muted,
        QPalette.ColorRole.Button: colors.bar,
        QPalette.ColorRole.ButtonText: colors.text,
        QPalette.ColorRole.BrightText: colors.danger,
        QPalette.ColorRole.ToolTipBase: colors.card,
        QPalette.ColorRole.ToolTipText: colors.text,
        QPalette.ColorRole.Highlight: colors.accent,
        QPalette.ColorRole.HighlightedText: colors.accent_text,
        QPalette.ColorRole.Accent: colors.accent,
        QPalette.ColorRole.Link: colors.accent_ink,
        QPalette.ColorRole.LinkVisited: colors.accent_ink,
        QPalette.ColorRole.Light: colors.raised,
        QPalette.ColorRole.Midlight: colors.edge,
        QPalette.ColorRole.Mid: colors.line,
        QPalette.ColorRole.Dark: colors.window,
        QPalette.ColorRole.Shadow: "#000000",
    }
    for role, value in roles.items():
        palette.setColor(role, QColor(value))
    for role in (QPalette.ColorRole.WindowText, QPalette.ColorRole.Text, QPalette.ColorRole.ButtonText):
        palette.setColor(QPalette.ColorGroup.Disabled, role, QColor(colors.disabled))
    return palette


_current: dict[str, Colors] = {"colors": DARK}  # a mutable cell, so that no global is rebound


def colors() -> Colors:
    """The colours in use; they change together with the application's palette."""
    return _current["colors"]


def is_dark(scheme: Appearance) -> bool:
    """Whether a scheme means dark now (SYSTEM asks the desktop, dark where it does not say)."""
    if scheme is Appearance.SYSTEM:
        return QGuiApplication.styleHints().colorScheme() != Qt.ColorScheme.Light
    return scheme is Appearance.DARK


def _font(app: QApplication) -> QFont:
    """The desktop's font; where that is only a last resort, a better one of the machine or a smaller size."""
    font = app.font()
    size_px = TEXT_PX
    if QFontInfo(font).family() in _LAST_RESORTS or font.family() in _BETTER_FONTS:
        there = set(QFontDatabase.families())
        better = next((name for name in _BETTER_FONTS if name in there), "")
        if better:
            font.setFamily(better)
        else:
            size_px = _LAST_RESORT_TEXT_PX
    font.setPixelSize(size_px)
    font.setHintingPreference(QFont.HintingPreference.PreferNoHinting)
    return font


def apply_theme(app: QApplication, scheme: Appearance) -> None:
    """Give the whole application the look of a scheme; may be called again at any time."""
    chosen = DARK if is_dark(scheme) else LIGHT
    _current["colors"] = chosen
    app.setStyle("Fusion")
    app.setFont(_font(app))
    app.setPalette(_palette(chosen))
    values = {name: getattr(chosen, name) for name in Colors.__dataclass_fields__}
    app.setStyleSheet(STYLE_SHEET.substitute(values))
