"""Comments on the questions of one section: read, begun, replied to, resolved and opened again."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from uuid import UUID

from flask import flash, request

from grants.applications import queries, services
from grants.applications.forms import CommentForm, DeedForm
from grants.applications.queries import Workplace
from grants.applications.views.frame import bp, team_context
from grants.core.permissions import Actor, Permission
from grants.dossiers import queries as dossier_queries
from grants.dossiers.queries import SectionView, ThreadView
from grants.identity import queries as identity
from grants.web.forms import choices
from grants.web.routing import current_actor, page, requires, see_other

NOBODY = UUID(int=0)


@bp.get("/applications/<ref>/sections/<key>/comments")
@requires(Permission.APPLICATION_COMMENT)
def comments(ref: str, key: str) -> Any:
    """Every conversation about the section, open ones first, and the form to begin one."""
    place = queries.workplace(current_actor(), ref)
    found = place.dossier.section(key)
    return _comments_page(place, found, _new_form(place, found))


@bp.post("/applications/<ref>/sections/<key>/comments")
@requires(Permission.APPLICATION_COMMENT)
def comment(ref: str, key: str) -> Any:
    """Begin a conversation about one question."""
    place = queries.workplace(current_actor(), ref)
    found = place.dossier.section(key)
    form = _new_form(place, found)
    if form.validate_on_submit():
        with form.refusals():
            asked = str(form.question.data or "")
            services.comment(current_actor(), place.application.id, key, asked, form.to_input())
            flash("Your comment stands below.", "success")
            return see_other(".comments", ref=ref, key=key)
    return _comments_page(place, found, form), 422


@bp.post("/applications/<ref>/sections/<key>/comments/reply")
@requires(Permission.APPLICATION_COMMENT)
def reply(ref: str, key: str) -> Any:
    """Say something more in one."""
    place = queries.workplace(current_actor(), ref)
    found = place.dossier.section(key)
    form = _with_people(CommentForm(), place)
    if form.validate_on_submit():
        with form.refusals():
            services.reply(current_actor(), place.application.id, key, form.thing_id() or NOBODY, form.to_input())
            flash("Your reply stands below.", "success")
            return see_other(".comments", ref=ref, key=key)
    return _comments_page(place, found, _new_form(place, found, is_sent=False), form), 422


@bp.post("/applications/<ref>/sections/<key>/comments/resolve")
@requires(Permission.APPLICATION_COMMENT)
def resolve_comment(ref: str, key: str) -> Any:
    """It is settled."""
    return _settled(ref, key, services.resolve_comment, "Resolved. It is kept below the open ones.")


@bp.post("/applications/<ref>/sections/<key>/comments/reopen")
@requires(Permission.APPLICATION_COMMENT)
def reopen_comment(ref: str, key: str) -> Any:
    """It is not settled after all."""
    return _settled(ref, key, services.reopen_comment, "Open again.")


def _settled(ref: str, key: str, deed: Callable[[Actor, UUID, UUID], None], words: str) -> Any:
    place, form = queries.workplace(current_actor(), ref), DeedForm()
    found = place.dossier.section(key)
    with form.refusals():
        deed(current_actor(), place.application.id, form.thing_id() or NOBODY)
        flash(words, "success")
        return see_other(".comments", ref=ref, key=key)
    return _comments_page(place, found, _new_form(place, found, is_sent=False), form), 422


def _new_form(place: Workplace, found: SectionView, *, is_sent: bool = True) -> CommentForm:
    asked = request.args.get("question", "")
    data = {"question": asked} if asked else None
    form = CommentForm(data=data) if is_sent else CommentForm(formdata=None, data=data)
    return _with_people(form, place, found)


def _with_people(form: CommentForm, place: Workplace, found: SectionView | None = None) -> CommentForm:
    others = (member for member in place.team if member.user_id != current_actor().user_id)
    form.tell.choices = choices((str(member.user_id), f"{member.name}, {member.title.lower()}") for member in others)
    questions = found.questions if found else ()
    form.question.choices = choices((item.question.key, item.question.label) for item in questions)
    return form


def _reply_form(thread: ThreadView, place: Workplace, sent: Any, number: int) -> CommentForm:
    """The form below one conversation; those who spoke in it are ticked, and what was typed stands in its own."""
    typed = isinstance(sent, CommentForm) and sent.thing_id() == thread.id
    data = {"thing": str(thread.id), "tell": [str(person) for person in thread.people]}
    form = sent if typed else _with_people(CommentForm(formdata=None, data=data), place)
    form.comment.id, form.tell.id = f"reply-{number}", f"tell-{number}"
    form.comment.label.text = "Reply"
    return form


def _comments_page(place: Workplace, found: SectionView, form: CommentForm, sent: Any = None) -> str:
    threads = dossier_queries.threads(place.dossier.id, found.key)
    asked = {item.question.key: item for item in found.questions}
    return page(
        "applications/comments.html",
        section=found,
        form=form,
        sent=sent if isinstance(sent, DeedForm) and not isinstance(sent, CommentForm) else None,
        threads=[
            (
                thread,
                asked.get(thread.question) or dossier_queries.not_asked(thread.question),
                _reply_form(thread, place, sent, number),
            )
            for number, thread in enumerate(threads, 1)
        ],
        people=identity.people(person for thread in threads for person in thread.people),
        deed=DeedForm(formdata=None),
        **team_context(place),
    )
