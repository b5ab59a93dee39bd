from __future__ import annotations

import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from assay.expressions import tree
from assay.expressions.error import ExpressionError
from assay.expressions.parse import MAX_DEPTH, MAX_ITEMS, parse


def shown(node: tree.Node) -> str:
    """The tree with every bracket written."""
    match node:
        case tree.Number():
            return node.text + (f" {node.unit}" if node.unit else "")
        case tree.Text():
            return repr(node.value)
        case tree.Constant():
            return str(node.value)
        case tree.Name():
            return node.name
        case tree.Unary():
            return f"({node.operator} {shown(node.operand)})"
        case tree.Binary():
            return f"({shown(node.left)} {node.operator} {shown(node.right)})"
        case tree.Comparison():
            parts = [shown(node.operands[0])]
            for operator, operand in zip(node.operators, node.operands[1:], strict=True):
                parts += [operator, shown(operand)]
            return f"({' '.join(parts)})"
        case tree.Logic():
            return f"({f' {node.operator} '.join(map(shown, node.operands))})"
        case tree.Membership():
            return f"({shown(node.operand)} in [{', '.join(map(shown, node.items))}])"
        case tree.NullTest():
            return f"({shown(node.operand)} is null)"
        case tree.Call():
            return f"{node.name}({', '.join(map(shown, node.arguments))})"
    raise AssertionError(node)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("1 + 2 * 3", "(1 + (2 * 3))"),
        ("1 - 2 - 3", "((1 - 2) - 3)"),
        ("8 / 4 / 2", "((8 / 4) / 2)"),
        ("2 ^ 3 ^ 2", "(2 ^ (3 ^ 2))"),
        ("-2 ^ 2", "(- (2 ^ 2))"),
        ("2 ^ -3 ^ 2", "(2 ^ (- (3 ^ 2)))"),
        ("2 ** 3 * 4", "((2 ^ 3) * 4)"),
        ("2 * -x", "(2 * (- x))"),
        ("+x", "(+ x)"),
        ("a or b and c", "(a or (b and c))"),
        ("a and b or c and d", "((a and b) or (c and d))"),
        ("a or b or c", "(a or b or c)"),
        ("not a and b", "((not a) and b)"),
        ("not a == b", "(not (a == b))"),
        ("a == not b and c", "((a == (not b)) and c)"),
        ("a < b <= c", "(a < b <= c)"),
        ("a = b", "(a == b)"),
        ("a + 1 < b * 2", "((a + 1) < (b * 2))"),
        ("x in (1, 2 W)", "(x in [1, 2 W])"),
        ("x not in (1)", "(not (x in [1]))"),
        ('"a" in labels', "('a' in labels)"),
        ('"a" not in labels', "(not ('a' in labels))"),
        ('s like "a%" and t', "((s like 'a%') and t)"),
        ('s not like "a%"', "(not (s like 'a%'))"),
        ('s contains "a"', "(s contains 'a')"),
        ('s not contains "a"', "(not (s contains 'a'))"),
        ('contains(s, "a")', "contains(s, 'a')"),
        ("x is null", "(x is null)"),
        ("x is not null or y", "((not (x is null)) or y)"),
        ("a < b is null", "((a < b) is null)"),
        ("if(a, 1, null)", "if(a, 1, None)"),
        ("count()", "count()"),
        ("true == FALSE", "(True == False)"),
        ("((x))", "x"),
        ("`if`", "if"),
        ("a\n  and\tb", "(a and b)"),
    ],
)
def test_what_binds_how(text: str, expected: str) -> None:
    assert shown(parse(text)) == expected


def test_every_part_knows_its_place() -> None:
    node = parse(' watts < 5 W and not (s like "a")')
    assert isinstance(node, tree.Logic)
    text = ' watts < 5 W and not (s like "a")'
    assert [text[slice(*part.span)] for part in node.operands] == ["watts < 5 W", 'not (s like "a"']
    assert node.depth == 4
    call = parse("max(a, b)")
    assert isinstance(call, tree.Call)
    assert (call.span, call.name_span) == ((0, 9), (0, 3))


