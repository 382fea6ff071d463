"""Rules of identity without a database: addresses, passwords, waiting, where a browser may be sent, who gives which role."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from urllib.parse import urljoin, urlsplit
from uuid import UUID, uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st

from grants.core.errors import Invalid, NeedsFreshSignIn
from grants.core.permissions import Actor
from grants.identity import rules
from grants.identity.rules import Counter, OrganisationInput
from grants.identity.states import OrganisationKind, RoleStanding

NOON = datetime(2026, 5, 4, 12, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    "text", ["", "ana", "ana@", "@example.eu", "ana@exa mple.eu", "a@b\r\nBcc: c@d.eu", "аna@example.eu"]
)
def test_what_is_no_address_is_refused(text: str) -> None:
    with pytest.raises(Invalid):
        rules.normal_email(text)


def test_an_address_is_kept_in_one_spelling() -> None:
    assert rules.normal_email("  Ana.Kowalska@Example.EU\n") == "ana.kowalska@example.eu"


@given(st.text())
def test_one_line_never_holds_a_control_character(text: str) -> None:
    assert rules.one_line(text).isprintable() or not set(rules.one_line(text)) & set("\r\n\t\x00\u2028")


def test_a_name_holds_nothing_that_cannot_be_seen() -> None:
    assert rules.one_line("Ana\u202e \u200bKowal\u2066ska\ufeff") == "Ana Kowalska"
    with pytest.raises(Invalid):
        rules.checked_name("\u200b\u2060")
    with pytest.raises(Invalid) as refused:
        OrganisationInput("\u200b", OrganisationKind.COMPANY, "PL", website="https://[").checked()
    assert set(refused.value.problems) == {"name", "website"}


@given(st.text(min_size=1), st.sets(st.text(alphabet="abc-", min_size=1), max_size=3))
def test_a_handle_is_fit_for_an_address_and_not_taken(name: str, taken: set[str]) -> None:
    handle = rules.handle_of(name, taken)

    assert handle not in taken
    assert set(handle) <= set("abcdefghijklmnopqrstuvwxyz0123456789-")
    assert 1 <= len(handle) <= 60


@pytest.mark.parametrize(
    "path", ["/", "/home", "/grants?state=open&page=2", "/applications/PCP-2022-A-0017/check#budget"]
)
def test_a_path_of_ours_is_kept(path: str) -> None:
    assert rules.safe_path(path) == path


@pytest.mark.parametrize(
    "target",
    [None, "", "home", "//evil.example", "///evil.example", "/\\evil.example", "\\\\evil.example", "https://evil.example",
     "http:evil.example", "javascript:alert(1)", "/\t/evil.example", "/\n/evil.example", " //evil.example", "/a b"],
)  # fmt: skip
def test_any_other_target_is_dropped(target: str | None) -> None:
    assert rules.safe_path(target) is None


@given(st.text(alphabet=st.sampled_from("/\\.:@?#evil \t\n%0a"), max_size=20))
def test_nobody_is_ever_sent_to_another_host(target: str) -> None:
    path = rules.safe_path(target)

    if path is not None:
        assert urlsplit(urljoin("https://grants.example.eu/sign-in", path)).netloc == "grants.example.eu"


@pytest.mark.parametrize(
    "password", ["violet tram under snow", "x9$Lq2#vP0!z", "пароль из пяти слов", "a" * 6 + "bcdefg hijklm"]
)
def test_a_long_password_is_taken_whatever_it_is_made_of(password: str) -> None:
    assert rules.password_problem(password) is None


@pytest.mark.parametrize(
    "password",
    ["password1234", "Passw0rd!Passw0rd!", "123456789012", "qwertyuiop12", "aaaaaaaaaaaa", "abcabcabcabc", "letmeinplease",
     "Welcome2026!", "climatecity2026", "abcdefghijkl", "iloveyou123456", "PilotGrants2026"],
)  # fmt: skip
def test_what_everybody_tries_first_is_refused(password: str) -> None:
    assert rules.password_problem(password) == (
        "This password is easy to guess. Choose other words, or let your password manager make one."
    )


@pytest.mark.parametrize("password", ["kowalska12345", "AnaKowalska!1", "ana.kowalska@1"])
def test_the_own_name_is_no_password(password: str) -> None:
    assert rules.password_problem(password, about=["Ana Kowalska", "ana.kowalska@example.eu"]) is not None


def test_length_is_said_with_the_limit() -> None:
    assert rules.password_problem("short") == (
        "Use at least 12 characters; this has 5. A few words in a row are easy to keep in mind."
    )
    assert rules.password_problem("x" * 129) == "Use at most 128 characters; this has 129."


@given(st.integers(0, 200), st.sampled_from(Counter))
def test_waiting_never_gets_shorter_and_never_longer_than_its_limit(failures: int, counter: Counter) -> None:
    wait, next_wait = rules.wait_after(failures, counter), rules.wait_after(failures + 1, counter)

    assert timedelta(0) <= wait <= next_wait <= rules.WAIT_MAX


def test_the_first_tries_are_free() -> None:
    assert [rules.wait_after(tries, Counter.ACCOUNT).seconds for tries in (4, 5, 6)] == [0, 30, 60]
    assert [rules.wait_after(tries, Counter.ADDRESS).seconds for tries in (29, 30)] == [0, 30]


def test_a_counter_is_no_list_of_people() -> None:
    assert "ana" not in rules.counter_key(Counter.ACCOUNT, "ana@example.eu")


@pytest.mark.parametrize(("minutes", "fresh"), [(0, True), (9, True), (10, False), (-1, False)])
def test_a_proof_is_fresh_for_ten_minutes(minutes: int, fresh: bool) -> None:
    assert rules.is_fresh(NOON, NOON + timedelta(minutes=minutes)) is fresh


def test_a_dangerous_act_asks_for_a_fresh_proof() -> None:
    with pytest.raises(NeedsFreshSignIn):
        rules.demand_fresh(Actor(uuid4(), "Ana"))
    rules.demand_fresh(Actor(uuid4(), "Ana", fresh=True))
    rules.demand_fresh(Actor(None, "the program"))


@given(st.text(), st.uuids(), st.uuids())
def test_a_links_token_depends_on_key_and_link(key: str, one: UUID, other: UUID) -> None:
    assert rules.link_token(key, one) == rules.link_token(key, one)
    assert rules.link_token(key, one) != rules.link_token(key + "x", one)
    assert (rules.link_token(key, one) == rules.link_token(key, other)) is (one == other)


def test_standing_follows_dates_and_confirmation() -> None:
    day = timedelta(days=1)

    def at(starts: datetime, ends: datetime | None, unconfirmed: bool = False) -> RoleStanding:
        return rules.standing(starts_at=starts, ends_before=ends, unconfirmed=unconfirmed, at=NOON)

    assert at(NOON, None) is RoleStanding.HELD
    assert at(NOON - day, NOON) is RoleStanding.ENDED
    assert at(NOON + day, None) is RoleStanding.PLANNED
    assert at(NOON, None, unconfirmed=True) is RoleStanding.WAITING
    assert at(NOON - day, NOON, unconfirmed=True) is RoleStanding.ENDED


@pytest.mark.parametrize(
    ("agent", "words"),
    [
        ("Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 Chrome/140.0 Safari/537.36 Edg/140.0", "Edge on Windows"),
        ("Mozilla/5.0 (iPhone; CPU iPhone OS 19_0 like Mac OS X) AppleWebKit/605 Version/19 Safari/604", "Safari on iPhone"),
        ("curl/8", "A browser"),
    ],
)  # fmt: skip
def test_a_browser_is_named_as_people_know_it(agent: str, words: str) -> None:
    assert rules.browser_words(agent) == words
