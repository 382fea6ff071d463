"""What an application is found and ordered by in lists, written anew whenever its title, summary or consortium changes."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from uuid import UUID

from sqlalchemy import select

from grants.applications import queries
from grants.applications.models import Application, ApplicationPartner
from grants.applications.rules import searching
from grants.core import acts, jobs
from grants.core.acts import act
from grants.core.db import db
from grants.core.permissions import Actor, Permission
from grants.core.text import fold
from grants.identity import queries as identity
from grants.identity.rules import OrganisationView

REFRESHED_TOGETHER = 200
RENAMED_JOB = "jobs.lists.organisation_renamed"


def make_findable(
    application: Application, organisations: Sequence[OrganisationView], *, once_named: Iterable[str] = ()
) -> None:
    """Fill what lists read, of an application and its organisations, the lead among them; ``once_named`` are names that stand
    in what was sent and that the register has no more.
    """
    names = [name for each in organisations for name in (each.name, each.local_name or "", each.town or "")]
    names += [name for name in once_named if name not in names]
    said = [application.title, application.acronym or ""]
    application.search_text = fold(" ".join([application.reference, *said, *names]))
    application.search_words = searching.indexed([*said, *names], application.summary or "")
    application.title_key = fold(application.title)
    (lead,) = (each for each in organisations if each.id == application.coordinator_id)
    application.lead_key = fold(lead.town or lead.name)


def refresh_search_text(application: Application, *, is_sent: bool = False) -> None:
    """After a change of title or consortium; what was sent is found as it was until a newer version ``is_sent``."""
    if application.submission_id is not None and not is_sent:
        return
    db.session.flush()
    ids = [partner.organisation_id for partner in queries.partners(application.id)]
    known = identity.organisations(ids)
    make_findable(application, [known[each] for each in ids])


@act(
    "application.refresh_names",
    needs=Permission.APPLICATION_READ,
    says="made applications of {subject} findable by its new name",
)
def refresh_names(actor: Actor, organisation_id: UUID, behind: str = "") -> int:
    """The program finds the applications of an organisation by the name it has now, a portion at a time; returns how many.

    What was sent is found by the names that stand in it too. ``behind`` is the reference with which the portion before ended.
    """
    assert actor.user_id is None, "it follows from a change of the register, whoever made it"
    acts.subject("organisation", organisation_id)
    taking_part = select(ApplicationPartner.application_id).where(ApplicationPartner.organisation_id == organisation_id)
    found = db.session.scalars(
        select(Application)
        .where(Application.id.in_(taking_part), Application.reference > behind)
        .order_by(Application.reference)
        .limit(REFRESHED_TOGETHER)
        .with_for_update(of=Application)
        .execution_options(populate_existing=True)
    ).all()
    for application in found:
        sent = queries.submitted_content(application.id) if application.submission_id else None
        once = sent.organisation_names if sent else {}
        ids = list(once) or [partner.organisation_id for partner in queries.partners(application.id)]
        known = identity.organisations(ids)
        make_findable(application, [known[each] for each in ids], once_named=once.values())
    if len(found) == REFRESHED_TOGETHER:
        jobs.queue(
            RENAMED_JOB,
            subject=("organisation", organisation_id),
            asker=jobs.Asker.PROGRAM,
            organisation_id=organisation_id,
            behind=found[-1].reference,
        )
    return len(found)
