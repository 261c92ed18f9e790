"""A question before something that cannot be taken back; the safe answer is the default."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtWidgets import QMessageBox, QWidget

from ui import icons, theme


def ask(
    window: QWidget, *, title: str, question: str, more: str, go: str, stay: str, then: Callable[[], None]
) -> QMessageBox:
    """Open the question and return at once. go, stay: the words on the buttons; then: what go does."""
    box = QMessageBox(QMessageBox.Icon.NoIcon, title, question, QMessageBox.StandardButton.NoButton, window)
    box.setIconPixmap(icons.pixmap("alert", 32, box.devicePixelRatioF(), theme.colors().accent_ink))
    box.setInformativeText(more)
    agreed = box.addButton(go, QMessageBox.ButtonRole.DestructiveRole)
    refused = box.addButton(stay, QMessageBox.ButtonRole.RejectRole)
    box.setDefaultButton(refused)
    box.setEscapeButton(refused)
    agreed.clicked.connect(then)
    box.finished.connect(box.deleteLater)
    box.open()
    return box
