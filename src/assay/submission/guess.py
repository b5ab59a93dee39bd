"""Which round a tree is of, told by the seeds in its logs: every round has its own."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from assay.base.files import open_regular
from assay.loadgen.names import DETAIL
from assay.rules.load import load_round, round_names
from assay.submission.tree import require_tree

_LOOKED_AT = 24
_HEAD = 64 << 10


def guess_round(root: Path) -> str | None:
    """Name of the round whose seeds most of the first performance logs have; None when no round's are found.

    Raises:
        NotFoundError: when the tree is not there; a round that is taken for it would be said for nothing.
        InvalidInputError: when it is no folder.
    """
    require_tree(root)
    seeds = {str(load_round(name).seeds.qsl).encode(): name for name in round_names()}
    found: Counter[str] = Counter()
    for number, path in enumerate(_logs(root)):
        if number >= _LOOKED_AT:
            break
        try:
            with open_regular(path) as file:
                head = file.read(_HEAD)
        except OSError:
            continue
        found.update(name for seed, name in seeds.items() if b'"effective_qsl_rng_seed", "value": ' + seed in head)
    return found.most_common(1)[0][0] if found else None


def _logs(root: Path) -> Iterator[Path]:
    for division in ("closed", "open", "network"):
        yield from root.glob(f"{division}/*/results/*/*/*/performance/run_1/{DETAIL}")
