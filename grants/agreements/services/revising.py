"""The city revises budget, work plan and description of a grant in preparation and sends them; an officer accepts or returns."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy import func, select

from grants.agreements import queries, rules
from grants.agreements.models import Grant, GrantRevision, RevisionVerdict, RevisionVersion
from grants.agreements.queries import scope_of
from grants.agreements.rules import GrantView, PlannedMilestone, Revised, RevisionView, Terms
from grants.agreements.services.conflicts import refuse_conflict
from grants.agreements.services.preparing import apply_terms
from grants.agreements.states import REVISION, GrantState, RevisionKind, RevisionState, Verdict
from grants.applications.rules import BudgetInput, PlanInput
from grants.awards import queries as awards
from grants.budgets import queries as budget_reads
from grants.budgets import services as budgets
from grants.budgets.rules import CellKept, Source
from grants.budgets.rules import Shown as CellShown
from grants.calls import queries as calls
from grants.core import acts, clock
from grants.core.acts import act
from grants.core.db import db, locked
from grants.core.errors import Conflict, Invalid, NotFound, Problem, Problems, Refused
from grants.core.permissions import Actor, Permission
from grants.dossiers import queries as dossier_reads
from grants.dossiers import services as dossiers
from grants.dossiers.merging import SectionSaved, Shown
from grants.dossiers.rules import Answer, clean_text
from grants.identity import queries as identity
from grants.identity import services as people


@act(
    "preparation.revise_budget",
    needs=Permission.AGREEMENT_ANSWER,
    scope=scope_of,
    says="revised the budget in the preparation of {subject}",
)
def revise_budget(actor: Actor, grant_id: UUID, given: BudgetInput) -> tuple[CellKept, ...]:
    """Save amounts of the grant's own budget; a partner those of its own organisation, who sends reports everybody's.

    What somebody else changed after it was shown is not stored and comes back.
    """
    grant, shown = _open(grant_id)
    own = queries.reach_of(actor, shown)
    seen: Sequence[CellShown | None] = given.shown or [None] * len(given.cells)
    pairs = [
        (cell, before)
        for cell, before in zip(given.cells, seen, strict=True)
        if own is None or cell.organisation_id in own
    ]
    assert grant.budget_id is not None, "what can be revised has a budget"
    shown_cells = [before for _, before in pairs if before is not None]
    return budgets.write_cells(
        grant.budget_id, [cell for cell, _ in pairs], shown_cells if given.shown is not None else None
    )


@act(
    "preparation.revise_sources",
    needs=Permission.AGREEMENT_ANSWER,
    scope=scope_of,
    says="changed the sources beside the grant in the preparation of {subject}",
)
def revise_sources(actor: Actor, grant_id: UUID, sources: tuple[Source, ...], mark: str | None) -> None:
    """Replace the sources beside the grant, which the coordinator answers for."""
    grant, shown = _open(grant_id)
    _refuse_partner(actor, shown, "enters who else pays")
    assert grant.budget_id is not None, "what can be revised has a budget"
    budgets.write_sources(grant.budget_id, sources, mark)


@act(
    "preparation.revise_plan",
    needs=Permission.AGREEMENT_ANSWER,
    scope=scope_of,
    says="revised the work plan in the preparation of {subject}",
)
def revise_plan(actor: Actor, grant_id: UUID, given: PlanInput) -> tuple[str, ...]:
    """Replace the work plan, which every partner writes; the codes its work packages have now."""
    grant, _ = _open(grant_id)
    assert grant.budget_id is not None, "what can be revised has a budget"
    return budgets.write_plan(grant.budget_id, given.packages, given.mark)


@act(
    "preparation.revise_text",
    needs=Permission.AGREEMENT_ANSWER,
    scope=scope_of,
    says="revised the description of action in the preparation of {subject}",
)
def revise_text(
    actor: Actor,
    grant_id: UUID,
    section_key: str,
    answers: tuple[Answer, ...],
    *,
    shown: tuple[Shown, ...] | None = None,
) -> SectionSaved:
    """Save one section of the description, all but what somebody else changed meanwhile; every partner writes."""
    grant, _ = _open(grant_id)
    if grant.dossier_id is None:
        raise NotFound
    return dossiers.save_section(grant.dossier_id, section_key, answers, shown)


def _open(grant_id: UUID) -> tuple[Grant, GrantView]:
    """A grant whose budget and description may be written in now; writing after “none is needed” begins a revision."""
    grant, row, shown = _in_preparation(grant_id)
    state = RevisionState(row.state)
    if state in (RevisionState.SENT, RevisionState.ACCEPTED):
        rules.refuse_fixed(state, _seen(shown).last)
    if state is RevisionState.NONE_NEEDED:
        REVISION.move(row, "begin")
    return grant, shown


def _in_preparation(grant_id: UUID) -> tuple[Grant, GrantRevision, GrantView]:
    grant = locked(Grant, grant_id)
    row = queries.revision_row(grant_id)
    if row is None:
        raise Refused("This grant was prepared before grants had a budget of their own, so there is nothing to revise.")
    if grant.state != GrantState.PREPARATION.value:
        raise Refused(
            "Budget and description are fixed: this grant is no longer in preparation. While it waits for signatures, the "
            "programme can take its offer back first."
        )
    rules.refuse_after(grant.preparation_ends_on, acts.today())
    return grant, row, queries.view(grant)


def _seen(shown: GrantView) -> RevisionView:
    found = queries.revision_now(shown)
    assert found is not None, "the grant has a revision"
    return found


def _refuse_partner(actor: Actor, shown: GrantView, deed: str) -> None:
    if queries.reach_of(actor, shown) is not None:
        raise Refused(f"The coordinator {deed}. Ask its contact or who signs for it.")


@act(
    "preparation.send_revision",
    needs=Permission.AGREEMENT_ANSWER,
    scope=scope_of,
    says="sent the revised budget and description of {subject}",
)
def send_revision(actor: Actor, grant_id: UUID, *, seen: str) -> int:
    """Freeze budget and description as they were seen, and give them to the programme. The number of the version.

    ``seen`` is the hash of what the person saw: what a partner saved since is not sent unseen.
    """
    grant, row, shown = _in_preparation(grant_id)
    _refuse_partner(actor, shown, "sends the revision for everybody")
    REVISION.target(RevisionState(row.state), "send")
    found = _seen(shown)
    rules.refuse_unseen(seen, found.new.fingerprint)
    problems = _send_problems(grant, shown, found)
    if problems:
        raise Problems("The revision cannot be sent yet.", problems)
    REVISION.move(row, "send")
    number = _freeze(actor, grant, found, RevisionKind.SENT, "")
    officers = identity.users_with(Permission.AGREEMENT_PREPARE, queries.scope(grant))
    people.mail(
        sorted(each.id for each in officers),
        "agreement_revision_sent",
        "grant",
        grant_id,
        reference=shown.reference,
        title=shown.title,
        city=shown.coordinator,
    )
    return number


def _send_problems(grant: Grant, shown: GrantView, found: RevisionView) -> list[Problem]:
    assert grant.budget_id is not None, "what can be sent has a budget"
    view = budget_reads.budget(grant.budget_id, found.names)
    problems = [Problem("Budget", each.message) for each in view.problems]
    problems += _money_problems(grant, shown, found.new, found)
    if grant.dossier_id is not None:
        # What was already so in what was judged is not asked anew.
        old = found.old.description if found.old else None
        known = set(dossier_reads.unstored(old).problems) if old else set()
        now = dossier_reads.dossier(grant.dossier_id).problems
        problems += [Problem("Description", each.message) for each in now if each not in known]
    return problems


def _money_problems(grant: Grant, shown: GrantView, content: Revised, found: RevisionView) -> Sequence[Problem]:
    reserved = awards.item_of(grant.application_id).amount
    beneficiaries = [each.organisation_id for each in shown.beneficiaries]
    return rules.budget_problems(content.budget, found.names, beneficiaries, reserved)


def _freeze(actor: Actor, grant: Grant, found: RevisionView, kind: RevisionKind, words: str) -> int:
    content = found.new.to_mapping()
    last = db.session.scalar(select(func.max(RevisionVersion.number)).where(RevisionVersion.grant_id == grant.id))
    version = RevisionVersion(
        grant_id=grant.id,
        number=1 + (last or 0),
        kind=kind.value,
        words=words,
        content=content,
        sha256=bytes.fromhex(rules.fingerprint(content)),
        sent_by=actor.user_id,
        sent_at=acts.moment(),
    )
    db.session.add(version)
    return version.number


@act(
    "preparation.accept_revision",
    needs=Permission.AGREEMENT_PREPARE,
    scope=scope_of,
    says="accepted the revised budget and description of {subject}",
)
def accept_revision(actor: Actor, grant_id: UUID, number: int, *, words: str = "") -> None:
    """Accept the revision that was shown; the maxima of the beneficiaries are then what its budget asks for."""
    grant, row, shown = _in_preparation(grant_id)
    found = _judged(actor, grant, row, shown, number, "accept")
    problems = _money_problems(grant, shown, found.new, found)
    if problems:
        raise Problems("The revision cannot be accepted.", problems)
    _say(actor, grant_id, found, Verdict.ACCEPTED, words)
    REVISION.move(row, "accept")
    organisations = [each.organisation_id for each in shown.beneficiaries]
    apply_terms(
        grant,
        Terms(
            shown.starts_on,
            clock.months_between(shown.starts_on, shown.ends_before),
            rules.shares_of(found.new.budget, organisations),
            tuple(PlannedMilestone(each.title, each.criterion, each.due_on) for each in shown.milestones),
            shown.amount_note,
            special_conditions=shown.special_conditions or "",
            programme_signatures=shown.programme_signatures,
        ),
        calls.call_by_id(grant.call_id),
        awards.item_of(grant.application_id).amount,
    )
    _tell_city(actor, shown, found, Verdict.ACCEPTED, words)


@act(
    "preparation.return_revision",
    needs=Permission.AGREEMENT_PREPARE,
    scope=scope_of,
    says="returned the revised budget and description of {subject}",
)
def return_revision(actor: Actor, grant_id: UUID, number: int, *, words: str) -> None:
    """Return a revision with what is missing, also one that was accepted; the city may then change it again."""
    if not clean_text(words):
        raise Invalid("Say what is missing.", {"missing": "Say what is wrong or missing; the city reads it."})
    grant, row, shown = _in_preparation(grant_id)
    found = _judged(actor, grant, row, shown, number, "return")
    _say(actor, grant_id, found, Verdict.RETURNED, words)
    REVISION.move(row, "return")
    _tell_city(actor, shown, found, Verdict.RETURNED, words)


def _judged(actor: Actor, grant: Grant, row: GrantRevision, shown: GrantView, number: int, verb: str) -> RevisionView:
    """The revision that is judged: the one that was shown, by somebody who neither sent it nor acts for the city."""
    refuse_conflict(actor, grant.id)
    found = _seen(shown)
    if found.number != number:
        raise Conflict("Another revision was sent after you opened this page. Look at it, then decide.")
    REVISION.target(RevisionState(row.state), verb)
    assert found.last is not None, "what is judged was sent"
    rules.refuse_same_person(found.last.sent_by, actor.user_id, deed="judging it")
    people.refuse_tied_to(actor.user_id, (found.last.sent_by, found.last.sent_at))
    if actor.may(Permission.AGREEMENT_ANSWER, queries.scope(grant)):
        raise Refused("You act for the city in this grant, so you cannot judge what it sends. Ask a colleague.")
    return found


def _say(actor: Actor, grant_id: UUID, found: RevisionView, verdict: Verdict, words: str) -> None:
    assert found.last is not None, "what is judged was sent"
    version_id = db.session.scalar(
        select(RevisionVersion.id).where(RevisionVersion.grant_id == grant_id, RevisionVersion.number == found.number)
    )
    db.session.add(
        RevisionVerdict(
            revision_id=version_id,
            number=len(found.last.judged) + 1,
            sent_by=found.last.sent_by,
            verdict=verdict.value,
            words=clean_text(words),
            decided_by=actor.user_id,
            decided_at=acts.moment(),
        )
    )


def _tell_city(actor: Actor, shown: GrantView, found: RevisionView, verdict: Verdict, words: str) -> None:
    assert found.last is not None, "what is judged was sent"
    people.mail(
        sorted({found.last.sent_by, *(each.user_id for each in shown.contacts)}),
        "agreement_revision_judged",
        "grant",
        shown.id,
        reference=shown.reference,
        title=shown.title,
        verdict=verdict.value,
        words=clean_text(words),
        officer=actor.name,
    )


@act(
    "preparation.need_no_revision",
    needs=Permission.AGREEMENT_PREPARE,
    scope=scope_of,
    says="said that {subject} needs no revision of its budget and description",
)
def need_no_revision(actor: Actor, grant_id: UUID, *, words: str, seen: str) -> None:
    """An officer says by name that the application's own budget and description stand; only where nothing was changed in
    them, and nobody asks for more than its maximum.
    """
    if not clean_text(words):
        raise Invalid("Say why none is needed.", {"words": "Say why none is needed; it stands with your name."})
    grant, row, shown = _in_preparation(grant_id)
    refuse_conflict(actor, grant_id)
    REVISION.target(RevisionState(row.state), "need_none")
    found = _seen(shown)
    rules.refuse_unseen(seen, found.new.fingerprint)
    if found.is_changed:
        raise Refused(
            "The city has changed its budget, plan or description since its application. Ask it to send the revision, or "
            "to take its changes back."
        )
    over = rules.above_shares(
        found.new.budget, found.names, {each.organisation_id: each.maximum for each in shown.beneficiaries}
    )
    if over:
        raise Refused(f"A revision is needed: {over}. Ask the city to lower its budget and to send it.")
    REVISION.move(row, "need_none")
    _freeze(actor, grant, found, RevisionKind.NONE_NEEDED, clean_text(words))
