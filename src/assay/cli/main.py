"""The verbs, where each lives, and how errors become exit codes.

A verb's module is imported when the verb is used, so that ``assay --help`` stays quick.
"""

from __future__ import annotations

import importlib
import json
import sys
from collections.abc import Sequence
from dataclasses import dataclass

import click

from assay import __version__
from assay.base.settings import debug_wanted
from assay.errors import AssayError, nearest

EXIT_INTERRUPTED = 130


@dataclass(frozen=True, slots=True)
class Verb:
    """A command: its name, the heading it stands under, where it lives, one line of help."""

    name: str
    group: str
    target: str
    help: str


START, RUN, SUBMIT, RESULTS, REPOSITORIES, MATERIAL, KNOW = (
    "Start here",
    "Run benchmarks",
    "Submit",
    "Results",
    "Repositories",
    "Models, data and machine",
    "Rounds and rules",
)

VERBS: tuple[Verb, ...] = (
    Verb("demo", START, "assay.cli.demo:demo", "Run a real model on real images in every edge scenario."),
    Verb("doctor", START, "assay.cli.doctor:doctor", "Tell everything that is missing, and how to get it."),
    Verb("run", RUN, "assay.cli.run:run", "Run a benchmark with LoadGen and judge the result."),
    Verb("find-rate", RUN, "assay.cli.find_rate:find_rate", "Find the highest rate that Server holds its bound at."),
    Verb("tune", RUN, "assay.cli.tune:tune", "Find the setting in which a model is fastest here."),
    Verb("quantize", RUN, "assay.cli.quantize:quantize", "Make a smaller form of a model, accuracy before and after."),
    Verb("perplexity", RUN, "assay.cli.perplexity:perplexity", "How well a language model foresees a text."),
    Verb("implementations", RUN, "assay.cli.implementations:implementations", "Programs of others that can do a run."),
    Verb("collect", RUN, "assay.cli.collect:collect", "Adopt finished LoadGen logs as a run."),
    Verb("runs", RUN, "assay.cli.runs:runs", "List, show and compare finished runs."),
    Verb("power", RUN, "assay.cli.power:power", "Measure power: analyzer, director, simulation, figures."),
    Verb(
        "campaign",
        SUBMIT,
        "assay.cli.campaign:campaign",
        "Everything that a submission needs, step by step, resumable.",
    ),
    Verb("submission", SUBMIT, "assay.cli.submission:submission", "Build a submission tree of your runs."),
    Verb("compliance", SUBMIT, "assay.cli.compliance:compliance", "Run and verify the compliance tests of a round."),
    Verb("check", SUBMIT, "assay.cli.check:check", "Check a submission tree as the official tool does, and strictly."),
    Verb("truncate", SUBMIT, "assay.cli.truncate:truncate", "Cut accuracy logs to what a submission may hold."),
    Verb(
        "preprocess",
        SUBMIT,
        "assay.cli.preprocess:preprocess",
        "Fill in results that follow from others; can be taken back.",
    ),
    Verb("push", SUBMIT, "assay.cli.push:push", "Send runs or a submission tree to a server."),
    Verb("explain", SUBMIT, "assay.cli.explain:explain", "What a finding of a check means, and what to do."),
    Verb("results", RESULTS, "assay.cli.results:results", "Published results and your own: ask, compare, import."),
    Verb("metrics", RESULTS, "assay.cli.metrics:metrics", "Derived metrics: list, explain, add, test."),
    Verb("index", RESULTS, "assay.cli.index:index", "The index that questions are answered from."),
    Verb("accounts", RESULTS, "assay.cli.accounts:accounts", "Accounts of a server: roles, tokens, invitations."),
    Verb("site", RESULTS, "assay.cli.site:site", "The public pages of the playground as files."),
    Verb("serve", RESULTS, "assay.cli.serve:serve", "The playground in the browser: explore, compare, take part."),
    Verb("repo", REPOSITORIES, "assay.cli.repo:repo", "Repositories: list, add, pull, init, remove, verify."),
    Verb("find", REPOSITORIES, "assay.cli.artifacts:find", "Find artifacts by kind, name, tags and fields."),
    Verb("show", REPOSITORIES, "assay.cli.artifacts:show", "Show an artifact with what it inherits."),
    Verb("add", REPOSITORIES, "assay.cli.artifacts:add", "Add an artifact to a repository."),
    Verb("update", REPOSITORIES, "assay.cli.artifacts:update", "Change fields and tags of an artifact."),
    Verb("copy", REPOSITORIES, "assay.cli.artifacts:copy", "Copy an artifact with its files."),
    Verb("move", REPOSITORIES, "assay.cli.artifacts:move", "Rename an artifact, or move it to another repository."),
    Verb("remove", REPOSITORIES, "assay.cli.artifacts:remove", "Delete artifacts with their files."),
    Verb(
        "assets",
        MATERIAL,
        "assay.cli.assets:assets",
        "Models and datasets: list, fetch, add, verify, remove.",
    ),
    Verb(
        "backends",
        MATERIAL,
        "assay.cli.backends:backends",
        "Inference engines and what this machine supports.",
    ),
    Verb("system", MATERIAL, "assay.cli.system:system", "Describe this machine in the official fields."),
    Verb(
        "benchmarks",
        KNOW,
        "assay.cli.benchmarks:benchmarks",
        "Benchmarks of a round: targets, limits, scenarios.",
    ),
    Verb("rounds", KNOW, "assay.cli.rounds:rounds", "Rounds that assay knows, and their rules."),
    Verb("cm-command", KNOW, "assay.cli.cm_command:cm_command", "What a command of CM is in assay."),
    Verb("completion", KNOW, "assay.cli.completion:completion", "Print the shell completion script."),
)


