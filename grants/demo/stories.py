"""What happens in the demo, and when: stories yield the moment of their next deed; ``telling`` tells them."""

from __future__ import annotations

from collections.abc import Generator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from uuid import UUID

from grants.applications import queries as application_reads
from grants.applications import services as applications
from grants.calls.rules import CallView
from grants.demo import afterwards, asking, choosing, contested, weighing
from grants.demo.cast import (
    COUNTRY_OF_EVALUATORS,
    EVALUATORS,
    JUST_CLOSED,
    LONG_PAST,
    PAST,
    AskedInDemo,
)
from grants.demo.changing import correct_a_slip, publish_a_corrigendum
from grants.demo.cohort import cohort_1
from grants.demo.contracting import serve_the_contract
from grants.demo.deeds import Preparation
from grants.demo.large import SHORT_FORM, evaluated_now
from grants.demo.registering import tell_the_register
from grants.demo.stage import Stage, Story, merged, pay, reach_milestones, sign
from grants.demo.two_stages import two_stages
from grants.demo.unhappy import unhappy
from grants.documents import services as documents
from grants.documents.rules import Wanted
from grants.evaluation.states import Gender

# The grants of the past call, each left at another point of the way: title, lead, signatory, account.
PAID = ("Roof by Roof", "reka", "reka_mayor", "HU42117730161111101800000000")
LOOKED_AT = ("Ferry to Zero", "niels", "niels_mayor", "DK5000400440116243")
# Where its bank sends the money back, the city is paid here.
PAID_AGAIN = "HU68117730161111101800000017"
IN_PREPARATION = ("Cool Courtyards", "eleni", "eleni_mayor", "GR1601101250000000012300695")
SENT_BACK = ("Heat from the Lake", "jaro", "jaro_mayor", "CZ6508000000192000145399")
ORDERED = ("Lamps that Dim", "theresa", "theresa", "AT611904300234573201")
DECIDED = ("Warm School", "linnea", "linnea", "SE4550000000058398257466")
DECLINED = ("Baths without Gas", "marek")
HALF_SIGNED = ("Harbour without Smoke", "paolo", "paolo", "IT60X0542811101000000123456")


PASSED_BY_FACTS = """\
eligibility:
  applicants: {rule: Any municipality}
  criteria:
    - {key: lead, rule: the lead is a municipality, test: {fact: organisation_kind, of: lead, allowed: [municipality]}}
"""
# What is bought is paid by the afternoon, whatever it costs.
BY_UNITS = """\
unit_costs:
  - {category: C3, unit: repair afternoon, rate: 150, decimals: 0}
"""


# Paid are work packages that are done, and nothing in advance before a bank stands in for it; in advance it is paid twice.
LUMP_SUMS = """\
budget_grid: {by_work_package: true}
payment:
  funding: {form: lump_sum, guarantee: true}
  additional: {percent: 20, threshold: 70}
  tranches:
    - {key: prefinancing, kind: prefinancing, label: Pre-financing, percent: 40, condition: The agreement is in force}
    - {key: more, kind: additional, label: Additional pre-financing, percent: 20, condition: The city states what it used}
    - {key: interim, kind: interim, label: Interim payment, condition: The interim report is accepted, due_month: 12}
    - {key: balance, kind: balance, label: Payment of the balance, condition: The final report is accepted}
"""

# Paid are direct costs and a flat rate on them; what is asked for is registered, and verified by another person.
LOOKED_AT_FIRST = """\
payment:
  clock: {passes: verified}
  funding: {form: flat_rate}
"""


