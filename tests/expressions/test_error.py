from __future__ import annotations

import json

from assay.errors import InvalidInputError
from assay.expressions.error import ExpressionError


def error(text: str, position: int, length: int = 1, **more: str) -> ExpressionError:
    return ExpressionError("this is wrong", text=text, position=position, length=length, **more)


def test_carets_stand_below_the_wrong_characters() -> None:
    assert error("a + bad", 4, 3).rendered == "  a + bad\n      ^^^"
    assert error("a +", 3).rendered == "  a +\n     ^"
    assert error("", 0).rendered == "  \n  ^"


def test_only_the_line_and_no_more_than_the_line() -> None:
    assert error("a +\n bad +\n c", 5, 50).rendered == "   bad +\n   ^^^^^"


def test_a_long_line_is_shown_around_the_place() -> None:
    text = "x" * 300 + "!" + "y" * 300
    line, carets = error(text, 300).rendered.split("\n")
    assert len(line) <= 102
    assert line[carets.index("^")] == "!"


def test_a_terminal_is_not_told_what_to_do() -> None:
    assert "\x1b" not in str(error("a \x1b[31m b", 2))


def test_positions_stay_in_the_text() -> None:
    assert (error("abc", 99).position, error("abc", -1).position, error("abc", 0, 0).length) == (3, 0, 1)


def test_it_is_invalid_input_with_a_place() -> None:
    wrong = error("a b", 2, where="m.yaml:3", expected="c")
    assert isinstance(wrong, InvalidInputError)
    assert wrong.exit_code == 4
    assert str(wrong) == "m.yaml:3: this is wrong; expected c\n  a b\n    ^"
    told = json.loads(json.dumps(wrong.to_dict()))
    assert (told["text"], told["position"], told["length"], told["error"]) == ("a b", 2, 1, "Expression")
