"""The window of AD Studio."""

from ui.constants_guard import keep_constants_alive

keep_constants_alive()
