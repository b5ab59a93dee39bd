from __future__ import annotations

import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.expressions.conftest import metric, schema_of

from assay.expressions import Context, Definition, ExpressionError, Kind, Parameter, Schema, Sql, parse_unit
from assay.expressions import compile as compile_text

SCHEMA = schema_of()
GROUPED = Context(aggregates=True, groups=frozenset({"scenario", "x"}))
BESIDE = Context(windows=True, partition=('"scenario"',), baseline=Sql("accelerator = ?", ("A100",)))


@pytest.mark.parametrize(
    ("text", "unit"),
    [
        ("watts", "W"),
        ("samples_per_second / watts", "samples/J"),
        ("watts / samples_per_second", "J/sample"),
        ("watts * 2", "W"),
        ("2 * watts", "W"),
        ("watts / 2", "W"),
        ("watts + 1 kW", "W"),
        ("1 kW + watts", "W"),
        ("1 kW + 1 W", "kW"),
        ("watts - 5", "W"),
        ("1 / latency", "GHz"),
        ("watts * latency", "nJ"),
        ("watts ^ 2", "J^2/s^2"),
        ("watts ^ -1", "s/J"),
        ("watts ^ 1", "W"),
        ("sqrt(watts ^ 2)", "W"),
        ("sqrt(watts * 1 kW)", "W"),
        ("samples_per_second / cores", "samples/core/s"),
        ("-watts", "W"),
        ("watts + null", "W"),
        ("+watts", "W"),
        ("min(1 kW, watts)", "W"),
        ("coalesce(watts, 0)", "W"),
        ("coalesce(null, watts)", "W"),
        ("if(valid, watts, null)", "W"),
        ("if(valid, 0, watts)", "W"),
        ("round(watts, 1)", "W"),
        ("abs(watts)", "W"),
        ("accuracy - 1%", "percent"),
        ("accuracy ^ 2", "one"),
        ("ln(accuracy)", "one"),
        ("2 ^ accuracy", "one"),
        ("exp(latency / 1 ms)", "one"),
        ("latency / 1 ms", "one"),
        ("watts * accuracy", "W"),
        ("x", "one"),
        ("length(scenario)", "one"),
        ("length(labels)", "one"),
        ("grid", "kgCO2/kWh"),
        ("efficiency", "samples/J"),
        ("twice", "samples/J"),
        ("carbon", "gCO2/Msample"),
        ("cost", "USD/Msample"),
        ("5 Fr", "Fr"),
        ("WATTS", "W"),
        ("`odd name`", "one"),
        ("watts / watts", "one"),
    ],
)
def test_units_come_out(text: str, unit: str) -> None:
    expression = compile_text(text, SCHEMA)
    assert (expression.kind, str(expression.unit)) == (Kind.NUMBER, unit)


@pytest.mark.parametrize(
    "text",
    [
        "watts < 500",
        "latency < 15 ms",
        "15 ms > latency",
        "1 W < watts < 1 kW",
        "watts in (1 W, 1 kW, 7)",
        'scenario in ("Server", "Offline")',
        '"a" in labels',
        'has(labels, "a")',
        'labels == "a"',
        '"a" != labels',
        'labels in ("a", scenario)',
        'labels not in ("a")',
        'labels contains "a"',
        'contains(labels, "a")',
        "valid == power",
        "valid != true",
        "not valid",
        "valid is null",
        "labels is not null",
        "null is null",
        'scenario like "S%"',
        'scenario contains "S"',
        'scenario < "S"',
        'between(scenario, "A", "B")',
        "between(latency, 1 ms, 2 ms)",
        "if(valid, power, null)",
        "coalesce(valid, false)",
        "fast",
        "not fast or efficiency > 3 samples/J",
        "valid and null",
    ],
)
def test_conditions(text: str) -> None:
    expression = compile_text(text, SCHEMA, want=Kind.BOOLEAN)
    assert (expression.kind, expression.unit) == (Kind.BOOLEAN, None)


