"""What list models offer beyond Qt's own roles."""

from __future__ import annotations

from enum import IntEnum

from PySide6.QtCore import Qt


class CardRole(IntEnum):
    """IMAGE: QImage or None. BADGE: status in one word or "". VALUE: the object behind the row. COUNT: of pictures.

    RATING: 0 … 5 stars. FAVOURITE: bool.
    """

    IMAGE = Qt.ItemDataRole.UserRole + 1
    BADGE = Qt.ItemDataRole.UserRole + 2
    VALUE = Qt.ItemDataRole.UserRole + 3
    COUNT = Qt.ItemDataRole.UserRole + 4
    RATING = Qt.ItemDataRole.UserRole + 5
    FAVOURITE = Qt.ItemDataRole.UserRole + 6
