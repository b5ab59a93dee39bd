"""A server that results are pushed to, as a program sees it: who am I, what may be sent, send, and what became of it."""

from __future__ import annotations

import base64
import contextlib
import json
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, NoReturn, Self
from urllib.parse import urljoin, urlsplit

from assay import __version__
from assay.base.files import open_regular
from assay.base.progress import SILENT, Progress, Step
from assay.community.parcel import Packed
from assay.errors import AssayError, InvalidInputError, MachineError, UsageError

if TYPE_CHECKING:
    import httpx2

LOCAL = ("localhost", "127.0.0.1", "::1")
_TIMEOUT_S = 30.0
_SENDING_TIMEOUT_S = 120.0
_CHUNK = 1 << 16
_MOST_ANSWER = 32 << 20
_ASK_S, _ASK_MOST_S = 0.3, 3.0
_REFUSED = (400, 404, 409, 413, 422)


@dataclass(frozen=True, slots=True)
class Server:
    """What a server says of itself.

    Attributes:
        name: of the account that is known by the token; of the single user without accounts.
        max_bytes: that an archive may have.
        challenges: names of those that take results now and may be seen.
    """

    name: str | None
    version: str
    max_bytes: int
    challenges: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Asked:
    """What is wished with what is sent; see :class:`assay.playground.uploads.Wish`."""

    challenges: tuple[str, ...] = ()
    private: bool = False
    embargo: str = ""
    round: str = ""
    note: str = ""

    def fields(self) -> list[tuple[str, str]]:
        """The fields of the form."""
        found = [("challenge", each) for each in self.challenges]
        found += [("private", "1")] if self.private else []
        said = (("embargo", self.embargo), ("round", self.round), ("note", self.note))
        return found + [(name, text) for name, text in said if text]


@dataclass(slots=True)
class Sent:
    """How much of an archive has gone out, and the id that it got."""

    size: int
    done: int = 0
    id: str = ""


def base_of(url: str) -> str:
    """The address of a server, without a path.

    Raises:
        UsageError: when it is none.
    """
    error = UsageError("not the address of a server", expected="https://results.example.org", found=url[:200])
    try:
        parts = urlsplit(url if "://" in url else f"https://{url}")
        named = parts.scheme in ("http", "https") and parts.hostname and parts.port != 0
    except ValueError:
        raise error from None
    if not named or parts.username or parts.password or parts.query or parts.fragment or parts.path not in ("", "/"):
        raise error
    return f"{parts.scheme}://{parts.netloc}".lower()


