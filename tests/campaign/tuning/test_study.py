"""What is kept of a search outlives its process, torn ends included; proposals come from the space."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from assay.campaign.tuning.accuracy import Scored
from assay.campaign.tuning.aim import Measured, TradeOff
from assay.campaign.tuning.bench import Promise
from assay.campaign.tuning.space import Candidate
from assay.campaign.tuning.study import JOURNAL, Study, open_study
from assay.campaign.tuning.trial import Ended, Trial
from assay.errors import InvalidInputError, MachineError

from .fakes import AIM, BEST, SPACE, USUAL, aim_for, memory, rate


def whole(number: int, candidate: Candidate) -> Trial:
    measured = Measured(rate(candidate), None, memory(candidate), None, True, (f"run-{number}",))
    return Trial(number, candidate, Ended.MEASURED, Promise(measured.figure, 1, measured.figure), measured)


def fill(study: Study, count: int) -> None:
    study.keep_usual(whole(0, USUAL))
    for number in range(1, count + 1):
        asked = study.ask()
        if asked.candidate.backend == "broken":
            study.tell(asked, Trial(number, asked.candidate, Ended.FAILED, why="it does not"))
        else:
            study.tell(asked, whole(number, asked.candidate))


def test_what_was_tried_is_there_again(tmp_path: Path) -> None:
    with open_study(tmp_path, SPACE, AIM, 1) as study:
        fill(study, 12)
        study.keep_accuracy("quick int8", Scored({"acc": 60.0}, {"acc": "percent"}, 20, False, "run"))
        study.keep_rerun("first", whole(0, USUAL).measured)  # type: ignore[arg-type]
        before = study.trials
    with open_study(tmp_path, SPACE, AIM, 1) as study:
        assert study.trials == before and before[0].candidate == USUAL
        assert study.accuracies()["quick int8"].accuracy == {"acc": 60.0}
        assert study.rerun("first") == whole(0, USUAL).measured and study.rerun("second") is None
        best = max((each for each in before if each.measured), key=lambda each: rate(each.candidate))
        assert study.best == [(best, best.measured)]
        assert study.ask().candidate in SPACE.candidates()


def test_proposals_after_an_interruption_are_not_those_from_before(tmp_path: Path) -> None:
    with open_study(tmp_path, SPACE, AIM, 1) as study:
        fill(study, 4)
        first = [each.candidate for each in study.trials[1:]]
    with open_study(tmp_path, SPACE, AIM, 1) as study:
        asked = [study.ask() for _ in range(4)]
        assert [each.candidate for each in asked] != first


def test_what_was_interrupted_is_proposed_again(tmp_path: Path) -> None:
    with open_study(tmp_path, SPACE, AIM, 1) as study:
        fill(study, 2)
        asked = study.ask()
        study.take_back(asked)
        assert study.ask().candidate == asked.candidate
        left = asked.candidate
    # That second proposal was under way when the process ended.
    with open_study(tmp_path, SPACE, AIM, 1) as study:
        assert study.ask().candidate == left


def test_a_setting_outside_the_space_is_kept_and_disturbs_nothing(tmp_path: Path) -> None:
    odd = Candidate("plain", USUAL.precision, 8, 3)
    with open_study(tmp_path, SPACE, AIM, 1) as study:
        study.keep_usual(whole(0, USUAL))
    outside = tmp_path / "outside"
    with open_study(outside, SPACE, AIM, 1) as study:
        trial = Trial(0, odd, Ended.MEASURED, None, Measured(1.0, None, 1, None, True, ("run",)))
        study.keep_usual(trial)
        study.tell(study.ask(), whole(1, BEST))
    with open_study(outside, SPACE, AIM, 1) as study:
        assert [each.candidate for each in study.trials] == [odd, BEST]


def test_a_torn_last_line_is_cut_off(tmp_path: Path) -> None:
    with open_study(tmp_path, SPACE, AIM, 1) as study:
        fill(study, 3)
        before = study.trials
    journal = tmp_path / JOURNAL
    journal.write_bytes(journal.read_bytes() + b'{"op_code":4,"worker_id":"0')
    with open_study(tmp_path, SPACE, AIM, 1) as study:
        assert study.trials == before
        study.tell(study.ask(), whole(4, BEST))
    with open_study(tmp_path, SPACE, AIM, 1) as study:
        assert len(study.trials) == len(before) + 1


@pytest.mark.parametrize("line", ['{"op_code":77}', "[]", "nothing", '{"op_code":0,"worker_id":"x"}', "\\x00", "1e999"])
def test_a_damaged_journal_is_refused(tmp_path: Path, line: str) -> None:
    (tmp_path / JOURNAL).write_text(f"{line}\n{line}\n")
    with pytest.raises(InvalidInputError, match="damaged|not what"), open_study(tmp_path, SPACE, AIM, 1):
        pass


def test_a_trial_of_another_form_is_refused(tmp_path: Path) -> None:
    with open_study(tmp_path, SPACE, AIM, 1) as study:
        fill(study, 1)
    journal = tmp_path / JOURNAL
    journal.write_text(journal.read_text().replace('"batch_size":8', '"batch_size":"eight"'))
    with (
        pytest.raises(InvalidInputError, match="not what a search of this version keeps"),
        open_study(tmp_path, SPACE, AIM, 1),
    ):
        pass


def test_a_search_is_open_once(tmp_path: Path) -> None:
    with (
        open_study(tmp_path, SPACE, AIM, 1),
        pytest.raises(MachineError, match="another process"),
        open_study(tmp_path, SPACE, AIM, 1),
    ):
        pass


def test_where_two_things_count_nothing_is_pruned_by_the_median(tmp_path: Path) -> None:
    with open_study(tmp_path, SPACE, aim_for(TradeOff.MEMORY), 1) as study:
        fill(study, 12)
        assert not study.prune(study.ask(), 0.001)
        seconds = [study.aim.second(measured) for _, measured in study.best]
        assert seconds == sorted(seconds, reverse=True)  # type: ignore[type-var]


def test_settings_at_random_are_those_that_are_left(tmp_path: Path) -> None:
    with open_study(tmp_path, SPACE, AIM, 1) as study:
        every = set(SPACE.candidates())
        assert study.fresh(every - {BEST}) == BEST
        assert study.fresh(every) is None


def test_no_command_imports_optuna_before_it_searches() -> None:
    code = "import sys, assay.cli.tune, assay.campaign.tuning.tune; print('optuna' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"


def test_the_journal_is_lines_of_json(tmp_path: Path) -> None:
    with open_study(tmp_path, SPACE, AIM, 1) as study:
        fill(study, 1)
    for line in (tmp_path / JOURNAL).read_text().splitlines():
        assert isinstance(json.loads(line), dict)
