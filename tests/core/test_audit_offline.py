"""The offline verifier finds every kind of tampering at exactly the first bad place, and reads nothing but files."""

from __future__ import annotations

import json
import subprocess
import sys
import tracemalloc
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from email.message import EmailMessage
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given
from hypothesis import strategies as st

from grants.core import audit_offline as offline
from grants.core.audit_offline import GENESIS, Entry, Note, Notes

ROOT = Path(__file__).resolve().parents[2]


@dataclass(frozen=True)
class Key:
    """A key of the tests: its public line, and what signs with it."""

    private: Ed25519PrivateKey

    @property
    def key(self) -> str:
        return offline.key_text(self.private.public_key().public_bytes_raw())

    def line(self, text: str) -> str:
        return offline.signature_line(self.key, self.private.sign(text.encode()))


KEY, OTHER, THIRD = (Key(Ed25519PrivateKey.generate()) for _ in range(3))


def event(number: int) -> bytes:
    return json.dumps({"number": number, "verb": "note.write"}, separators=(",", ":")).encode()


def record(size: int, first: int = 1) -> list[Entry]:
    entries, head = [], GENESIS
    for position in range(1, size + 1):
        digest = offline.chained(head, event(first + position))
        entries.append(Entry(position, head, digest, event(first + position)))
        head = digest
    return entries


def note(
    entries: Sequence[Entry], position: int, after: Note | None = None, *, by: Sequence[Key] = (KEY,), day: int = 25
) -> str:
    text = offline.note_text(
        offline.record_name(entries[0].hash),
        position,
        entries[position - 1].hash,
        made=f"2026-11-{day:02d}T02:00:04.000001Z",
        after=(after.position, after.digest) if after else (0, GENESIS),
        key=by[0].key,
    )
    return text + "\n" + "".join(key.line(text) for key in by)


def read(text: str) -> Note:
    (found,) = offline.notes_of(text, "a text")
    return found


def judged(*texts: str, keys: Sequence[Key] = (KEY,)) -> Notes:
    return offline.judged([read(text) for text in texts], frozenset(key.key for key in keys))


def written(folder: Path, lines: Sequence[bytes]) -> Path:
    path = folder / "record.jsonl"
    path.write_bytes(b"".join(lines))
    return path


def lines_of(entries: Sequence[Entry]) -> list[bytes]:
    return [offline.line_of(entry) for entry in entries]


# --- Five kinds of tampering ----------------------------------------------------------------------------------------


def first_difference(before: Sequence[bytes], after: Sequence[bytes]) -> int:
    return next(
        (place for place, pair in enumerate(zip(before, after, strict=False), 1) if pair[0] != pair[1]),
        min(len(before), len(after)) + 1,
    )


@st.composite
def tampered(draw: st.DrawFn) -> tuple[list[bytes], list[bytes]]:
    """The lines of a record, and the same with one of the five things done to them."""
    size = draw(st.integers(2, 9))
    lines = lines_of(record(size))
    place = draw(st.integers(0, size - 1))
    changed = list(lines)
    match draw(st.sampled_from(["edit", "flip", "delete", "insert", "swap", "cut"])):
        case "edit":
            changed[place] = changed[place].replace(b"note.write", b"note.forge")
        case "flip":
            at = draw(st.integers(0, len(lines[place]) - 2))
            byte = draw(st.integers(1, 255)) ^ lines[place][at]
            changed[place] = lines[place][:at] + bytes([byte]) + lines[place][at + 1 :]
        case "delete":
            del changed[place]
        case "insert":
            alien = lines_of(record(size + 1, first=draw(st.sampled_from([1, 100]))))
            changed.insert(place, draw(st.sampled_from([*lines, *alien])))
        case "swap":
            other = draw(st.integers(0, size - 1).filter(lambda other: other != place))
            changed[place], changed[other] = changed[other], changed[place]
        case "cut":
            changed = changed[:place]
    return lines, changed


