"""The chip that names the model of the task and opens the list of those that can be chosen."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QEvent, QPoint, QSize, Qt, Signal
from PySide6.QtGui import QActionGroup, QPainter, QPaintEvent
from PySide6.QtWidgets import QMenu, QPushButton, QSizePolicy, QWidget

from ui import icons, theme
from ui.state.model_choice import ModelOption
from ui.state.words import short_name

_AROUND_PX = 46  # padding at both ends and the arrow
_ARROW_PX = 14


class ModelPicker(QPushButton):
    """chosen: a model as a job names it. page_asked: the model page should open."""

    chosen = Signal(str)
    page_asked = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setProperty("role", "picker")
        self.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Fixed)
        self.setFixedHeight(28)
        self.setAutoDefault(False)
        self._words = ""
        self._problem = ""
        self._options: tuple[ModelOption, ...] = ()
        self._current = ""
        self.menu_shown: QMenu | None = None
        self.clicked.connect(self.open_menu)

    def show_options(self, options: Sequence[ModelOption], current: str, words: str, problem: str) -> None:
        """words: what the chip says. problem: why the chosen model cannot be used, empty where it can."""
        self._options, self._current = tuple(options), current
        self._words, self._problem = words, problem
        self.setAccessibleName(self.tr("Model: {name}").format(name=words))
        self.setAccessibleDescription(problem)
        self.setToolTip(problem or self.tr("The model that makes the picture: {name}").format(name=words))
        if bool(self.property("broken")) != bool(problem):
            self.setProperty("broken", bool(problem))
            self.style().unpolish(self)
            self.style().polish(self)
        self.updateGeometry()
        self.update()

    def words(self) -> str:
        """What the chip says, in full."""
        return self._words

    def needed_width(self) -> int:
        """To say all of it, in pixels."""
        return self.fontMetrics().horizontalAdvance(self._words) + _AROUND_PX

    def sizeHint(self) -> QSize:
        return QSize(self.needed_width(), 28)

    def minimumSizeHint(self) -> QSize:
        return QSize(_AROUND_PX + 32, 28)

    def make_menu(self) -> QMenu:
        """Every model with its family and size; those that cannot be chosen say why."""
        menu = QMenu(self)
        menu.setToolTipsVisible(True)
        group = QActionGroup(menu)
        for option in self._options:
            action = menu.addAction(f"{short_name(option.name)}\t{option.detail}".replace("&", "&&"))
            action.setCheckable(True)
            action.setChecked(option.model == self._current)
            action.setEnabled(not option.reason)
            action.setToolTip(option.reason or option.name)
            action.triggered.connect(lambda _=False, model=option.model: self.chosen.emit(model))
            group.addAction(action)
        menu.addSeparator()
        menu.addAction(self.tr("Models …"), self.page_asked.emit)
        return menu

    def open_menu(self) -> None:
        """Below the chip."""
        menu = self.make_menu()
        menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        menu.destroyed.connect(self._forget_menu)
        self.menu_shown = menu
        menu.popup(self.mapToGlobal(QPoint(0, self.height() + 2)))

    def _forget_menu(self) -> None:
        self.menu_shown = None

    def paintEvent(self, event: QPaintEvent) -> None:
        super().paintEvent(event)
        now = theme.colors()
        painter = QPainter(self)
        left = self.layoutDirection() is Qt.LayoutDirection.RightToLeft
        room = self.rect().adjusted(28 if left else 12, 0, -12 if left else -28, 0)
        painter.setPen(self.palette().buttonText().color() if not self._problem else now.danger)
        shown = self.fontMetrics().elidedText(self._words, Qt.TextElideMode.ElideMiddle, room.width())
        painter.drawText(room, Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignLeading, shown)
        at = QPoint(10 if left else self.width() - 10 - _ARROW_PX, (self.height() - _ARROW_PX) // 2)
        painter.drawPixmap(at, icons.pixmap("chevron-down", _ARROW_PX, self.devicePixelRatioF(), now.muted))

    def changeEvent(self, event: QEvent) -> None:
        if event.type() is QEvent.Type.PaletteChange:
            self.update()
        super().changeEvent(event)
