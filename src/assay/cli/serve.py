"""``assay serve``: the playground in the browser."""

from __future__ import annotations

import contextlib
import threading
import webbrowser
from pathlib import Path

import click

from assay.base.settings import Settings, load_settings
from assay.cli.render import Output, output_options
from assay.errors import AssayError


@click.command(
    epilog="Examples:\n\n\b\n  assay serve\n  assay serve --port 9000 --open\n"
    "  assay serve --config server.yaml --public\n  assay serve --config server.yaml --check"
)
@click.option("--host", help="Address to listen on. Default: 127.0.0.1, this machine alone.")
@click.option("--port", type=click.IntRange(0, 65535), help="Port. Default: 8080, or the next free one; 0 is any.")
@click.option(
    "--config",
    "config_path",
    type=click.Path(dir_okay=False, path_type=Path),
    help="How a server is set up (YAML). Without it, the playground is yours alone and needs no account.",
)
@click.option("--public", is_flag=True, help="Strangers can reach it: refuse unsafe settings.")
@click.option("--check", "only_check", is_flag=True, help="Say whether the settings are fine, and stop.")
@click.option("--open", "open_browser", is_flag=True, help="Open it in the browser.")
@click.option("--log/--no-log", default=None, help="Write a line for each request. Default: with --config.")
@output_options
def serve(
    host: str | None,
    port: int | None,
    config_path: Path | None,
    public: bool,
    only_check: bool,
    open_browser: bool,
    log: bool | None,
    out: Output,
) -> None:
    """Explore, compare and challenge results in the browser.

    Every published round and your own results, with nothing to set up and nothing asked of the network. Ctrl-C ends it.
    """
    settings = load_settings()
    if not only_check:
        _start_index(settings)
    from assay.playground.serve import checked, configured, listening
    from assay.playground.serve import serve as run

    config = configured(config_path, host=host, port=port, public=public)
    checked(config, settings)
    if only_check:
        if out.as_json:
            out.json({"safe": True, "public": config.public, "host": config.host, "port": config.port})
        else:
            out.text("The settings are fine" + (" for strangers." if config.public else "."))
        return
    sock = listening(config, fixed=port is not None or config_path is not None)
    shown = "localhost" if config.host in ("127.0.0.1", "::1") else config.host
    address = config.base_url or f"http://{shown}:{sock.getsockname()[1]}"

    def ready() -> None:
        if out.as_json:
            out.json({"address": address})
        else:
            out.text(f"The playground is at {address}")
            out.remark("Ctrl-C ends it.")
        if open_browser:
            webbrowser.open(address)

    logged = log if log is not None else config_path is not None
    run(settings, config, sock, write_log=out.remark if logged else None, ready=ready)


def _start_index(settings: Settings) -> None:
    """Make the index while the server is still being imported, which takes as long; the server waits for it."""
    from assay.results.store import update

    def make() -> None:
        # What is wrong is told by the server, which does the same again.
        with contextlib.suppress(AssayError, OSError):
            update(settings)

    threading.Thread(target=make, name="assay-index-first", daemon=True).start()
