"""Conditions of grant preparation: what each asks, what was stated and judged, and where it stands on a day. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Any
from uuid import UUID

from grants.agreements.states import (
    AidKind,
    AskedOf,
    CheckAnswer,
    ConditionKey,
    ConditionStanding,
    ConsortiumStage,
    Verdict,
)
from grants.core import clock, encoding, faults
from grants.core.errors import Conflict, Invalid, NotFound, Problem, Refused
from grants.core.money import Money, total
from grants.identity.rules import Fact
from grants.identity.states import FactKind, FactStanding

K = ConditionKey

# De minimis aid is counted over three years back from the day (Regulation (EU) 2023/2831, article 3(2)), so four calendar
# years are asked for: amounts of a whole year are counted although part of it may lie outside.
AID_YEARS = 4


@dataclass(frozen=True, slots=True)
class Condition:
    """One condition as it is asked: of whom, and whether of each beneficiary or once for the consortium."""

    key: ConditionKey
    label: str
    asked_of: AskedOf
    # What the day of the evidence is called.
    day_label: str = ""
    each: bool = True
    # Of the coordinator alone; its partners do not read it.
    of_coordinator: bool = False
    has_validity: bool = False
    needs_file: bool = True


CONDITIONS: Mapping[ConditionKey, Condition] = {
    each.key: each
    for each in (
        Condition(
            K.LEGAL_ENTITY,
            "The legal entity of every beneficiary is validated against a public register",
            AskedOf.REGISTER,
        ),
        Condition(
            K.POWER_TO_SIGN,
            "The signatory of the coordinator has the power to sign, valid on the day of signature",
            AskedOf.CITY,
            "Day of the document that gives the power",
            each=False,
            of_coordinator=True,
            has_validity=True,
        ),
        Condition(
            K.COUNCIL_DECISION,
            "The council or another competent body has taken its decision, where one is needed",
            AskedOf.CITY,
            "Day of the decision, or of the rule by which none is needed",
            each=False,
        ),
        Condition(
            K.EXCLUSION,
            "The declaration on exclusion grounds is signed",
            AskedOf.CITY,
            "Day on which the declaration was signed",
        ),
        Condition(
            K.SANCTIONS,
            "The sanctions lists were searched for every beneficiary",
            AskedOf.PROGRAMME,
            "Day on which the lists were searched",
            needs_file=False,
        ),
        Condition(
            K.CONSORTIUM_AGREEMENT,
            "The consortium agreement is signed, or its effective date is agreed",
            AskedOf.CITY,
            "Day of the agreement, or of the letter that agrees its effective date",
            each=False,
        ),
        Condition(
            K.FINANCIAL_CAPACITY,
            "The financial capacity of beneficiaries that are not public bodies was assessed",
            AskedOf.PROGRAMME,
            "Day of the assessment",
            needs_file=False,
        ),
        Condition(
            K.STATE_AID,
            "State aid and de minimis are declared",
            AskedOf.CITY,
            "Day on which the declaration was signed",
        ),
        Condition(
            K.DOUBLE_FUNDING,
            "No cost of the work plan is paid by another grant",
            AskedOf.CITY,
            "Day on which the declaration was signed",
        ),
    )
}
# Key and words of each row that a new grant has.
DUE_DILIGENCE: tuple[tuple[str, str], ...] = tuple((each.key.value, each.label) for each in CONDITIONS.values())


# --- what is stated -----------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class CoSigner:
    """Another person whom the same power names."""

    user_id: UUID
    name: str
    capacity: str


@dataclass(frozen=True, slots=True)
class PowerToSign:
    """Who may sign for the coordinator, and by what; where it names several, each alone or only all of them together."""

    signer_id: UUID
    signer: str
    capacity: str
    basis: str
    others: tuple[CoSigner, ...] = ()
    jointly: bool = False

    @property
    def names(self) -> tuple[str, ...]:
        """Everybody it names."""
        return (self.signer, *(each.name for each in self.others))

    @property
    def signer_ids(self) -> frozenset[UUID]:
        """The same by their ids."""
        return frozenset({self.signer_id, *(each.user_id for each in self.others)})

    @property
    def words(self) -> str:
        """In a line, as a signature keeps it."""
        if not self.others:
            return self.basis
        return f"{self.basis} ({', '.join(self.names)}: {'only together' if self.jointly else 'each alone'})"

    def lines(self) -> tuple[tuple[str, str], ...]:
        """Label and words, for pages."""
        found = [("Signs", self.signer), ("As", self.capacity)]
        found += [("And" if self.jointly else "Or", f"{each.name}, {each.capacity}") for each in self.others]
        if self.others:
            found.append(("How", "Only together" if self.jointly else "Each of them alone"))
        return (*found, ("By", self.basis))


@dataclass(frozen=True, slots=True)
class CouncilDecision:
    """The decision, or why none is needed."""

    needed: bool
    body: str = ""
    number: str = ""
    why_not: str = ""

    def lines(self) -> tuple[tuple[str, str], ...]:
        """Label and words, for pages."""
        if not self.needed:
            return (("No decision is needed", self.why_not),)
        return (("Decided by", self.body), ("Number of the decision", self.number or "None"))


@dataclass(frozen=True, slots=True)
class ExclusionDeclaration:
    """Who declared that no ground of exclusion applies (Financial Regulation, article 138)."""

    declared_by: str
    capacity: str

    def lines(self) -> tuple[tuple[str, str], ...]:
        """Label and words, for pages."""
        return (("No ground of exclusion, declared by", self.declared_by), ("As", self.capacity))


@dataclass(frozen=True, slots=True)
class SanctionsCheck:
    """Which lists were searched for which names; a true match ends a preparation and is no answer."""

    lists: str
    searched: str
    result: str

    def lines(self) -> tuple[tuple[str, str], ...]:
        """Label and words, for pages."""
        return (("Lists", self.lists), ("Searched for", self.searched), ("Found", self.result))


@dataclass(frozen=True, slots=True)
class ConsortiumAgreement:
    """Signed, or from when it takes effect."""

    stage: ConsortiumStage
    effective_on: date

    def lines(self) -> tuple[tuple[str, str], ...]:
        """Label and words, for pages."""
        return (("Stage", self.stage.words), ("Takes effect on", clock.long_date(self.effective_on)))


@dataclass(frozen=True, slots=True)
class FinancialCapacity:
    """By what it was assessed, with which result; measures where it is weak."""

    basis: str
    is_sound: bool
    measures: str = ""

    def lines(self) -> tuple[tuple[str, str], ...]:
        """Label and words, for pages."""
        found = (("Assessed by", self.basis), ("Result", "Sound" if self.is_sound else "Weak, with measures"))
        return found if self.is_sound else (*found, ("Measures", self.measures))


@dataclass(frozen=True, slots=True)
class AidOfYear:
    """De minimis aid an undertaking received in one calendar year."""

    year: int
    amount: Money


@dataclass(frozen=True, slots=True)
class StateAid:
    """Whether the grant is aid; with de minimis, what was received in the years that count."""

    kind: AidKind
    reason: str
    received: tuple[AidOfYear, ...] = ()

    def lines(self) -> tuple[tuple[str, str], ...]:
        """Label and words, for pages."""
        found = [("Declared", self.kind.words), ("Because", self.reason)]
        if self.kind is AidKind.DE_MINIMIS:
            found += [(f"Received in {each.year}", f"EUR {each.amount}") for each in self.received]
        return tuple(found)


@dataclass(frozen=True, slots=True)
class DoubleFunding:
    """Whether other grants are near this work, and how their costs are kept apart."""

    has_others: bool
    words: str = ""

    def lines(self) -> tuple[tuple[str, str], ...]:
        """Label and words, for pages."""
        if not self.has_others:
            return (("Other grants", "None pays for work of this plan or near it"),)
        return (("Other grants, and how costs are kept apart", self.words),)


Content = (
    PowerToSign
    | CouncilDecision
    | ExclusionDeclaration
    | SanctionsCheck
    | ConsortiumAgreement
    | FinancialCapacity
    | StateAid
    | DoubleFunding
)
CONTENT_OF: Mapping[ConditionKey, type[Content]] = {
    K.POWER_TO_SIGN: PowerToSign,
    K.COUNCIL_DECISION: CouncilDecision,
    K.EXCLUSION: ExclusionDeclaration,
    K.SANCTIONS: SanctionsCheck,
    K.CONSORTIUM_AGREEMENT: ConsortiumAgreement,
    K.FINANCIAL_CAPACITY: FinancialCapacity,
    K.STATE_AID: StateAid,
    K.DOUBLE_FUNDING: DoubleFunding,
}
# What each field needs, where it is empty.
_WANTED: Mapping[str, str] = {
    "capacity": "Say in which office or function, for example Deputy Mayor for Finance.",
    "basis": "Name the document, for example the statute or the decision with its number.",
    "declared_by": "Name the person who signed the declaration.",
    "lists": "Name each list that was searched, for example the EU consolidated list of financial sanctions.",
    "searched": "Say for which names was searched: the organisation, and who leads it.",
    "result": "Say what was found, for example: no match.",
    "reason": "Say in a sentence why.",
}


def content_problems(content: Content) -> dict[str, str]:
    """What is missing in an answer, by field; empty where it is whole."""
    found = {name: sentence for name, sentence in _WANTED.items() if getattr(content, name, "x") in ("", None)}
    match content:
        case CouncilDecision(needed=True, body=""):
            found["body"] = "Name the body that decided, for example the city council."
        case CouncilDecision(needed=False, why_not=""):
            found["why_not"] = "Say by which rule no decision is needed."
        case PowerToSign() as power:
            found |= _power_problems(power)
        case FinancialCapacity(is_sound=False, measures=""):
            found["measures"] = "Say which measures keep the money safe, for example a lower pre-financing."
        case DoubleFunding(has_others=True, words=""):
            found["words"] = "Name the other grants, and say how their costs are kept apart."
        case _:
            return found
    return found


def _power_problems(power: PowerToSign) -> dict[str, str]:
    found = {}
    for place, other in enumerate(power.others, 2):
        if not other.capacity:
            found[f"capacity_{place}"] = _WANTED["capacity"]
    if len(power.signer_ids) < 1 + len(power.others):
        found["signer_2"] = "A person is named twice. Choose another one, or nobody."
    if power.jointly and not power.others:
        found["how"] = "One person alone signs with nobody together. Name the others, or choose another answer."
    return found


def aid_problem(content: StateAid, maximum: Money, ceiling: Money, today: date) -> str:
    """Why de minimis aid cannot be given: what was received in the years that count and the grant pass the ceiling together.

    >>> from grants.core.money import euros
    >>> aid = StateAid(AidKind.DE_MINIMIS, "A workshop", (AidOfYear(2023, euros(250_000)),))
    >>> aid_problem(aid, euros(50_000), euros(300_000), date(2024, 5, 1))
    ''
    """
    if content.kind is not AidKind.DE_MINIMIS:
        return ""
    counted = total(each.amount for each in content.received if each.year > today.year - AID_YEARS)
    over = counted + maximum - ceiling
    if over.cents <= 0:
        return ""
    return (
        f"De minimis aid of {counted} was received in the years that count and the grant adds {maximum}: "
        f"{over} more than the ceiling of {ceiling}. Declare another ground, or ask for a lower maximum."
    )


@dataclass(frozen=True, slots=True)
class ConditionInput:
    """An answer as typed. ``number`` is the answer that stood on the page, 0 for none."""

    key: ConditionKey
    organisation_id: UUID | None
    content: Content
    evidence_on: date
    number: int = 0
    valid_from: date | None = None
    valid_until: date | None = None

    def checked(self, today: date) -> ConditionInput:
        """This input, if it can stand on this day; raises :class:`Invalid` with a sentence for each field."""
        asked = CONDITIONS[self.key]
        problems = content_problems(self.content)
        if self.evidence_on > today:
            problems["evidence_on"] = "This day is not here yet. Enter the day that stands on the evidence."
        if asked.has_validity and self.valid_from is None:
            problems["valid_from"] = "Enter the first day on which the power holds."
        if self.valid_from and self.valid_until and self.valid_until <= self.valid_from:
            problems["valid_until"] = "The power would end before it begins. Enter a later day, or leave it empty."
        elif self.valid_until is not None and self.valid_until <= today:
            problems["valid_until"] = "The power has ended already. Name somebody whose power holds."
        if problems:
            raise Invalid("The answer is not recorded yet.", problems)
        return self if asked.has_validity else replace(self, valid_from=None, valid_until=None)


@dataclass(frozen=True, slots=True)
class VerdictInput:
    """What a second person says of the answer with this number."""

    key: ConditionKey
    organisation_id: UUID | None
    number: int
    words: str = ""


# --- what is shown ------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class EvidenceView:
    """The file an answer brought."""

    name: str
    sha256: str


@dataclass(frozen=True, slots=True)
class VerdictView:
    """What was said of an answer, and by whom."""

    verdict: Verdict
    words: str
    by: str
    at: datetime


@dataclass(frozen=True, slots=True)
class AnswerView:
    """One answer as it was stated, with what was said of it."""

    id: UUID
    key: ConditionKey
    organisation_id: UUID | None
    number: int
    content: Content
    evidence_on: date
    valid_from: date | None
    valid_until: date | None
    stated_by: UUID
    stated_by_name: str
    stated_at: datetime
    evidence: EvidenceView | None
    verdict: VerdictView | None

    def standing(self, on: date) -> ConditionStanding:
        """Where it stands on a day; an accepted one counts only within its time (until: not included)."""
        if self.verdict is None:
            return ConditionStanding.ANSWERED
        if self.verdict.verdict is Verdict.RETURNED:
            return ConditionStanding.RETURNED
        early = self.valid_from is not None and on < self.valid_from
        late = self.valid_until is not None and on >= self.valid_until
        return ConditionStanding.NOT_IN_TIME if early or late else ConditionStanding.ACCEPTED


@dataclass(frozen=True, slots=True)
class PartView:
    """One answer a condition waits for: of a beneficiary, or of the consortium. ``place`` stands in addresses."""

    place: int
    organisation_id: UUID | None
    name: str
    standing: ConditionStanding
    answers: tuple[AnswerView, ...] = ()
    # What is missing, or why it is not asked.
    note: str = ""

    @property
    def answer(self) -> AnswerView | None:
        """The answer that stands: the newest."""
        return self.answers[-1] if self.answers else None

    @property
    def number(self) -> int:
        """Of the answer that stands; 0 for none."""
        return self.answers[-1].number if self.answers else 0

    @property
    def is_met(self) -> bool:
        """Whether nothing is waited for."""
        return self.standing in (ConditionStanding.ACCEPTED, ConditionStanding.NOT_ASKED)

    @property
    def waits_for_answer(self) -> bool:
        """Whether whoever is asked must do something."""
        return self.standing in (ConditionStanding.OPEN, ConditionStanding.RETURNED, ConditionStanding.NOT_IN_TIME)


@dataclass(frozen=True, slots=True)
class Tick:
    """How conditions were answered before cities answered them: an officer's tick, which stands."""

    answer: CheckAnswer
    note: str | None
    evidence_on: date | None
    by: str | None
    at: datetime | None


