"""Forms of conflicts, made for the rows they are about."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from wtforms import RadioField, SelectField, StringField, TextAreaField
from wtforms.validators import Optional

from grants.evaluation.rules import (
    WISHES,
    Answered,
    AnsweredEntity,
    ConflictPage,
    EntityRow,
)
from grants.evaluation.states import ConflictKind, Declared, Ruling
from grants.web.forms import ContestedForm, Form, Needed, choices

# Typed text is shown again as it was; the limit of the rules answers what is longer.
ANSWERS = choices((each.value, each.words) for each in (Declared.NONE, Declared.CONFLICT, Declared.UNSURE))

KIND_CHOICES = choices([("", "Choose a kind"), *((each.value, each.words) for each in ConflictKind)])

WISH_CHOICES = choices((str(wish), words) for wish, words in WISHES.items())


class ConflictsForm(Form):
    """Base of the form that :func:`conflicts_form` makes for the rows of one call."""

    application_ids: tuple[UUID, ...] = ()
    quiet_ids: frozenset[UUID] = frozenset()
    entity_ids: tuple[UUID, ...] = ()
    quiet_entities: frozenset[UUID] = frozenset()

    def row(self, application_id: UUID) -> tuple[Any, Any]:
        """The two fields of one application."""
        return self[f"declared_{application_id}"], self[f"reason_{application_id}"]

    def entity(self, organisation_id: UUID) -> tuple[Any, Any, Any]:
        """The three fields of one organisation: the answer, the kind and the words."""
        return tuple(self[f"{name}_{organisation_id}"] for name in ("entity", "kind", "about"))

    def wish(self, application_id: UUID) -> Any:
        """The field of the wish about one application; None where none can be given yet."""
        return self._fields.get(f"wish_{application_id}")

    def to_input(self) -> tuple[Answered, ...]:
        """What was answered; rows without an answer are left open. A wish goes with “None” alone."""
        answers = []
        for application_id in self.application_ids:
            declared, reason = self.row(application_id)
            if declared.data:
                wish, answer = self.wish(application_id), Declared(declared.data)
                said = int(wish.data) if wish is not None and wish.data and answer is Declared.NONE else None
                answers.append(Answered(application_id, answer, reason.data or "", said))
        return tuple(answers)

    def to_entities(self, *, rest: bool) -> tuple[AnsweredEntity, ...]:
        """What was answered about organisations; with ``rest`` “None” for every other in whose applications nothing was noticed."""
        answers = []
        for organisation_id in self.entity_ids:
            declared, kind, words = self.entity(organisation_id)
            if declared.data:
                chosen = ConflictKind(kind.data) if kind.data else None
                answers.append(AnsweredEntity(organisation_id, Declared(declared.data), chosen, words.data or ""))
            elif rest and organisation_id in self.quiet_entities:
                answers.append(AnsweredEntity(organisation_id, Declared.NONE))
        return tuple(answers)

    def to_input_with_rest(self) -> tuple[Answered, ...]:
        """The same, and “None” for every open row where nothing was noticed."""
        given = self.to_input()
        answered = {answer.application_id for answer in given}
        rest = (key for key in self.application_ids if key in self.quiet_ids and key not in answered)
        return (*given, *(Answered(key, Declared.NONE) for key in rest))


def conflicts_form(shown: ConflictPage) -> ConflictsForm:
    """A form with a choice and a reason for each application of the page."""
    fields: dict[str, Any] = {}
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
    fields["entity_ids"] = tuple(row.organisation_id for row in shown.entities)
    fields["quiet_entities"] = frozenset(row.organisation_id for row in shown.entities if not row.noticed)
    fields["application_ids"] = tuple(row.application_id for row in shown.rows)
    fields["quiet_ids"] = frozenset(row.application_id for row in shown.rows if not row.noticed)
    form: ConflictsForm = type("RowsForm", (ConflictsForm,), fields)()
    return form


def _entity_fields(row: EntityRow, slug: str) -> dict[str, Any]:
    """An answer, a kind and words for one organisation; it may take part in another call of the same page too."""
    place, stored = f"{row.organisation_id}", row.declared.value if row.declared else None
    return {
        f"entity_{place}": RadioField(
            f"Conflict with {row.name}?", [Optional()], choices=ANSWERS, default=stored, id=f"{slug}_entity_{place}"
        ),
        f"kind_{place}": SelectField(
            f"Kind of tie, {row.name}", [Optional()], choices=KIND_CHOICES, default=row.kind.value if row.kind else "",
            id=f"{slug}_kind_{place}",
        ),
        f"about_{place}": StringField(f"Reason, {row.name}", default=row.reason, id=f"{slug}_about_{place}"),
    }  # fmt: skip


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
    reason = TextAreaField("Reason", [Needed("Write the reason; it is kept on the record.")])