@given(found=tampered())
def test_any_one_change_of_a_record_is_found_at_exactly_the_first_bad_place(
    tmp_path_factory: pytest.TempPathFactory, found: tuple[list[bytes], list[bytes]]
) -> None:
    lines, changed = found
    entries = record(len(lines))
    folder = tmp_path_factory.mktemp("record", numbered=True)
    checkpoints = folder / "checkpoints.txt"
    checkpoints.write_text(note(entries, len(entries)))

    report = offline.verify_files(written(folder, changed), checkpoints)

    if changed == lines:
        assert report.faults == ()
    else:
        assert report.faults[0].position == first_difference(lines, changed)
        assert report.checked == first_difference(lines, changed) - 1


@given(st.integers(2, 9), st.data())
def test_a_record_laid_anew_agrees_with_itself_and_not_with_its_checkpoint(size: int, data: st.DataObject) -> None:
    entries = record(size)
    place = data.draw(st.integers(2, size))
    forged = entries[: place - 1]
    for entry in entries[place - 1 :]:
        head = forged[-1].hash
        words = b'{"forged":true}' if entry.position == place else entry.event
        assert words is not None
        forged.append(Entry(entry.position, head, offline.chained(head, words), words))

    assert offline.walked(forged, Notes()).faults == ()
    early = judged(first := note(entries, place - 1), note(entries, size, read(first), day=26))
    (fault,) = offline.walked(forged, early).faults
    assert fault.position == place
    assert f"Between position {place} and {size} the record was rewritten" in fault.words


def test_a_record_rewritten_from_its_first_position_is_another_record() -> None:
    (fault,) = offline.walked(record(5, first=100), judged(note(record(5), 3))).faults

    assert fault.position == 1
    assert "it is another record, or it was rewritten from its first position on" in fault.words


def test_a_cut_tail_is_told_in_words_with_what_proves_it() -> None:
    entries = record(9)

    (fault,) = offline.walked(entries[:4], judged(note(entries, 9))).faults

    assert fault.position == 5
    assert fault.words == (
        "Position 5 is missing: the record ends at 4, the checkpoint of 2026-11-25 02:00:04 UTC over 9 positions "
        "proves that 9 existed."
    )


def test_what_holds_is_told_with_what_it_proves_and_what_not() -> None:
    entries = record(4)

    with_key = " ".join(offline.walked(entries, judged(note(entries, 3)), 1).sentences())
    without = " ".join(offline.walked(entries, Notes()).sentences())

    assert "The chain holds: 4 positions." in with_key
    assert "1 checkpoint agrees with it; up to position 3 nothing was changed, added or taken out since." in with_key
    assert "No checkpoint was compared: a tail that was cut off" in without


# --- Signatures, keys, the order of checkpoints ----------------------------------------------------------------------


def faults(notes: Notes) -> list[str]:
    return [fault.words for fault in notes.faults]


def test_a_checkpoint_changed_after_it_was_signed_is_refused() -> None:
    text = note(record(5), 5)
    forged = text.replace("\n5\n", "\n4\n", 1)

    (words,) = faults(judged(forged))

    assert "is not signed by the key it names" in words


def test_a_checkpoint_of_a_stranger_is_refused_where_keys_are_given() -> None:
    text = note(record(5), 5, by=(OTHER,))

    (words,) = faults(judged(text))

    assert words.endswith(f"is signed by key {OTHER.key.split('+')[1]}, which is none of those given.")
    assert faults(judged(text, keys=())) == []


def test_a_key_names_its_successor_and_whoever_knows_the_first_trusts_the_last() -> None:
    entries = record(9)
    one = note(entries, 3)
    two = note(entries, 5, read(one), by=(OTHER, KEY), day=26)
    three = note(entries, 9, read(two), by=(OTHER,), day=27)

    found = judged(three, one, two)

    assert ([each.position for each in found.sound], found.faults) == ([3, 5, 9], ())


def test_a_key_that_was_replaced_signs_nothing_more_and_names_nobody() -> None:
    entries = record(9)
    one = note(entries, 3)
    two = note(entries, 5, read(one), by=(OTHER, KEY), day=26)
    stolen = note(entries, 9, read(two), by=(KEY,), day=27)
    named = note(entries, 9, read(two), by=(THIRD, KEY), day=27)

    assert "which another had replaced by then" in faults(judged(one, two, stolen))[0]
    assert "which is none of those given" in faults(judged(one, two, named))[0]


