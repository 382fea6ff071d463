"""One part of a call as a form, whichever copy of the call is edited: a draft, or the working copy of a published one."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from typing import Any

from flask import abort, flash, request, url_for

from grants.calls import rules
from grants.calls.forms import DeedForm, Node, PartForm, typed_words
from grants.calls.rules import CallSummary, CallView, Sourced
from grants.calls.rules.changes import FORM_PATHS
from grants.calls.rules.question_form import doubled, moved
from grants.core.errors import NotFound, Problem
from grants.core.yaml_schema import Items, Record
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


@dataclass(frozen=True, slots=True)
class WayBack:
    """Where to go on after somebody was quicker: the words of the link and its address."""

    words: str
    address: str


def is_overtaken(edited: Edited) -> bool:
    """Whether a form was sent that was shown with another version of the call.

    Asked before the place in a list is looked up: whoever shortened the list meanwhile made it another place, or none.
    """
    return request.method == "POST" and DeedForm().version_shown() not in (None, edited.call.version)


def overtaken(edited: Edited, back: WayBack, typed: Node | None = None) -> Any:
    """The answer to such a form: what was typed, under the words of its fields, and the way to what stands now."""
    words = typed_words(typed) if typed is not None else []
    return page("calls/overtaken.html", call=edited.call, ends=edited.ends, typed=words, back=back), 409


def back_to_list(edited: Edited, key: str) -> WayBack:
    """The way to a part as a whole: its form, or the list of its entries."""
    field = edited.field(key)
    return WayBack(f"“{field.label}” as it stands now", url_for(edited.ends["part"], slug=edited.call.slug, key=key))


def back_to_entry(edited: Edited, key: str) -> WayBack:
    """The way to the entry a form was of, found by its short name wherever it stands now; to the list where it is gone."""
    sent = request.form.get("value.key", "").strip()
    for number, entry in enumerate(edited.tree(key) or ()):
        if sent and entry.get("key") == sent:
            at = url_for(edited.ends["entry"], slug=edited.call.slug, key=key, number=number)
            return WayBack(f"“{title_of(entry)}” as it stands now", at)
    return back_to_list(edited, key)


def group_of(field: rules.Field) -> Record | None:
    """The group that is one entry of a part, where the part is a list of groups."""
    kind = field.kind
    return kind.kind if isinstance(kind, Items) and isinstance(kind.kind, Record) else None


def part_page(edited: Edited, key: str, number: int | None) -> Any:
    """Show or save a part; with a number, one entry of a part that is a list, where the one after the last is new."""
    field, whole = edited.field(key), edited.tree(key)
    group, call = group_of(field), edited.call
    if group is not None and number is None:
        return (
            overtaken(edited, back_to_list(edited, key)) if is_overtaken(edited) else _list_page(edited, field, whole)
        )
    if is_overtaken(edited):
        sent = PartForm()
        sent.prepare(
            group if group is not None and number is not None else field.kind, None, field.label, path=field.path
        )
        return overtaken(
            edited, back_to_entry(edited, key) if number is not None else back_to_list(edited, key), sent.node()
        )
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
        value = with_entry(whole or [], number, value, form)
    keep_and_warn(edited, field, value, form.version_shown())
    return back


def keep(edited: Edited, field: rules.Field, value: Any, version: int | None) -> None:
    """Save one value and say so. Raises :class:`Problems`, each at the path of the field it is about."""
    text = rules.to_yaml({} if value is None else {"value": value})
    for sentence in edited.save(field.path, text, version=version).notes:
        flash(sentence, "success")


def keep_and_warn(
    edited: Edited, field: rules.Field, value: Any, version: int | None, *, besides: Collection[str] = ()
) -> None:
    """:func:`keep` a value, and say what no longer fits in the form of the call since then.

    ``besides`` are the short names of the sections whose faults the next page shows anyhow.
    """
    keep(edited, field, value, version)
    if field.path not in FORM_PATHS:
        return
    before, after = (rules.form_faults(rules.content_of(each).definition) for each in (edited.fields, edited.read()))
    for fault in after:
        # A fault of the whole form is in no section, so no page of sections shows it.
        if fault not in before and not (fault.section and fault.section in besides):
            flash(fault.sentence, "warning")


# --- a list -----------------------------------------------------------------------------------------------------------


def _list_page(edited: Edited, field: rules.Field, whole: Any) -> Any:
    """The entries of a part that is a list, each with its form; they can be moved and doubled here."""
    call, slug = edited.call, edited.call.slug
    form = DeedForm(version=call.version)
    marks = {
        place: "; ".join(faults) for place, faults in enumerate(faults_of_sections(edited, field, whole)) if faults
    }
    if form.validate_on_submit():
        with form.refusals():
            keep(edited, field, after_deed(whole or [], edited.taken(whole)), form.version_shown())
            return see_other(edited.ends["part"], slug=slug, key=field.path)
    status = 422 if request.method == "POST" else 200
    about = {"call": call, "field": field, "ends": edited.ends}
    titles = [title_of(each) for each in whole or ()]
    return page("calls/part_list.html", entries=titles, marks=marks, form=form, **about), status


def faults_of_sections(edited: Edited, field: rules.Field, whole: Any) -> list[list[str]]:
    """What is wrong with each section of a form and its questions, as sentences; nothing for any other list."""
    if field.path not in FORM_PATHS:
        return []
    faults = rules.form_faults(rules.content_of(edited.fields).definition)
    return [
        [each.sentence for each in faults if each.section and each.section == entry.get("key")] for entry in whole or ()
    ]


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


def with_entry(whole: list[Any], number: int, entry: Any, form: PartForm) -> list[Any]:
    """The list with one entry replaced; left out where it says nothing, moved where the form says a place.

    Raises :class:`Problems` for a place the list does not have.
    """
    rest = whole[:number] + whole[number + 1 :]
    if entry is None:
        return rest
    position = form.place_among(len(rest) + 1, number)
    return [*rest[:position], entry, *rest[position:]]


def at_field(problem: Problem, number: int | None, *inside: str) -> Problem:
    """A problem of the whole list, at its field in the form of one entry, or of what lies inside it."""
    if number is None:
        return problem
    way = "".join(rf"\.{name}\[[0-9]+\]" for name in inside)
    return Problem(re.sub(rf"^value\[[0-9]+\]{way}", "value", problem.place), problem.message)
