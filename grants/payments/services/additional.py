"""The city states what it used of the pre-financing it was paid, and asks for the additional one."""

from __future__ import annotations

from uuid import UUID

from grants.agreements.services import refuse_prefinancing
from grants.agreements.states import PaymentKind
from grants.core import acts
from grants.core.acts import act
from grants.core.db import check_version, db, locked
from grants.core.permissions import Actor, Permission
from grants.dossiers.rules import clean_text
from grants.payments.models import PaymentRequest, PrefinancingUse
from grants.payments.queries.additional import ground_of
from grants.payments.rules import RequestSummary
from grants.payments.rules.additional import UseInput, check_use, refuse_additional
from grants.payments.services.locks import lock_grant, scope_of_grant
from grants.payments.services.requests import open_request, tell, tell_staff


@act(
    "payment_request.ask_additional",
    needs=Permission.PAYMENT_REQUEST_SUBMIT,
    scope=scope_of_grant,
    says="stated what was used of the pre-financing, and asked for payment {subject}",
)
def ask_additional(actor: Actor, grant_id: UUID, given: UseInput, *, version: int | None = None) -> RequestSummary:
    """State what was used of the pre-financing that was paid, and ask for the additional one, once.

    Where less than the threshold of the agreement was used, it is less by what is missing. One that was rejected is asked for
    again by a new statement. What is asked for is decided, ordered and paid like every request.
    """
    grant = lock_grant(grant_id)
    check_version(grant, version)
    ground = ground_of(grant)
    refuse_additional(ground.asking)
    refuse_prefinancing(grant)
    asked = check_use(given, ground.asking, ground.paid_on, acts.today())
    words = clean_text(given.words).strip()
    rejected = locked(PaymentRequest, ground.rejected_id) if ground.rejected_id is not None else None
    acts.reason(words)
    made = open_request(
        grant, PaymentKind.ADDITIONAL, None, asked, replaces=rejected, reply=words if rejected is not None else None
    )
    db.session.add(
        PrefinancingUse(
            request_id=made.id,
            earlier_id=ground.first_id,
            used=given.used,
            paid=ground.asking.paid,
            threshold=ground.asking.threshold,
            used_until=given.used_until,
            words=words,
            stated_at=acts.moment(),
            stated_by=actor.user_id,
        )
    )
    db.session.flush()
    request = locked(PaymentRequest, made.id)
    tell(grant, "additional_asked", request, amount=str(asked))
    tell_staff(grant, Permission.PAYMENT_REQUEST_DECIDE, "additional_waits", request, amount=str(asked))
    return made
