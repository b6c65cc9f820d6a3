"""Files of statements that were changed, in every way we could think of: each is found. Honest ones pass."""

import datetime as dt
import json
import random
import subprocess
import sys
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path
from typing import Any, Literal

import msgspec
import pytest
from pyhanko.pdf_utils import generic
from pyhanko.pdf_utils.incremental_writer import IncrementalPdfFileWriter
from pypdf import PdfReader, PdfWriter

from parkcarbon.cli.statement.rederived import rederived
from parkcarbon.statement.record import Record, Root, encode
from parkcarbon.statement.sign.json import rotate, sign_json
from parkcarbon.statement.sign.keys import KeyFileError, load_key, make_key, write_key
from parkcarbon.statement.sign.pdf import sign_pdf
from parkcarbon.statement.sign.seal import check_pdf
from parkcarbon.statement.verify import CLOSING, Report, lines_of, verify_file
from parkcarbon.statement.verify.content import DifferenceError
from parkcarbon.statement.verify.figures import check_figures
from parkcarbon.statement.verify.pages import check_verdict
from parkcarbon.statement.verify.paper import RECORD, SIGNATURE, read_pages
from parkcarbon.statement.verify.roots import compare, kept_roots
from tests.fakes.pdf_surgery import change_digit, swap_attachment
from tests.fakes.stamp_authority import stamp_authority
from tests.fakes.statement_issued import ISSUED, MADE, Issued, issue, operator_key, other_key
from tests.fakes.statement_record import sample_empty, sample_flash, sample_record, sample_reissue

FLIPS = 1000


@pytest.fixture(scope="module")
def honest() -> Issued:
    """The sample month in Chinese."""
    return issue(sample_record())


def failed(report: Report) -> list[str]:
    """Names of the checks that failed."""
    return [check.check for check in report.checks if check.state == "failed"]


def said(report: Report, name: str) -> str:
    """What a check found."""
    return next(check.said for check in report.checks if check.check == name)


def roots_of(record: Record, **changes: Any) -> bytes:
    """The record's roots as an auditor's mailbox has them: a line each."""
    lines = [
        {"day": root.day, "park": record.park, "root": root.root, "size": root.size} | changes
        for root in record.evidence.roots
    ]
    return b"".join(msgspec.json.encode(line) + b"\n" for line in lines)


def with_value(record: Record, name: str, value: str, shown: str) -> Record:
    """A record with another figure; formulas that use it do not hold any more."""
    figure = msgspec.structs.replace(record.figures[name], value=value, shown=shown)
    return msgspec.structs.replace(record, figures=record.figures | {name: figure})


# Honest files


@pytest.mark.parametrize("language", ["zh", "en", "both"])
@pytest.mark.parametrize("make", [sample_record, sample_reissue, sample_empty, sample_flash])
def test_an_honest_pdf_passes(make: Any, language: Literal["zh", "en", "both"]) -> None:
    record = make()
    before = encode(sample_record()) if record.supersedes else None
    report = verify_file(
        issue(record, language=language).pdf,
        fingerprint=operator_key().fingerprint,
        roots=roots_of(record),
        predecessor=before,
    )
    assert [check for check in report.checks if check.state != "ok"] == []
    assert report.holds
    assert report.anchored
    assert "byte for byte" in said(report, "drawing")


def test_an_honest_json_passes(honest: Issued) -> None:
    report = verify_file(honest.json, signature=honest.signature, fingerprint=operator_key().fingerprint)
    assert failed(report) == []
    assert not report.anchored
    assert lines_of(report)[-1] == CLOSING
    assert "未存证 not anchored" in lines_of(report)


def test_signing_keeps_what_was_drawn(honest: Issued) -> None:
    assert honest.pdf.startswith(honest.drawn)
    assert check_pdf(honest.pdf).signed_part.rstrip() == honest.drawn.rstrip()
    metadata = PdfReader(BytesIO(honest.pdf)).xmp_metadata
    assert metadata is not None
    assert "pdfaid" in metadata.stream.get_data().decode()
    field = PdfReader(BytesIO(honest.pdf)).pages[0]["/Annots"][0].get_object()  # type: ignore[index]
    assert field["/F"] & 4, "PDF/A wants every annotation to be printable"


