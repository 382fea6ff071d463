"""Who accepted for an organisation from outside: confirmed or refused by somebody of it, or by an administrator."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from uuid import UUID

from flask import flash

from grants.applications import queries, services
from grants.applications.forms import DeedForm
from grants.applications.views.frame import bp
from grants.core import clock
from grants.core.permissions import Actor, Permission
from grants.web.routing import current_actor, page, requires, see_other


@bp.get("/partners/waiting")
@requires(Permission.ORGANISATION_VOUCH)
def partners_waiting() -> Any:
    """Each person who waits for the organisation, with the application they accepted for."""
    return _waiting_page(DeedForm(formdata=None))


@bp.post("/partners/waiting/confirm")
@requires(Permission.ORGANISATION_VOUCH)
def confirm_partner() -> Any:
    """The person speaks for the organisation."""
    return _answered(services.confirm_partner, "Confirmed. The person and the lead city were told.")


@bp.post("/partners/waiting/refuse")
@requires(Permission.ORGANISATION_VOUCH)
def refuse_partner() -> Any:
    """The person does not."""
    return _answered(services.refuse_partner, "Refused. The person and the lead city were told.")


def _answered(deed: Callable[[Actor, UUID], None], words: str) -> Any:
    form = DeedForm()
    with form.refusals():
        deed(current_actor(), form.thing_id() or UUID(int=0))
        flash(words, "success")
        return see_other(".partners_waiting")
    return _waiting_page(form), 422


def _waiting_page(form: DeedForm) -> str:
    answers = queries.waiting_answers(current_actor(), clock.now())
    return page("applications/partners_waiting.html", form=form, deed=DeedForm(formdata=None), answers=answers)