def test_a_new_key_that_the_old_one_did_not_sign_for_must_be_given_by_hand() -> None:
    entries = record(9)
    one = note(entries, 3)
    two = note(entries, 5, read(one), by=(OTHER,), day=26)

    assert "which is none of those given" in faults(judged(one, two))[0]
    assert faults(judged(one, two, keys=(KEY, OTHER))) == []


def test_checkpoints_that_contradict_each_other_are_both_shown() -> None:
    entries, forged = record(5), [*record(4), record(5, first=7)[4]]

    found = judged(note(entries, 5), note(forged, 5, day=26))

    assert "contradicts another one over as many positions" in faults(found)[0]


def test_a_checkpoint_taken_out_of_the_line_is_noticed_as_not_given_and_one_put_in_as_wrong() -> None:
    entries = record(9)
    one = note(entries, 3)
    two = note(entries, 5, read(one), day=26)
    three = note(entries, 9, read(two), day=27)
    beside = note(entries, 7, read(one), day=26)
    of_another_line = note(entries, 5, read(note(entries, 3, day=24)), day=26)

    assert (judged(one, three).not_given, faults(judged(one, three))) == (1, [])
    assert "does not follow the checkpoint of 2026-11-26" in faults(judged(one, two, beside))[0]
    assert "does not follow the checkpoint of 2026-11-25" in faults(judged(one, of_another_line))[0]
    assert judged(one, one, two, three).not_given == 0


def test_checkpoints_are_read_out_of_a_whole_mail_with_other_line_ends() -> None:
    entries = record(5)
    mail = f"Subject: x\r\n\r\nKeep this.\r\n{note(entries, 5)}\r\nGreetings".replace("\n", "\r\n")

    assert faults(judged(*[offline_note(each) for each in offline.notes_of(mail, "mail")])) == []


def offline_note(each: Note) -> str:
    return each.text + "\n" + offline.signature_line(each.key, each.signatures[0][4:])


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "holds no checkpoint"),
        ("grants-audit/3f9c0a7be1d24c55\n5\n", "of 1 checkpoints 1 cannot be read"),
        (note(record(5), 5).replace("—", "-"), "of 1 checkpoints 1 cannot be read"),
    ],
)
def test_a_text_without_a_whole_checkpoint_is_no_checkpoint(text: str, words: str) -> None:
    with pytest.raises(offline.Unreadable, match=words):
        offline.notes_of(text, "a text")


@pytest.mark.parametrize(
    "text",
    ["", "ssh-ed25519 AAAA", KEY.key[:-4], KEY.key.replace("+", "+0", 1)],
    ids=["empty", "of another kind", "cut", "another name"],
)
def test_what_is_no_key_is_refused(text: str) -> None:
    with pytest.raises(offline.Unreadable, match=r"no key|damaged key"):
        offline.keys_of(text, "a text")


# --- Files ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("spoil", "position", "words"),
    [
        (lambda lines: [], 1, "the record is empty"),
        (lambda lines: [b"\x00\xff garbage\n", *lines], 1, "line 1 is not a line of the record"),
        (lambda lines: [lines[0], b"\n", *lines[1:]], 2, "line 2 is not a line of the record"),
        (lambda lines: [lines[0], lines[0], *lines[1:]], 2, "position 1 stands there once more"),
        (lambda lines: [lines[0], *lines[2:]], 2, "Position 2 is missing: the chain goes on at 3."),
        (lambda lines: [*lines[:3], lines[3][:-30]], 4, "line 4 is not a line of the record"),
        (lambda lines: [b'{"a": ' + b"x" * offline.LINE_BYTES_MAX + b"\n", *lines], 1, "line 1 is longer than"),
    ],
)
def test_a_spoiled_file_is_named_at_its_first_bad_place(
    tmp_path: Path, spoil: object, position: int, words: str
) -> None:
    assert callable(spoil)
    report = offline.verify_files(written(tmp_path, spoil(lines_of(record(4)))))

    assert report.faults[0].position == position
    assert words in report.faults[0].words


