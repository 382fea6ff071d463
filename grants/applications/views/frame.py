"""What the pages of applications share."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from flask import Blueprint, flash, request, url_for

from grants.applications import queries, rules
from grants.applications.forms import DeedForm, unticked
from grants.applications.queries import Workplace
from grants.applications.rules import ApplicationView, ClarificationView, Issue, SubmittedContent
from grants.budgets.queries import view_of as budget_view_of
from grants.core import clock
from grants.core.permissions import Permission
from grants.dossiers import rules as dossier_rules
from grants.web.routing import NavItem, current_actor, see_other

bp = Blueprint("applications", __name__)


NAVIGATION = (
    NavItem(
        "Applications", "applications.index", (Permission.APPLICATION_READ, Permission.APPLICATION_START), order=20
    ),
    NavItem("Helpdesk", "applications.helpdesk", (Permission.TICKET_ANSWER,), order=45),
)


# An address names no more than this: servers read some 4,000 bytes of one, and a reference takes two dozen.
LEFT_MAX = 150


def left_without_a_tick(name: str) -> tuple[str, ...]:
    """The references a person left without a tick (``name``) on a page of ticks, and on those they came from.

    A page sends what it offered along as ``shown``, so that neither an error nor the next page ticks anything again.
    Where they are more than an address holds, those left first are ticked again, and the page says so.
    """
    shown = request.form.getlist("shown")
    offered = {text.partition("|")[0] for text in shown}
    before = (each for each in request.args.getlist("left") if each not in offered)
    left = tuple(dict.fromkeys((*before, *unticked(shown, request.form.getlist(name)))))
    if len(left) > LEFT_MAX:
        flash(
            f"You left {len(left)} without a tick, and only the last {LEFT_MAX} are remembered. "
            "The others are ticked again: untick them, or see to each at the desk.",
            "warning",
        )
    return left[-LEFT_MAX:]


def team_context(place: Workplace) -> dict[str, Any]:
    """What every page of the team shows: the application, its clock, where problems are mended."""
    now, actor = clock.now(), current_actor()
    invitation = queries.invitation(actor, place.application)
    own = place.member(actor.user_id)
    accepting = DeedForm(formdata=None)
    accepting.notice = place.notice
    takes_part = place.application.editable(now) and invitation is None and (own is None or own.joined)
    return {
        "place": place,
        "application": place.application,
        "call": place.application.call,
        "editable": place.application.editable(now),
        "invitation": invitation,
        "invitations": queries.invitations(actor, place.application),
        # The own part in the team; whoever was invited as a person and has not joined reads only.
        "member": own,
        "joins": own is not None and not own.joined and invitation is None,
        "takes_part": takes_part,
        "writes_all": takes_part and queries.writes_all(actor, place.application.id),
        "writes_section": lambda section: (
            takes_part
            and place.application.id in actor.places(Permission.APPLICATION_EDIT, "application")
            and queries.writes_section(actor, place.application.id, section.asked_id)
        ),
        "leads": place.application.id in actor.places(Permission.APPLICATION_INVITE, "application"),
        "issue_href": _issue_href(place.application.reference),
        "accepting": accepting,
        "rules": rules,
    }


def after_accepting(place: Workplace) -> Any:
    """Who has accepted goes on where they are asked to write, else to the whole list."""
    for section in place.asked_of(current_actor().user_id):
        return see_other(".section", ref=place.application.reference, key=section.key)
    return see_other(".show", ref=place.application.reference)


def _issue_href(ref: str) -> Callable[[Issue], str]:
    """Where an issue is mended, down to the field."""

    def href(issue: Issue) -> str:
        anchor = issue.anchor or None
        match issue.page:
            case rules.Page.SECTION:
                return url_for(".section", ref=ref, key=issue.section, _anchor=anchor)
            case rules.Page.BUDGET:
                return url_for(".budget", ref=ref, _anchor=anchor)
            case rules.Page.TEAM:
                return url_for(".team", ref=ref, _anchor=anchor)
            case rules.Page.FILES:
                return url_for(".attached", ref=ref, _anchor=anchor)
            case rules.Page.SIGN_OFF:
                return url_for(".sign_off", ref=ref)
            case rules.Page.DETAILS:
                return url_for(".details", ref=ref, _anchor=anchor)

    return href


def titles_of(application: ApplicationView) -> dict[str, str]:
    """What a question of the desk can be about, in words by key: conditions and questions of the form."""
    content = application.call.content
    titles = {each.key: each.rule[:1].upper() + each.rule[1:] for each in rules.conditions_of(content)}
    return titles | {each.key: each.label for section in content.definition.sections for each in section.questions}


def clarified_context(
    application: ApplicationView, clarified: tuple[ClarificationView, ...] | None = None
) -> dict[str, Any]:
    """Questions of the desk and their answers, read anew where the page has not read them, and what each is about."""
    if clarified is None:
        clarified = queries.clarifications(current_actor(), application)
    return {"clarified": clarified, "titles": titles_of(application)}


def submitted_context(
    application: ApplicationView,
    content: SubmittedContent | None = None,
    clarified: tuple[ClarificationView, ...] | None = None,
    *,
    with_register: bool = True,
) -> dict[str, Any]:
    """What a page shows of the version that stands, read anew where the page has not read it."""
    if content is None and application.submission:
        content = queries.submitted_content(application.id)
    return {
        "application": application,
        "call": application.call,
        "content": content,
        "register": queries.register_sent(content) if content and with_register else (),
        "serves": content.serves if content else (),
        "sections": dossier_rules.answered(content.dossier) if content else (),
        "budget": budget_view_of(content.budget, content.organisation_names) if content else None,
        "rules": rules,
        **clarified_context(application, clarified),
    }
