"""Where an answer stands on a day, what each kind needs, and what aid the ceiling allows; without a database."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from grants.agreements import rules
from grants.agreements.rules import (
    AidOfYear,
    AnswerView,
    Asked,
    ConditionInput,
    ConsortiumAgreement,
    Content,
    CouncilDecision,
    DoubleFunding,
    ExclusionDeclaration,
    FinancialCapacity,
    Party,
    PowerToSign,
    SanctionsCheck,
    StateAid,
    Tick,
    VerdictView,
)
from grants.agreements.states import AidKind, CheckAnswer, ConditionKey, ConditionStanding, ConsortiumStage, Verdict
from grants.core import encoding
from grants.core.errors import Conflict, Invalid, NotFound, Refused
from grants.core.money import Money, euros
from grants.identity.rules import Fact, FactLine
from grants.identity.states import FactKind

TODAY = date(2024, 5, 15)
AT = datetime(2024, 5, 2, 9, tzinfo=UTC)
CITY, PARTNER, ANA = UUID(int=1), UUID(int=2), UUID(int=9)
K, S = ConditionKey, ConditionStanding
POWER = PowerToSign(ANA, "Ana", "Mayor", "Statute")
WHOLE: dict[ConditionKey, Content] = {
    K.POWER_TO_SIGN: POWER,
    K.COUNCIL_DECISION: CouncilDecision(True, "Council"),
    K.EXCLUSION: ExclusionDeclaration("Ana", "Mayor"),
    K.SANCTIONS: SanctionsCheck("EU list", "The city", "No match"),
    K.CONSORTIUM_AGREEMENT: ConsortiumAgreement(ConsortiumStage.SIGNED, TODAY),
    K.FINANCIAL_CAPACITY: FinancialCapacity("Accounts", True),
    K.STATE_AID: StateAid(AidKind.NONE, "No market"),
    K.DOUBLE_FUNDING: DoubleFunding(False),
}


def answer(
    key: ConditionKey = K.EXCLUSION,
    organisation_id: UUID | None = CITY,
    content: Content | None = None,
    *,
    number: int = 1,
    said: Verdict | None = None,
    valid: tuple[date, date | None] | None = None,
) -> AnswerView:
    verdict = VerdictView(said, "Words", "Otto", AT) if said else None
    begins, ends = valid or (None, None)
    return AnswerView(
        UUID(int=100 + number), key, organisation_id, number, content or WHOLE[key], TODAY, begins, ends, ANA, "Ana",
        AT, None, verdict,
    )  # fmt: skip


def asked(key: ConditionKey, tick: Tick | None = None) -> Asked:
    return Asked(key, "Label", None, 1, tick)


def party(organisation_id: UUID = CITY, *facts: Fact, maximum: Money | None = None) -> Party:
    return Party(
        organisation_id, f"City {organisation_id.int}", maximum or euros(100_000), organisation_id == CITY, facts
    )


def fact(kind: FactKind, value: str, validated: date | None = date(2024, 1, 1), until: date | None = None) -> Fact:
    line = FactLine(CITY, 1, kind, value, "Register", ANA, "Otto", AT, validated, until)
    return Fact(kind, value, line, line if validated else None)


@pytest.mark.parametrize(
    ("said", "valid", "stands"),
    [
        (None, None, S.ANSWERED),
        (Verdict.RETURNED, None, S.RETURNED),
        (Verdict.ACCEPTED, None, S.ACCEPTED),
        (Verdict.ACCEPTED, (TODAY, None), S.ACCEPTED),
        (Verdict.ACCEPTED, (date(2024, 5, 16), None), S.NOT_IN_TIME),
        (Verdict.ACCEPTED, (date(2024, 1, 1), date(2024, 5, 16)), S.ACCEPTED),
        (Verdict.ACCEPTED, (date(2024, 1, 1), TODAY), S.NOT_IN_TIME),
        (Verdict.RETURNED, (date(2024, 1, 1), TODAY), S.RETURNED),
    ],
)
def test_where_an_answer_stands_on_a_day(
    said: Verdict | None, valid: tuple[date, date | None] | None, stands: ConditionStanding
) -> None:
    assert answer(said=said, valid=valid).standing(TODAY) is stands


@given(st.lists(st.sampled_from([None, Verdict.ACCEPTED, Verdict.RETURNED]), max_size=6))
def test_the_newest_answer_of_a_part_alone_decides(said: list[Verdict | None]) -> None:
    answers = [answer(number=number, said=each) for number, each in enumerate(said, 1)]

    (view,) = rules.conditions([asked(K.EXCLUSION)], [party()], answers, today=TODAY)

    assert view.is_met == bool(said and said[-1] is Verdict.ACCEPTED)
    assert view.parts[0].number == len(said)


def test_each_beneficiary_is_asked_apart_and_all_must_be_met() -> None:
    met = [answer(said=Verdict.ACCEPTED)]
    parties = [party(CITY), party(PARTNER)]

    (view,) = rules.conditions([asked(K.EXCLUSION)], parties, met, today=TODAY)
    (problem,) = rules.condition_problems([view])

    assert [part.standing for part in view.parts] == [S.ACCEPTED, S.OPEN]
    assert problem.message == "“Label” is open for City 2."
    both = [*met, answer(organisation_id=PARTNER, number=2, said=Verdict.ACCEPTED)]
    assert rules.condition_problems(rules.conditions([asked(K.EXCLUSION)], parties, both, today=TODAY)) == ()


def test_a_tick_of_before_stands_until_somebody_answers() -> None:
    tick = Tick(CheckAnswer.DONE, None, None, "Otto", AT)

    (ticked,) = rules.conditions([asked(K.EXCLUSION, tick)], [party()], [], today=TODAY)
    (answered,) = rules.conditions([asked(K.EXCLUSION, tick)], [party()], [answer()], today=TODAY)

    assert (ticked.is_met, ticked.is_ticked) == (True, True)
    assert (answered.is_met, answered.is_ticked) == (False, False)


def test_a_consortium_agreement_is_asked_of_two_and_not_of_one() -> None:
    alone, together = (
        rules.conditions([asked(K.CONSORTIUM_AGREEMENT)], parties, [], today=TODAY)[0]
        for parties in ([party()], [party(), party(PARTNER)])
    )

    assert (alone.parts[0].standing, together.parts[0].standing) == (S.NOT_ASKED, S.OPEN)


def test_financial_capacity_is_asked_of_whoever_is_not_validated_as_a_public_body() -> None:
    public = fact(FactKind.PUBLIC_BODY, "yes")
    stands = [
        rules.conditions([asked(K.FINANCIAL_CAPACITY)], [party(CITY, each)], [], today=TODAY)[0].parts[0].standing
        for each in (
            public,
            fact(FactKind.PUBLIC_BODY, "yes", validated=None),
            fact(FactKind.PUBLIC_BODY, "no"),
            fact(FactKind.PUBLIC_BODY, "yes", until=TODAY),
        )
    ]

    assert stands == [S.NOT_ASKED, S.OPEN, S.OPEN, S.OPEN]


def test_a_legal_entity_needs_its_name_and_a_number_unless_it_is_a_public_body() -> None:
    name, number = fact(FactKind.LEGAL_NAME, "City"), fact(FactKind.REGISTRATION, "1")
    public = fact(FactKind.PUBLIC_BODY, "yes")

    assert rules.entity_missing([name, number], TODAY) == ""
    assert rules.entity_missing([name, public], TODAY) == ""
    assert "number of a public register" in rules.entity_missing([name], TODAY)
    assert "legal name is not validated" in rules.entity_missing([number, public], TODAY)
    ran_out = fact(FactKind.LEGAL_NAME, "City", until=TODAY)
    assert "legal name is not validated" in rules.entity_missing([ran_out, number], TODAY)


@given(st.lists(st.integers(0, 40_000_000), min_size=4, max_size=4), st.integers(0, 40_000_000))
def test_de_minimis_aid_of_the_years_that_count_and_the_grant_stay_within_the_ceiling(
    received: list[int], maximum: int
) -> None:
    years = tuple(AidOfYear(TODAY.year - place, Money(cents)) for place, cents in enumerate(received))
    aid, ceiling = StateAid(AidKind.DE_MINIMIS, "A workshop", years), euros(300_000)

    problem = rules.aid_problem(aid, Money(maximum), ceiling, TODAY)

    assert bool(problem) == (sum(received) + maximum > ceiling.cents)
    assert rules.aid_problem(replace(aid, kind=AidKind.EXEMPTED), Money(maximum), ceiling, TODAY) == ""


def test_a_raised_maximum_opens_accepted_aid_again() -> None:
    aid = StateAid(AidKind.DE_MINIMIS, "A workshop", (AidOfYear(2023, euros(250_000)),))
    given_aid = [answer(K.STATE_AID, content=aid, said=Verdict.ACCEPTED)]

    within, over = (
        rules.conditions(
            [asked(K.STATE_AID)], [party(maximum=euros(most))], given_aid, today=TODAY, ceiling=euros(300_000)
        )[0]
        for most in (50_000, 50_001)
    )

    assert (within.is_met, over.is_met) == (True, False)
    assert "more than the ceiling" in over.parts[0].note


@pytest.mark.parametrize("key", WHOLE)
def test_a_whole_answer_stands_and_comes_back_as_it_was_stored(key: ConditionKey) -> None:
    content = WHOLE[key]

    assert rules.content_problems(content) == {}
    assert rules.decoded(key, encoding.encode(content)) == content
    assert content.lines()


@pytest.mark.parametrize(
    ("content", "fields"),
    [
        (PowerToSign(ANA, "Ana", "", ""), {"capacity", "basis"}),
        (CouncilDecision(True), {"body"}),
        (CouncilDecision(False), {"why_not"}),
        (ExclusionDeclaration("", ""), {"declared_by", "capacity"}),
        (SanctionsCheck("", "", ""), {"lists", "searched", "result"}),
        (FinancialCapacity("", False), {"basis", "measures"}),
        (StateAid(AidKind.NONE, ""), {"reason"}),
        (DoubleFunding(True), {"words"}),
    ],
)
def test_what_is_missing_is_said_beside_its_field(content: Content, fields: set[str]) -> None:
    assert set(rules.content_problems(content)) == fields


def test_a_power_has_its_days_and_no_evidence_is_of_tomorrow() -> None:
    plain = ConditionInput(K.POWER_TO_SIGN, None, POWER, TODAY)
    wrong = {
        "valid_from": plain,
        "valid_until": replace(plain, valid_from=TODAY, valid_until=TODAY),
        "evidence_on": replace(plain, valid_from=TODAY, evidence_on=date(2024, 5, 16)),
    }
    for field, typed in wrong.items():
        with pytest.raises(Invalid) as caught:
            typed.checked(TODAY)
        assert set(caught.value.problems) == {field}
    assert replace(plain, valid_from=TODAY).checked(TODAY).valid_from == TODAY


def test_a_partner_reads_its_own_and_the_common_parts_and_no_power_of_the_coordinator() -> None:
    keys = (K.POWER_TO_SIGN, K.COUNCIL_DECISION, K.EXCLUSION)
    found = rules.conditions([asked(key) for key in keys], [party(), party(PARTNER)], [], today=TODAY)

    seen = [each.seen_by(frozenset({PARTNER})) for each in found]

    assert seen[0] is None
    assert [[part.organisation_id for part in each.parts] for each in seen if each] == [[None], [PARTNER]]
    assert [each.seen_by(None) for each in found] == list(found)


def test_guards_of_answers() -> None:
    with pytest.raises(Refused, match="yourself"):
        rules.refuse_own_answer(ANA, ANA)
    with pytest.raises(Refused, match="yourself"):
        rules.refuse_own_answer(ANA, None)
    for whose, own, of_coordinator in ((CITY, {PARTNER}, False), (None, {PARTNER}, False), (PARTNER, {PARTNER}, True)):
        with pytest.raises(NotFound):
            rules.refuse_of_others(whose, frozenset(own), of_coordinator=of_coordinator)
    rules.refuse_of_others(PARTNER, frozenset({PARTNER}), of_coordinator=False)
    with pytest.raises(Conflict):
        rules.refuse_stale(1, 2)


def test_the_last_day_itself_still_counts() -> None:
    rules.refuse_after(TODAY, TODAY)
    rules.refuse_after(None, TODAY)
    with pytest.raises(Refused, match="ended on 14 May 2024"):
        rules.refuse_after(date(2024, 5, 14), TODAY)
