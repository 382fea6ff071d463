"""How the mails about one letter of decision fared: “sent” is only what a mail server took."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from enum import StrEnum

KEPT_HERE = "Kept here: no mail server is set"


class Mailed(StrEnum):
    """What became of a mail to one person."""

    SENT = "sent"
    KEPT = "kept"
    WAITING = "waiting"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class Recipient:
    """One person of a team and what became of the mail to them; ``why`` it was not sent, where somebody must mend that."""

    name: str
    how: Mailed
    why: str = ""

    @property
    def words(self) -> str:
        """What became of it.

        >>> Recipient("Ana", Mailed.KEPT).words, Recipient("Ana", Mailed.FAILED, "No such mailbox.").words
        ('Kept here: no mail server is set', 'Not delivered: No such mailbox.')
        """
        match self.how:
            case Mailed.SENT:
                return "Sent by mail"
            case Mailed.KEPT:
                return KEPT_HERE
            case Mailed.WAITING:
                return "On the way"
            case Mailed.FAILED:
                return f"Not delivered: {self.why}"


@dataclass(frozen=True, slots=True)
class Delivery:
    """The mails about one letter, the newest to each person of the team."""

    recipients: tuple[Recipient, ...] = ()

    def having(self, how: Mailed) -> int:
        """To how many people it went so."""
        return Counter(each.how for each in self.recipients)[how]

    @property
    def failed(self) -> tuple[Recipient, ...]:
        """Whom none reached."""
        return tuple(each for each in self.recipients if each.how is Mailed.FAILED)

    @property
    def kept(self) -> bool:
        """Whether mails about it are kept here and none left."""
        return self.having(Mailed.KEPT) > 0 and not self.having(Mailed.SENT)

    @property
    def words(self) -> str:
        """What became of the mails in a line; what failed is told beside it.

        >>> Delivery((Recipient("Ana", Mailed.SENT), Recipient("Bo", Mailed.KEPT), Recipient("Cy", Mailed.KEPT))).words
        '1 mail sent. 2 mails kept here: no mail server is set.'
        >>> Delivery().words
        'No mail was asked for.'
        """
        told = {
            Mailed.SENT: "sent.",
            Mailed.WAITING: "on the way.",
            Mailed.KEPT: "kept here: no mail server is set.",
        }
        found = ((self.having(how), words) for how, words in told.items())
        said = [f"{number} {'mail' if number == 1 else 'mails'} {words}" for number, words in found if number]
        return " ".join(said) if said or self.recipients else "No mail was asked for."


NO_MAILS = Delivery()
