"""The console entry point: answers ``--version`` at once, hands everything else to :mod:`assay.cli.main`."""

from __future__ import annotations

import sys


def main() -> int:
    """Run the command line; returns the exit code."""
    if sys.argv[1:] in (["--version"], ["-V"]):
        from assay import __version__

        sys.stdout.write(f"assay {__version__}\n")
        return 0
    from assay.cli.main import run

    return run(sys.argv[1:])
