"""Form of the advice beside the official list."""

from __future__ import annotations

from wtforms import IntegerField

from grants.web.forms import Form, Needed


class AdviceForm(Form):
    """What the advice beside the list is asked for."""

    places = IntegerField(
        "How many applications could be funded",
        [Needed("Write a whole number from 1 to 2000.")],
        description="The advice says how likely each application is among the best so many.",
    )