@pytest.mark.parametrize(
    ("text", "what", "position"),
    [
        ("", "there is no expression", 0),
        ("   ", "there is no expression", 3),
        ("a +", "something is missing at the end", 3),
        ("a + * b", "a value is missing before this", 4),
        ("a and", "something is missing at the end", 5),
        ("and a", "a value is missing before this", 0),
        ("a b", "an operator is missing before this", 2),
        ("5 under_score", "an operator is missing before this", 2),
        ("a not b", "an operator is missing before this", 2),
        ("(a", "this parenthesis is never closed", 0),
        ("(a b)", "an operator or a closing parenthesis is missing before this", 3),
        ("a)", "this parenthesis was never opened", 1),
        ("a, b", "a comma stands between the arguments of a function only", 1),
        ("(a, b)", "a list stands behind in only, as in x in (1, 2)", 2),
        ("max(a", "this parenthesis is never closed", 3),
        ("max(a b)", "a comma or a closing parenthesis is missing before this", 6),
        ("max(a,)", "a value is missing before this", 6),
        ("max(,a)", "a value is missing before this", 4),
        ("x in ()", "a list needs an item", 6),
        ("x in (1", "this parenthesis is never closed", 5),
        ("x is 5", "is null and is not null are what can be asked", 5),
        ("x is not", "is null and is not null are what can be asked", 8),
        ("a like", "something is missing at the end", 6),
        ("a contains", "something is missing at the end", 10),
        ("contains", "a value is missing before this", 0),
    ],
)
def test_what_is_no_expression(text: str, what: str, position: int) -> None:
    with pytest.raises(ExpressionError) as caught:
        parse(text)
    assert (caught.value.what, caught.value.position) == (what, position)


@pytest.mark.parametrize(
    "text",
    [
        "(" * 1000,
        "(" * 300 + "x" + ")" * 300,
        "-" * 3000 + "x",
        "not " * 900 + "x",
        "max(" * 500,
        "+".join(["x"] * 1000),
        "x^" * 1000 + "x",
        "x in (" * 500,
        "<".join(["-(" * 20 + "x" + ")" * 20] * 3) + "+" + "+".join("x" * 60),
    ],
)
def test_depth_is_bounded(text: str) -> None:
    with pytest.raises(ExpressionError, match="levels in one expression"):
        parse(text)


def test_length_is_not_depth() -> None:
    assert parse(" or ".join(["x"] * 500)).depth == 2
    assert parse("x in (" + ", ".join(["1"] * MAX_ITEMS) + ")").depth == 2
    assert parse("+".join(["x"] * MAX_DEPTH)).depth == MAX_DEPTH
    with pytest.raises(ExpressionError, match=f"at most {MAX_ITEMS} items"):
        parse("x in (" + ", ".join(["1"] * (MAX_ITEMS + 1)) + ")")


WORDS = """( ) , + - * / ^ == < and or not in is null like contains x 1 2W 'a' " max( if( 5W/ % ` \\ é true"""
WORDS_AND_SPACES = st.sampled_from([*WORDS.split(), " ", "\n", "\0", "2 W"])


@settings(max_examples=200, deadline=None)
@given(
    st.text(max_size=300)
    | st.lists(WORDS_AND_SPACES, max_size=80).map(" ".join)
    | st.lists(WORDS_AND_SPACES, max_size=80).map("".join)
)
def test_any_text_is_a_tree_or_an_error_at_a_place_soon(text: str) -> None:
    started = time.perf_counter()
    try:
        node = parse(text)
    except ExpressionError as error:
        assert 0 <= error.position <= len(text)
        assert error.length >= 1
        assert "^" in error.rendered
    else:
        start, end = node.span
        assert 0 <= start < end <= len(text)
    assert time.perf_counter() - started < 1


@pytest.mark.parametrize("text", ["5 " + "a/" * 1999, "1" * 4000, "'" * 3999, "`" * 3999, " " * 4000, "9a " * 1300])
def test_long_texts_take_no_time(text: str) -> None:
    started = time.perf_counter()
    with pytest.raises(ExpressionError):
        parse(text)
    assert time.perf_counter() - started < 0.5
