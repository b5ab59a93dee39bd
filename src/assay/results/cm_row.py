"""A result as a row of ``cm-result.json``, and back.

The row holds the field names that CM's inference rows have, for tools that know those, and the whole result
under ``assay``. Missing is null. Source of the names: mlcommons/cm4mlperf-results, rounds v2.0 to v4.1.
"""

from __future__ import annotations

from pydantic import TypeAdapter, ValidationError

from assay.cm.meta import JsonObject, JsonValue
from assay.errors import InvalidInputError
from assay.loadgen.record import Label
from assay.results.model import FORMAT, Method, Origin, Result

OWN = "assay"
_ADAPTER = TypeAdapter(Result)


def row_of(result: Result, *, location: str | None = None) -> dict[str, JsonValue]:
    """The row of a result.

    Args:
        result: what the row says.
        location: where its logs are, relative to assay's home.
    """
    performance, system = result.performance, result.system
    accuracy = result.accuracy[0].value if result.accuracy else None
    unit = performance.unit if performance else None
    return {
        "uid": result.uid,
        "version": result.round,
        "Organization": system.organisation,
        "SystemName": system.name,
        "SystemType": result.category,
        "Division": result.division,
        "Availability": None,
        "Model": result.model,
        "MlperfModel": result.benchmark,
        "Scenario": result.scenario,
        "Result": performance.value if performance else None,
        "Units": unit,
        "Result_Units": unit,
        "Accuracy": accuracy,
        "accelerator_model_name": system.accelerator,
        "accelerators_per_node": system.accelerators_per_node,
        "host_processor_core_count": system.cores,
        "host_processor_model_name": system.processor,
        "host_processors_per_node": system.processors_per_node,
        "number_of_nodes": system.nodes,
        "operating_system": system.operating_system,
        "framework": system.framework,
        "has_power": False,
        "inferred": int(result.method is Method.INFERRED),
        "compliance": None,
        "errors": 0,
        "notes": notes_of(result),
        "Location": location,
        OWN: _ADAPTER.dump_python(result, mode="json"),
    }


def notes_of(result: Result) -> str:
    """What must not be forgotten, in words, for readers that know no labels."""
    words = ["taken with assay on this machine, not an official result"] if result.origin is Origin.LOCAL else []
    for source in result.sources:
        if source.verdict is not None and not source.verdict.accepted:
            state = "VALID but not acceptable to the round" if source.verdict.valid else "INVALID"
            words.append(f"{source.mode} run: {state}")
    words += [meaning_of(label) for label in result.labels]
    return "; ".join(words)


def meaning_of(label: str) -> str:
    """A label in a sentence; a label of a later version as it is written."""
    return f"{label}: {Label(label).meaning}" if label in Label._value2member_map_ else label


def result_from_row(row: JsonObject, *, where: str) -> Result | None:
    """The result that a row of ours holds; None for a row that assay did not write.

    Raises:
        InvalidInputError: for one of another version, or one that was tampered with; the key is named.
    """
    own = row.get(OWN)
    if not isinstance(own, dict):
        return None
    if own.get("format") != FORMAT:
        raise InvalidInputError(
            "a result of another version",
            where=where,
            expected=f"format {FORMAT}",
            found=repr(own.get("format")),
        )
    try:
        return _ADAPTER.validate_python(own)
    except ValidationError as error:
        first = error.errors()[0]
        key = ".".join(str(part) for part in (OWN, *first["loc"]))
        raise InvalidInputError(f"not a result: {first['msg']}", where=f"{where}: {key}") from error
