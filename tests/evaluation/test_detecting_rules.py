"""What people and consortia share is found by looking things up, as it would be pair by pair; no row is read or written."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from types import SimpleNamespace
from uuid import UUID, uuid5

import pytest
from hypothesis import given
from hypothesis import strategies as st

from grants.calls.rules import ConflictRules
from grants.evaluation import rules
from grants.evaluation.rules.detecting import Candidate, ComparedApplication, Entity, Somebody, Together, detect
from grants.evaluation.states import DetectedKind

SPACE = UUID(int=7)
USUAL = ConflictRules()
K = DetectedKind


def key(word: str) -> UUID:
    return uuid5(SPACE, word)


CITY = Entity(key("city"), "Municipality of Neochóra", "GR", "Neochóra", domain="neochora.example")
UNI = Entity(key("uni"), "University of Ærøsted", "DK", "Ærøsted", frozenset({("PIC", "999999999")}))
LEAD = Somebody(key("lead"), "Lena Leadová", "lena@neochora.example", organisation_id=CITY.id)
APPLICATION = ComparedApplication(key("applied"), (CITY, UNI), (LEAD,))
OTHER = ComparedApplication(key("other"), (Entity(key("town"), "Town of Šumberk", "CZ", "Šumberk"),))
ORCID = "0000-0002-1825-0097"
EVA = Somebody(key("eva"), "Eva Hodnotilová", "eva@institute.example")


def kinds(candidate: Candidate, rules: ConflictRules = USUAL, past: tuple[Together, ...] = ()) -> set[tuple[str, UUID]]:
    return {(each.kind.value, each.application_id) for each in detect([candidate], [APPLICATION, OTHER], past, rules)}


def test_somebody_with_nothing_in_common_is_found_nowhere() -> None:
    assert kinds(Candidate(EVA, (Entity(key("institute"), "Institute", "FI", "Tampere"),))) == set()


@pytest.mark.parametrize(
    ("candidate", "kind"),
    [
        (Candidate(replace(EVA, user_id=LEAD.user_id)), K.OWN_APPLICATION),
        (Candidate(EVA, (CITY,)), K.OWN_ORGANISATION),
        (Candidate(EVA, (Entity(key("x"), "Elsewhere", "FI", numbers=UNI.numbers),)), K.SAME_NUMBER),
        (Candidate(replace(EVA, email="e@ict.neochora.example")), K.MAIL_DOMAIN),
        (Candidate(replace(EVA, name="Leadova, Lena")), K.SIMILAR_PERSON),
        (Candidate(EVA, (Entity(key("x"), "Universty of Aerøsted", "DK"),)), K.SIMILAR_ORGANISATION),
    ],
    ids=lambda value: value.value if isinstance(value, DetectedKind) else "",
)
def test_what_is_shared_is_found_with_the_entity_it_concerns(candidate: Candidate, kind: DetectedKind) -> None:
    found = [
        each
        for each in detect([candidate], [APPLICATION, OTHER], (), USUAL)
        if each.application_id == APPLICATION.application_id
    ]

    assert [(each.kind, each.organisation_id in {CITY.id, UNI.id}) for each in found] == [(kind, True)]


def test_a_name_that_is_the_same_is_not_nearly_so() -> None:
    candidate = Candidate(replace(EVA, name=LEAD.name), (replace(UNI, id=key("x"), numbers=frozenset()),))

    found = {each.kind: each.evidence for each in detect([candidate], [APPLICATION, OTHER], (), USUAL)}

    assert found[K.SIMILAR_ORGANISATION] == "University of Ærøsted and University of Ærøsted have the same name"
    assert found[K.SIMILAR_PERSON] == "The same name as Lena Leadová of its team"


def test_a_fact_that_was_dismissed_hides_no_other() -> None:
    candidate = Candidate(replace(EVA, name=LEAD.name), (CITY,))
    certain = detect([candidate], [APPLICATION], (), USUAL)

    found = detect([candidate], [APPLICATION], (), USUAL, (), [each.key for each in certain])

    assert [each.kind for each in certain] == [K.OWN_ORGANISATION]
    assert [each.kind for each in found] == [K.OWN_ORGANISATION, K.SIMILAR_PERSON]


BEGAN = datetime(2022, 1, 1, tzinfo=UTC)


def test_an_advisor_of_a_city_of_the_consortium_is_in_conflict_with_it_whatever_the_office() -> None:
    candidate = Candidate(
        EVA, judges=False, advised=((CITY.id, BEGAN, "Neochóra"), (key("elsewhere"), BEGAN, "Elsewhere"))
    )

    (found,) = detect([candidate], [APPLICATION, OTHER], (), USUAL)

    assert (found.application_id, found.kind, found.organisation_id, found.is_certain) == (
        APPLICATION.application_id, K.ADVISED_CITY, CITY.id, True
    )  # fmt: skip
    assert found.evidence == "Advises Neochóra for the programme, or did within the years the call looks back"


def test_who_wrote_an_application_and_left_its_team_is_in_conflict_with_it_and_competes_with_none() -> None:
    written = replace(APPLICATION, wrote=frozenset({EVA.user_id, LEAD.user_id}))

    found = detect([Candidate(EVA), Candidate(LEAD)], [written, OTHER], (), ConflictRules(competing_bid=True))

    about = {(each.user_id, each.application_id, each.kind) for each in found}
    assert (EVA.user_id, APPLICATION.application_id, K.HELPED_TO_WRITE) in about
    # Who still acts for it takes part in it: that says all.
    assert (LEAD.user_id, APPLICATION.application_id, K.HELPED_TO_WRITE) not in about
    assert {each.kind for each in found if each.user_id == EVA.user_id} == {K.HELPED_TO_WRITE}


def test_one_orcid_under_two_accounts_may_be_one_person_and_competes_once_that_stands() -> None:
    lead = replace(LEAD, orcid=ORCID)
    application = replace(APPLICATION, team=(lead,))
    eva = Candidate(replace(EVA, orcid=lead.orcid))

    found = detect([eva], [application, OTHER], (), USUAL)
    stands = detect([eva], [application, OTHER], (), USUAL, [(EVA.user_id, APPLICATION.application_id)])

    assert [(each.kind, each.application_id, each.is_certain) for each in found] == [
        (K.SAME_PERSON, APPLICATION.application_id, False)
    ]
    assert {(each.kind, each.application_id) for each in stands} == {
        (K.SAME_PERSON, APPLICATION.application_id), (K.COMPETING_APPLICATION, OTHER.application_id)
    }  # fmt: skip


def test_a_number_is_certain_only_where_both_were_validated() -> None:
    own = Entity(key("x"), "Elsewhere", "FI", numbers=UNI.numbers, proven=UNI.numbers)
    typed, valid = (
        replace(APPLICATION, entities=(replace(UNI, proven=proven),)) for proven in (frozenset(), UNI.numbers)
    )

    (proposed,), (certain,) = (
        detect([Candidate(EVA, (own,))], [application], (), USUAL) for application in (typed, valid)
    )

    assert (proposed.kind, proposed.is_certain) == (K.SAME_NUMBER, False)
    assert (certain.kind, certain.is_certain) == (K.SAME_NUMBER, True)


def test_who_takes_part_in_one_application_competes_with_all_others_where_the_call_says_so() -> None:
    candidate = Candidate(replace(EVA, user_id=LEAD.user_id))

    assert ("competing_bid", OTHER.application_id) in kinds(candidate)
    assert ("competing_bid", OTHER.application_id) not in kinds(candidate, ConflictRules(competing_bid=False))


def test_country_and_city_count_only_where_the_call_says_so_and_only_for_who_judges() -> None:
    candidate = Candidate(EVA, (Entity(key("x"), "Something else", "GR", "Neochora"),), frozenset({"GR"}))
    both = ConflictRules(same_country=True, same_city=True)

    assert kinds(candidate) == set()
    assert kinds(candidate, both) == {
        ("same_country", APPLICATION.application_id),
        ("same_city", APPLICATION.application_id),
    }
    assert kinds(replace(candidate, judges=False), both) == set()


def test_a_consortium_shared_before_is_proposed_and_with_no_years_not_looked_for() -> None:
    own = Entity(key("institute"), "Institute", "FI")
    past = (Together("PCP-2021-A-0001, Pilots 2021", frozenset({own.id, UNI.id})),)

    assert kinds(Candidate(EVA, (own,)), past=past) == {("past_consortium", APPLICATION.application_id)}


def test_a_domain_of_a_mail_host_tells_nothing() -> None:
    leads = tuple(
        Somebody(key(f"lead{n}"), f"Lead Number{n}", f"l{n}@demo.example", organisation_id=key(f"o{n}"))
        for n in range(4)
    )
    applications = [
        ComparedApplication(key(f"applied{n}"), (Entity(key(f"o{n}"), f"City {n}", "PL"),), (lead,))
        for n, lead in enumerate(leads)
    ]

    assert detect([Candidate(replace(EVA, email="eva@demo.example"))], applications, (), USUAL) == ()
    assert kinds(Candidate(replace(EVA, email="eva@gmail.com"))) == set()


def joined(mail: str, team: str = "lead@gmail.com", site: str = "") -> set[str]:
    """What joins somebody of this address to an application of that one, or of that website."""
    entity = Entity(key("anybody"), "Anybody", "FI", domain=site)
    lead = Somebody(key("lead of anybody"), "Tea Membera", team, organisation_id=entity.id)
    application = ComparedApplication(key("applied"), (entity,), (lead,))
    found = detect([Candidate(replace(EVA, email=mail))], [application], (), USUAL)
    return {each.evidence.rpartition(" ")[2] for each in found if each.kind is K.MAIL_DOMAIN and not each.is_certain}


def test_parts_of_one_domain_are_proposed_whichever_stands_above_the_other() -> None:
    for one, other in (("cs.uni.fi", "uni.fi"), ("uni.fi", "cs.uni.fi"), ("math.uni.fi", "cs.uni.fi")):
        assert joined(f"eva@{one}", f"lead@{other}") == {"uni.fi"}, (one, other)
    assert joined("eva@uni.fi", site="ict.uni.fi") == {"uni.fi"}
    assert joined("eva@law.ox.ac.uk", "lead@cs.ox.ac.uk") == {"ox.ac.uk"}


@pytest.mark.parametrize("above", ["co.uk", "ac.uk", "gov.pl", "com.pl", "gv.at", "gov.gr", "fi", "sub.gmail.com"])
def test_what_many_share_above_their_domains_joins_nobody(above: str) -> None:
    assert joined(f"eva@one.{above}", f"lead@other.{above}") == set()
    assert joined(f"eva@{above}", f"lead@{above}") == set()


def test_a_registration_number_is_compared_by_letters_and_digits_within_its_country() -> None:
    def found(one: str, other: str, countries: str = "FI FI") -> list[tuple[str, bool]]:
        own, entity = (
            Entity(key(name), name, country, numbers=numbers, proven=numbers)
            for name, country, number in zip(("Alpha", "Beta"), countries.split(), (one, other), strict=True)
            for numbers in [frozenset({("registration number", number)})]
        )
        application = ComparedApplication(key("applied"), (entity,))
        return [
            (each.kind.value, each.is_certain) for each in detect([Candidate(EVA, (own,))], [application], (), USUAL)
        ]

    assert found("0201256-6", "02012566") == found("hrb 12345 B", "HRB12345b") == [("same_number", True)]
    assert found("02012566", "02012567") == found("-", "--") == []
    assert found("12345", "12345", "DE FR") == []


# --- Against the naive way, pair by pair -------------------------------------------------------------------------------

NUMBER = [frozenset({("PIC", str(n))}) for n in range(5)]
ENTITIES = [
    Entity(
        key(f"e{n}"),
        f"Office {n}",
        ("PL", "GR", "DK")[n % 3],
        f"Town{n % 4}",
        NUMBER[n % 5],
        "",
        NUMBER[n % 5] if n % 2 else frozenset(),
    )
    for n in range(8)
]
PEOPLE = [Somebody(key(f"p{n}"), f"Ana Number{n}", f"p{n}@d{n % 3}.example", f"orcid{n % 4}") for n in range(6)]
candidates_of = st.lists(
    st.builds(
        lambda person, own, judges: Candidate(
            person, tuple(own), frozenset(each.country_code for each in own), judges
        ),
        st.sampled_from(PEOPLE), st.lists(st.sampled_from(ENTITIES), max_size=2, unique=True), st.booleans(),
    ), max_size=4, unique_by=lambda each: each.person.user_id,
)  # fmt: skip
bids_of = st.lists(
    st.builds(
        lambda number, inside, team: ComparedApplication(key(f"b{number}"), tuple(inside), tuple(team)),
        st.integers(0, 5), st.lists(st.sampled_from(ENTITIES), min_size=1, max_size=3, unique=True),
        st.lists(st.sampled_from(PEOPLE), max_size=2, unique=True),
    ), max_size=4, unique_by=lambda each: each.application_id,
)  # fmt: skip
rules_of = st.builds(ConflictRules, st.booleans(), st.booleans(), st.booleans())


@given(candidates_of, bids_of, rules_of)
def test_looking_up_finds_what_looking_at_every_pair_finds(
    candidates: list[Candidate], applications: list[ComparedApplication], rules: ConflictRules
) -> None:
    wanted = set()
    for candidate in candidates:
        person = candidate.person
        own = {
            application.application_id
            for application in applications
            if any(each.user_id == person.user_id for each in application.team)
        }
        for application in applications:
            for entity in application.entities:
                for mine in candidate.entities:
                    if mine.id == entity.id:
                        wanted.add((person.user_id, application.application_id, K.OWN_ORGANISATION))
                    elif mine.proven & entity.proven:
                        wanted.add((person.user_id, application.application_id, K.SAME_NUMBER))
                    if (
                        candidate.judges
                        and rules.same_city
                        and (mine.country_code, mine.town) == (entity.country_code, entity.town)
                    ):
                        wanted.add((person.user_id, application.application_id, K.SAME_CITY))
                if candidate.judges and rules.same_country and entity.country_code in candidate.countries:
                    wanted.add((person.user_id, application.application_id, K.SAME_COUNTRY))
            if any(each.user_id == person.user_id for each in application.team):
                wanted.add((person.user_id, application.application_id, K.OWN_APPLICATION))
            if own and rules.competing_bid and application.application_id not in own:
                wanted.add((person.user_id, application.application_id, K.COMPETING_APPLICATION))

    found = detect(candidates, applications, (), rules)

    assert {(each.user_id, each.application_id, each.kind) for each in found if each.is_certain} == wanted
    assert list(found) == sorted(found, key=lambda each: tuple(map(str, each.key)))
    assert detect(candidates[::-1], applications[::-1], (), rules) == found


def test_the_number_of_a_pair_changes_with_each_of_its_facts_whatever_comes_and_goes() -> None:
    def facts(*told: tuple[int, int, str]) -> int:
        return rules.version_of(SimpleNamespace(id=UUID(int=key), version=one, state=state) for key, one, state in told)

    shown = facts((1, 1, "proposed"), (2, 3, "confirmed"))

    assert shown == facts((2, 3, "confirmed"), (1, 1, "proposed")) < 10**18
    # One goes and another of the same version comes; two versions change places; one stands otherwise.
    others = (facts((1, 1, "proposed"), (3, 3, "confirmed")), facts((1, 3, "proposed"), (2, 1, "confirmed")))
    assert shown not in (*others, facts((1, 1, "dismissed"), (2, 3, "confirmed")))
