"""Answers to the conditions of a preparation, and what is said of them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date
from typing import Any, ClassVar, assert_never
from uuid import UUID

from flask_wtf.file import FileField
from wtforms import HiddenField, RadioField, SelectField, StringField, TextAreaField
from wtforms.validators import Optional

from grants.agreements.rules import (
    AID_YEARS,
    AidOfYear,
    ConditionInput,
    ConditionView,
    ConsortiumAgreement,
    Content,
    CoSigner,
    CouncilDecision,
    DoubleFunding,
    ExclusionDeclaration,
    FinancialCapacity,
    GrantView,
    PartView,
    PowerToSign,
    SanctionsCheck,
    StateAid,
    VerdictInput,
)
from grants.agreements.states import AidKind, ConditionKey, ConsortiumStage, ContactRole
from grants.core.errors import Conflict
from grants.core.money import Money
from grants.dossiers.rules import clean_text
from grants.web.forms import A_PARAGRAPH, WORDS_OF_A_TITLE, DateField, Form, MoneyField, Needed, choices


class OfPartForm(Form):
    """A deed about one part of a condition: the answer that was on the page, of whom it was."""

    about = HiddenField()
    number = HiddenField()

    def shown(self) -> int:
        """The number of the answer that was shown, 0 for none; what is no number is equal to none that stands."""
        text = str(self.number.data or "")
        return int(text) if text.isdecimal() and len(text) <= 9 else -1

    def refuse_other(self, part: PartView) -> None:
        """Places of beneficiaries may move: an answer is about whom its page named."""
        if str(self.about.data or "") != about(part):
            raise Conflict("The beneficiaries changed after you opened this page. Look at whom it is about now.")


def about(part: PartView) -> str:
    """Whom a part is about, as its forms carry it."""
    return str(part.organisation_id or "")


class ConditionForm(OfPartForm):
    """An answer to a condition: what every one has. Each kind adds its fields and reads them into its content."""

    evidence_on = DateField("Day of the evidence", [Needed("Enter the day, for example 3 May 2023.")])
    file = FileField("Evidence", [Optional()])

    def content(self) -> Content:
        """The typed answer."""
        raise NotImplementedError

    def given(self, key: ConditionKey, part: PartView) -> ConditionInput:
        """Everything that was typed, for the act."""
        return ConditionInput(
            key=key,
            organisation_id=part.organisation_id,
            content=self.content(),
            evidence_on=self.evidence_on.data or date.min,
            number=self.shown(),
            valid_from=self._day("valid_from"),
            valid_until=self._day("valid_until"),
        )

    def _day(self, name: str) -> date | None:
        field = self._fields.get(name)
        return field.data if field is not None else None

    def _text(self, name: str) -> str:
        return clean_text(self[name].data or "")


class PowerForm(ConditionForm):
    """Who may sign for the coordinator, by what, from when and until when."""

    signer = RadioField("Who signs", validators=[Needed("Choose who signs.")])
    capacity = StringField("As", [WORDS_OF_A_TITLE])
    signer_2 = SelectField("Second person whom the same document names (optional)", validate_choice=True)
    capacity_2 = StringField("The second person signs as", [WORDS_OF_A_TITLE])
    signer_3 = SelectField("Third person (optional)", validate_choice=True)
    capacity_3 = StringField("The third person signs as", [WORDS_OF_A_TITLE])
    how = RadioField(
        "Where several are named, they sign",
        choices=choices([("alone", "Each of them alone"), ("together", "Only together")]),
        default="alone",
        validators=[Needed("Choose how they sign.")],
    )
    basis = StringField("By which statute, decision or power of attorney", [WORDS_OF_A_TITLE])
    valid_from = DateField("The power holds from")
    valid_until = DateField("It ends on (optional; this day no longer counts)")

    def content(self) -> Content:
        """The typed power; the name stays as it was when it was stated."""
        names = {str(choice.value): str(choice.label) for choice in self.signer.choices}
        first, *others = [
            CoSigner(UUID(str(chosen.data)), names[str(chosen.data)], self._text(capacity))
            for chosen, capacity in (
                (self.signer, "capacity"),
                (self.signer_2, "capacity_2"),
                (self.signer_3, "capacity_3"),
            )
            if chosen.data
        ]
        jointly = self.how.data == "together"
        return PowerToSign(first.user_id, first.name, first.capacity, self._text("basis"), tuple(others), jointly)


class CouncilForm(ConditionForm):
    """The decision of a council, or why none is needed."""

    needed = RadioField(
        "Is a decision needed?",
        choices=choices([("yes", "Yes, and it is taken"), ("no", "No decision is needed")]),
        validators=[Needed("Choose an answer.")],
    )
    body = StringField("Which body decided (where one is needed)", [WORDS_OF_A_TITLE])
    decision = StringField("Number of the decision (optional)", [WORDS_OF_A_TITLE])
    why_not = TextAreaField("By which rule no decision is needed (where none is)", [A_PARAGRAPH])

    def content(self) -> Content:
        """The typed decision; what belongs to the other answer is left out."""
        if self.needed.data == "no":
            return CouncilDecision(False, why_not=self._text("why_not"))
        return CouncilDecision(True, self._text("body"), self._text("decision"))


class ExclusionForm(ConditionForm):
    """Who declared that no ground of exclusion applies."""

    declared_by = StringField("Who signed the declaration", [WORDS_OF_A_TITLE])
    capacity = StringField("As", [WORDS_OF_A_TITLE])

    def content(self) -> Content:
        """The typed declaration."""
        return ExclusionDeclaration(self._text("declared_by"), self._text("capacity"))


class SanctionsForm(ConditionForm):
    """Which lists were searched, for whom, with which result."""

    lists = TextAreaField("Lists that were searched", [A_PARAGRAPH])
    searched = TextAreaField("Names that were searched for", [A_PARAGRAPH])
    result = TextAreaField("What was found", [A_PARAGRAPH])

    def content(self) -> Content:
        """The typed check."""
        return SanctionsCheck(self._text("lists"), self._text("searched"), self._text("result"))


class ConsortiumForm(ConditionForm):
    """How far the consortium agreement is, and from when it takes effect."""

    stage = RadioField(
        "The agreement is",
        choices=choices((each.value, each.words) for each in ConsortiumStage),
        validators=[Needed("Choose how far it is.")],
    )
    effective_on = DateField("It takes effect on", [Needed("Enter the day, for example 1 June 2023.")])

    def content(self) -> Content:
        """The typed agreement."""
        return ConsortiumAgreement(ConsortiumStage(self.stage.data), self.effective_on.data or date.min)


class CapacityForm(ConditionForm):
    """How the financial capacity was assessed."""

    basis = StringField("Assessed by which accounts", [WORDS_OF_A_TITLE])
    sound = RadioField(
        "Result",
        choices=choices([("yes", "Sound"), ("no", "Weak, with measures")]),
        validators=[Needed("Choose the result.")],
    )
    measures = TextAreaField("Measures (where it is weak)", [A_PARAGRAPH])

    def content(self) -> Content:
        """The typed assessment."""
        sound = self.sound.data == "yes"
        return FinancialCapacity(self._text("basis"), sound, "" if sound else self._text("measures"))


class AidForm(ConditionForm):
    """Whether the grant is aid; one amount for each year that counts is added for the day."""

    years: ClassVar[tuple[int, ...]] = ()

    kind = RadioField(
        "The grant to this beneficiary is",
        choices=choices((each.value, each.words) for each in AidKind),
        validators=[Needed("Choose what it is.")],
    )
    reason = TextAreaField("Why", [A_PARAGRAPH])

    def content(self) -> Content:
        """The typed declaration; amounts only where they are asked for."""
        kind = AidKind(self.kind.data)
        received = tuple(AidOfYear(year, self[f"aid_{year}"].data or Money(0)) for year in self.years)
        return StateAid(kind, self._text("reason"), received if kind is AidKind.DE_MINIMIS else ())


class FundingForm(ConditionForm):
    """Whether other grants are near this work."""

    others = RadioField(
        "Do other grants pay for work of this plan or near it?",
        choices=choices([("no", "No other grant"), ("yes", "Yes, and costs are kept apart")]),
        validators=[Needed("Choose an answer.")],
    )
    words = TextAreaField("Which grants, and how their costs are kept apart (where there are any)", [A_PARAGRAPH])

    def content(self) -> Content:
        """The typed declaration."""
        has_others = self.others.data == "yes"
        return DoubleFunding(has_others, self._text("words") if has_others else "")


_FORMS: Mapping[ConditionKey, type[ConditionForm]] = {
    ConditionKey.POWER_TO_SIGN: PowerForm,
    ConditionKey.COUNCIL_DECISION: CouncilForm,
    ConditionKey.EXCLUSION: ExclusionForm,
    ConditionKey.SANCTIONS: SanctionsForm,
    ConditionKey.CONSORTIUM_AGREEMENT: ConsortiumForm,
    ConditionKey.FINANCIAL_CAPACITY: CapacityForm,
    ConditionKey.STATE_AID: AidForm,
    ConditionKey.DOUBLE_FUNDING: FundingForm,
}


def condition_form(grant: GrantView, view: ConditionView, part: PartView, today: date, **options: Any) -> ConditionForm:
    """The form of one part, filled with the answer that stands; ``formdata=None`` where another form was sent."""
    kind: type[ConditionForm] = _FORMS[view.key]
    years = tuple(range(today.year, today.year - AID_YEARS, -1))
    if kind is AidForm:
        amounts = {f"aid_{year}": MoneyField(f"De minimis aid received in {year}", [Optional()]) for year in years}
        kind = type("AidForm", (AidForm,), {"years": years, **amounts})
    form = kind(data={"about": about(part), "number": str(part.number), **stands(part)}, **options)
    form.evidence_on.label.text = view.condition.day_label
    if isinstance(form, PowerForm):
        named = [each for each in grant.contacts if each.role is ContactRole.SIGNATORY]
        form.signer.choices = choices((str(each.user_id), each.name) for each in named)
        for other in (form.signer_2, form.signer_3):
            other.choices = choices([("", "Nobody"), *((str(each.user_id), each.name) for each in named)])
    return form


def stands(part: PartView) -> dict[str, Any]:
    """What the answer that stands says, by field."""
    if part.answer is None:
        return {}
    answer = part.answer
    found: dict[str, Any] = {
        "evidence_on": answer.evidence_on,
        "valid_from": answer.valid_from,
        "valid_until": answer.valid_until,
    }
    match answer.content:
        case PowerToSign() as power:
            found |= {"signer": str(power.signer_id), "capacity": power.capacity, "basis": power.basis}
            found["how"] = "together" if power.jointly else "alone"
            for place, other in enumerate(power.others, 2):
                found |= {f"signer_{place}": str(other.user_id), f"capacity_{place}": other.capacity}
        case CouncilDecision() as council:
            needed = "yes" if council.needed else "no"
            found |= {"needed": needed, "body": council.body, "decision": council.number, "why_not": council.why_not}
        case ExclusionDeclaration() as exclusion:
            found |= {"declared_by": exclusion.declared_by, "capacity": exclusion.capacity}
        case SanctionsCheck() as check:
            found |= {"lists": check.lists, "searched": check.searched, "result": check.result}
        case ConsortiumAgreement() as agreement:
            found |= {"stage": agreement.stage.value, "effective_on": agreement.effective_on}
        case FinancialCapacity() as capacity:
            sound = "yes" if capacity.is_sound else "no"
            found |= {"basis": capacity.basis, "sound": sound, "measures": capacity.measures}
        case StateAid() as aid:
            found |= {"kind": aid.kind.value, "reason": aid.reason}
            found |= {f"aid_{each.year}": each.amount for each in aid.received}
        case DoubleFunding() as funding:
            found |= {"others": "yes" if funding.has_others else "no", "words": funding.words}
        case _:
            assert_never(answer.content)
    return found


class AcceptForm(OfPartForm):
    """The answer that was shown is accepted."""

    words = StringField("A note (optional)", [A_PARAGRAPH])

    def given(self, key: ConditionKey, part: PartView) -> VerdictInput:
        """What was said, of which answer."""
        return VerdictInput(key, part.organisation_id, self.shown(), str(self.words.data or ""))


class ReturnForm(OfPartForm):
    """The answer that was shown is returned."""

    words = TextAreaField("What is missing", [A_PARAGRAPH, Needed("Say what is wrong or missing.")])

    def given(self, key: ConditionKey, part: PartView) -> VerdictInput:
        """What was said, of which answer."""
        return VerdictInput(key, part.organisation_id, self.shown(), str(self.words.data or ""))


class DueForm(Form):
    """By when each condition is answered; one day for each is added for one grant."""

    keys: ClassVar[tuple[str, ...]] = ()

    def days(self) -> dict[str, date | None]:
        """The typed days by condition."""
        return {key: self[f"due_{key}"].data for key in self.keys}


def due_form(found: Iterable[ConditionView]) -> DueForm:
    """The form with a day for each condition, filled with what stands."""
    views = tuple(found)
    fields: dict[str, Any] = {f"due_{each.key}": DateField(each.label) for each in views}
    stands = {f"due_{each.key}": each.due_on for each in views}
    return type("DueForm", (DueForm,), {"keys": tuple(each.key.value for each in views), **fields})(data=stands)
