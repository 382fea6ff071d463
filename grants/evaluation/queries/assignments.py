"""The manager’s reads: the pool, the seats of applications, the runs, one seat. The page of all is in ``seating``."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from datetime import date
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Label, Select, Text, and_, cast, func, literal, not_, or_, select, true
from sqlalchemy.orm import aliased

from grants.applications.models import Application, ApplicationPartner
from grants.applications.states import PartnerState
from grants.calls import queries as calls
from grants.calls.models import Call
from grants.calls.rules import CallView
from grants.core import clock
from grants.core.db import among
from grants.core.errors import NotFound
from grants.core.permissions import Actor, Permission, Scope
from grants.core.together import Asking, ask, both, reader
from grants.evaluation import rules
from grants.evaluation.models import Assessment, Assignment, AssignmentRun, Evaluator, EvaluatorWish
from grants.evaluation.queries.accepting import (
    accepted_of,
    belongs_to,
    close_ids,
    employers_of,
    organisations_of,
    read_rows,
    terms_accepted,
)
from grants.evaluation.queries.access import (
    IN_EVALUATION,
    READS_ASSIGNMENTS,
    shut_to,
    still_declared_by,
    still_declares,
)
from grants.evaluation.queries.applicants import cities_of, head_of
from grants.evaluation.queries.seats_seen import assesses, may_see
from grants.evaluation.rules import (
    ApplicationHead,
    Consortium,
    PoolMember,
    RunView,
    SeatView,
    ShutTitles,
    told_of_run,
)
from grants.evaluation.states import AssessmentState, CountryRule, Gender, RunStatus, SeatState
from grants.identity.models import Organisation, User
from grants.identity.policy import Role
from grants.identity.queries import in_roles
from grants.identity.rules import Person

RUNS_SHOWN = 20
# What lists show of a run; proof and reasons of its seats may be large and are asked for by themselves.
RUN_COLUMNS = (
    AssignmentRun.id, AssignmentRun.number, AssignmentRun.status, AssignmentRun.created_at, AssignmentRun.seed,
    AssignmentRun.objective, AssignmentRun.bound, AssignmentRun.reasons, AssignmentRun.changes,
    AssignmentRun.applications, AssignmentRun.evaluators, AssignmentRun.seats, AssignmentRun.seats_new,
    AssignmentRun.pairs_priced, AssignmentRun.rounds, AssignmentRun.input_sha256,
    AssignmentRun.ideal, AssignmentRun.solver, AssignmentRun.settings,
    AssignmentRun.settings[rules.SHUT_TO_WHO_ASKED].label("left_out"),
)  # fmt: skip


def not_barred(actor: Actor) -> ColumnElement[bool]:
    """The condition on :class:`Assignment` that its application is not shut to this person: then no count tells of it."""
    seen = Assignment.application_id.not_in(actor.barred("application"))
    if not actor.can(Permission.CONFLICT_DECLARE):
        return seen
    return and_(seen, Assignment.application_id.not_in(still_declared_by(actor)))


def _kept_from(actor: Actor) -> ColumnElement[bool]:
    """The contrary of :func:`not_barred`, of :class:`Application`."""
    return or_(among(Application.id, actor.barred("application")), still_declares(actor))


@reader
def sees_a_part(actor: Actor, call_id: UUID) -> Asking[bool]:
    """Whether an application of a call is shut to this person, or its other seats are: figures of the whole call would tell of it."""
    if not (actor.barred("application") or actor.can(Permission.CONFLICT_DECLARE)):
        return False
    hidden = or_(_kept_from(actor), assesses(actor))
    found = yield from ask(select(Application.id).where(Application.call_id == call_id, hidden).limit(1))
    return bool(found)


def _shut_count(actor: Actor, call_id: UUID) -> ColumnElement[int]:
    """How many applications of a call are shut to this person, whatever stands with them."""
    shut = and_(Application.call_id == call_id, _kept_from(actor))
    return select(func.count(Application.id)).where(shut).scalar_subquery()


@reader
def pool(call_id: UUID, sees: Actor | None = None) -> Asking[tuple[PoolMember, ...]]:
    """The evaluators of a call by name, with what they know, wish, have and have done. One statement.

    Where it is shown to somebody, seats on what is shut to them are in none of its numbers; :attr:`PoolMember.unseen` counts
    each application shut to them as a seat of everybody, so that nobody takes too much and nothing tells who sits there.
    """
    active = and_(Assignment.evaluator_id == Evaluator.id, Assignment.state == SeatState.ACTIVE.value)
    seen = true() if sees is None else not_barred(sees)
    shut = literal(0) if sees is None else _shut_count(sees, call_id)
    done = and_(Assessment.state == AssessmentState.SUBMITTED.value, seen)
    rows = yield from ask(
        select(
            *(Evaluator.id, Evaluator.user_id, Evaluator.organisation_id, Evaluator.country_code, Evaluator.town),
            *(Evaluator.languages, Evaluator.topics, Evaluator.load_min, Evaluator.load_max, Evaluator.version),
            *(Evaluator.load_target, Evaluator.gender),
            *(Evaluator.topic_levels, Evaluator.language_levels, Evaluator.roles),
            *(Evaluator.stepped_down_at, Evaluator.stepped_down_why),
            *(Evaluator.available_from, Evaluator.available_until, _wishes(), _met_last_year(call_id, seen)),
            *(
                employers_of(),
                *organisations_of(),
                accepted_of(),
                (not_(terms_accepted(Evaluator.user_id, Evaluator.call_id))).label("must_accept"),
            ),
            *(User.name, User.handle, Organisation.name.label("organisation")),
            func.count(Assignment.id).filter(seen).label("load"),
            shut.label("shut"),
            func.count(Assessment.id).filter(done).label("submitted"),
        )
        .join(User, User.id == Evaluator.user_id)
        .outerjoin(Organisation, Organisation.id == Evaluator.organisation_id)
        .outerjoin(Assignment, active)
        .outerjoin(Assessment, Assessment.assignment_id == Assignment.id)
        .where(Evaluator.call_id == call_id)
        .group_by(Evaluator.id, User.name, User.handle, Organisation.name)
        .order_by(User.name, Evaluator.id)
        # One more than a run takes, which says so.
        .limit(rules.RUN_EVALUATORS_MAX + 1)
    )
    today = clock.today()
    return tuple(_member(row, today) for row in rows)


def _member(row: Any, today: date) -> PoolMember:
    employers = read_rows(row.employers)
    return PoolMember(
        row.id, row.user_id, row.name, row.handle, row.organisation or "", row.organisation_id, row.country_code,
        tuple(row.languages), tuple(row.topics), row.load_min, row.load_max, row.version, row.load, row.submitted,
        unseen=min(row.shut, max(0, row.load_max - row.load)), roles=tuple(row.roles), levels=row.language_levels, topic_levels=row.topic_levels,
        bids={UUID(key): wish for key, wish in (row.wishes or {}).items()},
        met_last_year=frozenset(row.met_last_year or ()),
        available_from=row.available_from, available_until=row.available_until,
        employers=employers, close_ids=close_ids(employers, today),
        belongs=belongs_to(row.own_entry, row.entered, today),
        accepted=row.accepted, must_accept=row.must_accept,
        stepped_down_at=row.stepped_down_at, stepped_down_why=row.stepped_down_why or "",
        load_target=row.load_target, gender=None if row.gender is None else Gender(row.gender),
        town=row.town or "",
    )  # fmt: skip


def _wishes() -> Label[Any]:
    """What an evaluator wishes, by application."""
    return (
        select(func.jsonb_object_agg(cast(EvaluatorWish.application_id, Text), EvaluatorWish.wish))
        .where(EvaluatorWish.evaluator_id == Evaluator.id)
        .correlate(Evaluator)
        .scalar_subquery()
        .label("wishes")
    )


def _met_last_year(call_id: UUID, seen: ColumnElement[bool]) -> Label[Any]:
    """The organisations behind the applications on which the person of an entry had a seat in the programme's calls of the year before, but for seats that are not ``seen``."""
    other, this, before = aliased(Evaluator), aliased(Call), aliased(Call)
    return (
        select(func.array_agg(ApplicationPartner.organisation_id.distinct()))
        .select_from(other)
        .join(before, before.id == other.call_id)
        .join(this, and_(this.programme_id == before.programme_id, this.year == before.year + 1))
        .join(Assignment, Assignment.evaluator_id == other.id)
        .join(ApplicationPartner, ApplicationPartner.application_id == Assignment.application_id)
        .where(
            other.user_id == Evaluator.user_id,
            this.id == call_id,
            Assignment.state == SeatState.ACTIVE.value,
            seen,
            ApplicationPartner.state != PartnerState.DECLINED.value,
        )
        .correlate(Evaluator)
        .scalar_subquery()
        .label("met_last_year")
    )


