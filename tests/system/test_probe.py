from __future__ import annotations

import json
import subprocess
import sys
from typing import Any

from assay.system.probe import probe


def test_every_shape_of_machine_gives_json(xeon: Any, epyc_vm: Any, arm: Any, machine: Any) -> None:
    for box in (xeon, epyc_vm, arm, machine("empty")):
        document = json.loads(json.dumps(probe(box.reader).to_dict()))
        assert set(document) == {
            "processor",
            "memory",
            "storage",
            "network",
            "accelerators",
            "host",
            "software",
        }
        assert all(set(fact) == {"value", "source"} for group in document.values() for fact in group.values())
        assert all(fact["source"] for group in document.values() for fact in group.values())


def test_this_machine_can_be_probed() -> None:
    facts = probe()
    assert facts.software.python.value
    assert facts.processor.threads.value is None or facts.processor.threads.value >= 1


def test_no_engine_is_imported_to_tell_its_version() -> None:
    code = (
        "import sys; from assay.system.probe import probe; probe();"
        "heavy = ('numpy', 'onnxruntime', 'openvino', 'torch', 'mlperf_loadgen');"
        "print([name for name in heavy if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