# Changed after signing


@pytest.mark.parametrize("figure", ["s12.market.total", "credits.retired"])
def test_a_digit_changed_in_a_content_stream_is_found(honest: Issued, figure: str) -> None:
    forged, page = change_digit(honest.pdf, honest.record.figures[figure].shown)
    texts = [PdfReader(BytesIO(data)).pages[page].extract_text() for data in (honest.pdf, forged)]
    assert texts[0] != texts[1]
    assert len(texts[0]) == len(texts[1])
    assert PdfReader(BytesIO(forged)).attachments[RECORD] == [honest.json]
    report = verify_file(forged)
    assert "pdf_signature" in failed(report)
    assert "figures" in failed(report) or "verdict" in failed(report)
    assert "its digest is not the signed one" in said(report, "pdf_signature")


def test_a_digit_changed_by_the_operator_before_signing_is_found(honest: Issued) -> None:
    """The key is the operator's, so every signature holds; the pages say something else than the record."""
    for name in ("s12.market.total", "energy.import.kwh", "credits.retired"):
        forged, _ = change_digit(honest.drawn, honest.record.figures[name].shown)
        report = verify_file(sign_pdf(forged, operator_key(), at=ISSUED), fingerprint=operator_key().fingerprint)
        assert said(report, "pdf_signature").startswith("covers the whole file")
        assert "drawing" in failed(report)
        assert {"figures", "verdict"} & set(failed(report)), name
        assert "should be there" in said(report, "drawing")


def test_every_changed_digit_of_the_pages_is_found_without_drawing(honest: Issued) -> None:
    """Where the build that drew the file is not at hand: a sample of figures, each changed at its first place."""
    known = sorted({figure.shown for figure in honest.record.figures.values() if len(figure.shown) > 3})
    missed = []
    for shown in random.Random(4).sample(known, 12):
        forged, _ = change_digit(honest.drawn, shown)
        pages = read_pages(forged)
        try:
            check_verdict(honest.record, pages)
            check_figures(honest.record, pages, "zh")
        except DifferenceError:
            continue
        missed.append(shown)
    assert missed == []


def test_a_swapped_attachment_is_found(honest: Issued) -> None:
    name = "s12.market.total"
    other = encode(with_value(honest.record, name, "1", "1.0"))
    forged = swap_attachment(honest.pdf, honest.json, other)
    assert PdfReader(BytesIO(forged)).attachments[RECORD] == [other]
    assert {"pdf_signature", "json_signature"} <= set(failed(verify_file(forged)))


def test_an_attachment_swapped_by_the_operator_is_found(honest: Issued) -> None:
    other = encode(sample_reissue())
    report = verify_file(issue(honest.record, attached=other).pdf, fingerprint=operator_key().fingerprint)
    assert said(report, "json_signature").startswith("the JSON is the one")
    assert {"footers", "figures", "drawing"} <= set(failed(report))


@pytest.mark.parametrize("page", [0, 4, -1])
def test_a_dropped_page_is_found(honest: Issued, page: int) -> None:
    writer = PdfWriter(clone_from=BytesIO(honest.drawn))
    writer.remove_page(range(len(writer.pages))[page])
    out = BytesIO()
    writer.write(out)
    report = verify_file(out.getvalue())
    assert "pdf_signature" in failed(report)
    assert "footers" in failed(report)
    again = verify_file(sign_pdf(out.getvalue(), operator_key(), at=ISSUED))
    assert "footers" in failed(again), "whoever signs"


def test_swapped_pages_are_found(honest: Issued) -> None:
    writer = PdfWriter(clone_from=BytesIO(honest.drawn))
    pages = writer.root_object["/Pages"]["/Kids"]  # type: ignore[index]
    pages[2], pages[3] = pages[3], pages[2]
    out = BytesIO()
    writer.write(out)
    assert "footers" in failed(verify_file(sign_pdf(out.getvalue(), operator_key(), at=ISSUED)))