@reader
def call_to_assign(actor: Actor, slug: str) -> Asking[CallView]:
    """The call by its address, for who decides its assignments; :class:`NotFound` for everybody else."""
    call = yield from calls.call.asking(actor, slug)
    if not actor.may(Permission.ASSIGNMENT_DECIDE, Scope.of(("call", call.id))):
        raise NotFound
    return call


@reader
def call_assigned(actor: Actor, slug: str) -> Asking[CallView]:
    """The same for whoever reads of its assignments: who decides them, and who audits."""
    call = yield from calls.call.asking(actor, slug)
    if not any(actor.may(permission, Scope.of(("call", call.id))) for permission in READS_ASSIGNMENTS):
        raise NotFound
    return call


def seat_views(application_ids: Sequence[UUID] | Select[Any]) -> Asking[dict[UUID, list[SeatView]]]:
    """Every seat of these applications by name, voided ones too."""
    found: dict[UUID, list[SeatView]] = defaultdict(list)
    rows = yield from ask(
        select(
            *(Assignment.id, Assignment.application_id, Assignment.evaluator_id, Assignment.state, Assignment.utility),
            *(Assignment.run_id, Assignment.void_reason, User.id.label("user_id"), User.name, User.handle),
            *(Assignment.due_at, Assignment.locked, Assessment.state.label("assessment")),
            *(Evaluator.country_code, Evaluator.languages, Evaluator.roles, Evaluator.gender, *organisations_of()),
            not_(terms_accepted(Evaluator.user_id, Evaluator.call_id)).label("must_accept"),
        )
        .join(Evaluator, Evaluator.id == Assignment.evaluator_id)
        .join(User, User.id == Evaluator.user_id)
        .outerjoin(Assessment, Assessment.assignment_id == Assignment.id)
        .where(Assignment.application_id.in_(application_ids))
        .order_by(User.name, Assignment.created_at, Assignment.id)
    )
    today = clock.today()
    for row in rows:
        found[row.application_id].append(_seat(row, today))
    return found


