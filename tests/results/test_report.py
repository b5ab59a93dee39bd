from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Callable
from html.parser import HTMLParser
from pathlib import Path

import pytest

from assay.errors import NotFoundError, UsageError
from assay.loadgen.record import Artefact, RunStatus
from assay.loadgen.runs import RunFolder
from assay.loadgen.verdict import Verdict
from assay.results.report import write_report

MakeRun = Callable[..., RunFolder]
VOID = {"meta", "br", "hr", "img", "link", "input"}


class Page(HTMLParser):
    """What is on a page: tags with their attributes, text, and whether every tag is closed."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.open: list[str] = []
        self.text = ""
        self.feed(text)
        assert self.open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.text += data


def written(tmp_path: Path, *folders: RunFolder, **options: str) -> tuple[str, Page]:
    target = tmp_path / "out" / "report.html"
    write_report([folder.path for folder in folders], target, **options)  # type: ignore[arg-type]
    text = target.read_text(encoding="utf-8")
    return text, Page(text)


def test_a_report_says_everything(tmp_path: Path, make_run: MakeRun) -> None:
    text, page = written(
        tmp_path, make_run(mode="accuracy"), make_run(tail="0002"), make_run("SingleStream", tail="0003")
    )
    said = " ".join(page.text.split())
    for expected in (
        "mobilenet-v2 on onnxruntime",
        "Not comparable with published results",
        "another model than the benchmark's",
        "208.5 samples/s",
        "3.09 ms",
        "acc 90%",
        "the benchmark's 75.695% does not apply here",
        "AMD EPYC",
        "min_duration",
        "10m 00s",
        "assay run mobilenet-v2 --scenario Offline --mode performance",
        "ab" * 32,
        "ef" * 32,
        "148687905518835231",
        "5.1.2",
        "leave min_duration at the round's 10m 00s",
        "would not take it",
    ):
        assert expected in said, expected
    assert text.count("<svg") == 1 + 1 + 4  # comparison, Offline, SingleStream
    assert len([1 for tag, _ in page.tags if tag == "h1"]) == 1


def test_it_needs_nothing_else_and_forbids_itself_the_rest(tmp_path: Path, make_run: MakeRun) -> None:
    text, page = written(tmp_path, make_run("SingleStream"))
    for tag, attributes in page.tags:
        assert tag not in ("script", "link", "img", "iframe", "object", "embed", "image", "use"), tag
        assert not {"src", "srcset", "style"} & set(attributes), (tag, attributes)
        assert not [name for name in attributes if name.startswith("on")]
        assert attributes.get("href", "#").startswith("#")  # type: ignore[union-attr]
    assert not re.search(r"url\((?!#)|@import", text)
    policy = next(
        a["content"] for t, a in page.tags if t == "meta" and a.get("http-equiv") == "Content-Security-Policy"
    )
    style = re.search(r"<style>(.*?)</style>", text, re.DOTALL)
    assert policy is not None and style is not None
    digest = base64.b64encode(hashlib.sha256(style[1].encode()).digest()).decode()
    assert policy.startswith("default-src 'none'") and f"style-src 'sha256-{digest}'" in policy
    assert "unsafe" not in policy
    assert "prefers-color-scheme: dark" in style[1]


def test_hostile_text_stays_text(tmp_path: Path, make_run: MakeRun) -> None:
    evil = "<script>alert(1)</script>'\"><img src=x onerror=alert(1)>"
    folder = make_run(
        "SingleStream",
        command=evil,
        model=Artefact(evil, evil),
        dataset=Artefact(evil, None, 1),
        host={evil: evil},
        settings={evil: evil},
        versions={evil: evil},
        backend={evil: evil},
        logs={evil: evil},
        benchmark=evil,
        precision=evil,
        skipped={evil: evil},
        verdict=Verdict(False, False, (), (evil,), (evil,)),
    )
    _, page = written(tmp_path, folder, make_run("Offline", precision=evil), title=evil)
    assert not [tag for tag, _ in page.tags if tag in ("script", "img")]
    assert evil in page.text


def test_tables_have_headers_and_pictures_a_sentence(tmp_path: Path, make_run: MakeRun) -> None:
    _, page = written(tmp_path, make_run("SingleStream"), make_run("Offline", tail="0002"))
    tags = [tag for tag, _ in page.tags]
    assert all(attributes.get("scope") in ("col", "row") for tag, attributes in page.tags if tag == "th")
    assert tags.count("figure") == tags.count("figcaption") == tags.count("svg") == 6
    ids = [attributes["id"] for _, attributes in page.tags if "id" in attributes]
    assert len(ids) == len(set(ids))
    links = {attributes["href"] for tag, attributes in page.tags if tag == "a"}
    assert {link.removeprefix("#") for link in links if link} <= set(ids)
    assert page.tags[0] == ("html", {"lang": "en"})


def test_a_run_that_broke_is_shown_as_such(tmp_path: Path, make_run: MakeRun) -> None:
    folder = make_run(status=RunStatus.FAILED, failure="the engine ran out of memory", verdict=None)
    _, page = written(tmp_path, folder)
    assert "the engine ran out of memory" in page.text and "failed" in page.text
    assert "Not comparable" in page.text and "Results" not in page.text


def test_a_run_under_the_rounds_rules_is_not_warned_about(tmp_path: Path, make_run: MakeRun) -> None:
    folder = make_run(labels=(), deviations=(), verdict=Verdict(True, True, (), (), ()))
    _, page = written(tmp_path, folder)
    assert "Not comparable" not in page.text and "nobody has reviewed it" in page.text


def test_progress_is_told(tmp_path: Path, make_run: MakeRun) -> None:
    done: list[float] = []

    class Step:
        def advance(self, amount: float = 1) -> None:
            done.append(amount)

        def update(self, **_: object) -> None: ...

        def finish(self) -> None:
            done.append(-1)

    class Listener:
        def start(self, label: str, *, total: float | None = None, unit: str = "") -> Step:
            assert (total, unit) == (2, "runs")
            return Step()

        def message(self, text: str) -> None: ...

    folders = [make_run(tail="0001").path, make_run(tail="0002").path]
    write_report(folders, tmp_path / "r.html", progress=Listener())
    assert done == [1, 1, -1]


def test_what_cannot_be_reported(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="at least one run"):
        write_report([], tmp_path / "r.html")
    with pytest.raises(UsageError, match="too many"):
        write_report([tmp_path] * 201, tmp_path / "r.html")
    with pytest.raises(NotFoundError):
        write_report([tmp_path / "nowhere"], tmp_path / "r.html")
    assert not (tmp_path / "r.html").exists()
