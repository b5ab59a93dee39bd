"""MovieLens-100k as user-item pairs: who, what film, when; the target is a rating of 4 or 5.

The pairs are parted once for training, validation and test, 80, 10 and 10 in a hundred, at random from a seed; how
often a person or a film was rated is counted in the training part only.

Source of the data: Harper and Konstan, The MovieLens Datasets, 2015, in the form of RecBole (a header of ``name:type``,
tabs between).
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from assay.base.units import format_size
from assay.errors import InvalidInputError, NotFoundError

RATINGS, FILMS, PEOPLE = "ml-100k.inter", "ml-100k.item", "ml-100k.user"
SPLIT_SEED = 20_230_911
SPLIT = (0.8, 0.1, 0.1)
LIKED = 4.0
_MAX_BYTES = 64 << 20
_MAX_FIELD = 512
_DAY_S, _HOUR_S = 86_400, 3_600

Floats = NDArray[np.float32]
Columns = Mapping[str, list[str]]


@dataclass(frozen=True, slots=True)
class Pairs:
    """Some pairs as a network takes them.

    Attributes:
        dense: ``(n, dense)``.
        ids: one row of each table, ``(n, tables)``.
        targets: 0 or 1, ``(n,)``.
    """

    dense: Floats
    ids: NDArray[np.int32]
    targets: Floats

    def __len__(self) -> int:
        return len(self.targets)

    def take(self, rows: NDArray[np.intp]) -> Pairs:
        """Some of them, in this order."""
        return Pairs(self.dense[rows], self.ids[rows], self.targets[rows])


@dataclass(frozen=True, slots=True)
class MovieLens:
    """The pairs in three parts.

    Attributes:
        rows: rows of each table: people, films, occupations, genders, areas, decades.
        digest: SHA-256 of the ratings' file, for the provenance of what is trained on them.
    """

    train: Pairs
    validation: Pairs
    test: Pairs
    rows: tuple[int, ...]
    digest: str


def read_movielens(folder: Path) -> MovieLens:
    """Read the three files and make the features.

    Raises:
        NotFoundError: when a file is missing.
        InvalidInputError: for a file of another form, with line and column.
    """
    ratings, films, people = (_read_table(folder / name) for name in (RATINGS, FILMS, PEOPLE))
    person, film = _numbering(people, "user_id", folder / PEOPLE), _numbering(films, "item_id", folder / FILMS)
    who = _places(ratings, "user_id", person, folder / RATINGS)
    what = _places(ratings, "item_id", film, folder / RATINGS)
    parts = _split(len(who))
    when = _numbers(ratings, "timestamp", folder / RATINGS)
    tables, rows = _tables(people, films)
    ids = np.stack([who, what, *(table[who] for table in tables[:3]), tables[3][what]], axis=1).astype(np.int32)
    dense = np.concatenate(
        [
            _of_people(people, folder)[who],
            _of_films(films)[what],
            _of_time(when),
            _log_counts(who, parts[0], len(person)),
            _log_counts(what, parts[0], len(film)),
        ],
        axis=1,
    ).astype(np.float32)
    targets = (_numbers(ratings, "rating", folder / RATINGS) >= LIKED).astype(np.float32)
    whole = Pairs(dense, ids, targets)
    train, validation, test = (whole.take(part) for part in parts)
    digest = hashlib.sha256((folder / RATINGS).read_bytes()).hexdigest()
    return MovieLens(train, validation, test, (len(person), len(film), *rows), digest)


def _split(count: int) -> tuple[NDArray[np.intp], NDArray[np.intp], NDArray[np.intp]]:
    """Rows of the training, validation and test part; each in the order of the file."""
    order = np.random.default_rng(SPLIT_SEED).permutation(count)
    first, second = round(count * SPLIT[0]), round(count * (SPLIT[0] + SPLIT[1]))
    return np.sort(order[:first]), np.sort(order[first:second]), np.sort(order[second:])


def _tables(people: Columns, films: Columns) -> tuple[list[NDArray[np.intp]], list[int]]:
    """Row of each person in three tables and of each film in one, and the tables' rows."""
    words = [
        people["occupation"],
        people["gender"],
        [code[:2].upper() for code in people["zip_code"]],
        [year[:3] for year in films["release_year"]],
    ]
    found = [np.unique(column, return_inverse=True) for column in words]
    return [places for _, places in found], [len(names) for names, _ in found]


