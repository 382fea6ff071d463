"""What the stage of calls has to know of applications: whom to tell, and whom an answer for everybody must not name."""

from __future__ import annotations

from uuid import UUID

from sqlalchemy import select

from grants.applications.models import Application, ApplicationPartner
from grants.applications.rules import WRITABLE
from grants.applications.states import PartnerState
from grants.calls import queries as calls
from grants.calls.models import CallQuestionSource
from grants.calls.rules.questions import Asker
from grants.conversations.models import Conversation
from grants.core.db import db
from grants.identity.models import Organisation


def people_at_work(call_id: UUID) -> tuple[UUID, ...]:
    """Everybody who speaks for an organisation in a draft or a sent application to a call."""
    people = db.session.scalars(
        select(ApplicationPartner.contact_user_id)
        .join(Application, Application.id == ApplicationPartner.application_id)
        .where(
            Application.call_id == call_id,
            Application.state.in_([state.value for state in WRITABLE]),
            ApplicationPartner.state != PartnerState.DECLINED.value,
            ApplicationPartner.contact_user_id.is_not(None),
        )
        .distinct()
    )
    return tuple(person for person in people if person)


def asked_about(question_id: UUID) -> tuple[Asker, ...]:
    """The applications a question was asked about, each with its partners; two statements."""
    found = db.session.execute(
        select(Application.id, Application.reference, Application.title, Application.acronym)
        .join(Conversation, Conversation.about_id == Application.id)
        .join(CallQuestionSource, CallQuestionSource.conversation_id == Conversation.id)
        .where(CallQuestionSource.question_id == question_id)
    ).all()
    partners: dict[UUID, list[str]] = {row.id: [] for row in found}
    for application_id, *names in db.session.execute(
        select(ApplicationPartner.application_id, Organisation.name, Organisation.local_name)
        .join(Organisation, Organisation.id == ApplicationPartner.organisation_id)
        .where(ApplicationPartner.application_id.in_(partners))
    ):
        partners[application_id] += [name for name in names if name]
    return tuple(Asker("", "", tuple(partners[row.id]), (row.reference, row.title, row.acronym or "")) for row in found)


calls.applicants_come_from(people_at_work, asked_about)
