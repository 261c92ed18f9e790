"""The window of AD Studio."""

from ui.none_guard import keep_none_alive

keep_none_alive()
