"""Every rule a pay run and its file are held against, as data: what is wrong, the limit, why it is one, and the way out. Pure.

Where the rules come from: the guidelines of the European Payments Council for credit transfers from customer to bank (EPC132-08) and
its rulebook (EPC125-05), as summaries of them tell; the originals are to be read before this checks a first real file. Lengths are
those of ISO 20022. A bank may ask for more: its own guide goes before.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from grants.core.money import Money

ID_LENGTH = 35
NAME_LENGTH = 70
REMITTANCE_LENGTH = 140
ADDRESS_LENGTHS: Mapping[str, int] = {"street": 70, "building": 16, "postcode": 16, "town": 35}
LEAST = Money(1)
MOST = Money(999_999_999_99)
# What one file holds at most: five thousand orders are built, checked and written in one job.
TRANSFERS_MAX = 5_000


class Weight(StrEnum):
    """What a finding does: stop the file, ask for a look, or only tell."""

    REFUSED = "refused"
    WARNING = "warning"
    NOTE = "note"


class Code(StrEnum):
    """The name of a rule, fit for an address."""

    RUN_EMPTY = "run-empty"
    RUN_LONG = "run-too-long"
    ID_LENGTH = "id-length"
    ID_CHARACTERS = "id-characters"
    ID_SLASHES = "id-slashes"
    ID_TWICE = "id-twice"
    ID_USED = "id-used-before"
    AMOUNT_SMALL = "amount-too-small"
    AMOUNT_LARGE = "amount-too-large"
    AMOUNT_DECIMALS = "amount-decimals"
    CURRENCY = "currency"
    SERVICE_LEVEL = "service-level"
    CHARGE_BEARER = "charge-bearer"
    NAME_MISSING = "name-missing"
    NAME_LENGTH = "name-length"
    TEXT_CHARACTERS = "text-characters"
    REMITTANCE_LENGTH = "remittance-length"
    IBAN = "iban"
    IBAN_OUTSIDE = "iban-outside-sepa"
    OWN_ACCOUNT = "own-account"
    BIC = "bic"
    BIC_COUNTRY = "bic-of-another-country"
    ADDRESS_LINES = "address-unstructured"
    ADDRESS_TOWN = "address-town"
    ADDRESS_COUNTRY = "address-country"
    ADDRESS_LENGTH = "address-length"
    DAY_PAST = "day-past"
    DAY_CLOSED = "day-closed"
    SAME_PAYMENT = "same-payment"
    TEXT_REWRITTEN = "text-rewritten"
    TEXT_CUT = "text-cut"
    TEXT_LOST = "text-lost"
    FILE_STRUCTURE = "file-structure"
    FILE_LAYOUT = "file-version"
    FILE_COUNT = "file-count"
    FILE_SUM = "file-sum"
    FILE_DIFFERS = "file-differs"


@dataclass(frozen=True, slots=True)
class Rule:
    """One rule in sentences for the person who must mend what it refuses."""

    what: str
    limit: str
    why: str
    way_out: str
    weight: Weight = Weight.REFUSED


@dataclass(frozen=True, slots=True)
class Finding:
    """Something a rule says about one place of a run or its file."""

    code: Code
    where: str
    what: str

    @property
    def rule(self) -> Rule:
        """The rule in full."""
        return RULES[self.code]

    @property
    def refuses(self) -> bool:
        """Whether no file may leave with it."""
        return self.rule.weight is Weight.REFUSED

    @property
    def words(self) -> str:
        """What is wrong, the limit and the way out, as sentences.

        >>> Finding(Code.DAY_PAST, "The run", "the execution day is 1 March 2027.").words
        'The run: the execution day is 1 March 2027. The day is today or later. Choose another execution day.'
        """
        return f"{self.where}: {self.what} {self.rule.limit} {self.rule.way_out}"


RULES: Mapping[Code, Rule] = {
    Code.RUN_EMPTY: Rule(
        "The run holds no payment.",
        "A run has one payment at least.",
        "A file without payments is refused by its schema.",
        "Add an authorised order to the run.",
    ),
    Code.RUN_LONG: Rule(
        "The run holds too many payments.",
        f"A run has at most {TRANSFERS_MAX:,} payments.".replace(",", "\u00a0"),
        "What is too long to be looked through is not approved by people, and banks limit the size of a file.",
        "Make two runs.",
    ),
    Code.ID_LENGTH: Rule(
        "An identifier is missing or too long.",
        f"An identifier has 1 to {ID_LENGTH} characters.",
        "A longer one is cut on its way, and the payment is not found again on the statement.",
        "Prepare the order anew, so that it gets another reference.",
    ),
    Code.ID_CHARACTERS: Rule(
        "An identifier holds a character that banks do not pass on.",
        "Allowed are a to z, A to Z, 0 to 9, the space and / - ? : ( ) . , ' +.",
        "Banks replace or refuse other characters, and the payment is not found again on the statement.",
        "Prepare the order anew, so that it gets another reference.",
    ),
    Code.ID_SLASHES: Rule(
        "An identifier begins or ends with a slash, or has two in a row.",
        "A slash stands between other characters, one at a time.",
        "In messages between banks a slash at an end and a double slash part fields.",
        "Prepare the order anew, so that it gets another reference.",
    ),
    Code.ID_TWICE: Rule(
        "Two payments of the run have the same identifier.",
        "Each payment has an identifier of its own.",
        "A line of the statement is matched by it: with two, nobody knows which was paid.",
        "Take one of the two out of the run.",
    ),
    Code.ID_USED: Rule(
        "An identifier stands in an earlier file.",
        "An identifier is used once, for ever.",
        "Banks refuse a message they think they have seen; where they do not, a payment leaves twice.",
        "Look at the earlier file first. A payment that came back is made by a new order.",
    ),
    Code.AMOUNT_SMALL: Rule(
        "An amount is below one cent.",
        f"An amount is {LEAST} or more.",
        "The schema of the message accepts zero; banks refuse the whole file for it.",
        "Take the payment out of the run.",
    ),
    Code.AMOUNT_LARGE: Rule(
        "An amount is too large for a SEPA credit transfer.",
        f"An amount is at most {MOST}.",
        "It is the largest amount of the scheme.",
        "Pay it in parts by several orders, or by an urgent payment of your bank.",
    ),
    Code.AMOUNT_DECIMALS: Rule(
        "An amount is not written with two decimals.",
        "An amount has digits, a point and two decimals.",
        "The schema of the message accepts more decimals; what a bank does with them nobody can say.",
        "Build the file again; tell whoever runs the system.",
    ),
    Code.CURRENCY: Rule(
        "An amount is not in euros.",
        "SEPA pays in EUR alone.",
        "Another currency is another kind of payment, with charges and an exchange rate.",
        "Pay it by your bank’s own form, and book it there.",
    ),
    Code.SERVICE_LEVEL: Rule(
        "The service level is another than SEPA.",
        "The service level is SEPA.",
        "With another the bank may make an urgent or foreign payment of it, with charges.",
        "Build the file again; tell whoever runs the system.",
    ),
    Code.CHARGE_BEARER: Rule(
        "The charges are divided in another way than SEPA does.",
        "The charges are SLEV: each side pays its own bank.",
        "No other way is allowed in SEPA; under another the city gets less than was decided.",
        "Build the file again; tell whoever runs the system.",
    ),
    Code.NAME_MISSING: Rule(
        "A name is missing, or none of it can be written in the letters banks read.",
        "Payer and payee have a name.",
        "The payee’s bank compares the name with the account before it pays.",
        "Enter the account with the holder’s name in Latin letters, as the bank’s document says it.",
    ),
    Code.NAME_LENGTH: Rule(
        "A name is too long.",
        f"A name has at most {NAME_LENGTH} characters.",
        "The schema of the message accepts 140; SEPA carries 70.",
        "Enter the account with the shorter name the bank’s document says.",
    ),
    Code.TEXT_CHARACTERS: Rule(
        "A text holds a character that banks do not pass on.",
        "Allowed are a to z, A to Z, 0 to 9, the space and / - ? : ( ) . , ' +.",
        "The schema of the message accepts every character; banks replace it or refuse the file.",
        "Build the file again, which rewrites it; if that does not help, correct the text in its record.",
    ),
    Code.REMITTANCE_LENGTH: Rule(
        "The words for the payee are too long.",
        f"They have at most {REMITTANCE_LENGTH} characters.",
        "More is not carried by SEPA.",
        "Shorten the words of the order.",
    ),
    Code.IBAN: Rule(
        "An IBAN cannot be right.",
        "An IBAN has the length and the check digits of its country.",
        "The schema of the message looks at its form alone; the bank refuses it, or somebody else is paid.",
        "Enter the account again from the bank’s document, and have it confirmed.",
    ),
    Code.IBAN_OUTSIDE: Rule(
        "An account lies in a country that SEPA may not reach.",
        "SEPA reaches the countries of the Union, the EEA and those that joined its schemes.",
        "Accounts of other countries are paid by foreign payments, with charges.",
        "Ask your bank, or ask the payee for an account within SEPA.",
        Weight.WARNING,
    ),
    Code.OWN_ACCOUNT: Rule(
        "The payee’s account is the one that pays.",
        "Money leaves to another account.",
        "A payment to oneself is booked as paid and reaches nobody.",
        "Enter the payee’s own account, and have it confirmed.",
    ),
    Code.BIC: Rule(
        "A BIC cannot be right.",
        "A BIC has 8 or 11 capital letters and digits. In version 03 its seventh is no 0 or 1 and its eighth no O.",
        "The file is refused by its schema.",
        "Enter the account again without a BIC: within SEPA the IBAN is enough.",
    ),
    Code.BIC_COUNTRY: Rule(
        "BIC and IBAN name different countries.",
        "They mostly name the same.",
        "It is right for some territories, and the sign of a mistyped or false account elsewhere.",
        "Compare both with the bank’s document.",
        Weight.WARNING,
    ),
    Code.ADDRESS_LINES: Rule(
        "An address is given in lines instead of parts.",
        "An address has town and country in fields of their own.",
        "Since 15 November 2026 banks refuse addresses in lines.",
        "Enter the address in its parts, or leave it out.",
    ),
    Code.ADDRESS_TOWN: Rule(
        "An address has no town.",
        "Where any part of an address is given, its town is.",
        "Since 15 November 2026 banks refuse an address without town and country.",
        "Enter the town, or leave the address out.",
    ),
    Code.ADDRESS_COUNTRY: Rule(
        "An address has no country, or one that does not exist.",
        "Where any part of an address is given, so is its country, by the two letters of ISO 3166.",
        "Since 15 November 2026 banks refuse an address without town and country.",
        "Enter the country by its two letters (Greece is GR), or leave the address out.",
    ),
    Code.ADDRESS_LENGTH: Rule(
        "A part of an address is too long.",
        "Street 70 characters, building and postcode 16 each, town 35.",
        "The file is refused by its schema.",
        "Shorten it in the record of the organisation.",
    ),
    Code.DAY_PAST: Rule(
        "The execution day is past.",
        "The day is today or later.",
        "Banks move it without asking or refuse the file.",
        "Choose another execution day.",
    ),
    Code.DAY_CLOSED: Rule(
        "Banks do not pay on the execution day.",
        "The day is a weekday on which TARGET is open.",
        "Banks move it without asking or refuse the file, and the due day may be missed.",
        "Choose another execution day.",
    ),
    Code.SAME_PAYMENT: Rule(
        "Two payments of the run are of the same amount to the same account.",
        "It may be right: two grants, two instalments.",
        "It is how a payment made twice looks.",
        "Compare the orders before the file leaves.",
        Weight.WARNING,
    ),
    Code.TEXT_REWRITTEN: Rule(
        "A text is written in other letters.",
        "Banks read Latin letters without accents.",
        "The record keeps the text as it is; the file alone is written so.",
        "Nothing is to be done.",
        Weight.NOTE,
    ),
    Code.TEXT_CUT: Rule(
        "A text was cut to the length banks carry.",
        f"Names have {NAME_LENGTH} characters, words for the payee {REMITTANCE_LENGTH}, a town 35.",
        "The rest would be cut on its way, unseen.",
        "Look whether what is left still tells whom and why.",
        Weight.WARNING,
    ),
    Code.TEXT_LOST: Rule(
        "A character cannot be written in the letters banks read and was left out.",
        "Latin, Greek and Cyrillic letters can be written.",
        "Left in, the bank replaces it or refuses the file.",
        "Look whether what is left still tells whom and why.",
        Weight.WARNING,
    ),
    Code.FILE_STRUCTURE: Rule(
        "The file cannot be read as one payment message.",
        "A file holds one group and one payment block in the order of its schema.",
        "A file that cannot be read back is not sent.",
        "Build the file again; tell whoever runs the system.",
    ),
    Code.FILE_LAYOUT: Rule(
        "The file is of another version than the account is set to.",
        "Versions 03 and 09 are written, whichever the bank asks for.",
        "A bank refuses a version it does not expect.",
        "Build the file again.",
    ),
    Code.FILE_COUNT: Rule(
        "The number of payments the file names is not how many it holds.",
        "The number stands twice, in the head and in the payment block, and is right in both.",
        "The schema of the message does not count; banks refuse the file, and an altered one looks so.",
        "Build the file again; tell whoever runs the system.",
    ),
    Code.FILE_SUM: Rule(
        "The control sum of the file is not the sum of its payments.",
        "The sum stands twice, in the head and in the payment block, and is right in both.",
        "The schema of the message does not add; banks refuse the file, and an altered one looks so.",
        "Build the file again; tell whoever runs the system.",
    ),
    Code.FILE_DIFFERS: Rule(
        "The file says something else than the run that was approved.",
        "A file says what its run says, to the letter.",
        "What was approved is what is paid.",
        "Do not send it. Build the file again; tell whoever runs the system.",
    ),
}