def _seat(row: Any, today: date) -> SeatView:
    return SeatView(
        row.id, row.evaluator_id, row.user_id, row.name, row.handle, SeatState(row.state), row.utility, row.run_id is None,
        AssessmentState(row.assessment) if row.assessment else None, row.void_reason or "", row.due_at, row.locked,
        row.country_code, tuple(row.languages), tuple(row.roles), belongs_to(row.own_entry, row.entered, today),
        row.must_accept, None if row.gender is None else Gender(row.gender),
    )  # fmt: skip


@reader
def runs(actor: Actor, call_id: UUID) -> Asking[tuple[RunView, ...]]:
    """The runs of a call, latest first, without sentences about applications shut to this person."""
    latest = (
        select(*RUN_COLUMNS)
        .where(AssignmentRun.call_id == call_id)
        .order_by(AssignmentRun.number.desc())
        .limit(RUNS_SHOWN)
    )
    rows, shut = yield from both(ask(latest), shut_titles(actor, call_id))
    return tuple(run_view(row, shut) for row in rows)


def shut_titles(actor: Actor, call_id: UUID) -> Asking[ShutTitles]:
    """The applications of a call that are shut to this person, as the sentences of a run name them."""
    rows = yield from ask(
        select(Application.id, Application.title, or_(assesses(actor), still_declares(actor)).label("own")).where(
            Application.call_id == call_id
        )
    )
    shut = yield from shut_to.asking(actor, (), [row.id for row in rows])
    # Nor what they assess: a sentence about it, or a total less what they see, would tell who else does. Nor what they
    # must declare about first, in whatever second office they read of it.
    shut = frozenset(shut) | {row.id for row in rows if row.own}
    return ShutTitles(
        frozenset(str(each) for each in shut),
        frozenset(row.title for row in rows if row.id in shut),
        frozenset(row.title for row in rows),
    )


