"""What people type about a grant in preparation, read into frozen inputs."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from datetime import date
from typing import Any, ClassVar, assert_never
from uuid import UUID

from flask_wtf.file import FileField
from wtforms import BooleanField, HiddenField, IntegerField, RadioField, StringField, TextAreaField
from wtforms.validators import Optional

from grants.agreements.rules import (
    AID_YEARS,
    AccountCheck,
    AccountInput,
    AidOfYear,
    ConditionInput,
    ConditionView,
    ConsortiumAgreement,
    ContactInput,
    Content,
    CouncilDecision,
    DoubleFunding,
    ExclusionDeclaration,
    FinancialCapacity,
    GrantView,
    PartView,
    PayeeAddress,
    PlannedMilestone,
    PowerToSign,
    SanctionsCheck,
    Share,
    StateAid,
    Terms,
    VerdictInput,
    WaitingRule,
)
from grants.agreements.states import AidKind, CheckChannel, ConditionKey, ConsortiumStage, ContactRole, PayeeMatch
from grants.core.errors import Conflict, Invalid
from grants.core.money import Money
from grants.dossiers.rules import clean_text
from grants.web.forms import A_PARAGRAPH, WORDS_OF_A_TITLE, ContestedForm, DateField, Form, MoneyField, Needed, choices

# So many rows more than there are, so that a milestone can be added without JavaScript.
SPARE_MILESTONES = 2


class PrepareForm(Form):
    """The planned first day of the pilot."""

    starts_on = DateField("First day of the pilot", [Needed("Enter the first day, for example 1 June 2023.")])


class AccountForm(Form):
    """A payee's account, where its holder lies, and the bank's document that shows it."""

    # Whose it was when the page was shown; beneficiaries may be put in another order meanwhile.
    payee = HiddenField()
    holder = StringField("Account holder", [WORDS_OF_A_TITLE, Needed("Enter the holder as the bank writes it.")])
    iban = StringField("IBAN", [Needed("Enter the IBAN.")])
    bic = StringField("BIC (optional)")
    street = StringField("Street of the holder (optional)")
    building = StringField("Number of the building (optional)")
    postcode = StringField("Postcode (optional)")
    town = StringField("Town of the holder", [Needed("Enter the town; a bank file without it is not taken.")])
    country_code = StringField(
        "Country, two letters", [Needed("Enter the country as its two letters, for example PL.")]
    )
    evidence_on = DateField(
        "Day of the bank’s document", [Needed("Enter the day of the bank’s document, for example 3 May 2023.")]
    )
    file = FileField(
        "The bank’s document that shows holder and IBAN",
        [Needed("Choose the bank’s document: a letter or a statement that shows holder and IBAN.")],
    )

    def to_input(self) -> AccountInput:
        """The typed account."""
        address = PayeeAddress(
            town=str(self.town.data),
            country_code=str(self.country_code.data),
            postcode=self.postcode.data or None,
            street=self.street.data or None,
            building=self.building.data or None,
        )
        return AccountInput(
            str(self.holder.data), str(self.iban.data), self.bic.data or None, self.evidence_on.data, address
        )

    def payee_id(self) -> UUID:
        """Whose account it is; raises Invalid where the field was changed to no id."""
        try:
            return UUID(str(self.payee.data))
        except ValueError as error:
            raise Invalid("It is not clear any more whose account this is. Reload the page.") from error


class ShownAccount(Form):
    """A deed about one account: the one that was on the page, and no other."""

    account_id = HiddenField()

    def shown(self) -> UUID:
        """The account that was shown; raises Invalid where the field was emptied or changed to no id."""
        try:
            return UUID(str(self.account_id.data))
        except ValueError as error:
            raise Invalid("There is no account to decide on any more. Reload the page.") from error


class ConfirmAccountForm(ShownAccount):
    """How the second person checked the account."""

    channel = RadioField(
        "How you checked it",
        choices=choices((each.value, each.words) for each in CheckChannel),
        validators=[Needed("Choose how you checked it.")],
    )
    checked_on = DateField("Day of your check", [Needed("Enter the day of your check, for example 4 May 2023.")])
    note = StringField("What you compared, or whom you spoke to", [A_PARAGRAPH, Needed("Say what you compared.")])
    match = RadioField(
        "What the bank answers: is the account this holder’s? (verification of payee)",
        choices=choices((each.value, each.words) for each in PayeeMatch),
        validators=[Needed("Choose what the bank said, or that it could not be asked.")],
    )
    match_name = StringField("The name the bank gave (for a close match)", [WORDS_OF_A_TITLE])
    matched_on = DateField("Day of the bank’s answer")

    def to_input(self) -> AccountCheck:
        """The typed check."""
        return AccountCheck(
            CheckChannel(self.channel.data),
            self.checked_on.data,
            str(self.note.data),
            PayeeMatch(self.match.data),
            self.match_name.data or None,
            self.matched_on.data,
        )


class ContactForm(Form):
    """A person of the coordinator."""

    name = StringField("Name", [WORDS_OF_A_TITLE, Needed("Enter the person’s name.")])
    email = StringField("E-mail address", [Needed("Enter the person’s e-mail address.")])
    role = RadioField(
        "What the person does",
        choices=choices((role.value, role.words) for role in ContactRole),
        validators=[Needed("Choose what the person does.")],
    )

    def to_input(self) -> ContactInput:
        """The typed person."""
        return ContactInput(str(self.name.data), str(self.email.data), ContactRole(self.role.data))


class ReasonForm(Form):
    """A deed that needs its reason."""

    reason = TextAreaField("Reason", [A_PARAGRAPH, Needed("Give the reason in a sentence.")])


class DismissForm(ReasonForm):
    """Why a person's part ends, and whether they do not belong to the city at all."""

    leaves = BooleanField("The person does not belong to this organisation at all: end that too")


