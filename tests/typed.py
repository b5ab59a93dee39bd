"""Commands as a user types them, in this process: a second less each, where the border of a process is not what is tested."""

from __future__ import annotations

import contextlib
import io
import subprocess

from assay.cli.main import run


def typed(*arguments: str) -> subprocess.CompletedProcess[str]:
    """Run a command of assay; what it printed, what it remarked, and how it ended."""
    out, err = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        code = run(arguments)
    return subprocess.CompletedProcess(["assay", *arguments], code, out.getvalue(), err.getvalue())
