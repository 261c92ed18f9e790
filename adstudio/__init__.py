"""AD Studio: put the look of a reference picture onto new pictures."""

__version__ = "0.1.0"
