"""A home in which every text that somebody else may write is an attack."""

from __future__ import annotations

import types
from typing import Any, Union, get_args, get_origin, get_type_hints

import msgspec
from tests.playground.pages.together import entry
from tests.results.rows import make_row, put

from assay.base.settings import Settings
from assay.cm.artifact import CHALLENGE, CONTRIBUTOR, REPORT, VIEW
from assay.results.model import Origin
from assay.results.row import FORMAT, Row

from .harm import MARK, SCRIPTS

MARKDOWN = "\n\n".join(
    (
        *SCRIPTS,
        f"[a](javascript:{MARK}()) [b](&#106;avascript:{MARK}()) [c](java\tscript:{MARK}()) [d](data:text/html,{MARK})",
        f"![e](http://evil.example/{MARK}.png) ![f](//evil.example/{MARK}) ![g](javascript:{MARK}())",
        f"[h](//evil.example/{MARK}) [i](\\\\evil.example) [j](vbscript:{MARK}) <javascript:{MARK}()>",
        f"[k]: javascript:{MARK}()\n\n[k] [l](/x\"onclick=\"{MARK}()) [m](http://a.example/'onx='{MARK})",
        f"# {SCRIPTS[0]} {{#x onclick={MARK}}}",
        f"```{SCRIPTS[1]}\n{SCRIPTS[0]}\n```",
        f"| {SCRIPTS[0]} | b |\n|---|--:|\n| {SCRIPTS[1]} | {SCRIPTS[2]} |",
        f"<math><mtext></p><script>{MARK}()</script></math><svg><style><img src=x onerror={MARK}()></style></svg>",
        f"<iframe src=javascript:{MARK}()></iframe><form action=//evil.example><button formaction=javascript:{MARK}()>",
        f'<a href="jav&#x09;ascript:{MARK}()">x</a><meta http-equiv=refresh content="0;url=//evil.example"><base href=//evil.example>',
    )
)
TEXTS = (*SCRIPTS, " ".join(SCRIPTS))
"""Each attack alone, and all of them one behind the other."""


def uid(kind: str, number: int) -> str:
    return f"{kind}{number:08x}"


def bad_row(number: int, script: str) -> Row:
    """A row whose every text is an attack."""
    hints = get_type_hints(Row, include_extras=True)
    kept = {"uid", "round", "benchmark", "scenario", "division", "category", "access", "embargo", "accepted", "created"}
    texts: dict[str, Any] = {}
    for field in msgspec.structs.fields(Row):
        kinds = (
            get_args(hints[field.name])
            if get_origin(hints[field.name]) in (Union, types.UnionType)
            else (hints[field.name],)
        )
        if field.name in kept or field.name == "format":
            continue
        if str in kinds:
            texts[field.name] = script
        elif tuple[str, ...] in kinds:
            texts[field.name] = (script,)
        elif dict[str, str] in kinds:
            texts[field.name] = {script: script, "url": f"javascript:{MARK}()"}
    texts |= {"url": f"javascript:{MARK}()"} if number % 2 else {}
    given = {"round": "v3.0", "benchmark": "resnet", "value": 1.0 + number, "watts": 2.0, "accuracy": 0.7, **texts}
    return make_row(number, **{**given, "uid": uid("ba", number) + "abcdef", "format": FORMAT})


