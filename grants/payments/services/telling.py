"""Letters about many requests of one act, as many statements as for one."""

from __future__ import annotations

from collections.abc import Sequence

from grants.agreements import queries as agreements
from grants.agreements.models import Grant
from grants.core.permissions import Permission
from grants.identity import queries as identity
from grants.identity import services as people
from grants.identity.services.mails import Letter
from grants.payments.models import PaymentRequest
from grants.payments.states import RequestState


def tell_each(template: str, about: Sequence[tuple[Grant, PaymentRequest]]) -> None:
    """Write to whoever may ask for payments of each of these grants, about its request."""
    scopes = {grant.id: agreements.scope(grant) for grant, _ in about}
    readers = identity.users_with_each(Permission.PAYMENT_REQUEST_SUBMIT, scopes) if scopes else {}
    people.mail_each(
        template,
        [
            Letter(
                readers[grant.id],
                ("grant", grant.id),
                {
                    "reference": grant.reference,
                    "request": request.reference,
                    "state": RequestState(request.state).value,
                },
            )
            for grant, request in about
        ],
    )
