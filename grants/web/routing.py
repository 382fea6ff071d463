"""Who may open a route, and the few ways a view answers: a page, or a redirect that a reload does not repeat."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeVar, cast

from flask import Response, after_this_request, current_app, g, jsonify, redirect, render_template, request, url_for
from werkzeug.routing import Rule

from grants.core.errors import NotAllowed
from grants.core.permissions import Actor, Permission
from grants.web.forms import wrong_with

View = TypeVar("View", bound=Callable[..., Any])


@dataclass(frozen=True, slots=True)
class Access:
    """What a route asks of the person: nothing, a sign-in, or any one of some permissions."""

    anyone: bool = False
    any_of: tuple[Permission, ...] = ()


@dataclass(frozen=True, slots=True)
class NavItem:
    """One entry of the service navigation, shown to whoever holds one of the permissions anywhere.

    One about a person's own organisation leaves out who has none and looks after all of them.
    """

    label: str
    endpoint: str
    any_of: tuple[Permission, ...] = ()
    order: int = 50
    of_own_organisation: bool = False


class Address(Rule):
    """The address of a route; what writes links to it is compiled with the first link.

    A process writes links to a few of the five hundred routes, most commands and jobs to none; compiling it for all took
    nine tenths of making the program, once its modules are read.
    """

    def _compile_builder(self, append_unknown: bool = True) -> Callable[..., tuple[str, str]]:
        compile_now = super()._compile_builder
        place = "_build_unknown" if append_unknown else "_build"

        def build(rule: Rule, /, **values: Any) -> tuple[str, str]:
            built = compile_now(append_unknown)
            # From the second link on nothing of this is met again.
            setattr(self, place, built.__get__(self))
            return built(rule, **values)

        return build


def public(view: View) -> View:
    """Anyone may open this route, signed in or not. A structure test keeps the list short."""
    return _mark(view, Access(anyone=True))


def signed_in(view: View) -> View:
    """Anyone who has signed in; what they see is decided by the query or the act."""
    return _mark(view, Access())


def requires(*any_of: Permission) -> Callable[[View], View]:
    """Whoever holds one of these permissions anywhere; the act or query then checks the object's scope."""
    assert any_of, "name a permission, or say signed_in or public"
    return lambda view: _mark(view, Access(any_of=any_of))


def _mark(view: View, access: Access) -> View:
    view.access = access  # type: ignore[attr-defined]  # read by check_access and by the structure tests
    return view


def asked_of(endpoint: str | None) -> Access:
    """What the route of this name asks of the person."""
    return cast(Access, getattr(current_app.view_functions.get(endpoint or ""), "access", Access()))


def empty_cache() -> None:
    """Have the browser drop what it kept of this site: a form came back with may lie there, and who sits down next finds none.

    Said wherever one person's time at this browser ends or another's begins.
    """

    def emptied(response: Response) -> Response:
        response.headers["Clear-Site-Data"] = '"cache"'
        return response

    after_this_request(emptied)


def check_access(view: Callable[..., Any]) -> Response | None:
    """The answer that keeps this person out of ``view``, or None; raises :class:`NotAllowed` for a signed-in one."""
    access = cast(Access | None, getattr(view, "access", None))
    assert access is not None, f"{view.__module__}.{view.__name__} does not say who may open it"
    if access.anyone:
        return None
    actor = current_actor()
    if actor.user_id is None:
        if wants_json():
            return said_in_json(401, "You are signed out. Sign in again; what you typed stays on this page.")
        target = request.full_path.rstrip("?") if request.method == "GET" else None
        # A session may have lapsed here, and whoever had it never signed out.
        empty_cache()
        return see_other("identity.sign_in", next=target)
    if access.any_of and not any(actor.can(permission) for permission in access.any_of):
        raise NotAllowed(
            f"You need the permission “{access.any_of[0]}” to open this page. Ask your administrator who has it.",
            access.any_of[0],
        )
    return None


ANONYMOUS = Actor(user_id=None, name="")


def current_actor() -> Actor:
    """Who sent this request; ``user_id`` is None for somebody not signed in. Frozen for the request."""
    return cast(Actor, g.get("actor", ANONYMOUS))


def wants_json() -> bool:
    """Whether a script of ours asks, and not a person's browser: it is answered in sentences too, as JSON."""
    return request.accept_mimetypes.best == "application/json"


def said_in_json(status: int, sentence: str, **facts: Any) -> Response:
    """A sentence for a script to show."""
    answer = jsonify(problem=sentence, **facts)
    answer.status_code = status
    return answer


def page(template: str, **context: Any) -> str:
    """A full page. Views return ``page(...)``, or ``page(...), 422`` when a form comes back with errors.

    What is wrong with any form the page is given stands on top of it; a form that stands nowhere on it is given as ``sent``.
    """
    return render_template(template, problems_found=wrong_with(context.values()), **context)


def see_other(endpoint: str, **values: Any) -> Response:
    """After a deed: 303, so that a reload shows the result and does not repeat the deed."""
    return cast(Response, redirect(url_for(endpoint, **values), 303))
