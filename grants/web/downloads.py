"""One way to hand out a stored file: as an attachment, under its own name, never run by the browser."""

from __future__ import annotations

import io

from flask import Response, send_file

from grants.core import files
from grants.core.file_types import MEDIA, FileType
from grants.core.files import FileView

# Shown as plain data where a browser might otherwise run or render what somebody uploaded.
_OPAQUE = "application/octet-stream"
_SAFE = (
    "application/pdf",
    "application/json",
    "application/zip",
    "application/vnd.openxmlformats-officedocument.",
    "image/jpeg",
    "image/png",
    "text/csv",
    "text/plain",
)


def send(file: FileView) -> Response:
    """The file itself, once its bytes are known to be those its SHA-256, which is the ETag, names. The view has asked before whether this person may have it."""
    response = send_file(
        files.genuine(file),
        mimetype=file.media_type if file.media_type.startswith(_SAFE) else _OPAQUE,
        as_attachment=True,
        download_name=file.name,
        etag=file.sha256,
        conditional=True,
    )
    response.headers["X-Content-Type-Options"] = "nosniff"
    response.headers["Content-Security-Policy"] = "sandbox; default-src 'none'"
    return response


def hand_over(made: bytes, kind: FileType, name: str) -> Response:
    """A file made at this moment for whoever asked, as an attachment."""
    response = send_file(io.BytesIO(made), mimetype=MEDIA[kind], as_attachment=True, download_name=name)
    response.headers["X-Content-Type-Options"] = "nosniff"
    return response