@dataclass(frozen=True, slots=True)
class ConditionView:
    """A condition with everything its pages show."""

    condition: Condition
    # As it was worded when the preparation began.
    label: str
    due_on: date | None
    version: int
    parts: tuple[PartView, ...]
    tick: Tick | None = None

    @property
    def key(self) -> ConditionKey:
        """Which condition it is."""
        return self.condition.key

    @property
    def is_met(self) -> bool:
        """Whether it no longer stands in the way of the offer: by the old tick where nobody answered since, else by every part."""
        return self.is_ticked or all(part.is_met for part in self.parts)

    @property
    def is_ticked(self) -> bool:
        """Whether an officer's tick stands for it."""
        return self.tick is not None and not any(part.answers for part in self.parts)

    def is_late(self, today: date) -> bool:
        """Whether its day has passed and it is not met."""
        return self.due_on is not None and today > self.due_on and not self.is_met

    def part(self, place: int) -> PartView:
        """The part with this place in addresses; raises :class:`NotFound`."""
        found = next((each for each in self.parts if each.place == place), None)
        if found is None:
            raise NotFound
        return found

    def seen_by(self, own: frozenset[UUID] | None) -> ConditionView | None:
        """What a partner reads of it: its own and the common parts; None for nothing. ``own`` None reads all."""
        if own is None:
            return self
        if self.condition.of_coordinator:
            return None
        parts = tuple(each for each in self.parts if each.organisation_id is None or each.organisation_id in own)
        return replace(self, parts=parts) if parts else None


