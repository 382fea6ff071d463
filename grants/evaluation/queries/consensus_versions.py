"""The versions of a consensus, each compared word by word with the one before, and what evaluators said to each."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import literal, select

from grants.applications.models import Application
from grants.calls import queries as calls
from grants.calls.rules import Criterion
from grants.core.errors import NotFound
from grants.core.paging import Page, Rows, cut
from grants.core.permissions import Actor
from grants.core.together import Asking, ask, reader, side_by_side
from grants.dossiers import merging
from grants.evaluation import rules
from grants.evaluation.models import Consensus, ConsensusAnswer, ConsensusVersion
from grants.evaluation.queries.consensus import may_open
from grants.evaluation.rules import ConsensusChange, ConsensusVersionView
from grants.evaluation.states import Answer
from grants.identity import queries as identity


@reader
def consensus_versions(actor: Actor, reference: str, page: Page) -> Asking[tuple[str, Rows[ConsensusVersionView]]]:
    """The title of an application and the versions of its consensus, latest first; four statements a page."""
    opened = yield from ask(
        select(Application.id, Application.title, Application.call_id, Consensus.id.label("consensus_id"))
        .outerjoin(Consensus, Consensus.application_id == Application.id)
        .where(Application.reference == reference, may_open(actor))
    )
    if not opened:
        raise NotFound
    application = opened[0]
    of_it = ConsensusVersion.consensus_id == application.consensus_id
    below = ConsensusVersion.number < page.number if page.number else literal(True)
    about: list[Asking[Any]] = [
        # One more than the page shows: each is told against the one before it.
        ask(select(ConsensusVersion).where(of_it, below).order_by(ConsensusVersion.number.desc()).limit(page.size + 1)),
        ask(
            select(ConsensusAnswer)
            .join(ConsensusVersion, ConsensusVersion.id == ConsensusAnswer.version_id)
            .where(of_it)
            .order_by(ConsensusAnswer.answered_at, ConsensusAnswer.answer, ConsensusAnswer.id)
        ),
        calls.call_views.asking({application.call_id}),
    ]
    versions, answers, call_views = yield from side_by_side(about)
    people = yield from identity.people.asking({row.written_by for row in versions} | {row.user_id for row in answers})
    names = {key: person.name for key, person in people.items()}
    said: dict[UUID, list[Any]] = defaultdict(list)
    for row in answers:
        said[row.version_id].append(row)
    criteria = call_views[application.call_id].content.criteria
    before = [*versions[1:], None][: len(versions)]
    views = [_view(new, old, criteria, names, said[new.id]) for new, old in zip(versions, before, strict=True)]
    return application.title, cut(views, page, key=lambda view: str(view.number))


def _view(
    new: Any, old: Any, criteria: Sequence[Criterion], names: Mapping[UUID, str], said: Sequence[Any]
) -> ConsensusVersionView:
    changes = [
        _change(one.name, _mark(old, one.key), _mark(new, one.key))
        for one in criteria
        if old is None or _mark(old, one.key) != _mark(new, one.key)
    ]
    if old is None or old.text != new.text:
        changes.append(_change("What the applicant will read", ("", old.text if old else ""), ("", new.text)))
    return ConsensusVersionView(
        new.number, names[new.written_by], new.written_at, tuple(changes),
        tuple((names[row.user_id], Answer(row.answer), row.words, row.answered_at) for row in said),
    )  # fmt: skip


def _mark(version: Any, key: str) -> tuple[str, str]:
    """The score in words and the comment on one criterion; empty before the first version."""
    half, comment = version.marks.get(key, (None, "")) if version is not None else (None, "")
    return rules.half_words(half), comment


def _change(name: str, before: tuple[str, str], after: tuple[str, str]) -> ConsensusChange:
    return ConsensusChange(name, before[0], after[0], merging.compared(before[1], after[1]))
