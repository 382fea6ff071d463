"""Electronic signatures in PDF files: read from what was uploaded, and given for the programme. In workers only."""

from __future__ import annotations

import hashlib
import io
import logging
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from grants.agreements.rules import FIELDS_MAX, FieldFound, Findings
from grants.agreements.states import OfferedPages
from grants.core.errors import Refused
from grants.core.pdf_checks import library

# Methods by which another text with the same fingerprint can be made.
_WEAK = {"md5", "sha1"}
# That a certificate calls itself qualified (ETSI EN 319 412-5, statement 1), as it is written in it.
_QUALIFIED = bytes.fromhex("0606 04008e460101".replace(" ", ""))
_QUALIFIED_OF = "1.3.6.1.5.5.7.1.3"
# What of a page says nothing about how it looks, or leads out of it.
_NOT_SHOWN = {"/Parent", "/Annots", "/StructParents", "/Tabs", "/Metadata", "/LastModified", "/PieceInfo"}
_INHERITED = ("/MediaBox", "/CropBox", "/Rotate", "/Resources")
_PACKING = ("/Length", "/Filter", "/DecodeParms")
DEPTH_MAX = 60
UNREADABLE = "The program could not read this file as a signed PDF to its end"


def read(path: Path, offered: Path) -> Findings:
    """What stands in a signed document, and whether its pages are those of the offer. Whatever it holds, this answers."""
    try:
        pages = _pages(path, offered)
    except Exception:  # hostile bytes end libraries in any way; that it could not be read is the finding
        return Findings((), OfferedPages.UNREAD, f"{UNREADABLE}: its pages cannot be read.")
    try:
        return Findings(tuple(_fields(path)), pages)
    except Exception:  # as above
        return Findings((), pages, f"{UNREADABLE}: its signatures cannot be read.")


# ---------------------------------------------------------------------------------------------- pages


def _pages(path: Path, offered: Path) -> OfferedPages:
    """Page by page what is drawn, by the bytes that say it; beside signatures nothing may lie on a page."""
    pikepdf = library()
    with pikepdf.open(offered) as ours, pikepdf.open(path) as theirs:
        if len(ours.pages) != len(theirs.pages) or _layers(ours) != _layers(theirs):
            return OfferedPages.OTHER
        for mine, other in zip(ours.pages, theirs.pages, strict=True):
            if _look(mine.obj) != _look(other.obj) or not _only_signatures(mine.obj, other.obj):
                return OfferedPages.OTHER
    data = offered.read_bytes()
    with path.open("rb") as file:
        return OfferedPages.WHOLE if file.read(len(data)) == data else OfferedPages.SAME


def _layers(pdf: Any) -> str:
    found = pdf.Root.get("/OCProperties")
    return "" if found is None else _digest(found)


def _look(page: Any) -> str:
    """A fingerprint of everything that is drawn on a page."""
    seen = hashlib.sha256()
    for name in _INHERITED:
        seen.update(f"{name}={_digest(_inherited(page, name))};".encode())
    for name in sorted(map(str, page.keys())):
        if name not in _NOT_SHOWN and name not in _INHERITED:
            seen.update(f"{name}={_digest(page[name])};".encode())
    return seen.hexdigest()


def _inherited(page: Any, name: str) -> Any:
    at, steps = page, 0
    while at is not None and steps < DEPTH_MAX:
        if name in at:
            return at[name]
        at, steps = at.get("/Parent"), steps + 1
    return None


def _only_signatures(ours: Any, theirs: Any) -> bool:
    """Whether what lies on a page is what lay there before, and signatures."""
    before = {_digest(each) for each in ours.get("/Annots", ())}
    for each in theirs.get("/Annots", ()):
        kind = each.get("/FT") or (each["/Parent"].get("/FT") if "/Parent" in each else None)
        signature = str(each.get("/Subtype")) == "/Widget" and str(kind) == "/Sig"
        if not signature and _digest(each) not in before:
            return False
    return True


def _unpacked(stream: Any) -> bytes:
    """What a stream holds; a picture, which is packed by what it shows, as it stands."""
    from pikepdf import PdfError

    try:
        data: bytes = stream.read_bytes()
    except PdfError:
        data = b"packed" + stream.read_raw_bytes() + repr(stream.get("/DecodeParms")).encode()
    return data


def _digest(thing: Any) -> str:
    return hashlib.sha256(b"".join(_spelled(thing, frozenset(), 0))).hexdigest()


