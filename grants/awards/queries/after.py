"""What comes after a confirmed list: how far its letters are, in one statement."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from sqlalchemy import func, not_, or_, select

from grants.applications.models import Application
from grants.awards.models import (
    Complaint,
    DecisionLetter,
    EvaluatorNames,
    LetterLeftOut,
    LetterMailing,
    LetterText,
    Selection,
    SelectionItem,
)
from grants.awards.queries import complaints
from grants.awards.queries.heard import heard
from grants.awards.queries.letters import to_mend
from grants.awards.queries.mailed import kept_of
from grants.awards.rules.after import After
from grants.awards.rules.heard import Heard
from grants.awards.states import OPEN_COMPLAINTS, LetterState, MailingState, NamesShown, SelectionKind, SelectionState
from grants.calls import queries as calls
from grants.calls.models import Call
from grants.calls.rules import CallView
from grants.core.permissions import Actor
from grants.core.together import Asking, reader, side_by_side
from grants.evaluation import queries as evaluation


@reader
def after_decision(actor: Actor, slug: str) -> Asking[After]:
    """How far letters of a call are, without those this person is kept from."""
    call_id = select(Call.id).where(Call.slug == slug).scalar_subquery()
    seen = (
        Application.call_id == call_id,
        not_(evaluation.in_conflict(actor.user_id)),
        Application.id.not_in(actor.barred("application")),
    )
    letter: Any = DecisionLetter
    sent = (
        select(letter.application_id)
        .join(Application, Application.id == letter.application_id)
        .where(*seen, letter.state == LetterState.SENT.value)
    )
    items, letters, out, waiting, texts, objections, names, kept = yield [
        select(func.count().label("number"))
        .select_from(SelectionItem)
        .join(Selection, Selection.id == SelectionItem.selection_id)
        .join(Application, Application.id == SelectionItem.application_id)
        .where(*seen, Selection.kind == SelectionKind.RANKED.value, Selection.state == SelectionState.CONFIRMED.value),
        select(letter.state, func.count().label("number"), func.count(letter.acknowledged_at).label("acknowledged"))
        .join(Application, Application.id == letter.application_id)
        .where(*seen, or_(letter.state != LetterState.FAILED.value, to_mend()))
        .group_by(letter.state),
        select(func.count().label("number"))
        .select_from(LetterLeftOut)
        .join(Application, Application.id == LetterLeftOut.application_id)
        .where(*seen, LetterLeftOut.ended_at.is_(None)),
        select(LetterMailing.number).where(
            LetterMailing.call_id == call_id, LetterMailing.state == MailingState.PREPARED.value
        ),
        select(func.count(func.distinct(LetterText.outcome)).label("number")).where(LetterText.call_id == call_id),
        select(func.count().label("number"))
        .select_from(Complaint)
        .join(Application, Application.id == Complaint.application_id)
        .where(*seen, Complaint.state.in_([each.value for each in OPEN_COMPLAINTS])),
        select(EvaluatorNames.shown)
        .where(EvaluatorNames.call_id == call_id)
        .order_by(EvaluatorNames.number.desc())
        .limit(1),
        kept_of(sent),
    ]
    by_state = {LetterState(row.state): row.number for row in letters}
    return After(
        items[0].number,
        by_state.get(LetterState.SENT, 0),
        by_state.get(LetterState.QUEUED, 0),
        by_state.get(LetterState.FAILED, 0),
        sum(row.acknowledged for row in letters),
        out[0].number,
        waiting[0].number if waiting else None,
        texts[0].number,
        objections[0].number,
        names=NamesShown(names[0].shown) if names else None,
        kept=kept[0].number,
    )


@reader
def beside_decision(actor: Actor, slug: str) -> Asking[tuple[Heard, CallView, After]]:
    """What stands beside the decision of a call: what its panel said, the call itself, how far its letters and complaints are."""
    asked: list[Asking[Any]] = [
        heard.asking(actor, slug),
        calls.call.asking(actor, slug),
        after_decision.asking(actor, slug),
    ]
    asked.append(_about_eligibility(slug))
    said, call, after, eligibility = yield from side_by_side(asked)
    return said, call, replace(after, about_eligibility=eligibility)


def _about_eligibility(slug: str) -> Asking[int]:
    of_call = Complaint.call_id == select(Call.id).where(Call.slug == slug).scalar_subquery()
    return complaints.open_about_eligibility(of_call)
