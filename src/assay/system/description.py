"""The official system description of a machine, with the origin of every field."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from assay.base.units import format_size
from assay.errors import UsageError, nearest
from assay.system.facts import AcceleratorFacts, Fact, SystemFacts, format_binary
from assay.system.fields import Field, FieldList, Needed, field_list
from assay.system.software import ENGINES

Value = str | int | float
NOT_APPLICABLE = "N/A"


class State(StrEnum):
    """How a field got its value, or why it has none."""

    PROBED = "probed"
    ASKED = "asked"
    EMPTY_ALLOWED = "empty-allowed"
    MISSING = "missing"


@dataclass(frozen=True, slots=True)
class Entry:
    """One field of a description.

    Attributes:
        value: what stands in the file; ``""`` when nothing does.
        source: where it came from; for a missing value why the machine could not tell.
        suggestion: what could be answered, found on the machine but not certain enough to be written unasked.
    """

    field: Field
    value: Value
    state: State
    source: str
    suggestion: str = ""


@dataclass(frozen=True, slots=True)
class Description:
    """The official description of one system.

    Attributes:
        name: the system's id, the name of its file.
        entries: every official field that applies, in the order people are asked.
        extra: further keys that a user wrote into the file; kept.
    """

    name: str
    entries: tuple[Entry, ...]
    extra: Mapping[str, object] = field(default_factory=dict)

    def to_official_json(self) -> dict[str, object]:
        """The JSON object of ``systems/<system>.json``."""
        return {**{entry.field.name: entry.value for entry in self.entries}, **self.extra}

    def missing(self) -> tuple[Entry, ...]:
        """The fields that still want a value."""
        return tuple(entry for entry in self.entries if entry.state is State.MISSING)

    def given(self) -> dict[str, Value]:
        """The values that a person gave."""
        return {entry.field.name: entry.value for entry in self.entries if entry.state is State.ASKED}

    def answered(self, answers: Mapping[str, Value], source: str) -> Description:
        """The description with some fields answered; an empty answer takes a value away.

        Raises:
            UsageError: for a field that does not exist, with the closest names.
        """
        check_field_names(answers)
        old = {entry.field.name: entry for entry in self.entries}
        entries = []
        for each in field_list().fields:
            if each.name in answers:
                value = answers[each.name]
                state = State.EMPTY_ALLOWED if value == "" else State.ASKED
                entries.append(Entry(each, value, state, source))
            elif each.name in old:
                entries.append(old[each.name])
        extra = {key: value for key, value in self.extra.items() if key not in answers}
        return Description(self.name, tuple(entries), extra)


@dataclass(frozen=True, slots=True)
class _Found:
    value: str
    source: str
    suggestion: str = ""


def describe(
    facts: SystemFacts,
    *,
    name: str,
    submitter: str = "",
    division: str = "",
    category: str = "",
    status: str = "",
    given: Mapping[str, Value] | None = None,
    sources: Mapping[str, str] | None = None,
    extra: Mapping[str, object] | None = None,
    round_name: str = "v3.1",
) -> Description:
    """Fill the official fields from a machine's facts and a person's answers; answers win.

    Args:
        facts: what was probed.
        name: id of the system.
        submitter: organisation.
        division: ``closed``, ``open`` or ``network``.
        category: ``datacenter``, ``edge`` or both with a comma.
        status: ``available``, ``preview`` or ``rdi``.
        given: answers by official field name.
        sources: where an answer came from, by field name; ``given by you`` unless said.
        extra: keys outside the official fields, kept as they are.
        round_name: round whose fields are wanted.

    Raises:
        UsageError: for an answer to a field that does not exist, with the closest names.
        NotFoundError: for an unknown round.
    """
    fields = field_list()
    named = {"submitter": submitter, "division": division, "system_type": category, "status": status}
    answers = _answers(given or {}, named)
    probed = probed_values(facts)
    entries = tuple(
        _entry(each, answers, probed, fields, round_name=round_name, sources=sources or {})
        for each in fields.fields
        if each.name in answers or (fields.asked_in(each, round_name) and _wanted(each, answers))
    )
    return Description(name, entries, dict(extra or {}))


def check_field_names(names: Mapping[str, object]) -> None:
    """Refuse names that are no official fields.

    Raises:
        UsageError: for the first one, with the closest names.
    """
    known = [each.name for each in field_list().fields]
    for name in names:
        if name not in known:
            close = nearest(name, known)
            raise UsageError(f"unknown field {name!r}", expected=" or ".join(close) or None, hint="assay system fields")


def _answers(given: Mapping[str, Value], named: Mapping[str, str]) -> dict[str, Value]:
    check_field_names(given)
    answers = dict(given)
    answers.update({key: value for key, value in named.items() if value})
    if answers.get("division") == "network":
        answers.setdefault("is_network", "true")
    # The checker takes the number 0 for an empty field.
    return {key: "0" if not value and value != "" else value for key, value in answers.items()}


def _wanted(each: Field, answers: Mapping[str, Value]) -> bool:
    if each.needed is Needed.NETWORK:
        return str(answers.get("is_network", "")).casefold() == "true"
    return each.needed is Needed.ALWAYS


def _entry(
    each: Field,
    answers: Mapping[str, Value],
    probed: Mapping[str, _Found],
    fields: FieldList,
    *,
    round_name: str,
    sources: Mapping[str, str],
) -> Entry:
    if answers.get(each.name, "") != "":
        return Entry(each, answers[each.name], State.ASKED, sources.get(each.name, "given by you"))
    found = probed.get(each.name, _Found("", "only you know"))
    if found.value:
        return Entry(each, found.value, State.PROBED, found.source)
    needs_value = fields.filled_in(each, round_name) or each.needed is Needed.NETWORK
    state = State.MISSING if needs_value else State.EMPTY_ALLOWED
    return Entry(each, "", state, found.source, found.suggestion)


def probed_values(facts: SystemFacts) -> dict[str, _Found]:
    """What a machine's facts say of the official fields; an empty value where they say nothing."""
    return {
        "number_of_nodes": _Found("1", "the machine probed; set it yourself for a cluster"),
        **_processor(facts),
        **_memory_and_storage(facts),
        **_network(facts),
        **_accelerators(facts.accelerators),
        **_software(facts),
        "system_name": _text(facts.host.product),
    }


