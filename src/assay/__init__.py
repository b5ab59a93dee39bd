"""assay: reproduce, check and improve MLPerf Inference results.

The names below are the public interface; each is imported when it is first used::

    import assay

    records = assay.run(assay.RunRequest(name="mobilenet-v2", mode="accuracy"))
    print(records[0].figures.accuracy)

    settings = assay.load_settings()
    with assay.open_store(settings) as store:
        question = assay.Query('round == "v3.0" and watts < 100', columns=["system", "samples_per_joule"])
        frame = assay.run_query(store, question, assay.load_metrics(settings).schema()).pandas()
"""

from importlib import import_module as _import_module

# typing costs 4 ms to import, and type checkers take this name for the real one.
TYPE_CHECKING = False
if TYPE_CHECKING:
    from assay.base.settings import Settings, load_settings
    from assay.campaign.execute import run
    from assay.campaign.request import RunRequest
    from assay.errors import AssayError
    from assay.loadgen.record import Label, RunRecord
    from assay.results.metrics import load_metrics
    from assay.results.model import Result
    from assay.results.query import Query, Scope, run_query
    from assay.results.store import open_store
    from assay.rules.load import load_round
    from assay.rules.model import Benchmark, Category, Division, Mode, Round, Scenario
    from assay.submission.check import check

__version__ = "0.1.0"

__all__ = [
    "AssayError",
    "Benchmark",
    "Category",
    "Division",
    "Label",
    "Mode",
    "Query",
    "Result",
    "Round",
    "RunRecord",
    "RunRequest",
    "Scenario",
    "Scope",
    "Settings",
    "__version__",
    "check",
    "load_metrics",
    "load_round",
    "load_settings",
    "open_store",
    "run",
    "run_query",
]

_HOMES = {
    "AssayError": "assay.errors",
    "Benchmark": "assay.rules.model",
    "Category": "assay.rules.model",
    "Division": "assay.rules.model",
    "Label": "assay.loadgen.record",
    "Mode": "assay.rules.model",
    "Query": "assay.results.query",
    "Result": "assay.results.model",
    "Round": "assay.rules.model",
    "RunRecord": "assay.loadgen.record",
    "RunRequest": "assay.campaign.request",
    "Scenario": "assay.rules.model",
    "Scope": "assay.results.query",
    "Settings": "assay.base.settings",
    "check": "assay.submission.check",
    "load_metrics": "assay.results.metrics",
    "load_round": "assay.rules.load",
    "load_settings": "assay.base.settings",
    "open_store": "assay.results.store",
    "run": "assay.campaign.execute",
    "run_query": "assay.results.query",
}


def __getattr__(name: str) -> object:
    """Import a public name when it is first used, so that ``import assay`` costs nothing."""
    if name in _HOMES:
        return getattr(_import_module(_HOMES[name]), name)
    raise AttributeError(f"module 'assay' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted(__all__)
