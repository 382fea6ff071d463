"""Which time people live by in a country: the IANA zone of its capital, for a line on a receipt and nothing that decides."""

from __future__ import annotations

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