@dataclass(frozen=True, slots=True)
class Asked:
    """The row of one condition of a grant."""

    key: ConditionKey
    label: str
    due_on: date | None
    version: int
    tick: Tick | None


@dataclass(frozen=True, slots=True)
class Party:
    """A beneficiary as conditions see it, with what the register holds of it."""

    organisation_id: UUID
    name: str
    maximum: Money
    is_coordinator: bool
    facts: tuple[Fact, ...] = ()


def conditions(
    asked: Iterable[Asked],
    parties: Sequence[Party],
    answers: Iterable[AnswerView],
    *,
    today: date,
    ceiling: Money | None = None,
) -> tuple[ConditionView, ...]:
    """Every condition of a grant with where it stands on a day, in the order of ``asked``.

    ``ceiling`` of de minimis aid; without it the sums of aid are not looked at.
    """
    by_part: dict[tuple[ConditionKey, UUID | None], list[AnswerView]] = {}
    for answer in sorted(answers, key=lambda each: each.number):
        by_part.setdefault((answer.key, answer.organisation_id), []).append(answer)
    return tuple(
        ConditionView(
            CONDITIONS[row.key],
            row.label,
            row.due_on,
            row.version,
            _parts(CONDITIONS[row.key], parties, by_part, today, ceiling),
            row.tick,
        )
        for row in asked
    )


