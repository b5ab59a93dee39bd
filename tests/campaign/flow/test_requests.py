from __future__ import annotations

import shlex
from pathlib import Path

from assay.campaign.flow.forms import read_campaign
from assay.campaign.flow.requests import program_of, request_for, searches, setting_for, without_power, words_of
from assay.cli.run import run
from assay.rules.model import Division, Mode, Scenario

from .lab import read_lab, write_form


def test_options_that_mean_nothing_in_a_scenario_are_left_out(tmp_path: Path) -> None:
    campaign = read_lab(
        tmp_path,
        {
            "batch_size": 16, "streams": 2, "batch_wait": "2ms", "target_qps": {"Offline": 500},
            "target_latency": {"SingleStream": "1ms"},
        },
    )  # fmt: skip
    (entry,) = campaign.form.entries
    single = request_for(campaign, entry, Scenario.SINGLE_STREAM, Mode.PERFORMANCE)
    assert (single.batch_size, single.streams, single.batch_wait_ns, single.target_qps) == (None, 1, None, None)
    assert (single.target_latency_ns, single.duration_ns, single.samples) == (10**6, 2 * 10**8, 80)
    offline = request_for(campaign, entry, Scenario.OFFLINE, Mode.PERFORMANCE)
    assert (offline.batch_size, offline.streams, offline.target_qps, offline.target_latency_ns) == (16, 2, 500, None)
    server = request_for(campaign, entry, Scenario.SERVER, Mode.PERFORMANCE)
    assert server.batch_wait_ns == 2 * 10**6


def test_an_accuracy_run_is_not_timed(tmp_path: Path) -> None:
    campaign = read_lab(tmp_path)
    request = request_for(campaign, campaign.form.entries[0], Scenario.SINGLE_STREAM, Mode.ACCURACY)
    assert (request.mode, request.duration_ns, request.samples, request.target_latency_ns) == (
        "accuracy", None, None, None,
    )  # fmt: skip
    assert request.model == tmp_path / "colours.onnx" and request.dataset == str(tmp_path / "photos")


def test_only_a_rehearsal_runs_in_the_open_division(tmp_path: Path) -> None:
    rehearsal = read_lab(tmp_path)
    assert request_for(rehearsal, rehearsal.form.entries[0], Scenario.OFFLINE, Mode.ACCURACY).division is Division.OPEN
    path = write_form(tmp_path, {"duration": None, "samples": None}, rehearsal=False)
    real = read_campaign(path)
    assert request_for(real, real.form.entries[0], Scenario.OFFLINE, Mode.ACCURACY).division is Division.CLOSED


def test_the_words_are_options_of_assay_run(tmp_path: Path) -> None:
    campaign = read_lab(
        tmp_path,
        {
            "backend_options": {"a": "b c"}, "batch_size": 4, "streams": 2, "precision": "fp32", "batch_wait": "1ms",
            "target_qps": {"Server": 5}, "target_latency": {"Server": "1ms"},
        },
    )  # fmt: skip
    request = request_for(campaign, campaign.form.entries[0], Scenario.SERVER, Mode.PERFORMANCE)
    words = shlex.split(words_of(request))
    known = {name for parameter in run.params for name in parameter.opts}
    assert {word for word in words if word.startswith("--")} <= known
    with run.make_context("run", words) as context:
        given = context.params
    assert given["duration_ns"] == request.duration_ns and given["batch_wait_ns"] == request.batch_wait_ns
    assert given["target_qps"] == request.target_qps and given["backend_option"] == ("a=b c",)


def test_keys_of_an_entry_go_before_those_of_its_setting(tmp_path: Path) -> None:
    (tmp_path / "s.yaml").write_text("format: 1\nthreads: 3\nbatch_size: 4\nstreams: 2\n")
    (tmp_path / "o.yaml").write_text("format: 1\nbatch_size: 64\n")
    (entry,) = read_lab(tmp_path, {"setting": "s.yaml", "batch_size": 8}).form.entries
    campaign = read_lab(tmp_path, {"setting": "s.yaml", "batch_size": 8})
    found = setting_for(campaign, entry, Scenario.OFFLINE)
    # The lab's entry gives its threads itself.
    assert (found.threads, found.batch_size, found.streams) == (1, 8, 2)
    campaign = read_lab(tmp_path, {"setting": {"Offline": "o.yaml"}})
    (entry,) = campaign.form.entries
    assert setting_for(campaign, entry, Scenario.OFFLINE).batch_size == 64
    assert setting_for(campaign, entry, Scenario.SERVER).batch_size is None


def test_a_program_of_others(tmp_path: Path) -> None:
    given = {"implementation": "./theirs.yaml", "implementation_dir": "src", "implementation_options": {"a": "b"}}
    campaign = read_lab(tmp_path, {**given, "time_limit": "2h"})
    program = program_of(campaign, campaign.form.entries[0])
    assert program is not None and program.time_limit_ns == 7200 * 10**9
    assert (program.name, program.folder) == (str(tmp_path / "theirs.yaml"), tmp_path / "src")
    request = request_for(campaign, campaign.form.entries[0], Scenario.OFFLINE, Mode.PERFORMANCE)
    words = shlex.split(words_of(request, program))
    with run.make_context("run", words) as context:
        assert context.params["implementation_option"] == ("a=b",) and context.params["backend"] == "auto"
    assert program_of(read_lab(tmp_path), read_lab(tmp_path).form.entries[0]) is None


def test_when_a_rate_is_searched(tmp_path: Path) -> None:
    def asked(**entry: object) -> bool:
        return searches(read_lab(tmp_path, entry).form.entries[0])

    assert asked() and asked(find_rate=True) and asked(duration=None)
    assert asked(implementation="x", find_rate=True)
    assert not asked(target_qps={"Server": 5}) and not asked(find_rate=False)


def test_power_is_measured_of_timed_runs(tmp_path: Path) -> None:
    campaign = read_lab(tmp_path, power="simulate", power_official="power-dev")
    (entry,) = campaign.form.entries
    timed = request_for(campaign, entry, Scenario.OFFLINE, Mode.PERFORMANCE)
    assert (timed.power, timed.power_official) == ("simulate", tmp_path / "power-dev")
    assert "--power simulate --power-official" in words_of(timed)
    assert request_for(campaign, entry, Scenario.OFFLINE, Mode.ACCURACY).power is None
    assert without_power(timed).power_words == []
