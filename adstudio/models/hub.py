"""The model hub over HTTP: what a repository holds, and the bytes of its files from any place on.

Own choice: the standard library, because a download here is paused, gone on with and checked by us. Nothing connects
before a method is called, and no account is used. HF_ENDPOINT names another server, as for other programs.
"""

from __future__ import annotations

import http.client
import json
import os
import re
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from typing import IO, Any, Protocol
from urllib.error import HTTPError, URLError
from urllib.parse import quote, urlsplit
from urllib.request import (
    HTTPDefaultErrorHandler,
    HTTPErrorProcessor,
    HTTPHandler,
    HTTPRedirectHandler,
    HTTPSHandler,
    OpenerDirector,
    ProxyHandler,
    Request,
)

from adstudio.errors import ModelError, StorageError, UnavailableError

SITE = "https://huggingface.co"
CHUNK_BYTES = 1 << 18
_TIMEOUT_S = 15.0
_MAX_LISTING_BYTES = 16 << 20
_REPOSITORY = re.compile(r"[A-Za-z0-9][\w.-]{0,95}/[A-Za-z0-9][\w.-]{0,95}", re.ASCII)
_REVISION = re.compile(r"[A-Za-z0-9][\w.-]{0,99}", re.ASCII)
_SHA1, _SHA256 = re.compile(r"[0-9a-f]{40}"), re.compile(r"[0-9a-f]{64}")


class BrokenOffError(StorageError):
    """The connection was lost on the way; what came so far is kept."""


