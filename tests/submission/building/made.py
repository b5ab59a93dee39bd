"""Homes with runs to build trees of: folders as a run leaves them, with logs that a round accepts."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from onnx import TensorProto, helper, numpy_helper

from assay.assets.catalogue import Catalogue, load_catalogue
from assay.base.files import sha256_file
from assay.base.settings import Settings
from assay.loadgen.names import ACCURACY, DETAIL, SUMMARY
from assay.loadgen.record import Artefact, Figures, Label, RunRecord, RunStatus
from assay.loadgen.runs import RunCatalogue, RunFolder
from assay.loadgen.verdict import Verdict
from assay.rules.load import load_round
from assay.rules.model import Category, Division, Round, Scenario
from assay.submission.building.model import Wish

from ..smalltree import run_values, write_log

EDGE = (Scenario.SINGLE_STREAM, Scenario.MULTI_STREAM, Scenario.OFFLINE)
VALID = Verdict(valid=True, accepted=True, constraints=(), reasons=(), advice=(), reported=True)
DESCRIPTION: dict[str, object] = {
    "submitter": "Acme", "division": "open", "system_type": "edge", "status": "available", "system_name": "The Box",
    "number_of_nodes": "1", "host_processor_model_name": "Acme 9000", "host_processors_per_node": "1",
    "host_processor_core_count": "8", "host_processor_frequency": "3000 MHz", "host_processor_caches": "L3: 8 MiB",
    "host_processor_interconnect": "", "host_memory_capacity": "64 GiB", "host_memory_configuration": "4x 16 GB DDR5",
    "host_storage_capacity": "1 TB", "host_storage_type": "NVMe SSD", "host_networking": "1x Ethernet 1 Gbit/s",
    "host_network_card_count": "1", "host_networking_topology": "N/A", "accelerators_per_node": "0",
    "accelerator_model_name": "N/A", "accelerator_memory_capacity": "N/A", "accelerator_memory_configuration": "N/A",
    "accelerator_frequency": "", "accelerator_host_interconnect": "N/A", "accelerator_interconnect": "N/A",
    "accelerator_interconnect_topology": "", "accelerator_on-chip_memories": "", "cooling": "air",
    "framework": "ONNX Runtime 1.32.0", "operating_system": "Debian 12", "other_software_stack": "Python 3.11",
    "hw_notes": "", "sw_notes": "", "system_type_detail": "edge server",
}  # fmt: skip


def make_model(path: Path) -> Path:
    """A model file that tells the type of its input."""
    weight = numpy_helper.from_array(np.ones((3, 2), np.float32), "weight")
    graph = helper.make_graph(
        [helper.make_node("MatMul", ["input", "weight"], ["output"])],
        "small",
        [helper.make_tensor_value_info("input", TensorProto.FLOAT, [1, 3])],
        [helper.make_tensor_value_info("output", TensorProto.FLOAT, [1, 2])],
        [weight],
    )
    path.write_bytes(helper.make_model(graph).SerializeToString())
    return path


@dataclass
class Home:
    """A home and what is made in it."""

    root: Path
    round: Round
    model: Path

    @property
    def runs(self) -> RunCatalogue:
        return RunCatalogue(Settings(self.root).runs_dir)

    @property
    def assets(self) -> Catalogue:
        return load_catalogue(Settings(self.root))

    def add(self, scenario: Scenario, mode: str, name: str = "", **changes: Any) -> RunFolder:
        """A finished run of ResNet50 that the round accepts, with its record changed as asked."""
        value = changes.pop("value", 100.0)
        text = changes.pop("text", "accuracy=76.400%, good=38200, total=50000")
        records = len(list(self.runs.folder.iterdir())) if self.runs.folder.is_dir() else 0
        record = RunRecord(
            id=name or f"20261123-2015{records:02d}-resnet50-{scenario.value.lower()}-{mode}-{records:04x}",
            group="00aa",
            created=f"2026-11-23T20:15:{records:02d}+00:00",
            status=RunStatus.RUNNING,
            round=self.round.name,
            benchmark="resnet",
            task="image-classification",
            scenario=scenario.value,
            mode=mode,
            category="edge",
            division="closed",
            model=Artefact("resnet50", sha256_file(self.model)),
            dataset=Artefact("imagenet2012", "cd" * 32, 50000),
            backend_name="onnxruntime",
            precision="fp32",
            batch_size=8,
            streams=1,
            threads=0,
            command=f"assay run resnet50 --scenario {scenario.value} --mode {mode}",
            backend={"engine": "onnxruntime", "version": "1.32.0", "device": "CPU", "precision": "fp32"},
            versions={"assay": "0.1.0", "loadgen": "6.0.17 @ d6147c7eb7", "mlcommons-loadgen": "6.0.17"},
            host={"cpu": "Acme 9000", "cores": 8},
        )
        folder = self.runs.create(record)
        logs = self._logs(folder.path, scenario, mode)
        if mode == "accuracy":
            (folder.path / "accuracy.txt").write_text(f"{text}\nhash={logs[ACCURACY]}\n", encoding="utf-8")
        facts = self.round.scenarios[scenario]
        figures = Figures(value=value, unit=facts.unit, lower_is_better=facts.lower_is_better, queries=24576)
        if mode == "accuracy":
            figures = Figures(accuracy={"acc": 76.4}, accuracy_units={"acc": "percent"}, samples_scored=50000)
        done = replace(record, status=RunStatus.FINISHED, logs=logs, figures=figures, verdict=VALID)
        folder.write(replace(done, **changes))
        return folder

    def _logs(self, folder: Path, scenario: Scenario, mode: str) -> dict[str, str]:
        benchmark = self.round.benchmark("resnet")
        values = run_values(self.round, benchmark, scenario, self.round.seeds)
        if mode == "accuracy":
            values |= {"effective_test_mode": "AccuracyOnly"}
        write_log(folder / DETAIL, values)
        entries = [f'{{"seq_id":{n},"qsl_idx":{n},"data":"0000803F"}}' for n in range(400 if mode == "accuracy" else 0)]
        (folder / ACCURACY).write_text("[\n" + ",\n".join(entries) + "\n]\n", encoding="utf-8")
        (folder / "user.conf").write_text("# Settings of this run over the defaults of the round.\n", encoding="utf-8")
        (folder / "spec.json").write_text(json.dumps({"model": str(self.model)}), encoding="utf-8")
        return {name: sha256_file(folder / name) for name in (SUMMARY, DETAIL, ACCURACY)}

    def comply(self, folder: RunFolder) -> None:
        """Leave the official form of every compliance test in a run's folder."""
        benchmark = self.round.benchmark("resnet")
        scenario = Scenario(folder.read().scenario)
        for test in benchmark.compliance:
            place = folder.path / "compliance" / test
            seeds = self.round.test05_seeds if test == "TEST05" else self.round.seeds
            write_log(place / "performance" / "run_1" / DETAIL, run_values(self.round, benchmark, scenario, seeds))
            (place / "verify_performance.txt").write_text("TEST PASS\n", encoding="utf-8")
            if test == "TEST01":
                (place / "verify_accuracy.txt").write_text("TEST PASS\n", encoding="utf-8")
                (place / "accuracy").mkdir()
                (place / "accuracy" / ACCURACY).write_text("[\n" + "{}\n" * 6000 + "]\n", encoding="utf-8")


def make_home(root: Path, round_name: str = "v3.1") -> Home:
    """An empty home."""
    root.mkdir(parents=True, exist_ok=True)
    return Home(root, load_round(round_name), make_model(root / "model.onnx"))


def full_home(root: Path, scenarios: Iterable[Scenario] = EDGE, round_name: str = "v3.1", **changes: Any) -> Home:
    """A home with everything that a closed tree of ResNet50 on the edge needs."""
    home = make_home(root, round_name)
    for scenario in scenarios:
        home.comply(home.add(scenario, "performance", **changes))
        home.add(scenario, "accuracy", **changes)
    return home


STAND_IN = {"model": Artefact("mobilenet-v2", "ab" * 32), "labels": (Label.STAND_IN_MODEL, Label.SHORT_RUN)}


def wish(**changes: Any) -> Wish:
    """A closed tree on the edge."""
    return replace(Wish("Acme", Division.CLOSED, (Category.EDGE,), "box", DESCRIPTION), **changes)
