"""Whom a complaint about a result goes to: an address beside the pages of this service, and the body that decides it."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class ComplaintsTo:
    """Where one writes who cannot or may not complain here, and who decides; either may be empty."""

    address: str = ""
    decided_by: str = ""

    def sentences(self, *, taken_here: bool) -> tuple[str, ...]:
        """In words, as everybody reads them; ``taken_here`` where the call has a complaint window of its own.

        >>> ComplaintsTo("redress@pilots.example", "the appeals board").sentences(taken_here=True)[0]
        'One complains on the page of the application; who cannot do that writes to redress@pilots.example.'
        >>> ComplaintsTo(decided_by="the appeals board").sentences(taken_here=True)
        ('A complaint is decided by the appeals board.',)
        """
        where = ""
        if self.address:
            way = (
                "One complains on the page of the application; who cannot do that writes to"
                if taken_here
                else "Write to"
            )
            where = f"{way} {self.address.rstrip(' .')}."
        elif self.decided_by and not taken_here:
            where = TO_THE_HELPDESK
        by = f"A complaint is decided by {self.decided_by.rstrip(' .')}." if self.decided_by else ""
        return tuple(filter(None, (where, by)))

    @property
    def not_here(self) -> str:
        """Why nothing is taken on the pages here, and the way there is.

        >>> ComplaintsTo().not_here
        'This call takes no complaints here. One complains to the helpdesk, by “Ask the helpdesk” on the page of the application.'
        """
        return " ".join((NOT_TAKEN_HERE, *(self.sentences(taken_here=False) or (TO_THE_HELPDESK,))))

    @property
    def words(self) -> str:
        """Beside its label, and the same whether or not the call takes complaints here.

        >>> ComplaintsTo("redress@pilots.example", "the appeals board.").words
        'redress@pilots.example; decided by the appeals board'
        """
        by = f"decided by {self.decided_by.rstrip(' .')}" if self.decided_by else ""
        return "; ".join(filter(None, (self.address.rstrip(" ."), by)))


NOT_TAKEN_HERE = "This call takes no complaints here."
TO_THE_HELPDESK = "One complains to the helpdesk, by “Ask the helpdesk” on the page of the application."
# What a call that says nothing has.
HELPDESK = ComplaintsTo()