def _parts(
    condition: Condition,
    parties: Sequence[Party],
    answers: Mapping[tuple[ConditionKey, UUID | None], list[AnswerView]],
    today: date,
    ceiling: Money | None,
) -> tuple[PartView, ...]:
    if not condition.each:
        given = tuple(answers.get((condition.key, None), ()))
        name = "The coordinator" if condition.of_coordinator else "The consortium"
        if condition.key is K.CONSORTIUM_AGREEMENT and len(parties) < 2 and not given:
            why = "There is one beneficiary, so there is no consortium agreement."
            return (PartView(0, None, name, ConditionStanding.NOT_ASKED, note=why),)
        return (_part(0, None, name, given, today),)
    return tuple(
        _of_party(
            condition, place, party, tuple(answers.get((condition.key, party.organisation_id), ())), today, ceiling
        )
        for place, party in enumerate(parties, 1)
    )


def _of_party(
    condition: Condition, place: int, party: Party, given: tuple[AnswerView, ...], today: date, ceiling: Money | None
) -> PartView:
    match condition.key:
        case K.LEGAL_ENTITY:
            missing = entity_missing(party.facts, today)
            standing = ConditionStanding.OPEN if missing else ConditionStanding.ACCEPTED
            return PartView(place, party.organisation_id, party.name, standing, note=missing or _validated(party.facts))
        case K.FINANCIAL_CAPACITY if not given and is_public_body(party.facts, today):
            why = "Validated as a public body in the register of organisations."
            return PartView(place, party.organisation_id, party.name, ConditionStanding.NOT_ASKED, note=why)
        case K.STATE_AID if ceiling is not None and given and isinstance(given[-1].content, StateAid):
            problem = aid_problem(given[-1].content, party.maximum, ceiling, today)
            part = _part(place, party.organisation_id, party.name, given, today)
            # The maximum may have been raised since the answer was accepted.
            return (
                replace(part, standing=ConditionStanding.NOT_IN_TIME, note=problem) if problem and part.is_met else part
            )
        case _:
            return _part(place, party.organisation_id, party.name, given, today)