def test_an_update_appended_after_signing_is_found(honest: Issued) -> None:
    writer = IncrementalPdfFileWriter(BytesIO(honest.pdf))
    page = writer.root["/Pages"]["/Kids"][0]
    page["/Contents"] = writer.add_object(generic.StreamObject(stream_data=b"BT ET"))
    writer.mark_update(writer.root["/Pages"]["/Kids"].raw_get(0))
    out = BytesIO()
    writer.write(out)  # type: ignore[no-untyped-call]  # pyHanko's
    assert out.getvalue().startswith(honest.pdf)
    report = verify_file(out.getvalue())
    assert "were appended" in said(report, "pdf_signature")
    assert {"pdf_signature", "footers"} <= set(failed(report))


def test_an_update_before_signing_is_found(honest: Issued) -> None:
    """The operator keeps the honest drawing below, so that it compares, and covers a page with an update."""
    writer = IncrementalPdfFileWriter(BytesIO(honest.drawn))
    kids = writer.root["/Pages"]["/Kids"]
    kids[1]["/Contents"] = kids[2].raw_get("/Contents")
    writer.mark_update(kids.raw_get(1))
    out = BytesIO()
    writer.write(out)  # type: ignore[no-untyped-call]  # pyHanko's
    report = verify_file(sign_pdf(out.getvalue(), operator_key(), at=ISSUED))
    assert "updates were appended" in said(report, "pdf_signature")


def test_something_smuggled_in_with_the_signature_is_found(honest: Issued, monkeypatch: pytest.MonkeyPatch) -> None:
    """One update that brings the signature and, with it, other contents of a page."""
    from parkcarbon.statement.sign import pdf

    def with_other_contents(writer: IncrementalPdfFileWriter) -> None:
        kids = writer.root["/Pages"]["/Kids"]
        kids[1]["/Contents"] = kids[2].raw_get("/Contents")
        writer.mark_update(kids.raw_get(1))

    monkeypatch.setattr(pdf._Writer, "_update_meta", with_other_contents)
    report = verify_file(sign_pdf(honest.drawn, operator_key(), at=ISSUED))
    assert "was changed with the signature" in said(report, "pdf_signature")


def test_a_second_signature_is_found(honest: Issued, monkeypatch: pytest.MonkeyPatch) -> None:
    from parkcarbon.statement.sign import pdf

    monkeypatch.setattr(pdf, "FIELD", "Another")
    report = verify_file(sign_pdf(honest.pdf, operator_key(), at=ISSUED))
    assert said(report, "pdf_signature") == "it carries 2 signatures, a statement carries one"


# Byte flips


def flipped(data: bytes, seed: int) -> Iterator[tuple[int, bytes]]:
    """A thousand files, each with one bit of one byte turned."""
    rng = random.Random(seed)
    for _ in range(FLIPS):
        at = rng.randrange(len(data))
        changed = bytearray(data)
        changed[at] ^= 1 << rng.randrange(8)
        yield at, bytes(changed)


def test_byte_flips_of_a_pdf_are_all_found(honest: Issued) -> None:
    missed = [at for at, data in flipped(honest.pdf, 1) if verify_file(data, first=True).holds]
    assert missed == []


def test_byte_flips_in_the_signature_of_a_pdf_are_all_found(honest: Issued) -> None:
    """What was appended: container, padding and tables, where most bytes are not signed."""
    begin = len(honest.drawn)
    missed = [
        at for at, tail in flipped(honest.pdf[begin:], 2) if verify_file(honest.pdf[:begin] + tail, first=True).holds
    ]
    assert missed == []


def test_byte_flips_of_json_and_signature_are_all_found(honest: Issued) -> None:
    whole = len(honest.json)
    missed = []
    for at, data in flipped(honest.json + honest.signature, 3):
        if verify_file(data[:whole], signature=data[whole:], first=True).holds:
            missed.append(at)
    for at, data in flipped(honest.signature, 4):
        if verify_file(honest.json, signature=data, first=True).holds:
            missed.append(at)
    assert missed == []


@pytest.mark.parametrize(
    "data", [b"", b"%PDF-", b"%PDF-1.7\n%%EOF", b"{}", b"[]", b"\xff\xfe", b"null", b"%PDF-1.7 " * 999]
)
def test_rubbish_is_an_answer(data: bytes) -> None:
    assert not verify_file(data, signature=data).holds


