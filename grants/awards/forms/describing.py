"""What is published of an award in words."""

from __future__ import annotations

from wtforms import TextAreaField

from grants.awards.rules.describing import DESCRIPTION_CHARACTERS_MAX, DescribedAward
from grants.web.forms import CharactersMax, ContestedForm, Needed


class DescriptionForm(ContestedForm):
    """The description of one award; ``version`` is the number of the one that was seen."""

    text = TextAreaField(
        "What everybody reads of it",
        [Needed("Write in a few sentences what the pilot does."), CharactersMax(DESCRIPTION_CHARACTERS_MAX)],
    )

    @classmethod
    def of(cls, award: DescribedAward) -> DescriptionForm:
        """The form as it begins."""
        return cls(formdata=None, data={"text": award.start, "version": str(award.number)})
