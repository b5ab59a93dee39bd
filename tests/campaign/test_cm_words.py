from __future__ import annotations

import pytest

from assay.campaign.cm_words import parse
from assay.errors import InvalidInputError


def test_tags_are_found_wherever_they_stand() -> None:
    one = parse("cm run script --tags=run-mlperf,inference,_submission --model=bert-99 --execution_mode=valid")
    other = parse('$ cmr "run-mlperf inference _submission" \\\n  --model=bert-99 --execution-mode=valid')
    third = parse('cm run script "run-mlperf inference _submission" --model=bert-99 --execution_mode=valid')
    assert one == other
    assert one.tags == third.tags == {"run-mlperf", "inference"}
    assert one.variations == ("submission",)
    assert one.flag("execution-mode") == "valid"
    assert one.has("inference")
    assert not one.has("inference", "app")


def test_other_actions_name_artifacts() -> None:
    found = parse("cm pull repo mlcommons@ck --quiet")
    assert (found.action, found.automation, found.names) == ("pull", "repo", ("mlcommons@ck",))
    assert found.flag("quiet") == "yes"
    assert parse("cm").action == ""


@pytest.mark.parametrize("text", ["", "pip install cmind", "cm run 'script"])
def test_what_is_no_command_of_cm_is_refused(text: str) -> None:
    with pytest.raises(InvalidInputError, match="not a command"):
        parse(text)
