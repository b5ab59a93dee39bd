"""Ratings of films in the form of RecBole's MovieLens, made up."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np

PEOPLE, FILMS = 30, 20


def movielens(folder: Path, *, ratings: int = 100, rating: Callable[[int], int] | None = None) -> Path:
    """Ratings of 30 people and 20 films; people of odd number like films of odd number."""
    random = np.random.default_rng(3)
    people = [f"{n}\t{19 + n}\t{'FM'[n % 2]}\t{['writer', 'other'][n % 2]}\t{n:02d}111" for n in range(1, PEOPLE + 1)]
    films = [f"{n}\tA film\t{1980 + n}\t{['Drama', 'Comedy Drama'][n % 2]}" for n in range(1, FILMS + 1)]
    lines = []
    for number in range(ratings):
        person, film = (
            (1, 1) if number == 0 else (int(random.integers(1, PEOPLE + 1)), int(random.integers(1, FILMS + 1)))
        )
        likes = 5 if (person + film) % 2 == 0 else 2
        lines.append(f"{person}\t{film}\t{rating(number) if rating else likes}\t{880_000_000 + 3_600 * number}")
    _write(folder / "ml-100k.user", "user_id:token\tage:token\tgender:token\toccupation:token\tzip_code:token", people)
    _write(folder / "ml-100k.item", "item_id:token\tmovie_title:token_seq\trelease_year:token\tclass:token_seq", films)
    _write(folder / "ml-100k.inter", "user_id:token\titem_id:token\trating:float\ttimestamp:float", lines)
    return folder


def _write(path: Path, header: str, lines: list[str]) -> None:
    path.write_text("\n".join([header, *lines]) + "\n")
