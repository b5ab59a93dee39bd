"""assay: reproduce, check and improve MLPerf Inference results.

The names below are the public interface; each is imported when it is first used::

    import assay

    records = assay.run(assay.RunRequest(name="mobilenet-v2", mode="accuracy"))
    print(records[0].figures.accuracy)
"""

from importlib import import_module as _import_module

# typing costs 4 ms to import, and type checkers take this name for the real one.
TYPE_CHECKING = False
if TYPE_CHECKING:
    from assay.campaign.execute import run
    from assay.campaign.request import RunRequest
    from assay.errors import AssayError
    from assay.loadgen.record import Label, RunRecord
    from assay.results.model import Result
    from assay.rules.load import load_round
    from assay.rules.model import Benchmark, Category, Division, Mode, Round, Scenario

__version__ = "0.1.0"

__all__ = [
    "AssayError",
    "Benchmark",
    "Category",
    "Division",
    "Label",
    "Mode",
    "Result",
    "Round",
    "RunRecord",
    "RunRequest",
    "Scenario",
    "__version__",
    "load_round",
    "run",
]

_HOMES = {
    "AssayError": "assay.errors",
    "Benchmark": "assay.rules.model",
    "Category": "assay.rules.model",
    "Division": "assay.rules.model",
    "Label": "assay.loadgen.record",
    "Mode": "assay.rules.model",
    "Result": "assay.results.model",
    "Round": "assay.rules.model",
    "RunRecord": "assay.loadgen.record",
    "RunRequest": "assay.campaign.request",
    "Scenario": "assay.rules.model",
    "load_round": "assay.rules.load",
    "run": "assay.campaign.execute",
}


def __getattr__(name: str) -> object:
    """Import a public name when it is first used, so that ``import assay`` costs nothing."""
    if name in _HOMES:
        return getattr(_import_module(_HOMES[name]), name)
    raise AttributeError(f"module 'assay' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted(__all__)
