"""Our words, Chinese and English: of a message's lines, of why it goes out, of priorities."""

from typing import Final, Literal

Language = Literal["zh", "en"]

WHY: Final[dict[Language, dict[str, str]]] = {
    "zh": {"first": "告警", "repeat": "告警仍未解除", "escalation": "告警升级：无人确认", "recovered": "告警已恢复"},
    "en": {"first": "Alarm", "repeat": "Alarm stands", "escalation": "Nobody acknowledged", "recovered": "Recovered"},
}
PRIORITY: Final[dict[Language, dict[str, str]]] = {
    "zh": {"low": "低", "medium": "中", "high": "高"},
    "en": {"low": "low", "medium": "medium", "high": "high"},
}
SUBJECT: Final[dict[Language, str]] = {
    "zh": "【${priority}】${why}：${name} · ${subject_name} ${value}（限值 ${limit}）",
    "en": "[${priority}] ${why}: ${name} · ${subject_name} ${value} (limit ${limit})",
}
SUBJECT_ALONE: Final[dict[Language, str]] = {
    "zh": "【${priority}】${why}：${name} · ${subject_name}",
    "en": "[${priority}] ${why}: ${name} · ${subject_name}",
}
"""Where there is no figure."""
UNKNOWN: Final = "–"
MORE: Final[dict[Language, str]] = {"zh": " 等 {count} 项", "en": " and {more} more"}
LATE: Final[dict[Language, str]] = {
    "zh": "（事后评估：程序重启或数据迟到）",
    "en": "(evaluated late: after a restart, or readings came late)",
}

LINES: Final[dict[Language, tuple[tuple[str, str], ...]]] = {
    "zh": (
        ("", "${why}：${name}"),
        ("park_name", "园区：${park_name}"),
        ("subject_name", "对象：${subject_name}"),
        ("value", "数值：${value}，限值 ${limit}，最不利 ${worst}"),
        ("reason", "原因：${reason}"),
        ("began", "开始：${began}，已持续 ${duration}"),
        ("resolved", "恢复：${resolved}"),
        ("cause", "常见起因：${cause}"),
        ("consequence", "不处置的后果：${consequence}"),
        ("action", "处置：${action}"),
        ("respond_within", "处置时限：${respond_within}"),
        ("link", "详情：${link}"),
    ),
    "en": (
        ("", "${why}: ${name}"),
        ("park_name", "Park: ${park_name}"),
        ("subject_name", "What: ${subject_name}"),
        ("value", "Figure: ${value}, limit ${limit}, worst ${worst}"),
        ("reason", "Reason: ${reason}"),
        ("began", "Since: ${began}, for ${duration}"),
        ("resolved", "Recovered: ${resolved}"),
        ("cause", "Usual cause: ${cause}"),
        ("consequence", "If nobody acts: ${consequence}"),
        ("action", "What to do: ${action}"),
        ("respond_within", "Time to respond: ${respond_within}"),
        ("link", "More: ${link}"),
    ),
}
"""Lines of our message: the field without which a line is left out, and the line."""
