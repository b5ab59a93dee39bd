"""``assay power``: measure, direct, simulate, record, and what a measurement says."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
from click.shell_completion import CompletionItem

from assay.base.settings import load_settings
from assay.cli.render import Output, output_options
from assay.errors import NotFoundError, UsageError

if TYPE_CHECKING:
    from assay.power.analysis import PowerFigures
    from assay.power.host import DaemonProcess, Host
    from assay.power.simulation import Simulation
    from assay.power.wire import Address

_PORT, _DAEMON_PORT = 4950, 8888
# Options behind the first word of the command belong to it, with or without -- between.
_COMMAND_LAST = {"allow_interspersed_args": False}

EXAMPLES = """Examples:

\b
  assay power measure --director 10.0.0.2 --ntp pool.ntp.org -o power-run assay run mobilenet-v2
  assay power measure --simulate -o power-run assay run mobilenet-v2
  assay power show power-run
  assay power director --ptd ./ptd-linux --device-type 49 --interface=-y --device 91K225451 --ntp pool.ntp.org
  assay power record --meter rapl -o spl.txt assay run mobilenet-v2
  assay power simulate --watts 150 --misbehave dropout:testing
"""


@click.group(epilog=EXAMPLES)
def power() -> None:
    """Measure power as MLPerf asks: an analyzer, a director that has it, and the machine under test.

    The director and the machine under test speak the protocol of mlcommons/power-dev, so that either side can be the
    official program; SPEC PTDaemon, which reads the analyzer, is licensed by SPEC and not part of assay. What is
    measured otherwise (RAPL, NVML) is labelled unofficial-power, what a simulation says simulated-power.
    """


def complete_fault(ctx: click.Context, param: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """Faults of the simulation."""
    del ctx, param
    from assay.power.faults import FaultKind

    return [CompletionItem(kind.value, help=kind.meaning) for kind in FaultKind if kind.startswith(incomplete)]


def simulation_of(given: dict[str, Any], channel: str | None = None) -> Simulation:
    """The simulation from a command's options; what they cannot mean is told."""
    from assay.power.simulation import Simulation

    numbers = channels_of(channel)
    channels = numbers[-1] if numbers else 0
    found = Simulation(given["watts"], given["curve"], given["misbehave"], given["speed"], channels, given["analyzers"])
    found.analyzer()
    return found


def simulation_options(function: Any) -> Any:
    """Options of the simulation, as the parameters ``watts``, ``curve``, ``misbehave``, ``speed`` and ``analyzers``."""
    for option in (
        click.option(
            "--analyzers",
            type=click.IntRange(1, 16),
            default=1,
            show_default=True,
            help="Simulation: analyzers that share the load; with simulate, it is one of them.",
        ),
        click.option(
            "--speed",
            type=click.FloatRange(0, 1000, min_open=True),
            default=1.0,
            show_default=True,
            help="Simulation: samples in the time of one.",
        ),
        click.option(
            "--misbehave",
            metavar="FAULT[:PHASE]",
            multiple=True,
            shell_complete=complete_fault,
            help="Simulation: dropout, overrange, bad-range, uncertainty, clock-skew, lost-connection or slow, while "
            "ranging or testing; may be given again.",
        ),
        click.option(
            "--curve", type=click.Path(path_type=Path), help="Simulation: a load curve, CSV of seconds,watts."
        ),
        click.option(
            "--watts",
            type=click.FloatRange(0, 1e6, min_open=True),
            default=100.0,
            show_default=True,
            help="Simulation: a load about so many watts.",
        ),
    ):
        function = option(function)
    return function