# Rebuilt with another key


def test_all_rebuilt_with_a_new_key_fails_against_the_fingerprint(honest: Issued) -> None:
    forged = issue(honest.record, key=other_key())
    report = verify_file(forged.pdf, fingerprint=operator_key().fingerprint)
    assert failed(report) == ["key"]
    assert verify_file(forged.json, signature=forged.signature, fingerprint=operator_key().fingerprint).holds is False


def test_all_rebuilt_with_a_new_key_fails_against_the_anchor(honest: Issued) -> None:
    """Other batches make other roots; the mailbox has those of the day."""
    roots = tuple(Root(root.day, root.size, root.root[::-1], root.sent) for root in honest.record.evidence.roots)
    evidence = msgspec.structs.replace(honest.record.evidence, roots=roots)
    forged = issue(msgspec.structs.replace(honest.record, evidence=evidence), key=other_key())
    report = verify_file(forged.pdf, roots=roots_of(honest.record))
    assert failed(report) == ["roots"]
    assert "2026-10-01" in said(report, "roots")
    assert not report.anchored
    assert verify_file(forged.pdf).holds, "without a fingerprint and without roots nothing can tell"


def test_only_one_key_changed_is_found(honest: Issued) -> None:
    report = verify_file(sign_pdf(honest.drawn, other_key(), at=ISSUED), fingerprint=operator_key().fingerprint)
    assert failed(report) == ["key"]
    assert "another key" in said(report, "key")


def test_a_key_follows_another_by_a_signed_record(honest: Issued) -> None:
    new = other_key()
    pdf = issue(honest.record, key=new).pdf
    record = rotate(operator_key(), new, at=ISSUED, reason="yearly")
    known = operator_key().fingerprint
    assert verify_file(pdf, fingerprint=known, rotations=[record]).holds
    third = make_key("x", now=MADE)
    assert failed(verify_file(pdf, fingerprint=known, rotations=[rotate(third, new, at=ISSUED, reason="")])) == ["key"]
    lied = record.replace(b"yearly", b"weekly")
    assert failed(verify_file(pdf, fingerprint=known, rotations=[lied])) == ["key"]


# JSON in disguise, signed by the operator


def test_reordered_or_doubled_members_are_found(honest: Issued) -> None:
    whole: dict[str, Any] = json.loads(honest.json)
    compact: dict[str, Any] = {"ensure_ascii": False, "separators": (",", ":")}
    reordered = json.dumps(dict(reversed(whole.items())), **compact).encode()
    doubled = b'{"acts":[],' + honest.json[1:]
    unknown = json.dumps(dict(sorted({**whole, "zz": 1}.items())), **compact).encode()
    spaced = honest.json.replace(b'"kind":', b'"kind": ', 1)
    escaped = honest.json.replace("暂定".encode(), rb"\u6682\u5b9a", 1)
    for changed in (reordered, doubled, unknown, spaced, escaped, honest.json + b"\n"):
        assert changed != honest.json
        report = verify_file(changed, signature=sign_json(changed, operator_key()))
        assert failed(report) == ["schema"]
        assert "not the canonical bytes" in said(report, "schema")


def test_doubled_members_of_a_signature_are_found(honest: Issued) -> None:
    doubled = honest.signature.replace(b"{", b'{"algorithm":"Ed25519",', 1)
    assert failed(verify_file(honest.json, signature=doubled)) == ["json_signature"]
    assert failed(verify_file(honest.json)) == ["json_signature"]


def test_arithmetic_that_does_not_hold_is_named(honest: Issued) -> None:
    changed = encode(with_value(honest.record, "energy.import.kwh", "5", "5"))
    report = verify_file(changed, signature=sign_json(changed, operator_key()))
    assert failed(report) == ["arithmetic"]
    assert "energy.import" in said(report, "arithmetic")


