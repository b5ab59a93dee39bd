from __future__ import annotations

import json
from typing import Any

from assay.system.probe import probe
from assay.system.summary import host_facts, summarize, usable_cpus


def test_the_quota_is_the_tightest_limit(epyc_vm: Any) -> None:
    facts = probe(epyc_vm.reader)
    assert usable_cpus(facts) == 2
    summary = summarize(facts)
    assert (summary["cpu"], summary["threads"], summary["usable_cores"]) == ("AMD EPYC 7R13 Processor", 4, 2)
    assert (summary["container"], summary["governor"]) == ("Kubernetes", None)


def test_without_limits_all_threads_are_usable(xeon: Any) -> None:
    assert usable_cpus(probe(xeon.reader)) == 16


def test_nothing_known_is_none(machine: Any) -> None:
    facts = probe(machine("empty").reader)
    assert usable_cpus(facts) is None
    assert summarize(facts)["memory_bytes"] is None


def test_this_machine_summarised_is_json() -> None:
    assert json.loads(json.dumps(host_facts())) == host_facts()