class OfferForm(Form):
    """Nothing but the deed, about the text that was shown."""

    document_sha256 = HiddenField()


class SignForm(Form):
    """The capacity in which somebody signs, and the text that was shown."""

    document_sha256 = HiddenField()
    capacity = StringField(
        "You sign as", [WORDS_OF_A_TITLE, Needed("Say in which capacity you sign, for example Deputy Mayor.")]
    )


class RefuseAccountForm(ShownAccount):
    """Why an account is refused."""

    no_match = BooleanField("The bank said that the account is not this holder’s (no match)")
    reason = TextAreaField("Reason", [A_PARAGRAPH, Needed("Say what is wrong with this account.")])


class WaitingForm(Form):
    """How long new accounts wait, from which day on, and why."""

    programme = HiddenField()
    days = IntegerField(
        "Days between confirmation and the first payment", [Needed("Enter a number of days, 0 for none.")]
    )
    marked_days = IntegerField(
        "Days for which orders to a changed account are marked", [Needed("Enter a number of days, 0 for none.")]
    )
    starts_on = DateField("For accounts confirmed from", [Needed("Enter the day, for example 1 June 2023.")])
    reason = TextAreaField("Reason", [A_PARAGRAPH, Needed("Say in a sentence why.")])

    def to_input(self) -> WaitingRule:
        """The typed rule."""
        return WaitingRule(
            self.starts_on.data or date.min,
            int(self.days.data or 0),
            int(self.marked_days.data or 0),
            str(self.reason.data),
        )


