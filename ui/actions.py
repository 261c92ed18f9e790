"""Every action of the window in one table: menus, shortcuts and tooltips are made from it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum

from PySide6.QtCore import QT_TRANSLATE_NOOP, QCoreApplication, QObject
from PySide6.QtGui import QAction, QActionGroup, QKeySequence
from PySide6.QtWidgets import QMenu, QMenuBar

from ui.panels.history_panel import MenuEntry
from ui.state.command_list import CommandEntry, Scope


class Command(StrEnum):
    """What can be done."""

    OPEN_CONTENT = "open_content"
    ADD_STYLES = "add_styles"
    SAVE_RESULT = "save_result"
    NEW_PROJECT = "new_project"
    OPEN_PROJECT = "open_project"
    SAVE_PROJECT = "save_project"
    COPY_PROJECT = "copy_project"
    PROJECT_FOLDER = "project_folder"
    EXPORT_BUNDLE = "export_bundle"
    EXPORT_GALLERY = "export_gallery"
    IMPORT_BUNDLE = "import_bundle"
    QUIT = "quit"
    UNDO = "undo"
    REDO = "redo"
    PASTE = "paste"
    SWAP = "swap"
    PALETTE = "palette"
    SHORTCUTS = "shortcuts"
    PREFERENCES = "preferences"
    FIT = "fit"
    ACTUAL_SIZE = "actual_size"
    ZOOM_IN = "zoom_in"
    ZOOM_OUT = "zoom_out"
    HAND = "hand"
    VIEW_RESULT = "view_result"
    VIEW_SIDE = "view_side"
    VIEW_COMPARE = "view_compare"
    VIEW_TILES = "view_tiles"
    THEME_DARK = "theme_dark"
    THEME_LIGHT = "theme_light"
    THEME_SYSTEM = "theme_system"
    FULL_SCREEN = "full_screen"
    RUN = "run"
    RUN_FOLDER = "run_folder"
    PAUSE = "pause"
    CANCEL = "cancel"
    STOP_AND_FREE = "stop_and_free"
    HOLD_QUEUE = "hold_queue"
    RELEASE_QUEUE = "release_queue"
    EMPTY_QUEUE = "empty_queue"
    RESTORE_ALL = "restore_all"
    RESTORE_SEED = "restore_seed"
    USE_AS_CONTENT = "use_as_content"
    USE_AS_STYLE = "use_as_style"
    BEGIN_WITH = "begin_with"
    RUN_AGAIN = "run_again"
    GO_ON = "go_on"
    SHOW_RUN = "show_run"
    SHOW_IN_FOLDER = "show_in_folder"
    DETAILS = "details"
    RATE_0 = "rate_0"
    RATE_1 = "rate_1"
    RATE_2 = "rate_2"
    RATE_3 = "rate_3"
    RATE_4 = "rate_4"
    RATE_5 = "rate_5"
    FAVOURITE = "favourite"
    TO_TRASH = "to_trash"
    FROM_TRASH = "from_trash"
    EMPTY_TRASH = "empty_trash"
    SEARCH = "search"
    MODELS = "models"
    ADD_MODEL = "add_model"
    ADD_MODELS = "add_models"
    DOWNLOAD_MODEL = "download_model"
    OFFLINE = "offline"
    ABOUT = "about"


@dataclass(frozen=True, slots=True, kw_only=True)
class ActionSpec:
    """menu: "" for actions that live elsewhere (the history's menu). keys: the first one is shown.

    group: of these exactly one is on. apart: a separator goes before it. submenu: where it stands in a card's menu.
    """

    command: Command
    text: str
    menu: str = ""
    keys: tuple[str, ...] = ()
    tip: str = ""
    checkable: bool = False
    group: str = ""
    apart: bool = False
    submenu: str = ""


def _text(text: str) -> str:
    return str(QT_TRANSLATE_NOOP("Actions", text))


FILE, EDIT, VIEW, RUN = _text("&File"), _text("&Edit"), _text("&View"), _text("&Run")
MODELS, HELP = _text("&Models"), _text("&Help")
RATING = _text("Rating")
MENUS = (FILE, EDIT, VIEW, RUN, MODELS, HELP)

TABLE: tuple[ActionSpec, ...] = (
    ActionSpec(command=Command.NEW_PROJECT, text=_text("New project …"), menu=FILE, keys=("Ctrl+N",)),
    ActionSpec(command=Command.OPEN_PROJECT, text=_text("Open a project …"), menu=FILE, keys=("Ctrl+O",)),
    ActionSpec(
        command=Command.SAVE_PROJECT,
        text=_text("Save"),
        menu=FILE,
        keys=("Ctrl+S",),
        tip=_text("Nothing waits to be saved: all of it is on disk as soon as it is done"),
    ),
    ActionSpec(
        command=Command.COPY_PROJECT, text=_text("Save a copy of the project …"), menu=FILE, keys=("Ctrl+Shift+S",)
    ),
    ActionSpec(
        command=Command.EXPORT_BUNDLE,
        text=_text("Export runs as a bundle …"),
        menu=FILE,
        tip=_text("One file with the selected runs, or all where one or none is selected"),
    ),
    ActionSpec(command=Command.IMPORT_BUNDLE, text=_text("Take in a bundle …"), menu=FILE),
    ActionSpec(command=Command.PROJECT_FOLDER, text=_text("Show the project in its folder"), menu=FILE),
    ActionSpec(
        command=Command.OPEN_CONTENT,
        text=_text("Open a content picture …"),
        menu=FILE,
        keys=("Ctrl+Alt+O",),
        apart=True,
    ),
    ActionSpec(command=Command.ADD_STYLES, text=_text("Add style references …"), menu=FILE, keys=("Ctrl+Shift+O",)),
    ActionSpec(
        command=Command.SAVE_RESULT, text=_text("Save the result as …"), menu=FILE, keys=("Ctrl+Shift+E",), apart=True
    ),
    ActionSpec(
        command=Command.EXPORT_GALLERY,
        text=_text("Export a gallery …"),
        menu=FILE,
        tip=_text("A page for any browser with the selected runs, or all where one or none is selected"),
    ),
    ActionSpec(command=Command.QUIT, text=_text("Quit"), menu=FILE, keys=("Ctrl+Q",), apart=True),
    ActionSpec(command=Command.UNDO, text=_text("Undo"), menu=EDIT, keys=("Ctrl+Z",)),
    ActionSpec(command=Command.REDO, text=_text("Redo"), menu=EDIT, keys=("Ctrl+Shift+Z", "Ctrl+Y")),
    ActionSpec(
        command=Command.PASTE,
        text=_text("Paste a picture"),
        menu=EDIT,
        keys=("Ctrl+V",),
        tip=_text("Into the slot that has the keyboard, else into the first empty one"),
        apart=True,
    ),
    ActionSpec(command=Command.SEARCH, text=_text("Search the history"), menu=EDIT, keys=("Ctrl+F",)),
    ActionSpec(command=Command.EMPTY_TRASH, text=_text("Empty the trash …"), menu=EDIT),
    ActionSpec(command=Command.SWAP, text=_text("Swap content and first style"), menu=EDIT),
    ActionSpec(
        command=Command.PALETTE,
        text=_text("Find an action …"),
        menu=EDIT,
        keys=("Ctrl+K",),
        tip=_text("Everything that can be done, found by its words"),
        apart=True,
    ),
    ActionSpec(command=Command.SHORTCUTS, text=_text("Keyboard shortcuts …"), menu=EDIT),
    ActionSpec(
        command=Command.PREFERENCES,
        text=_text("Preferences …"),
        menu=EDIT,
        keys=("Ctrl+,",),
        tip=_text("Appearance, device, memory, network, where things lie"),
    ),
    ActionSpec(
        command=Command.VIEW_RESULT, text=_text("Result"), menu=VIEW, keys=("Alt+1",), checkable=True, group="mode"
    ),
    ActionSpec(
        command=Command.VIEW_SIDE, text=_text("Side by side"), menu=VIEW, keys=("Alt+2",), checkable=True, group="mode"
    ),
    ActionSpec(
        command=Command.VIEW_COMPARE,
        text=_text("Compare"),
        menu=VIEW,
        keys=("Alt+3", "C"),
        checkable=True,
        group="mode",
    ),
    ActionSpec(
        command=Command.VIEW_TILES, text=_text("Tiles"), menu=VIEW, keys=("Alt+4",), checkable=True, group="mode"
    ),
    ActionSpec(command=Command.FIT, text=_text("Fit"), menu=VIEW, keys=("Ctrl+0",), apart=True),
    ActionSpec(command=Command.ACTUAL_SIZE, text=_text("100 %"), menu=VIEW, keys=("Ctrl+1",)),
    ActionSpec(command=Command.ZOOM_IN, text=_text("Zoom in"), menu=VIEW, keys=("Ctrl++", "Ctrl+=")),
    ActionSpec(command=Command.ZOOM_OUT, text=_text("Zoom out"), menu=VIEW, keys=("Ctrl+-",)),
    ActionSpec(command=Command.HAND, text=_text("Hand"), menu=VIEW, keys=("H",), checkable=True),
    ActionSpec(command=Command.THEME_DARK, text=_text("Dark"), menu=VIEW, checkable=True, group="theme", apart=True),
    ActionSpec(command=Command.THEME_LIGHT, text=_text("Light"), menu=VIEW, checkable=True, group="theme"),
    ActionSpec(command=Command.THEME_SYSTEM, text=_text("As the system"), menu=VIEW, checkable=True, group="theme"),
    ActionSpec(
        command=Command.FULL_SCREEN, text=_text("Full screen"), menu=VIEW, keys=("F11",), checkable=True, apart=True
    ),
    ActionSpec(command=Command.RUN, text=_text("Run"), menu=RUN, keys=("Ctrl+Return", "Ctrl+Enter")),
    ActionSpec(
        command=Command.RUN_FOLDER,
        text=_text("Run over a folder of pictures …"),
        menu=RUN,
        keys=("Ctrl+Shift+Return",),
        tip=_text("What is laid out, with each picture of the folder as the content"),
    ),
    ActionSpec(command=Command.PAUSE, text=_text("Pause"), menu=RUN, keys=("Ctrl+P",), checkable=True),
    ActionSpec(command=Command.CANCEL, text=_text("Cancel"), menu=RUN, keys=("Esc",)),
    ActionSpec(
        command=Command.STOP_AND_FREE,
        text=_text("Stop here and free the memory"),
        menu=RUN,
        tip=_text("The run keeps its checkpoint and can go on later; models are let go of until the next run"),
    ),
    ActionSpec(
        command=Command.HOLD_QUEUE,
        text=_text("Hold the runs that wait"),
        menu=RUN,
        tip=_text("What runs goes on; what waits begins when it is let go on"),
        apart=True,
    ),
    ActionSpec(command=Command.RELEASE_QUEUE, text=_text("Let held runs go on"), menu=RUN),
    ActionSpec(
        command=Command.EMPTY_QUEUE,
        text=_text("Give up the runs that wait"),
        menu=RUN,
        tip=_text("They stay in the history and can be gone on with from there"),
    ),
    ActionSpec(command=Command.SHOW_RUN, text=_text("Show on the canvas"), keys=("Return",)),
    ActionSpec(command=Command.RESTORE_ALL, text=_text("Restore all"), keys=("A",), apart=True),
    ActionSpec(command=Command.RESTORE_SEED, text=_text("Restore the seed"), keys=("S",)),
    ActionSpec(command=Command.USE_AS_CONTENT, text=_text("Use as content"), apart=True),
    ActionSpec(command=Command.USE_AS_STYLE, text=_text("Use as style")),
    ActionSpec(
        command=Command.BEGIN_WITH,
        text=_text("Restore and begin with the result"),
        tip=_text("Its settings, and the result as what the next one begins with: change what you like, and run"),
    ),
    ActionSpec(command=Command.RUN_AGAIN, text=_text("Run again"), apart=True),
    ActionSpec(
        command=Command.GO_ON, text=_text("Go on with it"), tip=_text("From where it stopped, to the same picture")
    ),
    *(
        ActionSpec(command=Command(f"rate_{stars}"), text=words, keys=(str(stars),), apart=stars == 0, submenu=RATING)
        for stars, words in enumerate((_text("No rating"), "★", "★★", "★★★", "★★★★", "★★★★★"))
    ),
    ActionSpec(command=Command.FAVOURITE, text=_text("Favourite"), keys=(".",), checkable=True),
    ActionSpec(command=Command.DETAILS, text=_text("Details, tags and notes …"), keys=("Ctrl+I",)),
    ActionSpec(command=Command.SHOW_IN_FOLDER, text=_text("Show in folder"), apart=True),
    ActionSpec(command=Command.TO_TRASH, text=_text("Move to the trash"), keys=("Del", "Backspace"), apart=True),
    ActionSpec(command=Command.FROM_TRASH, text=_text("Take out of the trash")),
    ActionSpec(
        command=Command.MODELS,
        text=_text("Installed models …"),
        menu=MODELS,
        keys=("Ctrl+M",),
        tip=_text("What is installed, where, and what each can do"),
    ),
    ActionSpec(command=Command.ADD_MODEL, text=_text("Add a model file …"), menu=MODELS, apart=True),
    ActionSpec(command=Command.ADD_MODELS, text=_text("Add a folder of models …"), menu=MODELS),
    ActionSpec(command=Command.DOWNLOAD_MODEL, text=_text("Download a model …"), menu=MODELS, apart=True),
    ActionSpec(
        command=Command.OFFLINE,
        text=_text("Work offline"),
        menu=MODELS,
        checkable=True,
        tip=_text("Nothing is fetched, also when it is asked for"),
    ),
    ActionSpec(command=Command.ABOUT, text=_text("About AD Studio"), menu=HELP),
)


HISTORY_COMMANDS = tuple(spec.command for spec in TABLE if not spec.menu)
"""Those of a card: their keys count while the history has the keyboard."""


class Actions(QObject):
    """The table come alive."""

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._actions: dict[Command, QAction] = {}
        self._menus: dict[str, QMenu] = {}
        groups: dict[str, QActionGroup] = {}
        for spec in TABLE:
            action = QAction(QCoreApplication.translate("Actions", spec.text), self)
            action.setObjectName(spec.command)
            action.setShortcuts([QKeySequence(keys) for keys in spec.keys])
            action.setCheckable(spec.checkable)
            action.setToolTip(self._tooltip(spec, action))
            if spec.group:
                group = groups.setdefault(spec.group, QActionGroup(self))
                group.addAction(action)
            self._actions[spec.command] = action

    def __getitem__(self, command: Command) -> QAction:
        return self._actions[command]

    @staticmethod
    def _tooltip(spec: ActionSpec, action: QAction) -> str:
        keys = action.shortcut().toString(QKeySequence.SequenceFormat.NativeText)
        words = QCoreApplication.translate("Actions", spec.tip) if spec.tip else action.text()
        return f"{words} ({keys})" if keys else words

    def show_keys(self) -> None:
        """Make the tooltips anew, once actions have other keys."""
        for spec in TABLE:
            self._actions[spec.command].setToolTip(self._tooltip(spec, self._actions[spec.command]))

    def connect_to(self, handlers: Mapping[Command, Callable[[], None]]) -> None:
        """Give every command its handler. Raises KeyError when one has none, so that no menu entry does nothing."""
        for command, action in self._actions.items():
            handler = handlers[command]
            action.triggered.connect(lambda _=False, handler=handler: handler())

    def fill(self, bar: QMenuBar) -> None:
        """Make the menus."""
        for title in MENUS:
            menu = self._menus[title] = bar.addMenu(QCoreApplication.translate("Actions", title))
            for spec in TABLE:
                if spec.menu == title:
                    if spec.apart:
                        menu.addSeparator()
                    menu.addAction(self._actions[spec.command])

    def entries(self) -> tuple[CommandEntry, ...]:
        """Every action with where it stands, for lists of them."""
        return tuple(
            CommandEntry(
                name=spec.command,
                place=self._place(spec),
                action=self._actions[spec.command],
                scope=Scope.WINDOW if spec.menu else Scope.HISTORY,
                usual=spec.keys,
            )
            for spec in TABLE
        )

    def _place(self, spec: ActionSpec) -> str:
        menus = (spec.menu or self.tr("History"), spec.submenu)
        return " › ".join(QCoreApplication.translate("Actions", title).replace("&", "") for title in menus if title)

    def menu(self, title: str) -> QMenu:
        """A menu that `fill` made."""
        return self._menus[title]

    def history_menu(self) -> list[MenuEntry]:
        """The entries of a card's menu."""
        entries: list[MenuEntry] = []
        for spec in TABLE:
            if spec.menu:
                continue
            if spec.apart:
                entries.append(MenuEntry(action=None))
            title = QCoreApplication.translate("Actions", spec.submenu) if spec.submenu else ""
            entries.append(MenuEntry(action=self._actions[spec.command], submenu=title))
        return entries