def _of_people(people: Columns, folder: Path) -> Floats:
    age = _numbers(people, "age", folder / PEOPLE)
    return ((age - 33.0) / 12.0).astype(np.float32)[:, None]


def _of_films(films: Columns) -> Floats:
    """Year, and a flag for each genre."""
    years = np.array([float(year) if year.isdigit() else 1990.0 for year in films["release_year"]])
    genres = sorted({genre for names in films["class"] for genre in names.split()})
    flags = [[genre in names.split() for genre in genres] for names in films["class"]]
    return np.concatenate([((years - 1990.0) / 10.0)[:, None], np.array(flags, np.float64)], axis=1).astype(np.float32)


def _of_time(seconds: NDArray[np.float64]) -> Floats:
    """Hour and weekday (UTC) as points on circles."""
    hour = seconds % _DAY_S / _HOUR_S * (2 * np.pi / 24)
    weekday = seconds // _DAY_S % 7 * (2 * np.pi / 7)
    return np.stack([np.sin(hour), np.cos(hour), np.sin(weekday), np.cos(weekday)], axis=1).astype(np.float32)


def _log_counts(places: NDArray[np.intp], train: NDArray[np.intp], count: int) -> Floats:
    """How often each was rated in the training part, for every pair."""
    logs = np.log1p(np.bincount(places[train], minlength=count)) / 3.0 - 1.5
    return logs[places].astype(np.float32)[:, None]


def _numbering(table: Columns, column: str, path: Path) -> dict[str, int]:
    names = table[column]
    if len(set(names)) != len(names):
        raise InvalidInputError(f"a {column} comes twice", where=path)
    return {name: place for place, name in enumerate(names)}


def _places(table: Columns, column: str, numbering: Mapping[str, int], path: Path) -> NDArray[np.intp]:
    try:
        return np.array([numbering[name] for name in table[column]], np.intp)
    except KeyError as error:
        raise InvalidInputError(f"{column} {error.args[0]!r} of a rating is unknown", where=path) from error


def _numbers(table: Columns, column: str, path: Path) -> NDArray[np.float64]:
    try:
        values = np.array([float(text) for text in table[column]], np.float64)
    except ValueError as error:
        raise InvalidInputError(f"column {column} holds no numbers: {error}", where=path) from error
    if not np.isfinite(values).all():
        raise InvalidInputError(f"column {column} holds values that are no finite numbers", where=path)
    return values


_COLUMNS: Mapping[str, Sequence[str]] = {
    RATINGS: ("user_id", "item_id", "rating", "timestamp"),
    FILMS: ("item_id", "release_year", "class"),
    PEOPLE: ("user_id", "age", "gender", "occupation", "zip_code"),
}


def _read_table(path: Path) -> Columns:
    """Columns by name."""
    try:
        size = path.stat().st_size
    except FileNotFoundError as error:
        raise NotFoundError(f"{path.name} is missing", where=path.parent) from error
    if size > _MAX_BYTES:
        raise InvalidInputError("the file is too large", where=path, expected=f"at most {format_size(_MAX_BYTES)}")
    lines = path.read_text("utf-8", "replace").splitlines()
    header = [name.partition(":")[0] for name in lines[0].split("\t")] if lines else []
    for wanted in _COLUMNS[path.name]:
        if wanted not in header:
            raise InvalidInputError(f"column {wanted} is missing", where=f"{path}:1", found=", ".join(header)[:80])
    rows = [line.split("\t") for line in lines[1:]]
    for number, row in enumerate(rows, 2):
        if len(row) != len(header) or max(map(len, row)) > _MAX_FIELD:
            raise InvalidInputError(
                "not a line of the table",
                where=f"{path}:{number}",
                expected=f"{len(header)} columns",
                found=str(len(row)),
            )
    if len(rows) < 10:
        raise InvalidInputError("the table has too few lines to be split", where=path, found=str(len(rows)))
    return {name: [row[place] for row in rows] for place, name in enumerate(header)}