def _part(place: int, organisation_id: UUID | None, name: str, given: tuple[AnswerView, ...], today: date) -> PartView:
    standing = given[-1].standing(today) if given else ConditionStanding.OPEN
    return PartView(place, organisation_id, name, standing, given)


def _standing(facts: Sequence[Fact], kind: FactKind, today: date) -> FactStanding:
    return next((fact.standing(today) for fact in facts if fact.kind is kind), FactStanding.MISSING)


def is_public_body(facts: Sequence[Fact], today: date) -> bool:
    """Whether the register says so, validated and not run out."""
    said = any(fact.kind is FactKind.PUBLIC_BODY and fact.value == "yes" for fact in facts)
    return said and _standing(facts, FactKind.PUBLIC_BODY, today) is FactStanding.VALIDATED


def entity_missing(facts: Sequence[Fact], today: date) -> str:
    """What the register still lacks of a legal entity, in a sentence; empty where it is validated.

    A public body exists by law and is known by its name; everybody else also by a number of a public register.
    """
    validated = FactStanding.VALIDATED
    if _standing(facts, FactKind.LEGAL_NAME, today) is not validated:
        return "Its legal name is not validated, or the validation has run out."
    if is_public_body(facts, today):
        return ""
    numbers = (FactKind.REGISTRATION, FactKind.PIC, FactKind.VAT)
    if any(_standing(facts, kind, today) is validated for kind in numbers):
        return ""
    return "Neither that it is a public body nor a number of a public register (registration, PIC or VAT) is validated."


