"""What happens in the demo, and when: stories yield the moment of their next deed, and all are told in one order of time."""

from __future__ import annotations

import heapq
from collections.abc import Callable, Generator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from importlib import resources
from uuid import UUID

from grants.agreements import queries as agreement_reads
from grants.applications import services as applications
from grants.calls.rules import CallView
from grants.cities import services as cities
from grants.core import clock, jobs
from grants.core.money import euros
from grants.demo.cast import JUST_CLOSED, LONG_PAST, NOW_EVALUATED, PAST, PILOTS, AskedInDemo, RealPilot
from grants.demo.deeds import Preparation, Troupe
from grants.documents import services as documents
from grants.documents.rules import Wanted
from grants.identity import queries as identity

Progress = Callable[[int, int, str], None]
# A story yields the moment at which it goes on.
Story = Generator[datetime, None, None]
NOTES = 14

# The grants of the past call, each left at another point of the way: title, lead, signatory, account.
PAID = ("Roof by Roof", "reka", "reka_mayor", "HU42117730161111101800000000")
ORDERED = ("Ferry to Zero", "niels", "niels_mayor", "DK5000400440116243")
IN_PREPARATION = ("Cool Courtyards", "eleni", "eleni_mayor", "GR1601101250000000012300695")
VERIFIED = ("Heat from the Lake", "jaro", "jaro_mayor", "CZ6508000000192000145399")
AUTHORISED = ("Lamps that Dim", "theresa", "theresa", "AT611904300234573201")
DECIDED = ("Warm School", "linnea", "linnea", "SE4550000000058398257466")
HALF_SIGNED = ("Harbour without Smoke", "paolo", "paolo", "IT60X0542811101000000123456")


def load(progress: Progress) -> None:
    """Fill an empty database; ``progress`` is told how far it is: done, of how many, what."""
    Demo(progress).tell()


