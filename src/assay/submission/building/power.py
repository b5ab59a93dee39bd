"""The power part of a tree: what a director's session left, and what the round asks to be told of analyzer and machine."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from assay.base.files import read_json, sha256_file
from assay.errors import AssayError
from assay.loadgen.names import DETAIL, SUMMARY
from assay.loadgen.record import RunRecord
from assay.power.analysis import analyzers_of, session_labels
from assay.power.identity import Identity
from assay.rules.submission import SubmissionRules
from assay.submission.building.model import Entry, Missing, Taken, Wish

SESSION = "performance"
"""The folder of a run with the files of its session, in the official layout."""

_RANGING, _TESTING, _POWER = "ranging", "run_1", "power"
_INTERFACES = {"": "serial port", "-n": "network", "-g": "GPIB", "-y": "USB", "-U": "USB"}
_FIELDS = (
    "power_management", "power_supply_quantity_and_rating_watts", "power_supply_details", "cooling",
    "boot_firmware_version", "management_firmware_version", "filesystem", "disk_drives", "other_hardware",
)  # fmt: skip
_HOST = {"governor": "frequency governor", "os": "system", "kernel": "kernel", "cpu": "processor"}


@dataclass(frozen=True, slots=True)
class SessionFiles:
    """Files of a session: the place in ``performance/`` to the file, and what is missing."""

    files: Mapping[str, Path]
    missing: tuple[Missing, ...]


def has_session(run: Taken) -> bool:
    """Whether a director measured the power of a run; meters without an analyzer leave nothing that a tree takes."""
    return run.record.power is not None and bool(run.record.power.session)


def session_files(entry: Entry, rules: SubmissionRules, wish: Wish) -> SessionFiles:
    """The files of an entry's power session, those that the round asks for and no others."""
    run = entry.performance
    if not has_session(run):
        return SessionFiles({}, ())
    asked = {_POWER: rules.files.power}
    asked |= dict.fromkeys((_RANGING, _TESTING), (SUMMARY, DETAIL, *rules.files.power_run))
    files, missing = {}, list(_refused(entry, wish))
    again = f"run it again: {run.record.command}"
    for folder, names in asked.items():
        for name in names:
            path = run.folder / SESSION / folder / name
            if path.is_file() and not path.is_symlink():
                files[f"{folder}/{name}"] = path
            else:
                missing.append(Missing(entry.name, f"{folder}/{name} of the power session of {run.record.id}", again))
    for name in (SUMMARY, DETAIL):
        logged = files.get(f"{_TESTING}/{name}")
        if logged is not None and sha256_file(logged) != run.record.logs.get(name):
            what = f"{name} of the power session is not that of {run.record.id}"
            missing.append(Missing(entry.name, what, again))
    return SessionFiles(files, tuple(missing))


def _refused(entry: Entry, wish: Wish) -> Iterator[Missing]:
    """What the session's own records say, whatever the run's say: a simulation is never handed in."""
    run = entry.performance
    try:
        labels = session_labels(run.folder / SESSION / _POWER)
    except AssayError as error:
        yield Missing(entry.name, f"the power session of {run.record.id} cannot be read: {error}", run.record.command)
        return
    if labels and not wish.rehearsal:
        named = ", ".join(label.value for label in labels)
        how = "an analyzer, its PTDaemon, and the official programs: --power HOST:PORT --power-official CLONE"
        yield Missing(entry.name, f"the power of {run.record.id} may not be submitted: {named}", how)


def document_text(name: str, entries: Iterable[Entry], fields: Mapping[str, object], wish: Wish, warning: str) -> str:
    """One of the documents that the round asks for beside power: ``analyzer_table`` or ``power_settings``.

    Args:
        name: the document's, without its ending.
        entries: those whose power was measured.
        fields: of the system's description.
        warning: what a rehearsal says of itself; empty otherwise.
    """
    measured = list(entries)
    title = "Power analyzer" if name.startswith("analyzer") else f"Power settings of {wish.system}"
    lines = [f"# {title}", "", *([f"**{warning}**", ""] if warning else [])]
    lines += _analyzers(measured) if name.startswith("analyzer") else _settings(measured, fields, wish)
    return "\n".join(lines).rstrip("\n") + "\n"


def settings_missing(entries: Iterable[Entry], wish: Wish) -> list[Missing]:
    """What nobody but the submitter knows: how the machine was set for the measurement."""
    if wish.power_settings is not None or not any(has_session(each.performance) for each in entries):
        return []
    return [
        Missing(f"system {wish.system}", "how its power was set (firmware, governor)", "--power-settings FILE.md", True)
    ]


def _analyzers(entries: list[Entry]) -> Iterator[str]:
    yield "| result | analyzer | kind | interface | channels | PTDaemon | session |"
    yield "|---|---|---|---|---|---|---|"
    for entry in entries:
        for identity, config in _told(entry.performance.folder / SESSION):
            simulated = " (SIMULATED, no analyzer)" if identity.simulated else ""
            interface = str(config.get("interface_flag") or "")
            power = entry.performance.record.power
            cells = (
                entry.name, f"{identity.analyzer}{simulated}", config.get("device_type", "unknown"),
                _INTERFACES.get(interface, interface), config.get("channel") or "1", identity.version,
                power.session if power else "",
            )  # fmt: skip
            yield f"| {' | '.join(str(cell).replace('|', '/') for cell in cells)} |"


def _told(folder: Path) -> list[tuple[Identity, Mapping[str, Any]]]:
    """The analyzers and how their daemons were started; a session that cannot be read is missing, which is told elsewhere."""
    try:
        identities, server = analyzers_of(folder), read_json(folder / _POWER / "server.json")
    except AssayError:
        identities, server = (), None
    config = server.get("ptd_config") if isinstance(server, dict) else None
    listed = config if isinstance(config, list) else [config]
    configs = [each if isinstance(each, dict) else {} for each in listed]
    names = identities or (Identity("unknown", "unknown", False),)
    return [(name, configs[place] if place < len(configs) else {}) for place, name in enumerate(names)]


def _settings(entries: list[Entry], fields: Mapping[str, object], wish: Wish) -> Iterator[str]:
    if wish.power_settings is not None:
        yield wish.power_settings.strip()
        yield ""
    yield "| | |"
    yield "|---|---|"
    hosts = [entry.performance.record.host for entry in entries]
    told = [(name.replace("_", " "), fields[name]) for name in _FIELDS if fields.get(name)]
    for key, word in _HOST.items():
        values = dict.fromkeys(str(host[key]) for host in hosts if host.get(key) not in (None, ""))
        told += [(word, ", ".join(values))] if values else []
    for word, value in told:
        yield f"| {word} | {str(value).replace('|', '/')} |"


def power_rows(record: RunRecord) -> list[tuple[str, object]]:
    """Figures of power for a README; nothing where none was measured."""
    found = record.power
    if found is None:
        return []
    rows: list[tuple[str, object]] = [
        ("average power", f"{found.watts:.6g} W"),
        ("energy of the run", f"{found.joules:.6g} J"),
    ]
    if found.figure is not None and found.unit != "Watts":
        rows.append(("energy of a query", f"{found.figure:.6g} {found.unit}"))
    if found.samples_per_joule is not None:
        rows.append(("efficiency", f"{found.samples_per_joule:.6g} samples/J"))
    rows += [("power told by", found.source), ("power session", found.session or "none")]
    return rows + [("against the power", problem) for problem in found.problems]
