"""The conditions of a preparation of the demo, answered by the city and accepted by the programme, all invented."""

from __future__ import annotations

import io
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from fractions import Fraction
from uuid import UUID

from werkzeug.datastructures import FileStorage

from grants.agreements import queries as reads
from grants.agreements import services as acts
from grants.agreements.models import Grant
from grants.agreements.rules import (
    ConditionInput,
    ConditionView,
    ConsortiumAgreement,
    Content,
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
    above_shares,
    asked_for,
)
from grants.agreements.states import (
    AGREED,
    AidKind,
    AskedOf,
    ConditionKey,
    ConditionStanding,
    ConsortiumStage,
    ContactRole,
    RevisionState,
)
from grants.applications.rules import BudgetInput
from grants.budgets.rules import BudgetContent, Cell
from grants.core import clock, files
from grants.core.db import get
from grants.core.files import Incoming
from grants.core.money import ZERO, Money, Rounding
from grants.core.permissions import Actor
from grants.demo.texts import letter
from grants.dossiers.rules import Answer, DossierContent, QuestionKind
from grants.identity import queries as identity
from grants.identity import services as people
from grants.identity.rules import OrganisationInput, ValidationInput
from grants.identity.states import FactKind, FactStanding

K = ConditionKey


@dataclass(frozen=True, slots=True)
class Sides:
    """Who answers for the city, who works for the programme, and who looks at what that one recorded; each as they are then."""

    city: Callable[[], Actor]
    officer: Callable[[], Actor]
    second: Callable[[], Actor]


def meet_conditions(grant_id: UUID, sides: Sides, *, count: int | None = None) -> None:
    """Have the first so many conditions of a grant answered and accepted, or all and its budget agreed on; what is met
    already is left.
    """
    # Who takes part and who signs stays the same meanwhile.
    grant = reads.view(get(Grant, grant_id))
    standing = reads.conditions(grant)
    for place, _ in enumerate(standing[:count]):
        view = standing[place]
        missing = [part for part in view.parts if not part.is_met]
        for part in missing:
            _meet(grant, view, part, sides)
        if missing and view.condition.asked_of is AskedOf.REGISTER:
            # Whether a later one is asked at all follows from what the register says by now.
            standing = reads.conditions(grant)
    if count is None:
        agree_on_budget(grant_id, sides)


def agree_on_budget(grant_id: UUID, sides: Sides) -> None:
    """Where the budget asks for no more than its maxima, the officer says that no revision is needed; otherwise the city
    lowers it to what is reserved, sends it, and the officer accepts.
    """
    grant = reads.view(get(Grant, grant_id))
    found = reads.revision(grant)
    if found is None or found.state in AGREED:
        return
    if found.state is RevisionState.SENT:
        acts.accept_revision(sides.officer(), grant_id, found.number)
        return
    maxima = {each.organisation_id: each.maximum for each in grant.beneficiaries}
    if above_shares(found.new.budget, found.names, maxima):
        lower_to(grant, maxima, sides)
        number = acts.send_revision(sides.city(), grant_id, seen=reads.revised(grant).fingerprint)
        acts.accept_revision(sides.officer(), grant_id, number)
        return
    acts.need_no_revision(
        sides.officer(), grant_id, words="Nothing changed since the application (invented).", seen=found.new.fingerprint
    )


def revise(grant_id: UUID, sides: Sides) -> int:
    """The city moves a part of its largest amount to another category, says so in its description, and sends both. The
    number of the revision.
    """
    grant = reads.view(get(Grant, grant_id))
    content = reads.revised(grant)
    acts.revise_budget(sides.city(), grant_id, BudgetInput(_moved(content.budget), None))
    if content.description is not None:
        key, answer = _said_more(content.description)
        acts.revise_text(sides.city(), grant_id, key, (answer,))
    return acts.send_revision(sides.city(), grant_id, seen=reads.revised(grant).fingerprint)


def _moved(budget: BudgetContent) -> tuple[Cell, ...]:
    """A tenth of the largest amount stands in the next category; costs and what is asked for stay the same to the cent."""
    counted = [each.code for each in budget.rules.entered if each.in_flat_rate_base]
    largest = max((each for each in budget.cells if each.category in counted), key=lambda each: each.amount)
    beside = replace(largest, category=counted[(counted.index(largest.category) + 1) % len(counted)])
    there = next((each.amount for each in budget.cells if each.place == beside.place), ZERO)
    part = largest.amount.share(Fraction(1, 10), rounding=Rounding.DOWN)
    return replace(largest, amount=largest.amount - part), replace(beside, amount=there + part)


def _said_more(description: DossierContent) -> tuple[str, Answer]:
    for section in description.definition.sections:
        for question in section.questions:
            said = description.answer(question.key)
            if question.kind is QuestionKind.LONG and said.text:
                return section.key, replace(said, text=f"{said.text} Since the selection the first block is chosen.")
    raise AssertionError("the form of the demo asks for text")


def lower_to(grant: GrantView, maxima: Mapping[UUID, Money], sides: Sides) -> None:
    """The city lowers every amount in the same proportion, so that nobody asks for more than so much."""
    budget = reads.revised(grant).budget
    asked = asked_for(budget)
    parts = {who: Fraction(maxima[who].cents, amount.cents) for who, amount in asked.items() if amount > maxima[who]}
    cells = tuple(
        replace(cell, amount=cell.amount.share(parts[cell.organisation_id], rounding=Rounding.DOWN))
        for cell in budget.cells
        if cell.organisation_id in parts
    )
    acts.revise_budget(sides.city(), grant.id, BudgetInput(cells, None))


