"""Replays recorded cases of the official code through the engine: `python -m tests.parity --cases DIR --models DIR`."""