class LazyGroup(click.Group):
    """The top-level group: knows its verbs from a table and imports one when it is used."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Names of all verbs, in the table's order."""
        del ctx
        return [verb.name for verb in VERBS]

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import the module of a verb."""
        del ctx
        for verb in VERBS:
            if verb.name == cmd_name:
                module, _, attribute = verb.target.partition(":")
                command = getattr(importlib.import_module(module), attribute)
                assert isinstance(command, click.Command)
                return command
        return None

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Find the verb, or say which ones are close to what was typed."""
        if self.get_command(ctx, args[0]) is None and not args[0].startswith("-"):
            close = nearest(args[0], self.list_commands(ctx))
            suggestion = f" Did you mean {' or '.join(close)}?" if close else " See assay --help."
            raise click.UsageError(f"No such command {args[0]!r}.{suggestion}", ctx)
        return super().resolve_command(ctx, args)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the verbs under their headings."""
        del ctx
        for group in dict.fromkeys(verb.group for verb in VERBS):
            with formatter.section(group):
                formatter.write_dl([(verb.name, verb.help) for verb in VERBS if verb.group == group])


@click.group(
    cls=LazyGroup,
    context_settings={
        "help_option_names": ["-h", "--help"],
        "auto_envvar_prefix": "ASSAY",
        "max_content_width": 100,
    },
    epilog="Examples:\n\n\b\n  assay demo\n  assay run mobilenet-v2 --scenario Offline --mode accuracy\n"
    "  assay check ./submission --round v3.0\n  assay benchmarks show bert-99\n  assay doctor",
)
@click.version_option(__version__, "-V", "--version", message="%(prog)s %(version)s")
def assay() -> None:
    """Reproduce, check and improve MLPerf Inference results.

    Load is always generated by the real LoadGen, and every figure says what it was taken with.
    """


def run(arguments: Sequence[str]) -> int:  # noqa: PLR0911 - one return for each way a command can end
    """Run a command line and return its exit code; the only place where errors become exit codes."""
    debug = debug_wanted() or "--debug" in arguments
    try:
        outcome = assay.main(args=list(arguments), prog_name="assay", standalone_mode=False)
    except click.exceptions.Exit as leaving:
        return leaving.exit_code
    except click.Abort:
        return _interrupted()
    except click.ClickException as error:
        error.show()
        return error.exit_code
    except KeyboardInterrupt:
        return _interrupted()
    except AssayError as error:
        if debug:
            raise
        _tell(error, as_json="--json" in arguments)
        return error.exit_code
    except BrokenPipeError:
        # The reader went away (assay runs list | head); keep Python from complaining at exit.
        sys.stderr.close()
        return 0
    except Exception as error:
        if debug:
            raise
        _tell_unexpected(error)
        return 5
    return outcome if isinstance(outcome, int) else 0


def _interrupted() -> int:
    sys.stderr.write("\ninterrupted; what was finished is kept\n")
    return EXIT_INTERRUPTED


def _tell(error: AssayError, *, as_json: bool) -> None:
    if as_json:
        sys.stdout.write(json.dumps(error.to_dict(), indent=2, sort_keys=True) + "\n")
        return
    sys.stderr.write(f"error: {error}\n")
    if error.hint:
        sys.stderr.write(f"  try: {error.hint}\n")


def _tell_unexpected(error: Exception) -> None:
    sys.stderr.write(f"error: assay itself failed: {type(error).__name__}: {error}\n")
    sys.stderr.write("  try: the same command with --debug, and report what it prints\n")