GOLDEN = [
    (
        "scenari == 1",
        """unknown name 'scenari'; expected scenario or share
  scenari == 1
  ^^^^^^^""",
    ),
    (
        "scenario == Server",
        """unknown name 'Server'; expected share
  scenario == Server
              ^^^^^^""",
    ),
    (
        "watts < 15 ms",
        """W and ms cannot be compared
  watts < 15 ms
        ^""",
    ),
    (
        "watts + latency * 2",
        """W and ns cannot be added
  watts + latency * 2
        ^""",
    ),
    (
        "watts - cores",
        """W and core cannot be subtracted
  watts - cores
        ^""",
    ),
    (
        'watts == "500"',
        """a number in W and a text cannot be compared
  watts == "500"
        ^^""",
    ),
    (
        "watts > 5 foot",
        """unknown unit 'foot'
  watts > 5 foot
            ^^^^""",
    ),
    (
        "watts > 5 Wat",
        """unknown unit 'Wat'; expected watt or watts or W
  watts > 5 Wat
            ^^^""",
    ),
    (
        "mx(watts, 1)",
        """unknown function 'mx'; expected max
  mx(watts, 1)
  ^^""",
    ),
    (
        "round(watts, 1, 2)",
        """round() takes no more than 2 arguments; expected round(x, digits)
  round(watts, 1, 2)
                  ^""",
    ),
    (
        "abs()",
        """abs() needs an argument; expected abs(x)
  abs()
  ^^^""",
    ),
    (
        "if(valid, 1)",
        """if() needs another argument; expected if(condition, a, b)
  if(valid, 1)
  ^^""",
    ),
    (
        "if(watts, 1, 2)",
        """if(): a boolean is needed here, and this is a number in W
  if(watts, 1, 2)
     ^^^^^""",
    ),
    (
        "ln(watts)",
        """ln(): a number without a unit is needed here, and this is in W
  ln(watts)
     ^^^^^""",
    ),
    (
        "sqrt(watts)",
        """sqrt(): there is no square root of W
  sqrt(watts)
       ^^^^^""",
    ),
    (
        "watts ^ 0.5",
        """a number in W is raised to a whole number that is written out, and to nothing else
  watts ^ 0.5
          ^^^""",
    ),
    (
        "watts ^ 13",
        """W to the power of 13 is out of bounds
  watts ^ 13
  ^^^^^^^^^^""",
    ),
    (
        "2 ^ watts",
        """an exponent has no unit, and this is in W
  2 ^ watts
      ^^^^^""",
    ),
    (
        "max(watts, latency)",
        """max(): ns cannot stand beside W
  max(watts, latency)
             ^^^^^^^""",
    ),
    (
        'coalesce(watts, "none")',
        """coalesce(): a number is needed here, and this is a text
  coalesce(watts, "none")
                  ^^^^^^""",
    ),
    (
        "watts == null",
        """comparing with null is never true
  watts == null
           ^^^^""",
    ),
    (
        "labels == 5 W",
        """a list is compared with a text, and this is a number in W
  labels == 5 W
            ^^^""",
    ),
    (
        "labels != labels",
        """a list is compared with a text, and this is a list of texts
  labels != labels
  ^^^^^^""",
    ),
    (
        '"a" < labels',
        """a list has no order
  "a" < labels
      ^""",
    ),
    (
        'labels in ("a", 5)',
        """a text is needed here, and this is a number
  labels in ("a", 5)
                  ^""",
    ),
    (
        "valid < power",
        """conditions have no order
  valid < power
        ^""",
    ),
    (
        "watts and valid",
        """a condition is needed here, and this is a number in W
  watts and valid
  ^^^^^""",
    ),
    (
        "scenario + 1",
        """a number is needed here, and this is a text
  scenario + 1
  ^^^^^^^^""",
    ),
    (
        "valid in (true)",
        """numbers and texts are looked for in a list, and this is a boolean
  valid in (true)
  ^^^^^""",
    ),
    (
        'watts in (1, "a")',
        """a number is needed here, and this is a text
  watts in (1, "a")
               ^^^""",
    ),
    (
        "watts in (1, null)",
        """a number is needed here, and this is null
  watts in (1, null)
               ^^^^""",
    ),
    (
        "watts in (1 ms)",
        """W and ms cannot be compared
  watts in (1 ms)
            ^^^^""",
    ),
    (
        '"a" in scenario',
        """a list is needed behind in, and this is a text
  "a" in scenario
         ^^^^^^^^""",
    ),
    (
        "watts in labels",
        """a text is looked for in this list, and this is a number in W
  watts in labels
  ^^^^^""",
    ),
    (
        'watts like "5%"',
        """a text is needed here, and this is a number in W
  watts like "5%"
  ^^^^^""",
    ),
    (
        "labels contains 5",
        """a text is needed here, and this is a number
  labels contains 5
                  ^""",
    ),
    (
        "length(5)",
        """length(): a text or a list of texts is needed here, and this is a number
  length(5)
         ^""",
    ),
    (
        "round(watts, x)",
        """round(): a number written out is needed here
  round(watts, x)
               ^""",
    ),
    (
        "round(watts, -1)",
        """round(): digits are a whole number from 0 to 15
  round(watts, -1)
               ^^""",
    ),
    (
        "between(valid, true, false)",
        """between(): numbers and texts have an order, nothing else
  between(valid, true, false)
          ^^^^^""",
    ),
    (
        "coalesce(null, null)",
        """coalesce(): of null alone nobody can tell what it is
  coalesce(null, null)
           ^^^^""",
    ),
    (
        "null",
        """of null alone nobody can tell what it is
  null
  ^^^^""",
    ),
    (
        "1e999",
        """this number is too large
  1e999
  ^^^^^""",
    ),
    (
        "max",
        """unknown name 'max'; expected x
  max
  ^^^""",
    ),
    (
        "watts(1)",
        """unknown function 'watts'; expected has or abs
  watts(1)
  ^^^^^""",
    ),
    (
        "mean(watts)",
        """mean() looks at a group of results, and this is read result by result
  mean(watts)
  ^^^^""",
    ),
    (
        "rank(watts) == 1",
        """rank() compares a result with others, which is not possible here
  rank(watts) == 1
  ^^^^""",
    ),
]


