"""Words for a picture: several lines that grow with the text, a count near the limit."""

from __future__ import annotations

from PySide6.QtCore import QMimeData, QSize, Qt, Signal
from PySide6.QtGui import QResizeEvent, QTextCursor
from PySide6.QtWidgets import QHBoxLayout, QLabel, QPlainTextEdit, QSizePolicy, QVBoxLayout, QWidget

MAX_LETTERS = 4000
_MOST_LINES = 9
_AROUND_PX = 14
_COUNT_FROM = 3600


class GrowingEdit(QPlainTextEdit):
    """As high as its text, between a few lines and many. Tab goes on to the next field."""

    def __init__(self, lines: int, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._lines = lines
        self.setTabChangesFocus(True)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.textChanged.connect(self.fit)
        self.fit()

    def fit(self) -> None:
        """Take the height that the text needs."""
        shown = max(self._lines, min(_MOST_LINES, int(self.document().size().height())))
        height = shown * self.fontMetrics().lineSpacing() + _AROUND_PX
        if height != self.height() or self.minimumHeight() != height:
            self.setFixedHeight(height)

    def sizeHint(self) -> QSize:
        return QSize(200, self.height())

    def insertFromMimeData(self, source: QMimeData) -> None:
        """Pasted text as one paragraph of plain words: line ends from a browser mean nothing here."""
        if source.hasText():
            self.insertPlainText(source.text().strip())

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self.fit()


class PromptEditor(QWidget):
    """changed: the text as it stands now, at most `MAX_LETTERS` long."""

    changed = Signal(str)

    def __init__(
        self, label: str, hint: str, *, placeholder: str = "", lines: int = 3, parent: QWidget | None = None
    ) -> None:
        super().__init__(parent)
        self.label = QLabel(label)
        self.label.setToolTip(hint)
        self.count = QLabel()
        self.count.setProperty("role", "hint")
        self.edit = GrowingEdit(lines)
        self.edit.setAccessibleName(label)
        self.edit.setAccessibleDescription(hint)
        self.edit.setPlaceholderText(placeholder or hint)
        self.edit.setToolTip(hint)
        self.label.setBuddy(self.edit)
        head = QHBoxLayout()
        head.addWidget(self.label, 1)
        head.addWidget(self.count)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(4)
        column.addLayout(head)
        column.addWidget(self.edit)
        self.edit.textChanged.connect(self._on_text)
        self._show_count()

    def show_value(self, text: str) -> None:
        """Show without telling; what is being typed keeps its cursor and its undo."""
        if text != self.edit.toPlainText():
            blocked = self.edit.blockSignals(True)
            self.edit.setPlainText(text)
            self.edit.moveCursor(QTextCursor.MoveOperation.End)
            self.edit.blockSignals(blocked)
            self.edit.fit()
            self._show_count()

    def value(self) -> str:
        return self.edit.toPlainText()

    def _on_text(self) -> None:
        text = self.edit.toPlainText()
        if len(text) > MAX_LETTERS:
            self.show_value(text[:MAX_LETTERS])
            text = text[:MAX_LETTERS]
        self._show_count()
        self.changed.emit(text)

    def _show_count(self) -> None:
        letters = len(self.edit.toPlainText())
        near = letters >= _COUNT_FROM
        self.count.setText(self.tr("{count} left").format(count=MAX_LETTERS - letters) if near else "")
