"""What the register held of a consortium when a version was sent, and how far each fact stood then."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from uuid import UUID

from grants.applications.rules.values import ApplicationView, Member, SubmittedContent
from grants.identity.rules import FACT_WORDS, Fact, FactLine, OrganisationView
from grants.identity.states import FactKind, FactStanding


@dataclass(frozen=True, slots=True)
class ShownFact:
    """One fact as a page of an application shows it; ``validated_on`` None where it was not validated."""

    words: str
    value: str
    validated_on: date | None


@dataclass(frozen=True, slots=True)
class ShownOrganisation:
    """One organisation of a consortium with its facts."""

    name: str
    leads: bool
    facts: tuple[ShownFact, ...]


def sent_facts(content: SubmittedContent, lines: Iterable[FactLine], on: date) -> tuple[ShownOrganisation, ...]:
    """The facts a submission froze; ``lines`` are those of the register at that moment, ``on`` its day."""
    last: dict[tuple[UUID, FactKind], FactLine] = {}
    for line in sorted(lines, key=lambda each: each.number):
        last[line.organisation_id, line.kind] = line
    return tuple(
        ShownOrganisation(
            member.name,
            content.organisation_names[member.organisation_id] != member.name,
            tuple(_shown(kind, value, last.get((member.organisation_id, kind)), on) for kind, value in _frozen(member)),
        )
        for member in content.consortium
    )


def _frozen(member: Member) -> tuple[tuple[FactKind, str], ...]:
    own = ((FactKind.LEGAL_NAME, member.name), (FactKind.PIC, member.pic or ""))
    order = list(FactKind)
    return tuple(sorted((each for each in (*own, *member.facts) if each[1]), key=lambda each: order.index(each[0])))


def _shown(kind: FactKind, value: str, line: FactLine | None, on: date) -> ShownFact:
    standing = Fact(kind, value, line, line if line is not None and line.validated_on is not None else None)
    is_valid = standing.standing(on) is FactStanding.VALIDATED
    return ShownFact(FACT_WORDS[kind], standing.shown, line.validated_on if line is not None and is_valid else None)


def facts_now(
    view: ApplicationView, held: Mapping[UUID, tuple[OrganisationView, Sequence[Fact]]], on: date
) -> tuple[ShownOrganisation, ...]:
    """The facts a new submission would freeze, with the day each was validated on."""
    return tuple(
        ShownOrganisation(
            partner.name,
            partner.leads,
            tuple(
                ShownFact(
                    fact.words,
                    fact.shown,
                    fact.validated.validated_on
                    if fact.validated is not None and fact.standing(on) is FactStanding.VALIDATED
                    else None,
                )
                for fact in held[partner.organisation_id][1]
                if fact.value
            ),
        )
        for partner in view.partners
        if partner.organisation_id in held
    )


def sent_lines(content: SubmittedContent) -> tuple[tuple[str, str], ...]:
    """Each organisation and what was frozen of it, in words, for paper."""
    return tuple(
        (
            content.organisation_names[member.organisation_id],
            "\n".join(f"{FACT_WORDS[kind]}: {Fact(kind, value).shown}" for kind, value in _frozen(member)),
        )
        for member in content.consortium
    )
