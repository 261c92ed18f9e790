"""A model hub on this machine, which can be told to break off, to lie and to know no ranges."""

from __future__ import annotations

import hashlib
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

COMMIT = "0123456789abcdef0123456789abcdef01234567"
LARGE_BYTES = 4096  # smaller files are known by their git blob id


class FakeHub:
    """files: by repository. asked: path and range of each request. breaks: bytes after which a file's answers end.

    altered: files that are sent with a changed byte. names: what a listing says besides the files.
    """

    def __init__(self) -> None:
        self.files: dict[str, dict[str, bytes]] = {}
        self.commits: dict[str, str] = {}
        self.licence = "apache-2.0"
        self.names: list[str] = []
        self.asked: list[tuple[str, str]] = []
        self.breaks: dict[str, list[int]] = {}
        self.altered: set[str] = set()
        self.knows_ranges = True
        self.moved_to = ""
        self.status = 200

    def put_folder(self, repository: str, folder: Path) -> None:
        """Offer a folder as a repository."""
        paths = [path for path in sorted(folder.rglob("*")) if path.is_file()]
        self.files[repository] = {path.relative_to(folder).as_posix(): path.read_bytes() for path in paths}

    def listing(self, repository: str) -> dict[str, Any]:
        siblings: list[dict[str, Any]] = [{"rfilename": name, "size": 1, "blobId": "0" * 40} for name in self.names]
        for name, content in self.files[repository].items():
            blob = hashlib.sha1(f"blob {len(content)}\0".encode() + content).hexdigest()
            entry: dict[str, Any] = {"rfilename": name, "size": len(content), "blobId": blob}
            if len(content) >= LARGE_BYTES:
                entry["lfs"] = {"sha256": hashlib.sha256(content).hexdigest(), "size": len(content)}
            siblings.append(entry)
        commit = self.commits.get(repository, COMMIT)
        return {"sha": commit, "cardData": {"license": self.licence}, "siblings": siblings}

    def ranges(self, name: str) -> list[str]:
        """The ranges that were asked for of a file."""
        return [asked for path, asked in self.asked if path.endswith(f"/{name}")]


@contextmanager
def serving(hub: FakeHub) -> Iterator[str]:
    """The address of a hub while it answers."""

    class Handler(BaseHTTPRequestHandler):
        def log_message(self, format: str, *args: object) -> None:  # noqa: A002  as the base class calls it
            pass

        def do_GET(self) -> None:
            path = unquote(urlsplit(self.path).path)
            hub.asked.append((path, self.headers.get("Range", "")))
            if hub.status != 200:
                self.send_error(hub.status)
                return
            kind, *rest = path.strip("/").split("/")
            if kind == "api":
                self._answer(json.dumps(hub.listing("/".join(rest[1:3]))).encode(), "")
                return
            repository, name = f"{kind}/{rest[0]}", "/".join(rest[3:])
            if hub.moved_to:
                self.send_response(302)
                self.send_header("Location", hub.moved_to)
                self.end_headers()
                return
            content = hub.files[repository][name]
            if name in hub.altered:
                content = content[:-1] + bytes([content[-1] ^ 1])
            self._answer(content, name)

        def _answer(self, content: bytes, name: str) -> None:
            asked = self.headers.get("Range", "")
            start = int(asked.removeprefix("bytes=").rstrip("-")) if asked and hub.knows_ranges else 0
            self.send_response(206 if start else 200)
            if start:
                self.send_header("Content-Range", f"bytes {start}-{len(content) - 1}/{len(content)}")
            self.send_header("Content-Length", str(len(content) - start))
            self.end_headers()
            planned = hub.breaks.get(name, [])
            stop = start + planned.pop(0) if planned else len(content)
            self.wfile.write(content[start:stop])

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = False
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, name="fake-hub")
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
