"""``assay implementations``: programs of others that runs can be left to."""

from __future__ import annotations

from pathlib import Path

import click

from assay.base.settings import load_settings
from assay.cli.implementation_options import complete_implementation, container_option
from assay.cli.options import key_values
from assay.cli.render import Output, output_options

EXAMPLES = """Examples:

\b
  assay implementations list
  assay implementations show mlcommons-reference-resnet50
  assay implementations check ./my-harness/manifest.yaml
"""
LIST_EXAMPLES = """Examples:

\b
  assay implementations list
  assay implementations list --json
"""
SHOW_EXAMPLES = """Examples:

\b
  assay implementations show mlcommons-reference-bert
  assay implementations show ./manifest.yaml --json
"""
CHECK_EXAMPLES = """Examples:

\b
  assay implementations check mlcommons-reference-bert --implementation-dir ./inference
  assay implementations check ./manifest.yaml
"""
BUILD_EXAMPLES = """Examples:

\b
  assay implementations build ./my-harness/manifest.yaml
  assay implementations build mlcommons-reference-3d-unet --implementation-dir ./inference
"""
_DIR = click.option("--implementation-dir", type=click.Path(path_type=Path), help="Folder of the program.")
_WORDS = click.option(
    "--implementation-option", multiple=True, metavar="KEY=VALUE", help="Word that the manifest lets you choose."
)


@click.group(epilog=EXAMPLES)
def implementations() -> None:
    """Programs of others that can run a benchmark in place of assay's own harness: assay run --implementation NAME."""


@implementations.command("list", epilog=LIST_EXAMPLES)
@output_options
def list_(out: Output) -> int:
    """List every implementation that is known."""
    from assay.harness.external.catalogue import load_implementations

    known = load_implementations(load_settings()).values()
    if out.as_json:
        out.json(
            [
                {
                    "name": of.name,
                    "title": of.title,
                    "task": of.task,
                    "benchmarks": list(of.benchmarks),
                    "source": of.source,
                }
                for of in known
            ]
        )
        return 0
    rows = [[of.name, of.task, ", ".join(of.scenarios), of.title] for of in known]
    out.table(("name", "task", "scenarios", "what it is"), rows)
    return 0


@implementations.command(epilog=SHOW_EXAMPLES)
@click.argument("name", shell_complete=complete_implementation)
@output_options
def show(name: str, out: Output) -> int:
    """Show the command of an implementation, what it needs and what can be chosen."""
    from assay.harness.external.catalogue import find_implementation

    of = find_implementation(name, load_settings())
    facts: list[tuple[str, object]] = [
        ("name", of.name),
        ("what it is", of.title),
        ("source", of.source),
        ("runs", f"{', '.join(of.benchmarks) or 'every benchmark'} ({of.task})"),
        ("scenarios", ", ".join(of.scenarios)),
        ("started in", of.folder),
        ("command", " ".join(of.command)),
        *((f"with {mode.value}", " ".join(words)) for mode, words in of.modes.items() if words),
        *((f"with {scenario.value}", " ".join(words)) for scenario, words in of.scenario_arguments.items()),
        *((f"with {setting}", " ".join(words)) for setting, words in of.options.items()),
        *((f"option {word}", f"{each.help} [{each.default}]") for word, each in of.parameters.items()),
        *((f"environment {variable}", text) for variable, text in of.environment.items()),
        *(("build", " ".join(words)) for words in of.build),
        *(("needs", f"{path}: {what}") for path, what in (*of.needs.files.items(), *of.needs.programs.items())),
        ("container", " ".join((of.container.image, *of.container.options)) if of.container else "none"),
        ("manifest", of.path),
    ]
    if out.as_json:
        from assay.base.yamlfile import read_yaml

        out.json(read_yaml(of.path).value)
        return 0
    out.fields(facts)
    return 0


@implementations.command(epilog=CHECK_EXAMPLES)
@click.argument("name", shell_complete=complete_implementation)
@_DIR
@_WORDS
@container_option
@output_options
def check(
    name: str, implementation_dir: Path | None, implementation_option: tuple[str, ...], container: str, out: Output
) -> int:
    """Check a manifest, and that the files and programs it needs are there, or what runs its container."""
    from assay.harness.external.catalogue import find_implementation
    from assay.harness.external.command import choose
    from assay.harness.external.container import find_runtime
    from assay.harness.external.needs import require

    of = find_implementation(name, load_settings())
    chosen = choose(of, implementation_dir, key_values(implementation_option, "--implementation-option"))
    runtime = find_runtime(of, container)
    require(chosen, inside=runtime is not None)
    by = f", its container is run by {runtime.name}" if runtime else ""
    if out.as_json:
        out.json({"name": of.name, "folder": str(chosen.folder), "container_by": runtime.name if runtime else None})
        return 0
    out.text(f"{of.name}: all that it needs is there, in {chosen.folder}{by}")
    return 0


@implementations.command(epilog=BUILD_EXAMPLES)
@click.argument("name", shell_complete=complete_implementation)
@_DIR
@_WORDS
@container_option
@output_options
def build(
    name: str, implementation_dir: Path | None, implementation_option: tuple[str, ...], container: str, out: Output
) -> int:
    """Run the commands of a manifest that make the program ready, in its container where it has one."""
    from assay.harness.external.build import build_program
    from assay.harness.external.catalogue import find_implementation
    from assay.harness.external.command import choose
    from assay.harness.external.container import find_runtime

    settings = load_settings()
    of = find_implementation(name, settings)
    chosen = choose(of, implementation_dir, key_values(implementation_option, "--implementation-option"))
    runtime = find_runtime(of, container, offline=settings.offline)
    with out.progress() as progress:
        log = build_program(chosen, settings.home / "builds" / of.name, progress, runtime)
    out.text(f"{of.name}: built; what was printed is in {log}" if log else f"{of.name}: nothing to build")
    return 0
