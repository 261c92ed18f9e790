"""The style sheet: what a palette cannot say. Widgets opt in by object name or by the dynamic property `role`."""

from __future__ import annotations

from string import Template

STYLE_SHEET = Template("""
QMainWindow, QDialog { background: $window; }
QDialogButtonBox { dialogbuttonbox-buttons-have-icons: 0; }
QToolTip { background: $card; color: $text; border: 1px solid $edge; padding: 4px 6px; }
QMenuBar { background: $window; border-bottom: 1px solid $line; padding: 1px 4px; }
QMenuBar::item { background: transparent; color: $muted; padding: 5px 9px; border-radius: 4px; }
QMenuBar::item:selected, QMenuBar::item:pressed { background: $raised; color: $text; }
QMenu { background: $card; border: 1px solid $edge; padding: 4px; }
QMenu::item { padding: 5px 24px 5px 12px; border-radius: 4px; color: $text; }
QMenu::item:selected { background: $raised; }
QMenu::item:disabled { color: $disabled; }
QMenu::separator { height: 1px; background: $line; margin: 4px 8px; }
QMenu::icon { padding-left: 8px; }

#topBar { background: $bar; border-bottom: 1px solid $line; }
#canvasBar { background: $bar; border-bottom: 1px solid $line; }
#resultBar { background: $bar; border-top: 1px solid $line; }
#emptyTitle { font-size: 17px; font-weight: 600; }
#sidePanel, #sidePanel > QWidget > QWidget, #historyPanel, #panelBody { background: $panel; }
#historyPanel { border-top: 1px solid $line; }
#statusLine { background: $window; border-top: 1px solid $line; }
#statusLine QLabel { color: $muted; }
#palette { background: $card; border: 1px solid $edge; border-radius: 8px; }
#palette QLineEdit { font-size: 15px; padding: 6px 8px; }
#title { font-weight: 600; }
QScrollArea { background: transparent; border: none; }
QSplitter::handle { background: $line; }
QSplitter::handle:hover { background: $accent; }

QLabel[role="section"] { color: $muted; font-size: 11px; font-weight: 600; letter-spacing: 1px; }
QLabel[role="muted"] { color: $muted; }
QLabel[role="hint"] { color: $muted; font-size: 11px; }
QLabel[role="missing"] { color: $accent_ink; font-size: 11px; padding: 0 2px 4px 2px; }
QLabel[role="error"] { color: $danger; font-size: 12px; }
QLabel[role="name"] { color: $text; }
QLabel[role="chip"] { background: $card; border: 1px solid $line; border-radius: 13px; padding: 0 12px;
  color: $text; }

QLabel[role="problem"] { color: $danger; background: $card; border: 1px solid $danger; border-radius: 6px;
  padding: 8px 10px; }
QLabel[role="step"] { color: $accent_ink; background: $card; border: 1px solid $line; border-radius: 12px;
  font-weight: 600; }
QDialog QFrame[role="banner"] { margin: 10px 0; }
#modelList { background: $window; border-right: 1px solid $line; }
#modelList[dropping="true"] { border: 2px solid $accent; }

QFrame[role="card"] { background: $card; border: 1px solid $line; border-radius: 6px; }
QFrame[role="card"]:focus { border: 1px solid $accent; }
QFrame[role="card"][dropping="true"] { border: 1px solid $accent; }
QFrame[role="card"][broken="true"] { border: 1px solid $danger; }
QFrame[role="group"] { background: $card; border-radius: 6px; }

QFrame[role="segments"] { background: $well; border: 1px solid $line; border-radius: 7px; }
QToolButton[role="segment"] { background: transparent; border: 1px solid transparent; border-radius: 5px;
  padding: 5px 12px; color: $muted; }
#canvasBar QToolButton[role="segment"] { padding: 4px 9px; }
QToolButton[role="segment"]:hover { color: $text; }
QToolButton[role="segment"]:checked { background: $raised; border: 1px solid $raised_edge; color: $text; }
QToolButton[role="segment"]:focus { border: 1px solid $accent; color: $text; }
QToolButton[role="segment"]:disabled { color: $disabled; }

QPushButton { background: transparent; border: 1px solid $edge; border-radius: 6px; padding: 5px 14px; color: $text; }
QPushButton:hover { background: $raised; }
QPushButton:pressed { background: $card; }
QPushButton:focus { border: 1px solid $accent; }
QPushButton:disabled { color: $disabled; border-color: $line; }
QPushButton[role="primary"] { background: $accent; color: $accent_text; border: 1px solid $accent; font-weight: 600;
  padding: 6px 18px; }
QPushButton[role="primary"]:hover { background: $accent_hover; border-color: $accent_hover; }
QPushButton[role="primary"]:focus { border: 2px solid $text; padding: 5px 17px; }
QPushButton[role="primary"]:disabled { background: $panel; color: $muted; border-color: $line; }
QPushButton[role="picker"] { background: $card; border: 1px solid $line; border-radius: 13px; padding: 0; }
QPushButton[role="picker"]:hover { background: $raised; }
QPushButton[role="picker"]:focus { border: 1px solid $accent; }
QPushButton[role="picker"][broken="true"] { border: 1px solid $danger; }
QPushButton:checked { background: $raised; }
QPushButton[role="small"] { padding: 3px 10px; }
QPushButton[role="fold"] { text-align: left; background: $card; border: 1px solid transparent; padding: 6px 8px; }
QPushButton[role="fold"]:hover { background: $raised; }
QPushButton[role="fold"]:focus { border: 1px solid $accent; }
QPushButton[role="drop"] { background: transparent; border: 1px dashed $edge; color: $muted; padding: 9px; }
QPushButton[role="drop"]:hover, QPushButton[role="drop"]:focus { border: 1px dashed $accent; color: $text; }
QPushButton[role="drop"][dropping="true"] { border: 1px solid $accent; color: $text; background: $card; }

QToolButton { background: transparent; border: 1px solid transparent; border-radius: 5px; padding: 3px; color: $text; }
QToolButton:hover { background: $raised; }
QToolButton:pressed { background: $card; }
QToolButton:focus { border: 1px solid $accent; }
QToolButton:checked { background: $raised; border: 1px solid $raised_edge; }
QToolButton:checked:focus { border: 1px solid $accent; }
QToolButton[role="framed"] { border: 1px solid $edge; border-radius: 6px; padding: 6px 10px; }
QToolButton[role="framed"]:focus { border: 1px solid $accent; }
QToolButton[role="framed"]:disabled { border-color: $line; }
QToolButton[role="framed"]:checked { background: $accent; border-color: $accent; }
QToolButton::menu-indicator { image: none; }

QDoubleSpinBox, QLineEdit, QComboBox { background: $field; border: 1px solid $line; border-radius: 5px;
  padding: 3px 6px; color: $text; selection-background-color: $accent; selection-color: $accent_text;
  min-height: 18px; }
QDoubleSpinBox:hover, QLineEdit:hover, QComboBox:hover { border: 1px solid $edge; }
QDoubleSpinBox:focus, QLineEdit:focus, QComboBox:focus { border: 1px solid $accent; }
QDoubleSpinBox:disabled, QLineEdit:disabled, QComboBox:disabled { color: $disabled; }
QDoubleSpinBox QLineEdit { background: transparent; border: none; padding: 0; min-height: 0; }
QDoubleSpinBox QLineEdit:hover, QDoubleSpinBox QLineEdit:focus { border: none; }
QComboBox::drop-down { border: none; width: 22px; }
QComboBox::down-arrow { image: none; }
QComboBox QAbstractItemView { background: $card; border: 1px solid $edge; padding: 4px; outline: none;
  selection-background-color: $raised; selection-color: $text; }
QPlainTextEdit { background: $field; border: 1px solid $line; border-radius: 5px; padding: 4px; }
QPlainTextEdit:focus { border: 1px solid $accent; }

QListView, QTreeView { background: transparent; border: none; outline: none; }
#fetchedFiles::item { padding: 3px 0; }

QScrollBar:vertical { background: transparent; width: 10px; margin: 0; }
QScrollBar:horizontal { background: transparent; height: 10px; margin: 0; }
QScrollBar::handle { background: $edge; border-radius: 3px; margin: 2px; }
QScrollBar::handle:vertical { min-height: 28px; }
QScrollBar::handle:horizontal { min-width: 28px; }
QScrollBar::handle:hover { background: $muted; }
QScrollBar::add-line, QScrollBar::sub-line { width: 0; height: 0; }
QScrollBar::add-page, QScrollBar::sub-page { background: transparent; }

QProgressBar { background: $track; border: none; max-height: 4px; min-height: 4px; }
QProgressBar::chunk { background: $accent; }

QFrame[role="banner"] { background: $card; border: 1px solid $edge; border-radius: 8px; }
QFrame[role="banner"][kind="error"] { border: 1px solid $danger; }
""")
