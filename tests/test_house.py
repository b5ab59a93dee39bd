"""Rules of the house that no single module can be asked about."""

from __future__ import annotations

import ast
import functools
import importlib
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import click
import pytest

import assay
from assay.cli.main import VERBS
from assay.cli.main import assay as command_line

ROOT = Path(__file__).parents[1]
SOURCE = ROOT / "src" / "assay"
TESTS = ROOT / "tests"
MODULES = sorted(SOURCE.rglob("*.py"))
ENGINES = ("onnxruntime", "openvino", "torch", "mlperf_loadgen")

# Modules of more than 50 lines whose tests have another name, and which.
TESTED_ELSEWHERE: dict[str, str] = {
    "backends/protocol.py": "protocols without code; every engine's tests hold them",
    "tasks/protocol.py": "protocols without code; every task's tests hold them",
}
# Where everything has to be caught, and why.
DOORS = {
    "base/plugins.py": "a stranger's module is imported",
    "cli/main.py": "nobody above could tell the user",
    "harness/worker.py": "the border of a process: what happens in it becomes an outcome",
    "harness/sut.py": "nothing may pass into LoadGen's C++ thread",
    "backends/onnxruntime.py": "the library's own exceptions share no base",
    "backends/registry.py": "a stranger's engine is asked what it can do",
    "power/registry.py": "a stranger's meter is opened and read",
    "models/tokenizer.py": "the library raises nothing more special than Exception",
}
MAY_EXIT = {
    "__main__.py": "it is the program",
    "cm/index.py": "a child process that only looks whether files have changed",
    "harness/control.py": "a child process that has to end while LoadGen's thread hangs",
}
PICKLE_READERS = {"pickle", "marshal", "shelve", "dill", "joblib", "cloudpickle"}


def name_of(module: Path) -> str:
    return module.relative_to(SOURCE).as_posix()


@functools.cache
def tree_of(module: Path) -> ast.Module:
    return ast.parse(module.read_text(encoding="utf-8"))


# ---- the public surface


def test_the_public_names_are_a_sorted_list_and_all_there() -> None:
    names = assay.__all__
    assert list(names) == sorted(set(names))
    for name in names:
        value = getattr(assay, name)
        assert isinstance(value, str) or value.__doc__, f"{name} has no docstring"


def test_nothing_public_is_outside_the_list() -> None:
    submodules = {path.stem for path in SOURCE.iterdir()}
    found = {name for name in vars(assay) if not name.startswith("_")} - submodules - {"annotations", "TYPE_CHECKING"}
    assert found <= set(assay.__all__)


def test_every_room_says_what_it_is_for() -> None:
    wrong = []
    for package in sorted(SOURCE.glob("*/__init__.py")):
        docstring = ast.get_docstring(tree_of(package)) or ""
        first = docstring.partition("\n\n")[0]
        if len(docstring) < 30 or not first.rstrip().endswith((".", ";")):
            wrong.append(f"{name_of(package)}: the docstring does not begin with a sentence: {first!r}")
    assert not wrong, "\n".join(wrong)


# ---- floors and placement


# make lint asks the same.
@pytest.mark.slow
def test_the_floors_hold() -> None:
    linter = Path(sys.executable).parent / "lint-imports"
    done = subprocess.run([str(linter), "--no-cache"], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-1000:]


def test_every_module_of_some_weight_has_a_test_of_its_name() -> None:
    without = []
    for module in MODULES:
        name, lines = name_of(module), module.read_text(encoding="utf-8").count("\n")
        light = lines <= 50 or module.name in ("__init__.py", "__main__.py")
        if not (light or name in TESTED_ELSEWHERE or any(path.is_file() for path in places_of_tests(name))):
            without.append(f"{name} ({lines} lines): no {places_of_tests(name)[0].relative_to(ROOT)}")
    assert not without, "\n".join(without)


def places_of_tests(name: str) -> list[Path]:
    """Where a module's tests may be: the mirrored folder; for a package inside a room also the room's."""
    module = Path(name)
    places = [TESTS / module.parent / f"test_{module.stem}.py"]
    if len(module.parts) > 2:
        room, package = module.parts[0], module.parts[1]
        places += [TESTS / room / f"test_{stem}.py" for stem in (module.stem, f"{package}_{module.stem}")]
    return places


def test_exceptions_to_that_rule_are_still_needed() -> None:
    for name in TESTED_ELSEWHERE:
        assert (SOURCE / name).is_file(), name


# ---- what code may not do


