"""The console entry point: answers ``--version`` and a plain ``find`` at once, hands all else to :mod:`assay.cli.main`."""

from __future__ import annotations

import sys


def main() -> int:
    """Run the command line; returns the exit code."""
    if sys.argv[1:] in (["--version"], ["-V"]):
        from assay import __version__

        sys.stdout.write(f"assay {__version__}\n")
        return 0
    if sys.argv[1:2] == ["find"]:
        from assay.cli.artifact_quick import answer

        lines = answer(sys.argv[2:])
        if lines is not None:
            return _printed(lines)
    from assay.cli.main import run

    return run(sys.argv[1:])


def _printed(lines: list[str]) -> int:
    try:
        sys.stdout.write("\n".join([*lines, ""]))
        sys.stdout.flush()
    except BrokenPipeError:
        # The reader went away (assay find experiment | head); keep Python from complaining at exit.
        sys.stderr.close()
    return 0