def test_a_file_is_read_line_by_line_however_long_it_is(tmp_path: Path) -> None:
    path = written(tmp_path, lines_of(record(30_000)))

    tracemalloc.start()
    report = offline.verify_files(path)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()

    assert (report.checked, report.faults) == (30_000, ())
    assert peak < path.stat().st_size / 4


def test_line_ends_of_another_system_change_nothing(tmp_path: Path) -> None:
    path = written(tmp_path, [line.replace(b"\n", b"\r\n") for line in lines_of(record(4))])

    assert offline.verify_files(path).faults == ()


# --- A folder of checkpoints ------------------------------------------------------------------------------------------


def mailed(text: str, how: str) -> bytes:
    """The mail of a checkpoint as mail programs save it."""
    mail = EmailMessage()
    mail["Subject"], mail["From"] = "Checkpoint of the record", "grants@example.eu"
    mail.set_content(f"Keep this mail.\n\n{text}\nYou need to answer nothing.\n", cte=how)
    if how == "base64":
        mail.add_alternative("<p>Keep this mail.</p>", subtype="html")
    return mail.as_bytes()


@pytest.mark.parametrize(
    ("name", "spell"),
    [
        ("Checkpoint over 5.eml", lambda text: mailed(text, "quoted-printable")),
        ("Checkpoint.EML", lambda text: mailed(text, "base64")),
        ("mail.txt", lambda text: mailed(text, "8bit")),
        ("checkpoint-5.txt.bak", str.encode),
        ("CHECKPOINT-5.TXT", lambda text: b"\xef\xbb\xbf" + text.replace("\n", "\r\n").encode()),
        ("notepad", lambda text: text.encode("utf-16")),
        ("forwarded.txt", lambda text: "".join(f"> {line}\n" for line in text.splitlines()).encode()),
    ],
)
def test_every_file_of_a_folder_that_holds_a_checkpoint_is_compared(
    tmp_path: Path, name: str, spell: Callable[[str], bytes]
) -> None:
    entries, folder = record(6), tmp_path / "notes"
    folder.mkdir()
    (folder / "checkpoint-2.txt").write_text(note(entries, 2))
    (folder / name).write_bytes(spell(note(entries, 5, read(note(entries, 2)))))

    whole = offline.verify_files(written(tmp_path, lines_of(entries)), folder)
    cut = offline.verify_files(written(tmp_path, lines_of(entries)[:3]), folder)

    assert (whole.faults, whole.checkpoints, whole.proved, whole.without) == ((), 2, 5, ())
    assert [fault.position for fault in cut.faults] == [4]


def test_what_holds_no_checkpoint_in_a_folder_is_named_and_changes_nothing(tmp_path: Path) -> None:
    entries, folder = record(4), tmp_path / "notes"
    (folder / "sub").mkdir(parents=True)
    (folder / "checkpoint-2.txt").write_text(note(entries, 2))
    (folder / "key\x1b[2J.txt").write_text(KEY.key)
    (folder / "letter.eml").write_bytes(mailed("Good morning", "base64"))

    report = offline.verify_files(written(tmp_path, lines_of(entries)), folder)

    assert (report.faults, report.checkpoints) == ((), 1)
    assert report.without == ("key\\x1b[2J.txt", "letter.eml", "sub/")
    assert list(report.sentences())[-3:] == [
        "key\\x1b[2J.txt holds no checkpoint.",
        "letter.eml holds no checkpoint.",
        "sub/ is no file and was not looked into.",
    ]
    assert report.as_json()["without_checkpoint"] == list(report.without)