@power.command(
    epilog="Examples:\n\n\b\n  assay power simulate\n  assay power simulate -p 8889 --curve load.csv\n"
    "  assay power simulate --misbehave uncertainty:testing -l samples.txt 49 simulated"
)
@click.argument("device_type", type=int, default=49)
@click.argument("device_port", default="simulated")
@click.option("-p", "--port", type=click.IntRange(0, 65_535), default=_DAEMON_PORT, show_default=True, help="Its port.")
@click.option("-l", "--log", type=click.Path(path_type=Path), help="File for samples, as the daemon's own -l.")
@click.option("-c", "--channel", help="As the daemon's own -c: the first channel and how many, such as 1,2.")
@click.option("-b", "--board", help="Taken and ignored.")
@click.option("-y", "-n", "-g", "-U", "interface", is_flag=True, help="Taken and ignored.")
@click.option("--version", default="1.10.0", show_default=True, help="Version of the daemon to stand for.")
@click.option("--debug", is_flag=True, help="Show the traceback of an error.")
@simulation_options
def simulate(device_type: int, port: int, log: Path | None, version: str, channel: str | None, **given: Any) -> None:
    """Be a PTDaemon without an analyzer: speak its protocol and measure nothing.

    It takes the daemon's own options, so that the official server can start it (as a script that calls this command).
    Every identification and log of it says SIMULATED.
    """
    from assay.power.simulator import Simulator
    from assay.power.wire import Address
    from assay.rules.power import load_power

    names = {number: name for name, number in reversed(list(load_power("v4.0").daemon.analyzers.items()))}
    if device_type not in names:
        expected = ", ".join(f"{number} {name}" for number, name in sorted(names.items()))
        raise UsageError("no analyzer of MLPerf has this number", expected=expected, found=str(device_type))
    simulator = Simulator(
        simulation_of(given, channel).analyzer(), click.echo, model=names[device_type], version=version, log=log
    )
    simulator.listen(Address("127.0.0.1", port))
    simulator.serve()


def host_options(function: Any) -> Any:
    """Options that say where the daemon comes from."""
    for option in (
        click.option("--simulate", "simulated", is_flag=True, help="No daemon: a simulation, and labelled so."),
        click.option("--ptd-port", type=click.IntRange(1, 65_535), default=_DAEMON_PORT, help="The daemon's port."),
        click.option("--device", help="Where the analyzer is: serial port, address or serial number."),
        click.option("--channel", help="Of an analyzer that has several: the first and how many, such as 1,2."),
        click.option("--interface", default="", help="Option of its interface: -n, -g, -y or -U; none for serial."),
        click.option("--device-type", type=int, help="Number of its kind: 49 is a Yokogawa WT310."),
        click.option("--ptd", metavar="PROGRAM", help="SPEC PTDaemon."),
        click.option(
            "--analyzer-config",
            "configuration",
            type=click.Path(path_type=Path),
            metavar="SERVER.CONF",
            help="In place of these: a server.conf of mlcommons/power-dev, which may have several analyzers.",
        ),
    ):
        function = option(function)
    return function


def hosts_of(given: dict[str, Any]) -> tuple[Host, ...]:
    """What starts the daemon of each analyzer, from the options.

    Raises:
        UsageError: when they do not say enough.
    """
    from assay.power.host import SimulatedHost

    if given["simulated"]:
        if any(given[name] for name in ("ptd", "device_type", "device", "configuration")):
            raise UsageError("--simulate needs no daemon", hint="leave --ptd, --device and --analyzer-config away")
        simulation = simulation_of(given, given["channel"])
        return (SimulatedHost(simulation.analyzer),) * simulation.analyzers
    return processes_of(given)


def processes_of(given: dict[str, Any]) -> tuple[DaemonProcess, ...]:
    """The real daemons from the options, or from the file that describes them.

    Raises:
        UsageError: when they do not say enough.
    """
    from assay.power.configuration import read_configuration

    if given["configuration"] is None:
        return (process_of(given),)
    if any(given[name] for name in ("ptd", "device_type", "device", "interface", "channel")):
        raise UsageError("--analyzer-config says all of the analyzers", hint="leave --ptd, --device and the like away")
    return read_configuration(given["configuration"]).daemons


def process_of(given: dict[str, Any]) -> DaemonProcess:
    """The real daemon from the options.

    Raises:
        UsageError: when they do not say enough.
    """
    from assay.power.host import DaemonProcess

    wanted = {name: given[name] for name in ("ptd", "device_type", "device")}
    missing = [f"--{name.replace('_', '-')}" for name, value in wanted.items() if not value]
    if missing:
        raise UsageError(f"{missing[0]} is needed to start the daemon", hint="or --simulate, which measures nothing")
    return DaemonProcess(
        given["ptd"],
        given["device_type"],
        given["device"],
        given["interface"],
        given["ptd_port"],
        channels_of(given["channel"]),
    )


def channels_of(text: str | None) -> tuple[int, ...]:
    """Numbers of channels, such as ``1,2``; none for no text.

    Raises:
        UsageError: for anything else.
    """
    words = text.split(",") if text else []
    if len(words) > 2 or not all(word.isascii() and word.isdigit() and 0 < int(word) <= 16 for word in words):
        raise UsageError("no channels", expected="the first and how many, such as 1,2", found=repr(text))
    return tuple(int(word) for word in words)