@pytest.mark.parametrize(("text", "told"), GOLDEN, ids=[text for text, _ in GOLDEN])
def test_errors_point_at_the_character(text: str, told: str) -> None:
    with pytest.raises(ExpressionError) as caught:
        compile_text(text, SCHEMA)
    assert str(caught.value) == told


@pytest.mark.parametrize(
    ("text", "hint"),
    [
        ("scenario == Server", "a text is written in quotes"),
        ("max", "a function is called: max(a, b, ...)"),
        ("watts(1)", "lists stand behind in, and fields take no arguments"),
        ("watts == null", "write is null or is not null"),
        ("watts in (1, null)", "write or x is null"),
        ('labels like "a"', 'write has(list, "text")'),
        ('labels < "a"', 'write has(list, "text")'),
        ("watts > 5 foot", "an operator is missing if this is no unit"),
        ('"a" in scenario', "write the list in parentheses, as in x in (1, 2)"),
        ("mean(x)", "aggregates stand in the columns of a grouped query"),
    ],
)
def test_errors_say_what_to_do(text: str, hint: str) -> None:
    with pytest.raises(ExpressionError) as caught:
        compile_text(text, SCHEMA)
    assert caught.value.hint == hint


def test_a_long_name_does_not_fill_the_screen() -> None:
    for text in ("x" * 3000, "x" * 3000 + "(1)", "5 " + "x" * 3000):
        with pytest.raises(ExpressionError) as caught:
            compile_text(text, SCHEMA)
        assert len(str(caught.value)) < 400


def test_the_wanted_kind() -> None:
    with pytest.raises(ExpressionError, match="a boolean is needed, and this is a number in W") as caught:
        compile_text("watts", SCHEMA, want=Kind.BOOLEAN)
    assert caught.value.hint == "compare it with something, as in watts < 500"
    with pytest.raises(ExpressionError, match="a number is needed, and this is a text"):
        compile_text("scenario", SCHEMA, want=Kind.NUMBER)
    assert compile_text("null", SCHEMA, want=Kind.TEXT).kind is Kind.TEXT


# --- aggregates and windows ---