class TermsForm(ContestedForm):
    """Start, length, maxima and milestones; the rows of beneficiaries and milestones are added for one grant."""

    starts_on = DateField("First day", [Needed("Enter the first day, for example 1 June 2023.")])
    months = IntegerField("Length in months", [Needed("Enter the number of months.")])
    shares = HiddenField()
    milestones = HiddenField()

    def to_input(self) -> Terms:
        """The typed terms; a milestone without a title is none."""
        rows = range(1, self.milestone_rows + 1)
        return Terms(
            starts_on=self.starts_on.data or date.min,
            months=int(self.months.data or 0),
            shares=tuple(
                Share(organisation_id, self[f"share_{place}"].data or Money(0))
                for place, organisation_id in enumerate(self.organisation_ids)
            ),
            milestones=tuple(
                PlannedMilestone(
                    self[f"title_{row}"].data.strip(), self[f"criterion_{row}"].data.strip(), self[f"due_on_{row}"].data
                )
                for row in rows
                if (self[f"title_{row}"].data or "").strip()
            ),
            amount_note=self.amount_note,
        )

    def checks(self) -> Iterable[Callable[[], object]]:
        """A named milestone needs its criterion and its day."""
        yield self._refuse_half_milestones

    def _refuse_half_milestones(self) -> None:
        needed = {
            "criterion": "Say how anybody can see that it is reached.",
            "due_on": "Enter the day by which it is reached.",
        }
        named = [row for row in range(1, self.milestone_rows + 1) if (self[f"title_{row}"].data or "").strip()]
        missing = {
            f"{name}_{row}": sentence
            for row in named
            for name, sentence in needed.items()
            if not self[f"{name}_{row}"].data
        }
        if missing:
            raise Invalid("A milestone is not complete.", missing)


def terms_form(grant: GrantView) -> TermsForm:
    """The form with one amount for each beneficiary and one row for each milestone, filled with what stands."""
    rows = len(grant.milestones) + SPARE_MILESTONES
    fields: dict[str, Any] = {
        "milestone_rows": rows,
        "organisation_ids": tuple(each.organisation_id for each in grant.beneficiaries),
        "amount_note": grant.amount_note,
    }
    for place, each in enumerate(grant.beneficiaries):
        fields[f"share_{place}"] = MoneyField(f"Maximum for {each.name}", [Needed("Enter an amount, zero if none.")])
    for row in range(1, rows + 1):
        fields[f"title_{row}"] = StringField(f"Milestone {row}", [WORDS_OF_A_TITLE])
        fields[f"criterion_{row}"] = StringField("Accepted when", [A_PARAGRAPH])
        fields[f"due_on_{row}"] = DateField("Due on")
    months = (grant.ends_before.year - grant.starts_on.year) * 12 + grant.ends_before.month - grant.starts_on.month
    stands: dict[str, Any] = {"starts_on": grant.starts_on, "months": months, "version": grant.version}
    stands |= {f"share_{place}": each.maximum for place, each in enumerate(grant.beneficiaries)}
    for each_milestone in grant.milestones:
        number = each_milestone.number
        stands |= {
            f"title_{number}": each_milestone.title,
            f"criterion_{number}": each_milestone.criterion,
            f"due_on_{number}": each_milestone.due_on,
        }
    return type("TermsForm", (TermsForm,), fields)(data=stands)


# --- conditions of the preparation -----------------------------------------------------------------------------------


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
    basis = StringField("By which statute, decision or power of attorney", [WORDS_OF_A_TITLE])
    valid_from = DateField("The power holds from")
    valid_until = DateField("It ends on (optional; this day no longer counts)")

    def content(self) -> Content:
        """The typed power; the name stays as it was when it was stated."""
        names = {choice.value: choice.label for choice in self.signer.choices}
        chosen = str(self.signer.data)
        return PowerToSign(UUID(chosen), str(names[chosen]), self._text("capacity"), self._text("basis"))


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
    form = kind(data={"about": about(part), "number": str(part.number), **_stands(part)}, **options)
    form.evidence_on.label.text = view.condition.day_label
    if isinstance(form, PowerForm):
        named = [each for each in grant.contacts if each.role is ContactRole.SIGNATORY]
        form.signer.choices = choices((str(each.user_id), each.name) for each in named)
    return form


def _stands(part: PartView) -> dict[str, Any]:
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


class EndForm(ReasonForm):
    """Another last day, and why."""

    ends_on = DateField("Last day of the preparation", [Needed("Enter the day, for example 30 June 2023.")])


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
