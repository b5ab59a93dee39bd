"""Tells LoadGen the first token of each answer at the moment it comes, for rounds that time tokens.

Engines tell it in threads of their own. LoadGen gathers what threads told it one thread after the other, and so may come
to an answer before it comes to the first token that another thread told before. Therefore the engine runs in a thread
apart, and the stream's own thread, which waits for the answers anyway, is the only one that speaks to LoadGen.
"""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from queue import SimpleQueue

import numpy as np

from assay.base.tensors import Array
from assay.errors import RunFailedError
from assay.harness.responses import ResponsePool
from assay.tasks.protocol import Counted, Responses, Samples, TellToken

_NOTHING = np.empty(0, np.int64)


class FirstTokens:
    """A stream's way into the engine that tells first tokens; used by one thread at a time.

    Args:
        answer: of a pipeline that tells them.
    """

    def __init__(self, answer: Callable[[Samples, TellToken], Responses]) -> None:
        self._answer = answer
        self._engine: ThreadPoolExecutor | None = None

    def respond(self, pool: ResponsePool, ids: list[int], samples: Samples) -> None:
        """Run a batch: its first tokens to LoadGen as they come, then its answers.

        Raises:
            RunFailedError: when the engine did not tell the first token of an answer.
            AssayError: (or anything else) that the engine raises; none of the answers was sent then.
        """
        news: SimpleQueue[tuple[int, Array] | None] = SimpleQueue()
        future = self._started(samples, news)
        told: set[int] = set()
        while (each := news.get()) is not None:
            place, token = each
            if place < len(ids) and place not in told:
                told.add(place)
                pool.begin(ids[place], token)
        responses = future.result()
        late = [place for place in range(len(ids)) if place not in told]
        for place in late:
            if not isinstance(responses, Counted) or responses.counts[place]:
                raise _untold()
        for place in late:
            # An answer without tokens has no first one; LoadGen wants to hear so.
            pool.begin(ids[place], _NOTHING)
        pool.complete(ids, responses)

    def close(self) -> None:
        """End the thread."""
        if self._engine is not None:
            self._engine.shutdown(wait=False)
            self._engine = None

    def _started(self, samples: Samples, news: SimpleQueue[tuple[int, Array] | None]) -> Future[Responses]:
        if self._engine is None:
            # Begun by the stream's thread, whose cores it inherits.
            self._engine = ThreadPoolExecutor(1, "tokens")
        future = self._engine.submit(self._answer, samples, lambda place, token: news.put((place, token)))
        future.add_done_callback(lambda _: news.put(None))
        return future


def _untold() -> RunFailedError:
    return RunFailedError(
        "the engine does not tell the first token as it comes, which LoadGen times in this benchmark",
        hint="leave out beams, let a server stream (no --backend-option stream=off), or run Offline",
    )
