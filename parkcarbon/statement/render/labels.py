"""Labels of a statement's sheets; what pages and sheets both say is said in the same words."""

from typing import Final

from parkcarbon.statement.record import Text

LABELS: Final[dict[str, Text]] = {
    "after": Text("现值", "Now"),
    "approved": Text("批准", "Approved"),
    "batches": Text("本期批次", "Batches of the period"),
    "before": Text("原值", "Before"),
    "because": Text("理由", "Reason"),
    "boundary": Text("边界与排除", "Boundary and exclusions"),
    "cause": Text("原因", "Cause"),
    "changed_line": Text("变更项", "Line"),
    "changes": Text("相对旧版本的变更", "What changed against the version before"),
    "completeness": Text("数据完整率", "Data completeness"),
    "data_year": Text("数据年份", "Data year"),
    "day": Text("日", "Day"),
    "declared": Text("声明所用范围二基准", "declared scope 2 basis"),
    "differ": Text("重算后与记录不一致的数据项", "figures that differ from the record when computed again"),
    "digest": Text("内容摘要（SHA-256）", "Digest of the content (SHA-256)"),
    "edition": Text("版次", "Edition"),
    "entity": Text("报告主体", "Reporting entity"),
    "entries": Text("录入", "Entries"),
    "evidence": Text("证据", "Evidence"),
    "factor": Text("排放因子", "Emission factor"),
    "figure": Text("数据项", "Figure"),
    "final": Text("最终", "FINAL"),
    "from": Text("自", "From"),
    "hour": Text("当日第几小时", "Hour of the day"),
    "issued_at": Text("签发时间", "Issued"),
    "known_on": Text("数据截至", "Data as of"),
    "ledger_digest": Text("台账摘要（SHA-256）", "Digest of the ledger (SHA-256)"),
    "ledger_events": Text("台账事件", "Events of the ledger"),
    "log_root": Text("日志根", "Log root"),
    "log_size": Text("日志条数", "Log size"),
    "method": Text("核算方法口径", "Method profile"),
    "no": Text("否", "no"),
    "no_data": Text("无数据", "no data"),
    "not_counted": Text("不计入", "outside the sum"),
    "not_issued": Text("未签发", "not issued"),
    "number": Text("编号", "Number"),
    "other_basis": Text("另一范围二基准", "the other scope 2 basis"),
    "other_method": Text("另一口径", "different method"),
    "park": Text("园区", "Park"),
    "park_revision": Text("园区文件修订", "Revision of the park document"),
    "pending": Text("待补事项", "Pending"),
    "period": Text("期间", "Period"),
    "point": Text("测点", "Point"),
    "prepared": Text("编制", "Prepared"),
    "provisional": Text("暂定", "PROVISIONAL"),
    "publisher": Text("发布机构", "Publisher"),
    "readings": Text("读数", "Readings"),
    "reason": Text("原因", "Reason"),
    "recorded": Text("录入时间", "Recorded"),
    "reviewed": Text("复核", "Reviewed"),
    "root": Text("根", "Root"),
    "sent": Text("已发送", "Sent"),
    "size": Text("条数", "Size"),
    "status": Text("状态", "Status"),
    "supersedes": Text("替代版本", "supersedes"),
    "to": Text("至", "To"),
    "unit": Text("单位", "Unit"),
    "value": Text("数值", "Value"),
    "verification": Text("第三方核查", "Third-party verification"),
    "verified": Text("已核实", "Verified"),
    "version": Text("版本", "Version"),
    "yes": Text("是", "yes"),
}


def beside(text: Text) -> str:
    """Chinese, a space, English; once where they are the same.

    >>> beside(Text("电力", "electricity")), beside(Text("CCER", "CCER"))
    ('电力 electricity', 'CCER')
    """
    return text.zh if text.zh == text.en else f"{text.zh} {text.en}"
