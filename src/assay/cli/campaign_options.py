"""The options that a campaign is planned from when it has no file yet."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from assay.cli.options import DIVISION, SCENARIO, complete_backend, complete_runnable, key_values
from assay.errors import UsageError
from assay.rules.model import Scenario

if TYPE_CHECKING:
    from assay.campaign.flow.draft import Wanted

F = TypeVar("F", bound=Callable[..., Any])
_RATED = click.FloatRange(0, min_open=True)
_ENTRY = (
    "backend", "precision", "threads", "streams", "batch_size", "batch_wait", "setting", "dataset", "duration",
    "samples", "find_rate", "implementation", "implementation_dir", "time_limit",
)  # fmt: skip
"""Options that every entry gets under the same name."""
_TREE = ("calibration", "power", "power_ntp", "power_official", "power_settings")
"""Options that the file gets under the same name."""


def plan_options(function: F) -> F:
    """Add everything that a campaign can be planned from."""
    for option in reversed(_OPTIONS):
        function = option(function)
    return function


_OPTIONS: tuple[Callable[[Any], Any], ...] = (
    click.option("--round", "round_name", help="Round whose rules hold. [default: v3.1]"),
    click.option(
        "--benchmark", "benchmarks", multiple=True, shell_complete=complete_runnable,
        help="Benchmark of the round, or a model of the catalogue; may be given again.",
    ),
    click.option("--category", type=click.Choice(["edge", "datacenter", "both"]), help="Category of the tree."),
    click.option("--division", type=DIVISION, help="Division of the tree, closed or open. [default: closed]"),
    click.option("--rehearsal", is_flag=True, help="Take runs that may not be submitted: stand-ins, short runs."),
    click.option("--name", help="Name of the campaign. [default: made of the options]"),
    click.option("--submitter", help="Organisation that submits. [default: the one that the system's description names]"),
    click.option("--system", help="Kept description, or a file of one. [default: the only one, else this machine]"),
    click.option(
        "--set", "described", multiple=True, metavar="FIELD=VALUE",
        help="Field of the system that the machine does not tell; may be given again.",
    ),
    click.option("--model", shell_complete=complete_runnable, help="Model of the catalogue, or a file of yours."),
    click.option("--dataset", help="Dataset of the catalogue, or a folder of yours."),
    click.option("-s", "--scenario", "scenarios", type=SCENARIO, multiple=True, help="Scenario. [default: all asked for]"),
    click.option(
        "--setting", type=click.Path(path_type=Path, dir_okay=False), help="File of a setting, as assay tune writes it."
    ),
    click.option("-b", "--backend", shell_complete=complete_backend, help="Engine. [default: the usual one]"),
    click.option("-p", "--precision", type=click.Choice(["fp32", "bf16", "fp16", "int8"]), help="Number format."),
    click.option("--threads", type=click.IntRange(0), help="Compute threads of one stream. [default: all cores]"),
    click.option("--streams", type=click.IntRange(1), help="Batches run side by side. [default: 1]"),
    click.option("--batch-size", type=click.IntRange(1), help="Samples the engine gets at once."),
    click.option("--batch-wait", metavar="DURATION", help="Server: longest wait of a query for its batch."),
    click.option("--backend-option", multiple=True, metavar="KEY=VALUE", help="Setting passed to the engine."),
    click.option(
        "--target-qps", "rates", multiple=True, metavar="SCENARIO=RATE",
        help="Rate of Server or Offline. [default: searched, probed]",
    ),
    click.option(
        "--target-latency", "latencies", multiple=True, metavar="SCENARIO=DURATION",
        help="Latency that is planned with. [default: the round's, probed]",
    ),
    click.option(
        "--find-rate/--no-find-rate", default=None,
        help="Search the rate of Server. [default: where no rate is given]",
    ),
    click.option(
        "--duration", metavar="DURATION", help="Shortest performance run of a rehearsal. [default: 10s]"
    ),
    click.option("--samples", type=click.IntRange(1), help="Fewest queries or samples of a rehearsal."),
    click.option("--implementation", help="Another program that runs it: see assay implementations."),
    click.option("--implementation-dir", type=click.Path(path_type=Path), help="Folder of that program."),
    click.option("--implementation-option", multiple=True, metavar="KEY=VALUE", help="Word that its manifest asks for."),
    click.option("--time-limit", metavar="DURATION", help="Longest time of one of its runs."),
    click.option(
        "--field", "fields", multiple=True, metavar="FIELD=VALUE",
        help="What no record tells of an implementation: FIELD or BENCHMARK.FIELD.",
    ),
    click.option("--power", help="What measures power: a director's HOST:PORT, simulate, or a meter. [default: nothing]"),
    click.option("--power-ntp", help="Time server that clocks are compared with."),
    click.option("--power-official", type=click.Path(path_type=Path), help="Clone of mlcommons/power-dev that measures."),
    click.option(
        "--power-settings", type=click.Path(path_type=Path, dir_okay=False), help="Text on firmware and governor."
    ),
    click.option(
        "--calibration", type=click.Path(path_type=Path, dir_okay=False), help="Text on how models were calibrated."
    ),
    click.option("--out", "tree", type=click.Path(path_type=Path, file_okay=False), help="The tree. [default: beside the file]"),
    click.option(
        "--write", type=click.Path(path_type=Path, dir_okay=False), metavar="FILE.yaml",
        help="Write the campaign's file here. [default: kept under its name]",
    ),
    click.option("--force", is_flag=True, help="Replace another plan that is there."),
)  # fmt: skip


def wanted_of(options: dict[str, Any]) -> Wanted:
    """The campaign that options ask for.

    Raises:
        UsageError: for one that is missing, or is no SCENARIO=VALUE.
    """
    from assay.campaign.flow.draft import Wanted

    if not options["benchmarks"]:
        raise UsageError("nothing says what is to be run", expected="a campaign's file or name, or --benchmark NAME")
    if options["category"] is None:
        raise UsageError("a tree has a category", expected="--category edge, datacenter or both")
    division = options["division"]
    return Wanted(
        round=options["round_name"] or "v3.1",
        benchmarks=options["benchmarks"],
        category=options["category"],
        division=division.value if division else "closed",
        rehearsal=options["rehearsal"],
        name=options["name"] or "",
        submitter=options["submitter"] or "",
        system=options["system"] or "",
        model=options["model"] or "",
        out=options["tree"],
        entry=_entry_keys(options),
        given=_file_keys(options),
    )


def _entry_keys(options: dict[str, Any]) -> dict[str, Any]:
    """What every entry gets."""
    entry = {name: _plain(options[name]) for name in _ENTRY if options[name] is not None}
    for name, option in (("backend_options", "backend_option"), ("implementation_options", "implementation_option")):
        if options[option]:
            entry[name] = key_values(options[option], f"--{option.replace('_', '-')}")
    if options["scenarios"]:
        entry["scenarios"] = [each.value for each in options["scenarios"]]
    if options["rates"]:
        entry["target_qps"] = {
            name: _rate(text) for name, text in _by_scenario(options["rates"], "--target-qps").items()
        }
    if options["latencies"]:
        entry["target_latency"] = _by_scenario(options["latencies"], "--target-latency")
    return entry


def _file_keys(options: dict[str, Any]) -> dict[str, Any]:
    """What the file gets besides."""
    given: dict[str, Any] = {}
    if options["fields"]:
        given["fields"] = key_values(options["fields"], "--field")
    if options["described"]:
        given["describe"] = key_values(options["described"], "--set")
    for name in _TREE:
        if options[name] is not None:
            given[name] = _plain(options[name])
    if options["notify"]:
        program, *words = options["notify"]
        given["notify"] = [_plain(Path(program)) if "/" in program else program, *words]
    return given


def given_options(options: dict[str, Any]) -> Sequence[str]:
    """The names of the options that were given."""
    return [
        name
        for name, value in options.items()
        if value not in (None, (), False) or (name == "find_rate" and value is False)
    ]


def _plain(value: Any) -> Any:
    """A value as YAML holds it; a path of the command line begins where the command was given."""
    return str(value.expanduser().absolute()) if isinstance(value, Path) else value


def _by_scenario(pairs: tuple[str, ...], option: str) -> dict[str, str]:
    return {Scenario.parse(name).value: value for name, value in key_values(pairs, option).items()}


def _rate(text: str) -> float:
    try:
        rate = float(text)
    except ValueError as error:
        raise UsageError(f"--target-qps {text!r} is no rate", expected="SCENARIO=QUERIES_PER_SECOND") from error
    if not 0 < rate < float("inf"):
        raise UsageError(f"--target-qps {text} is no rate", expected="more than 0")
    return rate