PRINTS = ("print",)
WAYS_OUT = ("sys.exit", "os._exit", "exit", "quit", "SystemExit")
ENVIRONMENT = ("os.environ", "os.getenv", "os.environb", "os.putenv", "environ", "getenv")
RUNNING = ("eval", "exec", "compile", "yaml.load", "yaml.unsafe_load", "yaml.full_load", "os.system")
LAST_NAMES = {each.rpartition(".")[2] for each in (*PRINTS, *WAYS_OUT, *ENVIRONMENT, *RUNNING)}
KINDS = (ast.Global, ast.Import, ast.ImportFrom, ast.ExceptHandler, ast.Raise, ast.Call)


def last_name(node: ast.AST) -> str | None:
    return node.attr if isinstance(node, ast.Attribute) else node.id if isinstance(node, ast.Name) else None


@functools.cache
def nodes() -> tuple[tuple[str, ast.AST, str], ...]:
    """What these rules ask about, of every module, from one walk: the module's name, the node, and its place."""
    found = []
    for module in MODULES:
        name = name_of(module)
        for node in ast.walk(tree_of(module)):
            wanted = last_name(node.func) in LAST_NAMES if isinstance(node, ast.Call) else isinstance(node, KINDS)
            if wanted or last_name(node) in LAST_NAMES:
                found.append((name, node, f"{name}:{getattr(node, 'lineno', 0)}"))
    return tuple(found)


def uses(wanted: tuple[str, ...]) -> Iterator[tuple[str, str]]:
    """Module and place of each use of these dotted names."""
    for name, node, place in nodes():
        if last_name(node) is not None and ast.unparse(node) in wanted:
            yield name, f"{place} {ast.unparse(node)}"


def test_only_the_command_line_prints_and_exits() -> None:
    prints = [place for name, place in uses(PRINTS) if name != "cli/render.py"]
    assert not prints, "\n".join(prints)
    exits = [place for name, place in uses(WAYS_OUT) if not name.startswith("cli/") and name not in MAY_EXIT]
    assert not exits, "\n".join(exits)


def test_only_the_settings_read_the_environment() -> None:
    reads = uses(ENVIRONMENT)
    found = [place for name, place in reads if name not in ("base/settings.py", "base/environment.py")]
    assert not found, "\n".join(found)


def test_no_globals_and_nothing_that_runs_strangers_text() -> None:
    assert [place for _, node, place in nodes() if isinstance(node, ast.Global)] == []
    called = [
        f"{place} {ast.unparse(node.func)}"
        for _, node, place in nodes()
        if isinstance(node, ast.Call) and ast.unparse(node.func) in RUNNING
    ]
    assert not called, "\n".join(called)


def test_nothing_is_unpickled() -> None:
    found = []
    for _, node, place in nodes():
        names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
        names += [node.module or ""] if isinstance(node, ast.ImportFrom) else []
        found += [place for name in names if name.partition(".")[0] in PICKLE_READERS]
    assert not found, "\n".join(found)


def test_broad_excepts_are_at_the_doors_only() -> None:
    broad = [
        place
        for name, node, place in nodes()
        if isinstance(node, ast.ExceptHandler)
        and (node.type is None or ast.unparse(node.type) in ("Exception", "BaseException"))
        and name not in DOORS
        # Cleaning up and raising on is no catching.
        and not (isinstance(node.body[-1], ast.Raise) and node.body[-1].exc is None)
    ]
    assert not broad, "\n".join(broad)


def test_an_error_of_ours_is_raised_more_often_than_any_other() -> None:
    raised = [
        ast.unparse(node.exc.func)
        for _, node, _ in nodes()
        if isinstance(node, ast.Raise)
        and isinstance(node.exc, ast.Call)
        # A file that cannot be opened, told as the system tells it, for whoever opens files.
        and not re.match(r"OSError\(errno\.E[A-Z]+, ", ast.unparse(node.exc))
    ]
    foreign = [name for name in raised if name in ("Exception", "RuntimeError", "BaseException", "OSError")]
    assert foreign == []


# ---- the command line


def commands(group: click.Command, path: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], click.Command]]:
    yield path, group
    if isinstance(group, click.Group):
        context = click.Context(group, info_name=" ".join(path))
        for name in group.list_commands(context):
            child = group.get_command(context, name)
            assert child is not None, f"{' '.join((*path, name))} is listed and not there"
            yield from commands(child, (*path, name))


@pytest.mark.parametrize("verb", VERBS, ids=lambda verb: verb.name)
def test_every_verb_can_be_imported(verb: object) -> None:
    module, _, attribute = verb.target.partition(":")  # type: ignore[attr-defined]
    command = getattr(importlib.import_module(module), attribute)
    assert isinstance(command, click.Command)
    assert command.name == verb.name  # type: ignore[attr-defined]