def test_a_predecessor_is_compared() -> None:
    first, second = sample_record(), sample_reissue()
    data = encode(second)
    signature = sign_json(data, operator_key())
    assert failed(verify_file(data, signature=signature, predecessor=encode(sample_empty()))) == ["predecessor"]
    assert verify_file(data, signature=signature, predecessor=issue(first).pdf).holds
    assert second.supersedes is not None
    silent = msgspec.structs.replace(
        second, supersedes=msgspec.structs.replace(second.supersedes, changes=second.supersedes.changes[1:])
    )
    quiet = encode(silent)
    report = verify_file(quiet, signature=sign_json(quiet, operator_key()), predecessor=encode(first))
    assert "does not say so" in said(report, "predecessor")


# Roots


@pytest.mark.parametrize(
    ("kept", "reason"),
    [
        (b"[]", "the list holds no root of "),
        (b'[{"day":"2020-01-01","size":1,"root":"' + b"0" * 64 + b'"}]', "none of the statement's 31 roots is in"),
        (b"nothing", "cannot be read"),
        (b'[{"day":"2026-10-02","size":1,"root":"' + b"0" * 64 + b'"}]', "the statement says 2880 batches, the list 1"),
    ],
)
def test_roots_that_do_not_fit_are_not_an_anchor(honest: Issued, kept: bytes, reason: str) -> None:
    report = verify_file(honest.json, signature=honest.signature, roots=kept)
    assert failed(report) == ["roots"]
    assert reason in said(report, "roots")
    assert not report.anchored


def test_roots_of_a_list_that_ends_early_or_was_told_twice(honest: Issued) -> None:
    kept = roots_of(honest.record).splitlines(keepends=True)
    early = verify_file(honest.json, signature=honest.signature, roots=b"".join(kept[:-1]))
    assert "the list ends on 2026-10-30" in said(early, "roots")
    twice = verify_file(
        honest.json, signature=honest.signature, roots=b"".join([*kept, kept[0].replace(b"1440", b"1441")])
    )
    assert "two roots of 2026-10-01" in said(twice, "roots")
    others = roots_of(honest.record, park="elsewhere")
    assert not verify_file(honest.json, signature=honest.signature, roots=others).anchored


def test_a_statement_frozen_on_the_first_day_has_no_root_yet(honest: Issued) -> None:
    evidence = msgspec.structs.replace(honest.record.evidence, roots=())
    early = msgspec.structs.replace(honest.record, evidence=evidence)
    some = b"".join(roots_of(honest.record).splitlines(keepends=True)[:3])
    anchored, told = compare(early, kept_roots(some, early.park), "")
    assert (anchored, "no day was over" in told) == (False, True)


def test_a_root_over_the_whole_log_is_an_anchor(honest: Issued) -> None:
    evidence = honest.record.evidence
    kept = msgspec.json.encode({"day": "2026-11-14", "size": evidence.log_size, "root": evidence.log_root})
    report = verify_file(honest.json, signature=honest.signature, roots=kept)
    assert report.anchored
    assert "over all 44640 batches" in said(report, "roots")
    other = kept.replace(evidence.log_root.encode(), b"0" * 64)
    assert "over 44640 batches" in said(verify_file(honest.json, signature=honest.signature, roots=other), "roots")


def test_a_day_left_out_of_the_statement_is_found(honest: Issued) -> None:
    evidence = honest.record.evidence
    gap = msgspec.structs.replace(evidence, roots=evidence.roots[:5] + evidence.roots[6:])
    data = encode(msgspec.structs.replace(honest.record, evidence=gap))
    report = verify_file(data, signature=sign_json(data, operator_key()), roots=roots_of(honest.record))
    assert said(report, "roots") == "2026-10-06: the list has a root, the statement has none"


# Keys, time stamps, command


def test_a_key_file_is_for_its_owner_alone(tmp_path: Path) -> None:
    path = write_key(operator_key(), tmp_path)
    assert path.stat().st_mode & 0o777 == 0o400
    assert load_key(path).fingerprint == load_key(tmp_path).fingerprint == operator_key().fingerprint
    with pytest.raises(KeyFileError, match="never overwritten"):
        write_key(other_key(), tmp_path)
    path.chmod(0o440)
    with pytest.raises(KeyFileError, match=r"mode 0440\); do: chmod 0400"):
        load_key(path)
    path.chmod(0o600)
    path.write_bytes(b"".join(path.read_bytes().splitlines(keepends=True)[:3]))
    with pytest.raises(KeyFileError, match="no signing key"):
        load_key(path)
    with pytest.raises(KeyFileError, match="cannot be read"):
        load_key(tmp_path / "none.pem")