@pytest.mark.parametrize(
    ("text", "unit"),
    [
        ("count()", "one"),
        ("count(scenario)", "one"),
        ("count(watts)", "one"),
        ("sum(watts) / count()", "W"),
        ("mean(watts)", "W"),
        ("quantile(latency, 99%)", "ns"),
        ("quantile(latency, 0.9)", "ns"),
        ("largest(watts) - smallest(watts)", "W"),
        ("stddev(watts) / mean(watts)", "one"),
        ("average", "samples/J"),
        ("mean(efficiency)", "samples/J"),
        ("x + mean(x)", "one"),
        ("mean(watts) * grid", "kgCO2/s"),
    ],
)
def test_aggregates(text: str, unit: str) -> None:
    expression = compile_text(text, SCHEMA, context=GROUPED)
    assert (expression.uses_aggregate, expression.uses_window, str(expression.unit)) == (True, False, unit)


@pytest.mark.parametrize(
    ("text", "what"),
    [
        ("watts", "watts has many values in a group"),
        ("efficiency", "samples_per_second has many values in a group"),
        ("mean(sum(watts))", "sum() cannot stand inside another function that looks at many results"),
        ("mean(average)", "mean() cannot stand inside another function that looks at many results"),
        ("rank(watts)", "rank() compares a result with others, which is not possible here"),
        ("quantile(watts, 2)", "quantile(): a quantile is a number from 0 to 1, or from 0% to 100%"),
        ("quantile(watts, -0.1)", "quantile(): a quantile is a number from 0 to 1, or from 0% to 100%"),
        ("quantile(watts, 1 W)", "quantile(): a quantile is a number from 0 to 1, or from 0% to 100%"),
        ("quantile(watts, x)", "quantile(): a number written out is needed here"),
    ],
)
def test_what_a_group_cannot_be_asked(text: str, what: str) -> None:
    with pytest.raises(ExpressionError) as caught:
        compile_text(text, SCHEMA, context=GROUPED)
    assert caught.value.what == what


def test_windows() -> None:
    expression = compile_text("speedup > 2 and rank(watts) <= 3", SCHEMA, context=BESIDE)
    assert (expression.uses_window, expression.uses_aggregate) == (True, False)
    assert str(compile_text("best(watts)", SCHEMA, context=BESIDE).unit) == "W"
    assert str(compile_text("rank(watts)", SCHEMA, context=BESIDE).unit) == "one"
    with pytest.raises(ExpressionError, match="cannot stand inside"):
        compile_text("rank(best(watts))", SCHEMA, context=BESIDE)
    with pytest.raises(ExpressionError, match="needs a baseline, and none is chosen"):
        compile_text("speedup", SCHEMA, context=Context(windows=True))


# --- metrics ---


def test_a_metric_in_its_declared_unit() -> None:
    schema = schema_of(metric("kilo", "watts", "kW"), metric("part", "0.5", "percent"), metric("none", "null", "W"))
    assert compile_text("kilo", schema).evaluate({"watts": 1500.0}) == 1.5
    assert compile_text("kilo > 1", schema).evaluate({"watts": 1500.0}) is True
    assert compile_text("kilo > 1 W", schema).evaluate({"watts": 1500.0}) is True
    assert compile_text("part", schema).evaluate({}) == 0.5
    assert compile_text("none", schema).evaluate({}) is None


def test_a_metric_uses_what_its_metrics_use() -> None:
    expression = compile_text("twice > 1 and fast and carbon > 0 and cost > 0", SCHEMA)
    assert expression.fields == {"samples_per_second", "watts", "latency"}
    assert expression.definitions == {"twice", "efficiency", "fast", "carbon", "cost"}
    assert expression.parameters == {"grid", "price"}
    assert expression.missing == {"price"}


