"""What a search for a rate hangs on: which search it is, and what its attempts were measured on.

Both are kept beside the attempts. A search that is asked for again is known by what was asked, and goes on with the attempts
that were measured on what is here now: a newer assay may ask for other rates, and what was measured stays measured.
"""

from __future__ import annotations

import json
import platform
from collections.abc import Iterator, Mapping
from dataclasses import MISSING, dataclass, fields, is_dataclass
from enum import Enum
from pathlib import Path

from assay import __version__
from assay.assets.catalogue import load_catalogue
from assay.assets.manifest import Asset
from assay.assets.store import AssetStore, State, quick_identity
from assay.base.files import sha256_bytes, sha256_file
from assay.base.settings import Settings
from assay.campaign.execute import versions
from assay.campaign.external_plan import ExternalPlan
from assay.campaign.external_words import revision_of
from assay.campaign.plan import Plan
from assay.loadgen.attempts import Aim
from assay.models.build import builder_version
from assay.rules.model import Scenario
from assay.system.summary import host_facts

MADE_AND_COUNTED = 1
"""Of attempts; raised when a newer assay makes or counts them otherwise, so that older ones say nothing any more."""
_LONGEST = 60


@dataclass(frozen=True, slots=True)
class Inputs:
    """All that a search hangs on.

    Attributes:
        asked: hash of what is looked for and by which options; one search differs from another by it.
        parts: what its attempts are measured on, by name: facts, or a hash where they are many.
        assay: its version, on which nothing hangs.
    """

    asked: str
    parts: Mapping[str, Mapping[str, object] | str]
    assay: str = __version__


def inputs_of(
    plan: Plan, aim: Aim, start: float | None, settings: Settings, external: ExternalPlan | None = None
) -> Inputs:
    """What a search hangs on, here and now.

    What the catalogue holds counts by what it says of it; files of one's own by their content, folders by names and sizes.
    What is left at its default is no input, so that an option that a newer assay has besides changes nothing.

    Args:
        plan: of the run that counts.
        aim: what is looked for.
        start: first rate.
        settings: where things are kept.
        external: the program that makes the attempts, where that is not assay's own harness.
    """
    subject, (run,) = plan.subject, plan.runs
    looked_for = (aim.tolerance, aim.attempt_s, aim.confirm, start)
    words: list[object] = []
    if external is not None:
        words = [external.external.name, external.external.folder, dict(external.chosen.words)]
    asked = [plan.request.model_dump(mode="json", exclude_defaults=True), looked_for, words]
    limits = subject.benchmark.limits[Scenario.SERVER]
    bound = [aim.percentile, aim.bound_s, aim.full_s, aim.full_queries]
    store = AssetStore(settings, load_catalogue(settings))
    parts: dict[str, Mapping[str, object] | str] = {
        "setting": {
            "batch size": run.batch_size, "streams": run.streams, "precision": plan.precision.value,
            "engine": plan.request.backend,
        },
        "model": _digest([*_own(subject.model_file), *_identity(subject.model, store)]),
        "data": _digest([*_own(subject.dataset_path), *_identity(subject.dataset, store)]),
        "rules": _digest([plain(limits), plain(subject.round.seeds), bound]),
        "machine": {name: value for name, value in host_facts().items() if name != "python"},
        "programs": _own_programs() if external is None else _of_the_program(external),
        "attempts": {"way they are made": MADE_AND_COUNTED},
    }  # fmt: skip
    return Inputs(_digest(asked), parts)


def differences(then: Mapping[str, object], now: Inputs) -> list[str]:
    """What of that on which attempts were measured is another now, in words; empty when nothing is.

    Args:
        then: parts as they were kept; anything at all, if somebody has changed the file.
        now: as they are.
    """
    return [word for name, part in now.parts.items() for word in _differ(name, then.get(name), part)]


def _differ(name: str, then: object, now: Mapping[str, object] | str) -> Iterator[str]:
    if isinstance(now, str) or not isinstance(then, Mapping):
        if then != now:
            yield f"the {name} changed"
        return
    # Through JSON as it was kept: what has no place there is text.
    kept = json.loads(json.dumps(now, default=str))
    for key in sorted({*then, *kept}):
        before, after = then.get(key), kept.get(key)
        if before != after:
            yield f"{name}: {key} was {_word(before)}, is {_word(after)}"


def _word(value: object) -> str:
    return "not there" if value is None else f"{value!s:.{_LONGEST}}"


def _own_programs() -> dict[str, object]:
    """Versions of the libraries that a figure of assay's own harness depends on; assay's is not among them."""
    return {"python": platform.python_version(), **{name: own for name, own in versions().items() if name != "assay"}}


def _of_the_program(external: ExternalPlan) -> dict[str, object]:
    """The program as it is here: its manifest, its commit, the files that it needs."""
    chosen = external.chosen
    of = chosen.implementation
    found: dict[str, object] = {"manifest": sha256_file(of.path), "revision": revision_of(chosen)}
    for text in sorted(of.needs.files):
        path = chosen.folder / Path(chosen.filled(text, {})).expanduser()
        # What a program keeps in a folder may change with every run of it.
        if path.is_file():
            found[text] = sha256_file(path)
    if external.runtime is not None and of.container is not None:
        found["container"] = f"{of.container.image} by {external.runtime.name}"
    return found


def _own(path: Path | None) -> list[str]:
    return [] if path is None else [quick_identity(path)]


def _identity(asset: Asset | None, store: AssetStore) -> list[object]:
    """An asset by what makes its content and its use; its texts may be written better at any time.

    What is still to be fetched counts as it will be: an interrupted search has fetched it.
    """
    if asset is None:
        return []
    found: list[object] = [asset.name, asset.sha256 or plain(asset.sources), plain(asset.model), asset.count]
    found += [builder_version(asset.build.architecture)] if asset.build is not None else []
    known = {each.name for each in store.catalogue.all()}
    if asset.name in known and store.state(asset.name) is State.REGISTERED:
        located = store.locate(asset.name)
        found += [located.sha256] if located is not None else []
    return found


def plain(value: object) -> object:
    """A value as JSON has it, fields left out that are as they are by default: one that is added later changes nothing."""
    if isinstance(value, Enum):
        return value.value
    if is_dataclass(value) and not isinstance(value, type):
        return {
            each.name: plain(own)
            for each in fields(value)
            if (own := getattr(value, each.name)) != each.default
            and (each.default_factory is MISSING or own != each.default_factory())
        }
    if isinstance(value, Mapping):
        return {str(key): plain(each) for key, each in value.items()}
    if isinstance(value, (tuple, list)):
        return [plain(each) for each in value]
    return value


def _digest(value: object) -> str:
    return sha256_bytes(json.dumps(value, sort_keys=True, default=str).encode())