@dataclass
class Demo:
    """The stories and their one clock."""

    stage: Stage

    def arrival(self) -> Story:
        """People and organisations, and the account the programme pays from; before anything else."""
        yield datetime(2022, 6, 1, 8, tzinfo=UTC)
        self.stage.say("People and organisations")
        self.stage.troupe.arrive()
        self.stage.troupe.enter_own_account()
        tell_the_register(self.stage.troupe)

    def real(self) -> Story:
        """What happens in the real call of 2022."""
        return cohort_1(self.stage)

    def invented(self) -> Story:
        """What happens in the calls of invented municipalities."""
        return merged(
            self._long_past_call(),
            self._past_call(),
            self._waiting_call(),
            self._contested_call(),
            self._drawn_call(),
            self._compared_call(),
            evaluated_now(self.stage),
            unhappy(self.stage),
            two_stages(self.stage),
            self._just_closed(),
            self._open(),
            afterwards.office(self.stage),
        )

    # --- calls of invented municipalities ---------------------------------------------------------------------------

    def _long_past_call(self) -> Story:
        """Its two pilots are far on: a final report waits for the officer, the other grant was terminated."""
        yield self.stage.days_ago(1_100)
        self.stage.say("An older call of invented municipalities")
        call = self.stage.invented_call(
            "First streets", opens=1_090, closes=1_040, total=500_000, more=SHORT_FORM + LUMP_SUMS
        )
        yield from self._selected(call, LONG_PAST, closed=1_040)
        yield from merged(
            self._reporting("Courtyard Commons", "theresa", ORDERED[3], signed=790, starts=770),
            self._ended_early("Slow Lanes", "linnea", DECIDED[3]),
        )

    def _reporting(self, title: str, lead: str, iban: str, *, signed: int, starts: int) -> Story:
        """A grant that is paid by work packages, with both its yearly reports sent; the first is accepted and paid."""
        yield self.stage.days_ago(signed + 30)
        reference = self.stage.troupe.prepare(title, self.stage.days_ago(starts).date(), lead, lead, iban)
        yield self.stage.days_ago(signed)
        sign(self.stage, reference, lead)
        self.stage.troupe.record_guarantee(reference)
        yield from pay(self.stage, [reference], self.stage.days_ago(signed - 10))
        yield from merged(
            reach_milestones(self.stage, reference, lead, until=self.stage.days_ago(8)),
            afterwards.paid_in_advance_once_more(self.stage, reference, lead, starts),
            self._yearly(reference, lead, starts),
            afterwards.exchanged_letters(self.stage, reference, lead),
        )

    def _ended_early(self, title: str, lead: str, iban: str) -> Story:
        """Terminated after half a year; a part of what it owes is set off against what another grant of the city is paid."""
        yield self.stage.days_ago(450)
        reference = self.stage.troupe.prepare(title, self.stage.days_ago(400).date(), lead, lead, iban)
        yield self.stage.days_ago(420)
        sign(self.stage, reference, lead)
        self.stage.troupe.record_guarantee(reference)
        yield from pay(self.stage, [reference], self.stage.days_ago(410))
        yield from afterwards.terminated(self.stage, reference, lead, pays=DECIDED[0])

    def _yearly(self, reference: str, lead: str, starts: int) -> Story:
        yield self.stage.days_ago(starts - 392)
        self.stage.troupe.report_packages(reference, 1, lead, ("WP1",))
        yield self.stage.days_ago(starts - 412)
        self.stage.troupe.accept_packages(reference, 1, ("WP1",))
        yield from pay(self.stage, [reference], self.stage.days_ago(starts - 432))
        yield self.stage.days_ago(starts - 758)
        self.stage.troupe.report_packages(reference, 2, lead, ("WP2", "WP3"))

    def _selected(self, call: CallView, asked_for: tuple[AskedInDemo, ...], *, closed: int) -> Story:
        """From applications to the published results, in two months; ``closed`` is the day of the deadline."""
        yield from self._decided(call, asked_for, closed=closed)
        yield self.stage.days_ago(closed - 60)
        self.stage.troupe.confirm_selection(call)
        yield self.stage.days_ago(closed - 63)
        self.stage.troupe.publish_results(call)

    def _decided(
        self,
        call: CallView,
        asked_for: tuple[AskedInDemo, ...],
        *,
        closed: int,
        profiles: Mapping[str, tuple[Gender, int | None]] | None = None,
    ) -> Story:
        """From applications to the list one person decided, 55 days after the deadline."""
        yield from self._agreed(call, asked_for, closed=closed, profiles=profiles)
        yield self.stage.days_ago(closed - 55)
        self.stage.troupe.decide_selection(call)

    def _agreed(
        self,
        call: CallView,
        asked_for: tuple[AskedInDemo, ...],
        *,
        closed: int,
        judges: tuple[str, ...] = EVALUATORS,
        profiles: Mapping[str, tuple[Gender, int | None]] | None = None,
    ) -> Story:
        """From applications to the consensus on each, 40 days after the deadline."""
        sent = yield from self._assessed(call, asked_for, closed=closed, judges=judges, profiles=profiles)
        yield self.stage.days_ago(closed - 40)
        for application_id, asked in zip(sent, asked_for, strict=True):
            self.stage.troupe.agree(call, application_id, asked.consensus)

    def _assessed(
        self,
        call: CallView,
        asked_for: tuple[AskedInDemo, ...],
        *,
        closed: int,
        judges: tuple[str, ...] = EVALUATORS,
        profiles: Mapping[str, tuple[Gender, int | None]] | None = None,
    ) -> Generator[datetime, None, list[UUID]]:
        """From applications to the last assessment, 30 days after the deadline; returns the applications."""
        sent: list[UUID] = []
        for place, asked in enumerate(asked_for):
            yield self.stage.days_ago(closed + 40 - place)
            sent.append(self.stage.troupe.apply(call, asked))
        yield self.stage.days_ago(closed - 10)
        self.stage.troupe.declare_eligible(sent)
        yield self.stage.days_ago(closed - 20)
        self.stage.say(f"{call.title}: assessments and consensus")
        self.stage.troupe.assign(
            call,
            sent,
            self.stage.days_ago(closed - 50),
            pool=dict.fromkeys(judges, COUNTRY_OF_EVALUATORS),
            profiles=profiles,
        )
        yield self.stage.days_ago(closed - 30)
        self.stage.troupe.assess(call, sent, [asked.consensus for asked in asked_for])
        return sent

    def _waiting_call(self) -> Story:
        """Its marks are other ones, its panel moved a score; its list departs from the ranks and waits for the second person."""
        yield self.stage.days_ago(110)
        self.stage.say("A call whose list waits for the second person")
        call = self.stage.invented_call(
            "Courtyard libraries", opens=105, closes=58, total=weighing.TOTAL, more=SHORT_FORM + weighing.RULES
        )
        sent = yield from self._assessed(call, weighing.LIST, closed=58, judges=choosing.JUDGES)
        yield from weighing.moved(self.stage, sent, 58)
        yield from weighing.decided(self.stage, call, sent, 58)

    def _contested_call(self) -> Story:
        """Its results are complained about."""
        yield self.stage.days_ago(135)
        self.stage.say("A call whose results are complained about")
        call = self.stage.invented_call(
            "Shade for squares", opens=130, closes=85, total=contested.TOTAL, award=contested.TOTAL, more=SHORT_FORM + contested.RULES
        )  # fmt: skip
        yield from self._decided(call, contested.LIST, closed=85, profiles=contested.PROFILES)
        yield from contested.contested(self.stage, call)

    def _drawn_call(self) -> Story:
        """Three stay tied at its line, which pays for one: they were drawn by lot, and the seed is published."""
        yield self.stage.days_ago(120)
        self.stage.say("A call that draws by lot at its budget line")
        call = self.stage.invented_call(
            "Benches and fountains", opens=115, closes=70, total=choosing.DRAWN_TOTAL, award=40_000, more=SHORT_FORM + choosing.DRAWS
        )  # fmt: skip
        yield from self._agreed(call, choosing.DRAWN, closed=70)
        yield from choosing.drawn(self.stage, call)

    def _compared_call(self) -> Story:
        """Its rules take a solver; scenarios and other aims stand beside its list, which nobody decided yet."""
        yield self.stage.days_ago(98)
        self.stage.say("A call whose list is compared with scenarios")
        call = self.stage.invented_call(
            "Cool roofs", opens=92, closes=47, total=choosing.COMPARED_TOTAL, award=110_000, more=SHORT_FORM + choosing.COMPARED_FORM
        )  # fmt: skip
        choosing.register_cities(self.stage)
        yield from self._agreed(call, choosing.compared_list(self.stage), closed=47, judges=choosing.JUDGES)
        yield from choosing.compared(self.stage, call)

    def _past_call(self) -> Story:
        yield self.stage.days_ago(420)
        self.stage.say("A past call of invented municipalities")
        call = self.stage.invented_call(
            "Neighbourhood pilots", opens=400, closes=340, total=2_800_000, more=LOOKED_AT_FIRST
        )
        yield from self._selected(call, PAST, closed=340)
        self.stage.say("Its grants, each at another point of the way")
        yield from merged(
            self._in_force(),
            self._signed_lately(),
            self._in_preparation(),
            self._half_signed(),
            self._declined(),
            self._overview(call),
        )

    def _in_force(self) -> Story:
        """Signed long ago, paid at the second try, extended; its second milestone waits for the officer."""
        title, lead, mayor, iban = PAID
        yield self.stage.days_ago(270)
        reference = self.stage.troupe.prepare(title, self.stage.days_ago(245).date(), lead, mayor, iban)
        yield self.stage.days_ago(255)
        sign(self.stage, reference, mayor)
        yield from afterwards.paid_twice(self.stage, reference, lead, PAID_AGAIN)
        yield from merged(self._reaching(reference, lead), afterwards.extended(self.stage, reference, lead, mayor))

    def _reaching(self, reference: str, lead: str) -> Story:
        yield self.stage.days_ago(60)
        self.stage.troupe.reach(reference, 1, lead)
        self.stage.troupe.accept_milestone(reference, 1)
        yield self.stage.days_ago(6)
        self.stage.troupe.reach(reference, 2, lead)

    def _signed_lately(self) -> Story:
        """Four grants signed in one week; their first payments wait for one person of the circuit each."""
        yield self.stage.days_ago(40)
        begun = [
            (self.stage.troupe.prepare(title, self.stage.days_ago(20).date(), lead, mayor, iban), mayor)
            for title, lead, mayor, iban in (LOOKED_AT, SENT_BACK, ORDERED, DECIDED)
        ]
        yield self.stage.days_ago(30)
        for reference, mayor in begun:
            sign(self.stage, reference, mayor)
        looked_at, sent_back, ordered, decided = (reference for reference, _ in begun)
        yield from merged(
            self._first_payments(looked_at, sent_back, ordered, decided),
            afterwards.offered_and_drafted(self.stage, (sent_back, SENT_BACK[1], SENT_BACK[2]), (decided, DECIDED[1])),
            afterwards.nearly_terminated(
                self.stage, (ordered, ORDERED[2]), (looked_at, LOOKED_AT[2]), (sent_back, SENT_BACK[2])
            ),
        )

    def _first_payments(self, looked_at: str, sent_back: str, ordered: str, decided: str) -> Story:
        """Of one the request is verified, of one it is not complete; one is ordered, one decided."""
        troupe = self.stage.troupe
        yield self.stage.bank_days_ago(6)
        for reference in (looked_at, ordered, decided):
            troupe.examine(reference)
        for reference in (ordered, decided):
            troupe.decide_requests(reference)
        troupe.send_back(
            sent_back, "Say on which day the works begin; it was to be the first of the month. (Synthetic.)"
        )
        yield from afterwards.of_every_order(self.stage, ordered)

    def _in_preparation(self) -> Story:
        """Some conditions are still open, and the account waits for a second person."""
        title, lead, mayor, iban = IN_PREPARATION
        yield self.stage.days_ago(3)
        starts_on = (self.stage.today + timedelta(days=40)).date()
        self.stage.troupe.prepare(title, starts_on, lead, mayor, iban, until=Preparation.BEGUN)

    def _declined(self) -> Story:
        """The city does not take its grant."""
        title, lead = DECLINED
        yield self.stage.days_ago(262)
        reference = self.stage.troupe.begin_preparation_of(title, self.stage.days_ago(200).date(), lead)
        yield self.stage.days_ago(235)
        self.stage.troupe.decline(reference, lead, "The council pays the baths from its own loan and needs no grant.")

    def _half_signed(self) -> Story:
        """The budget was revised twice; the city has signed on paper, and the paper of the programme waits to be looked at."""
        title, lead, mayor, iban = HALF_SIGNED
        troupe, starts_on = self.stage.troupe, (self.stage.today + timedelta(days=30)).date()
        yield self.stage.days_ago(18)
        reference = troupe.begin_preparation_of(title, starts_on, lead, mayor)
        number = troupe.revise(reference, lead)
        yield self.stage.days_ago(17)
        troupe.return_revision(reference, number, "Say in the budget what is bought and what is done by own people.")
        yield self.stage.days_ago(15)
        troupe.accept_revision(reference, troupe.revise(reference, lead))
        troupe.finish_preparation(reference, lead, iban)
        yield from afterwards.signed_on_paper(self.stage, reference, mayor)

    def _overview(self, call: CallView) -> Story:
        """While money is reserved and committed, and nothing is paid yet."""
        yield self.stage.days_ago(251)
        self.stage.say("A financial overview")
        documents.request(self.stage.troupe.actor("initiator"), Wanted("call-financial-overview", call.reference))

    def _just_closed(self) -> Story:
        """The eligibility desk has its turn."""
        yield self.stage.days_ago(60)
        self.stage.say("A call that closed three days ago")
        # What its condition asks the facts answer, so that the rest can be passed together.
        call = self.stage.invented_call(
            "Small repairs", opens=50, closes=3, total=200_000, more=SHORT_FORM + PASSED_BY_FACTS + BY_UNITS
        )
        sent: list[UUID] = []
        for place, asked in enumerate(JUST_CLOSED):
            yield self.stage.days_ago(7 - place)
            sent.append(self.stage.troupe.apply(call, asked))
        yield self.stage.days_ago(2)
        self.stage.troupe.declare_eligible(sent[:1])
        # Its letter waits to be looked at; the last one is not checked yet.
        self.stage.troupe.decide_eligibility(sent[1:2])

    def _open(self) -> Story:
        """Two applications are written; of the partners asked one accepted, one declined, one waits for a word at home."""
        troupe = self.stage.troupe
        yield self.stage.days_ago(40)
        self.stage.say("A call open now")
        call = self.stage.invented_call("Warm homes", opens=30, closes=-21, total=900_000, more=asking.AROUND)
        asking.announce(self.stage, call)
        yield self.stage.days_ago(12)
        warm = troupe.draft(call, AskedInDemo("Warm Blocks", "stefanel", "irina", 310_000), sections=5)
        serve_the_contract(troupe, warm)
        for partner, place in (("marek", "zoltowice"), ("niels", "aerosted"), ("paolo", "portosereno")):
            troupe.invite_partner(warm, "irina", partner, place)
        asked = asking.ask(self.stage, call)
        yield self.stage.days_ago(9)
        asking.answer(self.stage, call, asked)
        applications.accept_invitation(troupe.actor("marek"), warm, troupe.places["zoltowice"], 1)
        troupe.plan(warm, "irina", ("stefanel", "zoltowice"))
        applications.decline_invitation(
            troupe.actor("niels"), warm, troupe.places["aerosted"], "We already lead another application this year."
        )
        yield self.stage.days_ago(4)
        sun = troupe.draft(call, AskedInDemo("Sun on the School", "sumberk", "jaro", 180_000), sections=2)
        for partner, place in (("eleni", "kovarhely"), ("eleni_mayor", "neochora"), ("mayor", "stefanel")):
            troupe.invite_partner(sun, "jaro", partner, place)
        asking.after_the_session(self.stage, call)
        yield self.stage.days_ago(3)
        applications.accept_invitation(troupe.actor("eleni"), sun, troupe.places["kovarhely"], 1)
        correct_a_slip(troupe.actor("manager"), call)
        tickets = asking.wait(self.stage, call, application_reads.view_by_id(warm).reference)
        yield self.stage.days_ago(2)
        asking.help_out(self.stage, *tickets)
        call = publish_a_corrigendum(troupe.actor("manager"), call.id, (warm, sun))
        troupe.apply(call, AskedInDemo("Cellar to Roof", "lumenau", "theresa", 240_000))
