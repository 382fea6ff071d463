"""Acts that build a draft: its values, a template for what is missing, its dates."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any
from uuid import UUID

from grants.calls import queries, rules
from grants.calls.models import Call
from grants.calls.rules import (
    ELSEWHERE,
    FIELDS,
    NOT_FOUND,
    TEMPLATE_LABEL,
    CallSummary,
    DatesInput,
    Deadline,
    Opening,
    Sourced,
)
from grants.calls.services.keeping import add_deadline, followed, fund_source_of, refuse_known, summary, take_over
from grants.calls.states import CallState
from grants.core import acts
from grants.core.acts import act
from grants.core.db import check_version, locked
from grants.core.errors import Invalid, NotFound, Refused, no_such
from grants.core.permissions import Actor, Permission

DATA = Path(__file__).parents[1] / "data"

# Templates by the name people give on the command line.
TEMPLATES: Mapping[str, str] = {"horizon-like": "horizon_like.yaml"}


@lru_cache(maxsize=8)
def template(name: str) -> Mapping[str, Sourced]:
    """The values of a template by its name; :class:`Invalid` where there is none."""
    if name not in TEMPLATES:
        raise Invalid(no_such("template", name, TEMPLATES))
    return rules.read_template((DATA / TEMPLATES[name]).read_text(encoding="utf-8"))


@act(
    "call.apply_template",
    needs=Permission.CALL_MANAGE,
    scope=queries.scope_of,
    says="filled call {subject} from a template",
)
def apply_template(
    actor: Actor, call_id: UUID, name: str = "horizon-like", *, version: int | None = None
) -> CallSummary:
    """Fill what was not found from a template, and label each value it filled; what was found never changes."""
    call = locked(Call, call_id)
    check_version(call, version)
    _refuse_unless_draft(call)
    fields, paths = rules.filled(rules.from_json(call.content), template(name), pays=call.pays)
    if not paths:
        raise Refused("Nothing was missing that the template could fill.")
    take_over(call, fields)
    return summary(call, (f"{len(paths)} values now come from the {TEMPLATE_LABEL}.",))


@act("call.set_value", needs=Permission.CALL_MANAGE, scope=queries.scope_of, says="edited a part of call {subject}")
def set_value(actor: Actor, call_id: UUID, path: str, text: str, *, version: int | None = None) -> CallSummary:
    """Set one value of a draft from the YAML of its form; raises Problems with the field of each fault."""
    call = locked(Call, call_id)
    check_version(call, version)
    _refuse_unless_draft(call)
    if path not in FIELDS or path in ELSEWHERE:
        raise NotFound
    fields = rules.from_json(call.content)
    fields[path] = rules.edited(fields.get(path, NOT_FOUND), rules.read_value(path, text))
    _keep_column(call, path, fields[path].value)
    take_over(call, fields)
    acts.reason(FIELDS[path].label)
    return summary(call, (f"“{FIELDS[path].label}” is saved.",))


def _keep_column(call: Call, path: str, value: Any) -> None:
    """What a call is known by stands in its columns too, and follows its form: also whose money it spends."""
    match path:
        case "call.title":
            if not value:
                raise Invalid("A call needs a title.", {"value": "Enter the title of the call."})
            call.title = value
        case "call.id":
            if value != call.published_id:
                refuse_known(value, "Nothing was saved.", "value")
            call.published_id = value
        case "call.year":
            call.year = value or call.year
        case "call.invented":
            call.synthetic = bool(value)
        case "call.parent_grant":
            call.fund_source_id = fund_source_of(value)
        case "call.follows":
            call.follows_id = followed(value)
        case _:
            pass


@act("call.set_dates", needs=Permission.CALL_MANAGE, scope=queries.scope_of, says="set the dates of call {subject}")
def set_dates(actor: Actor, call_id: UUID, given: DatesInput, *, version: int | None = None) -> CallSummary:
    """Set zone, opening and first deadline of a draft, all as times on the clock of that zone."""
    call = locked(Call, call_id)
    check_version(call, version)
    _refuse_unless_draft(call)
    current = queries.last_deadline(call.id)
    if current is not None and current.number > 1:
        raise Refused("This call came with a moved deadline; its dates are changed in its file.")
    dates = rules.planned(given, has_deadline=current is not None)
    call.zone = dates.zone
    fields = rules.from_json(call.content)
    day = fields["dates.opens"].value
    if given.opens_on != (None if day is None else day.day):
        opening = None if given.opens_on is None else Opening(given.opens_on, given.opens_hour)
        fields["dates.opens"] = rules.edited(fields["dates.opens"], opening)
    fields["dates.opens_time"] = rules.edited(fields["dates.opens_time"], given.opens_hour)
    take_over(call, fields)
    if dates.closes_at is None:
        return summary(call, ("The dates are saved; the deadline is not set yet.",))
    if current is None:
        add_deadline(call.id, Deadline(1, dates.closes_at, dates.zone, dates.literal))
    else:
        # A form shows no seconds: what a file gave to the second stays so until somebody sets another minute.
        same_minute = current.closes_at.replace(second=0, microsecond=0) == dates.closes_at
        current.closes_at = current.closes_at if same_minute else dates.closes_at
        current.zone, current.literal = dates.zone, dates.literal
    call.version += 1
    return summary(call, (f"The deadline is {rules.literal_of(dates.closes_at, dates.zone)}.",))


def _refuse_unless_draft(call: Call) -> None:
    if call.state != CallState.DRAFT.value:
        raise Refused(f"This call is {call.state}; its rules do not change any more.")
