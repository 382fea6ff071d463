"""Acts on what is published of a call: an award is withheld by name, with ground and reason, confirmed or named again by another."""

from __future__ import annotations

from uuid import UUID

from sqlalchemy import select

from grants.applications import queries as applications
from grants.applications.models import Application
from grants.awards.models import AwardWithheld, Selection, SelectionItem
from grants.awards.queries.publication import OPENS, STILL_SELECTED, reads_withheld
from grants.awards.rules import confirmed_meanwhile, refuse_same_person
from grants.awards.services.leaving_out import refuse_shut
from grants.awards.states import SelectionKind, SelectionState, WithheldGround
from grants.calls import queries as calls
from grants.calls.rules import CallView
from grants.core import acts, clock
from grants.core.acts import act
from grants.core.db import db, get, locked
from grants.core.errors import Conflict, Invalid, Refused
from grants.core.permissions import Actor, Permission, Scope
from grants.core.text import ended
from grants.dossiers.rules import clean_text
from grants.identity import queries as identity
from grants.identity import services as people
from grants.identity.models import User


@act(
    "award.withhold",
    needs=Permission.SELECTION_PUBLISH_RESULTS,
    scope=applications.scope_of,
    says="withheld the award of {subject} from publication",
)
def withhold(actor: Actor, application_id: UUID, ground: WithheldGround, reason: str) -> UUID:
    """Keep a selected application from what everybody reads, before its results are public or after. The row.

    One person is enough, so that it is fast; the others who publish are told at once, and one of them confirms or ends it.
    """
    refuse_shut(actor, application_id)
    words = clean_text(reason)
    if not words:
        missing = "Write why this award is not published. It stands beside it and in the record."
        raise Invalid("The award is not withheld.", {"why": missing})
    application = locked(Application, application_id)
    if application.state not in STILL_SELECTED or not _decided_here(application_id):
        raise Refused("Only what was selected here is published here, so only that can be withheld.")
    if _open(application_id) is not None:
        raise Conflict("Somebody withheld it meanwhile. Look at why.")
    assert actor.user_id is not None, "only a person withholds"
    row = AwardWithheld(application_id=application_id, ground=ground.value, reason=words)
    row.withheld_by, row.withheld_at = actor.user_id, acts.moment()
    call = calls.call_by_id(application.call_id)
    last_day = clock.add_days(clock.in_zone(row.withheld_at, call.zone).date(), call.content.withheld_days)
    row.confirm_by = clock.end_of_day(last_day, call.zone)
    db.session.add(row)
    db.session.flush()
    acts.subject("application", application_id)
    acts.reason(f"{ended(ground.words)} {words}")
    _tell_the_others(actor, application, call, row)
    return row.id


def _tell_the_others(actor: Actor, application: Application, call: CallView, row: AwardWithheld) -> None:
    """A mail to whoever else publishes or confirms in this call and reads of this award there. What shows the ground stays here.

    Nobody in conflict, and of who judges nobody who has not declared about it: the mail names it before it is public.
    """
    assert row.withheld_by is not None, "only a person withholds"
    place = Scope.of(("call", application.call_id))
    others = {each.id for may in OPENS for each in identity.users_with(may, place)} - {actor.user_id}
    told = {one for one in others if reads_withheld(identity.actor_for(one), application.id, place)}
    people.mail(
        told, "award_withheld", "application", application.id, reference=application.reference,
        call_title=call.title, slug=call.slug, by=get(User, row.withheld_by).name, ground=WithheldGround(row.ground).words,
        confirm_by=clock.long_date(clock.in_zone(row.confirm_by, call.zone).date()),
    )  # fmt: skip


def entry_scope(entry_id: UUID) -> Scope:
    """A withheld award lies in its application, which is locked first."""
    return applications.scope_of(get(AwardWithheld, entry_id).application_id)


@act(
    "award.confirm_withheld",
    needs=Permission.SELECTION_CONFIRM,
    scope=entry_scope,
    says="confirmed that the award of {subject} is withheld from publication",
)
def confirm(actor: Actor, entry_id: UUID) -> None:
    """Another person stands behind it: it is withheld until somebody names it again."""
    row = locked(AwardWithheld, entry_id)
    refuse_shut(actor, row.application_id)
    refuse_same_person(row.withheld_by, actor.user_id, "withheld this award", "confirm or end it")
    if row.ended_at is not None:
        raise Conflict("Somebody ended it meanwhile: this award is not withheld any more.")
    if row.confirmed_at is not None:
        said = confirmed_meanwhile(row.confirmed_by, actor.user_id)
        raise Conflict(f"{said} It stays withheld until it is named again.")
    row.confirmed_by, row.confirmed_at = actor.user_id, acts.moment()
    acts.subject("application", row.application_id)


@act(
    "award.name_again",
    needs=Permission.SELECTION_CONFIRM,
    scope=entry_scope,
    says="ended that the award of {subject} is withheld from publication",
)
def name_again(actor: Actor, entry_id: UUID, reason: str) -> None:
    """Another person ends it: the award is published with the others, at once where the results are public."""
    row = locked(AwardWithheld, entry_id)
    refuse_shut(actor, row.application_id)
    if row.ended_at is not None:
        raise Conflict("Somebody ended it meanwhile: this award is not withheld any more.")
    refuse_same_person(row.withheld_by, actor.user_id, "withheld this award", "name it again")
    words = clean_text(reason)
    if not words:
        raise Invalid("A reason is missing.", {"end_reason": "Write why it can be published now."})
    row.ended_by, row.ended_at, row.end_reason = actor.user_id, acts.moment(), words
    acts.subject("application", row.application_id)
    acts.reason(words)


def _open(application_id: UUID) -> AwardWithheld | None:
    return db.session.scalars(
        select(AwardWithheld).where(AwardWithheld.application_id == application_id, AwardWithheld.ended_at.is_(None))
    ).one_or_none()


def _decided_here(application_id: UUID) -> bool:
    found = (
        select(SelectionItem.id)
        .join(Selection, Selection.id == SelectionItem.selection_id)
        .where(
            SelectionItem.application_id == application_id,
            Selection.state == SelectionState.CONFIRMED.value,
            Selection.kind == SelectionKind.RANKED.value,
        )
    )
    return db.session.scalar(found.limit(1)) is not None
