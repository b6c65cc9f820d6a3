"""Last page: how anyone checks the statement without trusting anyone, what is anchored where, and the terms."""

from parkcarbon.statement.compose.context import Context
from parkcarbon.statement.compose.wording.blocks import EMPTY, left, line, plain_cell, right, say, table, text_cell
from parkcarbon.statement.compose.wording.glossary import GLOSSARY
from parkcarbon.statement.compose.wording.words import NONE
from parkcarbon.statement.record import Block, Evidence, Pairs, Section, Text
from parkcarbon.statement.sheet import words

ONLY_INTEGRITY = Text("仅为完整性校验，不构成核查", "integrity only, not an ISO 14064-3 verification")


async def how_to_check(context: Context, evidence: Evidence | None = None) -> Section:
    """The page.

    Args:
        context: of the statement.
        evidence: what the figures rest on; None: its roots are not printed, the record has them.
    """
    blocks: list[Block] = [
        say(
            "任何人都可离线校验本声明：签名、记录格式、算术、页面上的数字与记录是否一致、日志根。",
            "Anyone can check this statement offline: signatures, the form of the record, arithmetic, whether the pages"
            " show what the record says, and the roots of the log.",
        ),
        _commands(context),
        say(
            f"{ONLY_INTEGRITY.zh}。核查由 ISO 14064-3 机构进行，有其保证等级。",
            f"This is {ONLY_INTEGRITY.en}; that is done by a third party and has a level of assurance.",
            "strong",
        ),
        Pairs(
            (
                (Text("编号", "Number"), plain_cell(context.order.printed_number)),
                (Text("版本", "Version"), plain_cell(f"V{context.order.version}")),
                (
                    Text("摘要", "Hash"),
                    words(
                        "页脚为记录内容 SHA-256 的前16位；全文由校验命令给出",
                        "footers print the first 16 digits of the SHA-256 of the content; the command prints all",
                    ),
                ),
                (
                    Text("二维码", "QR code"),
                    words("编号、版本与内容的完整摘要", "number, version and the whole hash of the content"),
                ),
            )
        ),
        *(() if evidence is None else _roots(evidence)),
        _glossary(),
    ]
    return Section("check", Text("如何校验", "How to check"), tuple(blocks))


def _commands(context: Context) -> Block:
    number = context.order.printed_number
    rows = (
        (
            f"parkcarbon statement verify {number}.pdf",
            "签名、格式、算术、页面与记录一致",
            "signatures, schema, arithmetic, pages against the record",
        ),
        (
            f"parkcarbon statement verify {number}.pdf --roots ROOTS",
            "并与外部存放的每日日志根比对：已锚定或未锚定",
            "and against the daily roots kept elsewhere: anchored or not anchored",
        ),
        (
            f"parkcarbon statement verify {number}.pdf --key FINGERPRINT",
            "并核对签名密钥的指纹",
            "and that the key is the one whose fingerprint you were given",
        ),
        (
            f"parkcarbon statement verify {number}.pdf --pack EVIDENCE",
            "并由证据包自表底重算每一个数",
            "and every figure again from registers, from the evidence pack",
        ),
    )
    lines = [line(plain_cell(command), words(zh, en)) for command, zh, en in rows]
    columns = (left("命令", "command", 2.2), left("校验内容", "what it checks", 2.0))
    return table("check.commands", ("命令", "Commands"), columns, lines)


def _roots(evidence: Evidence) -> tuple[Block, ...]:
    """Size and root of the log at freezing, and each day's root with where it was sent."""
    lines = [
        line(
            plain_cell(root.day),
            plain_cell(f"{root.size:,}"),
            plain_cell(root.root),
            plain_cell(", ".join(root.sent)) if root.sent else text_cell(NONE),
        )
        for root in evidence.roots
    ]
    none = [line(text_cell(NONE), *[EMPTY] * 3)]
    columns = (
        left("日期", "day", 1.0),
        right("批次数", "batches", "", 0.8),
        left("根", "root", 3.4),
        left("已送达", "sent to", 1.6),
    )
    return (
        Pairs(
            (
                (Text("日志批次数", "Batches in the log"), plain_cell(f"{evidence.log_size:,}")),
                (Text("日志根", "Root of the log"), plain_cell(evidence.log_root)),
                (Text("本期批次数", "Batches of the period"), plain_cell(f"{evidence.batches:,}")),
                (Text("台账摘要", "Hash of the ledger"), plain_cell(evidence.ledger_digest)),
            )
        ),
        table(
            "check.roots",
            ("每日日志根及其锚定处", "Daily roots of the log, and where they are anchored"),
            columns,
            lines or none,
        ),
        say(
            "未送达任何外部场所的根只证明记录内部一致。",
            "A root that was sent nowhere proves no more than that the record agrees with itself.",
            "note",
        ),
    )


def _glossary() -> Block:
    columns = (left("中文", "Chinese", 1.5), left("英文", "English", 1.9), left("含义", "meaning", 3.0))
    lines = [line(plain_cell(term.zh), plain_cell(term.en), text_cell(term.meaning)) for term in GLOSSARY]
    return table("check.glossary", ("术语", "Glossary"), columns, lines)
