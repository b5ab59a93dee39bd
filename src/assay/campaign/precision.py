"""The number format of a run: the one asked for, else the model's own. A quantised model is run as what it is."""

from __future__ import annotations

from pathlib import Path

from assay.backends.protocol import Backend, ModelFormat, Precision
from assay.backends.quantised import holds_quantised_layers
from assay.campaign.formats import is_remote
from assay.campaign.request import RunRequest
from assay.campaign.subject import Subject
from assay.errors import UsageError


def resolve_precision(request: RunRequest, subject: Subject, engine: Backend) -> tuple[Precision, tuple[str, ...]]:
    """The format to run in, and what there is to remark about it.

    Weights stored in half precision are run in it where the engine computes it on this machine, else in fp32: unlike int8,
    the file says nothing of how it is computed.

    Raises:
        UsageError: when a quantised model is asked for in another format.
    """
    asked = request.precision
    if is_remote(engine):
        return asked or Precision.FP32, ()
    own, name = own_precision(subject), subject.model.name if subject.model_file is None else str(subject.model_file)
    if asked is not None:
        if own is Precision.INT8 and asked is not own:
            raise UsageError(
                f"{name} is quantised to int8, so its layers would not run in {asked.value}",
                expected="int8, which is meant when --precision is left out",
                hint=f"for {asked.value} run the model that it was made from",
            )
        return asked, ()
    if own in (Precision.FP32, Precision.INT8) or own in engine.capabilities().precisions:
        return own, ()
    remark = f"the weights of {name} are stored in {own.value}; {engine.title} computes in fp32 on this machine"
    return Precision.FP32, (remark,)


def own_precision(subject: Subject) -> Precision:
    """The format a model is made for: as its manifest says, and of a user's own ONNX file as its layers show."""
    facts, file = subject.model.model, subject.model_file
    assert facts is not None
    if file is None:
        return Precision(facts.precision)
    if subject.format is not ModelFormat.ONNX:
        return Precision.FP32
    return Precision.INT8 if any(map(holds_quantised_layers, _files(file))) else Precision.FP32


def _files(model: Path) -> list[Path]:
    return [model] if model.is_file() else sorted(model.rglob("*.onnx"))
