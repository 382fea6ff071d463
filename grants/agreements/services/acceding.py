"""Partners accede to an agreement in force: who may sign for each is stated and accepted, then they sign its version."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID

from sqlalchemy import select

from grants.agreements import queries, rules
from grants.agreements.models import (
    Accession,
    AccessionSignature,
    Beneficiary,
    Grant,
    PreparationFact,
)
from grants.agreements.queries import scope_of
from grants.agreements.rules import (
    AccessionView,
    AgreementText,
    AnswerView,
    ConditionInput,
    GrantView,
    UploadedSigner,
    VerdictInput,
    VersionView,
)
from grants.agreements.services.answering import FILES, judge_answer, last_number
from grants.agreements.services.conflicts import refuse_conflict
from grants.agreements.services.offering import power_words, refuse_both_sides, refuse_signer_of_programme
from grants.agreements.states import ConditionStanding, ContactRole, GrantState, Side, Verdict
from grants.applications.models import ApplicationPartner
from grants.core import acts, clock, encoding, files, jobs
from grants.core.acts import act
from grants.core.db import db, get, locked
from grants.core.errors import Invalid, NotFound, Refused
from grants.core.files import Incoming
from grants.core.permissions import Actor, Permission
from grants.dossiers.rules import clean_text
from grants.identity import queries as identity
from grants.identity import services as people
from grants.identity.policy import Role
from grants.identity.rules import demand_fresh, one_line


def ask_accessions(grant: Grant, version_no: int, text: AgreementText, *, again: UUID | None = None) -> None:
    """Plain helper of whatever brings a version into force: ask each partner that was not asked yet, where the text says so.

    Whoever left is asked anew when it is let in again; ``again`` names that partner.
    """
    if text.accession is None:
        return
    # Of a partner that is let in again what ended before counts no more.
    stands = Accession.left_at.is_(None) & (
        (Accession.organisation_id.is_distinct_from(again)) | Accession.ended_at.is_(None)
    )
    asked = set(db.session.scalars(select(Accession.organisation_id).where(Accession.grant_id == grant.id, stands)))
    partners = db.session.scalars(
        select(Beneficiary)
        .where(
            Beneficiary.grant_id == grant.id,
            Beneficiary.is_coordinator.is_(False),
            Beneficiary.left_on.is_(None),
        )
        .order_by(Beneficiary.position)
    )
    due_on = clock.add_days(acts.today(), text.accession.days)
    for each in partners.all():
        if each.organisation_id in asked:
            continue
        db.session.add(
            Accession(grant_id=grant.id, organisation_id=each.organisation_id, opened_version=version_no, due_on=due_on)
        )
        people.mail(
            _people_of(grant, each.organisation_id),
            "accession_asked",
            "grant",
            grant.id,
            reference=grant.reference,
            title=grant.title,
            organisation=identity.organisation(each.organisation_id).name,
            due_on=clock.long_date(due_on),
        )
    db.session.flush()
    waiting = select(Accession.id).where(
        Accession.grant_id == grant.id, Accession.acceded_at.is_(None), Accession.ended_at.is_(None)
    )
    for accession_id in db.session.scalars(waiting.order_by(Accession.id)):
        print_form(grant, accession_id, version_no)


def print_form(grant: Grant, accession_id: UUID, version_no: int) -> None:
    """Plain helper: the form by which a partner accedes to a version on paper is printed, once."""
    jobs.queue(
        "jobs.documents.accession_form",
        subject=("grant", grant.id),
        unique=f"accession_form:{accession_id}:{version_no}",
        asker=jobs.Asker.PROGRAM,
        grant_id=grant.id,
        accession_id=accession_id,
        version_no=version_no,
    )


def end_awaited(grant: Grant, actor: Actor, organisation_id: UUID, reason: str) -> None:
    """Plain helper of what lets a partner leave: its accession is waited for no longer, where it still was."""
    awaited = select(Accession).where(
        Accession.grant_id == grant.id,
        Accession.organisation_id == organisation_id,
        Accession.acceded_at.is_(None),
        Accession.ended_at.is_(None),
    )
    for row in db.session.scalars(awaited.with_for_update()):
        row.ended_at, row.ended_by, row.end_reason = acts.moment(), actor.user_id, reason


def let_in(grant: Grant, organisation_id: UUID) -> None:
    """Plain helper of what lets a partner join, or come back: its people read the grant, state who signs for it, and accede.

    With them comes back whom it had named in the application and who left with it. Who works for the programme takes part in
    no grant.
    """
    for row in db.session.scalars(
        select(Beneficiary).where(Beneficiary.grant_id == grant.id, Beneficiary.organisation_id == organisation_id)
    ):
        row.left_on = None
    past = identity.holders("application", grant.application_id, (Role.PAST_PARTNER,))
    back = {each.id for each in identity.members(organisation_id)} | (_named(grant, organisation_id) & set(past))
    for user_id in sorted(back):
        if not identity.holds_staff_role(user_id):
            people.end_role(user_id, Role.PAST_PARTNER, kind="application", object_id=grant.application_id)
            people.give_role(user_id, Role.APPLICATION_PARTNER, kind="application", object_id=grant.application_id)


def _people_of(grant: Grant, organisation_id: UUID) -> list[UUID]:
    """Who is told for a partner: whom it named in the application, else everybody of it."""
    return sorted(_named(grant, organisation_id)) or sorted(each.id for each in identity.members(organisation_id))


def _named(grant: Grant, organisation_id: UUID) -> set[UUID]:
    """Whom a partner named in the application."""
    named = db.session.scalars(
        select(ApplicationPartner.contact_user_id).where(
            ApplicationPartner.application_id == grant.application_id,
            ApplicationPartner.organisation_id == organisation_id,
            ApplicationPartner.contact_user_id.is_not(None),
        )
    )
    return {each for each in named if each is not None}


@act(
    "accession.state_power",
    needs=Permission.AGREEMENT_ACCEDE,
    scope=scope_of,
    says="stated who may sign for a partner of {subject}",
)
def state_power(actor: Actor, grant_id: UUID, given: ConditionInput, incoming: Incoming | None = None) -> int:
    """A partner says who may sign for it, with the document; a new answer replaces the one before. Returns its number."""
    grant, shown, view = waited_for(grant_id, given.organisation_id)
    rules.refuse_of_others(view.organisation_id, queries.speaks_for(actor, shown), of_coordinator=False)
    return _state(actor, grant, view, given, incoming)


@act(
    "accession.record_power",
    needs=Permission.AGREEMENT_PREPARE,
    scope=scope_of,
    says="recorded who may sign for a partner of {subject}",
)
def record_power(actor: Actor, grant_id: UUID, given: ConditionInput, incoming: Incoming | None = None) -> int:
    """An officer records it from what the partner sent, where nobody of it can state it here; a colleague accepts it."""
    grant, _, view = waited_for(grant_id, given.organisation_id)
    refuse_conflict(actor, grant_id)
    return _state(actor, grant, view, given, incoming)


def waited_for(grant_id: UUID, organisation_id: UUID | None) -> tuple[Grant, GrantView, AccessionView]:
    """A grant in force under its lock, and the accession that is still waited for."""
    grant = locked(Grant, grant_id)
    if organisation_id is None:
        raise NotFound
    view = rules.accession_at(queries.accessions(grant_id), organisation_id)
    if grant.state != GrantState.IN_FORCE.value:
        raise Refused("The agreement is no longer in force, so nobody accedes to it any more.")
    rules.refuse_accession_ended(view)
    return grant, queries.view(grant), view


def _state(actor: Actor, grant: Grant, view: AccessionView, given: ConditionInput, incoming: Incoming | None) -> int:
    part = view.part(acts.today())
    rules.refuse_stale(given.number, part.number)
    tidy = given.checked(acts.today())
    _refuse_strangers(tidy, view)
    assert actor.user_id is not None, "only a person states something"
    before = get(PreparationFact, part.answer.id).file_id if part.answer else None
    if incoming is None and before is None:
        raise Invalid("The evidence is missing.", {"file": "Choose the document that gives the power to sign."})
    role = f"{given.key.value}-of-partner-{view.place}"
    kept = files.keep(incoming, kind=FILES, object_id=grant.id, role=role).id if incoming else before
    row = PreparationFact(
        grant_id=grant.id,
        organisation_id=view.organisation_id,
        kind=tidy.key.value,
        number=1 + (last_number(grant.id) or 0),
        content=encoding.encode(tidy.content),
        evidence_on=tidy.evidence_on,
        valid_from=tidy.valid_from,
        valid_until=tidy.valid_until,
        file_id=kept,
        stated_by=actor.user_id,
        stated_at=acts.moment(),
    )
    db.session.add(row)
    return row.number


def _refuse_strangers(given: ConditionInput, view: AccessionView) -> None:
    power = rules.power_of_content(given.content)
    members = (each.id for each in identity.members(view.organisation_id))
    rules.refuse_strangers(power.signer_ids, members, view.name)


@act(
    "accession.accept_power",
    needs=Permission.AGREEMENT_PREPARE,
    scope=scope_of,
    says="accepted who may sign for a partner of {subject}",
)
def accept_power(actor: Actor, grant_id: UUID, given: VerdictInput) -> None:
    """Another person than the one who stated it accepts the power; whom it names may then read the grant and accede."""
    grant, view, answer = _judge(actor, grant_id, given, Verdict.ACCEPTED)
    signers = rules.power_of_content(answer.content).signer_ids
    rules.refuse_strangers(signers, (each.id for each in identity.members(view.organisation_id)), view.name)
    for user_id in sorted(signers):
        people.give_role(user_id, Role.APPLICATION_PARTNER, kind="application", object_id=grant.application_id)
    people.mail(
        sorted(signers), "accession_power_accepted", "grant", grant.id, reference=grant.reference, title=grant.title,
        organisation=view.name, due_on=clock.long_date(view.due_on),
    )  # fmt: skip


@act(
    "accession.return_power",
    needs=Permission.AGREEMENT_PREPARE,
    scope=scope_of,
    says="returned who may sign for a partner of {subject}",
)
def return_power(actor: Actor, grant_id: UUID, given: VerdictInput) -> None:
    """Return what was stated, with what is missing; who stated it is told."""
    if not clean_text(given.words):
        raise Invalid(
            "Say what is missing.", {"words": "Say what is wrong or missing, so that it can be stated again."}
        )
    grant, view, answer = _judge(actor, grant_id, given, Verdict.RETURNED)
    people.mail(
        [answer.stated_by], "accession_power_returned", "grant", grant.id, reference=grant.reference, title=grant.title,
        organisation=view.name, words=clean_text(given.words), officer=actor.name,
    )  # fmt: skip


def _judge(
    actor: Actor, grant_id: UUID, given: VerdictInput, verdict: Verdict
) -> tuple[Grant, AccessionView, AnswerView]:
    grant, _, view = waited_for(grant_id, given.organisation_id)
    refuse_conflict(actor, grant_id)
    part = view.part(acts.today())
    rules.refuse_stale(given.number, part.number)
    answer = part.answer
    if answer is None or part.standing is ConditionStanding.OPEN:
        raise Refused("Nothing was stated yet, so there is nothing to accept or return.")
    judge_answer(actor, answer, verdict, given.words)
    return grant, view, answer


@act(
    "agreement.accede",
    needs=Permission.AGREEMENT_ACCEDE,
    scope=scope_of,
    says="acceded to agreement {subject} for a partner",
)
def accede(actor: Actor, grant_id: UUID, organisation_id: UUID, *, capacity: str, document_sha256: str) -> bool:
    """Sign the version in force, whose hash was shown, for the own organisation; whether it has acceded with that.

    After its last day it is late and said so, and still an accession.
    """
    demand_fresh(actor)
    grant, shown, view = waited_for(grant_id, organisation_id)
    rules.refuse_of_others(organisation_id, queries.speaks_for(actor, shown), of_coordinator=False)
    refuse_both_sides(actor, grant, Side.CITY, deed="accede")
    if not one_line(capacity):
        raise Invalid("Say in which capacity you sign.", {"sign_as": "For example: Deputy Mayor for Climate."})
    version = shown.versions[-1]
    if document_sha256 != version.sha256:
        raise Refused("This is not the version that is in force now. Read that one, then accede.")
    power = rules.refuse_without_accession_power(view, actor.user_id, acts.today())
    rules.refuse_acceded_twice(view, version.number, power, actor.user_id)
    assert actor.user_id is not None, "a person accedes"
    add_signature(view, version, power, Acceding(actor.user_id, actor.name, one_line(capacity)))
    return complete_accession(grant, shown, view, version, power, given=1, came_at=acts.moment())


@dataclass(frozen=True, slots=True)
class Acceding:
    """Who accedes for a partner: here, or on a document that was uploaded, with the day that stands on it."""

    user_id: UUID
    name: str
    capacity: str
    upload_id: UUID | None = None
    signed_on: date | None = None


def add_signature(view: AccessionView, version: VersionView, power: AnswerView, who: Acceding) -> None:
    """Plain helper: one signature to the version in force, by a power."""
    db.session.add(
        AccessionSignature(
            accession_id=view.id,
            version_no=version.number,
            signed_by=who.user_id,
            signed_at=acts.moment(),
            name=who.name,
            capacity=who.capacity,
            power_id=power.id,
            power=power_words(power) or "",
            document_sha256=bytes.fromhex(version.sha256),
            upload_id=who.upload_id,
            signed_on=who.signed_on,
        )
    )


def complete_accession(
    grant: Grant,
    shown: GrantView,
    view: AccessionView,
    version: VersionView,
    power: AnswerView,
    *,
    given: int,
    came_at: datetime,
) -> bool:
    """Plain helper: with so many signatures more it has acceded, or waits for the others of its power. Which of the two.

    ``came_at`` is when the last of them came; it is late where that was after its day.
    """
    if view.left(version.number, power) > given:
        return False
    row = locked(Accession, view.id)
    row.acceded_at, row.acceded_version = acts.moment(), version.number
    jobs.queue(
        "jobs.documents.accession",
        subject=("grant", grant.id),
        unique=f"accession:{view.id}",
        asker=jobs.Asker.PROGRAM,
        grant_id=grant.id,
        accession_id=view.id,
    )
    _tell(grant, shown, view, "accession_done", late=clock.in_zone(came_at).date() > view.due_on)
    return True


def refuse_signer_of_partner(shown: GrantView, view: AccessionView, signer: UploadedSigner) -> AnswerView:
    """Plain helper: whoever is named as having signed for a partner could on that day; the power by which."""
    rules.refuse_signed_for_programme(shown, signer)
    refuse_signer_of_programme(signer.name, signer.user_id, Side.CITY, whom="a partner")
    return rules.uploaded_accession_power(view, signer.user_id, signer.name, signer.signed_on)


@act(
    "agreement.end_accession",
    needs=Permission.AGREEMENT_PREPARE,
    scope=scope_of,
    says="no longer waits for a partner to accede to agreement {subject}",
)
def end_accession(actor: Actor, grant_id: UUID, organisation_id: UUID, *, reason: str) -> None:
    """Wait no longer for a partner, with a reason that everybody reads: it is not bound by the agreement."""
    grant, shown, view = waited_for(grant_id, organisation_id)
    refuse_conflict(actor, grant_id)
    if not clean_text(reason):
        raise Invalid("Say why.", {"reason": "Say why it does not accede; the coordinator and the partner read it."})
    acts.reason(clean_text(reason))
    row = locked(Accession, view.id)
    row.ended_at, row.ended_by, row.end_reason = acts.moment(), actor.user_id, clean_text(reason)
    _tell(grant, shown, view, "accession_ended", reason=clean_text(reason), officer=actor.name)


@act(
    "agreement.plan_accessions",
    needs=Permission.AGREEMENT_LAPSE,
    says="looked for partners that did not accede in time",
)
def plan_accessions(actor: Actor) -> int:
    """Ask, once each, for what is told of every accession whose day has passed; and for forms that are not printed yet."""
    for grant_id, accession_id, version_no in queries.forms_wanted():
        print_form(get(Grant, grant_id), accession_id, version_no)
    found = queries.late_untold(acts.today())
    for each in found:
        jobs.queue(
            "jobs.agreements.tell_late_accession",
            subject=("grant", each.grant_id),
            unique=f"late_accession:{each.id}",
            asker=jobs.Asker.PROGRAM,
            grant_id=each.grant_id,
            organisation_id=each.organisation_id,
        )
    return len(found)


@act(
    "agreement.tell_late_accession",
    needs=Permission.AGREEMENT_LAPSE,
    scope=scope_of,
    says="told that a partner did not accede to agreement {subject} in time",
)
def tell_late_accession(actor: Actor, grant_id: UUID, organisation_id: UUID) -> bool:
    """Tell the partner, the coordinator, who asks for its removal, and the officers; once, and not what came meanwhile."""
    grant = locked(Grant, grant_id)
    view = rules.accession_at(queries.accessions(grant_id), organisation_id)
    row = locked(Accession, view.id)
    if grant.state != GrantState.IN_FORCE.value or not view.is_open or acts.today() <= view.due_on or row.told_late_at:
        return False
    if queries.waits_for_check(view.id):
        return False
    row.told_late_at = acts.moment()
    _tell(
        grant, queries.view(grant), view, "accession_overdue",
        due_on=clock.long_date(view.due_on), removal_until=clock.long_date(view.removal_until),
    )  # fmt: skip
    return True


def _tell(grant: Grant, shown: GrantView, view: AccessionView, template: str, **more: object) -> None:
    """The partner, who writes for the coordinator, and who prepares agreements."""
    told = {each.user_id for each in shown.contacts if each.role is ContactRole.LEAD}
    told |= set(_people_of(grant, view.organisation_id))
    told |= {each.id for each in identity.users_with(Permission.AGREEMENT_PREPARE, queries.scope(grant))}
    people.mail(
        sorted(told), template, "grant", grant.id, reference=grant.reference, title=grant.title, organisation=view.name,
        **more,
    )  # fmt: skip
