"""``assay perplexity``: how well a language model foresees a text."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
from click.shell_completion import CompletionItem

from assay.base.settings import load_settings
from assay.cli.render import Output, output_options

if TYPE_CHECKING:
    from assay.campaign.perplexity import Measured

EXAMPLES = """Examples:

\b
  assay perplexity smollm2-135m-instruct
  assay perplexity my-model.gguf --text wiki.test.raw --tokens 20480
  assay perplexity my-model.gguf --window 1024 --threads 8
  assay perplexity smollm2-135m-instruct-fp32 --json
"""


def complete_gguf(ctx: click.Context, param: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """GGUF models of the catalogue that begin with what is typed, and files."""
    del ctx, param
    # Imported when the shell asks: a catalogue takes longer to read than a command line to parse.
    from assay.assets.catalogue import load_catalogue

    models = load_catalogue(load_settings()).models("language-model")
    names = [
        CompletionItem(asset.name, help=asset.title)
        for asset in models
        if asset.model and asset.model.format == "gguf" and asset.name.startswith(incomplete.casefold())
    ]
    return names or [CompletionItem(incomplete, type="file")]


@click.command(epilog=EXAMPLES)
@click.argument("model", metavar="MODEL", shell_complete=complete_gguf)
@click.option("--text", type=click.Path(path_type=Path), help="Text in UTF-8. [default: the 50 news texts of lee50]")
@click.option(
    "--tokens",
    type=click.IntRange(2, 1 << 24),
    default=2048,
    show_default=True,
    help="Tokens of the text that are read, at most.",
)
@click.option(
    "--window",
    type=click.IntRange(2, 1 << 20),
    default=512,
    show_default=True,
    help="Tokens that are read together; what does not fill a window is left out.",
)
@click.option("--threads", type=click.IntRange(0), default=0, help="Compute threads. [default: all cores]")
@output_options
def perplexity(out: Output, **options: Any) -> int:
    """Measure how well a GGUF language model foresees a text: e to its mean surprise at a token, 1 at the best.

    MODEL is a model of the catalogue, fetched when it is not here, or a file that ends in .gguf. It is run by
    llama.cpp (pip install "assay[llm]").

    Two figures can be compared when text, tokens, window and the models' vocabulary are the same: a quantised form of
    a model with the model, for example. ROUGE needs right answers; perplexity needs a text only.
    """
    from assay.campaign.perplexity import PerplexityRequest, measure_perplexity

    with out.progress() as progress:
        found = measure_perplexity(PerplexityRequest(**options), load_settings(), progress)
    _show(found, out)
    return 0


def _show(found: Measured, out: Output) -> None:
    if out.as_json:
        out.json(found.to_dict())
        return
    out.fields(
        [
            ("perplexity", f"{found.perplexity:.2f}"),
            ("tokens", f"{found.tokens:,} in windows of {found.window:,}"),
            ("model", f"{found.model.name} ({found.precision}), sha256 {found.model.sha256}"),
            ("text", f"{found.text.name}, sha256 {found.text.sha256}"),
            ("engine", f"{found.engine} {found.version}"),
            ("threads", found.threads),
            ("labels", ", ".join(found.labels)),
        ]
    )
