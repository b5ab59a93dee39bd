from __future__ import annotations

import pytest

from assay.backends.protocol import Backend, BackendOptions, Capabilities
from assay.backends.registry import backends, capabilities_of, check_options
from assay.errors import InvalidInputError, MissingDependencyError, NotFoundError, UsageError


def test_our_engines_come_through_the_door_of_plugins() -> None:
    registry = backends()
    assert {"null", "onnxruntime", "openvino", "litert", "torch", "kserve"} <= set(registry.names())
    for name in ("null", "onnxruntime", "openvino", "litert", "torch", "kserve"):
        assert registry.get(name).name == name


def test_an_unknown_engine_is_told_with_the_closest() -> None:
    with pytest.raises(NotFoundError) as caught:
        backends().get("openvno")
    assert (caught.value.expected or "").split(" or ")[0] == "openvino"


class Asked:
    name = title = "asked"

    def __init__(self, error: Exception) -> None:
        self.error = error

    def capabilities(self) -> Capabilities:
        raise self.error


def ask(error: Exception) -> Capabilities:
    backend: Backend = Asked(error)  # type: ignore[assignment]
    return capabilities_of("asked", backend)


def test_options_are_asked_about_at_the_plugin_door() -> None:
    class Choosy(Asked):
        def check_options(self, options: BackendOptions) -> None:
            raise self.error

    check_options("asked", Asked(KeyError("x")), BackendOptions())  # type: ignore[arg-type]
    with pytest.raises(InvalidInputError, match="breaks when it is asked about options: KeyError"):
        check_options("asked", Choosy(KeyError("x")), BackendOptions())  # type: ignore[arg-type]
    with pytest.raises(UsageError, match="no such"):
        check_options("asked", Choosy(UsageError("no such option")), BackendOptions())  # type: ignore[arg-type]


def test_a_plugin_that_breaks_when_asked_is_an_error_of_ours() -> None:
    with pytest.raises(InvalidInputError, match="KeyError: 'x'") as caught:
        ask(KeyError("x"))
    assert caught.value.hint
    with pytest.raises(MissingDependencyError, match="gone"):
        ask(MissingDependencyError("gone"))
