"""How a pool comes about in the demo: words that everybody accepts, and people who are asked and answer in every way."""

from __future__ import annotations

from uuid import UUID

from grants.calls import services as calls
from grants.calls.rules import CallView
from grants.calls.rules.expert_terms import ExpertTerms
from grants.demo.arriving import ALL_EVALUATORS
from grants.demo.stage import Stage
from grants.evaluation import queries, services
from grants.evaluation.rules import AskInput, Employer, EvaluatorInput
from grants.evaluation.states import DeclineKind

TERMS = ExpertTerms(
    "1. The evaluator reads and assesses the applications that are assigned, alone, by the criteria of the call, until the "
    "day that is set.\n\n2. For each assessment and for the panel the programme pays EUR 450 a day, after the minutes are "
    "signed.\n\n3. The evaluator judges as a person, not for an employer, and tells the programme of any conflict of interest "
    "as soon as it is known.\n\n4. Either side may end this contract at any time in writing. What is finished is paid.",
    "I treat everything I read in this evaluation as confidential, during and after it. I talk about it with nobody but the "
    "other evaluators of the same application and the programme. I keep no copies, and put no part of an application into "
    "any tool that keeps or learns from it.",
)
BOTH = frozenset({"contract", "confidentiality"})
DAYS_TO_ANSWER = 60


def gather(stage: Stage, call: CallView) -> None:
    """The words of the call, accepted by everybody of its pool, and one more person for each state there is."""
    troupe = stage.troupe
    manager = troupe.actor("manager")
    calls.add_expert_terms(manager, call.id, TERMS)
    for key in ALL_EVALUATORS:
        services.accept_terms(troupe.actor(key), call.id, 1, BOTH)
        troupe.changed(key)
    _ask(stage, call, "Aino Koskela", "We miss somebody who has run a district heating company. Could you join us?")
    _ask(stage, call, "Pedro Salgado", "", days=5)
    declined = _ask(stage, call, "Maren Friis")
    services.decline_invitation(
        troupe.actor_of(declined), call.id, DeclineKind.NO_TIME, "I am on leave until the summer."
    )
    withdrawn = _ask(stage, call, "Tibor Halmos")
    invitation = queries.invitations(call.id)[withdrawn]
    services.withdraw_invitation(manager, invitation.id, "He works for one of the applicants since May.")
    gone = _ask(stage, call, "Lucie Renard")
    values = EvaluatorInput(gone, "FR", ("fr", "en"), (), 0, 5, employers=(Employer("Agence du Canal"),))
    services.accept_invitation(troupe.actor_of(gone), call.id, values, 1, BOTH)
    troupe.all_changed()
    services.step_down(troupe.actor_of(gone), call.id, "A new employer does not allow it.")
    waits = troupe.late_judge()
    services.pool(manager, call.id, EvaluatorInput(waits, "IS", ("en",), (), 0, 5, roles=("finance",)))
    troupe.all_changed()


def _ask(stage: Stage, call: CallView, name: str, message: str = "", *, days: int = DAYS_TO_ANSWER) -> UUID:
    email = f"{name.lower().replace(' ', '.')}@demo.example"
    given = AskInput(email, name, message, days=days, load_max=8)
    found = services.invite(stage.troupe.actor("manager"), call.id, given)
    stage.troupe.all_changed()
    return found
