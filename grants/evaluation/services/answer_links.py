"""An invitation answered from its mail, before its person has an account: yes, or no with a reason.

Whoever holds the link has shown that the mailbox is theirs, so the act is that person's own.
"""

from __future__ import annotations

from uuid import UUID

from grants.calls import queries as calls
from grants.core import acts
from grants.core.acts import act
from grants.core.db import check_version
from grants.core.errors import NotFound, Refused
from grants.core.permissions import Actor
from grants.evaluation.models import EvaluatorInvitation
from grants.evaluation.rules import LinkedInvitation, LinkState, link_state
from grants.evaluation.services.invitations import locked_invitation, say_no
from grants.evaluation.states import POOL_INVITATION, DeclineKind, InvitationState
from grants.identity import queries as identity
from grants.identity import services as people
from grants.identity.policy import Role

ACCOUNT_CLOSED = "Your account is closed, so nothing can be answered by this link. Write to the programme office."


def whose_link(linked: LinkedInvitation) -> tuple[Actor, UUID, str]:
    """Whose answer it is, to which call, and when they were asked; whether it still counts the act looks up.

    Raises :class:`Refused` where the account of its person is closed.
    """
    try:
        return identity.actor_for(linked.asked.user_id), linked.asked.call_id, linked.mark
    except NotFound:
        raise Refused(ACCOUNT_CLOSED) from None


@act("invitation.agree_by_link", needs=None, says="said yes to evaluating in {subject} by the link of the mail")
def agree_by_link(actor: Actor, call_id: UUID, asked: str, version: int | None) -> UUID | None:
    """The yes is on the record; the entry in the pool comes with the profile, after signing in."""
    assert actor.user_id is not None, "an invitation is answered by a person"
    row = _unanswered(actor, call_id, asked, version)
    why = people.why_not_staff(actor.user_id, Role.EVALUATOR)
    if why:
        raise Refused(f"{why} Tell the programme office.")
    POOL_INVITATION.move(row, "agree")
    row.answered_at = acts.moment()
    return people.open_account(actor.user_id, row.invited_at)


@act("invitation.decline_by_link", needs=None, says="declined to evaluate in {subject} by the link of the mail")
def decline_by_link(
    actor: Actor, call_id: UUID, asked: str, kind: DeclineKind, words: str, version: int | None
) -> None:
    """A no is final until the person is invited again."""
    row = _unanswered(actor, call_id, asked, version)
    say_no(actor, row, calls.call_by_id(call_id), kind, words)


def _unanswered(actor: Actor, call_id: UUID, asked: str, version: int | None) -> EvaluatorInvitation:
    """The invitation under lock, if neither an answer nor the programme was faster: the link answers once."""
    row = locked_invitation(call_id, actor.user_id)
    if row is None:
        raise NotFound
    acts.subject("call", call_id)
    state = link_state(InvitationState(row.state), row.invited_at, row.expires_at, asked, acts.moment())
    if state is not LinkState.GOOD:
        raise Refused(state.sentence)
    check_version(row, version)
    return row