def _text(fact: Fact[str]) -> _Found:
    return _Found(fact.value or "", fact.source)


def _count(fact: Fact[int]) -> _Found:
    return _Found("" if fact.value is None else str(fact.value), fact.source)


def _processor(facts: SystemFacts) -> dict[str, _Found]:
    cpu = facts.processor
    frequency = f"{cpu.frequency_max_mhz.value:g} MHz" if cpu.frequency_max_mhz.value else ""
    caches = "; ".join(
        f"{cache.name}: {format_binary(cache.size * cache.instances)}" if cache.instances else str(cache)
        for cache in cpu.caches.value or ()
    )
    return {
        "host_processor_model_name": _text(cpu.model),
        "host_processors_per_node": _count(cpu.sockets),
        "host_processor_core_count": _count(cpu.cores_per_socket),
        "host_processor_frequency": _Found(frequency, cpu.frequency_max_mhz.source),
        "host_processor_caches": _Found(caches, cpu.caches.source),
    }


def _memory_and_storage(facts: SystemFacts) -> dict[str, _Found]:
    total, modules, storage = facts.memory.total, facts.memory.modules, facts.storage
    fitted = Counter(str(module) for module in modules.value or ())
    kinds = Counter(disk.kind for disk in storage.disks.value or ())
    return {
        "host_memory_capacity": _Found(format_binary(total.value) if total.value else "", total.source),
        "host_memory_configuration": _Found(_times(fitted), modules.source),
        "host_storage_capacity": _Found(
            format_size(storage.capacity.value) if storage.capacity.value else "", storage.capacity.source
        ),
        "host_storage_type": _Found(_times(kinds), storage.disks.source),
    }


def _network(facts: SystemFacts) -> dict[str, _Found]:
    cards = facts.network.cards
    names = Counter(
        f"{card.kind}{f' {card.speed_mbit / 1000:g} Gbit/s' if card.speed_mbit else ''}" for card in cards.value or ()
    )
    count = "" if cards.value is None else str(len(cards.value))
    return {
        "host_network_card_count": _Found(count, cards.source),
        "host_networking": _Found(_times(names) or (NOT_APPLICABLE if count == "0" else ""), cards.source),
        "host_networking_topology": _Found("", "only you know; N/A for a single node", NOT_APPLICABLE),
    }


def _accelerators(facts: AcceleratorFacts) -> dict[str, _Found]:
    count = facts.count
    found = {"accelerators_per_node": _count(count)}
    named = ("model_name", "memory_capacity", "host_interconnect", "memory_configuration", "interconnect")
    if count.value == 0:
        return found | {f"accelerator_{part}": _Found(NOT_APPLICABLE, count.source) for part in named}
    devices = facts.devices.value or ()
    if not devices:
        return found | {f"accelerator_{part}": _Found("", facts.devices.source) for part in named}
    memories = Counter(format_binary(device.memory) for device in devices if device.memory)
    peers = _times(Counter(device.peer_link for device in devices if device.peer_link), counted=False)
    clocks = Counter(f"{device.clock_mhz} MHz" for device in devices if device.clock_mhz)
    links = Counter(device.host_link for device in devices if device.host_link)
    values = {
        "accelerator_model_name": _times(Counter(device.name for device in devices), counted=False),
        "accelerator_memory_capacity": _times(memories, counted=False),
        "accelerator_host_interconnect": _times(links, counted=False),
        "accelerator_interconnect": peers or (NOT_APPLICABLE if len(devices) == 1 else ""),
        "accelerator_frequency": _times(clocks, counted=False),
    }
    return found | {name: _Found(value, facts.devices.source) for name, value in values.items()}


def _software(facts: SystemFacts) -> dict[str, _Found]:
    software = facts.software
    packages = software.packages.value or ()
    engines = [str(package) for package in packages if package.name in ENGINES]
    others = [str(package) for package in packages if package.name not in ENGINES]
    stack = [text for text in (software.python.value, *others) if text]
    system = software.operating_system.value or ""
    if system and software.kernel.value:
        system += f" ({software.kernel.value})"
    # With several engines only the submitter knows which one the results were taken with.
    one = engines[0] if len(engines) == 1 else ""
    return {
        "framework": _Found(
            one, f"{software.packages.source}: {', '.join(engines) or 'no engine'}", ", ".join(engines)
        ),
        "operating_system": _Found(system, software.operating_system.source),
        "other_software_stack": _Found("; ".join(stack), f"{software.python.source}, {software.packages.source}"),
    }


def _times(counted_names: Counter[str], *, counted: bool = True) -> str:
    """``16x 64 GiB DDR5-4800, 2x ...``; without counts where another field holds the number."""
    several = counted or len(counted_names) > 1
    return ", ".join(f"{count}x {name}" if several else name for name, count in counted_names.items())


def system_id(text: str) -> str:
    """A name turned into an id that is safe as a file name: letters, digits, ``.``, ``_``, ``-``."""
    return re.sub(r"[^A-Za-z0-9._-]+", "_", text).strip("._-")[:100]