def _spelled(thing: Any, above: frozenset[tuple[int, int]], depth: int) -> Iterator[bytes]:
    """A thing of a PDF in one spelling, whatever the numbers of its objects are."""
    pikepdf = library()
    if depth > DEPTH_MAX:
        raise ValueError("too deep")
    if isinstance(thing, pikepdf.Object) and thing.is_indirect:
        if thing.objgen in above:
            yield b"^"
            return
        above |= {thing.objgen}
    if isinstance(thing, pikepdf.Stream):
        yield b"stream" + hashlib.sha256(_unpacked(thing)).digest()
    if isinstance(thing, pikepdf.Dictionary | pikepdf.Stream):
        for key in sorted(map(str, thing.keys())):
            # How it is packed says nothing; back to its page leads what lies on one.
            if key not in _PACKING and key not in ("/P", "/Parent"):
                yield key.encode() + b":"
                yield from _spelled(thing[key], above, depth + 1)
    elif isinstance(thing, pikepdf.Array):
        for each in thing:
            yield b","
            yield from _spelled(each, above, depth + 1)
    else:
        yield repr(thing).encode() if isinstance(thing, pikepdf.Object) else str(thing).encode()


# ---------------------------------------------------------------------------------------------- signatures


def _fields(path: Path) -> Iterator[FieldFound]:
    """Every signature of the file; no trust list, no certificate and no revocation list is asked for."""
    from pyhanko.pdf_utils.reader import PdfFileReader

    # What it says of files that are wrong stands in the findings.
    logging.getLogger("pyhanko").setLevel(logging.CRITICAL)
    with path.open("rb") as file:
        reader = PdfFileReader(file, strict=False)
        found = reader.embedded_regular_signatures
        if len(found) > FIELDS_MAX:
            raise ValueError("more signatures than a document has")
        for each in found:
            yield _field(each)


def _field(signature: Any) -> FieldFound:
    from pyhanko.sign.diff_analysis import ModificationLevel
    from pyhanko.sign.validation.generic_cms import validate_sig_integrity
    from pyhanko.sign.validation.status import SignatureCoverageLevel

    certificate = signature.signer_cert
    signature.compute_integrity_info()
    intact, valid = validate_sig_integrity(
        signature.signer_info, certificate, expected_content_type="data", actual_digest=signature.compute_digest()
    )
    changed = signature.summarise_integrity_info()["diff_result"]
    return FieldFound(
        field=str(signature.field_name),
        signer=_name(certificate.subject),
        issuer=_name(certificate.issuer),
        said_at=signature.self_reported_timestamp,
        is_intact=bool(intact and valid),
        covers_all=signature.coverage in (SignatureCoverageLevel.ENTIRE_FILE, SignatureCoverageLevel.ENTIRE_REVISION),
        is_changed_after=getattr(changed, "modification_level", ModificationLevel.OTHER).value
        > ModificationLevel.FORM_FILLING.value,
        says_qualified=any(
            each["extn_id"].dotted == _QUALIFIED_OF and _QUALIFIED in each["extn_value"].contents
            for each in certificate["tbs_certificate"]["extensions"]
        ),
        is_weak=signature.md_algorithm in _WEAK,
    )


def _name(who: Any) -> str:
    """Whom a certificate names, on one line."""
    found = who.native.get("common_name") or who.human_friendly
    text = " ".join(str(found if not isinstance(found, list) else found[0]).split())
    return text[:200]


# ---------------------------------------------------------------------------------------------- given by the programme

FIELD = "Programme"


def certified(data: bytes, key: bytes, password: str) -> bytes:
    """A PDF with a signature of the programme (PAdES, baseline B: no time stamp authority is asked); raises :class:`Refused`."""
    from pyhanko.pdf_utils.incremental_writer import IncrementalPdfFileWriter
    from pyhanko.sign import signers
    from pyhanko.sign.fields import SigSeedSubFilter

    try:
        signer = signers.SimpleSigner.load_pkcs12_data(key, other_certs=[], passphrase=password.encode())
    except ValueError as error:
        raise Refused(NOT_OPENED) from error
    if signer is None:
        raise Refused(NOT_OPENED)
    written = io.BytesIO()
    told = signers.PdfSignatureMetadata(field_name=FIELD, subfilter=SigSeedSubFilter.PADES, md_algorithm="sha256")
    apart(lambda: signers.sign_pdf(IncrementalPdfFileWriter(io.BytesIO(data)), told, signer=signer, output=written))
    return written.getvalue()


def apart(work: Callable[[], Any]) -> Any:
    """Do it in a thread of its own: the library runs an event loop for it, and a thread has one at most."""
    with ThreadPoolExecutor(1) as alone:
        return alone.submit(work).result()


NOT_OPENED = "The file of PROGRAMME_SIGNING_KEY is not opened by its password. `grants doctor` says what is wrong; then start this job again."
