"""Walking every address of the program as somebody who is kept from an application, none by a list kept by hand.

Two people hold every role there is between them, more than anybody may: one judges, one decides. Each route is walked with
things of the application they are kept from, or stands in ``NOT_WALKED`` with the reason; a new one that does neither fails.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote
from uuid import UUID

from flask import Flask
from sqlalchemy import select
from werkzeug.routing import Rule
from werkzeug.test import TestResponse

from grants.applications.models import Application, ApplicationPartner
from grants.calls.models import CallExpertTerms
from grants.calls.rules.expert_terms import ExpertTerms
from grants.core import clock, encoding
from grants.core.acts import arranging
from grants.core.db import db
from grants.core.permissions import Actor
from grants.core.permissions import Permission as P
from grants.evaluation.models import (
    Assignment,
    ConflictDeclaration,
    EntityDeclaration,
    Evaluator,
)
from grants.identity.policy import EVERYBODY, PERMISSIONS, ROLES_OF_AN_APPLICATION, Role
from grants.web.routing import Access
from tests import actors, plain
from tests.applications import pages
from tests.applications.pages import Values
from tests.factories import identity as people
from tests.placeholders import Target, target_of
from tests.without import numbers_of, words_of

WRITING = {"POST", "PUT", "PATCH", "DELETE"}
JUDGES = frozenset({Role.EVALUATOR, Role.PANEL_CHAIR, Role.PANEL_MEMBER})
DECIDES = frozenset(Role) - JUDGES - ROLES_OF_AN_APPLICATION - {Role.APPLICANT}

# The one place where the title, the cities and the partners of an application stand before one may read it: there one says
# whether one is in conflict with it. Once one is, it is gone from there as well.
ACTION = re.compile(r'<form method="post"(?:[^>]* action="([^"?]*)")?')
# What is sent where nobody was shown a form.
ANYTHING = {name: "Because it is so." for name in ("reason", "remark", "text", "note")} | {"version": "1"}
DECLARES = "GET /assessments/conflicts"

# What is not walked, each with why nothing of an application can come of it.
NOT_WALKED = {
    "identity.open_link": "a link with a secret, for whoever has none of the roles yet",
    "identity.leave": "ends the session of the walk",
    "identity.sign_out": "ends the session of the walk",
    "static": "files of the program itself",
}
# What counts something of an application without its name, for whoever looks after accounts and machines alone, who reads no
# application; the record, whose pages are cut where so many events came, each of them withheld by itself; and the register of
# cities, which the forms sent in between may change.
COUNTED_APART = re.compile(r"^identity\.(users|user|disable)|^oversight\.(jobs|job|audit|history)|_history$|^cities\.")
# What of the other applications of a call tells of people who may have this one too.
BESIDE = {"evaluation.adjusting", "evaluation.why"}
# Open to everybody who signed in, and another page for each role.
TURNS_ON_ROLES = {"oversight.home", "oversight.search"}
# Registers that name municipalities and people whatever they apply for: there the name of the city alone tells nothing.
REGISTERS = re.compile(r"^(identity|cities|programmes)\.|^oversight\.(organisation|audit|served)|^calls\.")


def with_roles(name: str, roles: frozenset[Role]) -> Actor:
    """Somebody with every one of these roles, more than the policy lets anybody have."""
    with arranging():
        made = people.user(name, *sorted(roles))
    return actors.actor(made.id)


def keep_from(person: Actor, found: list[Target], *, barred: bool = True, silent_about: UUID | None = None) -> Actor:
    """The person once they declared a conflict with these and none with anything else; a bar follows, or is not set yet."""
    assert person.user_id is not None
    away = {each.application_id for each in found}
    with arranging():
        for application_id in db.session.scalars(
            select(Application.id).where(Application.id.is_distinct_from(silent_about))
        ):
            told = "conflict" if application_id in away else "none"
            db.session.add(
                ConflictDeclaration(
                    user_id=person.user_id,
                    application_id=application_id,
                    declared=told,
                    reason="A cousin" if application_id in away else None,
                    declared_at=clock.now(),
                )
            )
        for call_id, organisation_id in db.session.execute(
            select(Application.call_id, ApplicationPartner.organisation_id)
            .join(ApplicationPartner, ApplicationPartner.application_id == Application.id)
            .distinct()
        ):
            db.session.add(
                EntityDeclaration(
                    user_id=person.user_id, call_id=call_id, organisation_id=organisation_id, declared="none",
                    declared_at=clock.now(),
                )
            )  # fmt: skip
        for application_id in away if barred else ():
            people.bar(person.user_id, "application", application_id)
    return actors.actor(person.user_id)


def value_of(app: Flask, rule: Rule, name: str, about: Target) -> Any:
    """What stands for one placeholder of a rule; None where nobody has said.

    Where nothing of the kind is there, the value leads nowhere: then the address stands in ``tests/nothing_there.py``.
    """
    places = [place for place, known in about.values if known == name and rule.rule.startswith(place)]
    if places:
        return about.values[max(places, key=len), name]
    first = [*rule.rule.strip("/").split("/"), ""]
    converter = rule._converters[name]
    if type(converter).__name__ == "IntegerConverter":
        return 1
    if type(converter).__name__ == "AnyConverter":
        return next(iter(converter.items))
    match name:
        case "ref" | "application_ref":
            if rule.rule.startswith("/calls/<slug>/questions"):
                return "PCP-0000-Q-0000"
            if rule.rule.startswith("/grants/prepare"):
                return about.places["applications"]
            return about.places.get("/".join(first[:2])) or about.places.get(first[0])
        case "slug":
            return {"cities": "none", "organisations": about.lead_slug, "admin": about.lead_slug}.get(
                first[0], about.slug
            )
        case "handle":
            return about.handle
        case "other":
            return about.lead_slug
        case "message_id":
            return "PCP-0000-B-0000-000000"
        case "form":
            return "csv"
        case "spelling":
            return "comma"
        case "sha256":
            return "0" * 64
        case "name":
            # What every score sheet has.
            return "remark"
        case "code":
            # What a work package is called.
            return "WP1"
        case "key":
            return "summary"
        case "side":
            return "city"
        case "outcome":
            return "selected"
        case "question" | "asked" | "role" | "kind" | "number" | "token":
            return {"kind": "legal_name", "role": "signatory", "asked": "interim"}.get(name, "summary")
    return None


def addresses(app: Flask, about: Target) -> Iterator[tuple[Rule, str | None]]:
    """Every rule with an address that leads to this application where it can."""
    map_of = app.url_map.bind("localhost")
    for rule in sorted(app.url_map.iter_rules(), key=lambda each: each.rule):
        if rule.endpoint in NOT_WALKED or access(app, rule).anyone:
            continue
        values = {name: value_of(app, rule, name, about) for name in rule.arguments}
        method = "GET" if "GET" in (rule.methods or ()) else sorted((rule.methods or set()) & WRITING)[0]
        yield rule, None if None in values.values() else map_of.build(rule.endpoint, values, method=method)


def access(app: Flask, rule: Rule) -> Access:
    found: Access = getattr(app.view_functions[rule.endpoint], "access", Access())
    return found


def asking_nothing(app: Flask) -> frozenset[str]:
    """Endpoints open to whoever signed in, or to anybody."""
    return frozenset(rule.endpoint for rule in app.url_map.iter_rules() if not access(app, rule).any_of)


def out_of_reach(app: Flask, roles: frozenset[Role]) -> frozenset[str]:
    """Endpoints that ask for what none of these roles allows anywhere, by the table of permissions alone."""
    held = EVERYBODY.union(*(PERMISSIONS[role] for role in roles))
    asked = {rule.endpoint: access(app, rule).any_of for rule in app.url_map.iter_rules()}
    return frozenset(endpoint for endpoint, any_of in asked.items() if any_of and not held & set(any_of))


def may_try(actor: Actor, asked: Access) -> bool:
    """Whether the check before every view lets this person through; that it does not is a law of its own."""
    return not asked.any_of or any(actor.can(permission) for permission in asked.any_of)


def text_of(answer: TestResponse) -> str:
    """All words of an answer, those of a workbook, of a PDF, and of each file in an archive too."""
    return words_of(answer.get_data())


def told(
    app: Flask, who: Actor, found: list[Target], methods: tuple[str, ...], under: tuple[str, ...] = ("/",)
) -> dict[str, list[str]]:
    """What each address tells of these applications: by method and address, the words that came through.

    Of an application nobody may know of, an address that names it is not there, or not this person's: any other answer tells.
    """
    return told_by(walk(app, who, found, methods, under), found)


def told_by(walked: Walked, found: list[Target]) -> dict[str, list[str]]:
    """What a walk tells of these applications."""
    open_ones = {
        told_of: [f"answered {status}"]
        for told_of, status in walked.written.items()
        if status not in (403, 404) and any(names_it(told_of, about) for about in found)
    }
    return open_ones | walked.leaks


@dataclass(frozen=True)
class Walked:
    """What came of a walk: words that came through, answers by endpoint read and by address, and the forms of pages read."""

    leaks: dict[str, list[str]]
    read: dict[str, int]
    written: dict[str, int]
    forms: dict[str, Values]
    # By address that is not of the application alone, the numbers that stand there.
    numbers: dict[str, Counter[str]] = field(default_factory=dict)

    @property
    def answered(self) -> frozenset[str]:
        """Endpoints that led to something."""
        return frozenset(endpoint for endpoint, status in self.read.items() if status < 400)


def walk(
    app: Flask,
    who: Actor,
    found: list[Target],
    methods: tuple[str, ...],
    under: tuple[str, ...] = ("/",),
    only: frozenset[str] | None = None,
    forms: Mapping[str, Values] | None = None,
    gather: bool = False,
    count: bool = False,
) -> Walked:
    """Every address that leads there and begins so, or of these endpoints alone; written to with its form, where one is given."""
    client = actors.client_of(app, who)
    walked = Walked({}, {}, {}, {})
    for about in found:
        for rule, address in addresses(app, about):
            assert address is not None, f"{rule.rule} has a placeholder nobody said anything about"
            if not rule.rule.startswith(under) or (only is not None and rule.endpoint not in only):
                continue
            for method in methods:
                told_of = f"{method} {address}"
                if (
                    method not in (rule.methods or ())
                    or told_of in walked.written
                    or not may_try(who, access(app, rule))
                ):
                    continue
                # What is of a whole call is asked about the application by name.
                anything = ANYTHING if names_it(address, about) else _naming(about)
                data = None if method == "GET" else (forms or {}).get(address, anything)
                answer = client.open(address, method=method, data=data)
                walked.written[told_of] = answer.status_code
                if method == "GET":
                    walked.read[rule.endpoint] = answer.status_code
                if answer.status_code >= 500 and rule.endpoint != "oversight.ready":
                    # Of what the small worlds have no whole of, only whoever is free of it sees the want.
                    walked.leaks[told_of] = [f"answered {answer.status_code}"]
                    continue
                names = [word for each in found for word in each.secrets]
                names += [] if REGISTERS.match(rule.endpoint) else [each.city for each in found]
                # Every page carries its own address for the switch of the theme: nobody learns what they typed.
                said = text_of(answer).replace(address, "").replace(quote(address, safe=""), "")
                counts = count and answer.status_code == 200 and not COUNTED_APART.search(rule.endpoint)
                if counts and not names_it(address, about):
                    walked.numbers.setdefault(address, numbers_of(answer))
                answer.close()
                # Nor do they by what they typed.
                words = [word for word in names if word in said and (method == "GET" or word not in anything.values())]
                if words:
                    walked.leaks[told_of] = words
                if gather and answer.mimetype == "text/html":
                    _gather(walked.forms, answer, address, about)
    return walked


def names_it(address: str, about: Target) -> bool:
    """Whether an address is of the application alone, not of its whole call."""
    return any(word in address for word in about.secrets)


def _naming(about: Target) -> dict[str, str]:
    """The application as fields of forms of a whole call name one."""
    reference = about.places["applications"]
    return {
        "reference": reference,
        "references": reference,
        "application": reference,
        "about": f"application:{reference}",
    }


def _gather(forms: dict[str, Values], answer: TestResponse, own: str, about: Target) -> None:
    """Adds the forms of a page that write to addresses of the application, each with something in every field."""
    page = answer.get_data(as_text=True)
    wanted = {to for to in (to or own for to in ACTION.findall(page)) if names_it(to, about)} - forms.keys()
    for to, values in pages.forms(plain.parsed(page)[0]) if wanted else ():
        if (to or own) in wanted:
            forms[to or own] = {name: [each or "Because it is so." for each in told] for name, told in values.items()}


@dataclass(frozen=True)
class Seen:
    """What a walk told somebody free of an application and somebody in conflict, and which addresses led to something."""

    free: dict[str, list[str]]
    kept: dict[str, list[str]]
    # Endpoints that answered the free one.
    answered: frozenset[str]


def freely(
    app: Flask,
    application_id: UUID,
    roles: frozenset[Role],
    *,
    under: tuple[str, ...] = ("/",),
    only: frozenset[str] | None = None,
    seated: bool = False,
) -> Walked:
    """What reading tells somebody free of the application, who assesses it where that is said."""
    free = keep_from(with_roles("Faye Freely who assesses" if seated else "Faye Freely", roles), [])
    if seated:
        free = with_seat(free, application_id)
    return read_by(app, free, application_id, under=under, only=only)


def read_by(
    app: Flask,
    who: Actor,
    application_id: UUID,
    *,
    under: tuple[str, ...] = ("/",),
    only: frozenset[str] | None = None,
) -> Walked:
    """What reading tells this person, with the forms it shows them."""
    app.config["WTF_CSRF_ENABLED"] = False
    about = target_of(db.session.get_one(Application, application_id))
    return walk(app, who, [about], ("GET",), under, only, gather=True)


def conflicted(about: Target, roles: frozenset[Role], *, barred: bool, seat_id: UUID | None = None) -> Actor:
    """Somebody in conflict with the application, who assesses the other one where one is named."""
    mark = "judges" if roles & JUDGES else "decides"
    person = keep_from(with_roles(f"Cora Kepta who {mark}", roles), [about], barred=barred)
    return person if seat_id is None else with_seat(person, seat_id)


@dataclass(frozen=True)
class Counted:
    """Somebody in conflict, and by address the numbers they read."""

    user_id: UUID
    numbers: Mapping[str, Counter[str]]

    def told_more(self, app: Flask) -> dict[str, list[str]]:
        """By address which numbers they read before that do not stand there now, in a world without the application."""
        client, found = actors.client_of(app, actors.actor(self.user_id)), {}
        for address, before in self.numbers.items():
            answer = client.get(address)
            more = before - numbers_of(answer) if answer.status_code == 200 else Counter([str(answer.status_code)])
            answer.close()
            if more:
                found[address] = sorted(more)
        return found


def kept_and_counted(
    app: Flask, application_id: UUID, roles: frozenset[Role], *, seat_id: UUID | None = None
) -> tuple[dict[str, list[str]], Counted]:
    """What reading tells somebody in conflict whom no bar keeps from it, and every number they read."""
    about = target_of(db.session.get_one(Application, application_id))
    person = conflicted(about, roles, barred=False, seat_id=seat_id)
    walked = walk(app, person, [about], ("GET",), count=True)
    assert person.user_id is not None
    return told_by(walked, [about]), Counted(person.user_id, walked.numbers | _beside(app, person, application_id))


def _beside(app: Flask, who: Actor, application_id: UUID) -> dict[str, Counter[str]]:
    """By address the numbers on pages of one other application of the call that tell what its people have elsewhere."""
    call_id = db.session.get_one(Application, application_id).call_id
    others = select(Application).where(Application.call_id == call_id, Application.id != application_id)
    client, found = actors.client_of(app, who), {}
    for other in db.session.scalars(others.order_by(Application.reference)).all():
        for rule, address in addresses(app, target_of(other)):
            if rule.endpoint in BESIDE and address is not None and may_try(who, access(app, rule)):
                answer = client.get(address)
                if answer.status_code == 200:
                    found[address] = numbers_of(answer)
                answer.close()
    return found


def seen_of(
    app: Flask,
    application_id: UUID,
    roles: frozenset[Role],
    *,
    under: tuple[str, ...] = ("/",),
    leads: frozenset[str] | None = None,
) -> Seen:
    """The walk of both. The free one only shows that addresses lead somewhere: ``leads`` names those nobody showed yet."""
    free = freely(app, application_id, roles, under=under, only=leads)
    about = target_of(db.session.get_one(Application, application_id))
    leaks = told(app, conflicted(about, roles, barred=True), [about], ("GET", "POST"), under)
    return Seen(free.leaks, leaks, free.answered)


def written_by_each(
    app: Flask, application_id: UUID, roles: frozenset[Role], forms: Mapping[str, Values]
) -> tuple[dict[str, list[str]], dict[str, int]]:
    """What writing tells somebody in conflict who has one role alone, and where something of the application answered.

    Where a form of somebody free of it leads there, it is sent as it stood for them.
    """
    about = target_of(db.session.get_one(Application, application_id))
    leaks: dict[str, list[str]] = {}
    let_in: dict[str, int] = {}
    tried: set[object] = set()
    for role in sorted(roles):
        # What is asked of nobody in particular, or is opened by the same permissions, is the same for each of them.
        held = EVERYBODY | PERMISSIONS[role]
        ways = {
            rule.endpoint: (rule.endpoint, held & set(access(app, rule).any_of), P.CONFLICT_DECLARE in held)
            for rule in app.url_map.iter_rules()
        }
        only = frozenset(endpoint for endpoint, way in ways.items() if way not in tried)
        tried.update(ways.values())
        person = keep_from(with_roles(f"Cora Kepta, {role}", frozenset({role})), [about], barred=False)
        walked = walk(app, person, [about], tuple(sorted(WRITING)), only=only, forms=forms)
        leaks |= {f"{role}: {address}": words for address, words in walked.leaks.items()}
        let_in |= {
            f"{role}: {address}": status
            for address, status in walked.written.items()
            if status not in (403, 404) and names_it(address, about)
        }
    return leaks, let_in


def read_by_each(
    app: Flask, application_id: UUID, roles: frozenset[Role]
) -> tuple[dict[str, list[str]], dict[Role, int]]:
    """What reading tells somebody in conflict who has one role alone and no bar, and how many pages each role opened.

    Whoever has many reads other things: a page may turn on what its reader can do besides. Addresses of the application itself,
    and what says the same to everybody who signed in, are asked once for each way they are opened.
    """
    about = target_of(db.session.get_one(Application, application_id))
    once = {rule.endpoint for rule, address in addresses(app, about) if address and names_it(address, about)}
    once |= asking_nothing(app) - TURNS_ON_ROLES
    leaks: dict[str, list[str]] = {}
    opened: dict[Role, int] = {}
    tried: set[object] = set()
    for role in sorted(roles):
        held = EVERYBODY | PERMISSIONS[role]
        ways = {
            rule.endpoint: (rule.endpoint, held & set(access(app, rule).any_of), P.CONFLICT_DECLARE in held)
            for rule in app.url_map.iter_rules()
        }
        own = frozenset(endpoint for endpoint, way in ways.items() if endpoint not in once or way not in tried)
        tried.update(ways.values())
        person = keep_from(with_roles(f"Cora Kepta, {role}", frozenset({role})), [about], barred=False)
        walked = walk(app, person, [about], ("GET",), only=own)
        leaks |= {f"{role}: {address}": words for address, words in told_by(walked, [about]).items()}
        opened[role] = len(walked.answered)
    return leaks, opened


def readable(app: Flask, under: tuple[str, ...] = ("/",)) -> frozenset[str]:
    """Every endpoint that is read and walked."""
    return frozenset(
        rule.endpoint
        for rule in app.url_map.iter_rules()
        if "GET" in (rule.methods or ())
        and rule.endpoint not in NOT_WALKED
        and not access(app, rule).anyone
        and rule.rule.startswith(under)
    )


def with_seat(person: Actor, application_id: UUID) -> Actor:
    """The person in the pool, with the seat of one application."""
    assert person.user_id is not None
    with arranging():
        entry = Evaluator(
            call_id=db.session.get_one(Application, application_id).call_id, user_id=person.user_id, country_code="FI",
            languages=["en"], topics=[], topic_levels={}, language_levels={}, roles=[], load_min=0, load_max=9,
        )  # fmt: skip
        db.session.add(entry)
        db.session.flush()
        db.session.add(
            Assignment(
                application_id=application_id, evaluator_id=entry.id, state="active", utility=1, hand_reason="By hand."
            )
        )
        people.role(person.user_id, Role.ASSIGNED_EVALUATOR, kind="application", object_id=application_id)
    return actors.actor(person.user_id)


def walked_unaccepted(app: Flask, application_id: UUID, roles: frozenset[Role]) -> dict[str, list[str]]:
    """What reading and writing tell somebody of the pool who declared no conflict and has not accepted the words of the call."""
    about = target_of(db.session.get_one(Application, application_id))
    app.config["WTF_CSRF_ENABLED"] = False
    person = keep_from(with_roles("Una Unsigned", roles), [])
    assert person.user_id is not None
    with arranging():
        call_id = db.session.get_one(Application, application_id).call_id
        db.session.add(
            Evaluator(
                call_id=call_id, user_id=person.user_id, country_code="FI", languages=["en"], topics=[],
                topic_levels={}, language_levels={}, roles=[], load_min=0, load_max=9,
            )
        )  # fmt: skip
        text = ExpertTerms("You are paid by the day.", "You tell nobody.")
        db.session.add(
            CallExpertTerms(
                call_id=call_id,
                number=1,
                content=encoding.encode(text),
                sha256=text.sha256,
                published_by=person.user_id,
            )
        )
    return told(app, person, [about], ("GET", "POST"))


def walked_undeclared(app: Flask, application_id: UUID, under: tuple[str, ...] = ("/",)) -> dict[str, list[str]]:
    """What reading tells somebody who judges and declared nothing yet, but for the page where they declare."""
    about = target_of(db.session.get_one(Application, application_id))
    leaks = told(app, with_roles("Uli Undeclared", JUDGES), [about], ("GET",), under)
    return {address: words for address, words in leaks.items() if address != DECLARES}


def read_in_conflict(
    app: Flask, application_id: UUID, roles: frozenset[Role], under: tuple[str, ...]
) -> dict[str, list[str]]:
    """What reading tells somebody in conflict whom no bar keeps from it."""
    about = target_of(db.session.get_one(Application, application_id))
    return told(app, keep_from(with_roles("Nora Nobarre", roles), [about], barred=False), [about], ("GET",), under)
