"""The log of a meeting tells of it: whatever happened, no item takes time of a pause, and a copy tells nothing of what is left out."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from uuid import UUID

from hypothesis import given
from hypothesis import strategies as st

from grants.awards.rules import minutes as writing
from grants.awards.rules import panel as rules
from grants.awards.rules.minutes import Agenda
from grants.awards.rules.panel import Event
from grants.awards.states import Happened, PanelRole, Turn, Vote
from grants.core import encoding

AT = datetime(2022, 11, 20, 9, tzinfo=UTC)
PEOPLE = tuple(UUID(int=number) for number in range(1, 6))
ROLES = dict(
    zip(PEOPLE, (PanelRole.CHAIR, PanelRole.DEPUTY, PanelRole.MEMBER, PanelRole.MEMBER, PanelRole.MINUTES), strict=True)
)
ITEMS = tuple(UUID(int=100 + number) for number in range(3))
NAMES = {person: f"Person {number}" for number, person in enumerate(PEOPLE)}
AGENDA = Agenda(
    "First day", "A call", "PCP-2022-C-0001", "Europe/Brussels", 2, NAMES, ROLES,
    {item: (UUID(int=200 + place), f"REF-{place}", f"Title {place}") for place, item in enumerate(ITEMS)},
)  # fmt: skip


class Room:
    """A meeting as it may go: whatever is asked for that cannot happen is left out."""

    def __init__(self) -> None:
        self.events: list[Event] = []
        self.at, self.current, self.paused, self.open_time = AT, None, False, dict.fromkeys(ITEMS, 0)
        self.put = 0
        self.say(Happened.BEGUN)

    def say(self, kind: Happened, **about: object) -> None:
        self.events.append(Event(len(self.events) + 1, kind, self.at, PEOPLE[0], **about))

    def wait(self, seconds: int) -> None:
        self.at += timedelta(seconds=seconds)
        if self.current is not None and not self.paused:
            self.open_time[self.current] += seconds

    def open(self, item: UUID, out: frozenset[UUID]) -> None:
        self.resume()
        self.close()
        self.current, self.out, self.voted, self.counted = item, out, set(), True
        self.say(Happened.OPENED, item=item)
        for person in sorted(out):
            self.say(Happened.STEPPED_OUT, item=item, person=person)

    def close(self) -> None:
        if self.current is None:
            return
        self.say(Happened.CLOSED, item=self.current)
        for person in sorted(self.out):
            self.say(Happened.CALLED_BACK, item=self.current, person=person)
        self.current = None

    def pause(self) -> None:
        if not self.paused:
            self.paused = True
            self.say(Happened.PAUSED)

    def resume(self) -> None:
        if self.paused:
            self.paused = False
            self.say(Happened.RESUMED)

    def vote(self, cast: Vote) -> None:
        if self.current is None:
            return
        self.put += 1
        self.say(
            Happened.PROPOSED, item=self.current, proposal=self.put, text=f"Proposal on {ITEMS.index(self.current)}"
        )
        may = [person for person in PEOPLE[:4] if person not in self.out]
        for person in may:
            self.say(Happened.VOTED, item=self.current, proposal=self.put, person=person, vote=cast)
        self.say(Happened.COUNTED, item=self.current, proposal=self.put, text=str(len(may)))


STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("open"), st.sampled_from(ITEMS), st.frozensets(st.sampled_from(PEOPLE[1:4]))),
        st.tuples(st.just("wait"), st.integers(0, 3_600)),
        st.tuples(st.just("vote"), st.sampled_from(Vote)),
        st.tuples(st.sampled_from(["close", "pause", "resume"])),
    ),
    max_size=14,
)


def held(steps: list[tuple[object, ...]]) -> Room:
    room = Room()
    for name, *given_to in steps:
        getattr(room, str(name))(*given_to)
    room.close()
    room.say(Happened.ENDED)
    return room


@given(STEPS)
def test_an_item_takes_the_time_it_was_open_and_no_pause(steps: list[tuple[object, ...]]) -> None:
    room = held(steps)

    told = rules.courses(room.events, room.at + timedelta(hours=1))

    assert {item: told.get(item, rules.UNSEEN).seconds for item in ITEMS} == room.open_time


@given(STEPS)
def test_nobody_who_is_out_votes_and_everybody_out_is_called_back(steps: list[tuple[object, ...]]) -> None:
    for course in rules.courses(held(steps).events, AT).values():
        assert all(stay.until is not None and stay.since <= stay.until for stay in course.out)
        for put in course.proposals:
            assert put.counted_at is not None and len(put.votes) == put.eligible
            assert put.carried is (put.count(Vote.APPROVE) > put.count(Vote.REJECT))


@given(STEPS, st.frozensets(st.sampled_from(ITEMS)))
def test_what_is_readable_is_the_same_whatever_happened_on_what_is_shut(
    steps: list[tuple[object, ...]], shut: frozenset[UUID]
) -> None:
    room = held(steps)
    told = rules.courses(rules.readable(room.events, shut), room.at)

    assert not shut & set(told)
    whole = rules.courses(room.events, room.at)
    assert {item: course.proposals for item, course in told.items()} == {
        item: course.proposals for item, course in whole.items() if item not in shut
    }


@given(STEPS, st.frozensets(st.sampled_from(ITEMS)))
def test_a_copy_of_the_minutes_tells_nothing_of_what_it_leaves_out(
    steps: list[tuple[object, ...]], shut: frozenset[UUID]
) -> None:
    text = writing.written(AGENDA, held(steps).events)
    closed = frozenset(AGENDA.items[item][0] for item in shut)

    copy = writing.copy_for(text, closed)

    stored = str(encoding.encode(copy))
    for item in shut:
        application_id, reference, title = AGENDA.items[item]
        assert not any(word in stored for word in (str(application_id), reference, title))
        assert f"Proposal on {ITEMS.index(item)}" not in stored
    assert encoding.decode({"value": encoding.encode(text)}, writing.MinutesText) == text
    assert (copy == text) is (not shut)
    assert (writing.copy_role(text, closed) == "whole") is (not shut)
    assert writing.written(AGENDA, held(steps).events).sha256 == text.sha256


@given(st.permutations(ITEMS), st.lists(st.sampled_from(Turn), max_size=12))
def test_turning_the_page_never_leaves_the_agenda(order: list[UUID], turns: list[Turn]) -> None:
    current = None
    for turn in turns:
        following = rules.turned(order, current, turn)
        if following is None:
            assert current in (None, order[0], order[-1])
        else:
            assert current is None or abs(order.index(following) - order.index(current)) == 1
            current = following


@given(
    st.lists(st.tuples(st.uuids(), st.integers(0, 10), st.none() | st.integers(1, 9), st.text(max_size=3)), max_size=12)
)
def test_the_agenda_is_widest_first_and_does_not_hang_on_the_order_of_rows(
    rows: list[tuple[UUID, int, int | None, str]],
) -> None:
    found = {row[0]: row for row in rows}
    order = rules.default_order(found.values())

    assert sorted(order, key=str) == sorted(found, key=str)
    spreads = [found[key][1] for key in order]
    assert spreads == sorted(spreads, reverse=True)


@given(st.frozensets(st.sampled_from(PEOPLE)))
def test_the_chair_leads_unless_kept_out_then_the_deputy(clear: frozenset[UUID]) -> None:
    leader = rules.leader(ROLES, clear)

    assert leader == (PEOPLE[0] if PEOPLE[0] in clear else PEOPLE[1] if PEOPLE[1] in clear else None)
    assert rules.eligible(ROLES, clear) == clear - {PEOPLE[4]}