@dataclass(slots=True)
class Remote:
    """A server, asked with a token. To be used with ``with``.

    Args:
        base: its address.
        token: None for a server of a single user.
        insecure: send the token without https, too.

    Raises:
        UsageError: when a token would go over the network for everybody to read.
    """

    base: str
    token: str | None = field(default=None, repr=False)
    insecure: bool = False
    _client: httpx2.Client | None = field(default=None, repr=False)

    def __enter__(self) -> Self:
        # httpx2 takes 0.2 s to import, which a dry run should not cost.
        import httpx2

        parts = urlsplit(self.base)
        if self.token and parts.scheme != "https" and parts.hostname not in LOCAL and not self.insecure:
            raise UsageError(
                "the token would go over the network unprotected",
                expected="an https address",
                found=self.base,
                hint="--insecure-http sends it all the same",
            )
        headers = {"User-Agent": f"assay/{__version__}", "X-Assay-Client": f"assay/{__version__}"}
        if self.token:
            headers["Authorization"] = f"Bearer {self.token}"
        # Redirects are told, not followed: the token is for this host alone.
        local = parts.hostname in LOCAL
        self._client = httpx2.Client(
            base_url=self.base, headers=headers, follow_redirects=False, timeout=_TIMEOUT_S, trust_env=not local
        )
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._client is not None:
            self._client.close()

    def look(self) -> Server:
        """Who the token belongs to and what may be sent.

        Raises:
            InvalidInputError: for a token that does not hold or may not push, or an address that is no assay server.
            MachineError: when the server cannot be reached, or fails.
        """
        me = self._get("/api/me.json")
        if not isinstance(me.get("scopes"), list):
            self._no_server()
        if me.get("name") is None:
            raise InvalidInputError(
                "the server asks for a token",
                where=self.base,
                hint=f"make one on {self.base}/account, then: assay push --login {self.base}",
            )
        if "push" not in me["scopes"]:
            reader = me.get("role") == "reader"
            raise InvalidInputError(
                "the account may look, and push nothing" if reader else "the token may not push",
                where=self.base,
                expected="the scope push",
                found=", ".join(str(each) for each in me["scopes"]),
                hint="ask a maintainer of the server for the role contributor"
                if reader
                else f"make a token with the scope push on {self.base}/account",
            )
        page = self._get("/submit.json")
        try:
            return Server(
                name=str(me["name"]),
                version=str(page["assay"]),
                max_bytes=int(page["limits"]["max_bytes"]),
                challenges=tuple(str(each["name"]) for each in page["challenges"]),
            )
        except (KeyError, TypeError, ValueError):
            self._no_server()

    def send(self, packed: Packed, name: str, asked: Asked, sent: Sent, progress: Progress = SILENT) -> str:
        """Send an archive; the id of the upload.

        Args:
            packed: the archive.
            name: that it has for people.
            asked: what is wished.
            sent: told how much has gone out.
            progress: told, too.

        Raises:
            InvalidInputError: when the server refuses it.
            MachineError: when the connection breaks off, or the server fails.
        """
        boundary = f"assay-{packed.sha256[:32]}"
        head = _head(boundary, name, [*asked.fields(), ("sha256", packed.sha256)])
        tail = f"\r\n--{boundary}--\r\n".encode()
        headers = {
            "Content-Type": f"multipart/form-data; boundary={boundary}",
            "Content-Length": str(len(head) + packed.size + len(tail)),
            "Digest": f"sha-256={base64.b64encode(bytes.fromhex(packed.sha256)).decode()}",
            "Accept": "application/json",
        }
        step = progress.start("sending", total=packed.size, unit="B")
        try:
            said = self._ask(
                "POST",
                "/api/uploads",
                content=_body(head, packed.path, tail, sent, step),
                headers=headers,
                timeout=_SENDING_TIMEOUT_S,
            )
        finally:
            step.finish()
        sent.id = str(said.get("id") or "")
        if not sent.id:
            self._no_server()
        return sent.id

    def outcome(self, upload_id: str, progress: Progress = SILENT) -> dict[str, Any]:
        """Wait until an upload is done; its page as JSON.

        Raises:
            MachineError: when the server cannot be reached any more.
        """
        step, wait = progress.start("waiting for the verdict"), _ASK_S
        failures = 0
        try:
            while True:
                try:
                    page = self._get(f"/uploads/{upload_id}.json")
                    failures = 0
                except MachineError:
                    # A server that is started anew takes the upload up again.
                    failures += 1
                    if failures > 5:
                        raise
                    page = {}
                if page.get("done"):
                    return page
                ahead = page.get("ahead")
                step.update(note=f"{page.get('word', '')}{f', {ahead} before it' if ahead else ''}")
                time.sleep(wait)
                wait = min(wait * 1.3, _ASK_MOST_S)
        finally:
            step.finish()

    def _get(self, path: str) -> dict[str, Any]:
        return self._ask("GET", path, headers={"Accept": "application/json"})

    def _ask(self, method: str, path: str, **more: Any) -> dict[str, Any]:
        """Ask the server and read its answer."""
        import httpx2

        assert self._client is not None, "not entered"
        try:
            with self._client.stream(method, path, **more) as answer:
                raw = b""
                for piece in answer.iter_bytes(_CHUNK):
                    raw += piece
                    if len(raw) > _MOST_ANSWER:
                        self._no_server()
        except httpx2.HTTPError as error:
            raise MachineError(
                f"the server cannot be reached: {str(error) or type(error).__name__}",
                where=self.base,
                hint="look at the address and the network (HTTPS_PROXY), and try again: nothing is counted twice",
            ) from error
        return self._read(answer.status_code, dict(answer.headers), raw)

    def _read(self, status: int, headers: dict[str, str], raw: bytes) -> dict[str, Any]:
        said: Any = None
        with contextlib.suppress(ValueError, RecursionError):
            said = json.loads(raw)
        if 200 <= status < 300 and isinstance(said, dict):
            return said
        if 300 <= status < 400:
            raise UsageError(
                "the server sends us elsewhere",
                where=self.base,
                found=urljoin(self.base, headers.get("location", ""))[:200],
                hint="give that address with --to, if it is right: the token is sent nowhere else",
            )
        if not isinstance(said, dict) or "what" not in said:
            if status >= 500:
                raise MachineError(f"the server answers {status}", where=self.base, hint="try again later")
            self._no_server()
        raise self._told(status, said)

    def _told(self, status: int, said: dict[str, Any]) -> AssayError:
        """What the server says as an error of ours."""
        told = {key: plain(said[key]) for key in ("where", "expected", "found", "hint") if said.get(key) is not None}
        what = plain(said["what"])
        if status in (401, 403):
            told["hint"] = told.get("hint") or f"make a token with the scope push on {self.base}/account"
            return InvalidInputError(what, **{"where": self.base, **told})
        if status in _REFUSED:
            return InvalidInputError(what, **told)
        return MachineError(what, **{"where": self.base, "hint": "try again later", **told})

    def _no_server(self) -> NoReturn:
        raise InvalidInputError(
            "this is no server of assay, or one too old", where=self.base, hint="look at the address after --to"
        )


def plain(text: object, longest: int = 1000) -> str:
    """A text of a server as it may be shown in a terminal: nothing in it moves the cursor or changes colours."""
    return "".join(each if each.isprintable() else " " for each in str(text))[:longest]


def _head(boundary: str, name: str, fields: list[tuple[str, str]]) -> bytes:
    """The form up to the first byte of the file."""
    parts = [
        f'--{boundary}\r\nContent-Disposition: form-data; name="{key}"\r\n\r\n{" ".join(value.split())}\r\n'
        for key, value in fields
    ]
    plain = "".join(each if each.isprintable() and each not in '"\\' else "_" for each in name)
    parts.append(
        f'--{boundary}\r\nContent-Disposition: form-data; name="file"; filename="{plain}"\r\n'
        "Content-Type: application/octet-stream\r\n\r\n"
    )
    return "".join(parts).encode("utf-8", "replace")


def _body(head: bytes, path: Path, tail: bytes, sent: Sent, step: Step) -> Iterator[bytes]:
    yield head
    with open_regular(path) as stream:
        while piece := stream.read(_CHUNK):
            yield piece
            sent.done += len(piece)
            step.update(done=sent.done)
    yield tail
