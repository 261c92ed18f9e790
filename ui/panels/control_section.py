"""Among the parameters: the ControlNet that guided sampling follows, its picture and what it will see of it."""

from __future__ import annotations

from PySide6.QtCore import Signal
from PySide6.QtGui import QImage
from PySide6.QtWidgets import QLabel, QMenu, QPushButton, QSizePolicy, QVBoxLayout, QWidget

from adstudio.jobs.choices import ControlKind
from adstudio.models.library_file import Kind
from ui.dialogs.files import FileDialogs
from ui.state.beside import READY_MADE, Fit, can_control, name_of
from ui.state.control_preview import ControlPreview
from ui.state.incoming import Incoming
from ui.state.session import Session
from ui.state.setup import SlotPicture
from ui.state.words import short_name
from ui.widgets.choice_row import ChoiceRow
from ui.widgets.condition_view import ConditionView
from ui.widgets.drop_button import DropButton
from ui.widgets.elided_label import ElidedLabel
from ui.widgets.parameter_row import ParameterRow
from ui.widgets.section_header import SectionHeader


class ControlSection(QWidget):
    """resized: it needs another height now."""

    resized = Signal()

    def __init__(self, session: Session, preview: ControlPreview, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._session = session
        self._dialogs = FileDialogs(self)
        self.follow = ChoiceRow(
            self.tr("Follow"),
            self.tr("Guided sampling keeps to lines, light or depth of a picture. Needs a ControlNet for the model."),
            (
                ("", self.tr("Nothing")),
                (ControlKind.CANNY.value, self.tr("Edges")),
                (ControlKind.LINE_ART.value, self.tr("Line art")),
                (ControlKind.LUMINANCE.value, self.tr("Light and dark")),
                (ControlKind.DEPTH.value, self.tr("A depth map")),
                (ControlKind.POSE.value, self.tr("A pose")),
            ),
        )
        self.network = QPushButton()
        self.network.clicked.connect(self._open_menu)
        self.network.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Fixed)
        self.scale = ParameterRow(
            self.tr("How closely"),
            self.tr("1 as it was made, lower follows more loosely."),
            low=0,
            high=4,
            slider=(0, 2),
            step=0.05,
        )
        self.scale.show_hint(False)
        self.source = ElidedLabel()
        self.source.setProperty("role", "muted")
        self.shown = ConditionView()
        self.picture = DropButton("")
        self.back = QPushButton(self.tr("Follow the content again"))
        self.back.setProperty("role", "small")
        self.words = QLabel()
        self.words.setWordWrap(True)
        self.refusal = QLabel()
        self.refusal.setProperty("role", "error")
        self.refusal.setWordWrap(True)
        self._build()
        self._connect(preview)
        self._say("")
        self.show_setup()

    def _build(self) -> None:
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(6)
        column.addWidget(SectionHeader(self.tr("ControlNet")))
        for widget in (
            self.follow,
            self.words,
            self.network,
            self.refusal,
            self.scale,
            self.source,
            self.shown,
            self.picture,
            self.back,
        ):
            column.addWidget(widget)

    def _connect(self, preview: ControlPreview) -> None:
        session, beside = self._session, self._session.beside
        self.follow.changed.connect(lambda value: beside.follow(ControlKind(value) if value else None))
        self.scale.changed.connect(lambda value: beside.set_control_scale(round(value, 6)))
        self.scale.reset_asked.connect(lambda: beside.set_control_scale(1.0))
        self.picture.clicked.connect(self._choose_picture)
        self.picture.dropped.connect(self._on_dropped)
        self.back.clicked.connect(lambda: beside.set_control_picture(None))
        preview.changed.connect(self._show_condition)
        beside.refused.connect(self._on_refused)
        session.beside_changed.connect(lambda: self._say(""))
        for signal in (
            session.beside_changed,
            session.model_changed,
            session.task_changed,
            session.content_changed,
            session.values_changed,
        ):
            signal.connect(self.show_setup)

    def show_setup(self) -> None:
        """What is laid out; not there at all where no ControlNet goes with the model."""
        setup, state = self._session.setup, self._session.beside.control()
        control = setup.control
        self.setVisible(can_control(self._session.model()))
        self.follow.show_value(control.kind.value if control is not None else "")
        on = state is not None and state.fit is not Fit.WAITS
        self.words.setText(state.words if state is not None else "")
        self.words.setVisible(bool(self.words.text()))
        missing = state is not None and state.fit is Fit.MISSING
        self.words.setProperty("role", "missing" if missing else "hint")
        self.words.style().unpolish(self.words)
        self.words.style().polish(self.words)
        own = control.picture if control is not None else None
        made = control is not None and control.kind not in READY_MADE
        for widget in (self.network, self.scale, self.picture):
            widget.setVisible(on)
        from_content = made and setup.used_content is not None
        self.source.setVisible(on and (own is not None or from_content))
        self.back.setVisible(on and own is not None and from_content)
        self.shown.setVisible(on and self.shown.has_image())
        if control is not None:
            self._show_network(control.model)
            self.scale.show_value(control.scale, changed=control.scale != 1.0)
            self._show_source(own, control.kind)
        self.resized.emit()

    def _show_network(self, model: str) -> None:
        words = short_name(name_of(model)) if model else self.tr("Choose a ControlNet …")
        self.network.setText(words.replace("&", "&&"))
        self.network.setToolTip(name_of(model) or words)
        self.network.setAccessibleName(self.tr("ControlNet: {name}").format(name=name_of(model) or words))

    def _show_source(self, own: SlotPicture | None, kind: ControlKind) -> None:
        error = own.error if own is not None else ""
        name = own.name if own is not None else self.tr("the content")
        self.source.setText(error or self.tr("Made from {name}").format(name=name))
        if kind in READY_MADE:
            self.source.setText(error or name)
            self.picture.setText(self.tr("Drop or open a ready-made one …"))
        else:
            self.picture.setText(self.tr("Drop or open another picture …"))

    def _show_condition(self, image: QImage | None) -> None:
        self.shown.show_image(image)
        self.show_setup()

    def make_menu(self) -> QMenu:
        """The installed ones that fit the model, and the ways to a file or folder."""
        menu, beside = QMenu(self), self._session.beside
        for entry in beside.offered(Kind.CONTROL):
            action = menu.addAction(short_name(entry.name).replace("&", "&&"))
            action.setToolTip(entry.name)
            action.triggered.connect(lambda _=False, name=entry.name: beside.set_control_model(name))
        if menu.isEmpty():
            menu.addAction(self.tr("None for this model is installed")).setEnabled(False)
        menu.addSeparator()
        menu.addAction(self.tr("From a file …"), self._choose_file)
        menu.addAction(self.tr("From a folder …"), self._choose_folder)
        return menu

    def _open_menu(self) -> None:
        menu = self.make_menu()
        menu.aboutToHide.connect(menu.deleteLater)
        menu.popup(self.network.mapToGlobal(self.network.rect().bottomLeft()))

    def _choose_file(self) -> None:
        self._dialogs.open_models(
            self.tr("Choose a ControlNet"), lambda files: self._session.beside.bring_control(files[0])
        )

    def _choose_folder(self) -> None:
        self._dialogs.choose_folder(self.tr("Choose the folder of a ControlNet"), self._session.beside.bring_control)

    def _choose_picture(self) -> None:
        self._dialogs.open_picture(self.tr("Choose a picture to follow"), self._session.beside.set_control_picture)

    def _on_dropped(self, incoming: Incoming) -> None:
        if incoming.files:
            self._session.beside.set_control_picture(incoming.files[0])

    def _on_refused(self, kind: Kind, words: str) -> None:
        if kind is Kind.CONTROL:
            self._say(words)

    def _say(self, words: str) -> None:
        self.refusal.setText(words)
        self.refusal.setVisible(bool(words))
        self.resized.emit()
