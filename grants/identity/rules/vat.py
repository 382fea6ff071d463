"""How a VAT number is written in each country: a closed table and the reading of what was typed. Nothing is asked outside.

Source: European Commission, VIES, "What is the format of a VAT number?"
(https://ec.europa.eu/taxation_customs/vies/#/faq), as known in November 2026. Whether a number was given to anybody is
not said by its form: a person validates it. Countries outside VIES have no published form here.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class VatForm:
    """The prefix of a country's numbers, what follows it, and that in words."""

    prefix: str
    pattern: str
    words: str


# By ISO 3166-1 code of the country; the prefix of Greece is EL.
VAT_FORMS: Mapping[str, VatForm] = {
    "AT": VatForm("AT", r"U\d{8}", "ATU and 8 digits"),
    "BE": VatForm("BE", r"[01]\d{9}", "BE and 10 digits, the first 0 or 1"),
    "BG": VatForm("BG", r"\d{9,10}", "BG and 9 or 10 digits"),
    "CY": VatForm("CY", r"\d{8}[A-Z]", "CY, 8 digits and a letter"),
    "CZ": VatForm("CZ", r"\d{8,10}", "CZ and 8 to 10 digits"),
    "DE": VatForm("DE", r"\d{9}", "DE and 9 digits"),
    "DK": VatForm("DK", r"\d{8}", "DK and 8 digits"),
    "EE": VatForm("EE", r"\d{9}", "EE and 9 digits"),
    "ES": VatForm("ES", r"[A-Z]\d{7}[A-Z0-9]|\d{8}[A-Z]", "ES and 9 signs, the first or the last a letter"),
    "FI": VatForm("FI", r"\d{8}", "FI and 8 digits"),
    "FR": VatForm("FR", r"[A-HJ-NP-Z0-9]{2}\d{9}", "FR, 2 letters or digits, and 9 digits"),
    "GR": VatForm("EL", r"\d{9}", "EL and 9 digits"),
    "HR": VatForm("HR", r"\d{11}", "HR and 11 digits"),
    "HU": VatForm("HU", r"\d{8}", "HU and 8 digits"),
    "IE": VatForm("IE", r"\d[A-Z0-9+*]\d{5}[A-Z]|\d{7}[A-W][A-I]", "IE and 8 or 9 signs, the last a letter"),
    "IT": VatForm("IT", r"\d{11}", "IT and 11 digits"),
    "LT": VatForm("LT", r"\d{9}|\d{12}", "LT and 9 or 12 digits"),
    "LU": VatForm("LU", r"\d{8}", "LU and 8 digits"),
    "LV": VatForm("LV", r"\d{11}", "LV and 11 digits"),
    "MT": VatForm("MT", r"\d{8}", "MT and 8 digits"),
    "NL": VatForm("NL", r"[A-Z0-9+*]{12}", "NL and 12 signs"),
    "PL": VatForm("PL", r"\d{10}", "PL and 10 digits"),
    "PT": VatForm("PT", r"\d{9}", "PT and 9 digits"),
    "RO": VatForm("RO", r"\d{2,10}", "RO and 2 to 10 digits"),
    "SE": VatForm("SE", r"\d{12}", "SE and 12 digits"),
    "SI": VatForm("SI", r"\d{8}", "SI and 8 digits"),
    "SK": VatForm("SK", r"\d{10}", "SK and 10 digits"),
}
# Outside the table: letters and digits, so many.
_ANY = re.compile(r"[A-Z0-9]{4,20}")


def vat_number(typed: str, country_code: str) -> str | None:
    """A number in its one spelling, with the prefix of its country; None where it has not the country's form.

    >>> vat_number("123 45 67 890", "PL"), vat_number("gr-123456789", "GR"), vat_number("PL12", "PL")
    ('PL1234567890', 'EL123456789', None)
    """
    plain = re.sub(r"[\s./-]", "", typed.upper())
    form = VAT_FORMS.get(country_code)
    if form is None:
        return plain if _ANY.fullmatch(plain) else None
    for prefix in dict.fromkeys((form.prefix, country_code, "")):
        rest = plain.removeprefix(prefix)
        if plain.startswith(prefix) and re.fullmatch(form.pattern, rest, re.ASCII):
            return form.prefix + rest
    return None


def vat_words(country_code: str) -> str:
    """How a number of that country is written, for the sentence under a field."""
    form = VAT_FORMS.get(country_code)
    return f"In {country_code} it is written {form.words}." if form else "4 to 20 letters and digits."
