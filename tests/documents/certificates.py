"""Certificates and signed PDFs for tests: an authority of their own, made anew each run; nobody outside trusts it."""

from __future__ import annotations

import functools
import io
from datetime import UTC, datetime, timedelta

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import BestAvailableEncryption, pkcs12
from cryptography.x509.oid import NameOID, ObjectIdentifier

from grants.documents.pdf.signed import apart

PASSWORD = "invented password"
# “This certificate is qualified”, as a certificate says it of itself.
_QUALIFIED = x509.UnrecognizedExtension(
    ObjectIdentifier("1.3.6.1.5.5.7.1.3"), bytes.fromhex("300a3008060604008e460101")
)


def _certificate(
    name: str, key: ec.EllipticCurvePrivateKey, by: tuple[x509.Certificate, ec.EllipticCurvePrivateKey] | None, *,
    days: int = 365, qualified: bool = False,
) -> x509.Certificate:  # fmt: skip
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(by[0].subject if by else subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=400))
        .not_valid_after(now + timedelta(days=days))
        .add_extension(x509.BasicConstraints(ca=by is None, path_length=None), critical=True)
        .add_extension(
            x509.KeyUsage(
                digital_signature=True, content_commitment=by is not None, key_encipherment=False, data_encipherment=False,
                key_agreement=False, key_cert_sign=by is None, crl_sign=by is None, encipher_only=False,
                decipher_only=False,
            ),
            critical=True,
        )
    )  # fmt: skip
    if qualified:
        made = made.add_extension(_QUALIFIED, critical=False)
    return made.sign(by[1] if by else key, hashes.SHA256())


@functools.cache
def _authority() -> tuple[x509.Certificate, ec.EllipticCurvePrivateKey]:
    key = ec.generate_private_key(ec.SECP256R1())
    return _certificate("Invented Authority", key, None), key


@functools.cache
def key_file(name: str = "Maya Mayor", *, days: int = 365, qualified: bool = False) -> bytes:
    """A PKCS#12 file of somebody, opened by :data:`PASSWORD`."""
    key = ec.generate_private_key(ec.SECP256R1())
    certificate = _certificate(name, key, _authority(), days=days, qualified=qualified)
    return pkcs12.serialize_key_and_certificates(
        b"test", key, certificate, [_authority()[0]], BestAvailableEncryption(PASSWORD.encode())
    )


def signed(data: bytes, name: str = "Maya Mayor", *, field: str = "Signature1", qualified: bool = False) -> bytes:
    """A PDF signed by somebody, as a signing program does it: what was there stays, the signature comes after it."""
    from pyhanko.pdf_utils.incremental_writer import IncrementalPdfFileWriter
    from pyhanko.sign import signers
    from pyhanko.sign.fields import SigSeedSubFilter

    signer = signers.SimpleSigner.load_pkcs12_data(
        key_file(name, qualified=qualified), other_certs=[], passphrase=PASSWORD.encode()
    )
    written = io.BytesIO()
    told = signers.PdfSignatureMetadata(field_name=field, subfilter=SigSeedSubFilter.PADES)
    apart(lambda: signers.sign_pdf(IncrementalPdfFileWriter(io.BytesIO(data)), told, signer=signer, output=written))
    return written.getvalue()
