"""Forms of conflicts, made for the rows they are about."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Container, Iterable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any
from uuid import UUID

from flask import request
from wtforms import HiddenField, RadioField, SelectField, StringField, TextAreaField
from wtforms.validators import Optional

from grants.core.errors import Invalid, Refused, quoted
from grants.evaluation.rules import (
    WISHES,
    Answered,
    AnsweredEntity,
    ConflictPage,
    ConflictRow,
    EntityRow,
    answer_mark,
    clean_answers,
    is_overtaken,
    place_of,
)
from grants.evaluation.states import ConflictKind, Declared, Ruling
from grants.web.forms import A_PARAGRAPH, ContestedForm, Form, Needed, choices

# Typed text is shown again as it was; the limit of the rules answers what is longer.
ANSWERS = choices((each.value, each.words) for each in (Declared.NONE, Declared.CONFLICT, Declared.UNSURE))

KIND_CHOICES = choices([("", "Choose a kind"), *((each.value, each.words) for each in ConflictKind)])

WISH_CHOICES = choices((str(wish), words) for wish, words in WISHES.items())


# The answer, the words and what goes with them, in the order of a mark.
NAMES, ENTITY_NAMES = ("declared", "reason", "wish"), ("entity", "about", "kind")

ANSWERED_ELSEWHERE = (
    "You answered this in another window since this page was opened. Stored now: {} "
    "What you chose here stands below: send it again only if it is to replace that."
)
GONE = (
    "You answered here about something that stands on this page no more: in another window you declared a conflict with "
    "it, or it left the evaluation. That answer was not stored; send the others again."
)


ANSWER_MISSING = (
    "You wrote a reason or chose a kind of tie here and ticked no answer. Tick one of the three, or take out what you "
    "wrote. Nothing of this page was stored."
)


NOTHING = answer_mark("")


def mark(values: Iterable[str]) -> str:
    """The mark of one row as it was sent."""
    return answer_mark(*values)


def _sent(field: Any) -> str:
    return str(field.raw_data[0]) if field is not None and field.raw_data else ""


@dataclass(frozen=True, slots=True)
class Shown:
    """What is stored of one row: the names of its fields, the sign that its page carries, and as a sentence."""

    place: str
    names: tuple[str, str, str]
    mark: str
    words: str


def _shown(place: str, names: tuple[str, str, str], row: ConflictRow | EntityRow) -> Shown:
    said = (
        "no answer."
        if row.declared is None
        else f"{row.declared.words}."
        if not row.reason
        else f"{row.declared.words}, {quoted(row.reason)}."
    )
    places = (f"{names[0]}_{place}", f"{names[1]}_{place}", f"{names[2]}_{place}")
    return Shown(place, places, row.mark, said)


class ConflictsForm(Form):
    """Base of the form that :func:`conflicts_form` makes for the rows of one call."""

    call_slug = ""
    # By the id of a control, the name of the application or organisation it asks about.
    about: Mapping[str, str] = MappingProxyType({})
    application_ids: tuple[UUID, ...] = ()
    quiet_ids: frozenset[UUID] = frozenset()
    entity_ids: tuple[UUID, ...] = ()
    quiet_entities: frozenset[UUID] = frozenset()
    shown: tuple[Shown, ...] = ()

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.untouched: set[str] = set()
        self.over: dict[str, str] = {}

    def row(self, application_id: UUID) -> tuple[Any, Any]:
        """The two fields of one application."""
        return self[f"declared_{application_id}"], self[f"reason_{application_id}"]

    def entity(self, organisation_id: UUID) -> tuple[Any, Any, Any]:
        """The three fields of one organisation: the answer, the kind and the words."""
        return tuple(self[f"{name}_{self._place(organisation_id)}"] for name in ("entity", "kind", "about"))

    def _place(self, organisation_id: UUID) -> str:
        return f"{organisation_id}_{self.call_slug}"

    def wish(self, application_id: UUID) -> Any:
        """The field of the wish about one application; None where none can be given yet."""
        return self._fields.get(f"wish_{application_id}")

    def validate(self, extra_validators: Any = None) -> bool:
        """Whether what was touched on the page can be stored: what the page only repeats is no answer.

        An older window knows nothing of what another one stored since. A row it left as it was shown shows what is
        stored now; one it changed comes back with what was typed, beside what is stored.
        """
        overtaken = [row for row in self.shown if self._is_overtaken(row)]
        sound = bool(super().validate(extra_validators))
        unanswered = [row for row in self.shown if row not in overtaken and self._lacks_answer(row)]
        for row in overtaken:
            words = self[row.names[1]]
            words.errors = [*words.errors, ANSWERED_ELSEWHERE.format(row.words)]
        for row in unanswered:
            words = self[row.names[1]]
            words.errors = [*words.errors, ANSWER_MISSING]
        return sound and not overtaken and not unanswered and not self.problems

    def _lacks_answer(self, row: Shown) -> bool:
        """Whether something was written or chosen about a row, and no answer ticked: it would be lost without a word."""
        answer, words, more = (_sent(self._fields.get(name)).strip() for name in row.names)
        chosen = bool(more) and row.names[2].startswith("kind_")
        return row.place not in self.untouched and not answer and (bool(words) or chosen)

    def checks(self) -> Iterable[Callable[[], object]]:
        """What every answer needs beside itself: a sentence, a kind of tie."""
        if not any(field.errors for field in self):
            yield self._look_at_answers

    def _look_at_answers(self) -> None:
        try:
            clean_answers(self.to_input(), self.to_entities(rest=False))
        except Invalid as error:
            raise self._placed(error) from error

    def _placed(self, error: Invalid) -> Invalid:
        """The same with the names that the fields have on this page."""
        ours = {f"{name}_{each}": f"{name}_{self._place(each)}" for each in self.entity_ids for name in ENTITY_NAMES}
        return Invalid(str(error), {ours.get(name, name): words for name, words in error.problems.items()})

    def add_problem(self, error: Invalid | Refused, but_not: Container[str] = ()) -> None:
        """Put each sentence beside its field, the rest above the form."""
        super().add_problem(self._placed(error) if isinstance(error, Invalid) else error, but_not)

    def what_is_wrong(self) -> list[tuple[str, str]]:
        """Every sentence with the application or organisation it is about, and the id of its control."""
        found = super().what_is_wrong()
        return [(f"{self.about[at]}: {said}" if at in self.about else said, at) for said, at in found]

    def _is_overtaken(self, row: Shown) -> bool:
        was, now = self[f"was_{row.place}"], row.mark
        sent, shown = mark(_sent(self._fields.get(name)) for name in row.names), was.data
        answer = self[row.names[0]]
        if not was.raw_data:
            # No page of ours: an answer counts where there is one.
            untouched, clashes = not answer.raw_data and not _sent(self[row.names[1]]).strip(), False
        else:
            untouched = sent == shown
            clashes = not untouched and is_overtaken(shown, now, sent)
        if untouched:
            self.untouched.add(row.place)
            for field in filter(None, map(self._fields.get, row.names)):
                field.process(None)
                field.raw_data = None
        elif not answer.raw_data:
            answer.data = None
        # Where no page was sent, what stands while this is read.
        self.over[row.place] = str(shown) if was.raw_data else now
        was.data, was.raw_data = now, None
        return clashes

    def to_input(self) -> tuple[Answered, ...]:
        """What was answered; rows without an answer are left open. A wish goes with “None” alone."""
        answers = []
        for application_id in self.application_ids:
            declared, reason = self.row(application_id)
            if declared.data and str(application_id) not in self.untouched:
                wish, answer = self.wish(application_id), Declared(declared.data)
                said = int(wish.data) if wish is not None and wish.data and answer is Declared.NONE else None
                answers.append(
                    Answered(application_id, answer, reason.data or "", said, self._over(str(application_id)))
                )
        return tuple(answers)

    def to_entities(self, *, rest: bool) -> tuple[AnsweredEntity, ...]:
        """What was answered about organisations; with ``rest`` “None” for every other in whose applications nothing was noticed."""
        answers = []
        for organisation_id in self.entity_ids:
            declared, kind, words = self.entity(organisation_id)
            place = self._place(organisation_id)
            if declared.data and place not in self.untouched:
                chosen = ConflictKind(kind.data) if kind.data else None
                said, over = Declared(declared.data), self._over(place)
                answers.append(AnsweredEntity(organisation_id, said, chosen, words.data or "", over))
            elif rest and organisation_id in self.quiet_entities:
                answers.append(AnsweredEntity(organisation_id, Declared.NONE, over=NOTHING))
        return tuple(answers)

    def to_input_with_rest(self) -> tuple[Answered, ...]:
        """The same, and “None” for every open row where nothing was noticed."""
        given = self.to_input()
        answered = {answer.application_id for answer in given}
        rest = (key for key in self.application_ids if key in self.quiet_ids and key not in answered)
        return (*given, *(Answered(key, Declared.NONE, over=NOTHING) for key in rest))

    def _over(self, place: str) -> str | None:
        """The mark the page carried of a row: the act compares it with what stands once nobody else can write."""
        return self.over.get(place)


def conflicts_form(shown: ConflictPage, *, sent: bool = False) -> ConflictsForm:
    """A form with a choice and a reason for each application of the page; filled from what was sent where it is the one."""
    fields: dict[str, Any] = {}
    marks = [_shown(str(row.application_id), NAMES, row) for row in shown.rows]
    marks += [_shown(place_of(entity, shown.call_slug), ENTITY_NAMES, entity) for entity in shown.entities]
    fields |= {f"was_{each.place}": HiddenField(default=each.mark) for each in marks}
    for row in shown.rows:
        stored = row.declared.value if row.declared else None
        fields[f"declared_{row.application_id}"] = RadioField(
            f"Conflict with {row.title}?", [Optional()], choices=ANSWERS, default=stored
        )
        fields[f"reason_{row.application_id}"] = StringField(f"Reason, {row.title}", default=row.reason)
        if row.may_wish:
            fields[f"wish_{row.application_id}"] = SelectField(
                f"Wish, {row.title}", [Optional()], choices=WISH_CHOICES, default=str(row.wish)
            )
    for entity in shown.entities:
        fields |= _entity_fields(entity, shown.call_slug)
    names = {str(row.application_id): row.title for row in shown.rows}
    names |= {place_of(row, shown.call_slug): row.name for row in shown.entities}
    fields["about"] = {control: names[each.place] for each in marks for control in each.names}
    fields["call_slug"] = shown.call_slug
    fields["entity_ids"] = tuple(row.organisation_id for row in shown.entities)
    fields["quiet_entities"] = frozenset(
        row.organisation_id for row in shown.entities if row.is_open and not row.noticed
    )
    fields["application_ids"] = tuple(row.application_id for row in shown.rows)
    fields["quiet_ids"] = frozenset(row.application_id for row in shown.rows if row.is_open and not row.noticed)
    fields["shown"] = tuple(marks)
    form_type: type[ConflictsForm] = type("RowsForm", (ConflictsForm,), fields)
    return form_type() if sent else form_type(formdata=None)


def _entity_fields(row: EntityRow, slug: str) -> dict[str, Any]:
    """An answer, a kind and words for one organisation; it may take part in another call of the same page too."""
    place, stored = place_of(row, slug), row.declared.value if row.declared else None
    kind = row.kind.value if row.kind else ""
    return {
        f"entity_{place}": RadioField(f"Conflict with {row.name}?", [Optional()], choices=ANSWERS, default=stored),
        f"kind_{place}": SelectField(f"Kind of tie, {row.name}", [Optional()], choices=KIND_CHOICES, default=kind),
        f"about_{place}": StringField(f"Reason, {row.name}", default=row.reason),
    }


def places_sent() -> frozenset[str]:
    """The rows this request was sent with, each by what the names of its fields end with."""
    parts = (name.partition("_") for name in request.form)
    return frozenset(place for kind, _, place in parts if kind in ("was", *NAMES, *ENTITY_NAMES))


class Declarations:
    """The whole page of conflicts: a part for each call, all sent with any of its buttons, so that no tick is lost."""

    def __init__(self, parts: Iterable[tuple[ConflictPage, ConflictsForm]], known: Collection[str] = ()) -> None:
        self.parts = tuple(parts)
        self.problems: list[str] = []
        # Names of fields that were answered for and may stand here no more.
        self.known = set(known).union(*(form._fields for _, form in self.parts))

    @property
    def slugs(self) -> frozenset[str]:
        """The calls of the page."""
        return frozenset(shown.call_slug for shown, _ in self.parts)

    def names_of(self, slugs: Collection[str]) -> set[str]:
        """The names of all fields of these calls."""
        return {name for shown, form in self.parts if shown.call_slug in slugs for name in form._fields}

    def knows_some(self) -> bool:
        """Whether anything that was sent stands on this page."""
        return any(name.startswith("was_") and name in self.known for name in request.form)

    @property
    def is_done(self) -> bool:
        """Whether nothing is left to be told."""
        return not self.what_is_wrong()

    def validate(self) -> bool:
        """Whether all that was touched can be stored; every part is looked at, so that all that is wrong is told at once."""
        sound = [form.validate_on_submit() for _, form in self.parts]
        self.tell_gone()
        return all(sound) and not self.problems

    def tell_gone(self) -> None:
        """A sentence for each answer about what stands here no more; its words are told, since its row is gone."""
        for name in request.form:
            kind, _, place = name.partition("_")
            if kind != "was" or name in self.known:
                continue
            names = NAMES if f"declared_{place}" in request.form or f"reason_{place}" in request.form else ENTITY_NAMES
            sent = [request.form.get(f"{each}_{place}", "") for each in names]
            if mark(sent) != request.form[name]:
                words = sent[1].strip()
                self.problems.append(GONE + (f" You had written: {quoted(words)}." if words else ""))

    def what_is_wrong(self) -> list[tuple[str, str]]:
        """What is wrong with the page and with each part of it."""
        found = [(sentence, "") for sentence in self.problems]
        said = [(shown.call_slug, *each) for shown, form in self.parts for each in form.what_is_wrong()]
        times = Counter(sentence for _, sentence, field in said if not field)
        # What is wrong with one call as a whole leads to its tables.
        found += [(text, field or (f"call-{slug}" if times[text] == 1 else "")) for slug, text, field in said]
        return list(dict.fromkeys(found))


class RuleForm(ContestedForm):
    """The manager's ruling on a declaration."""

    ruling = RadioField(
        "Ruling",
        [Needed("Choose what you decide.")],
        choices=choices(
            (
                (Ruling.CONFIRMED.value, "There is a conflict: keep this person away from the application"),
                (Ruling.CLEARED.value, "There is no conflict: this person may open the application"),
            )
        ),
    )
    reason = TextAreaField("Reason", [Needed("Write the reason; it is kept on the record."), A_PARAGRAPH])
