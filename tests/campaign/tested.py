"""What tests of compliance tests share: pictures of which many are new, a round that forgives a busy machine."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from PIL import Image

from assay.campaign.compliance import JudgedTest
from assay.loadgen.compliance import SCOPE
from assay.rules.load import load_round
from assay.rules.model import Round

COUNT, SAMPLES = 40, 80


def make_photos(folder: Path) -> Path:
    """Forty pictures that differ in every pixel, of three colours."""
    folder.mkdir()
    for number in range(COUNT):
        colour = [20 + number] * 3
        colour[number % 3] = 220
        Image.new("RGB", (36, 36), tuple(colour)).save(folder / f"p_{number:02d}_{number % 3}.png")
    return folder


def loose(name: str) -> Round:
    """A round whose tests let 30 % pass, so that a busy machine fails none; what exactly they let pass is tested apart."""
    round_ = load_round(name)
    assert round_.submission is not None
    rules = round_.submission.compliance
    wide = {test: replace(each, share=0.3) for test, each in rules.tolerances.items()}
    return replace(round_, submission=replace(round_.submission, compliance=replace(rules, tolerances=wide)))


def failed(one: JudgedTest) -> list[str]:
    """What a test was not passed for."""
    assert one.record.verdict is not None
    return [item.name for item in one.record.verdict.constraints if item.scope == SCOPE and not item.met]
