"""What an application is found and ordered by in lists, written anew whenever its title, summary or consortium changes."""

from __future__ import annotations

from collections.abc import Sequence

from grants.applications import queries
from grants.applications.models import Application
from grants.applications.rules import searching
from grants.core.db import db
from grants.core.text import fold
from grants.identity import queries as identity
from grants.identity.rules import OrganisationView


def make_findable(application: Application, organisations: Sequence[OrganisationView]) -> None:
    """Fill what lists read, of an application and its organisations, the lead among them."""
    names = [name for each in organisations for name in (each.name, each.local_name or "", each.town or "")]
    said = [application.title, application.acronym or ""]
    application.search_text = fold(" ".join([application.reference, *said, *names]))
    application.search_words = searching.indexed([*said, *names], application.summary or "")
    application.title_key = fold(application.title)
    (lead,) = (each for each in organisations if each.id == application.coordinator_id)
    application.lead_key = fold(lead.town or lead.name)


def refresh_search_text(application: Application, *, is_sent: bool = False) -> None:
    """After a change of title or consortium; what was sent is found as it was until a newer version ``is_sent``."""
    if application.submission_id is not None and not is_sent:
        return
    db.session.flush()
    ids = [partner.organisation_id for partner in queries.partners(application.id)]
    known = identity.organisations(ids)
    make_findable(application, [known[each] for each in ids])
