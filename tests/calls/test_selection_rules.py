"""The rules of selection as a value of a call: read, written back, in words, and nothing where a call says nothing."""

from __future__ import annotations

import pytest

from grants.calls.rules import SelectionRules, StrandRule, read_call_file
from grants.calls.rules.writing import call_file
from grants.core.errors import Problems
from grants.core.money import euros
from tests.calls.test_call_files import CALL_2022

SAID = """
  selection:
    fund_what_fits: true
    reserve_max: 10
    country_max: 3
    country_amount_max: 4500000
    countries_min: 12
    small_cities_min: 2
    one_per_city: true
    amounts: true
    places: true
    strands:
    - name: Small
      asked_max: 600000
      ceiling: 5000000
"""
RULES = SelectionRules(
    fund_what_fits=True, reserve_max=10, country_max=3, country_amount_max=euros(4_500_000), countries_min=12,
    small_cities_min=2, one_per_city=True, amounts=True, places=True, strands=(StrandRule("Small", euros(600_000), euros(5_000_000)),),
)  # fmt: skip


def with_rules(text: str = SAID) -> str:
    return CALL_2022.replace("\nevaluation:\n", f"\nevaluation:\n{text.lstrip(chr(10))}", 1)


def test_a_file_gives_the_rules_and_is_written_back_as_they_are() -> None:
    read = read_call_file(with_rules())

    written = call_file(read.fields, (), (), "Europe/Brussels")

    assert read.value("evaluation.selection") == RULES
    assert read_call_file(written).value("evaluation.selection") == RULES


def test_a_call_that_says_nothing_knows_rank_and_budget_alone() -> None:
    assert read_call_file(CALL_2022).value("evaluation.selection") is None
    assert SelectionRules().is_plain
    assert not RULES.is_plain


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("    countries_min: 0\n", "from 1 to 100"),
        ("    line: stop\n", "is not known here"),
        ("    strands:\n    - name: Small\n      ceiling: 5\n", "is missing"),
    ],
)
def test_a_rule_out_of_range_is_refused_with_its_place(line: str, words: str) -> None:
    with pytest.raises(Problems) as error:
        read_call_file(with_rules("\n  selection:\n" + line))

    said = " ".join(f"{each.place} {each.message}" for each in error.value.found)
    assert "evaluation.selection" in said
    assert words in said


def test_the_rules_stand_in_words() -> None:
    assert RULES.sentences[4] == "At least 2 cities with fewer than 100000 inhabitants are among them."
    assert RULES.sentences[6].startswith("Small: applications that ask for up to EUR 600\u00a0000")


def test_an_application_lies_in_the_strand_it_does_not_exceed() -> None:
    rules = SelectionRules(strands=(StrandRule("L", euros(900), euros(1)), StrandRule("S", euros(300), euros(1))))

    assert [each and each.name for each in map(rules.strand_of, (euros(300), euros(301), euros(901)))] == [
        "S",
        "L",
        None,
    ]


def test_what_a_line_means_beside_other_rules_is_published() -> None:
    strands = (StrandRule("Small", euros(100), euros(300)),)
    stops = SelectionRules(strands=strands, country_max=2, countries_min=3, amounts=True).sentences
    for said in (
        "An application lies in a strand by what it asked for; where less is recommended, that counts against the strand.",
        "A strand stops by itself, at its first application that asks for more than is left of it; the others go on.",
        "An application that another rule than the money keeps out does not stop the selection.",
    ):
        assert said in stops
    assert any(said.startswith("Where the selection stops, as few applications as") for said in stops)
    # Nothing stops where what fits is selected.
    skips = SelectionRules(fund_what_fits=True, strands=strands, country_max=2, countries_min=3).sentences
    assert not any("stop" in said for said in skips)
