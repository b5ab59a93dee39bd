from __future__ import annotations

import shlex
from typing import Any

import pytest

from assay.results.again import again, file_address, repository_of, safe_address
from assay.results.fields import FIELDS

URL = "https://github.com/mlcommons/inference_results_v3.0/tree/abc/closed/Acme/results/box/resnet/offline"
PUBLISHED: dict[str, Any] = dict.fromkeys((field.name for field in FIELDS), None) | {
    "uid": "0123456789abcdef", "round": "v3.0", "benchmark": "resnet", "scenario": "Offline", "division": "closed",
    "category": ["edge"], "origin": "official", "organisation": "Acme", "organisation_given": "Acme", "system": "box",
    "location": "closed/Acme/results/box/resnet/offline", "url": URL, "commit": "abc",
}  # fmt: skip


def texts(**changes: Any) -> list[str]:
    return [each.text for each in again(PUBLISHED | changes).commands]


def test_a_benchmark_with_a_task_can_be_run_and_its_logs_checked() -> None:
    found = again(PUBLISHED)
    assert found.runnable
    assert [each.text for each in found.commands] == [
        "assay run resnet50 --scenario Offline --round v3.0 --category edge --division closed --mode both",
        "git clone --filter=blob:none https://github.com/mlcommons/inference_results_v3.0",
        "git -C inference_results_v3.0 checkout abc",
        "assay check inference_results_v3.0 --round v3.0 --submitter Acme "
        "--only '*closed/Acme/results/box/resnet/offline*'",
        "assay results show 0123456789abcdef",
    ]
    assert any("not the submitter's" in remark for remark in found.remarks)


def test_a_benchmark_without_a_task_says_so() -> None:
    found = again(PUBLISHED | {"round": "v3.1", "benchmark": "gpt3-99"})
    assert not found.runnable
    assert "assay has no task for gpt3-99 yet" in found.remarks[0]
    assert not any(each.text.startswith("assay run") for each in found.commands)


def test_an_own_result_is_run_with_its_own_settings() -> None:
    own = {"origin": "local", "backend": "openvino", "precision": "bf16", "model": "mobilenet-v2", "accuracy": 70.0}
    assert texts(**own, url=None)[0] == (
        "assay run mobilenet-v2 --scenario Offline --round v3.0 --category edge --division closed "
        "--backend openvino --precision bf16 --mode both"
    )


def test_nothing_of_a_stranger_leaves_its_word() -> None:
    evil = "$(rm -rf ~); `x` '\n"
    for text in texts(organisation_given=evil, location=evil, commit=evil, benchmark=evil, uid=evil):
        words = shlex.split(text)
        assert [word for word in words if "rm" in word] == [word for word in words if evil in word]


@pytest.mark.parametrize(
    "text",
    ["javascript:alert(1)", "data:text/html,x", "//example.org/x", "http:", "https://a b", "", None, "https://[", "x" * 3000],
)  # fmt: skip
def test_only_addresses_of_the_web_become_links(text: str | None) -> None:
    assert safe_address(text) is None


def test_addresses_of_files_stay_in_their_tree() -> None:
    assert repository_of(URL) == "https://github.com/mlcommons/inference_results_v3.0"
    assert repository_of("https://example.org/tree/x") is None
    assert file_address(URL, "performance/run_1/mlperf_log_detail.txt") == (
        URL.replace("/tree/", "/blob/") + "/performance/run_1/mlperf_log_detail.txt"
    )
    assert file_address(URL, "../x") is None
    assert file_address(None, "x") is None
