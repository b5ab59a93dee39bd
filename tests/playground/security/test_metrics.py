from __future__ import annotations

from collections.abc import Callable

import pytest
from prometheus_client.parser import text_string_to_metric_families

from assay.playground.security.metrics import Metrics

from .conftest import Site

Make = Callable[..., Site]


def samples(text: str) -> dict[tuple[str, tuple[tuple[str, str], ...]], float]:
    return {
        (sample.name, tuple(sorted(sample.labels.items()))): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


def test_requests_are_counted_by_route_never_by_what_was_typed(site: Make) -> None:
    made = site()
    for path in ("/results/a", "/results/b", "/nowhere/x", "/nowhere/y", "/broken"):
        made.client.get(path)
    made.client.request("PROPFIND", "/results/a")
    found = samples(made.metrics.render().decode())
    counts = {labels: value for (name, labels), value in found.items() if name == "assay_requests_total"}
    assert counts[(("method", "GET"), ("route", "/results/{uid}"), ("status", "200"))] == 2
    assert counts[(("method", "GET"), ("route", "(none)"), ("status", "404"))] == 2
    assert counts[(("method", "GET"), ("route", "/broken"), ("status", "500"))] == 1
    assert any(("method", "other") in labels for labels in counts)
    assert found[("assay_request_seconds_count", (("route", "/results/{uid}"),))] >= 2
    assert found[("assay_requests_in_flight", ())] == 0
    assert not any("nowhere" in str(labels) for _, labels in found)


def test_figures_of_the_index_and_of_uploads() -> None:
    metrics = Metrics(index_age_s=lambda: 12.5, index_bytes=lambda: 3e6, results=lambda: 26_000)
    metrics.upload("accepted")
    found = samples(metrics.render().decode())
    assert found[("assay_index_age_seconds", ())] == 12.5
    assert found[("assay_index_bytes", ())] == 3e6
    assert found[("assay_index_results", ())] == 26_000
    assert found[("assay_uploads_total", (("outcome", "accepted"),))] == 1


def test_two_applications_count_apart() -> None:
    one, two = Metrics(), Metrics()
    one.upload("accepted")
    assert b'outcome="accepted"' not in two.render()


@pytest.mark.parametrize(
    ("settings", "peer", "header", "status"),
    [
        ({}, "127.0.0.1", None, 200),
        ({}, "192.0.2.1", None, 403),
        ({"public": True}, "127.0.0.1", None, 403),
        ({"metrics_token": "0123456789abcdef"}, "192.0.2.1", "Bearer 0123456789abcdef", 200),
        ({"metrics_token": "0123456789abcdef"}, "127.0.0.1", None, 403),
        ({"metrics_token": "0123456789abcdef"}, "127.0.0.1", "Bearer wrong", 403),
    ],
)
def test_who_sees_them(site: Make, settings: dict[str, object], peer: str, header: str | None, status: int) -> None:
    made = site(peer=peer, **settings)
    headers = {"authorization": header} if header else {}
    assert made.client.get("/metrics", headers=headers).status_code == status
