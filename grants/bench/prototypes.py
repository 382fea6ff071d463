"""One of each: calls, applications and a grant made by acts, as people make them, and cut into stencils.

Everything here is invented. The calls: one whose applications were granted, one in which every application is ranked, one
that evaluators score now, one open with drafts; where it is asked for, one more whose grants were paid whole. The people of the demo do the work.
"""

from __future__ import annotations

import io
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from uuid import UUID

from werkzeug.datastructures import FileStorage

from grants.applications import services as applications
from grants.applications.services import places_of
from grants.bench import stencils
from grants.bench.stencils import Connection, Stencil
from grants.calls.rules import CallView
from grants.core import clock, files, jobs
from grants.demo.cast import AskedInDemo
from grants.demo.deeds import Troupe
from grants.demo.judging import PANEL
from grants.demo.texts import letter
from grants.evaluation.queries import seat_people
from grants.identity import queries as identity
from grants.identity import services as people
from grants.identity.policy import Role
from grants.identity.rules import OrganisationInput, UserInput
from grants.identity.states import OrganisationKind
from grants.oversight import rules

GRANTED_EUROS, AWARD_EUROS = 240_000, 600_000
LOAD_MAX = 400
# Holes of the copies: each has an account of its own.
IBAN, SETTLED_IBAN = "DE02120300000000202051", "DE02500105170137075030"

# Title, municipality, its lead, euros, consensus in half points.
About = tuple[str, str, str, int, tuple[int, ...]]
# The ranked call has as many different rows as this.
RANKED = (
    ("Quayside Boilers", "Quaymouth", "Ada Quill", 250_000, (9, 9, 8)),
    ("Tramway Gardens", "Tramford", "Bela Trask", 310_000, (9, 8, 8)),
    ("Orchard Roofs", "Orchester", "Cleo Orne", 180_000, (8, 8, 8)),
    ("Kiln Street Loop", "Kilnham", "Dov Kiln", 220_000, (8, 7, 8)),
    ("Weir Turbines", "Weirbridge", "Edda Weir", 275_000, (7, 7, 8)),
    ("Sluice Commons", "Sluicewell", "Finn Slu", 205_000, (7, 7, 7)),
)
GRANTED = ("Lantern Quarter", "Lanternby", "Gwen Lantry", GRANTED_EUROS, (8, 8, 8))
SETTLED = ("Beacon Terraces", "Beaconhythe", "Bram Beacon", GRANTED_EUROS, (8, 8, 8))
SCORED = ("Hearth Exchange", "Hearthwick", "Hugo Hearn", 260_000, ())
DRAFTED = ("Moss Walls", "Mossgate", "Iris Moss", 150_000, ())
EVALUATOR_NAMES = ("Nora Nettle", "Oskar Oxley", "Paula Pryce")
RANKED_TITLE, RANKED_SLUG = "Streets ranked", "streets-ranked"
# What a copy's record tells; how its draft was written and scored is told of the original alone.
TOLD = rules.APPLICATION_STORY | rules.GRANT_STORY | rules.ORDER_STORY | rules.CALL_STORY
# One list is decided for the whole call: every copy stands on it.
SHARED = frozenset({"selection", "call"})


@dataclass(frozen=True)
class Kind:
    """A stencil of applications, and the words each copy is given anew."""

    stencil: Stencil
    title: str
    town: str
    lead: str
    email: str
    handle: str
    iban: str


@dataclass
class Made:
    """What was cut: the calls, a call to multiply, an evaluator to multiply, applications of each kind."""

    calls: dict[str, CallView] = field(default_factory=dict)
    call: Stencil | None = None
    evaluator: Stencil | None = None
    evaluators: list[tuple[UUID, UUID]] = field(default_factory=list)
    ranked: list[Kind] = field(default_factory=list)
    granted: Kind | None = None
    scored: Kind | None = None
    drafted: Kind | None = None


