"""What a check of a file found, a line for each thing that was looked at."""

from typing import Final, Literal

from msgspec import Struct

State = Literal["ok", "failed", "not_checked"]

CLOSING: Final = "仅为完整性校验，不构成核查 integrity only, not an ISO 14064-3 verification"

LABELS: Final[dict[str, str]] = {
    "pdf_signature": "PDF签名 PDF signature",
    "attachments": "附件 attachments",
    "json_signature": "JSON签名 JSON signature",
    "key": "密钥 key",
    "schema": "格式 schema",
    "arithmetic": "计算 arithmetic",
    "footers": "页脚 footers",
    "verdict": "结论 verdict",
    "figures": "页面数字 figures on the pages",
    "drawing": "重新生成 drawn again",
    "predecessor": "前一版本 predecessor",
    "roots": "存证根 roots",
    "rederived": "由底码重算 re-derived",
}
"""Names of the checks, in the order in which they are made."""


class Check(Struct, frozen=True):
    """One thing that was looked at.

    Attributes:
        check: key of `LABELS`.
        state: `not_checked` where something was not given or not installed; it says nothing either way.
        said: what was found; of a failure, the first difference.
    """

    check: str
    state: State
    said: str


class Report(Struct, frozen=True):
    """What was found.

    Attributes:
        kind: of the file.
        number: of the statement, as the file says; empty: it says none that can be read.
        version: of it.
        digest: sha256 of the frozen content, hex.
        fingerprint: of the key that signed.
        anchored: whether the roots of its log are in the list that was given.
        checks: in the order in which they were made.
    """

    kind: Literal["pdf", "json"]
    number: str
    version: int
    digest: str
    fingerprint: str
    anchored: bool
    checks: tuple[Check, ...]

    @property
    def holds(self) -> bool:
        """True where nothing failed and something was checked."""
        return bool(self.checks) and all(check.state != "failed" for check in self.checks)

    @property
    def first(self) -> Check | None:
        """The first failure."""
        return next((check for check in self.checks if check.state == "failed"), None)


def with_check(report: Report, check: Check) -> Report:
    """The report with one more check."""
    return Report(
        report.kind,
        report.number,
        report.version,
        report.digest,
        report.fingerprint,
        report.anchored,
        (*report.checks, check),
    )


def lines_of(report: Report) -> list[str]:
    """The report for a terminal; the last line says what it is not."""
    marks = {"ok": "ok      ", "failed": "FAILED  ", "not_checked": "–       "}
    lines = [f"{report.number or '?'} V{report.version}  sha256 {report.digest[:16] or '?'}"] if report.number else []
    if report.fingerprint:
        lines.append(f"密钥指纹 key fingerprint {report.fingerprint}")
    lines += [f"{marks[check.state]}{LABELS[check.check]}: {check.said}" for check in report.checks]
    lines.append("已存证 anchored" if report.anchored else "未存证 not anchored")
    lines.append("所查各项均成立 everything that was checked holds" if report.holds else "有不一致 something differs")
    lines.append(CLOSING)
    return lines
