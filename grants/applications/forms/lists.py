"""Forms about lists of applications: what an address asks for, and lists that are kept."""

from __future__ import annotations

from werkzeug.datastructures import MultiDict
from wtforms import BooleanField, SelectField, StringField

from grants.applications.rules.listing import Listing, read_listing
from grants.applications.rules.saving import SavedListInput, Sharing
from grants.web.forms import Form


def listing_of(arguments: MultiDict[str, str]) -> Listing:
    """The list an address asks for; what it does not understand stands in its problems."""
    return read_listing(arguments.items(multi=True))


class _SharingFields(Form):
    """With whom a kept list is shared."""

    call = SelectField("Share with the team of a call", validate_choice=False)
    role = SelectField("Only with those who are", validate_choice=False)

    def to_sharing(self) -> Sharing:
        """What was chosen; an unknown call or role is refused by the act."""
        return Sharing(self.call.data or "", self.role.data or "")


class SaveListForm(_SharingFields):
    """The name of a list to be kept, or which kept one it takes the place of."""

    name = StringField("Name of the list", description="For example: To check, Poland.")
    instead = SelectField("Or in place of", validate_choice=False)
    first = BooleanField("Open the list of applications with it")

    def to_input(self, address: str) -> SavedListInput:
        """What was typed, with the list as the page had it."""
        return SavedListInput(self.name.data or "", address, self.to_sharing())


class SharingForm(_SharingFields):
    """With whom a kept list is shared from now on."""


class ListNameForm(Form):
    """Another name for a kept list."""

    name = StringField("Name of the list")
