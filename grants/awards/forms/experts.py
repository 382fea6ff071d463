"""How the names of the evaluators of a call are published."""

from __future__ import annotations

from wtforms import RadioField

from grants.awards.states import NamesShown
from grants.web.forms import ContestedForm, Needed, choices

SHOWN_WORDS = {
    NamesShown.CALL: "Beside the call, by name",
    NamesShown.YEAR: "With all evaluators of the year in which the results became public",
    NamesShown.NOWHERE: "Not yet",
}


class NamesForm(ContestedForm):
    """Where the names stand; who is left out stands beside each name."""

    shown = RadioField(
        "Where the names stand",
        choices=choices((each.value, words) for each, words in SHOWN_WORDS.items()),
        validators=[Needed("Choose where the names stand.")],
    )