@dataclass
class Demo:
    """The stories and their one clock; days are counted back from today."""

    progress: Progress
    troupe: Troupe = field(default_factory=Troupe)
    # Ten in the morning in Brussels or nine in winter; nothing of the demo happens later than two days ago.
    today: datetime = field(default_factory=lambda: clock.now().replace(hour=8, minute=0, second=0, microsecond=0))
    noted: int = 0

    def tell(self) -> None:
        """Tell all stories as one; the jobs a deed asked for are done before anybody else's deed."""
        stories = merged(
            self._arrival(),
            self._cohort_1(),
            self._long_past_call(),
            self._past_call(),
            self._evaluated(),
            self._just_closed(),
            self._open(),
        )
        moment = next(stories, None)
        while moment is not None:
            with clock.at(moment):
                moment = next(stories, None)
                jobs.work_off(actor_of=identity.actor_for)
        self._note("Ready")

    def days_ago(self, days: int) -> datetime:
        """A moment counted back from today."""
        return self.today - timedelta(days=days)

    def _note(self, text: str) -> None:
        self.noted += 1
        self.progress(min(self.noted, NOTES), NOTES, text)

    def _arrival(self) -> Story:
        yield datetime(2022, 6, 1, 8, tzinfo=UTC)
        self._note("People and organisations")
        self.troupe.arrive()

    # --- cohort 1, real ---------------------------------------------------------------------------------------------

    def _cohort_1(self) -> Story:
        yield datetime(2022, 8, 30, 8, tzinfo=UTC)
        self._note("The call of 2022 with its real extension")
        text = resources.files("grants.calls").joinpath("data/call_2022.yaml").read_text(encoding="utf-8")
        cities.load_register(self.troupe.actor("manager"))
        call = self.troupe.publish_call(text, euros(32_000_000))
        yield datetime(2023, 3, 1, 9, tzinfo=UTC)
        self._note("The published outcome of cohort 1")
        self.troupe.record_cohort_1(call.id)
        yield from merged(*(self._pilot(pilot) for pilot in PILOTS))

    def _pilot(self, pilot: RealPilot) -> Story:
        """A whole life, from preparation to closure, always in time."""
        yield datetime(2023, 4, 3, 8, tzinfo=UTC)
        self._note(f"The whole life of {pilot.acronym}")
        mayor = f"{pilot.lead}_mayor"
        starts_on = datetime(2023, 6, 1, tzinfo=UTC).date()
        reference = self.troupe.prepare(pilot.title, starts_on, pilot.lead, mayor, pilot.iban)
        yield datetime(2023, 5, 22, 9, tzinfo=UTC)
        self._sign(reference, mayor)
        yield from self._pay(reference, datetime(2023, 5, 25, 9, tzinfo=UTC))
        yield from merged(self._milestones(reference, pilot.lead), self._reports(reference, pilot.lead))
        yield datetime(2025, 9, 15, 9, tzinfo=UTC)
        self.troupe.close(reference)

    def _milestones(self, reference: str, lead: str, *, until: datetime | None = None) -> Story:
        """Each milestone reached and accepted some days before it is due, as far as that lies before ``until``."""
        for milestone in agreement_reads.grant(self.troupe.actor("officer"), reference).milestones:
            reached = datetime.combine(milestone.due_on, datetime.min.time(), UTC) - timedelta(days=6, hours=-9)
            if until is not None and reached > until:
                return
            yield reached
            self.troupe.reach(reference, milestone.number, lead)
            self.troupe.accept_milestone(reference, milestone.number)

    def _reports(self, reference: str, lead: str) -> Story:
        for number, percent, sent in (
            (1, 55, datetime(2024, 6, 20, 9, tzinfo=UTC)),
            (2, 42, datetime(2025, 6, 24, 9, tzinfo=UTC)),
        ):
            yield sent
            self.troupe.report(reference, number, lead, percent)
            yield sent + timedelta(days=14)
            self.troupe.accept_report(reference, number)
            yield from self._pay(reference, sent + timedelta(days=28))

    def _sign(self, reference: str, mayor: str) -> None:
        self.troupe.sign_for_city(reference, mayor)
        self.troupe.sign_for_programme(reference)

    def _pay(self, reference: str, start: datetime) -> Story:
        """What is asked for is allowed, and its order goes through the circuit: four people, some days."""
        yield start
        self.troupe.decide_requests(reference)
        yield start + timedelta(days=1)
        order = self.troupe.prepare_order(reference)
        if order is None:
            return
        yield start + timedelta(days=1, hours=3)
        self.troupe.verify_order(order)
        yield start + timedelta(days=2)
        self.troupe.authorise_order(order)
        yield start + timedelta(days=2, hours=2)
        self.troupe.export_order(reference, order)
        yield start + timedelta(days=3, hours=4)
        self.troupe.book_order(order)

    # --- calls of invented municipalities ---------------------------------------------------------------------------

    def _long_past_call(self) -> Story:
        """Its two pilots are far on: a final report and an interim report wait for the officer."""
        yield self.days_ago(1_100)
        self._note("An older call of invented municipalities")
        call = self._invented("First streets", opens=1_090, closes=1_040, total=500_000)
        yield from self._selected(call, LONG_PAST, closed=1_040)
        yield from merged(
            self._reporting("Courtyard Commons", "theresa", AUTHORISED[3], signed=790, starts=770, percents=(55, 40)),
            self._reporting("Slow Lanes", "linnea", DECIDED[3], signed=420, starts=400, percents=(70,)),
        )

    def _reporting(
        self, title: str, lead: str, iban: str, *, signed: int, starts: int, percents: tuple[int, ...]
    ) -> Story:
        """A grant with that many yearly reports sent, a month after each year; all but the last are accepted and paid."""
        yield self.days_ago(signed + 30)
        reference = self.troupe.prepare(title, self.days_ago(starts).date(), lead, lead, iban)
        yield self.days_ago(signed)
        self._sign(reference, lead)
        yield from self._pay(reference, self.days_ago(signed - 10))
        yield from merged(
            self._milestones(reference, lead, until=self.days_ago(8)),
            self._yearly(reference, lead, starts, percents),
        )

    def _yearly(self, reference: str, lead: str, starts: int, percents: tuple[int, ...]) -> Story:
        for number, percent in enumerate(percents, start=1):
            sent = starts - 366 * number - 26
            yield self.days_ago(sent)
            self.troupe.report(reference, number, lead, percent)
            if number < len(percents):
                yield self.days_ago(sent - 20)
                self.troupe.accept_report(reference, number)
                yield from self._pay(reference, self.days_ago(sent - 40))

    def _selected(self, call: CallView, asked_for: tuple[AskedInDemo, ...], *, closed: int) -> Story:
        """From applications to the published results, in two months; ``closed`` is the day of the deadline."""
        sent: list[UUID] = []
        for place, asked in enumerate(asked_for):
            yield self.days_ago(closed + 40 - place)
            sent.append(self.troupe.apply(call, asked))
        yield self.days_ago(closed - 10)
        self.troupe.declare_eligible(sent)
        yield self.days_ago(closed - 20)
        self._note(f"{call.title}: assessments and consensus")
        self.troupe.assign(call, sent, due=self.days_ago(closed - 50))
        yield self.days_ago(closed - 30)
        self.troupe.assess(call, sent)
        yield self.days_ago(closed - 40)
        for application_id, asked in zip(sent, asked_for, strict=True):
            self.troupe.agree(call, application_id, asked.consensus)
        yield self.days_ago(closed - 55)
        self.troupe.decide_selection(call)
        yield self.days_ago(closed - 60)
        self.troupe.confirm_selection(call)
        yield self.days_ago(closed - 63)
        self.troupe.publish_results(call)

    def _past_call(self) -> Story:
        yield self.days_ago(420)
        self._note("A past call of invented municipalities")
        call = self._invented("Neighbourhood pilots", opens=400, closes=340, total=2_500_000)
        yield from self._selected(call, PAST, closed=340)
        self._note("Its grants, each at another point of the way")
        yield from merged(
            self._in_force(), self._signed_lately(), self._in_preparation(), self._half_signed(), self._overview(call)
        )

    def _in_force(self) -> Story:
        """Signed and paid long ago; its second milestone waits for the officer."""
        title, lead, mayor, iban = PAID
        yield self.days_ago(270)
        reference = self.troupe.prepare(title, self.days_ago(245).date(), lead, mayor, iban)
        yield self.days_ago(255)
        self._sign(reference, mayor)
        yield from self._pay(reference, self.days_ago(250))
        yield self.days_ago(60)
        self.troupe.reach(reference, 1, lead)
        self.troupe.accept_milestone(reference, 1)
        yield self.days_ago(6)
        self.troupe.reach(reference, 2, lead)

    def _signed_lately(self) -> Story:
        """Four grants signed in one week; their first payments wait for one person of the circuit each."""
        yield self.days_ago(40)
        begun = [
            (self.troupe.prepare(title, self.days_ago(20).date(), lead, mayor, iban), mayor)
            for title, lead, mayor, iban in (ORDERED, VERIFIED, AUTHORISED, DECIDED)
        ]
        yield self.days_ago(30)
        for reference, mayor in begun:
            self._sign(reference, mayor)
        ordered, verified, authorised, decided = (reference for reference, _ in begun)
        yield self.days_ago(6)
        for reference in (ordered, verified, authorised, decided):
            self.troupe.decide_requests(reference)
        yield self.days_ago(5)
        orders = [self.troupe.prepare_order(reference) for reference in (verified, authorised, ordered)]
        yield self.days_ago(4)
        for order in orders[:2]:
            if order is not None:
                self.troupe.verify_order(order)
        yield self.days_ago(3)
        if orders[1] is not None:
            self.troupe.authorise_order(orders[1])

    def _in_preparation(self) -> Story:
        """Some conditions are still open, and the account waits for a second person."""
        title, lead, mayor, iban = IN_PREPARATION
        yield self.days_ago(3)
        starts_on = (self.today + timedelta(days=40)).date()
        self.troupe.prepare(title, starts_on, lead, mayor, iban, until=Preparation.BEGUN)

    def _half_signed(self) -> Story:
        """The city has signed; the programme's signatory has not."""
        title, lead, mayor, iban = HALF_SIGNED
        yield self.days_ago(15)
        reference = self.troupe.prepare(title, (self.today + timedelta(days=30)).date(), lead, mayor, iban)
        yield self.days_ago(2)
        self.troupe.sign_for_city(reference, mayor)

    def _overview(self, call: CallView) -> Story:
        yield self.days_ago(2)
        self._note("A financial overview")
        documents.request(self.troupe.actor("initiator"), Wanted("call-financial-overview", call.reference))

    def _evaluated(self) -> Story:
        yield self.days_ago(95)
        self._note("A call in evaluation now")
        call = self._invented("Quick pilots for streets", opens=80, closes=40, total=600_000)
        sent: list[UUID] = []
        for place, asked in enumerate(NOW_EVALUATED):
            yield self.days_ago(60 - place)
            sent.append(self.troupe.apply(call, asked))
        yield self.days_ago(35)
        self.troupe.declare_eligible(sent)
        yield self.days_ago(25)
        self.troupe.assign(call, sent, due=self.today + timedelta(days=5), doubt="milan")
        yield self.days_ago(15)
        self.troupe.assess(call, sent, sheets=4)

    def _just_closed(self) -> Story:
        """The eligibility desk has its turn."""
        yield self.days_ago(60)
        self._note("A call that closed three days ago")
        call = self._invented("Small repairs", opens=50, closes=3, total=200_000)
        for place, asked in enumerate(JUST_CLOSED):
            yield self.days_ago(6 - place)
            self.troupe.apply(call, asked)

    def _open(self) -> Story:
        yield self.days_ago(40)
        self._note("A call open now")
        call = self._invented("Warm homes", opens=30, closes=-21, total=900_000)
        yield self.days_ago(12)
        warm = self.troupe.draft(call, AskedInDemo("Warm Blocks", "stefanel", "irina", 310_000), sections=5)
        self.troupe.invite_partner(warm, "irina", "marek", "zoltowice")
        yield self.days_ago(9)
        applications.accept_invitation(self.troupe.actor("marek"), warm, self.troupe.places["zoltowice"])
        yield self.days_ago(4)
        self.troupe.draft(call, AskedInDemo("Sun on the School", "sumberk", "jaro", 180_000), sections=2)

    def _invented(self, title: str, *, opens: int, closes: int, total: int) -> CallView:
        return self.troupe.publish_invented_call(title, self.days_ago(opens), self.days_ago(closes), total)


def merged(*stories: Story) -> Story:
    """Several stories as one: the earliest deed first, of two at the same moment that of the story named first."""
    first = ((next(story, None), number, story) for number, story in enumerate(stories))
    waiting = [(moment, number, story) for moment, number, story in first if moment is not None]
    heapq.heapify(waiting)
    while waiting:
        moment, number, story = heapq.heappop(waiting)
        yield moment
        later = next(story, None)
        if later is not None:
            assert later >= moment, "a story never goes back in time"
            heapq.heappush(waiting, (later, number, story))
