"""``assay cm-command``: a command of CM in the words of assay."""

from __future__ import annotations

import click

from assay.cli.render import Output, output_options

EXAMPLES = """Examples:

\b
  assay cm-command "cmr run-mlperf,inference,_submission,_all-scenarios"
  assay cm-command "cm pull repo mlcommons@cm4mlperf-results"
"""


@click.command("cm-command", epilog=EXAMPLES)
@click.argument("command")
@output_options
def cm_command(command: str, out: Output) -> int:
    """Say what COMMAND, a command of CM with its flags, in quotes, is in assay.

    Nothing is run. What is different stands below the commands.
    """
    from assay.campaign.cm_command import translate

    made = translate(command)
    if out.as_json:
        out.json({"commands": made.commands, "notes": made.notes})
        return 0
    for line in made.commands:
        out.text(line)
    for note in made.notes:
        out.remark(f"note: {note}")
    return 0
