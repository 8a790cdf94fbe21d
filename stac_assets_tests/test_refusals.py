"""Which documents a destination cannot hold: what is looked for is found wherever it is, and nothing else."""

import json
from typing import Any

import msgspec
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from stac_assets.source.dialects import dialect_of
from stac_assets.source.limits import refusal
from stac_assets.stac.documents import Item

DIGEST = "6e1234567890123456789012345f00e0000e9999-1e5555.0e1234"
"""A text that has parts which a number could have."""
BLANKS = st.sampled_from(["", " ", "\n", "\t", "\r\n", "  "])


def an_item(member: str) -> Item:
    """An item one of whose members is some JSON text."""
    return msgspec.json.decode(f'{{"id":"a","properties":{member},"type":"Feature"}}', type=Item)


def refused(member: str, destination: str) -> str | None:
    """Why a destination refuses the item with such a member."""
    return refusal(an_item(member), dialect_of(destination))


def around(literal: str, blank: str = "") -> list[str]:
    """JSON texts in which a number stands in every place where one may stand."""
    return [
        f"{blank}{literal}{blank}",
        f"[{blank}{literal}]",
        f"[0,{blank}{literal},1]",
        f'{{"{DIGEST}":{blank}{literal}{blank}}}',
        f'{{"a":["{DIGEST}",{{"b":{blank}{literal}}}]}}',
    ]


@given(
    minus=st.sampled_from(["", "-"]),
    whole=st.from_regex(r"0|[1-9][0-9]{0,3}", fullmatch=True),
    fraction=st.sampled_from(["", "5", "025", "3" * 9_998, "3" * 16_383, "3" * 16_384]),
    exponent=st.none() | st.integers(-20_000, 20_000) | st.sampled_from([-(10**9), 10**9, 10**9 + 1]),
    letter=st.sampled_from("eE"),
    plus=st.booleans(),
    blank=BLANKS,
)
@example("", "1", "", -16_384, "e", False, "")
@example("-", "0", "", 10**9 + 1, "E", True, " ")
def test_postgres_refuses_a_number_that_numeric_cannot_hold(
    minus: str, whole: str, fraction: str, exponent: int | None, letter: str, plus: bool, blank: str
) -> None:
    literal = minus + whole + ("." + fraction if fraction else "")
    if exponent is not None:
        literal += letter + ("+" if plus and exponent >= 0 else "") + str(exponent)
    power = exponent or 0
    beyond = len(fraction) - power > 16_383 or power > 10**9
    for member in around(literal, blank):
        assert (refused(member, "postgres") is not None) is beyond, member[:200]


@given(st.integers(-(10**45), 10**45) | st.integers(-(2**66), 2**66), BLANKS)
@example(2**64, "")
@example(2**64 - 1, "")
@example(-(2**63) - 1, " ")
def test_bigquery_refuses_an_integer_that_its_json_cannot_hold(number: int, blank: str) -> None:
    beyond = not -(2**63) <= number < 2**64
    for member in around(str(number), blank):
        assert (refused(member, "bigquery") is not None) is beyond, member


@pytest.mark.parametrize("destination", ["redshift", "bigquery", "snowflake", "databricks"])
@pytest.mark.parametrize("opened", ["[", '{"a":'])
def test_warehouses_refuse_what_is_nested_deeper_than_they_can_hold(destination: str, opened: str) -> None:
    closed = {"[": "]", '{"a":': "}"}[opened]
    text = json.dumps("[{" * 400)
    assert refused(opened * 500 + text + closed * 500, destination) is None
    assert "more than 500 levels" in (refused(opened * 501 + text + closed * 501, destination) or "")
    many = f"[{','.join([opened + '1' + closed] * 600)}]"
    assert refused(many, destination) is None


@pytest.mark.parametrize("destination", ["postgres", "redshift", "bigquery", "snowflake", "databricks"])
def test_what_looks_like_a_number_in_a_text_is_none(destination: str) -> None:
    texts = [
        DIGEST,
        DIGEST * 50,
        "12345678901234567890123",
        "1e99999",
        "a: 1e99999",
        "x,-12345678901234567890",
    ]
    for text in [*texts, "0" * 100_000, "-" * 300, "." * 20_000 + "e12345"]:
        assert refused(json.dumps({"a": [text], text: 1}), destination) is None, text[:50]


@pytest.mark.parametrize(
    ("text", "is_nul"),
    [
        (r'"a\u0000"', True),
        (r'"\\\u0000"', True),
        (r'"\\u0000"', False),
        (r'"\\\\u0000 \u0000"', True),
        (r'"\u00000"', True),
        (r'"\u0001 u0000"', False),
        (r'{"\u0000":1}', True),
    ],
)
def test_a_nul_is_found_however_it_is_escaped(text: str, is_nul: bool) -> None:
    for destination, refuses in {
        "postgres": True,
        "redshift": True,
        "bigquery": False,
        "duckdb": False,
    }.items():
        assert (refused(text, destination) is not None) is (is_nul and refuses), destination


def test_a_nul_in_the_name_of_a_member_is_found() -> None:
    item: Any = msgspec.json.decode(rb'{"id":"a","x\u0000":1}', type=Item)
    assert refusal(item, dialect_of("postgres")) is not None
