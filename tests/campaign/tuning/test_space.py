"""A space is finite, has no setting twice, and every setting can be told by its options."""

from __future__ import annotations

from assay.backends.protocol import Precision
from assay.campaign.tuning.space import Candidate, Engine, Space
from assay.rules.model import Scenario

from .fakes import BEST, SPACE, USUAL

SERVER = Space((Engine("plain", Precision.FP32),), (1, 4), waits=(0, 1_000_000), processors=2)


def test_every_setting_is_there_once_and_its_options_make_it() -> None:
    every = SPACE.candidates()
    assert len(every) == len(set(every)) and USUAL in every and BEST in every
    for candidate in every[::37]:
        choice = SPACE.choice(candidate)
        assert choice is not None
        assert SPACE.pick(lambda name, words, ordered, options=choice: options[name]) == candidate


def test_threads_are_shares_of_the_processors_and_settings_that_are_the_same_are_one() -> None:
    threads = {(each.streams, each.threads) for each in SPACE.candidates()}
    # 8 processors: all of them, or half, over the streams, or as the engine likes.
    assert {(1, 0), (1, 8), (1, 4), (2, 4), (2, 2), (4, 2), (4, 1), (8, 1), (8, 0)} <= threads
    small = Space((Engine("plain", Precision.FP32),), (1,), streams=(1, 2), loads=(0.0, 1.0, 0.5), processors=2)
    assert len(small.candidates()) == 5  # of two streams, all and half of two processors are one thread each


def test_a_wait_is_for_batches_of_several_samples() -> None:
    assert [(each.batch_size, each.batch_wait_ns) for each in SERVER.candidates()] == [(1, 0), (4, 0), (4, 1_000_000)]
    asked: list[str] = []

    def first(name: str, words: tuple[str, ...], ordered: bool) -> int:
        asked.append(name)
        return 0

    SERVER.pick(first)
    assert asked == ["batch"], "what has one option is not asked for"


def test_what_is_not_in_the_space_has_no_options() -> None:
    assert SPACE.choice(Candidate("plain", Precision.FP32, 3)) is None


def test_threads_that_the_user_gives_hold() -> None:
    space = Space((Engine("plain", Precision.FP32),), (1,), counts=(1, 3), processors=8)
    assert [each.threads for each in space.candidates()] == [1, 3]


def test_a_setting_in_words_as_fields_and_as_a_form() -> None:
    candidate = Candidate("quick", Precision.INT8, 4, 2, 1, 2_000_000)
    assert str(candidate) == "quick int8, batch 4, 2 streams, 1 thread, wait 2.00 ms"
    assert candidate.form(Scenario.SERVER, {"a": "b"}).model_dump(mode="json") == {
        "backend": "quick", "precision": "int8", "threads": 1, "streams": 2, "batch_size": 4, "batch_wait": "2ms",
        "backend_options": {"a": "b"},
    }  # fmt: skip
    assert Candidate("quick", Precision.FP32, 1).changes(Scenario.SINGLE_STREAM)["batch_size"] is None
    assert "engine and format    plain fp32, plain bf16" in "\n".join(SPACE.lines())
    assert SPACE.to_dict()["engines"][1] == {"backend": "plain", "precision": "bf16"}