@pytest.mark.parametrize("verb", VERBS, ids=lambda verb: verb.name)
def test_every_command_has_help_and_an_example(verb: object) -> None:
    module, _, attribute = verb.target.partition(":")  # type: ignore[attr-defined]
    top = getattr(importlib.import_module(module), attribute)
    for path, command in commands(top, (verb.name,)):  # type: ignore[attr-defined]
        words = " ".join(path)
        assert command.help, f"assay {words} has no help"
        epilog = command.epilog or ""
        assert epilog.startswith("Examples:"), f"assay {words} has no examples"
        assert re.search(rf"assay {words}\b", epilog), f"no example of assay {words} in its own help"
        for parameter in command.params:
            if isinstance(parameter, click.Option):
                assert parameter.help, f"assay {words} {parameter.opts[0]} has no help"


@pytest.mark.parametrize("verb", VERBS, ids=lambda verb: verb.name)
def test_every_example_parses(verb: object) -> None:
    """The words of an example are commands and options that exist."""
    module, _, attribute = verb.target.partition(":")  # type: ignore[attr-defined]
    top = getattr(importlib.import_module(module), attribute)
    known = dict(commands(top, (verb.name,)))  # type: ignore[attr-defined]
    for command in known.values():
        for line in re.findall(r"^\s*(?:\S+=\S+ )?assay (.+)$", command.epilog or "", re.MULTILINE):
            words = re.split(r"\s+(?:\||>|&&|#)\s*", line)[0].split()
            path = max((path for path in known if tuple(words[: len(path)]) == path), key=len, default=None)
            if path is None:
                assert words[0] in {each.name for each in VERBS}, f"assay {line}: no such command"
                continue
            options = {
                name for parameter in known[path].params for name in (*parameter.opts, *parameter.secondary_opts)
            }
            used = {word.partition("=")[0] for word in words[len(path) :] if word.startswith("-") and len(word) > 1}
            assert used <= options | {"-h", "--help"}, f"assay {line}: unknown {used - options}"


def test_verbs_have_a_sentence_each_and_no_name_twice() -> None:
    names = [verb.name for verb in VERBS]
    assert len(names) == len(set(names))
    assert all(verb.help.endswith(".") and len(verb.help) < 80 for verb in VERBS)
    assert command_line.help


def imported_by(*arguments: str) -> set[str]:
    """Top-level names of all modules that a command line imports."""
    done = subprocess.run(
        [sys.executable, "-X", "importtime", "-m", "assay", *arguments],
        capture_output=True,
        text=True,
        check=True,
    )
    names = re.findall(r"^import time:.*\|\s*(\S+)$", done.stderr, re.MULTILINE)
    return {name.partition(".")[0] for name in names}


def test_the_version_is_told_without_importing_anything_heavy() -> None:
    found = imported_by("--version")
    assert "assay" in found
    assert not found & {"numpy", "click", "pydantic", "rich", "psutil", "onnx", *ENGINES}


def test_help_starts_fast() -> None:
    found = imported_by("--help")
    assert "click" in found
    assert not found & {
        "numpy",
        "pydantic",
        "duckdb",
        "onnx",
        "cv2",
        "PIL",
        "httpx2",
        "rich",
        "psutil",
        *ENGINES,
    }


# ---- what is kept in git


def tracked() -> list[Path]:
    try:
        done = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=True)
    except (OSError, subprocess.CalledProcessError):
        pytest.skip("not a git checkout")
    return [ROOT / name for name in done.stdout.split("\0") if name and (ROOT / name).is_file()]


def test_no_path_of_somebodys_machine_is_kept() -> None:
    private = re.compile(rb"/(?:home|Users)/[A-Za-z][\w.-]*/|/w[o]rk/|/root/\.|[A-Z]:\\Users\\")
    found = [
        f"{path.relative_to(ROOT)}: {match[0].decode()}"
        for path in tracked()
        if path != Path(__file__) and path.stat().st_size < 1 << 20
        for match in [private.search(path.read_bytes())]
        if match
    ]
    assert found == []


def test_no_large_or_binary_rubbish_is_kept() -> None:
    large = [str(path.relative_to(ROOT)) for path in tracked() if path.stat().st_size > 2 << 20]
    rubbish = [
        path.name for path in tracked() if path.suffix in (".pyc", ".log", ".onnx", ".part") or path.name == ".DS_Store"
    ]
    assert (large, rubbish) == ([], [])


def test_source_files_are_one_idea_long() -> None:
    """Files hold one idea: rarely more than 400 lines, never more than 600."""
    lengths = {name_of(module): module.read_text(encoding="utf-8").count("\n") for module in MODULES}
    assert {name: lines for name, lines in lengths.items() if lines > 600} == {}
    over = [name for name, lines in lengths.items() if lines > 400]
    assert len(over) <= len(lengths) // 20, over
