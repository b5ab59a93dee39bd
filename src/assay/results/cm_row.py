"""A result as a row of ``cm-result.json``, and back.

The row holds the field names that CM's inference rows have, for tools that know those; under ``assay_row`` the
normalised row, and for a run of this machine the whole result under ``assay``. Missing is null. Source of the names:
mlcommons/cm4mlperf-results, rounds v2.0 to v4.1.
"""

from __future__ import annotations

import msgspec
from pydantic import TypeAdapter, ValidationError

from assay.cm.meta import JsonObject, JsonValue
from assay.errors import InvalidInputError
from assay.loadgen.record import Label
from assay.results.flat import flat
from assay.results.model import FORMAT, Method, Origin, Result
from assay.results.row import Row

OWN = "assay"
ROW = "assay_row"
_ADAPTER = TypeAdapter(Result)


def row_of(result: Result, *, location: str | None = None) -> dict[str, JsonValue]:
    """The row of a result of this machine: CM's fields, the whole result, and the same flat.

    Args:
        result: what the row says.
        location: where its logs are, relative to assay's home.
    """
    row = flat(result, location=location or "")
    return {
        **cm_fields(row),
        "notes": notes_of(result),
        "Location": location,
        OWN: _ADAPTER.dump_python(result, mode="json"),
        ROW: msgspec.to_builtins(row),
    }


def cm_fields(row: Row) -> dict[str, JsonValue]:
    """A row by the names that CM's inference rows have."""
    power: dict[str, JsonValue] = (
        {"Result_Power": row.power_value, "Result_Power_Units": row.power_unit} if row.power_value is not None else {}
    )
    return {
        "uid": row.cm_uid or row.uid,
        "version": row.round,
        "Organization": row.organisation_given,
        "Platform": row.system,
        "SystemName": row.system_name,
        "SystemType": ",".join(row.category),
        "Division": row.division,
        "Availability": row.availability,
        "Model": row.model,
        "MlperfModel": row.benchmark,
        "Scenario": row.scenario,
        "Result": row.value,
        "Units": row.unit,
        "Result_Units": row.unit,
        "Accuracy": row.accuracy,
        "accelerator_model_name": row.accelerator_given,
        "accelerators_per_node": row.accelerators_per_node,
        "host_processor_core_count": row.cores,
        "host_processor_model_name": row.processor_given,
        "host_processors_per_node": row.processors_per_node,
        "number_of_nodes": row.nodes,
        "operating_system": row.operating_system,
        "framework": row.framework_given,
        "has_power": bool(row.power),
        "inferred": int(row.method is Method.INFERRED),
        "compliance": None if row.compliance is None else int(row.compliance),
        "errors": 0,
        "notes": row.notes,
        "Location": row.location,
        "git_url": row.url.partition("/tree/")[0] if row.url else None,
        "url": row.url,
        **power,
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
