"""How the names of the evaluators of a call are published."""

from __future__ import annotations

from wtforms import RadioField

from grants.awards.rules.experts import NamesPage
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

    def offering(self, page: NamesPage) -> NamesForm:
        """The same form without what would be refused whoever is left out: so few names stand beside no call."""
        if page.few:
            self.shown.choices = [each for each in self.shown.choices if each.value != NamesShown.CALL.value]
        return self
