"""Files handed out: under their own name, as data, never run by the browser."""

from __future__ import annotations

import hashlib
from datetime import UTC, datetime
from uuid import uuid4

import pytest
from flask import Flask

from grants.core import file_store, files
from grants.core.errors import NotFound, Refused
from grants.core.files import FileView
from grants.web.downloads import send

BYTES = b"%PDF-1.7 an agreement"


def stored(app: Flask, name: str, media_type: str) -> FileView:
    sha256 = hashlib.sha256(BYTES).hexdigest()
    with app.app_context():
        place = file_store.place_of(sha256)
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_bytes(BYTES)
    return FileView(
        uuid4(), "grant", uuid4(), "agreement", name, media_type, len(BYTES), sha256, 1, datetime.now(UTC), None
    )


def headers_of(app: Flask, file: FileView, **request_headers: str) -> tuple[int, bytes, dict[str, str]]:
    with app.test_request_context("/grants/x/files/y", headers=request_headers):
        answer = send(file)
        answer.direct_passthrough = False
        found = answer.status_code, answer.get_data(), dict(answer.headers)
        answer.close()
    return found


def test_a_file_comes_whole_under_its_own_name(app: Flask) -> None:
    status, data, headers = headers_of(app, stored(app, "Umowa Łódź.pdf", "application/pdf"))

    assert (status, data) == (200, BYTES)
    assert headers["Content-Type"] == "application/pdf"
    assert headers["Content-Disposition"].startswith("attachment; ")
    assert "filename*=UTF-8''Umowa%20%C5%81%C3%B3d%C5%BA.pdf" in headers["Content-Disposition"]


def test_a_browser_never_guesses_or_runs_it(app: Flask) -> None:
    _, _, headers = headers_of(app, stored(app, "page.html", "text/html"))

    assert headers["Content-Type"] == "application/octet-stream"
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["Content-Security-Policy"] == "sandbox; default-src 'none'"


def test_the_fingerprint_says_whether_it_changed(app: Flask) -> None:
    file = stored(app, "a.pdf", "application/pdf")

    _, _, headers = headers_of(app, file)
    status, _, _ = headers_of(app, file, **{"If-None-Match": headers["ETag"]})

    assert headers["ETag"] == f'"{file.sha256}"'
    assert status == 304


def test_a_file_with_other_bytes_than_were_stored_is_not_handed_out(app: Flask) -> None:
    file = stored(app, "a.pdf", "application/pdf")
    with app.app_context():
        files.path(file).write_bytes(BYTES.replace(b"an", b"no"))

    with pytest.raises(Refused, match="not those it was stored with"):
        headers_of(app, file)


def test_a_file_gone_from_the_disk_is_not_there(app: Flask) -> None:
    file = stored(app, "a.pdf", "application/pdf")
    with app.app_context():
        files.path(file).unlink()

    with app.test_request_context(), pytest.raises(NotFound):
        send(file)
