"""The tables of a project. A change here is a new version with a migration, and a recorded fixture of the old one.

Moments are whole milliseconds since 1970 in UTC. `stale` marks what its sidecar does not say yet.
"""

from __future__ import annotations

VERSION = 1

TABLES = (
    """CREATE TABLE meta (
        key TEXT PRIMARY KEY,
        value TEXT NOT NULL
    ) WITHOUT ROWID""",
    """CREATE TABLE objects (
        digest TEXT PRIMARY KEY,
        size_bytes INTEGER NOT NULL,
        media_type TEXT NOT NULL,
        width INTEGER,
        height INTEGER,
        health TEXT NOT NULL
    ) WITHOUT ROWID""",
    """CREATE TABLE runs (
        number INTEGER PRIMARY KEY,
        id TEXT NOT NULL UNIQUE,
        state TEXT NOT NULL,
        task TEXT,
        model TEXT NOT NULL,
        model_digest TEXT,
        created INTEGER NOT NULL,
        finished INTEGER,
        seconds REAL,
        device TEXT NOT NULL,
        reason TEXT NOT NULL,
        versions TEXT NOT NULL,
        job TEXT NOT NULL,
        prompt TEXT NOT NULL,
        seed INTEGER NOT NULL,
        width INTEGER,
        height INTEGER,
        origin TEXT NOT NULL,
        rating INTEGER NOT NULL CHECK (rating BETWEEN 0 AND 5),
        favourite INTEGER NOT NULL CHECK (favourite IN (0, 1)),
        notes TEXT NOT NULL,
        trashed INTEGER,
        stale INTEGER NOT NULL
    )""",
    "CREATE INDEX runs_by_time ON runs (trashed, created, number)",
    "CREATE INDEX runs_by_rating ON runs (trashed, rating, favourite, created, number)",
    "CREATE INDEX runs_by_state ON runs (state)",
    "CREATE INDEX runs_by_origin ON runs (origin) WHERE origin <> ''",
    "CREATE INDEX runs_stale ON runs (number) WHERE stale = 1",
    """CREATE TABLE inputs (
        run INTEGER NOT NULL REFERENCES runs ON DELETE CASCADE,
        position INTEGER NOT NULL,
        field TEXT NOT NULL,
        name TEXT NOT NULL,
        file TEXT NOT NULL,
        digest TEXT NOT NULL REFERENCES objects,
        PRIMARY KEY (run, position)
    ) WITHOUT ROWID""",
    "CREATE INDEX inputs_by_digest ON inputs (digest)",
    """CREATE TABLE results (
        run INTEGER NOT NULL REFERENCES runs ON DELETE CASCADE,
        position INTEGER NOT NULL,
        file TEXT NOT NULL,
        digest TEXT NOT NULL REFERENCES objects,
        PRIMARY KEY (run, position)
    ) WITHOUT ROWID""",
    "CREATE INDEX results_by_digest ON results (digest)",
    """CREATE TABLE frames (
        run INTEGER NOT NULL REFERENCES runs ON DELETE CASCADE,
        image_index INTEGER NOT NULL,
        step INTEGER NOT NULL,
        picture TEXT REFERENCES objects,
        latents TEXT REFERENCES objects,
        pinned INTEGER NOT NULL,
        time_s REAL,
        PRIMARY KEY (run, image_index, step)
    ) WITHOUT ROWID""",
    "CREATE INDEX frames_by_picture ON frames (picture)",
    "CREATE INDEX frames_by_latents ON frames (latents)",
    """CREATE TABLE lineage (
        run INTEGER NOT NULL REFERENCES runs ON DELETE CASCADE,
        position INTEGER NOT NULL,
        relation TEXT NOT NULL,
        parent_id TEXT NOT NULL,
        digest TEXT NOT NULL,
        step INTEGER,
        PRIMARY KEY (run, position)
    ) WITHOUT ROWID""",
    "CREATE INDEX lineage_by_parent ON lineage (parent_id)",
    """CREATE TABLE tags (
        run INTEGER NOT NULL REFERENCES runs ON DELETE CASCADE,
        tag TEXT NOT NULL,
        PRIMARY KEY (run, tag)
    ) WITHOUT ROWID""",
    "CREATE INDEX tags_by_tag ON tags (tag)",
    """CREATE TABLE boards (
        id TEXT PRIMARY KEY,
        name TEXT NOT NULL,
        notes TEXT NOT NULL
    ) WITHOUT ROWID""",
    """CREATE TABLE board_runs (
        board TEXT NOT NULL REFERENCES boards ON DELETE CASCADE,
        run INTEGER NOT NULL REFERENCES runs ON DELETE CASCADE,
        position REAL NOT NULL,
        PRIMARY KEY (board, run)
    ) WITHOUT ROWID""",
    "CREATE INDEX board_runs_by_run ON board_runs (run)",
    """CREATE TABLE desk (
        key TEXT PRIMARY KEY,
        value TEXT NOT NULL
    ) WITHOUT ROWID""",
    """CREATE TABLE commands (
        number INTEGER PRIMARY KEY AUTOINCREMENT,
        label TEXT NOT NULL,
        merge_key TEXT NOT NULL,
        at INTEGER NOT NULL,
        undone INTEGER NOT NULL
    )""",
    """CREATE TABLE changes (
        command INTEGER NOT NULL REFERENCES commands ON DELETE CASCADE,
        position INTEGER NOT NULL,
        target TEXT NOT NULL,
        key TEXT NOT NULL,
        before TEXT NOT NULL,
        after TEXT NOT NULL,
        PRIMARY KEY (command, position)
    ) WITHOUT ROWID""",
    "CREATE INDEX changes_by_key ON changes (key)",
    """CREATE VIRTUAL TABLE words USING fts5(
        prompt, notes, names, tags, tokenize = "unicode61 remove_diacritics 2", prefix = '1 2 3'
    )""",
)