@power.command(
    epilog="Examples:\n\n\b\n"
    "  assay power director --ptd ./ptd-linux --device-type 49 --interface=-y --device 91K225451 --ntp pool.ntp.org\n"
    "  assay power director --analyzer-config server.conf --listen 0.0.0.0:4950 --ntp pool.ntp.org\n"
    "  assay power director --simulate --analyzers 2 --listen 0.0.0.0:4950"
)
@host_options
@click.option("--listen", default=f"127.0.0.1:{_PORT}", show_default=True, help="HOST:PORT; 0.0.0.0 for a network.")
@click.option("--ntp", metavar="HOST", help="Compare our clock with this time server before each session.")
@click.option("--once", is_flag=True, help="End after one client.")
@simulation_options
@output_options
def director(listen: str, ntp: str | None, once: bool, out: Output, **given: Any) -> None:
    """Be the machine that has the analyzer, or several: start PTDaemon, and measure when a client says so.

    Serves assay power measure and the official client alike, one at a time. Whoever reaches the port may use it: keep it
    inside the laboratory.
    """
    from assay.power.director import Director
    from assay.power.wire import Address

    host, *more = hosts_of(given)
    server = Director(host, ntp, show=out.remark, more=tuple(more))
    place = server.listen(Address.parse(listen, port=_PORT))
    out.remark(f"the director listens at {place}")
    server.serve(clients=1 if once else None)


@power.command(
    context_settings=_COMMAND_LAST,
    epilog="Examples:\n\n\b\n"
    "  assay power measure --director 10.0.0.2 -o power-run assay run mobilenet-v2\n"
    "  assay power measure --simulate -o power-run assay run mobilenet-v2\n"
    "  assay power measure --director 10.0.0.2 -o power-run --logs build/logs ./run-loadgen.sh\n"
    "  assay power measure --official ~/power-dev --ntp pool.ntp.org --director 10.0.0.2 -o power-run ./run-loadgen.sh",
)
@click.argument("command", nargs=-1, required=True, type=click.UNPROCESSED)
@click.option(
    "--director", "director_at", metavar="HOST[:PORT]", help="Where assay power director, or the official server, is."
)
@host_options
@click.option("-o", "--output", type=click.Path(path_type=Path), required=True, help="The folder to make.")
@click.option(
    "--logs", type=click.Path(path_type=Path), help="Where the command writes LoadGen's logs. [default: runs of assay]"
)
@click.option("--label", default="", help="Part of the session's name: letters, digits, - and _.")
@click.option("--ntp", metavar="HOST", help="Compare our clock with this time server.")
@click.option(
    "--official",
    type=click.Path(path_type=Path),
    metavar="CLONE",
    help="Let client and server of mlcommons/power-dev measure, from a clone of it: what a submission needs.",
)
@click.option("--settle", type=click.FloatRange(0), hidden=True, help="Seconds; less than 10 is noted as debugging.")
@simulation_options
@output_options
def measure(command: tuple[str, ...], output: Path, logs: Path | None, out: Output, **given: Any) -> int:
    """Run a command twice while a director measures: first to find the analyzer's ranges, then with them set.

    What stands behind COMMAND is its own. Leaves the folders power/, ranging/ and run_1/ of a submission's performance/. Exit code: 0
    measured, 1 measured and something speaks against it.
    """
    from assay.power.analysis import analyse
    from assay.power.client import Measuring
    from assay.power.client import measure as measure_work
    from assay.power.command import Command
    from assay.power.official import OfficialTools

    logs = logs or load_settings().runs_dir
    official = given["official"]
    with _official_server(given) if official else _director(given) as place:
        how = Measuring(place, output, given["label"], given["ntp"], show=out.remark)
        if official:
            folder = OfficialTools.of(official, given["ntp"]).measure(command, logs, how)
        else:
            folder = measure_work(Command.of(command, logs), how).folder
    return _tell(out, folder, analyse(folder))


@contextlib.contextmanager
def _official_server(given: dict[str, Any]) -> Iterator[Address]:
    """The director that is named, or the official server on this machine."""
    from assay.power.official import OfficialTools, simulation_programs
    from assay.power.wire import Address

    if given["director_at"]:
        yield Address.parse(given["director_at"], port=_PORT)
        return
    tools = OfficialTools.of(given["official"], given["ntp"])
    simulated = simulation_programs(simulation_of(given)) if given["simulated"] else None
    with simulated or contextlib.nullcontext(processes_of(given)) as daemons, tools.serving(*daemons) as place:
        yield place


