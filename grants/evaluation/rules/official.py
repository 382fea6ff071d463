"""The official score of an application: what it is made of by the rule of its call, and what is missing where there is none."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction
from uuid import UUID

from grants.calls.rules import Criterion, Half, Marking
from grants.calls.states import ScoreMethod
from grants.evaluation.states import ConsensusState


@dataclass(frozen=True, slots=True)
class OfficialScore:
    """What the ranking needs of one application: half points by criterion, None while there is no official score.

    ``basis`` says in words what the score is made of, ``missing`` what is not there yet; one of the two is empty.
    ``shift_half`` is by how much the panel moved the score, once two people stand behind that.
    """

    application_id: UUID
    halves: Mapping[str, Half] | None
    evaluator_totals: tuple[int, ...] = ()
    basis: str = ""
    missing: str = ""
    shift_half: int = 0
    shift_words: str = ""
    # How many marks of its sheets were changed after the sheets of others could be read.
    changed: int = 0


@dataclass(frozen=True, slots=True)
class Gathered:
    """What stands about the marks of one application.

    ``sums`` holds by criterion how many marks of submitted sheets there are, how many of them are on the scale, and their sum.
    ``left`` is how many sheets that were in left with their seat for another reason than a conflict, with none in their
    place; ``asked`` how many assessments the call asks for.
    """

    seats: int = 0
    submitted: int = 0
    left: int = 0
    asked: int = 0
    consensus: ConsensusState | None = None
    agreed: Mapping[str, int | None] | None = None
    sums: Mapping[str, tuple[int, int, int]] | None = None


def scored(found: Gathered, marking: Marking, least: int) -> tuple[dict[str, Half] | None, str, str]:
    """The official marks with their basis, or None with what is missing. A mark that is missing never counts as zero."""
    match marking.scoring.method:
        case ScoreMethod.CONSENSUS:
            return _agreed(found, marking, least)
        case ScoreMethod.MEAN_PER_CRITERION:
            return _mean(found, marking, least)


SHIFT_TAINTED = (
    "Who proposed or confirmed the move of this score has a conflict of interest; the panel must decide about it anew."
)
_CONSENSUS_MISSING: Mapping[ConsensusState | None, str] = {
    None: "Nobody has written the consensus yet.",
    ConsensusState.DRAFT: "The consensus is a draft.",
    ConsensusState.PROPOSED: "The consensus is with the evaluators; not all have agreed.",
}


def _agreed(found: Gathered, marking: Marking, least: int) -> tuple[dict[str, Half] | None, str, str]:
    if found.consensus is None and found.submitted < (needed := max(found.seats, least, 1)):
        return None, "", f"{found.submitted} of {needed} {'assessment is' if needed == 1 else 'assessments are'} in."
    if found.consensus is not ConsensusState.AGREED:
        return None, "", _CONSENSUS_MISSING[found.consensus]
    agreed = found.agreed or {}
    halves: dict[str, Half] = {}
    for criterion in marking.criteria:
        half = agreed.get(criterion.key)
        if half is None:
            return None, "", f"The consensus has no score for {criterion.name}."
        if not marking.allows(criterion, half):
            return None, "", _off(criterion, "The consensus")
        halves[criterion.key] = half
    return halves, f"Consensus of {found.submitted}", ""


def _mean(found: Gathered, marking: Marking, least: int) -> tuple[dict[str, Half] | None, str, str]:
    """The mean of the submitted sheets, criterion by criterion and exact."""
    if found.submitted < max(found.seats, least, 1):
        needed = max(found.seats, least, 1)
        return None, "", f"{found.submitted} of {needed} assessments {'is' if needed == 1 else 'are'} submitted."
    if found.left > 0 and found.submitted < found.asked:
        # Nobody moves a score by taking out a sheet they read: only a conflict does.
        needed = min(found.asked, found.submitted + found.left)
        return None, "", f"{found.submitted} of {needed} assessments are submitted: one that was in left with its seat."
    halves: dict[str, Half] = {}
    for criterion in marking.criteria:
        given, on_scale, total = (found.sums or {}).get(criterion.key, (0, 0, 0))
        if given < found.submitted:
            return None, "", f"An assessment has no score for {criterion.name}."
        if on_scale < given:
            return None, "", _off(criterion, "An assessment")
        halves[criterion.key] = plain(Fraction(total, given))
    many = "1 assessment" if found.submitted == 1 else f"{found.submitted} assessments"
    return halves, f"Mean of {many}, each criterion", ""


def _off(criterion: Criterion, whose: str) -> str:
    return f"{whose} has a score for {criterion.name} that is not on the scale of the call."


def plain(number: Fraction) -> Half:
    """A fraction that is whole as a whole number, so that a list of consensus scores reads as it always did."""
    return number.numerator if number.denominator == 1 else number
