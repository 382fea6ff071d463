"""What takes a solver: how far it is, for the pages that show it, and the button that asks for it."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from grants.awards import services
from grants.awards.forms import SolveForm
from grants.awards.views.frame import P
from grants.core import jobs
from grants.core.permissions import Scope
from grants.web.routing import current_actor


@dataclass(frozen=True, slots=True)
class Solving:
    """Something of a page that is not worked out: its newest job, and the button. ``names``: the scenarios it lacks."""

    slug: str
    job: jobs.JobView | None
    form: SolveForm
    may: bool
    names: tuple[str, ...] = ()

    @property
    def working(self) -> bool:
        """Whether a job waits or runs."""
        return self.job is not None and not self.job.is_over

    @property
    def failed(self) -> bool:
        """Whether the newest job came to nothing: it may be asked for again."""
        return self.job is not None and self.job.state in (jobs.JobState.FAILED, jobs.JobState.CANCELLED)


def solving_of(
    call_id: UUID,
    slug: str,
    back: str,
    *,
    names: tuple[str, ...] = (),
    form: SolveForm | None = None,
    question_sha256: bytes = b"",
) -> Solving:
    """What a page says of what is not there yet; ``back`` names the page to come back to.

    ``question_sha256`` is that of what a typed list waits for, which has a job of its own.
    """
    job = services.solving_job(call_id, question_sha256)
    may = current_actor().may(P.SELECTION_DECIDE, Scope.of(("call", call_id)))
    return Solving(slug, job, form or SolveForm(formdata=None, back=back), may, names)