@pytest.mark.parametrize(
    ("definition", "told"),
    [
        (
            metric("bad", "samples_per_second / wats", "samples/J", "m.yaml:7"),
            "m.yaml:7: bad: unknown name 'wats'; expected watts or fast\n  samples_per_second / wats\n"
            "                       ^^^^",
        ),
        (
            metric("bad", "watts +", None, "m.yaml:7"),
            "m.yaml:7: bad: something is missing at the end\n  watts +\n         ^",
        ),
        (
            metric("bad", "watts", "samples/J"),
            "metric bad: the metric is said to be in samples/J, and comes out in W\n  watts\n  ^^^^^",
        ),
        (
            metric("bad", "scenario", "W"),
            "metric bad: the metric is said to be in W, and is a text\n  scenario\n  ^^^^^^^^",
        ),
        (
            metric("bad", "bad + 1"),
            "metric bad: the metric bad is made of itself: bad -> bad\n  bad + 1\n  ^^^",
        ),
    ],
)
def test_a_broken_metric_is_told_in_its_own_text(definition: Definition, told: str) -> None:
    with pytest.raises(ExpressionError) as caught:
        compile_text("1 + bad", schema_of(definition))
    assert str(caught.value) == told


def test_a_cycle_is_told_whole() -> None:
    schema = schema_of(metric("a", "b + 1"), metric("b", "2 * c"), metric("c", "a"), metric("d", "a"))
    with pytest.raises(ExpressionError, match="the metric a is made of itself: a -> b -> c -> a"):
        compile_text("d", schema)


def test_the_error_of_the_user_is_not_the_metrics() -> None:
    with pytest.raises(ExpressionError) as caught:
        compile_text("efficiency + watts", SCHEMA)
    assert (caught.value.where, caught.value.position) == (None, 11)


def test_metrics_of_metrics_do_not_explode() -> None:
    doubling = [metric("d0", "watts")] + [metric(f"d{level}", f"d{level - 1} + d{level - 1}") for level in range(1, 40)]
    started = time.perf_counter()
    with pytest.raises(ExpressionError, match="too large once the metrics in it are written out") as caught:
        compile_text("d39", schema_of(*doubling))
    assert time.perf_counter() - started < 1
    assert caught.value.hint == "give a part of it a name of its own, as a metric"
    assert compile_text("d8", schema_of(*doubling)).evaluate({"watts": 1.0}) == 256


def test_a_long_chain_of_metrics_is_refused_in_time() -> None:
    chain = [metric("c0", "watts")] + [metric(f"c{level}", f"c{level - 1} + 1") for level in range(1, 400)]
    with pytest.raises(ExpressionError, match="too large"):
        compile_text("c399", schema_of(*chain))
    assert compile_text("c20", schema_of(*chain)).evaluate({"watts": 1.0}) == 21


def test_parameters() -> None:
    assert compile_text("share * 2", SCHEMA).evaluate({}) == 1
    assert compile_text("cost", SCHEMA).evaluate({"watts": 1.0, "samples_per_second": 1.0}) is None
    wild = Schema(parameters={"p": Parameter("p", parse_unit("W"), float("nan"))})
    with pytest.raises(ExpressionError, match="the value of p is no number to reckon with"):
        compile_text("p", wild)


def test_names_that_differ_by_case_alone_are_told_apart() -> None:
    schema = Schema(parameters={"a": Parameter("a", None, 1.0), "A": Parameter("A", None, 2.0)})
    assert compile_text("A", schema).evaluate({}) == 2
    schema = Schema(parameters={"ab": Parameter("ab", None, 1.0), "AB": Parameter("AB", None, 2.0)})
    with pytest.raises(ExpressionError, match="unknown name 'Ab'"):
        compile_text("Ab", schema)


# --- any text ---

WORDS = """( ) , + - * / ^ == < and or not in is null like contains true 1 2 W 1e308 5 ms 99% 'a' max( if( round( sqrt(
ln( watts latency x scenario labels valid efficiency grid mean( rank( has("""


@settings(max_examples=200, deadline=None)
@given(
    st.text(max_size=300) | st.lists(st.sampled_from(WORDS.split()), max_size=60).map(" ".join),
    st.sampled_from([Context(), GROUPED, BESIDE]),
)
def test_any_text_is_an_expression_or_an_error_at_a_place_soon(text: str, context: Context) -> None:
    started = time.perf_counter()
    try:
        expression = compile_text(text, SCHEMA, context=context)
    except ExpressionError as error:
        assert 0 <= error.position <= len(error.text)
        assert str(error)
    else:
        sql = expression.sql()
        assert sql.text.count("?") == len(sql.parameters)
    assert time.perf_counter() - started < 1
