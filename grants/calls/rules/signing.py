"""Who writes and signs the letters of decision of a call, from where, and whom one asks about them."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Signing:
    """What stands around the words of a letter as the programme lays it down; empty: what the register says of it.

    ``address`` is written in one line with commas; a letter breaks it at them.
    """

    signed_by: str = ""
    role: str = ""
    organisation: str = ""
    address: str = ""
    place: str = ""
    contact: str = ""

    @property
    def address_lines(self) -> tuple[str, ...]:
        """The address as it stands over a letter.

        >>> Signing(address="Rue de la Loi 1, 1000 Brussels , Belgium").address_lines
        ('Rue de la Loi 1', '1000 Brussels', 'Belgium')
        """
        return tuple(filter(None, (each.strip() for each in self.address.split(","))))

    @property
    def sentences(self) -> tuple[str, ...]:
        """In words, as everybody reads them; none where the call says nothing.

        >>> Signing("Ada Byrne", "Head of Pilots", contact="pilots@programme.example").sentences
        ('Letters of decision are signed by Ada Byrne, Head of Pilots.', 'Questions about them go to pilots@programme.example.')
        """
        who = ", ".join(filter(None, (self.signed_by, self.role, self.organisation)))
        by = f"Letters of decision are signed by {who.rstrip(' .')}." if who else ""
        return tuple(
            filter(None, (by, f"Questions about them go to {self.contact.rstrip(' .')}." if self.contact else ""))
        )

    @property
    def words(self) -> str:
        """Beside its label.

        >>> Signing("Ada Byrne", "Head of Pilots", place="Brussels").words
        'Ada Byrne; Head of Pilots; Brussels'
        """
        told = (self.signed_by, self.role, self.organisation, self.address, self.place, self.contact)
        return "; ".join(each.rstrip(" .") for each in told if each)


# What a call that says nothing has: its programme signs.
PROGRAMME_SIGNS = Signing()
