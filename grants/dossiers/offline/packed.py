"""What both files are inside: packed XML, read within bounds; entities are refused here once more."""

from __future__ import annotations

from xml.parsers import expat

from grants.core.errors import Invalid

# The same bytes whenever it is made.
MOMENT = (2000, 1, 1, 0, 0, 0)
PART_BYTES_MAX = 20_000_000
# A word in a table in a text box stands some thirty elements deep.
DEPTH_MAX = 100


def refuse_odd(part: bytes) -> None:
    """No entities of its own, and nothing packed into itself so deep that reading it would take for ever."""
    depth = 0

    def starts(*_: object) -> None:
        nonlocal depth
        depth += 1
        if depth > DEPTH_MAX:
            raise Invalid(
                f"Something in the file stands more than {DEPTH_MAX} times inside each other. "
                "Download the form again and write into its boxes."
            )

    def ends(*_: object) -> None:
        nonlocal depth
        depth -= 1

    def refuses(*_: object) -> None:
        raise Invalid("The file has its own XML entities, which are never read. Save it again and upload that.")

    parser = expat.ParserCreate()
    parser.StartDoctypeDeclHandler = parser.EntityDeclHandler = refuses
    parser.StartElementHandler, parser.EndElementHandler = starts, ends
    parser.Parse(part, True)
