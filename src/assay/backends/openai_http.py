"""The connection to an OpenAI-compatible server: one request for each answer, with its moments."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from time import perf_counter_ns
from typing import TYPE_CHECKING, Any

from assay import __version__
from assay.backends.openai_events import EventReader, Piece, error_text, piece_of, whole_answer
from assay.backends.openai_options import Endpoint
from assay.errors import AssayError, InvalidInputError, NotFoundError, RunFailedError

if TYPE_CHECKING:
    import httpx2

_CONNECT_S = 10.0
_LIST_S = 15.0
_WAIT_S = 0.2
_MOST_ANSWER = 64 << 20
_MOST_LIST = 8 << 20
_MOST_ERROR = 64 << 10
_AGAIN = (429, 502, 503, 504)


@dataclass(slots=True)
class Received:
    """An answer as it came in.

    Attributes:
        started: moment of the first try (``perf_counter_ns``).
        first: moment of the first letters; None when all came at once.
        last: moment of the last letters.
        made: tokens, as the server counted them.
        read: tokens of the prompt, as the server counted them.
        tell: called with the first letters as they come; None when nobody asks.
    """

    started: int
    pieces: list[str] = field(default_factory=list)
    first: int | None = None
    last: int = 0
    made: int | None = None
    read: int | None = None
    finished: bool = False
    tell: Callable[[str], None] | None = None

    def take(self, piece: Piece, *, streamed: bool) -> None:
        """Add a piece."""
        if piece.text:
            self.last = perf_counter_ns()
            if self.first is None and streamed:
                self.first = self.last
                if self.tell is not None:
                    self.tell(piece.text)
            self.pieces.append(piece.text)
        self.finished = self.finished or piece.finished
        self.made = self.made if piece.made is None else piece.made
        self.read = self.read if piece.read is None else piece.read


class NothingYet(Exception):  # noqa: N818 - no error for anybody outside
    """A try that failed before anything of an answer came; it may be made again."""

    def __init__(self, error: AssayError) -> None:
        super().__init__(str(error))
        self.error = error


class OpenAiConnection:
    """Connections to a server, as many as streams; safe for several threads."""

    def __init__(self, endpoint: Endpoint, streams: int) -> None:
        import httpx2

        self._httpx = httpx2
        self._endpoint = endpoint
        headers = {"User-Agent": f"assay/{__version__}", "Accept-Encoding": "identity"}
        if endpoint.key:
            headers["Authorization"] = f"Bearer {endpoint.key}"
        # What the environment says of proxies is left aside: a proxy would be measured too. Redirects are told and not
        # followed: the key is for this host alone.
        self._client: httpx2.Client = httpx2.Client(
            headers=headers,
            trust_env=False,
            follow_redirects=False,
            timeout=httpx2.Timeout(endpoint.silent_s, connect=min(_CONNECT_S, endpoint.silent_s)),
            limits=httpx2.Limits(max_connections=streams, max_keepalive_connections=streams, keepalive_expiry=None),
        )

    def close(self) -> None:
        """Close all connections."""
        self._client.close()

    def models(self) -> list[str] | None:
        """Names of the models that the server has; None when it does not tell.

        Raises:
            RunFailedError: when no server answers.
            InvalidInputError: when it refuses the key, or the answer is no list of models.
        """
        where = f"{self._endpoint.base}/models"
        try:
            with self._client.stream("GET", where, timeout=min(_LIST_S, self._endpoint.silent_s)) as response:
                content = self._read(response, _MOST_LIST)
                if response.status_code in (404, 405, 501):
                    return None
                if response.status_code != 200:
                    raise self._refused(response.status_code, content)
        except self._httpx.HTTPError as error:
            raise self._unreachable(error) from error
        return _names(content, where)

    def ask(self, body: Mapping[str, Any], tell: Callable[[str], None] | None = None) -> Received:
        """One answer; tried again while nothing of it has come.

        Args:
            body: the request.
            tell: called with the first letters as they come, where the server sends them one by one.

        Raises:
            InvalidInputError: when the server refuses the request.
            RunFailedError: when it cannot be reached, is silent, breaks off in the middle, or answers something else.
        """
        started = perf_counter_ns()
        for attempt in range(self._endpoint.retries + 1):
            try:
                return self._ask_once(body, started, tell)
            except NothingYet as failed:
                if attempt == self._endpoint.retries:
                    raise failed.error from failed.__cause__
                time.sleep(_WAIT_S * 2**attempt)
        raise AssertionError("unreachable")

    def _ask_once(self, body: Mapping[str, Any], started: int, tell: Callable[[str], None] | None) -> Received:
        received = Received(started, tell=tell)
        begun = False
        try:
            with self._client.stream("POST", self._endpoint.path, json=dict(body)) as response:
                if response.status_code != 200:
                    error = self._refused(response.status_code, self._read(response, _MOST_ERROR))
                    if response.status_code in _AGAIN:
                        raise NothingYet(error)
                    raise error
                for piece in self._pieces(response, started):
                    begun = True
                    received.take(piece, streamed=self._endpoint.stream)
        except self._httpx.HTTPError as error:
            if not begun:
                raise NothingYet(self._unreachable(error)) from error
            raise self._broken_off(error, received) from error
        if not received.finished:
            raise self._broken_off(None, received)
        return received

    def _pieces(self, response: httpx2.Response, started: int) -> Iterator[Piece]:
        kind = response.headers.get("content-type", "").partition(";")[0].strip().lower()
        chat = self._endpoint.chat
        if not self._endpoint.stream:
            yield whole_answer(self._read(response, _MOST_ANSWER), chat=chat)
            return
        if kind != "text/event-stream":
            raise RunFailedError(
                "the server does not send tokens as they come",
                expected="text/event-stream",
                found=kind or "no content type",
                hint="--backend-option stream=off takes answers whole",
            )
        reader, size = EventReader(), 0
        end = started + round(self._endpoint.longest_s * 1e9)
        for raw in response.iter_raw():
            size += len(raw)
            if size > _MOST_ANSWER:
                raise RunFailedError("the server's answer has no end", found=f"more than {_MOST_ANSWER:,} bytes")
            if perf_counter_ns() > end:
                raise RunFailedError(
                    f"an answer took longer than {self._endpoint.longest_s:g} s",
                    hint="--backend-option longest=SECONDS",
                )
            for data in reader.feed(raw):
                piece = piece_of(data, chat=chat)
                if piece is None:
                    return
                yield piece

    def _read(self, response: httpx2.Response, most: int) -> bytes:
        """The whole body, bounded."""
        content = bytearray()
        for raw in response.iter_raw():
            content += raw
            if len(content) > most:
                raise RunFailedError("the server's answer is too large", found=f"more than {most:,} bytes")
        return bytes(content)

    def _refused(self, status: int, content: bytes) -> AssayError:
        text = error_text(content)
        if self._endpoint.key:  # some servers repeat it
            text = text.replace(self._endpoint.key, "***")
        where = self._endpoint.base
        if status in (401, 403):
            return InvalidInputError(
                "the server refuses the key" if self._endpoint.key else "the server wants a key",
                where=where,
                found=f"{status} {text}",
                hint="--backend-option key-file=FILE",
            )
        if status in (400, 404, 413, 422):
            return InvalidInputError(f"the server refuses a request: {text}", where=where, found=f"status {status}")
        return RunFailedError(f"the server answers {status}: {text}", where=where)

    def _unreachable(self, error: httpx2.HTTPError) -> AssayError:
        where = self._endpoint.base
        if isinstance(error, self._httpx.ConnectError):
            return NotFoundError(f"no server answers: {error}", where=where, hint="start it, or correct the address")
        if isinstance(error, self._httpx.TimeoutException):
            return RunFailedError(
                f"the server was silent for {self._endpoint.silent_s:g} s",
                where=where,
                hint="--backend-option timeout=SECONDS",
            )
        return RunFailedError(f"the server dropped the connection: {_told(error)}", where=where)

    def _broken_off(self, error: httpx2.HTTPError | None, received: Received) -> RunFailedError:
        why = "the connection ended" if error is None else _told(error)
        if isinstance(error, self._httpx.TimeoutException):
            why = f"silent for {self._endpoint.silent_s:g} s"
        return RunFailedError(
            f"the server broke off in the middle of an answer: {why}",
            where=self._endpoint.base,
            found=f"{len(received.pieces)} pieces, {sum(map(len, received.pieces))} letters",
        )


def _told(error: Exception) -> str:
    return str(error) or type(error).__name__


def _names(content: bytes, where: str) -> list[str]:
    import json

    try:
        listed = json.loads(content)["data"]
        return [str(each["id"]) for each in listed]
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise InvalidInputError(
            "this is no OpenAI-compatible server",
            where=where,
            expected='{"data": [{"id": NAME}]}',
            found=error_text(content)[:80] or "nothing",
        ) from error
