"""When one applicant may be given more time than the others."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime, timedelta

from grants.applications.rules.arrival import words
from grants.applications.rules.values import ONCE_SELECTED, WRITABLE, ApplicationView
from grants.applications.states import ApplicationState
from grants.calls.rules.questions import Asker, telling_words
from grants.core import faults
from grants.core.errors import Invalid, Refused

# More than this is no repair of a lost day but another deadline; that is moved for everybody.
ONE_EXTENSION_MAX = timedelta(days=14)

# Once one application of a call stands here, what was sent is being compared.
COMPARED = ONCE_SELECTED | {
    ApplicationState.UNDER_EVALUATION,
    ApplicationState.RESERVE,
    ApplicationState.BELOW_THRESHOLD,
    ApplicationState.NOT_FUNDED,
}


def refuse_one_extension(
    state: ApplicationState, of_call: Collection[ApplicationState], results_public_at: datetime | None
) -> None:
    """One applicant gets more time only while nothing of the call is compared; ``of_call`` are the states of all."""
    faults.point("deadline")
    if state not in WRITABLE:
        raise Refused(f"This application is {words(state)}; more time would change nothing.")
    if results_public_at is not None or COMPARED & set(of_call):
        raise Refused("The applications of this call are being evaluated already. Nobody gets more time any more.")


def refuse_judged_extension(*, proposed: bool, decided: bool) -> None:
    """Nobody gets more time once a verdict on what they sent stands or is proposed."""
    faults.point("deadline")
    if decided:
        raise Refused(
            "The verdict on the eligibility of this application stands. Nothing can be sent in its place, so more time "
            "would change nothing."
        )
    if proposed:
        raise Refused(
            "This application is proposed not to be eligible and waits for a second person. Another eligibility officer "
            "gives the proposal back first; then more time can be given."
        )


def refuse_naming(reason: str, applicant: ApplicationView) -> None:
    """The reason stands on the page of the call, which says that somebody got more time and not who."""
    organisations = tuple(partner.name for partner in applicant.partners)
    things = (applicant.reference, applicant.title, applicant.acronym or "")
    telling = telling_words(reason, Asker("", "", organisations, things))
    if telling:
        named = " and ".join(f"“{word}”" for word in telling)
        sentence = f"Everybody reads this reason, and it names {named}. Say it without that; the team reads the note."
        raise Invalid("No time was given: the public reason tells who asked.", {"reason": sentence})


def refuse_far_extension(closes_at: datetime, everybody: datetime) -> None:
    """The own deadline lies within two weeks of that of everybody."""
    faults.point("deadline")
    if closes_at - everybody > ONE_EXTENSION_MAX:
        sentence = (
            f"That is more than {ONE_EXTENSION_MAX.days} days after the deadline of everybody. "
            "For so long, move the deadline for everybody."
        )
        raise Invalid("No time was given.", {"local": sentence})
