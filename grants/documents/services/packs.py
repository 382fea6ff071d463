"""The act that packs what an evaluator is to read into one file."""

from __future__ import annotations

import zipfile
from collections.abc import Iterator, Sequence
from typing import IO
from uuid import UUID

from grants.applications import queries as applications
from grants.applications.models import Application
from grants.core import acts, clock, files, jobs
from grants.core.acts import act
from grants.core.db import locked
from grants.core.errors import Refused
from grants.core.file_types import megabytes
from grants.core.files import FileView
from grants.core.permissions import Actor, Permission
from grants.documents import queries
from grants.documents.pdf import letters
from grants.documents.rules import (
    Format,
)
from grants.evaluation import queries as evaluation
from grants.evaluation.models import ReadingPack
from grants.evaluation.rules import (
    COPY_KIND,
    COPY_ROLE,
    PACK_BYTES_MAX,
    PACK_KIND,
    ToRead,
    attached_folder,
    packed_name,
)


@act("reading_pack.make", needs=Permission.ASSESSMENT_SCORE, says="packed the applications to assess into one file")
def make_reading_pack(actor: Actor, pack_id: UUID, bytes_max: int = PACK_BYTES_MAX) -> int:
    """Pack what is open to its owner at this moment: each application as a PDF, and the PDFs attached to it; once.

    What a conflict shuts while it is packed is left out: what may be read is asked again before the file is kept.
    Raises :class:`Refused` when all of it is larger than ``bytes_max``.
    """
    pack = locked(ReadingPack, pack_id)
    assert pack.owner_id == actor.user_id, "a job runs as the person who asked"
    if pack.made_at is not None:
        return 0
    still: list[str] = []

    def write(file: IO[bytes]) -> None:
        wanted: Sequence[ToRead] = evaluation.to_read(actor)
        while True:
            file.seek(0)
            file.truncate()
            _pack(wanted, file, bytes_max)
            open_now = {each.reference for each in evaluation.to_read(actor)}
            if {each.reference for each in wanted} <= open_now:
                break
            # Each round has fewer than the one before.
            wanted = [each for each in wanted if each.reference in open_now]
        still.extend(each.reference for each in wanted)

    files.keep_written(
        write,
        name=f"applications-to-read-{clock.in_zone(acts.moment()):%Y-%m-%d}.zip",
        media_type="application/zip",
        kind=PACK_KIND,
        object_id=pack.id,
        role="zip",
    )
    pack.made_at, pack.held = acts.moment(), still
    acts.reason(", ".join(still))
    return len(still)


@act("reading_pack.make_one", needs=Permission.ASSESSMENT_SCORE, says="made a PDF of {subject}, to assess it")
def make_reading_copy(actor: Actor, seat_id: UUID, submission_id: UUID) -> FileView:
    """One submitted version as a PDF to read, for whoever holds that seat and may read it now; made once for all.

    Raises :class:`Refused` where it is not open to them any more.
    """
    one = next(
        (each for each in evaluation.to_read(actor) if (each.seat_id, each.submission_id) == (seat_id, submission_id)),
        None,
    )
    if one is None:
        raise Refused("The application was no longer open to you when its PDF was to be made.")
    acts.subject("application", one.application_id)
    # Somebody else may ask for the same at this moment: one of the two makes it.
    locked(Application, one.application_id)
    for made in files.listed(COPY_KIND, submission_id, COPY_ROLE):
        return made
    return files.keep_bytes(
        _reading_copy(submission_id),
        name=files.clean_name(packed_name(one.reference, one.title)),
        media_type=Format.PDF.media_type,
        kind=COPY_KIND,
        object_id=submission_id,
        role=COPY_ROLE,
    )


def _pack(wanted: Sequence[ToRead], file: IO[bytes], bytes_max: int) -> None:
    """Write these applications as an archive, one after the other; refused once they are too large together."""
    size = 0
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        for done, each in enumerate(wanted):
            jobs.progress(done, len(wanted), f"{each.reference} is packed")
            for name, data in _to_read(each):
                size += len(data)
                if size > bytes_max:
                    raise Refused(
                        f"The applications open to you are larger than {megabytes(bytes_max)} together, which is "
                        "the limit of one file. Read them on their pages, or print each there."
                    )
                archive.writestr(zipfile.ZipInfo(name), data, zipfile.ZIP_DEFLATED)


def _reading_copy(submission_id: UUID) -> bytes:
    return letters.reading_copy(queries.reading_copy(submission_id))


def _to_read(each: ToRead) -> Iterator[tuple[str, bytes]]:
    """One application as files of the pack."""
    yield (
        files.clean_name(packed_name(each.reference, each.title)),
        _reading_copy(each.submission_id),
    )
    for number, attached in enumerate(applications.submitted_content(each.application_id).files, 1):
        file = files.view(attached.file_id)
        if file.media_type == Format.PDF.media_type:
            yield (
                f"{attached_folder(each.reference)}/{number} {files.clean_name(file.name)}",
                files.genuine(file).read_bytes(),
            )
