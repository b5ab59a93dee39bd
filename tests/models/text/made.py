"""A small vocabulary and a small file of questions with what text can do wrong in it; nothing is drawn at random."""

from __future__ import annotations

import json
import string
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

SPECIAL = ("[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]")
WORDS = (
    *("the", "a", "of", "and", "in", "is", "was", "river", "tower", "century", "king", "what", "who", "when"),
    *("where", "how", "many", "long", "bridge", "naive", "beyonce"),
)
_LETTERS = [
    *string.ascii_lowercase,
    *string.digits,
    *string.punctuation,
    "é",
    *"日本語δς\u03bf\u03c3\u2028",
]


def pieces() -> list[str]:
    """Word pieces: special tokens, words, and every letter at the beginning and inside of a word."""
    return [*SPECIAL, *WORDS, "##s", "##ed", *_LETTERS, *(f"##{letter}" for letter in _LETTERS if letter != "s")]


def write_vocabulary(folder: Path) -> Path:
    """``vocab.txt`` in a folder."""
    path = folder / "vocab.txt"
    path.write_bytes(("\n".join(pieces()) + "\n").encode())
    return path


def question(name: str, text: str, context: str, *answers: str) -> dict[str, Any]:
    """A question whose answers are found in the context."""
    found = [{"text": answer, "answer_start": max(context.find(answer), 0)} for answer in answers]
    return {"id": name, "question": text, "answers": found}


def squad() -> dict[str, Any]:
    """Six articles; the fourth has a paragraph of several windows, the fifth what is odd, the sixth no text."""
    tower = "The Tower was built in the 12th century, by King Otto II. It is 55.5 m tall (and naïve)."
    river = "Beyoncé's river-bridge (1901–1943) costs $1,000; a bridge of stone was there."
    short = "Yes."
    long = " ".join(f"Bridge {number} is {number * 7} m long." for number in range(60))
    odd = "日本語 and ΟΔΟΣ\u00a0x\u00a0y a\u202fb tab\tsep [SEP] zero\u200bwidth soft\u00adhyphen e\u0301a \u2028 \x1cz \ue000priv ﬁne İst"
    paragraphs = [
        [
            (
                tower,
                [
                    ("When was the tower built?", "12th century", "the 12th century"),
                    ("Who?", "King Otto II", "Otto II", "King"),
                ],
            )
        ],
        [(river, [("How long is the river?", "$1,000", "1,000"), ("What bridge is it? " * 30, "of stone")])],
        [(short, [("Is it?", "Yes", "Yes.")])],
        [(long, [("How long is bridge 3?", "21 m"), ("How long is bridge 58?", "406 m long", "406")])],
        [(odd, [("Where is ΟΔΟΣ?", "ΟΔΟΣ"), ("[MASK] [SEP]?", "b tab"), ("", "not in the text")])],
        [("", [("What is nothing?", "empty"), ("What else?", "nothing")]), (" \n", [("And here?", "the empty")])],
    ]
    data = [
        {
            "title": f"article {number}",
            "paragraphs": [
                {
                    "context": context,
                    "qas": [
                        question(f"q{number}.{place}.{index}", text, context, *answers)
                        for index, (text, *answers) in enumerate(questions)
                    ],
                }
                for place, (context, questions) in enumerate(article)
            ],
        }
        for number, article in enumerate(paragraphs)
    ]
    return {"version": "1.1", "data": data}


def write_squad(folder: Path, name: str = "dev-v1.1.json") -> Path:
    """The file of questions in a folder."""
    path = folder / name
    path.write_text(json.dumps(squad()), encoding="utf-8")
    return path


def logits(window: int, length: int, *, step: float = 0.25) -> NDArray[np.float32]:
    """Start and end logits that look drawn and are not, ``(length, 2)``; a large step makes many of them equal."""
    place, column = np.arange(length)[:, None], np.arange(2)[None, :]
    values = (window * 7919 + place * 104_729 + column * 1_299_709 + place * place * 31) % 2003 / 100 - 10
    return (np.round(values / step) * step).astype(np.float32)