@pytest.mark.parametrize(
    ("name", "data"),
    [
        ("checkpoint-4.txt", note(record(4), 4)[:150].encode()),
        ("spoiled.eml", mailed(note(record(4), 4).replace("—", "-"), "quoted-printable")),
        (
            "as-page.eml",
            b"Content-Type: text/html\n\n<pre>\n" + note(record(4), 4).replace("key", "<b>key</b>").encode(),
        ),
        ("wrapped.txt", note(record(4), 4).replace("— grants-audit ", "— grants-audit\n").encode()),
        ("huge.txt", b"\n" * offline.CHECKPOINT_BYTES_MAX + note(record(4), 4).encode()),
    ],
)
def test_a_file_that_looks_like_a_checkpoint_and_cannot_be_read_is_a_fault(
    tmp_path: Path, name: str, data: bytes
) -> None:
    entries, folder = record(4), tmp_path / "notes"
    folder.mkdir()
    (folder / "checkpoint-2.txt").write_text(note(entries, 2))
    (folder / name).write_bytes(data)

    report = offline.verify_files(written(tmp_path, lines_of(entries)), folder)

    assert [name in fault.words for fault in report.faults] == [True]
    assert (report.checked, report.checkpoints) == (4, 1)


def test_a_folder_without_any_checkpoint_is_refused(tmp_path: Path) -> None:
    (tmp_path / "notes").mkdir()
    (tmp_path / "notes" / "key.txt").write_text(KEY.key)

    with pytest.raises(offline.Unreadable, match="holds no checkpoint"):
        offline.verify_files(written(tmp_path, lines_of(record(4))), tmp_path / "notes")


def test_names_too_long_and_keys_that_are_no_ascii_are_told_in_a_sentence(tmp_path: Path) -> None:
    path = written(tmp_path, lines_of(record(4)))
    (tmp_path / "key.txt").write_text("grants-audit+1a2b3c4d+é\n")
    (tmp_path / "note.txt").write_text(note(record(4), 4).replace("key grants-audit+", "key grants-audit+é"))
    for words in (
        ["--checkpoints", "/" + "a" * 5_000],
        ["--key", str(tmp_path / "key.txt")],
        ["--key", "a" * 300],
        ["--checkpoints", str(tmp_path / "note.txt")],
    ):
        done = run(str(path), *words)

        assert (done.returncode, done.stderr) == (1, "")
        assert len(done.stdout.splitlines()) == 1


PROGRAM = """
import sys
from grants.core import audit_offline
code = audit_offline.main(sys.argv[1:])
loaded = [name for name in ("flask", "sqlalchemy", "grants.core.db", "config", "wsgi") if name in sys.modules]
print(loaded, file=sys.stderr)
sys.exit(code)
"""


def run(*words: str, program: Sequence[str] = ("-m", "grants.core.audit_offline")) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, *program, *words], cwd=ROOT, capture_output=True, text=True, env={"PATH": "/nowhere"}
    )


def test_it_runs_by_itself_without_the_program_its_settings_or_a_database(tmp_path: Path) -> None:
    entries = record(5)
    path = written(tmp_path, lines_of(entries))
    (tmp_path / "key.txt").write_text(KEY.key + "\n")
    (tmp_path / "checkpoint-1.txt").write_text(note(entries, 5))
    arguments = (str(path), "--checkpoints", str(tmp_path), "--key", str(tmp_path / "key.txt"))

    alone = run(*arguments, program=("-c", PROGRAM))
    well = run(*arguments, "--json")
    written(tmp_path, lines_of(entries)[:2])
    cut = run(*arguments, "--json")
    nothing = run(str(tmp_path / "missing"))

    assert (alone.returncode, alone.stderr.strip()) == (0, "[]")
    assert json.loads(well.stdout)["ok"] is True
    assert (cut.returncode, json.loads(cut.stdout)["position"]) == (1, 3)
    assert (nothing.returncode, nothing.stdout) == (
        1,
        f"{tmp_path / 'missing'} cannot be read (No such file or directory).\n",
    )


def test_it_is_one_file_that_may_be_copied_away(tmp_path: Path) -> None:
    alone = tmp_path / "verify.py"
    alone.write_bytes((ROOT / "grants" / "core" / "audit_offline.py").read_bytes())
    path = written(tmp_path, lines_of(record(3)))

    found = subprocess.run(
        [sys.executable, "-I", str(alone), str(path)], cwd=tmp_path, capture_output=True, text=True, check=True
    )

    assert "The chain holds: 3 positions." in found.stdout
