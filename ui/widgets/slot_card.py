"""A slot of the references panel: picture, name, size, weight, mask and what is wrong with it."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QContextMenuEvent, QDragEnterEvent, QDragLeaveEvent, QDropEvent, QKeyEvent, QMouseEvent
from PySide6.QtWidgets import QFrame, QHBoxLayout, QLabel, QMenu, QPushButton, QVBoxLayout, QWidget

from ui.state.incoming import Incoming, incoming_from
from ui.state.setup import SlotPicture, SlotStatus
from ui.widgets.elided_label import ElidedLabel
from ui.widgets.icon_button import IconButton
from ui.widgets.slider import Slider
from ui.widgets.thumbnail import Thumbnail


class SlotAction(StrEnum):
    """What the menu of a slot asks for."""

    REPLACE = "replace"
    MAKE_SMALLER = "make_smaller"
    PASTE = "paste"
    CHOOSE_MASK = "choose_mask"
    CLEAR_MASK = "clear_mask"
    CHOOSE_PROTECT = "choose_protect"
    CLEAR_PROTECT = "clear_protect"
    MOVE_UP = "move_up"
    MOVE_DOWN = "move_down"
    REMOVE = "remove"
    SHOW_IN_FOLDER = "show_in_folder"


class SlotCard(QFrame):
    """weighted: a style reference, with a weight and a place in a list."""

    asked = Signal(object)
    weight_changed = Signal(float)
    dropped = Signal(object)

    def __init__(self, *, weighted: bool, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setProperty("role", "card")
        self.setAcceptDrops(True)
        self.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self._weighted = weighted
        self._picture: SlotPicture | None = None
        self._alone = True
        self.thumbnail = Thumbnail(64)
        self.name = ElidedLabel()
        self.name.setProperty("role", "name")
        self.detail = ElidedLabel(mode=Qt.TextElideMode.ElideRight)
        self.detail.setProperty("role", "muted")
        self.error = QLabel()
        self.error.setProperty("role", "error")
        self.error.setWordWrap(True)
        self.smaller = QPushButton(self.tr("Use a smaller copy"))
        self.smaller.setProperty("role", "small")
        self.smaller.clicked.connect(self._on_smaller)
        self.weight = Slider(0.05, 2.0, 0.05)
        self.weight.setAccessibleName(self.tr("Weight"))
        self.weight.moved.connect(self.weight_changed)
        self.menu_button = IconButton("more", self.tr("More for this picture"))
        self.menu_button.set_muted(True)
        self.menu_button.clicked.connect(self._open_menu)
        self._build()

    def _build(self) -> None:
        head = QHBoxLayout()
        head.setSpacing(4)
        head.addWidget(self.name, 1)
        head.addWidget(self.menu_button)
        words = QVBoxLayout()
        words.setSpacing(2)
        words.addStretch(1)
        words.addLayout(head)
        words.addWidget(self.weight)
        words.addWidget(self.detail)
        words.addWidget(self.error)
        words.addWidget(self.smaller, 0, Qt.AlignmentFlag.AlignLeft)
        words.addStretch(1)
        row = QHBoxLayout(self)
        row.setContentsMargins(8, 8, 4, 8)
        row.setSpacing(10)
        row.addWidget(self.thumbnail, 0, Qt.AlignmentFlag.AlignTop)
        row.addLayout(words, 1)

    @property
    def picture(self) -> SlotPicture | None:
        return self._picture

    def show_picture(self, picture: SlotPicture, *, alone: bool = True) -> None:
        """alone: the only style reference; a weight would mean nothing."""
        self._picture, self._alone = picture, alone
        broken = picture.status is SlotStatus.BROKEN
        is_file_name = picture.name == picture.path.name
        self.name.set_mode(Qt.TextElideMode.ElideMiddle if is_file_name else Qt.TextElideMode.ElideRight)
        self.name.setText(picture.name)
        self.setAccessibleName(self.tr("Picture {name}").format(name=picture.name))
        waiting = "clock" if picture.status is SlotStatus.LOADING else "alert"
        self.thumbnail.show_image(picture.thumbnail, waiting)
        self.weight.setVisible(self._weighted and not alone and not broken)
        if not self.weight.isSliderDown():
            self.weight.set_number(picture.weight)
        self.detail.setText(self._detail(picture))
        self.detail.setVisible(not broken)
        self.error.setText(picture.error)
        self.error.setVisible(broken)
        self.smaller.setVisible(broken and picture.too_large)
        self.smaller.setEnabled(True)
        self._set_flag("broken", broken)

    def _detail(self, picture: SlotPicture) -> str:
        if picture.status is SlotStatus.LOADING:
            return self.tr("Reading …")
        parts = [picture.detail]
        if self._weighted and not self._alone:
            parts = [self.tr("weight {weight}").format(weight=f"{picture.weight:.2f}")]
        if picture.mask is not None:
            parts.append(self.tr("mask {name}").format(name=picture.mask.name))
        if picture.protect is not None:
            parts.append(self.tr("keeps from {name}").format(name=picture.protect.name))
        return " · ".join(part for part in parts if part)

    def make_menu(self) -> QMenu:
        """The menu of this slot."""
        menu = QMenu(self)
        menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)

        def entry(text: str, action: SlotAction) -> None:
            menu.addAction(text, lambda: self.asked.emit(action))

        entry(self.tr("Replace …"), SlotAction.REPLACE)
        entry(self.tr("Paste here"), SlotAction.PASTE)
        menu.addSeparator()
        entry(self.tr("Choose a mask file …"), SlotAction.CHOOSE_MASK)
        if self._picture is not None and self._picture.mask is not None:
            entry(self.tr("Remove the mask"), SlotAction.CLEAR_MASK)
        if not self._weighted:
            entry(self.tr("Choose what stays (white) …"), SlotAction.CHOOSE_PROTECT)
            if self._picture is not None and self._picture.protect is not None:
                entry(self.tr("Let nothing stay"), SlotAction.CLEAR_PROTECT)
        if self._weighted and not self._alone:
            menu.addSeparator()
            entry(self.tr("Move up"), SlotAction.MOVE_UP)
            entry(self.tr("Move down"), SlotAction.MOVE_DOWN)
        menu.addSeparator()
        entry(self.tr("Show in folder"), SlotAction.SHOW_IN_FOLDER)
        entry(self.tr("Remove"), SlotAction.REMOVE)
        return menu

    def _on_smaller(self) -> None:
        self.smaller.setEnabled(False)
        self.asked.emit(SlotAction.MAKE_SMALLER)

    def _open_menu(self) -> None:
        self.make_menu().popup(self.menu_button.mapToGlobal(self.menu_button.rect().bottomLeft()))

    def contextMenuEvent(self, event: QContextMenuEvent) -> None:
        self.make_menu().popup(event.globalPos())

    def mouseDoubleClickEvent(self, event: QMouseEvent) -> None:
        self.asked.emit(SlotAction.REPLACE)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        match event.key():
            case Qt.Key.Key_Delete | Qt.Key.Key_Backspace:
                self.asked.emit(SlotAction.REMOVE)
            case Qt.Key.Key_Return | Qt.Key.Key_Enter:
                self.asked.emit(SlotAction.REPLACE)
            case _:
                super().keyPressEvent(event)

    def _set_flag(self, name: str, on: bool) -> None:
        if bool(self.property(name)) != on:
            self.setProperty(name, on)
            self.style().unpolish(self)
            self.style().polish(self)

    def dragEnterEvent(self, event: QDragEnterEvent) -> None:
        if incoming_from(event.mimeData()) is not None:
            self._set_flag("dropping", True)
            event.acceptProposedAction()

    def dragLeaveEvent(self, event: QDragLeaveEvent) -> None:
        self._set_flag("dropping", False)

    def dropEvent(self, event: QDropEvent) -> None:
        self._set_flag("dropping", False)
        incoming: Incoming | None = incoming_from(event.mimeData())
        if incoming is not None:
            event.acceptProposedAction()
            self.dropped.emit(incoming)

    def mask_folder(self) -> Path | None:
        """Where a mask is likely to lie."""
        return self._picture.path.parent if self._picture is not None else None