class Workshop:
    """Makes one of each, and cuts what appeared meanwhile."""

    def __init__(self, connection: Connection, *, grants: int) -> None:
        self._connection, self._grants = connection, grants
        self._troupe = Troupe()
        self._today = clock.now().replace(hour=8, minute=0, second=0, microsecond=0)
        self.made = Made()

    def make(self) -> Made:
        """Everything, the oldest first."""
        with self._at(1_500):
            self._troupe.arrive()
            # Of the programme, not of a grant: every copy is paid from this one account.
            self._troupe.enter_own_account()
        self.made.granted = self._granted_call("granted", "Streets paid", GRANTED, IBAN, waits=True)
        self._ranked_call()
        self._scored_call()
        self._open_call()
        return self.made

    def settle(self) -> Kind:
        """A grant that was paid whole, of a call of its own; made when it is first asked for."""
        return self._granted_call("settled", "Streets settled", SETTLED, SETTLED_IBAN, waits=False)

    # --- the calls --------------------------------------------------------------------------------------------------

    def _granted_call(self, key: str, title: str, about: About, iban: str, *, waits: bool) -> Kind:
        with self._at(1_260):
            total = max(self._grants * GRANTED_EUROS, AWARD_EUROS)
            call = self._publish(key, title, opens=1_250, closes=1_200, total=total)
            pool = self._pool(call)
        asked = self._asked(key, about)
        before = stencils.keys(self._connection)
        self._to_consensus(call, asked, pool, closed=1_200)
        with self._at(1_145):
            self._troupe.decide_selection(call)
        with self._at(1_140):
            self._troupe.confirm_selection(call)
        with self._at(1_137):
            self._troupe.publish_results(call)
        self._grant(asked, iban, waits=waits)
        return self._cut(before, about, shared=SHARED, iban=iban)

    def _ranked_call(self) -> None:
        before = stencils.keys(self._connection)
        with self._at(95):
            call = self._publish("ranked", RANKED_TITLE, opens=80, closes=40, total=40_000_000)
        self.made.call = stencils.cut(
            self._connection, self._since(before), told=TOLD, names=(RANKED_TITLE, RANKED_SLUG)
        )
        with self._at(92):
            pool = self._pool(call)
        for about in RANKED:
            asked = self._asked("ranked", about)
            before = stencils.keys(self._connection)
            self._to_consensus(call, asked, pool, closed=40)
            others = (*self.made.call.holes, *(str(each) for pair in self.made.evaluators for each in pair))
            self.made.ranked.append(self._cut(before, about, others=others))

    def _scored_call(self) -> None:
        with self._at(94):
            call = self._publish("scored", "Streets scored", opens=79, closes=39, total=20_000_000)
            pool = self._pool(call)
        asked = self._asked("scored", SCORED)
        before = stencils.keys(self._connection)
        application_id = self._to_seats(call, asked, pool, closed=39)
        with self._at(10):
            for number, user_id in enumerate(tuple(seat_people(application_id))[: len(pool) - 1], start=1):
                self._troupe.submit_sheet(call, application_id, user_id, number)
        self.made.scored = self._cut(before, SCORED)

    def _open_call(self) -> None:
        with self._at(30):
            call = self._publish("open", "Streets open", opens=25, closes=-21, total=9_000_000)
        asked = self._asked("open", DRAFTED)
        before = stencils.keys(self._connection)
        with self._at(9):
            self._arrive(asked)
            application_id = self._troupe.draft(call, asked, sections=99)
            needed = {f"attachment_{each.key}" for each in call.content.attachments if each.required}
            for role in places_of(call):
                if role in needed or role.startswith("question_"):
                    upload = FileStorage(io.BytesIO(letter(asked.title)), filename=f"{role}.pdf")
                    applications.attach_file(
                        self._troupe.actor(asked.lead), application_id, files.receive(upload), role
                    )
        self.made.drafted = self._cut(before, DRAFTED)

    # --- an application ---------------------------------------------------------------------------------------------

    def _to_seats(self, call: CallView, asked: AskedInDemo, pool: Sequence[str], *, closed: int) -> UUID:
        with self._at(closed + 5):
            self._arrive(asked)
            application_id = self._troupe.apply(call, asked)
        with self._at(closed - 5):
            self._troupe.declare_eligible([application_id])
        with self._at(closed - 15):
            for key in (*pool, *PANEL):
                self._troupe.declare(call, key, [application_id], {})
            self._troupe.run_assignment(call, self._today + timedelta(days=60))
        return application_id

    def _to_consensus(self, call: CallView, asked: AskedInDemo, pool: Sequence[str], *, closed: int) -> UUID:
        application_id = self._to_seats(call, asked, pool, closed=closed)
        with self._at(closed - 25):
            self._troupe.assess(call, [application_id], [asked.consensus])
        with self._at(closed - 30):
            self._troupe.agree(call, application_id, asked.consensus)
        return application_id

    def _grant(self, asked: AskedInDemo, iban: str, *, waits: bool) -> None:
        """Signed, two payments booked; the third too, or verified where it waits for the authorising officer."""
        with self._at(960):
            reference = self._troupe.prepare(
                asked.title, (self._today - timedelta(days=930)).date(), asked.lead, asked.lead, iban
            )
        with self._at(950):
            self._troupe.sign_for_city(reference, asked.lead)
            self._troupe.sign_for_programme(reference)
        self._pay(reference, 940)
        for number, percent, sent in ((1, 55, 538), (2, 40, 172)):
            with self._at(sent):
                self._troupe.report(reference, number, asked.lead, percent)
            with self._at(sent - 20):
                self._troupe.accept_report(reference, number)
            self._pay(reference, sent - 40, booked=number == 1 or not waits)

    def _pay(self, reference: str, day: int, *, booked: bool = True) -> None:
        with self._at(day):
            self._troupe.decide_requests(reference)
        with self._at(day - 1):
            order = self._troupe.prepare_order(reference)
            assert order is not None, "something was asked for"
            self._troupe.verify_order(order)
        if booked:
            with self._at(day - 2):
                self._troupe.authorise_order(order)
                self._troupe.export_order(reference, order)
            with self._at(day - 4):
                self._troupe.book_order(order, (clock.now() - timedelta(days=1)).date())

    # --- people -----------------------------------------------------------------------------------------------------

    def _publish(self, key: str, title: str, *, opens: int, closes: int, total: int) -> CallView:
        opening, closing = (self._today - timedelta(days=days) for days in (opens, closes))
        made = self._troupe.publish_invented_call(title, opening, closing, total, award=AWARD_EUROS)
        self.made.calls[key] = made
        return made

    def _pool(self, call: CallView) -> list[str]:
        """Three evaluators of this call; the last one is cut, to be multiplied."""
        found = []
        for name in EVALUATOR_NAMES:
            key = f"{name} {call.slug}"
            before = stencils.keys(self._connection)
            email = f"{name.split()[0].lower()}.{len(self._troupe.ids)}@bench-experts.example"
            administrator = self._troupe.actor("administrator")
            values = UserInput(name, email, (Role.EVALUATOR,), job_title="Evaluator", is_demo=True)
            self._troupe.ids[key] = user_id = people.add_user(administrator, values).user_id
            self._troupe.fill_pool(call, {key: "FI"}, LOAD_MAX)
            jobs.work_off(actor_of=identity.actor_for)
            found.append(key)
            if call is self.made.calls.get("ranked"):
                self._keep_evaluator(call, user_id, name, email, before)
        return found

    def _keep_evaluator(
        self, call: CallView, user_id: UUID, name: str, email: str, before: Mapping[str, set[str]]
    ) -> None:
        handle = self._handle(user_id)
        row = self._connection.execute(
            "SELECT id FROM evaluator WHERE user_id = %s AND call_id = %s", [user_id, call.id]
        ).fetchone()
        assert row is not None, "just pooled"
        assert self.made.call is not None, "the call was cut before its pool"
        self.made.evaluators.append((user_id, row[0]))
        self.made.evaluator = stencils.cut(
            self._connection, self._since(before), told=TOLD, names=(name, email, handle, *self.made.call.holes)
        )

    def _asked(self, key: str, about: About) -> AskedInDemo:
        title, town, lead, amount, consensus = about
        return AskedInDemo(title, town, lead, amount, consensus)

    def _arrive(self, asked: AskedInDemo) -> None:
        """The municipality and the person who leads its application."""
        administrator = self._troupe.actor("administrator")
        place = people.add_organisation(
            administrator,
            OrganisationInput(
                asked.organisation, OrganisationKind.MUNICIPALITY, "SE", town=asked.organisation, synthetic=True
            ),
        )
        values = UserInput(
            asked.lead,
            _email(asked.lead),
            (Role.APPLICANT,),
            organisation_id=place.id,
            job_title="Climate officer",
            is_demo=True,
        )
        self._troupe.places[asked.organisation] = place.id
        self._troupe.ids[asked.lead] = people.add_user(administrator, values).user_id

    # --- cutting ----------------------------------------------------------------------------------------------------

    def _cut(
        self, before: Mapping[str, set[str]], about: About,
        *, others: Sequence[str] = (), shared: frozenset[str] = frozenset(), iban: str = IBAN,
    ) -> Kind:  # fmt: skip
        title, town, lead, *_ = about
        handle = self._handle(self._troupe.ids[lead])
        names = (title, title.lower(), town, town.lower(), lead, _email(lead), handle)
        stencil = stencils.cut(
            self._connection, self._since(before), names=(*names, iban, *others), told=TOLD, shared=shared
        )
        return Kind(stencil, title, town, lead, _email(lead), handle, iban)

    def _handle(self, user_id: UUID) -> str:
        row = self._connection.execute("SELECT handle FROM user_account WHERE id = %s", [user_id]).fetchone()
        assert row is not None, "the person was just added"
        return str(row[0])

    def _since(self, before: Mapping[str, set[str]]) -> dict[str, set[str]]:
        now = stencils.keys(self._connection)
        return {table: found - before.get(table, set()) for table, found in now.items()}

    @contextmanager
    def _at(self, days_ago: int) -> Iterator[None]:
        with clock.at(self._today - timedelta(days=days_ago)):
            yield
            jobs.work_off(actor_of=identity.actor_for)


def _email(name: str) -> str:
    return f"{name.lower().replace(' ', '.')}@bench.example"