def _meet(grant: GrantView, view: ConditionView, part: PartView, sides: Sides) -> None:
    if view.condition.asked_of is AskedOf.REGISTER:
        assert part.organisation_id is not None, "the register is asked about a beneficiary"
        validate_entity(part.organisation_id, sides)
        return
    number = _answer(grant, view.key, part, sides)
    judge = sides.officer() if view.condition.asked_of is AskedOf.CITY else sides.second()
    acts.accept_answer(judge, grant.id, VerdictInput(view.key, part.organisation_id, number))


def answer(grant_id: UUID, key: ConditionKey, part: PartView, sides: Sides) -> int:
    """One answer, by whoever is asked; nobody has looked at it yet. Its number."""
    return _answer(reads.view(get(Grant, grant_id)), key, part, sides)


def _answer(grant: GrantView, key: ConditionKey, part: PartView, sides: Sides) -> int:
    today = clock.today()
    given = ConditionInput(
        key,
        part.organisation_id,
        _said(key, grant, part),
        today,
        part.number,
        today if key is K.POWER_TO_SIGN else None,
        clock.add_months(today, 36) if key is K.POWER_TO_SIGN else None,
    )
    match key:
        case K.SANCTIONS | K.FINANCIAL_CAPACITY:
            return acts.record_condition(sides.officer(), grant.id, given)
        case _:
            return acts.state_condition(sides.city(), grant.id, given, evidence(key))


def evidence(key: ConditionKey) -> Incoming:
    """An invented document, received like any upload."""
    name = key.value.replace("_", " ").capitalize()
    return files.receive(FileStorage(io.BytesIO(letter(f"{name} (invented)")), filename=f"{name}.pdf"))


def _said(key: ConditionKey, grant: GrantView, part: PartView) -> Content:
    mayor = next(each for each in grant.contacts if each.role is ContactRole.SIGNATORY)
    who = part.name if part.organisation_id else grant.coordinator
    match key:
        case K.POWER_TO_SIGN:
            return PowerToSign(
                mayor.user_id, mayor.name, "Signatory (invented person)", "Statute of the city (invented)"
            )
        case K.COUNCIL_DECISION:
            return CouncilDecision(True, f"Council of {grant.coordinator} (invented)", "12/7")
        case K.EXCLUSION:
            return ExclusionDeclaration(mayor.name, f"For {who} (invented)")
        case K.SANCTIONS:
            return SanctionsCheck(
                "EU consolidated list (for the demo nothing was searched)", who, "No match (invented)"
            )
        case K.CONSORTIUM_AGREEMENT:
            return ConsortiumAgreement(ConsortiumStage.SIGNED, grant.starts_on)
        case K.FINANCIAL_CAPACITY:
            return FinancialCapacity("Accounts of the last two years (invented)", True)
        case K.STATE_AID:
            return StateAid(AidKind.NONE, "The pilot serves public tasks and no market (invented).")
        case K.DOUBLE_FUNDING:
            return DoubleFunding(False)
        case _:
            raise AssertionError(f"{key} is not stated")


def validate_entity(organisation_id: UUID, sides: Sides) -> None:
    """An officer validates name and standing of an organisation in the register; nothing was looked at, and it says so."""
    seen = ValidationInput("Invented for the demo: nothing was looked at", clock.today())
    _say_public(organisation_id, sides.second())
    for fact in identity.facts(organisation_id):
        wanted = fact.kind in (FactKind.LEGAL_NAME, FactKind.PUBLIC_BODY) and fact.value
        if wanted and fact.standing(seen.checked_on) is not FactStanding.VALIDATED:
            people.validate_fact(sides.officer(), organisation_id, fact.kind, fact.value, seen)


def _say_public(organisation_id: UUID, office: Actor) -> None:
    """The office enters that it is a public body, where the register says nothing; everything else stays as it is."""
    known = {fact.kind: fact.value for fact in identity.facts(organisation_id)}
    if known[FactKind.PUBLIC_BODY]:
        return
    view = identity.organisation(organisation_id)
    told = OrganisationInput(
        view.name, view.kind, view.country_code, local_name=view.local_name, town=view.town, postcode=view.postcode,
        street=view.street, pic=view.pic, website=view.website, synthetic=view.synthetic, vat=known[FactKind.VAT],
        registration=known[FactKind.REGISTRATION], ror=known[FactKind.ROR], legal_form=known[FactKind.LEGAL_FORM],
        public_body=True, contact_address=known[FactKind.CONTACT_ADDRESS], nuts2=known[FactKind.NUTS2],
    )  # fmt: skip
    people.edit_organisation(office, organisation_id, told)


def answered_without_verdict(grant_id: UUID, key: ConditionKey, sides: Sides) -> None:
    """An answer that waits for the officer, where none was given yet."""
    grant = reads.view(get(Grant, grant_id))
    view = next(each for each in reads.conditions(grant) if each.key is key)
    part = next((each for each in view.parts if each.standing is ConditionStanding.OPEN), None)
    if part is not None:
        _answer(grant, key, part, sides)
