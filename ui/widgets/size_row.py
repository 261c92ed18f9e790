"""Width and height of the result; empty means the content's own."""

from __future__ import annotations

from PySide6.QtCore import Signal
from PySide6.QtGui import QIntValidator
from PySide6.QtWidgets import QHBoxLayout, QLabel, QWidget

from ui.widgets.icon_button import IconButton
from ui.widgets.number_field import WholeNumberEdit


class SizeRow(QWidget):
    """Emits (width or None, height or None)."""

    changed = Signal(object, object)

    def __init__(self, label: str, hint: str, high: int, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.width_field, self.height_field = WholeNumberEdit(), WholeNumberEdit()
        for field, name in (
            (self.width_field, self.tr("Width in pixels")),
            (self.height_field, self.tr("Height in pixels")),
        ):
            field.setValidator(QIntValidator(1, high, field))
            field.setFixedWidth(56)
            field.setAccessibleName(name)
            field.setToolTip(name)
            field.editingFinished.connect(self._on_edited)
        self.reset = IconButton("reset", self.tr("Back to the size of the picture it is made from"), size_px=14)
        self.reset.set_muted(True)
        policy = self.reset.sizePolicy()
        policy.setRetainSizeWhenHidden(True)
        self.reset.setSizePolicy(policy)
        self.reset.clicked.connect(lambda: self.changed.emit(None, None))
        name_label = QLabel(label)
        name_label.setToolTip(hint)
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(4)
        row.addWidget(name_label, 1)
        row.addWidget(self.reset)
        row.addWidget(self.width_field)
        row.addWidget(QLabel("×"))
        row.addWidget(self.height_field)

    def show_value(self, width: int | None, height: int | None, expected: tuple[int, int]) -> None:
        """expected: the size that will come out, shown where nothing is set; (0, 0) while unknown."""
        for field, value, would_be in (
            (self.width_field, width, expected[0]),
            (self.height_field, height, expected[1]),
        ):
            field.setPlaceholderText(str(would_be) if would_be else self.tr("auto"))
            text = "" if value is None else str(value)
            if field.text() != text:
                field.setText(text)
        self.reset.setVisible(width is not None or height is not None)

    def _on_edited(self) -> None:
        self.changed.emit(self.width_field.number() or None, self.height_field.number() or None)
