"""Sections of the form of a call and their questions: one question a page, with the fields of its kind of answer only.

Without any script: choose the kind of answer, then fill in its fields. Lists have buttons to move, double and take out.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any

from flask import flash, request, url_for

from grants.calls import rules
from grants.calls.forms import DeedForm, Node, PartForm
from grants.calls.rules.changes import FORM_PATHS
from grants.calls.rules.question_form import FOLDED, KIND_HINTS, dependents, question_fields, section_fields
from grants.calls.views.parts import (
    Edited,
    WayBack,
    after_deed,
    at_field,
    back_to_entry,
    back_to_list,
    group_of,
    is_overtaken,
    keep,
    keep_and_warn,
    overtaken,
    part_page,
    title_of,
    with_entry,
)
from grants.core.errors import NotFound, Problem
from grants.core.yaml_schema import Items, Record
from grants.dossiers.rules import Definition, QuestionKind
from grants.web.routing import page, see_other

# What is answered unless somebody says otherwise stands first: nothing said means it.
_ANSWERED = (("", "Yes"), ("false", "No"))


def any_part(edited: Edited, key: str, number: int | None) -> Any:
    """Show or save a part or one entry of it; a section has its questions below its own fields."""
    if key in FORM_PATHS and number is not None:
        return _section_page(edited, key, number)
    return part_page(edited, key, number)


def _section_page(edited: Edited, key: str, number: int) -> Any:
    field, whole = edited.field(key), edited.tree(key) or []
    group = group_of(field)
    if group is None:
        raise NotFound
    if is_overtaken(edited):
        sent = PartForm()
        sent.prepare(section_fields(group), None, field.label, path=key)
        return overtaken(edited, back_to_entry(edited, key), sent.node())
    if number > len(whole):
        raise NotFound
    standing = [*whole, {}][number]
    questions, new = standing.get("questions") or [], number == len(whole)
    form = PartForm(version=edited.call.version)
    own = {name: value for name, value in standing.items() if name != "questions"}
    form.prepare(section_fields(group), own or None, field.label, path=key, taken=edited.taken())
    if form.validate_on_submit():
        with form.refusals():
            return _section_saved(edited, key, number, form)
        form.found = tuple(at_field(problem, number) for problem in form.found)
    status = 422 if request.method == "POST" else 200
    about = {"call": edited.call, "field": field, "ends": edited.ends, "number": number, "new": new}
    faults = [each for each in _faults(edited) if each.section and each.section == standing.get("key")]
    listed = [_listed(each, edited, faults) for each in questions]
    about["faults"] = [each.sentence for each in faults if not each.question]
    name = "A new section" if new else title_of(standing)
    return page("calls/section.html", form=form, node=form.node(), questions=listed, name=name, **about), status


def _faults(edited: Edited) -> tuple[rules.FormFault, ...]:
    return rules.form_faults(rules.content_of(edited.fields).definition)


def _section_saved(edited: Edited, key: str, number: int, form: PartForm) -> Any:
    """Save the section's own fields, or what a button did to its questions."""
    field, whole, ends = edited.field(key), edited.tree(key) or [], edited.ends
    here = see_other(ends["entry"], slug=edited.call.slug, key=key, number=number)
    if "deed" in request.form:
        if number == len(whole):
            raise NotFound
        questions = after_deed(whole[number].get("questions") or [], edited.taken())
        keep_and_warn(
            edited,
            field,
            [*whole[:number], {**whole[number], "questions": questions}, *whole[number + 1 :]],
            form.version_shown(),
            besides=(str(whole[number].get("key")),),
        )
        return here
    if form.tree is None and number == len(whole):
        return see_other(ends["part"], slug=edited.call.slug, key=key)
    kept = whole[number].get("questions") if number < len(whole) else None
    entry = {**(form.tree or {}), **({"questions": kept} if kept else {})}
    changed = with_entry(whole, number, entry, form)
    keep_and_warn(edited, field, changed, form.version_shown(), besides=(str(entry.get("key")),))
    place = next((place for place, each in enumerate(changed) if each is entry), None)
    if place is None:
        return see_other(ends["part"], slug=edited.call.slug, key=key)
    return see_other(ends["entry"], slug=edited.call.slug, key=key, number=place)


