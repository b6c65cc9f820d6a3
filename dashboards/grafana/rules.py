"""Grafana's own alert rules: the health of the platform alone, paused until somebody turns them on.

Park alarms live in `alerts` alone: two places that judge one limit disagree sooner or later.
"""

import json
from dataclasses import dataclass
from typing import Any, Final, Literal

from grafana_foundation_sdk.builders import alerting
from grafana_foundation_sdk.cog import builder, variants
from grafana_foundation_sdk.cog.encoder import JSONEncoder
from grafana_foundation_sdk.models import alerting as models

from .dashboards import RULES_FOLDER
from .draw import DATASOURCE_UID, UID_PREFIX, Sql
from .queries import statement
from .text import Text

GROUP: Final = "parkcarbon-health"
INTERVAL_S: Final = 60
LABEL: Final = "managed_by"
OWNER: Final = "parkcarbon"
"""Rules with this label and a uid of ours are kept in step; all others are left alone."""
_LOOK_BACK_S: Final = 600


@dataclass(frozen=True, slots=True)
class Rule:
    """One rule.

    Attributes:
        key: end of its uid.
        query: name of its statement: one row, one number.
        title: its name, in both languages.
        side: fires when the number is greater or less than the limit.
        limit: [unit of the number].
        wait: how long it must stay so, as Grafana writes it.
        action: what to do.
    """

    key: str
    query: str
    title: Text
    side: Literal["gt", "lt"]
    limit: float
    wait: str
    action: Text


RULES: Final[tuple[Rule, ...]] = (
    Rule(
        "no-readings",
        "rule_no_readings",
        Text("没有新读数", "No new readings"),
        "gt",
        300,
        "5m",
        Text("查看来源、代理与接收进程。", "Look at sources, broker and the receiver."),
    ),
    Rule(
        "results-waiting",
        "rule_results_waiting",
        Text("计算积压", "Results wait"),
        "gt",
        3600,
        "15m",
        Text("查看接收进程的重算日志。", "Look at the recompute log of the receiver."),
    ),
    Rule(
        "log-not-sealed",
        "rule_log_not_sealed",
        Text("日志未封存", "The log is not sealed"),
        "gt",
        3600,
        "15m",
        Text("查看声明进程。", "Look at the statements process."),
    ),
    Rule(
        "dead-letters",
        "rule_dead_letters",
        Text("有拒收报文", "Messages were refused"),
        "gt",
        0,
        "0s",
        Text("运行 parkcarbon review。", "Run parkcarbon review."),
    ),
    Rule(
        "statement-tasks",
        "rule_statement_tasks",
        Text("声明任务失败", "Statement tasks fail"),
        "gt",
        0,
        "1h",
        Text("查看声明仪表板的待办任务。", "See the open tasks on the statements dashboard."),
    ),
    Rule(
        "alarm-evaluator",
        "rule_alarm_evaluator",
        Text("无人评估告警", "Nobody evaluates alarms"),
        "lt",
        0,
        "2m",
        Text("启动 parkcarbon alerts。", "Start the alerts process."),
    ),
    Rule(
        "alarm-messages-waiting",
        "rule_alarm_messages_waiting",
        Text("告警消息未发出", "Alarm messages wait"),
        "gt",
        300,
        "5m",
        Text("检查通知渠道。", "Check the channels."),
    ),
    Rule(
        "alarm-messages-dead",
        "rule_alarm_messages_dead",
        Text("告警消息被放弃", "Alarm messages were given up"),
        "gt",
        0,
        "0s",
        Text("检查渠道，并亲自通知接收人。", "Check the channel and tell the receivers yourself."),
    ),
)


class _Threshold(variants.Dataquery, builder.Builder[variants.Dataquery]):
    """Grafana's expression that compares a query with a limit."""

    def __init__(self, side: str, limit: float) -> None:
        self._side, self._limit = side, limit

    def build(self) -> variants.Dataquery:
        """Return itself."""
        return self

    def to_json(self) -> dict[str, object]:
        """Plain members, as Grafana keeps them."""
        return {
            "refId": "B",
            "type": "threshold",
            "expression": "A",
            "datasource": {"type": "__expr__", "uid": "__expr__"},
            "conditions": [{"evaluator": {"type": self._side, "params": [self._limit]}}],
        }


def rules() -> list[dict[str, Any]]:
    """Make every rule as Grafana's provisioning API takes it, paused."""
    return [_rule(rule) for rule in RULES]


def _rule(rule: Rule) -> dict[str, Any]:
    span = models.RelativeTimeRange(from_val=_LOOK_BACK_S, to=0)
    made = (
        alerting.Rule(f"{rule.title.zh} {rule.title.en}")
        .uid(f"{UID_PREFIX}{rule.key}")
        .org_id(1)
        .folder_uid(RULES_FOLDER.uid)
        .rule_group(GROUP)
        .condition("B")
        .for_val(rule.wait)
        .is_paused(is_paused=True)
        .no_data_state("OK")
        .exec_err_state("Error")
        .labels({LABEL: OWNER})
        .annotations({"summary": f"{rule.action.zh} {rule.action.en}"})
        .with_query(
            alerting.Query("A")
            .datasource_uid(DATASOURCE_UID)
            .model(Sql(statement(rule.query), series=False))
            .relative_time_range(span)
        )
        .with_query(
            alerting.Query("B")
            .datasource_uid("__expr__")
            .model(_Threshold(rule.side, rule.limit))
            .relative_time_range(span)
        )
    )
    found: dict[str, Any] = json.loads(json.dumps(made.build(), cls=JSONEncoder))
    return found
