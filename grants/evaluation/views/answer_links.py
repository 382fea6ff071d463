"""Pages of answering an invitation from its mail, without signing in: opening one changes nothing, its buttons do."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar
from uuid import UUID

from flask import flash, url_for
from flask import session as cookie

from grants.calls import queries as calls
from grants.core import clock
from grants.evaluation import queries, services
from grants.evaluation.forms import DeclineForm
from grants.evaluation.rules import LinkedInvitation, LinkState
from grants.evaluation.views.frame import bp
from grants.identity import queries as identity
from grants.web.forms import ContestedForm, status_of
from grants.web.routing import current_actor, page, public, see_other

# The links opened in this browser, by invitation: two of them in two tabs are two answers. Each with the second it was
# opened in, since others may use the same machine.
OPENED_KEY = "answer_links"
OPENED_MAX = 5
OPENED_SECONDS = 3_600

F = TypeVar("F", bound=ContestedForm)


@bp.get("/evaluators/answer/<token>")
@public
def answer_link(token: str) -> Any:
    """Take the token out of the address at once; opening a link, as mail scanners do, does not use it."""
    found = queries.invitation_by_link(token)
    if found is None:
        return _nothing_known()
    slug, handle = found.asked.slug, found.asked.handle
    others = _opened_but(slug, handle)[-OPENED_MAX + 1 :]
    cookie[OPENED_KEY] = [*others, (slug, handle, token, int(clock.now().timestamp()))]
    return see_other(".answer_page", slug=slug, handle=handle)


def _opened_but(slug: str, handle: str) -> list[Any]:
    return [each for each in cookie.get(OPENED_KEY, ()) if tuple(each[:2]) != (slug, handle)]


def _nothing_known(form: ContestedForm | None = None) -> Any:
    """For a link that is not whole, or was opened too long ago; what was typed stands there to be copied."""
    if form is not None:
        form.problems.append("Nothing was stored.")
    return page("evaluation/answer_unknown.html", left=form), 404


def _linked(slug: str, handle: str) -> LinkedInvitation | None:
    """The invitation of this person to this call, as it stands now, if its link was opened here within the hour."""
    since = clock.now().timestamp() - OPENED_SECONDS
    for *place, token, opened in cookie.get(OPENED_KEY, ()):
        if place == [slug, handle] and opened > since:
            return queries.invitation_by_link(token)
    return None


@bp.get("/calls/<slug>/invitation/answer/<handle>")
@public
def answer_page(slug: str, handle: str) -> Any:
    """What is asked of the person, and the two buttons; what was answered is shown once."""
    linked = _linked(slug, handle)
    if linked is None:
        return _nothing_known()
    if linked.state is LinkState.USED:
        cookie[OPENED_KEY] = _opened_but(slug, handle)
    return _answer_page(linked)


def _answer_page(
    linked: LinkedInvitation, accepting: ContestedForm | None = None, declining: DeclineForm | None = None
) -> str:
    asked, state = linked.asked, linked.state
    call = calls.call_by_id(asked.call_id)
    newest = next(iter(calls.expert_terms(asked.call_id)), None)
    actor, version = current_actor(), str(asked.version)
    return page(
        "evaluation/answer.html",
        asked=asked,
        call=call,
        # Of a call that is not published nothing is told but what the mail told.
        is_published=call.published_at is not None and call.published_at <= clock.now(),
        terms=newest if newest is not None and newest.text is not None else None,
        state=state,
        is_good=state is LinkState.GOOD,
        other=actor.name if actor.user_id not in (None, asked.user_id) else "",
        is_own=actor.user_id == asked.user_id,
        accepting=accepting or ContestedForm(formdata=None, version=version),
        declining=declining or DeclineForm(formdata=None, version=version),
    )


@bp.post("/calls/<slug>/invitation/answer/<handle>/accept")
@public
def accept_by_link(slug: str, handle: str) -> Any:
    """Yes: on to the account, or to signing in, and from there to the profile."""

    def agreed(linked: LinkedInvitation, form: ContestedForm) -> Any:
        return _on_to_the_profile(slug, services.agree_by_link(*services.whose_link(linked), form.version_shown()))

    return _answered(slug, handle, ContestedForm(), agreed)


def _answered(slug: str, handle: str, form: F, answer: Callable[[LinkedInvitation, F], Any]) -> Any:
    """Give an answer by the link that was opened in this browser, and go where it leads; again with what is in the way."""
    linked = _linked(slug, handle)
    if linked is None:
        return _nothing_known(form)
    if _is_somebody_else(linked):
        return see_other(".answer_page", slug=slug, handle=handle)
    if form.validate_on_submit():
        with form.attempt():
            return answer(linked, form)
    return _again(slug, handle, form)


def _on_to_the_profile(slug: str, link_id: UUID | None) -> Any:
    profile = url_for(".invitation", slug=slug)
    if link_id is not None:
        flash("You said yes. Choose a password and sign in with it; then say what you know.", "success")
        token = identity.sign_in_token(link_id)
        return see_other("identity.open_link", purpose="invitation", token=token, next=profile)
    if current_actor().user_id is not None:
        flash("You said yes. Say what you know next, then declare your conflicts of interest.", "success")
        return see_other(".invitation", slug=slug)
    flash(
        "You said yes. Sign in, then say what you know. If you have no password yet, a mail brings you the link.",
        "success",
    )
    return see_other("identity.sign_in", next=profile)


@bp.post("/calls/<slug>/invitation/answer/<handle>/decline")
@public
def decline_by_link(slug: str, handle: str) -> Any:
    """No, and why: final until the person is invited again."""

    def declined(linked: LinkedInvitation, form: DeclineForm) -> Any:
        services.decline_by_link(*services.whose_link(linked), *form.why(), form.version_shown())
        flash("Your answer is stored. Thank you for saying so.", "success")
        return see_other(".answer_page", slug=slug, handle=handle)

    return _answered(slug, handle, DeclineForm(), declined)


def _is_somebody_else(linked: LinkedInvitation) -> bool:
    """Whether this browser is signed in as another person, who must not answer for the invited one."""
    return current_actor().user_id not in (None, linked.asked.user_id)


def _again(slug: str, handle: str, form: ContestedForm) -> Any:
    """The page once more, with what was typed and what stands now."""
    linked = _linked(slug, handle)
    if linked is None:
        return _nothing_known(form)
    if form.clashed:
        form.comes_again(linked.asked.version)
    shown = {"declining": form} if isinstance(form, DeclineForm) else {"accepting": form}
    return _answer_page(linked, **shown), status_of(form)
