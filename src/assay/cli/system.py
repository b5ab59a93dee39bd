"""``assay system``: this machine in the official fields of a system description."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from assay.base.settings import load_settings
from assay.cli.options import CATEGORY, DIVISION, key_values
from assay.cli.render import Output, output_options
from assay.rules.model import Category, Division
from assay.system.description import Description, Entry, State, describe, system_id
from assay.system.facts import SystemFacts
from assay.system.fields import field_list
from assay.system.probe import probe
from assay.system.store import SystemStore, read_description
from assay.system.validate import Level, Problem, validate


def _examples(*commands: str) -> str:
    return "Examples:\n\n\b\n" + "\n".join(f"  {command}" for command in commands)


@click.group(
    epilog=_examples(
        "assay system show",
        "assay system init --name lab-xeon --submitter Example --division open --category edge",
        'assay system edit lab-xeon --set cooling=air --set hw_notes="fans at full speed"',
        "assay system validate lab-xeon",
        "assay system validate closed/Example/systems/lab-xeon.json --round v3.0",
    )
)
def system() -> None:
    """Describe this machine in the official fields of a system description.

    Every value says where it came from, and nothing is guessed: what the machine does not tell is asked or
    left out.
    """


@system.command(epilog=_examples("assay system show", "assay system show --json", "assay system show lab-xeon"))
@click.argument("name", required=False)
@output_options
def show(name: str | None, out: Output) -> None:
    """Show what this machine tells about itself, or a kept description, with the origin of every value."""
    if name is not None:
        _show_description(SystemStore(load_settings().systems_dir).load(name), out)
        return
    facts = probe()
    if out.as_json:
        out.json(facts.to_dict())
        return
    _show_facts(facts, out)


def _show_facts(facts: SystemFacts, out: Output) -> None:
    from rich.text import Text

    rows: list[tuple[object, ...]] = []
    for group, lines in facts.groups():
        rows.append((Text(group.capitalize(), style="bold"), "", ""))
        rows.extend(
            (f"  {line.label}", "unknown" if line.text is None else line.text, Text(line.source, style="dim"))
            for line in lines
        )
    out.table(["Fact", "Value", "Read from, or why unknown"], rows)


def _show_description(description: Description, out: Output) -> None:
    if out.as_json:
        out.json(_document(description, None))
        return
    rows: list[tuple[object, ...]] = [
        (entry.field.name, entry.value, entry.state.value, entry.source) for entry in description.entries
    ]
    rows.extend((name, value, "extra", "not an official field") for name, value in description.extra.items())
    out.table(["Field", "Value", "State", "Origin"], rows)


@system.command(
    epilog=_examples(
        "assay system init",
        "assay system init --name lab-xeon --submitter Example --division open --category edge",
        "assay system init --name lab-xeon --set cooling=air --set status=available --non-interactive",
    )
)
@click.option("--name", help="Id of the system: the name of its file. [default: the host's name]")
@click.option("--submitter", default="", help="Organisation that submits.")
@click.option("--division", type=DIVISION, help="Division.")
@click.option("--category", type=CATEGORY, multiple=True, help="Category; give both for datacenter and edge.")
@click.option("--status", type=click.Choice(["available", "preview", "rdi"]), help="Availability.")
@click.option(
    "--set",
    "pairs",
    multiple=True,
    metavar="FIELD=VALUE",
    help="Value of an official field; may be given again.",
)
@click.option("--round", "round_name", default="v3.1", show_default=True, help="Round whose fields are wanted.")
@click.option("--non-interactive", is_flag=True, help="Ask nothing; list what is missing instead.")
@output_options
def init(
    name: str | None,
    submitter: str,
    division: Division | None,
    category: tuple[Category, ...],
    status: str | None,
    pairs: tuple[str, ...],
    round_name: str,
    non_interactive: bool,
    out: Output,
) -> None:
    """Probe this machine, ask what it does not tell, and keep the description.

    Run again, it probes afresh and keeps what you gave or wrote into the file. Without a terminal, with
    --json or with --non-interactive nothing is asked.
    """
    store = SystemStore(load_settings().systems_dir)
    asking = not (non_interactive or out.as_json) and sys.stdin.isatty()
    facts = probe()
    name = name or system_id(facts.host.hostname.value or "") or "this-machine"
    store.path(name)
    old = store.load(name) if name in store.names() else Description(name, ())
    description = describe(
        facts,
        name=name,
        submitter=submitter,
        division=division.value if division else "",
        category=",".join(sorted({each.value for each in category})),
        status=status or "",
        given={**old.given(), **key_values(pairs, "--set")},
        sources={entry.field.name: entry.source for entry in old.entries if entry.state is State.ASKED},
        extra=old.extra,
        round_name=round_name,
    )
    if asking:
        description = _ask(description, round_name)
    _report(description, store.save(description), round_name, out)


def _ask(description: Description, round_name: str) -> Description:
    """Ask for every missing value on the terminal; an empty answer leaves it missing."""
    missing = description.missing()
    if missing:
        click.echo(f"{len(missing)} values that the machine does not tell (empty: later).", err=True)
    for entry in missing:
        description = _ask_one(description, entry, round_name)
    return description


def _ask_one(description: Description, entry: Entry, round_name: str) -> Description:
    choices = f" ({', '.join(entry.field.choices)})" if entry.field.choices else ""
    while True:
        answer = click.prompt(
            f"{entry.field.name}: {entry.field.title}{choices}", default=entry.suggestion, err=True,
            show_default=bool(entry.suggestion),
        ).strip()  # fmt: skip
        if not answer:
            return description
        answered = description.answered({entry.field.name: answer}, "given by you")
        problems = [
            each for each in validate(answered.to_official_json(), round_name) if each.field == entry.field.name
        ]
        if not problems:
            return answered
        click.echo(f"  {problems[0].found}: expected {problems[0].expected}", err=True)


def _report(description: Description, path: Path, round_name: str, out: Output) -> None:
    """Say what was kept and what is still missing."""
    if out.as_json:
        out.json(
            {
                **_document(description, path),
                "problems": [each.to_dict() for each in _problems(description, round_name)],
            }
        )
        return
    counts = {state: sum(1 for entry in description.entries if entry.state is state) for state in State}
    out.remark(f"{counts[State.PROBED]} values probed, {counts[State.ASKED]} given, {counts[State.MISSING]} missing")
    problems = _problems(description, round_name)
    if problems:
        _show_problems(problems, out)
        wanted = " ".join(f"--set {field}=..." for field in dict.fromkeys(each.field for each in problems[:3]))
        out.remark(f"next: assay system edit {description.name} {wanted}")
    else:
        out.remark(f"complete for round {round_name}")
    out.text(str(path))


def _problems(description: Description, round_name: str) -> tuple[Problem, ...]:
    return validate(description.to_official_json(), round_name)


@system.command(
    epilog=_examples('assay system edit lab-xeon --set cooling=air --set sw_notes=""', "assay system edit lab-xeon")
)
@click.argument("name")
@click.option(
    "--set",
    "pairs",
    multiple=True,
    metavar="FIELD=VALUE",
    help="Value of an official field; empty takes it away.",
)
@click.option("--round", "round_name", default="v3.1", show_default=True, help="Round it is validated for afterwards.")
@output_options
def edit(name: str, pairs: tuple[str, ...], round_name: str, out: Output) -> None:
    """Change a kept description: with --set, or in your editor ($EDITOR) without.

    It is saved as you leave it and validated afterwards. Text that is no JSON is kept as a draft for the next
    edit.
    """
    store = SystemStore(load_settings().systems_dir)
    description = store.load(name)
    answered = description.answered(key_values(pairs, "--set"), "given by you") if pairs else None
    path = _edit_text(store, description) if answered is None else store.save(answered)
    _report(store.load(name), path, round_name, out)


def _edit_text(store: SystemStore, description: Description) -> Path:
    draft, path = store.draft_path(description.name), store.path(description.name)
    text = (draft if draft.is_file() else path).read_text(encoding="utf-8", errors="replace")
    edited = click.edit(text, extension=".json")
    if edited is None and not draft.is_file():
        return path
    return store.save_text(description.name, text if edited is None else edited)


@system.command("list", epilog=_examples("assay system list", "assay system list --json"))
@click.option("--round", "round_name", default="v3.1", show_default=True, help="Round the problems are counted for.")
@output_options
def list_systems(round_name: str, out: Output) -> None:
    """List the kept descriptions."""
    store = SystemStore(load_settings().systems_dir)
    rows = []
    for name in store.names():
        content = store.load(name).to_official_json()
        errors = sum(1 for each in validate(content, round_name) if each.level is Level.ERROR)
        rows.append(
            (
                name,
                content.get("system_name", ""),
                content.get("submitter", ""),
                errors,
                str(store.path(name)),
            )
        )
    if out.as_json:
        keys = ("name", "system_name", "submitter", "problems", "path")
        out.json([dict(zip(keys, row, strict=True)) for row in rows])
        return
    if not rows:
        out.remark("no descriptions yet: assay system init")
        return
    out.table(
        ["Name", "System", "Submitter", f"Problems ({round_name})", "File"],
        rows,
        right=(f"Problems ({round_name})",),
    )


@system.command(
    "validate",
    epilog=_examples(
        "assay system validate lab-xeon", "assay system validate closed/Example/systems/*.json --round v3.0"
    ),
)
@click.argument("names", metavar="NAME|FILE...", nargs=-1, required=True)
@click.option("--round", "round_name", default="v3.1", show_default=True, help="Round whose rules hold.")
@output_options
def validate_command(names: tuple[str, ...], round_name: str, out: Output) -> int:
    """Validate kept descriptions or files: missing, empty, placeholder and wrong values.

    A file that stands in DIVISION/SUBMITTER/systems/ is compared with these two. The exit code is 1 when
    there are errors.
    """
    store = SystemStore(load_settings().systems_dir)
    found: dict[str, tuple[Problem, ...]] = {}
    for name in names:
        path = Path(name) if _looks_like_file(name) else store.path(name)
        content = read_description(path) if _looks_like_file(name) else store.load(name).to_official_json()
        submitter, division = _directories(path)
        found[name] = validate(content, round_name, submitter=submitter, division=division)
    failed = any(each.level is Level.ERROR for problems in found.values() for each in problems)
    if out.as_json:
        files = [{"name": name, "problems": [each.to_dict() for each in problems]} for name, problems in found.items()]
        out.json({"round": round_name, "valid": not failed, "files": files})
        return int(failed)
    for name, problems in found.items():
        if problems:
            _show_problems(problems, out, title=name if len(found) > 1 else None)
        out.remark(f"{name}: {_summary(problems)} for round {round_name}")
    return int(failed)


def _looks_like_file(name: str) -> bool:
    return "/" in name or "\\" in name or name.endswith(".json")


def _directories(path: Path) -> tuple[str | None, str | None]:
    """Submitter and division by the directories of a submission tree that the file stands in."""
    parts = path.absolute().parts
    divisions = [member.value for member in Division]
    if len(parts) >= 4 and parts[-2] == "systems" and parts[-4] in divisions:
        return parts[-3], parts[-4]
    return None, None


def _summary(problems: tuple[Problem, ...]) -> str:
    errors = sum(1 for each in problems if each.level is Level.ERROR)
    warnings = len(problems) - errors
    return f"{errors} errors, {warnings} warnings" if problems else "valid"


def _show_problems(problems: tuple[Problem, ...], out: Output, *, title: str | None = None) -> None:
    rows = [
        (
            each.field,
            "missing" if each.found is None and each.level is Level.ERROR else each.found,
            each.expected,
            each.fix,
            each.level.value if each.official else f"{each.level.value} (strict)",
        )
        for each in problems
    ]
    out.table(["Field", "Found", "Expected", "Fix", "Level"], rows, title=title)


@system.command("fields", epilog=_examples("assay system fields", "assay system fields --round v3.0 --json"))
@click.option("--round", "round_name", default="v3.1", show_default=True, help="Round whose fields are listed.")
@output_options
def list_fields(round_name: str, out: Output) -> None:
    """List the official fields of a round: what to answer, and which may not be empty."""
    fields = field_list()
    rows = [
        (
            field.name,
            field.needed.value,
            "no" if fields.filled_in(field, round_name) else "yes",
            field.kind.value,
            f"{field.title} ({', '.join(field.choices)})" if field.choices else field.title,
        )
        for field in fields.fields
        if fields.asked_in(field, round_name)
    ]
    if out.as_json:
        keys = ("field", "needed", "may_be_empty", "kind", "answer")
        out.json([{**dict(zip(keys, row, strict=True)), "may_be_empty": row[2] == "yes"} for row in rows])
        return
    out.table(["Field", "Needed", "May be empty", "Kind", "Answer"], rows)


def _document(description: Description, path: Path | None) -> dict[str, object]:
    """A description with origins as one JSON object."""
    fields = {
        entry.field.name: {"value": entry.value, "state": entry.state.value, "source": entry.source}
        for entry in description.entries
    }
    return {
        "name": description.name,
        "path": str(path) if path else None,
        "official": description.to_official_json(),
        "fields": fields,
        "missing": [entry.field.name for entry in description.missing()],
    }