def _listed(question: Mapping[str, Any], edited: Edited, faults: Iterable[rules.FormFault]) -> dict[str, Any]:
    """A question as its line in the section, with what is wrong with it until it is mended."""
    kind = str(question.get("kind", ""))
    said = [rules.option_words(QuestionKind, kind)] if kind else []
    said += ["optional"] if question.get("required") is False else []
    condition = question.get("asked_if")
    if condition:
        on = rules.content_of(edited.fields).definition.question(str(condition.get("question")))
        said.append(f"only by the answer to “{on.label if on else condition.get('question')}”")
    wrong = [each.sentence for each in faults if each.question == question.get("key")]
    return {"label": title_of(question), "said": ", ".join(said), "faults": wrong}


# --- one question -----------------------------------------------------------------------------------------------------


def question_page(edited: Edited, key: str, number: int, place: int) -> Any:
    """Show or save one question of a section; the place after the last is a new one. First its kind is chosen."""
    group, whole = _question_group(edited, key), edited.tree(key) or []
    if is_overtaken(edited):
        return _question_overtaken(edited, key, group)
    if number >= len(whole) or place > len(whole[number].get("questions") or ()):
        raise NotFound
    section = whole[number]
    questions = section.get("questions") or []
    standing = [*questions, {}][place]
    new = place == len(questions)
    about = {
        "call": edited.call,
        "field": edited.field(key),
        "ends": edited.ends,
        "number": number,
        "place": place,
        "section": title_of(section),
        "new": new,
        "name": "A new question" if new else title_of(standing),
    }
    kind = _kind(request.form.get("value.kind") or request.args.get("kind") or standing.get("kind"))
    if kind is None or (request.method == "GET" and "choose" in request.args):
        return page("calls/question_kind.html", kinds=_kinds(), chosen=kind, **about)
    form = PartForm(version=edited.call.version)
    tree = {**standing, "kind": kind.value}
    form.prepare(question_fields(group, kind), tree, title_of(tree), path=f"{key}.questions", taken=edited.taken())
    if form.validate_on_submit():
        with form.refusals():
            return _question_saved(edited, key, number, place, form)
        form.found = tuple(at_field(problem, number, "questions") for problem in form.found)
    elif request.method == "GET":
        form.found = _standing_faults(edited, section, standing)
    status = 422 if request.method == "POST" else 200
    shown, folded = _grouped(_with_choices(form.node(), edited, key, number, place))
    words = rules.option_words(QuestionKind, kind.value)
    return page(
        "calls/question.html", form=form, shown=shown, folded=folded, kind=kind, kind_words=words, **about
    ), status


def _standing_faults(edited: Edited, section: Mapping[str, Any], question: Mapping[str, Any]) -> tuple[Problem, ...]:
    """What is wrong with a question as it stands, at the field to mend where it is about one."""
    own = (section.get("key"), question.get("key"))
    found = [each for each in _faults(edited) if each.question and (each.section, each.question) == own]
    return tuple(replace(each.told, place=f"value.{each.part}") if each.part else each.told for each in found)