def run_view(row: Any, shut: ShutTitles) -> RunView:
    """A run as the list shows it, without the sentences that tell of one of these."""
    left_out = row.left_out or ()
    reasons, changes = told_of_run(row.reasons, shut, left_out), told_of_run(row.changes, shut, left_out)
    return RunView(
        row.number, RunStatus(row.status), row.created_at, row.seed, row.objective, row.bound, reasons,
        row.applications, row.evaluators, row.seats, row.seats_new, row.pairs_priced, row.rounds,
        row.input_sha256.hex(), changes, bool(shut.ids), row.ideal, row.solver, row.settings,
    )  # fmt: skip


@reader
def country_rule(call_id: UUID) -> Asking[CountryRule]:
    """What the last run of a call said of evaluators from a country of the consortium; before any run they are allowed."""
    rows = yield from ask(
        select(AssignmentRun.settings["keep_countries_apart"].astext.label("countries"))
        .where(AssignmentRun.call_id == call_id)
        .order_by(AssignmentRun.number.desc())
        .limit(1)
    )
    return next((CountryRule(row.countries) for row in rows), CountryRule.ALLOWED)


def people_for(
    call: CallView,
    about: Consortium,
    members: Sequence[PoolMember],
    stated: Mapping[tuple[UUID, UUID], rules.Said],
    taken: Collection[UUID],
    countries: CountryRule,
    clear: Collection[tuple[UUID, UUID]],
) -> tuple[tuple[PoolMember, str, int], ...]:
    """Every evaluator of a pool: why this person cannot take a seat, or how well they fit. Best first.

    ``clear`` are (person, application) of those to whom it opens.
    """
    lines, fitting = [], rules.fitting(call.content, members)
    for member in members:
        said = stated.get((member.user_id, about.application_id), rules.Said())
        reason = rules.why_not(member, about, said, countries=countries)
        if not reason and (member.user_id, about.application_id) not in clear:
            reason = rules.why_shut(member)
        if member.id in taken:
            reason = f"{member.name} has or had a seat on it."
        elif not reason and member.carries >= member.load_max:
            reason = rules.full_words(member)
        lines.append((member, reason, fitting.utility(member, about)))
    return tuple(sorted(lines, key=lambda line: (line[1] != "", -line[2], line[0].name)))


def in_evaluation(
    actor: Actor, slug: str, reference: str, *, seen: ColumnElement[bool] | None = None
) -> Asking[tuple[CallView, Any]]:
    """A call and one of its applications in evaluation, for who decides assignments; :class:`NotFound` otherwise.

    Also for who assesses it: what is shown of it, its seats above all, is not theirs to know (``may_see``).

    Where one only reads of them, whoever audits may too: ``seen`` is then the condition on :class:`Application`.
    """
    opened = call_to_assign if seen is None else call_assigned
    call = yield from opened.asking(actor, slug)
    found = yield from ask(
        select(Application.id, Application.reference, Application.title).where(
            Application.reference == reference,
            Application.call_id == call.id,
            Application.state.in_(IN_EVALUATION),
            may_see(actor) if seen is None else seen,
        )
    )
    if not found:
        raise NotFound
    return call, found[0]


@reader
def seat_of(actor: Actor, slug: str, reference: str, handle: str) -> Asking[tuple[ApplicationHead, SeatView]]:
    """One active seat, named by the application's reference and the evaluator’s handle."""
    call, application = yield from in_evaluation(actor, slug, reference)
    seats, cities = yield from both(seat_views([application.id]), cities_of.asking([application.id]))
    for seat in seats.get(application.id, []):
        if seat.state is SeatState.ACTIVE and seat.handle == handle:
            return head_of(application, cities.get(application.id, ""), call), seat
    raise NotFound


def candidates(call_id: UUID) -> tuple[Person, ...]:
    """People with the evaluator's role who are not in this call's pool yet and do not lead its panel, by name."""
    inside = {member.user_id for member in pool(call_id)}
    scope = Scope.of(("call", call_id))
    leads = {person.id for person in in_roles((Role.PANEL_CHAIR,), scope)}
    return tuple(person for person in in_roles((Role.EVALUATOR,), scope) if person.id not in inside | leads)
