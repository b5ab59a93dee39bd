"""An upload as its page shows it: its state in words, results with their places, findings by the result they are about."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

from pydantic import BaseModel, ConfigDict

from assay.community.challenge import Challenge
from assay.community.challenges import find_challenge
from assay.community.leaderboard import Leaderboard, leaderboard
from assay.errors import AssayError
from assay.playground.accounts.upload import Upload, UploadState
from assay.playground.here import Here
from assay.playground.page import PageModel
from assay.playground.uploads import word_of

_WORDS = {
    "received": ("waiting", "note", "It has come, and is checked as soon as what came before is done."),
    "checking": ("checking", "note", "It is being checked as assay check does it."),
    "accepted": ("accepted", "good", "Every result in it was taken."),
    "partly": ("partly accepted", "warn", "Some of its results were taken, and some were not."),
    "refused": ("refused", "bad", "None of it was taken."),
    "failed": ("failed", "bad", "The server could not check it; nothing of it was taken."),
}
_LEVELS = {"reject": 0, "flag": 1, "warn": 2, "note": 3, "ignore": 4, "": 5}


class _Form(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore")


class Place(_Form):
    """Where a result stands on the board of a challenge, or why it does not."""

    challenge: str
    title: str
    group: str = ""
    place: int | None = None
    of: int = 0
    why: str = ""


class TakenResult(_Form):
    """A result that was taken."""

    uid: str
    path: str
    round: str
    benchmark: str
    scenario: str
    division: str
    value: float | None = None
    unit: str | None = None
    official: bool | None = None
    strict: bool | None = None
    labels: tuple[str, ...] = ()
    known: bool = False
    places: tuple[Place, ...] = ()


class RefusedResult(_Form):
    """A result that was not taken, and why."""

    path: str
    reason: str
    benchmark: str = ""
    scenario: str = ""
    codes: tuple[str, ...] = ()


class FindingLine(_Form):
    """Something that the check saw."""

    code: str
    title: str
    file: str = ""
    line: int | None = None
    field: str = ""
    found: str = ""
    expected: str = ""
    fix: str = ""
    detail: str = ""
    official: str = ""
    strict: str = ""
    result: str = ""

    @property
    def level(self) -> str:
        """The graver of both levels."""
        return min((self.official, self.strict), key=lambda each: _LEVELS.get(each, 5)) or "note"

    @property
    def explained(self) -> bool:
        """Whether the documentation has a text on it: codes of the checker are one word, limits of runs are several."""
        return bool(self.code) and self.code.replace("-", "").isalnum()


class FindingGroup(_Form):
    """Findings of one result, or of the upload as a whole."""

    result: str
    findings: tuple[FindingLine, ...]

    @property
    def grave(self) -> int:
        """How many of them refuse something."""
        return sum(each.level in ("reject", "flag") for each in self.findings)


class Trouble(_Form):
    """Why an upload as a whole was refused, or could not be checked."""

    what: str
    where: str | None = None
    expected: str | None = None
    found: str | None = None
    hint: str | None = None
    ours: bool = False


class ChallengeLine(_Form):
    """A challenge that an upload is for."""

    uid: str
    name: str
    title: str


class UploadLine(_Form):
    """An upload in a list."""

    id: str
    account: str
    file_name: str
    size: int
    created: datetime
    state: str
    word: str
    colour: str
    message: str


class UploadPage(PageModel):
    """One upload."""

    id: str
    account: str
    file_name: str
    size: int
    sha256: str
    created: datetime
    changed: datetime
    state: str
    word: str
    colour: str
    meaning: str
    done: bool
    ahead: int = 0
    private: bool
    embargo: datetime | None
    note: str
    challenges: tuple[ChallengeLine, ...]
    kind: str = ""
    round: str = ""
    message: str = ""
    error: Trouble | None = None
    accepted: tuple[TakenResult, ...] = ()
    accepted_total: int = 0
    refused: tuple[RefusedResult, ...] = ()
    refused_total: int = 0
    findings: tuple[FindingGroup, ...] = ()
    findings_total: int = 0
    commit: str | None = None

    @property
    def seconds(self) -> float:
        """From its arrival to its last change."""
        return (self.changed - self.created).total_seconds()


def upload_line(upload: Upload) -> UploadLine:
    """An upload for a list."""
    state = word_of(upload.state, upload.outcome)
    word, colour, _ = _WORDS[state]
    error: Mapping[str, Any] = upload.outcome.get("error") or {}
    return UploadLine(
        id=upload.id,
        account=upload.account,
        file_name=upload.file_name,
        size=upload.size,
        created=upload.created,
        state=state,
        word=word,
        colour=colour,
        message=str(upload.outcome.get("message") or error.get("what") or ""),
    )


def upload_page(here: Here, upload: Upload, note: str, ahead: int) -> UploadPage:
    """The page of an upload."""
    state = word_of(upload.state, upload.outcome)
    word, colour, meaning = _WORDS[state]
    said = upload.outcome
    challenges = _challenges(here, upload)
    accepted = [TakenResult.model_validate(each) for each in said.get("accepted", ())]
    refused = tuple(RefusedResult.model_validate(each) for each in said.get("refused", ()))
    return UploadPage(
        id=upload.id,
        account=upload.account,
        file_name=upload.file_name,
        size=upload.size,
        sha256=upload.sha256,
        created=upload.created,
        changed=upload.changed,
        state=state,
        word=word,
        colour=colour,
        meaning=meaning,
        done=upload.state.done,
        ahead=ahead if upload.state is UploadState.RECEIVED else 0,
        private=upload.private,
        embargo=upload.embargo,
        note=note,
        challenges=tuple(ChallengeLine(uid=each.uid, name=each.name, title=each.title) for each in challenges),
        kind=str(said.get("kind") or ""),
        round=str(said.get("round") or ""),
        message=str(said.get("message") or ""),
        error=Trouble.model_validate(said["error"]) if said.get("error") else None,
        accepted=_placed(here, challenges, accepted),
        accepted_total=int(said.get("accepted_total") or len(accepted)),
        refused=refused,
        refused_total=int(said.get("refused_total") or len(refused)),
        findings=grouped([FindingLine.model_validate(each) for each in said.get("findings", ())]),
        findings_total=int(said.get("findings_total") or 0),
        commit=upload.commit,
    )


def grouped(findings: Iterable[FindingLine]) -> tuple[FindingGroup, ...]:
    """Findings by what they are about, the gravest first; those of the upload as a whole go before all others."""
    by_result: dict[str, list[FindingLine]] = {}
    for each in findings:
        by_result.setdefault(each.result, []).append(each)
    groups = [
        FindingGroup(result=result, findings=tuple(sorted(those, key=lambda each: _LEVELS.get(each.level, 5))))
        for result, those in by_result.items()
    ]
    return tuple(sorted(groups, key=lambda each: (each.result != "", -each.grave, each.result)))


def _challenges(here: Here, upload: Upload) -> list[Challenge]:
    """The challenges that an upload is for and that the viewer may see."""
    found = []
    for uid in upload.challenges:
        try:
            found.append(find_challenge(here.settings, uid, here.viewer.audience, here.now))
        except AssayError:
            continue
    return found


def _placed(here: Here, challenges: Sequence[Challenge], accepted: Sequence[TakenResult]) -> tuple[TakenResult, ...]:
    """Results with their places on the boards."""
    if not accepted or not challenges:
        return tuple(accepted)
    boards = [leaderboard(here.store, each, here.names) for each in challenges]
    return tuple(
        each.model_copy(update={"places": tuple(place for board in boards for place in places_of(each.uid, board))})
        for each in accepted
    )


def places_of(uid: str, board: Leaderboard) -> list[Place]:
    """Where a result stands on a board, in each group that it is in; or why it does not."""
    challenge = board.challenge
    found = [
        Place(
            challenge=challenge.name,
            title=challenge.title,
            group=group.title,
            place=standing.place,
            of=len(group.standings),
        )
        for group in board.groups
        for standing in group.standings
        if standing.uid == uid
    ]
    if found:
        return found
    why = "not ranked: it does not fulfil the challenge's condition, or has not what is compared"
    if board.problem:
        why = f"not ranked: the challenge itself is wrong: {board.problem}"
    elif uid in board.owners:
        why = "not ranked: a better result of yours stands there"
    return [Place(challenge=challenge.name, title=challenge.title, why=why)]