def _question_overtaken(edited: Edited, key: str, group: Record) -> Any:
    """What was typed into a question somebody was quicker with, and the way to it wherever it stands now."""
    kind, sent = _kind(request.form.get("value.kind")), request.form.get("value.key", "").strip()
    back = back_to_list(edited, key)
    for number, section in enumerate(edited.tree(key) or ()):
        for place, question in enumerate(section.get("questions") or ()):
            if sent and question.get("key") == sent:
                at = url_for(edited.ends["question"], slug=edited.call.slug, key=key, number=number, place=place)
                back = WayBack(f"“{title_of(question)}” as it stands now", at)
    if kind is None:
        return overtaken(edited, back)
    form = PartForm()
    form.prepare(question_fields(group, kind), None, "", path=f"{key}.questions")
    content = rules.content_of(edited.fields)
    names = {"value.criterion": [(each.key, each.name) for each in content.criteria]}
    names["value.asked_if.question"] = [(q.key, q.label) for s in content.definition.sections for q in s.questions]

    def named(node: Node) -> Node:
        options = names.get(node.name, ())
        return replace(node, options=(*node.options, *options), children=tuple(named(each) for each in node.children))

    return overtaken(edited, back, named(form.node()))


def _question_saved(edited: Edited, key: str, number: int, place: int, form: PartForm) -> Any:
    field, whole = edited.field(key), edited.tree(key) or []
    section, tree = whole[number], form.tree
    questions = section.get("questions") or []
    changed = with_entry(questions, place, tree, form)
    another = request.form.get("go") == "another"
    besides = () if another else (str(section.get("key")),)
    value = [*whole[:number], {**section, "questions": changed}, *whole[number + 1 :]]
    keep_and_warn(edited, field, value, form.version_shown(), besides=besides)
    if another:
        at = {"key": key, "number": number, "place": len(changed)}
        return see_other(edited.ends["question"], slug=edited.call.slug, **at)
    return see_other(edited.ends["entry"], slug=edited.call.slug, key=key, number=number)


def _question_group(edited: Edited, key: str) -> Record:
    group = group_of(edited.field(key)) if key in FORM_PATHS else None
    kind = None if group is None else group.kinds["questions"]
    if not isinstance(kind, Items) or not isinstance(kind.kind, Record):
        raise NotFound
    return kind.kind


def _kind(text: object) -> QuestionKind | None:
    return QuestionKind(str(text)) if text in tuple(QuestionKind) else None


def _kinds() -> list[tuple[str, str, str]]:
    return [(kind.value, rules.option_words(QuestionKind, kind.value), KIND_HINTS[kind]) for kind in QuestionKind]


def _grouped(node: Node) -> tuple[list[Node], list[tuple[str, list[Node], bool]]]:
    """The fields that always show, and those behind a heading, which is open where something stands or is wrong."""
    by_name = node.inside
    hidden = {name for names in FOLDED.values() for name in names}
    folded = []
    for heading, names in FOLDED.items():
        children = [by_name[name] for name in names if name in by_name]
        folded.append((heading, children, any(_filled(child) for child in children)))
    return [child for name, child in by_name.items() if name not in hidden and name != "kind"], folded


def _filled(node: Node) -> bool:
    own = node.value not in ("", "new") and not node.name.endswith(".key")
    return bool(own or node.problem or any(_filled(child) for child in node.children))


def _with_choices(node: Node, edited: Edited, key: str, number: int, place: int) -> Node:
    """The form of a question in which a criterion and an earlier question are chosen by their words, not typed."""
    content = rules.content_of(edited.fields)
    criteria = [(each.key, each.name) for each in content.criteria]
    earlier = _asked_before(content.definition, edited.tree(key) or [], number, place)

    def told(each: Node) -> Node:
        if each.name == "value.criterion":
            return _as_choice(each, criteria, "None")
        if each.name == "value.asked_if.question":
            return _as_choice(each, earlier, "It is always asked")
        if each.name == "value.asked_if":
            return replace(each, children=tuple(told(child) for child in each.children))
        if each.name.endswith(".required"):
            return replace(each, options=_ANSWERED, value="" if each.value == "true" else each.value, hint="")
        if each.name.startswith("value.columns.") and each.name.endswith(".kind"):
            first = ("", rules.option_words(QuestionKind, QuestionKind.SHORT))
            others = tuple(option for option in each.options if option[0] not in ("", QuestionKind.SHORT))
            return replace(each, options=(first, *others), value="" if each.value == QuestionKind.SHORT else each.value)
        if each.name.startswith("value.columns"):
            return replace(each, children=tuple(told(child) for child in each.children))
        if each.name == "value.asked_if.answers":
            return replace(each, hint=f"{each.hint}{_offered(content.definition, edited, key, number, place)}")
        return each

    return replace(node, children=tuple(told(child) for child in node.children))


