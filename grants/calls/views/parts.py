"""One part of a call as a form, whichever copy of the call is edited: a draft, or the working copy of a published one."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from flask import abort, flash, request

from grants.calls import rules
from grants.calls.forms import DeedForm, PartForm
from grants.calls.rules import CallSummary, CallView, Sourced
from grants.calls.rules.changes import FORM_PATHS
from grants.calls.rules.question_form import doubled, moved
from grants.core.errors import NotFound, Problem
from grants.core.yaml_schema import Items, Record
from grants.dossiers.rules import definition_problems
from grants.web.routing import page, see_other

# A button of a list: what it does, and to which entry.
_DEED = re.compile(r"^(up|down|copy):([0-9]{1,3})$")


@dataclass(frozen=True, slots=True)
class Edited:
    """What is edited part by part: its values, its pages, and how one value is saved.

    ``ends`` names the pages: ``home``, ``part``, ``entry``, ``question``, ``out``. ``save`` is the act that sets a value:
    it takes its path, its YAML and, as ``version``, the one that was shown; ``read`` gives the values once it has run.
    """

    call: CallView
    fields: Mapping[str, Sourced]
    ends: Mapping[str, str]
    save: Callable[..., CallSummary]
    read: Callable[[], Mapping[str, Sourced]]

    def field(self, key: str) -> rules.Field:
        """The field of that path; raises NotFound for what is no part of a call."""
        if key not in self.fields:
            raise NotFound
        return rules.FIELDS[key]

    def tree(self, key: str) -> Any:
        """What the part says now, as a call file would write it."""
        return rules.tree_of(self.field(key), self.fields[key].value)

    def taken(self, *trees: Any) -> set[str]:
        """Short names in use: of the form, and of the entries of these lists."""
        asked = rules.content_of(self.fields).definition
        return rules.short_names(asked) | {str(each.get("key")) for tree in trees for each in tree or ()}


def overtaken(edited: Edited) -> Any | None:
    """The answer to a form that was shown with another version of the call, with what was typed; None for any other.

    Asked before the place in a list is looked up: whoever shortened the list meanwhile made it another place, or none.
    """
    if request.method != "POST" or DeedForm().version_shown() in (None, edited.call.version):
        return None
    typed = [(name, text) for name, text in request.form.items(multi=True) if name.startswith("value") and text.strip()]
    return page(
        "calls/overtaken.html", call=edited.call, ends=edited.ends, typed=[(_named(n), t) for n, t in typed]
    ), 409


def _named(name: str) -> str:
    """The name of a control in words, for text that comes back without its form."""
    words = name.removeprefix("value").replace(".", " ").replace("_", " ").strip()
    return words.capitalize() or "Value"


def group_of(field: rules.Field) -> Record | None:
    """The group that is one entry of a part, where the part is a list of groups."""
    kind = field.kind
    return kind.kind if isinstance(kind, Items) and isinstance(kind.kind, Record) else None


def part_page(edited: Edited, key: str, number: int | None) -> Any:
    """Show or save a part; with a number, one entry of a part that is a list, where the one after the last is new."""
    field, whole = edited.field(key), edited.tree(key)
    if (stale := overtaken(edited)) is not None:
        return stale
    group, call = group_of(field), edited.call
    if group is not None and number is None:
        return _list_page(edited, field, whole)
    kind, tree = field.kind, whole
    if number is not None:
        if group is None or number > len(whole or ()):
            raise NotFound
        kind, tree = group, [*(whole or ()), None][number]
    form = PartForm(version=call.version)
    form.prepare(kind, tree, field.label, path=field.path, taken=edited.taken(whole if group is not None else ()))
    if form.validate_on_submit():
        with form.refusals():
            return _saved(edited, field, whole, number, form)
        form.found = tuple(at_field(problem, number) for problem in form.found)
    status = 422 if request.method == "POST" else 200
    new = number is not None and number == len(whole or ())
    about = {"call": call, "field": field, "ends": edited.ends}
    return page("calls/part.html", number=number, new=new, form=form, node=form.node(), **about), status


def _saved(edited: Edited, field: rules.Field, whole: Any, number: int | None, form: PartForm) -> Any:
    """Save what the form says and go back; a new entry in which nothing was written is none."""
    slug, value = edited.call.slug, form.tree
    back = see_other(edited.ends["home"], slug=slug)
    if number is not None:
        back = see_other(edited.ends["part"], slug=slug, key=field.path)
        if number == len(whole or ()) and value is None:
            return back
        value = with_entry(whole or [], number, value)
    keep(edited, field, value, form.version_shown())
    return back


def keep(edited: Edited, field: rules.Field, value: Any, version: int | None) -> None:
    """Save one value, say so, and say what no longer fits in the form of the call since then.

    Raises :class:`Problems`, each at the path of the field it is about.
    """
    text = rules.to_yaml({} if value is None else {"value": value})
    for sentence in edited.save(field.path, text, version=version).notes:
        flash(sentence, "success")
    if field.path not in FORM_PATHS:
        return
    before, after = (rules.content_of(each).definition for each in (edited.fields, edited.read()))
    known = {problem.message for problem in definition_problems(before)}
    for problem in rules.form_problems(after):
        if problem.message not in known:
            flash(f"{problem.place} {problem.message}", "warning")


# --- a list -----------------------------------------------------------------------------------------------------------


def _list_page(edited: Edited, field: rules.Field, whole: Any) -> Any:
    """The entries of a part that is a list, each with its form; they can be moved and doubled here."""
    call, slug = edited.call, edited.call.slug
    form = DeedForm(version=call.version)
    if form.validate_on_submit():
        with form.refusals():
            keep(edited, field, after_deed(whole or [], edited.taken(whole)), form.version_shown())
            return see_other(edited.ends["part"], slug=slug, key=field.path)
    status = 422 if request.method == "POST" else 200
    about = {"call": call, "field": field, "ends": edited.ends}
    return page("calls/part_list.html", entries=[title_of(each) for each in whole or ()], form=form, **about), status


def after_deed(entries: list[Any], taken: set[str]) -> list[Any]:
    """The list after the button that was pressed."""
    found = _DEED.match(request.form.get("deed", ""))
    if found is None or int(found[2]) >= len(entries):
        abort(400)
    number = int(found[2])
    if found[1] == "copy":
        return doubled(entries, number, taken)
    return moved(entries, number, -1 if found[1] == "up" else 1)


def title_of(entry: Mapping[str, Any]) -> str:
    """What an entry of a list is called: its title, name, label or rule."""
    names = ("title", "name", "label", "rule", "text", "code")
    return next((str(entry[name]) for name in names if name in entry), "Without a title")


def with_entry(whole: list[Any], number: int, entry: Any) -> list[Any]:
    """The list with one entry replaced; left out where it says nothing, moved where the form says a place."""
    rest = whole[:number] + whole[number + 1 :]
    if entry is None:
        return rest
    place = request.form.get("place", "")
    position = max(int(place) - 1, 0) if place.isdecimal() and len(place) < 4 else number
    return [*rest[:position], entry, *rest[position:]]


def at_field(problem: Problem, number: int | None, *inside: str) -> Problem:
    """A problem of the whole list, at its field in the form of one entry, or of what lies inside it."""
    if number is None:
        return problem
    way = "".join(rf"\.{name}\[[0-9]+\]" for name in inside)
    return Problem(re.sub(rf"^value\[[0-9]+\]{way}", "value", problem.place), problem.message)