@dataclass(frozen=True, slots=True, kw_only=True)
class HubFile:
    """sha256: of the content, or empty for a small file, whose git blob id is known instead."""

    name: str
    size_bytes: int
    sha256: str = ""
    git_sha1: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Listing:
    """What a repository holds at one commit. licence: as its publisher names it, or empty."""

    repository: str
    commit: str
    licence: str
    files: tuple[HubFile, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Body:
    """Bytes on their way. start: the place in the file of the first one, 0 where the server sends all of it."""

    start: int
    stream: IO[bytes]

    def chunks(self) -> Iterator[bytes]:
        """The bytes, a portion at a time. Raises BrokenOffError."""
        while True:
            try:
                chunk = self.stream.read(CHUNK_BYTES)
            except (OSError, http.client.HTTPException) as error:
                raise BrokenOffError(f"the connection was lost ({error})") from error
            if not chunk:
                return
            yield chunk


class Hub(Protocol):
    """A seam: tests and other sites."""

    def listing(self, repository: str, revision: str) -> Listing: ...

    def open(self, listing: Listing, name: str, start: int) -> AbstractContextManager[Body]: ...


class _Redirects(HTTPRedirectHandler):
    """Follows to where large files are kept, but never from an encrypted connection to an open one."""

    def redirect_request(
        self, req: Request, fp: IO[bytes], code: int, msg: str, headers: http.client.HTTPMessage, newurl: str
    ) -> Request | None:
        if urlsplit(newurl).scheme not in ("https", req.type):
            raise UnavailableError(f"{req.host}: leads to a connection that is not encrypted, which is not followed")
        return super().redirect_request(req, fp, code, msg, headers, newurl)


class HttpHub:
    """The hub itself. Raises UnavailableError at once where the offline switch is on."""

    def __init__(self, *, offline: bool, timeout_s: float = _TIMEOUT_S) -> None:
        if offline:
            raise UnavailableError(
                "network: the offline switch is on, so nothing is fetched; switch it off (Models > Work offline, or "
                "`adstudio models offline off`)"
            )
        self._endpoint = os.environ.get("HF_ENDPOINT", "").rstrip("/") or SITE
        if urlsplit(self._endpoint).scheme not in ("http", "https"):
            raise UnavailableError(f"HF_ENDPOINT: {self._endpoint} is no web address; it begins with https://")
        self._timeout_s = timeout_s
        self._opener = OpenerDirector()
        for handler in (
            ProxyHandler(),
            HTTPHandler(),
            HTTPSHandler(),
            _Redirects(),
            HTTPDefaultErrorHandler(),
            HTTPErrorProcessor(),
        ):
            self._opener.add_handler(handler)

    def listing(self, repository: str, revision: str = "main") -> Listing:
        """Files, sizes, checksums and licence. Raises ModelError, UnavailableError."""
        if not _REPOSITORY.fullmatch(repository) or ".." in repository:
            raise ModelError(f"{repository[:100]!r}: is no repository; its name is PUBLISHER/MODEL")
        if not _REVISION.fullmatch(revision) or ".." in revision:
            raise ModelError(f"{revision[:100]!r}: is no revision; give a branch, a tag or a commit")
        path = f"/api/models/{repository}/revision/{revision}?blobs=true"
        with self._get(repository, path) as response:
            try:
                content = response.read(_MAX_LISTING_BYTES + 1)
                mapping = json.loads(content) if len(content) <= _MAX_LISTING_BYTES else None
            except (OSError, http.client.HTTPException) as error:
                raise UnavailableError(f"{repository}: the connection was lost ({error}); try again") from error
            except (ValueError, RecursionError) as error:
                raise ModelError(f"{repository}: the site's answer is no listing; try again later") from error
        return _listing(repository, mapping)

    @contextmanager
    def open(self, listing: Listing, name: str, start: int) -> Iterator[Body]:
        """A file's bytes from `start` on, or all of them where the server cannot do that."""
        path = f"/{listing.repository}/resolve/{listing.commit}/{quote(name)}"
        with self._get(listing.repository, path, start) as response:
            yield Body(start=_start(response, start, name), stream=response)

    def _get(self, repository: str, path: str, start: int = 0) -> Any:
        request = Request(self._endpoint + path, headers={"User-Agent": "adstudio", "Accept-Encoding": "identity"})  # noqa: S310  the scheme was checked
        if start:
            request.add_header("Range", f"bytes={start}-")
        try:
            return self._opener.open(request, timeout=self._timeout_s)
        except HTTPError as error:
            error.close()
            raise UnavailableError(f"{repository}: {_refusal(error.code)}") from error
        except (URLError, OSError, http.client.HTTPException) as error:
            reason = getattr(error, "reason", None) or error
            raise UnavailableError(
                f"{repository}: {urlsplit(self._endpoint).hostname} cannot be reached ({reason}); check the "
                "connection, or get the files with another machine and add them"
            ) from error


def _refusal(status: int) -> str:
    if status in (401, 403):
        return (
            "is not given without an account: it does not exist, or its publisher wants the licence accepted first; "
            "get it with a browser and add it"
        )
    if status == 404:
        return "there is no such repository or revision, or no such file in it"
    if status == 429:
        return "the site asks to wait, too much was fetched; try again later"
    return f"the site answered with an error ({status}); try again later"


def _start(response: Any, asked: int, name: str) -> int:
    if response.status != http.client.PARTIAL_CONTENT:
        return 0
    found = re.match(r"bytes (\d+)-", response.headers.get("Content-Range", ""))
    if found is None or int(found[1]) != asked:
        raise UnavailableError(f"{name}: the site sent another part of the file than was asked for; try again later")
    return asked


def _listing(repository: str, mapping: Any) -> Listing:
    """Held to what it must be: a listing is input from strangers."""
    if not isinstance(mapping, dict) or not isinstance(mapping.get("siblings"), list):
        raise ModelError(f"{repository}: the site's answer is no listing; try again later")
    commit = mapping.get("sha")
    if not isinstance(commit, str) or not _SHA1.fullmatch(commit):
        raise ModelError(f"{repository}: the site does not say which commit this is; try again later")
    card = mapping.get("cardData")
    licence = _licence(card) if isinstance(card, dict) else ""
    files = tuple(_file(repository, one) for one in mapping["siblings"])
    return Listing(repository=repository, commit=commit, licence=licence, files=files)


def _licence(card: Mapping[str, Any]) -> str:
    named = card.get("license_name") or card.get("license")
    words = ", ".join(str(one) for one in named) if isinstance(named, list) else str(named or "")
    return "".join(one for one in words if one.isprintable())[:100]


def _file(repository: str, entry: Any) -> HubFile:
    name = entry.get("rfilename") if isinstance(entry, dict) else None
    if not isinstance(name, str) or not _is_inside(name):
        raise ModelError(f"{repository}: lists {str(name)[:80]!r}, which is no file inside it; it is not fetched")
    large = entry.get("lfs")
    size = large.get("size") if isinstance(large, dict) else entry.get("size")
    sha256 = large.get("sha256") if isinstance(large, dict) else ""
    blob = entry.get("blobId")
    return HubFile(
        name=name,
        size_bytes=size if type(size) is int and size >= 0 else -1,
        sha256=sha256 if isinstance(sha256, str) and _SHA256.fullmatch(sha256) else "",
        git_sha1=blob if not large and isinstance(blob, str) and _SHA1.fullmatch(blob) else "",
    )


def _is_inside(name: str) -> bool:
    """Whether a name stays below its folder on every system."""
    if not name or len(name) > 300 or not name.isprintable() or any(one in name for one in '\\:*?"<>|'):
        return False
    return all(part not in ("", ".", "..") and part == part.rstrip(". ") for part in name.split("/"))
