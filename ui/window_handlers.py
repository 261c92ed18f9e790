"""What the hands do in the window: menus, drops, dialogs. Turns gestures into calls of the state."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Qt, QUrl
from PySide6.QtGui import QDesktopServices, QGuiApplication
from PySide6.QtWidgets import QLineEdit, QMessageBox, QPlainTextEdit

from ui.actions import Command
from ui.canvas.drop_zones import Role
from ui.state.folder_look import FolderLook
from ui.state.freeing import Freeing
from ui.state.importing import Offer, Target
from ui.state.incoming import Incoming, incoming_from
from ui.state.runs import HistoryEntry
from ui.state.samples import Sample
from ui.state.setup import SlotPicture
from ui.state.words import content_word
from ui.widgets.slot_card import SlotAction

if TYPE_CHECKING:
    from ui.main_window import MainWindow


class WindowHandlers(QObject):
    """Made by the window once its panels are there."""

    def __init__(self, window: MainWindow) -> None:
        super().__init__(window)
        self._window = window
        self._bench = window.bench
        bench = window.bench
        self.folder_look = FolderLook(bench.session, bench.controller, bench.background, self)
        self.folder_look.status.connect(bench.status)
        self.folder_look.told.connect(bench.noticed)
        self.folder_look.refused.connect(bench.failed)
        self.freeing = Freeing(bench.controller, bench.room, self)
        self.freeing.status.connect(bench.status)
        self.freeing.unfinished.connect(bench.unfinished_found)
        bench.controller.queue.left_waiting.connect(self._on_left_waiting)

    def run_commands(self) -> dict[Command, Callable[[], None]]:
        """Handlers of what begins and ends runs, but Run and Pause."""
        return {
            Command.RUN_FOLDER: self.run_over_folder,
            Command.CANCEL: self.escape,
            Command.STOP_AND_FREE: self.freeing.stop_and_free,
            Command.HOLD_QUEUE: self._bench.controller.queue.hold_waiting,
            Command.RELEASE_QUEUE: self._bench.controller.queue.release_held,
            Command.EMPTY_QUEUE: self._bench.controller.queue.forget_waiting,
        }

    # Pictures in

    def open_content(self) -> None:
        self._window.dialogs.open_picture(
            self.tr("Open a {content} picture").format(content=content_word(self._bench.session.setup.task).lower()),
            lambda path: self._bench.importer.take(Incoming(files=(path,)), Target(content=True)),
        )

    def run_over_folder(self) -> None:
        """What is laid out, over every picture of a folder that is asked for."""
        self._window.dialogs.choose_folder(self.tr("Run over the pictures of a folder"), self.folder_look.begin)

    def open_first(self) -> None:
        """A picture for the slot that needs one first."""
        target = self._bench.importer.first_empty()
        self.open_content() if target.content else self.open_styles()

    def open_styles(self) -> None:
        self._window.dialogs.open_pictures(
            self.tr("Add style references"), lambda files: self._bench.importer.take(Incoming(files=files), Target())
        )

    def on_canvas_drop(self, role: Role, incoming: Incoming) -> None:
        self._bench.importer.take(incoming, Target(content=role is Role.CONTENT))

    def on_slot_drop(self, key: int, incoming: Incoming) -> None:
        """key: 0 the content, -1 the empty place for styles, else the style with that key."""
        self._bench.importer.take(incoming, Target(content=key == 0, key=max(key, 0)))

    def paste(self) -> None:
        """The clipboard into the slot with the keyboard, else where there is room. Text fields keep their own paste."""
        focus = QGuiApplication.focusObject()
        clipboard = QGuiApplication.clipboard()
        if isinstance(focus, QPlainTextEdit) or (isinstance(focus, QLineEdit) and clipboard.text()):
            focus.paste()
            return
        key = self._window.references.focused_key()
        self.paste_into(self._bench.importer.first_empty() if key is None else Target(content=key == 0, key=key))

    def paste_into(self, target: Target) -> None:
        incoming = incoming_from(QGuiApplication.clipboard().mimeData())
        if incoming is None:
            self._window.canvas.say(self.tr("There is no picture in the clipboard."), kind="info")
        else:
            self._bench.importer.take(incoming, target)

    def use_sample(self, sample: Sample) -> None:
        """A card of the library: the content or the style, in place of the present one; more come by dragging."""
        session = self._bench.session
        if sample.role == "content":
            session.set_content(sample.path, name=sample.title)
            return
        styles = session.setup.styles
        if len(styles) == 1:
            session.replace_style(styles[0].key, sample.path, name=sample.title)
        else:
            session.add_styles([sample.path], name=sample.title)

    def on_slot_asked(self, key: int, action: SlotAction) -> None:
        session, target = self._bench.session, Target(content=key == 0, key=key)
        match action:
            case SlotAction.REPLACE:
                self._window.dialogs.open_picture(
                    self.tr("Choose another picture"),
                    lambda path: self._bench.importer.take(Incoming(files=(path,)), target),
                )
            case SlotAction.MAKE_SMALLER:
                for slot in self._slots(key):
                    self._bench.importer.make_smaller(slot, target)
            case SlotAction.PASTE:
                self.paste_into(target)
            case SlotAction.CHOOSE_MASK:
                self._window.dialogs.open_picture(self.tr("Choose a mask"), lambda path: self._set_mask(key, path))
            case SlotAction.CLEAR_MASK:
                self._set_mask(key, None)
            case SlotAction.CHOOSE_PROTECT:
                self._window.dialogs.open_picture(self.tr("Choose what stays"), session.set_protect)
            case SlotAction.CLEAR_PROTECT:
                session.set_protect(None)
            case SlotAction.MOVE_UP:
                session.move_style(key, -1)
            case SlotAction.MOVE_DOWN:
                session.move_style(key, 1)
            case SlotAction.REMOVE:
                session.clear_content() if key == 0 else session.remove_style(key)
            case SlotAction.SHOW_IN_FOLDER:
                self._show_slot(key)

    def _set_mask(self, key: int, mask: Path | None) -> None:
        if key == 0:
            self._bench.session.set_content_mask(mask)
        else:
            self._bench.session.set_style_mask(key, mask)

    def _show_slot(self, key: int) -> None:
        for slot in self._slots(key):
            self.open_folder(slot.path.parent)

    def _slots(self, key: int) -> tuple[SlotPicture, ...]:
        """The slot with a key, 0 for the content; empty where it is gone."""
        setup = self._bench.session.setup
        slots = (setup.content,) if key == 0 else tuple(style for style in setup.styles if style.key == key)
        return tuple(slot for slot in slots if slot is not None)

    def on_restore_offered(self, offer: Offer) -> None:
        """Said over the canvas, with both ways as buttons."""
        importer = self._bench.importer
        self._window.canvas.say(
            self.tr("{name} was made here and carries its settings.").format(name=offer.path.name),
            kind="info",
            actions=(
                (self.tr("Restore settings"), lambda: self._bench.past.restore_job(offer.job)),
                (self.tr("Use as image"), lambda: importer.place((offer.path,), offer.target)),
            ),
        )

    # Results out

    def save_result(self) -> None:
        shown = self._bench.stage.shown
        if shown is not None:
            self._window.dialogs.save_picture(
                self.tr("Save the result"), f"{shown.folder.name}.png", self._bench.save_result
            )

    def on_saved(self, target: Path) -> None:
        self._window.status_line.say(self.tr("Saved {name}").format(name=target))

    def on_unfinished(self, entry: HistoryEntry) -> None:
        """A run that ended before its picture was made: said, with the way to take it up again."""
        self._window.canvas.say(
            self.tr("The run of {time} ended before its picture was made.").format(time=f"{entry.created:%H:%M}"),
            kind="info",
            actions=((self.tr("Go on with it"), lambda: self._bench.past.go_on(entry)),),
        )

    def _on_left_waiting(self, count: int) -> None:
        """Runs that an earlier start left in the queue: said, with the ways on."""
        said = self.tr("One run waits from last time.") if count == 1 else self.tr("{count} runs wait from last time.")
        queue = self._bench.controller.queue
        self._window.canvas.say(
            said.format(count=count),
            kind="info",
            actions=((self.tr("Go on"), queue.release_held), (self.tr("Forget"), queue.forget_held)),
        )

    def show_in_folder(self, entry: HistoryEntry) -> None:
        self.open_folder(entry.folder)

    def open_folder(self, folder: Path) -> None:
        """In the file manager."""
        if not QDesktopServices.openUrl(QUrl.fromLocalFile(str(folder))):
            self._window.canvas.say(
                self.tr("No file manager answered. The folder is {folder}").format(folder=folder), kind="info"
            )

    # The rest

    def escape(self) -> None:
        """Esc closes a message first, then cancels the run."""
        banner = self._window.canvas.banner
        if banner.isVisible():
            banner.dismiss()
        else:
            self._bench.controller.cancel()

    def about(self) -> None:
        from adstudio import __version__

        box = QMessageBox(
            QMessageBox.Icon.NoIcon,
            self.tr("About AD Studio"),
            self.tr("AD Studio {version}\n\nThe look of one picture on another, on your own machine.").format(
                version=__version__
            ),
            QMessageBox.StandardButton.Close,
            self._window,
        )
        box.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        box.open()