@contextlib.contextmanager
def _director(given: dict[str, Any]) -> Iterator[Address]:
    """The director that is named, or one of our own in this process."""
    from assay.power.director import Director, directing
    from assay.power.session import SETTLE_S
    from assay.power.wire import Address

    if given["director_at"]:
        if given["simulated"] or given["ptd"] or given["configuration"]:
            raise UsageError("--director and a daemon here: one of them", hint="leave --simulate or --ptd away")
        yield Address.parse(given["director_at"], port=_PORT)
        return
    settle = SETTLE_S if given["settle"] is None else given["settle"]
    host, *more = hosts_of(given)
    with directing(Director(host, given["ntp"], settle, more=tuple(more))) as place:
        yield place


@power.command(epilog="Examples:\n\n\b\n  assay power show last\n  assay power show power-run --json --points")
@click.argument("name", metavar="FOLDER_OR_RUN")
@click.option("--points", is_flag=True, help="With --json: power over time, too.")
@output_options
def show(name: str, points: bool, out: Output) -> int:
    """What a director's measurement says: watts while LoadGen measured, energy of a sample, and what speaks against it.

    A folder has power/, ranging/ and run_1/ in it; a run is named as for assay runs show. Exit code: 0 nothing speaks
    against it, 1 something does.
    """
    from assay.power.analysis import analyse

    folder = _measurement(name)
    return _tell(out, folder, analyse(folder), points=points)


@power.command(
    context_settings=_COMMAND_LAST,
    epilog="Examples:\n\n\b\n  assay power record --meter rapl -o spl.txt assay run mobilenet-v2\n"
    "  assay power record --meter replay:yesterday.txt -o spl.txt --every 0.5 ./run-loadgen.sh",
)
@click.argument("command", nargs=-1, required=True, type=click.UNPROCESSED)
@click.option(
    "--meter", "meter_name", metavar="rapl|nvml|replay:FILE|PLUGIN", required=True, help="What tells the power."
)
@click.option("-o", "--output", type=click.Path(path_type=Path), required=True, help="The file for samples.")
@click.option(
    "--logs", type=click.Path(path_type=Path), help="Where the command writes LoadGen's logs. [default: runs of assay]"
)
@click.option(
    "--every", type=click.FloatRange(0.01, 60), default=1.0, show_default=True, help="Seconds between samples."
)
@output_options
def record(
    command: tuple[str, ...], meter_name: str, output: Path, logs: Path | None, every: float, out: Output
) -> int:
    """Record power without an analyzer while a command runs: for comparison on one machine, never a result of MLPerf.

    RAPL counts the energy of processors, NVML that of NVIDIA's graphics cards; neither knows the rest of the machine.
    """
    from assay.loadgen.record import Label
    from assay.power.analysis import reckon
    from assay.power.client import find_logs
    from assay.power.command import Command
    from assay.power.meters import Recorder
    from assay.power.phase import Phase
    from assay.power.registry import open_meter
    from assay.power.samples import read_samples

    begin = time.time()
    with Recorder(open_meter(meter_name), output, every).recording():
        place = Command.of(command, logs or load_settings().runs_dir)(Phase.TESTING)
    _, window = find_logs(place, begin, time.time())
    return _tell(out, output, reckon(read_samples(output), window, (Label.UNOFFICIAL_POWER,)))


def _measurement(name: str) -> Path:
    """The folder of a measurement: that folder itself, or that of a run.

    Raises:
        NotFoundError: when there is no such folder or run, or no director measured the run.
    """
    from assay.loadgen.runs import RunCatalogue

    if Path(name).is_dir():
        return Path(name)
    run = RunCatalogue(load_settings().runs_dir).find(name)
    folder = run.path / "performance"
    if not (folder / "power").is_dir():
        raise NotFoundError(
            "no director measured the power of this run", where=run.id, hint=f"assay runs show {run.id}"
        )
    return folder


def _tell(out: Output, place: Path, figures: PowerFigures, *, points: bool = False) -> int:
    if out.as_json:
        more = {"points": [list(point) for point in figures.points]} if points else {}
        out.json({"place": str(place), **figures.to_dict(), **more})
        return int(bool(figures.problems))
    pairs: list[tuple[str, object]] = [
        ("power", f"{figures.watts:.2f} W, {figures.readings} samples in {figures.seconds:.1f} s"),
        ("energy", f"{figures.joules:.1f} J"),
    ]
    if figures.joules_per_sample is not None:
        pairs.append(("of a sample", f"{figures.joules_per_sample:.4g} J, {figures.samples_per_joule:.4g} samples/J"))
    pairs += [("label", f"{label}: {label.meaning}") for label in figures.labels]
    pairs += [("against it", problem) for problem in figures.problems]
    out.fields([("in", place), *pairs])
    return int(bool(figures.problems))
