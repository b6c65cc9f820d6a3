"""Words that the pages of every statement carry; the terms of the glossary. What a month says is in its record."""

from typing import Final

from parkcarbon.statement.record import Text

WORDS: Final[dict[str, Text]] = {
    "approved": Text("批准", "Approved"),
    "at": Text("时间", "Time"),
    "boundary": Text("边界与排除", "Boundary and exclusions"),
    "cause": Text("原因", "Cause"),
    "after": Text("现值", "Now"),
    "before": Text("原值", "Before"),
    "changed_line": Text("变更项", "Line"),
    "changes": Text("相对旧版本的变更", "What changed against the version before"),
    "comment": Text("意见", "Comment"),
    "completeness": Text("数据完整率", "Data completeness"),
    "digest": Text("内容摘要（SHA-256）", "Digest of the content (SHA-256)"),
    "digest_note": Text(
        "编制、复核、批准者签署的即此摘要；页脚为其前16位。本文件附有 statement.json，版面上每个数字均由其排印。",
        "This digest is what was prepared, reviewed and approved; footers print its first 16 digits. "
        "The file statement.json is attached to this document; every figure on its pages is set from it.",
    ),
    "draft": Text("草稿", "DRAFT"),
    "due": Text("应交日期", "Due"),
    "entity": Text("报告主体", "Reporting entity"),
    "final": Text("最终", "FINAL"),
    "hour": Text("当日第几小时", "Hour of the day"),
    "issued_at": Text("签发时间", "Issued"),
    "item": Text("事项", "Item"),
    "declared": Text("声明所用范围二基准", "declared scope 2 basis"),
    "known_on": Text("数据截至", "Data as of"),
    "missing": Text("缺失", "missing"),
    "more_reasons": Text("其余理由列于待补事项之后", "further reasons follow below the pending items"),
    "no_acts": Text("尚无人编制、复核或批准", "Not yet prepared, reviewed or approved by anybody"),
    "no_data": Text("无数据", "no data"),
    "not_issued": Text("未签发", "not issued"),
    "not_counted": Text("不计入", "outside the sum"),
    "number": Text("编号", "Number"),
    "other_basis": Text("另一范围二基准", "the other scope 2 basis"),
    "other_method": Text("另一口径", "different method"),
    "owner": Text("责任人", "Owner"),
    "park": Text("园区", "Park"),
    "pending": Text("待补事项", "Pending"),
    "people": Text("编制、复核、批准", "Prepared, reviewed, approved"),
    "period": Text("期间", "Period"),
    "person": Text("姓名或职责", "Person or function"),
    "prepared": Text("编制", "Prepared"),
    "provisional": Text("暂定", "PROVISIONAL"),
    "reasons": Text("其余理由", "Further reasons"),
    "reviewed": Text("复核", "Reviewed"),
    "nobody": Text("无", "nobody"),
    "role": Text("步骤", "Step"),
    "status": Text("状态", "Status"),
    "supersedes": Text("替代版本", "supersedes"),
    "unit": Text("单位", "Unit"),
    "version": Text("版本", "Version"),
}

MONTHS: Final = (
    "January", "February", "March", "April", "May", "June",
    "July", "August", "September", "October", "November", "December",
)  # fmt: skip


def period(text: str) -> Text:
    """A month or a year in words.

    >>> period("2026-10"), period("2026")
    (Text(zh='2026年10月', en='October 2026'), Text(zh='2026年', en='2026'))
    """
    year, _, month = text.partition("-")
    if not month:
        return Text(f"{year}年", year)
    return Text(f"{year}年{int(month)}月", f"{MONTHS[int(month) - 1]} {year}")
