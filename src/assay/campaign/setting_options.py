"""A setting as the fields of a request; what means nothing in its scenarios is left out."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from assay.base.units import parse_duration
from assay.campaign.setting import SettingFile, setting_values
from assay.rules.model import Scenario

_STREAMS = {Scenario.SINGLE_STREAM, Scenario.MULTI_STREAM}


def setting_options(file: SettingFile, scenarios: Sequence[Scenario]) -> dict[str, Any]:
    """The fields of a request that the keys of a setting's file ask for.

    Args:
        file: the setting.
        scenarios: of the request.
    """
    asked = set(scenarios)
    values = {key: value for key, value in setting_values(file.setting).items() if key in file.given}
    wait = values.pop("batch_wait", None)
    if wait is not None and Scenario.SERVER in asked:
        values["batch_wait_ns"] = parse_duration(wait)
    if asked == {Scenario.SINGLE_STREAM}:
        values.pop("batch_size", None)
    if asked <= _STREAMS:
        values.pop("streams", None)
    return values
