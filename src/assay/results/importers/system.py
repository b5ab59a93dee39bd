"""The fields of a system that rows hold, from a system description or from the same fields of a CM row."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from assay.results import clean
from assay.results.names import name_tables


@dataclass(frozen=True, slots=True)
class SystemFields:
    """Fields of a :class:`~assay.results.row.Row` by name, ready to be handed over."""

    row: Mapping[str, Any]


def system_fields(given: Mapping[str, object], *, organisation: object) -> SystemFields:
    """Fields of a system, in one spelling, with what was given beside it.

    Args:
        given: fields of the official system description (``accelerator_model_name`` ...).
        organisation: the submitter as its folder is named.
    """
    names = name_tables()
    per_node, nodes = clean.whole(given.get("accelerators_per_node")), clean.whole(given.get("number_of_nodes"))
    accelerator = clean.text(given.get("accelerator_model_name"))
    if per_node == 0:
        # Some describe the accelerator that the host could have; none was used.
        accelerator = None
    return SystemFields(
        {
            "organisation": names.organisations.name(organisation),
            "category": clean.categories(given.get("system_type")),
            "availability": _lower(given.get("status")),
            "system_name": clean.text(given.get("system_name")),
            "accelerator": names.accelerators.name(accelerator),
            "accelerator_vendor": names.accelerator_vendors.found(accelerator),
            "accelerator_given": accelerator,
            "accelerators_per_node": per_node,
            "accelerators": per_node * nodes if per_node is not None and nodes is not None else None,
            "processor": names.processors.name(given.get("host_processor_model_name")),
            "processor_given": clean.text(given.get("host_processor_model_name")),
            "processors_per_node": clean.whole(given.get("host_processors_per_node")),
            "cores": clean.cores(given.get("host_processor_core_count")),
            "nodes": nodes,
            "memory": clean.memory(given.get("host_memory_capacity")),
            "memory_given": clean.text(given.get("host_memory_capacity")),
            "operating_system": clean.text(given.get("operating_system")),
            "framework": names.frameworks.name(given.get("framework")),
            "framework_given": clean.text(given.get("framework")),
            "notes": _notes(given),
        }
    )


def _lower(value: object) -> str | None:
    words = clean.text(value)
    return None if words is None else words.lower()


def _notes(given: Mapping[str, object]) -> str | None:
    found = [words for key in ("hw_notes", "sw_notes", "notes") if (words := clean.text(given.get(key)))]
    return ". ".join(found) or None