def _as_choice(node: Node, offered: Iterable[tuple[str, str]], none: str) -> Node:
    options = (("", none), *offered)
    known = {value for value, _ in options}
    rest = () if node.value in known else ((node.value, f"{node.value} (not there)"),)
    return replace(node, kind="choice", options=(*options, *rest), hint="")


def _asked_before(definition: Definition, whole: list[Any], number: int, place: int) -> list[tuple[str, str]]:
    """Questions that are always asked and stand before this one."""
    keys = [str(each.get("key")) for each in whole[number].get("questions") or ()]
    stop = {str(whole[number].get("key")): set(keys[place:])}
    found: list[tuple[str, str]] = []
    for section in definition.sections:
        for question in section.questions:
            if question.key in stop.get(section.key, ()):
                return found
            if question.asked_if is None:
                found.append((question.key, question.label))
        if section.key in stop:
            return found
    return found


def _offered(definition: Definition, edited: Edited, key: str, number: int, place: int) -> str:
    questions = (edited.tree(key) or [])[number].get("questions") or []
    condition = ([*questions, {}][place].get("asked_if") or {}).get("question")
    on = definition.question(str(condition)) if condition else None
    return f" It offers: {'; '.join(f'{c.value} ({c.label})' for c in on.choices)}." if on and on.choices else ""


# --- taking out -------------------------------------------------------------------------------------------------------


def take_out_page(edited: Edited, key: str, number: int) -> Any:
    """Ask before an entry, or one question of it, is taken out, and say what hangs on it."""
    field, whole = edited.field(key), edited.tree(key) or []
    if is_overtaken(edited):
        return overtaken(edited, back_to_list(edited, key))
    if group_of(field) is None or number >= len(whole):
        raise NotFound
    entry, place = whole[number], request.args.get("question", "")
    questions = entry.get("questions") or []
    at = int(place) if place.isdecimal() and len(place) < 4 else None
    if place and (at is None or at >= len(questions)):
        raise NotFound
    gone = entry if at is None else questions[at]
    form = DeedForm(version=edited.call.version)
    back = edited.ends["part"] if at is None else edited.ends["entry"]
    way = {"slug": edited.call.slug, "key": key} | ({} if at is None else {"number": number})
    if form.validate_on_submit():
        with form.refusals():
            left = [*whole[:number], *whole[number + 1 :]]
            if at is not None:
                kept = {**entry, "questions": [*questions[:at], *questions[at + 1 :]]}
                left = [*whole[:number], kept, *whole[number + 1 :]]
            if at is None:
                keep(edited, field, left or None, form.version_shown())
            else:
                keep_and_warn(edited, field, left or None, form.version_shown(), besides=(str(entry.get("key")),))
            flash(f"“{title_of(gone)}” is taken out.", "success")
            return see_other(back, **way)
    status = 422 if request.method == "POST" else 200
    about = {"call": edited.call, "field": field, "name": title_of(gone), "form": form, "back": back, "way": way}
    hanging = _hanging(edited, gone, key)
    inside = len(questions) if at is None and key in FORM_PATHS else 0
    return page("calls/take_out.html", hanging=hanging, inside=inside, **about), status


def _hanging(edited: Edited, gone: Mapping[str, Any], key: str) -> tuple[str, ...]:
    """What refers to the question that goes, or to one of the section that goes."""
    if key not in FORM_PATHS:
        return ()
    keys = {str(gone.get("key")), *(str(each.get("key")) for each in gone.get("questions") or ())}
    sections = [each for path in FORM_PATHS for each in (edited.tree(path) or ()) if each.get("key") not in keys]
    return dependents(sections, keys, rules.content_of(edited.fields).conditions)
