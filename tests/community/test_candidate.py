from __future__ import annotations

from assay.community.candidate import MOST_FINDINGS, gravest, told
from assay.community.outcome import UploadFinding
from assay.rules.submission import Level
from assay.submission.model import Finding, Part


def test_a_finding_of_the_checker_keeps_all_that_helps() -> None:
    finding = Finding("a-code", "A title", "closed/x.txt", Level.WARN, Level.REJECT, Part.SYSTEM, "closed", "more",
                      "key", "1", "2", 7, "source", "do it")  # fmt: skip
    assert told(finding) == UploadFinding(
        code="a-code", title="A title", file="closed/x.txt", line=7, field="key", found="1", expected="2", fix="do it",
        detail="more", official="warn", strict="reject", result="closed",
    )  # fmt: skip


def test_the_gravest_go_first_in_their_order_and_no_more_than_are_shown() -> None:
    given = [
        UploadFinding("a", "", official="note", strict="warn"),
        UploadFinding("b", "", official="reject", strict="ignore"),
        UploadFinding("c", ""),
        UploadFinding("d", "", strict="reject"),
    ]
    assert [each.code for each in gravest(given)] == ["b", "d", "a", "c"]
    assert len(gravest([given[0]] * (MOST_FINDINGS + 5))) == MOST_FINDINGS