def fill(settings: Settings) -> None:
    """Every kind of entry, once for each text; some are refused, which has to be told as harmlessly."""
    rows = [bad_row(number, script) for number, script in enumerate(TEXTS)]
    own = [
        msgspec.structs.replace(row, uid="bb" + row.uid[2:], origin=Origin.LOCAL, contributor="eve", division="open",
                                challenges=(f"c{number:015x}",), accepted="2026-01-01T00:00:00Z")
        for number, row in enumerate(rows)
    ]  # fmt: skip
    put(settings, [*rows, *own])
    for number, script in enumerate(TEXTS):
        folder = entry(
            settings, CHALLENGE, f"challenge{number}", f"c{number:015x}", title=script, date_open="20260101", tasks=[script],
            rounds=["v3.0", script], benchmarks=["resnet", script], prize=script, prize_short=script, rules=[script, script], notes=script,
            dashboard_note=script, how_to=[{"title": script, "command": script}], colour=script, **{script: script},
            timeline=[{"date": "20260401", "what": script}], experiments=[{"tags": script}, {"name": script}],
            reproduced_papers_tags=script, readme=MARKDOWN, points=2,
        )  # fmt: skip
        plain = entry(settings, CHALLENGE, f"html{number}", f"6{number:015x}", title=script, date_open="20260101")
        (plain / "info.html").write_text(MARKDOWN + script, encoding="utf-8")
        (folder / "docs").mkdir()
        (folder / "docs" / "more.md").write_text(MARKDOWN, encoding="utf-8")
        for name, key in (
            ("url", "urls"),
            ("report", "report_url"),
            ("dashboard", "dashboard_url"),
            ("library", "digital_library_url"),
        ):
            entry(settings, CHALLENGE, f"{name}{number}", f"d{len(key):07x}{number:08x}", title=name,
                  **{key: [f"javascript:{MARK}()", script] if key == "urls" else (f"javascript:{MARK}()", script)[number % 2]})  # fmt: skip
        eve = f"eve{number or ''}"
        entry(settings, CONTRIBUTOR, eve, f"e{number:015x}", name=script, organization=script, readme=MARKDOWN,
              points=[{"point": 3, "desc": script}], trophies=[{"url": "https://a.example/cup.svg"}])  # fmt: skip
        entry(settings, CONTRIBUTOR, f"mallory{number}", f"7{number:015x}", name=script,
              urls=[f"javascript:{MARK}()", script], trophies=[{"url": f"javascript:{MARK}()"}, {"url": script}])  # fmt: skip
        entry(settings, REPORT, f"report{number}", f"f{number:015x}", title=script, verdict="failed", contributor=script,
              date="20260201", tags=[f"result-{rows[number].uid}", f"challenge-c{number:015x}", script], readme=MARKDOWN,
              figures={script: script, "value": 1})  # fmt: skip
        entry(
            settings,
            REPORT,
            f"elsewhere{number}",
            f"9{number:015x}",
            title=script,
            redirect=(script, f"javascript:{MARK}()")[number % 2],
        )
        entry(settings, VIEW, f"view{number}", f"8{number:015x}", title=script, contributor=script,
              query=f"title={script}&filter={script}&x={script}")  # fmt: skip


def _of_one(number: int) -> tuple[str, ...]:
    """The pages that show one of the texts alone."""
    one, two = uid("ba", number) + "abcdef", uid("bb", number) + "abcdef"
    return (f"/results/{one}", f"/results/{two}", f"/compare?result={one}&result={two}", f"/challenges/challenge{number}",
            f"/challenges/challenge{number}/docs/more", f"/challenges/html{number}",
            f"/challenges/challenge{number}/leaderboard.csv", f"/contributors/eve{number or ''}", f"/contributors/mallory{number}",
            f"/reports/report{number}", f"/reports/elsewhere{number}", f"/views/view{number}", f"/challenges/url{number}",
            f"/challenges/report{number}", f"/challenges/dashboard{number}", f"/challenges/library{number}")  # fmt: skip


def addresses() -> list[str]:
    """Every page that shows what was written: all attacks at once on each, and alone on each in turns."""
    found = ["/", "/explorer?include=local", "/explorer?columns=uid,organisation,system,notes,url,accelerator&include=local",
             "/embed/explorer?color=organisation", "/explorer/chart.json?color=organisation&facet=system", "/systems", "/organisations",
             "/benchmarks", "/benchmarks/resnet", "/rounds", "/rounds/v3.0", "/challenges", "/contributors", "/reports", "/views", "/runs",
             "/explorer.svg?color=organisation", "/organisations.csv", "/systems.csv", "/contributors.csv",
             "/search?q=script", "/search?q=evil", "/search?q=" + MARK, "/search/suggest.json?q=" + MARK]  # fmt: skip
    for number in range(len(TEXTS)):
        together = number == len(SCRIPTS)
        found += [path for kind, path in enumerate(_of_one(number)) if together or (number + kind) % 3 == 0]
    return found
