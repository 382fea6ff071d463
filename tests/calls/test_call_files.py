"""Call files: the real one, everything that can be wrong with one and where, the template, what keeps a call back."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime
from fractions import Fraction

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from grants.budgets.rules import CategoryLimit, LumpSum, UnitCost
from grants.calls import rules
from grants.calls.rules import FIELDS, NOT_FOUND, Funding, Opening, Sourced, Thresholds
from grants.calls.states import Confidence, FundingForm, NoProfit
from grants.core import yaml_schema
from grants.core.errors import Problems
from grants.core.money import Money, euros
from tests.calls.scene import CALL_2022, DATA

TEMPLATE = rules.read_template((DATA / "horizon_like.yaml").read_text(encoding="utf-8"))
LEAST = "schema_version: 1\ncall: {id: X-1, title: A call}\n"


def problems(text: str) -> list[tuple[str, str]]:
    with pytest.raises(Problems) as refused:
        rules.read_call_file(text)
    return [(problem.place, problem.message) for problem in refused.value.found]


# --- the real file ------------------------------------------------------------------------------------------------


def test_the_real_file_is_read_with_its_confidences() -> None:
    file = rules.read_call_file(CALL_2022)

    assert file.fields["budget.total"] == Sourced(euros(32_000_000), Confidence.SEEN)
    assert file.fields["funding_rate_percent"].confidence is Confidence.SECONDARY
    assert file.fields["eligibility.criteria"].confidence is Confidence.INFERRED
    assert file.fields["dates.opens"].value == Opening(date(2022, 9, 5))
    assert file.zone == "Europe/Brussels"


def test_null_means_not_found_and_keeps_its_note() -> None:
    found = rules.read_call_file(CALL_2022).fields["indirect_costs.flat_rate_percent"]

    assert (found.value, found.confidence) == (None, Confidence.NOT_FOUND)
    assert (
        found.note
        == "Horizon practice is 25% of direct costs without subcontracting and FSTP; make it a call parameter"
    )


def test_sentences_with_commas_are_put_together_again_and_said() -> None:
    file = rules.read_call_file(CALL_2022)

    assert file.fields["dates.pilots_start"].note == (
        "sources differ (May, June, mid-2023); the pilot agreements were signed one by one"
    )
    assert [note for note in file.notes if note.startswith("Line 49:")] == [
        "Line 49: a text with commas was read as one text. Put it in quotes to be sure."
    ]


def test_the_smallest_file_is_a_name_and_a_title() -> None:
    file = rules.read_call_file(LEAST)

    assert {path for path, found in file.fields.items() if found != NOT_FOUND} == {"call.id", "call.title"}
    assert (file.zone, file.deadlines, file.documents) == ("Europe/Brussels", (), ())


# --- everything that can be wrong, with its place -----------------------------------------------------------------

WRONG = [
    ("budgett: {total: 5}", "budgett (line 3)", "is not known here. Did you mean “budget”?"),
    ("budget: {totl: 5}", "budget.totl (line 3)", "is not known here. Did you mean “total”?"),
    ("budget: {total: {value: 5, sorce: x}}", "budget.total.sorce (line 3)", "Did you mean “source”?"),
    ("budget: 5", "budget (line 3)", "must be a group of values, not a number."),
    ("budget: {total: much}", "budget.total (line 3)", "“much” is not an amount."),
    ("budget: {total: -5}", "budget.total (line 3)", "The amount is below zero."),
    ("budget: {total: 0}", "budget.total (line 3)", "is zero."),
    ("budget: {total: 1.234}", "budget.total (line 3)", "write euros with two decimals, or the amount in quotes"),
    ("budget: {total: .nan}", "budget.total (line 3)", "is .nan; write euros"),
    ("budget: {total: .inf}", "budget.total (line 3)", "is .inf; write euros"),
    ("budget: {total: 1e6}", "budget.total (line 3)", "“1e6” is not an amount"),
    ("budget: {total: true}", "budget.total (line 3)", "must be an amount in euros, not yes or no"),
    ("budget: {total: [5]}", "budget.total (line 3)", "must be an amount in euros, not a list"),
    ("budget: {total: " + "9" * 5000 + "}", "budget.total (line 3)", "has 5000 characters"),
    ("budget: {currency: SEK}", "budget.currency (line 3)", "calls are kept in euros"),
    ("budget: {expected_awards: 2.5}", "budget.expected_awards (line 3)", "must be a whole number"),
    ("budget: {expected_awards: -1}", "budget.expected_awards (line 3)", "from 1 to 10000"),
    ("duration_months: two years", "duration_months (line 3)", "must be a whole number, not text “two years”."),
    ("duration_months: 0", "duration_months (line 3)", "from 1 to 120"),
    ("duration_months: 030", "duration_months (line 3)", "from 1 to 120"),
    ("duration_months: {value: null, confidence: seen}", "duration_months (line 3)", "gives no value"),
    ("duration_months: {value: 24, confidence: not_found}", "duration_months (line 3)", "Keep one of the two."),
    ("duration_months: {value: 24, confidence: sure}", "duration_months.confidence (line 3)", "is “sure”"),
    ("duration_months: {value: 24, confidence: template}", "duration_months.confidence (line 3)", "is “template”"),
    ("duration_months: {month: 24}", "duration_months.month (line 3)", "is not known here"),
    ("funding_rate_percent: 101", "funding_rate_percent (line 3)", "must be a number from 1 to 100"),
    ("grant_bands_eur: {code: S, amount: 5}", "grant_bands_eur.code (line 3)", "is not known here"),
    ("grant_bands_eur: [{code: S}]", "grant_bands_eur[0].amount (line 3)", "is missing."),
    ("grant_bands_eur: [{code: S, amount: 5}, null]", "grant_bands_eur[1] (line 3)", "is empty."),
    ("grant_bands_eur: [5]", "grant_bands_eur[0] (line 3)", "must be a group of values, not a number."),
    ("grant_bands_rule: about", "grant_bands_rule (line 3)", "it may be ceiling, exact"),
    ("dates: {timezone: Europe/Brusels}", "dates.timezone (line 3)", "is not a time zone"),
    ("dates: {opens: {local: 2022-13-05}}", "dates.opens.local (line 3)", "is not a day"),
    ("dates: {opens: {local: 2022-09-05, time: '25:00'}}", "dates.opens.time (line 3)", "is not a time"),
    ("dates: {deadline_original: {iso: '2022-11-04T23:59:00'}}", "dates.deadline_original.iso (line 3)", "has no zone"),
    (
        "dates: {deadline_original: {iso: '2022-07-04T12:00:00+01:00'}}",
        "dates.deadline_original.iso (line 3)",
        "Europe/Brussels is at +02:00 then (CEST). Write the instant people can rely on: 2022-07-04T13:00:00+02:00.",
    ),
    (
        "dates: {deadline_original: {local: '2027-03-28 02:30'}}",
        "dates.deadline_original.local (line 3)",
        "does not exist in Europe/Brussels",
    ),
    (
        "dates: {deadline_original: {local: '2026-10-25 02:30'}}",
        "dates.deadline_original.local (line 3)",
        "happens twice in Europe/Brussels",
    ),
    (
        "dates: {deadline_original: {local: '2026-10-25 12:00', iso: '2026-10-25T12:00:00+01:00'}}",
        "dates.deadline_original (line 3)",
        "Keep one.",
    ),
    (
        "dates:\n  deadline_original: {local: '2026-10-25 12:00'}\n  deadline_extended: {local: '2026-10-24 12:00'}",
        "dates.deadline_extended (line 5)",
        "is not later than the first deadline",
    ),
    ("eligibility: {criteria: [{no: 1}]}", "eligibility.criteria[0].rule (line 3)", "is missing."),
    ("eligibility: {criteria: [{rule: x, kind: maybe}]}", "eligibility.criteria[0].kind (line 3)", "is “maybe”"),
    (
        "eligibility: {criteria: [{rule: x, country_examples: [NO]}]}",
        "eligibility.criteria[0].country_examples[0] (line 3)",
        "must be text, not yes or no “NO”. Write it in quotes.",
    ),
    ("submission: {language: Klingon}", "submission.language (line 3)", "is no language this program knows"),
    ("evaluation: {scale: {max: 5, step: 0.3}}", "evaluation.scale.step (line 3)", "points come in halves"),
    ("evaluation: {thresholds: {each: 3, all: 10}}", "evaluation.thresholds.all (line 3)", "is not known here"),
    ("evaluation: {weights: {excellence: heavy}}", "evaluation.weights.excellence (line 3)", "must be a number"),
    ("evaluation: {evaluators_per_application: 10}", "evaluation.evaluators_per_application (line 3)", "from 1 to 9"),
    (
        "payment: {tranches: [{key: a, kind: gift, label: A, condition: b}]}",
        "payment.tranches[0].kind (line 3)",
        "gift",
    ),
    ("reporting: {interim_report: {timing: x}}", "reporting.interim_report.required (line 3)", "is missing."),
    ("reporting: {interim_report: {required: often}}", "reporting.interim_report.required (line 3)", "true or false"),
    (
        "document_versions: [{version: 1.0, date: 2022-01-01, kind: x}]",
        "document_versions[0].version (line 3)",
        "quotes",
    ),
    (
        "application_form: {sections: [{key: a, title: A, questions: [{key: b, label: B, kind: essay}]}]}",
        "application_form.sections[0].questions[0].kind (line 3)",
        "is “essay”",
    ),
    ("budget: {total: 5, total: 6}", "budget.total (line 3)", "stands here twice"),
    ("? [a, b]\n: 5", "the file (line 3)", "has a key that is not a word"),
    ("call: {id: X-2, title: B}", "call (line 3)", "stands here twice"),
]


@pytest.mark.parametrize(("extra", "place", "words"), WRONG, ids=[place for _, place, _ in WRONG])
def test_what_is_wrong_is_named_with_its_place(extra: str, place: str, words: str) -> None:
    found = problems(LEAST + extra + "\n")

    assert [where for where, _ in found][:1] == [place]
    assert words in found[0][1]


def test_every_problem_is_listed_at_once() -> None:
    text = LEAST + "duration_months: long\nbudget: {total: much, sum: 5}\ngrant_bands_eur: [{code: S}]\n"

    assert [place for place, _ in problems(text)] == [
        "duration_months (line 3)",
        "budget.sum (line 4)",
        "budget.total (line 4)",
        "grant_bands_eur[0].amount (line 5)",
    ]


@pytest.mark.parametrize(
    ("text", "place", "words"),
    [
        ("", "the file", "is empty."),
        ("# nothing\n", "the file", "is empty."),
        ("- a\n- b\n", "the file (line 1)", "must be a group of values, not a list."),
        ("call: {id: X, title: [", "line 1", "cannot be read here"),
        ("call: {id: X\x00}", "the file", "a character that does not belong in text"),
        ("a: &x 5\nb: *x\n", "line 2", "repeats “x” by reference"),
        (LEAST + "---\ncall: {}\n", "line 3", "begins a second document"),
        ("a: " + "[" * 40 + "]" * 40, "line 1", "is nested deeper than 20 levels"),
        ("a: [" + "1, " * 21_000 + "1]", "line 1", "is beyond 20,000 values"),
        ("#" * 200_001, "the file", "has 200,001 bytes; the limit is 200,000"),
        ("call: {id: X, title: Y}\n", "schema_version (line 1)", "is missing: this program reads version 1."),
        (
            "schema_version: 2\ncall: {id: X, title: Y}\n",
            "schema_version (line 1)",
            "is 2; this program reads version 1.",
        ),
        ("schema_version: 1\n", "call.id (line 1)", "is missing: a call needs the identifier."),
        ("schema_version: 1\ncall: {id: 7, title: Y}\n", "call.id (line 2)", "must be text, not a number “7”"),
        ("schema_version: 1\ncall: {id: !!python/object:os.system x, title: Y}\n", "call.id (line 2)", "must be text"),
    ],
)
def test_a_file_that_is_no_call_is_refused_with_the_line(text: str, place: str, words: str) -> None:
    found = problems(text)

    assert found[0][0] == place
    assert words in found[0][1]


def test_a_bomb_of_references_is_refused_before_it_grows() -> None:
    lines = ["a0: &a0 [x, x]"] + [f"a{n}: &a{n} [*a{n - 1}, *a{n - 1}]" for n in range(1, 30)]

    assert len(problems("\n".join(lines))) == 51


def test_a_long_text_is_refused_with_the_limit() -> None:
    (found,) = problems(f"schema_version: 1\ncall: {{id: X, title: {'a' * 4001}}}\n")

    assert found == ("call.title (line 2)", "has 4001 characters; the limit is 4000. Shorten it.")


@given(st.text(max_size=300))
@settings(max_examples=150, deadline=None)
def test_no_text_at_all_brings_the_reader_down(text: str) -> None:
    try:
        rules.read_call_file(text)
    except Problems as refused:
        assert refused.found


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8) | st.dates(),
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=6), inner, max_size=3),
        max_leaves=12,
    ),
    st.sampled_from(sorted(FIELDS)),
)
@settings(max_examples=150, deadline=None)
def test_any_value_anywhere_is_read_or_refused_with_its_place(value: object, path: str) -> None:
    whole: dict[str, object] = {"schema_version": 1, "call": {"id": "X", "title": "Y"}}
    *groups, leaf = path.split(".")
    inside = whole
    for group in groups:
        inside = inside.setdefault(group, {})
    inside[leaf] = value
    text = yaml.safe_dump(whole, allow_unicode=True)
    try:
        file = rules.read_call_file(text)
    except Problems as refused:
        assert refused.found and all(problem.place and problem.message for problem in refused.found)
    else:
        assert rules.from_json(json.loads(json.dumps(rules.to_json(file.fields)))) == dict(file.fields)


# --- values at rest, template -------------------------------------------------------------------------------------


def test_values_come_back_as_they_were_kept() -> None:
    fields, _ = rules.filled(rules.read_call_file(CALL_2022).fields, TEMPLATE)

    assert rules.from_json(json.loads(json.dumps(rules.to_json(fields)))) == fields


def test_the_template_never_touches_what_was_found() -> None:
    file = rules.read_call_file(CALL_2022)
    fields, paths = rules.filled(file.fields, TEMPLATE)

    assert {path: found for path, found in fields.items() if path not in paths} == {
        path: found for path, found in file.fields.items() if path not in paths
    }
    assert paths and all(file.fields[path].value is None and fields[path].from_template for path in paths)


def test_filling_twice_changes_nothing() -> None:
    once, _ = rules.filled(rules.read_call_file(CALL_2022).fields, TEMPLATE)

    assert rules.filled(once, TEMPLATE) == (once, ())


def test_the_template_alone_makes_no_call_complete() -> None:
    fields, _ = rules.filled(rules.read_call_file(LEAST).fields, TEMPLATE)

    assert [problem.place for problem in rules.missing(fields, ())] == [
        "Opens",
        "Length of a pilot in months",
        "Money for the whole call",
        "Award amounts",
        "Deadline",
    ]


def test_every_needed_value_that_is_not_a_fact_of_one_call_is_in_the_template() -> None:
    facts = {"dates.opens", "duration_months", "budget.total", "grant_bands_eur"}

    assert {path for path, entry in FIELDS.items() if entry.needed} - set(TEMPLATE) == facts


# --- what keeps a call back ---------------------------------------------------------------------------------------


def changed(**values: object) -> list[str]:
    """The places of what does not fit once values of the complete 2022 call are replaced."""
    file = rules.read_call_file(CALL_2022)
    fields, _ = rules.filled(file.fields, TEMPLATE)
    for path, value in values.items():
        fields[path.replace("__", ".")] = Sourced(value, Confidence.STATED)
    return [problem.place for problem in rules.publish_problems(fields, file.deadlines, file.zone)]


def test_the_complete_call_has_no_contradiction() -> None:
    assert changed() == []


@pytest.mark.parametrize(
    ("values", "place"),
    [
        ({"budget__total": euros(1_000_000)}, "Award amounts"),
        ({"financial_support__maximum_per_recipient": euros(60_000)}, "Most for one recipient"),
        ({"evaluation__tie_break": ("beauty",)}, "Order for ties"),
        ({"evaluation__thresholds": Thresholds(each_half=11)}, "Thresholds"),
        ({"evaluation__thresholds": Thresholds(total_half=31)}, "Thresholds"),
        ({"payment__interim_ceiling_percent": Fraction(30)}, "Pre-financing"),
        ({"payment__prefinancing_percent": Fraction(50)}, "Instalments"),
        ({"duration_months": 17}, "Milestones every pilot has"),
        ({"dates__opens": Opening(date(2022, 12, 1))}, "Deadline"),
        ({"evaluation__criteria": (rules.Criterion("one", "One", "?"),)}, "Order for ties"),
        ({"indirect_costs__flat_rate_percent": Fraction(0)}, "budget.flat_rate"),
        (
            {
                "payment__funding": Funding(FundingForm.FLAT_RATE),
                "indirect_costs__flat_rate_percent": Fraction(0),
            },
            "Form of funding",
        ),
        ({"payment__funding": Funding(FundingForm.LUMP_SUM)}, "Form of funding"),
        (
            {
                "payment__funding": Funding(FundingForm.LUMP_SUM, NoProfit.WHOLE),
                "budget_grid__by_work_package": True,
            },
            "Form of funding",
        ),
        (
            {
                "payment__funding": Funding(FundingForm.LUMP_SUM, certificate_from=euros(430_000)),
                "budget_grid__by_work_package": True,
            },
            "Form of funding",
        ),
        (
            {"payment__funding": Funding(guarantee=True), "payment__prefinancing_percent": Fraction(0)},
            "Form of funding",
        ),
    ],
)
def test_values_that_do_not_fit_together_keep_a_call_back(values: dict[str, object], place: str) -> None:
    assert place in changed(**values)


@pytest.mark.parametrize(
    "funding",
    [
        Funding(),
        Funding(FundingForm.FLAT_RATE, NoProfit.SHARE, euros(430_000), guarantee=True),
        Funding(FundingForm.LUMP_SUM, guarantee=True),
    ],
)
def test_a_form_of_funding_that_fits_keeps_no_call_back(funding: Funding) -> None:
    found = changed(payment__funding=funding, budget_grid__by_work_package=True)

    assert "Form of funding" not in found


def test_more_than_sixty_thousand_for_one_recipient_needs_a_reason() -> None:
    file = rules.read_call_file(CALL_2022)
    fields, _ = rules.filled(file.fields, TEMPLATE)
    fields["financial_support.maximum_reason"] = NOT_FOUND

    assert [problem.place for problem in rules.publish_problems(fields, file.deadlines, file.zone)] == [
        "Why more than EUR 60 000"
    ]


def test_the_five_points_of_support_are_looked_at_one_by_one() -> None:
    draft = rules.support_points(rules.read_call_file(CALL_2022).fields)
    complete = rules.support_points(rules.filled(rules.read_call_file(CALL_2022).fields, TEMPLATE)[0])

    assert [point.fixed for point in draft] == [False, True, False, False, False]
    assert [point.fixed for point in complete] == [True] * 5


# --- words --------------------------------------------------------------------------------------------------------


def test_every_value_has_words() -> None:
    fields, _ = rules.filled(rules.read_call_file(CALL_2022).fields, TEMPLATE)
    words = {fact.key: fact.text for fact in rules.facts_of(fields)}

    assert words["funding_rate_percent"] == "100\u00a0%"
    assert words["evaluation.thresholds"] == "3 for each criterion, 10 in all"
    assert words["evaluation.scale"] == "0 to 5 in steps of 0.5"
    assert words["submission.language"] == "English"
    assert words["application_form.sections"] == "9 sections, 31 questions"
    assert words["grant_cap_per_legal_entity"] == "Not found"


def test_a_source_by_its_short_name_becomes_an_address() -> None:
    text = LEAST.replace("title: A call}", "title: A call, sources: {page: 'https://example.eu/call'}}")
    file = rules.read_call_file(text + "duration_months: {value: 24, confidence: seen, source: page}\n")
    (fact,) = [fact for fact in rules.facts_of(file.fields) if fact.key == "duration_months"]

    assert (fact.source, fact.address) == ("https://example.eu/call", "https://example.eu/call")


def test_a_weight_serves_one_criterion_and_a_threshold_may_too() -> None:
    file = rules.read_call_file(
        LEAST
        + "evaluation:\n"
        + "  criteria: [{key: a, name: A, question: a}, {key: b, name: B, question: b}]\n"
        + "  weights: {a: 1.5}\n"
        + "  thresholds: {each: 3, criteria: {b: 4}, total: 6.5}\n"
    )
    content = rules.content_of(file.fields)

    assert [(each.weight, each.threshold_half) for each in content.criteria] == [(Fraction(3, 2), 6), (1, 8)]
    assert content.total_threshold_half == 13


def test_a_time_without_quotes_is_a_time_and_not_a_number() -> None:
    file = rules.read_call_file(LEAST + "dates: {opens: {local: 2022-09-05, time: 12:00}}\n")

    assert rules.opens_at(file.fields, file.zone) == datetime(2022, 9, 5, 10, 0, tzinfo=UTC)


@pytest.mark.parametrize("written", ["32000000", "32_000_000", "'32 000 000'", "'32.000.000,00'", "32000000.00"])
def test_an_amount_is_read_in_every_european_way(written: str) -> None:
    file = rules.read_call_file(LEAST + f"budget: {{total: {written}}}\n")

    assert file.value("budget.total") == Money(3_200_000_000)


@pytest.mark.parametrize("written", ["English", "english", "en"])
def test_a_language_is_kept_as_its_code(written: str) -> None:
    assert rules.read_call_file(LEAST + f"submission: {{language: {written}}}\n").value("submission.language") == "en"


def test_the_limits_are_those_the_import_page_names() -> None:
    assert (yaml_schema.FILE_BYTES_MAX, rules.SCHEMA_VERSION) == (200_000, 1)


# --- the budget's own rules -------------------------------------------------------------------------------------

OF_BUDGETS = """
budget_limits:
  - {category: B, share_percent: 30}
  - {category: C1, amount: 20000}