def test_an_expired_key_signs_nothing(honest: Issued) -> None:
    with pytest.raises(ValueError, match="make a new one"):
        sign_pdf(honest.drawn, operator_key(), at=MADE + dt.timedelta(days=3700))


def test_a_time_stamp_is_part_of_the_signature(honest: Issued, tmp_path: Path) -> None:
    with stamp_authority(tmp_path) as authority:
        stamped = sign_pdf(honest.drawn, operator_key(), at=dt.datetime.now(dt.UTC), tsa_url=authority.url)
        authority.down = True
        with pytest.raises(OSError, match="no time stamp: status 503"):
            sign_pdf(honest.drawn, operator_key(), at=ISSUED, tsa_url=authority.url)
    report = verify_file(stamped)
    assert said(report, "pdf_signature").startswith("covers the whole file")
    assert "time stamp 20" in said(report, "pdf_signature")
    assert "Test authority" in said(report, "pdf_signature")
    token = stamped.index(b"0000000000", len(honest.drawn)) - 2000  # in the token, which stands last in the container
    changed = bytearray(stamped)
    changed[token] ^= 1
    assert failed(verify_file(bytes(changed), first=True)) == ["pdf_signature"]


def run_verify(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
    """The command, with no database in its environment."""
    command = [sys.executable, "-m", "parkcarbon", "statement", "verify", *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=60, env={"PATH": "/usr/bin"})


def test_the_command_says_what_it_is_and_is_not(honest: Issued, tmp_path: Path) -> None:
    pdf, data, roots = tmp_path / "s.pdf", tmp_path / RECORD, tmp_path / "roots.jsonl"
    pdf.write_bytes(honest.pdf)
    data.write_bytes(honest.json)
    (tmp_path / SIGNATURE).write_bytes(honest.signature)
    roots.write_bytes(roots_of(honest.record))
    good = run_verify(pdf, "--roots", roots, "--key", operator_key().fingerprint)
    assert (good.returncode, good.stderr) == (0, "")
    assert good.stdout.endswith(CLOSING + "\n")
    assert "已存证 anchored\n" in good.stdout
    report = json.loads(run_verify(data, "--json").stdout)
    assert (report["holds"], report["anchored"], report["notice"]) == (True, False, CLOSING)
    data.write_bytes(honest.json.replace(b"3,", b"4,", 1))
    bad = run_verify(data)
    assert bad.returncode == 1
    assert bad.stdout.endswith(CLOSING + "\n")
    (tmp_path / SIGNATURE).unlink()
    assert "no signature came with it: FILE.sig beside it" in run_verify(data).stdout
    for rubbish in (b"", b"PK\x03\x04", b"hello"):
        data.write_bytes(rubbish)
        other = run_verify(data)
        assert (other.returncode, "this is neither a PDF nor a JSON" in other.stdout) == (1, True)
    assert run_verify(tmp_path / "none.pdf").returncode == 2
    absent = run_verify(pdf, "--pack", tmp_path / "none.zip")
    assert (absent.returncode, absent.stdout) == (2, "")
    assert absent.stderr.endswith("none.zip: No such file or directory\n")
    assert run_verify().returncode == 2


async def test_a_pack_that_is_none_is_a_difference(honest: Issued, tmp_path: Path) -> None:
    (tmp_path / "pack.zip").write_bytes(b"PK")
    check = await rederived(honest.pdf, tmp_path / "pack.zip")
    assert (check.state, "is no evidence pack" in check.said) == ("failed", True)


def test_checking_loads_no_database_client() -> None:
    code = (
        "import sys, parkcarbon.cli.statement.verify, parkcarbon.statement.verify\n"
        "print([name for name in ('asyncpg', 'numpy', 'typst', 'fastapi') if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60)
    assert done.stdout.strip() == "[]"
