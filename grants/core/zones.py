"""Countries as the tz database knows them: which codes there are, and the zone of a capital, for a line on a receipt."""

from __future__ import annotations

from functools import cache
from importlib.resources import files

from grants.core.clock import BRUSSELS

# Member States, countries associated to Horizon Europe, and neighbours; ISO 3166-1, from the tz database's zone.tab.
_CAPITALS = {
    "AL": "Tirane", "AT": "Vienna", "BA": "Sarajevo", "BE": "Brussels", "BG": "Sofia", "CH": "Zurich", "CY": "Nicosia",
    "CZ": "Prague", "DE": "Berlin", "DK": "Copenhagen", "EE": "Tallinn", "EL": "Athens", "ES": "Madrid", "FI": "Helsinki",
    "FR": "Paris", "GB": "London", "GR": "Athens", "HR": "Zagreb", "HU": "Budapest", "IE": "Dublin", "IT": "Rome",
    "LI": "Vaduz", "LT": "Vilnius", "LU": "Luxembourg", "LV": "Riga", "MD": "Chisinau", "ME": "Podgorica",
    "MK": "Skopje", "MT": "Malta", "NL": "Amsterdam", "NO": "Oslo", "PL": "Warsaw", "PT": "Lisbon", "RO": "Bucharest",
    "RS": "Belgrade", "SE": "Stockholm", "SI": "Ljubljana", "SK": "Bratislava", "TR": "Istanbul", "UA": "Kyiv",
    "UK": "London", "XK": "Belgrade",
}  # fmt: skip
_ELSEWHERE = {
    "AM": "Asia/Yerevan", "FO": "Atlantic/Faroe", "GE": "Asia/Tbilisi", "IL": "Asia/Jerusalem", "IS": "Atlantic/Reykjavik",
    "TN": "Africa/Tunis",
}  # fmt: skip

# Every zone of the list, for whoever chooses one; any other IANA name is a zone too.
ZONES = tuple(sorted({f"Europe/{name}" for name in _CAPITALS.values()} | set(_ELSEWHERE.values()) | {"UTC"}))


def zone_of(country_code: str) -> str:
    """The zone of a country's capital; Brussels where the country is not known here.

    >>> zone_of("PT"), zone_of("??")
    ('Europe/Lisbon', 'Europe/Brussels')
    """
    code = country_code.upper()
    if code in _CAPITALS:
        return f"Europe/{_CAPITALS[code]}"
    return _ELSEWHERE.get(code, BRUSSELS)


def is_country(code: str) -> bool:
    """Whether ISO 3166-1 has this code of two letters; “XK” too, which the EU uses for Kosovo.

    >>> is_country("PL"), is_country("XK"), is_country("ZZ")
    (True, True, False)
    """
    return code in _codes()


@cache
def _codes() -> frozenset[str]:
    lines = files("tzdata.zoneinfo").joinpath("iso3166.tab").read_text(encoding="utf-8").splitlines()
    return frozenset({line[:2] for line in lines if line and not line.startswith("#")} | {"XK"})