budget_grid: {by_work_package: true, period_months: 12}
lump_sums:
  - {work_package: WP1, title: Listen, amount: 40000}
grant_cap_per_legal_entity: 900000
duration_months: 24
unit_costs:
  - {category: B, unit: trainee day, rate: 350, decimals: 1}
"""


def test_the_rules_of_a_budget_are_data_of_the_call() -> None:
    read = rules.read_call_file(LEAST + OF_BUDGETS)

    budget = rules.content_of(read.fields).budget_rules

    assert budget.limits == (CategoryLimit("B", Fraction(3, 10)), CategoryLimit("C1", amount_max=euros(20_000)))
    assert (budget.by_work_package, budget.periods) == (True, (1, 2))
    assert budget.lump_sums == (LumpSum("WP1", "Listen", euros(40_000)),)
    assert budget.organisation_max == euros(900_000)
    words = {fact.key: fact.text for fact in rules.facts_of(read.fields)}
    assert words["budget_limits"] == "B: at most 30\u00a0% of the total; C1: at most EUR 20\u00a0000.00"
    assert words["lump_sums"] == "WP1 Listen: EUR 40\u00a0000.00"
    assert budget.unit_costs == (UnitCost("B", "trainee day", euros(350), decimals=1),)
    assert words["unit_costs"] == "B: EUR 350.00 per trainee day"


@pytest.mark.parametrize("sign", ["\\0", "\\ud800", "\\e", "\\x7f"])
@pytest.mark.parametrize(
    "text",
    [
        'schema_version: 1\ncall: {id: X-1, title: "A SIGN call"}\n',
        LEAST + 'eligibility:\n  country_lists: {"aSIGN": [SI]}\n',
    ],
)
def test_a_sign_no_text_has_is_refused_with_its_line(text: str, sign: str) -> None:
    ((place, message),) = problems(text.replace("SIGN", sign))

    assert place.startswith("line") and "a sign that no text has" in message