def _validated(facts: Sequence[Fact]) -> str:
    line = next((fact.validated for fact in facts if fact.kind is FactKind.LEGAL_NAME), None)
    if line is None or line.validated_on is None:
        return ""
    return f"Validated by {line.person} on {clock.long_date(line.validated_on)}: {line.source}"


def condition_problems(found: Iterable[ConditionView]) -> tuple[Problem, ...]:
    """What of the conditions stands in the way of the offer; empty where nothing does."""
    return tuple(Problem("Conditions", f"“{each.label}” is open{_of_whom(each)}.") for each in found if not each.is_met)


def _of_whom(view: ConditionView) -> str:
    names = [part.name for part in view.parts if not part.is_met and part.organisation_id is not None]
    return f" for {', '.join(names)}" if names else ""


# --- guards -------------------------------------------------------------------------------------------------------


def power_of(views: Iterable[ConditionView]) -> AnswerView | None:
    """The accepted power to sign for the coordinator that holds on the day of these views; None where there is none."""
    view = next((each for each in views if each.key is ConditionKey.POWER_TO_SIGN), None)
    parts = view.parts if view is not None and not view.is_ticked else ()
    return next((part.answer for part in parts if part.standing is ConditionStanding.ACCEPTED), None)


def power_in(answer: AnswerView | None) -> PowerToSign | None:
    """What such an answer says."""
    return answer.content if answer is not None and isinstance(answer.content, PowerToSign) else None


def power_of_content(content: Content) -> PowerToSign:
    """What was stated where a power to sign was asked for; raises :class:`NotFound` for anything else."""
    if not isinstance(content, PowerToSign):
        raise NotFound
    return content


def refuse_without_power(views: Sequence[ConditionView], user_id: UUID | None) -> AnswerView | None:
    """Only who holds an accepted power to sign, valid this day, signs for the city; the answer that gives it.

    None where the preparation is older than such answers: the tick of an officer stands for it.
    """
    faults.point("four_eyes")
    view = next((each for each in views if each.key is ConditionKey.POWER_TO_SIGN), None)
    if view is None or view.is_ticked:
        return None
    answer = power_of(views)
    power = power_in(answer)
    if power is None or user_id not in power.signer_ids:
        raise Refused(
            "No accepted power to sign that holds today names you. The city answers the condition “power to sign” with "
            "your name and its days, and the programme accepts it; then sign."
        )
    return answer


def refuse_own_answer(stated_by: UUID, actor_id: UUID | None) -> None:
    """Four eyes: who stated an answer does not judge it."""
    faults.point("four_eyes")
    if actor_id is None or stated_by == actor_id:
        raise Refused("You stated this answer yourself. A colleague has to accept or return it.")


def refuse_of_others(organisation_id: UUID | None, own: frozenset[UUID] | None, *, of_coordinator: bool) -> None:
    """A partner answers for its own organisation; what is common, the coordinator answers. ``own`` None answers all."""
    faults.point("scope")
    if own is not None and (of_coordinator or organisation_id not in own):
        raise NotFound


def refuse_stale(number_shown: int, number: int) -> None:
    """What was answered meanwhile is looked at first."""
    if number_shown != number:
        raise Conflict("Somebody answered this after you opened the page. Look at what stands now, then send yours.")


def refuse_after(ends_on: date | None, today: date) -> None:
    """Nothing is offered, signed or answered after the last day of a preparation, which is itself included."""
    faults.point("deadline")
    if ends_on is not None and today > ends_on:
        raise Refused(
            f"The preparation of this grant ended on {clock.long_date(ends_on)} without both signatures, so nothing can be "
            "done with it any more. The program drops it in the night, and its money goes back to the call."
        )


def decoded(key: ConditionKey, stored: dict[str, Any]) -> Content:
    """An answer as it was stored."""
    content: Content = encoding.decode({"value": stored}, CONTENT_OF[key])
    return content
