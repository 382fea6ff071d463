"""The call of the demo that changes under its applicants: its acts are possible, and show what they are to show."""

from __future__ import annotations

from grants.applications import queries
from grants.calls import queries as calls
from grants.calls.rules import CallView, VersionKind
from grants.core import clock
from grants.demo.changing import correct_a_slip, publish_a_corrigendum
from tests import actors
from tests.applications.conftest import call, called_world
from tests.factories.applications import WHILE_OPEN, again, draft

__all__ = ["call", "called_world"]


def test_a_slip_is_corrected_and_a_corrigendum_moves_the_drafts(call: CallView) -> None:
    reference = draft(call, actors.ana())
    application_id = queries.in_call(call.id, reference)
    with clock.at(WHILE_OPEN):
        correct_a_slip(actors.ingrid(), call)
        changed = publish_a_corrigendum(actors.ingrid(), call.id, (application_id,))

    kinds = [version.kind for version in calls.public_record(call.id).versions]
    assert kinds == [VersionKind.CORRIGENDUM, VersionKind.CORRECTION, VersionKind.PUBLISHED]
    assert [len(version.changes) for version in calls.public_record(call.id).changed] == [3, 1]
    place = queries.workplace(again(actors.ana()), reference)
    assert (place.application.call_version, changed.version_number) == (2, 2)
    assert "heat_in_summer" in {q.question.key for q in place.dossier.sections[0].questions}
