"""One part of a call as a form, whichever copy of the call is edited: a draft, or the working copy of a published one."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from flask import flash, request

from grants.calls import rules
from grants.calls.forms import PartForm
from grants.calls.rules import CallSummary, CallView, Sourced
from grants.core.errors import NotFound, Problem
from grants.core.yaml_schema import Items, Record
from grants.web.routing import page, see_other


@dataclass(frozen=True, slots=True)
class Edited:
    """What is edited part by part: its values, its pages (``home``, ``part``, ``entry``), and how one value is saved.

    ``save`` takes the path of a value, its YAML and the version that was shown.
    """

    call: CallView
    fields: Mapping[str, Sourced]
    ends: Mapping[str, str]
    save: Callable[[str, str, int | None], CallSummary]


def part_page(edited: Edited, key: str, number: int | None) -> Any:
    """Show or save a part; with a number, one entry of a part that is a list, where the one after the last is new."""
    if key not in edited.fields:
        raise NotFound
    call, field = edited.call, rules.FIELDS[key]
    form = PartForm(version=call.version)
    whole = rules.tree_of(field, edited.fields[key].value)
    kind, tree = field.kind, whole
    of_groups = kind.kind if isinstance(kind, Items) and isinstance(kind.kind, Record) else None
    about = {"call": call, "field": field, "ends": edited.ends}
    if of_groups is not None and number is None and request.method == "GET":
        return page("calls/part_list.html", entries=_titles(whole), **about)
    if number is not None:
        if of_groups is None or number > len(whole or ()):
            raise NotFound
        kind, tree = of_groups, [*(whole or ()), None][number]
    others = whole if of_groups is not None else ()
    asked = rules.content_of(edited.fields).definition
    taken = rules.short_names(asked) | {str(each.get("key")) for each in others or ()}
    form.prepare(kind, tree, field.label, path=field.path, taken=taken)
    if form.validate_on_submit():
        with form.refusals():
            return _saved(edited, field, whole, number, form)
        form.found = tuple(_of_entry(problem, number) for problem in form.found)
    status = 422 if request.method == "POST" else 200
    new = number is not None and number == len(whole or ())
    return page("calls/part.html", number=number, new=new, form=form, node=form.node(), **about), status


def _saved(edited: Edited, field: rules.Field, whole: Any, number: int | None, form: PartForm) -> Any:
    """Save what the form says and go back; a new entry in which nothing was written is none."""
    slug, value = edited.call.slug, form.tree
    back = see_other(edited.ends["home"], slug=slug)
    if number is not None:
        back = see_other(edited.ends["part"], slug=slug, key=field.path)
        if number == len(whole or ()) and value is None:
            return back
        value = _with_entry(whole or [], number, value)
    text = rules.to_yaml({} if value is None else {"value": value})
    for sentence in edited.save(field.path, text, form.version_shown()).notes:
        flash(sentence, "success")
    return back


def _titles(whole: Any) -> list[str]:
    """What an entry of a list is called: its title, name, label or rule."""
    names = ("title", "name", "label", "rule", "code")
    return [next((str(entry[name]) for name in names if name in entry), "Without a title") for entry in whole or ()]


def _with_entry(whole: list[Any], number: int, entry: Any) -> list[Any]:
    """The list with one entry replaced; taken out where it says nothing, moved where the form says a place."""
    rest = whole[:number] + whole[number + 1 :]
    if entry is None or "take_out" in request.form:
        return rest
    place = request.form.get("place", "")
    position = max(int(place) - 1, 0) if place.isdecimal() and len(place) < 4 else number
    return [*rest[:position], entry, *rest[position:]]


def _of_entry(problem: Problem, number: int | None) -> Problem:
    """A problem of the whole list, at its field in the form of one entry."""
    if number is None:
        return problem
    return Problem(re.sub(r"^value\[[0-9]+\]", "value", problem.place), problem.message)
