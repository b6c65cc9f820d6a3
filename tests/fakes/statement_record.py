"""A statement of an invented park, with every kind of block, in four variants: as issued, again, empty, flash.

Nothing is read and nothing is random: the same bytes each time. Amounts are made up; that they add up is not.
"""

import hashlib
from decimal import Decimal
from typing import Any, Final

import msgspec

from parkcarbon.statement.record import (
    SCHEMA,
    Act,
    Bridge,
    Change,
    Evidence,
    FactorRecord,
    Figure,
    Front,
    Loss,
    Missing,
    Predecessor,
    Record,
    Root,
    Section,
    Step,
    Text,
    Verdict,
    content_digest,
)
from parkcarbon.statement.sheet import Sheet
from tests.fakes.statement_figures import Scene, figures_of
from tests.fakes.statement_pages import PAGES

PARK: Final = "suzhou-demo"
PERIOD: Final = "2026-10"


def sample_record(**changes: Any) -> Record:
    """A month that is partly covered, approved and issued; `changes` replace members of the record."""
    scene = Scene(Sheet(), empty=False)
    return msgspec.structs.replace(_record(scene), **changes)


def sample_reissue() -> Record:
    """Version 2 of it: one tenant's meter was corrected, three lines changed."""
    first = sample_record()
    scene = Scene(Sheet(), empty=False, correction=Decimal("-1250.5"))
    second = _record(scene)
    changes = tuple(
        Change(
            name,
            Text(name, name),
            first.figures[name].shown,
            figure.shown,
            figure.unit,
            Text("电表 m-t03 倍率更正", "meter ratio of m-t03 corrected"),
        )
        for name, figure in second.figures.items()
        if figure.shown != first.figures[name].shown
    )
    reason = "电表 m-t03 倍率更正 meter ratio of m-t03 corrected"
    return msgspec.structs.replace(
        second,
        version=2,
        known_on="2026-11-25T02:00:00Z",
        issued_at="2026-11-25T03:00:00Z",
        supersedes=Predecessor(first.number, 1, content_digest(first), reason, changes),
    )


def sample_empty() -> Record:
    """A month of which nothing is known: every heading, no amount."""
    record = _record(Scene(Sheet(), empty=True))
    verdict = Verdict(
        "cannot_be_judged",
        Text("无法判定", "cannot be judged"),
        Text(
            "2026年10月：无法判定，因为没有计量数据。", "October 2026: cannot be judged, because no data was metered."
        ),
        Text("仅范围一、二", "Scopes 1+2 only"),
        (Text("没有计量数据 [6.7]", "no metered data [6.7]"),),
        "s12.market.total",
    )
    return msgspec.structs.replace(record, verdict=verdict, acts=(), issued_at="")


def sample_flash() -> Record:
    """What is known on the third working day: no verdict, certificates pending."""
    record = sample_record()
    verdict = Verdict(
        "none",
        Text("快报：无结论", "Flash report: no verdict"),
        Text("证书待定；不作结论。", "Certificates pending; no verdict."),
        Text("仅范围一、二", "Scopes 1+2 only"),
        (),
        "s12.market.total",
    )
    pending = (
        Missing("bill:electricity", Text("电费账单", "electricity bill"), "能源管理员 energy manager", "2026-11-10"),
        Missing("certificates", Text("绿证核销凭证", "GEC cancellations"), "采购 purchasing", "2026-11-12"),
        Missing(
            "meter:m-t07/active_energy_import", Text("电表 m-t07", "meter m-t07"), "电工 electrician", "2026-11-06"
        ),
    )
    acts = (Act("prepared", "scheduler", "2026-11-04T01:00:00Z"),)
    return msgspec.structs.replace(
        record,
        kind="flash",
        number=f"PC-{PARK}-{PERIOD}-F",
        verdict=verdict,
        missing=pending,
        acts=acts,
        known_on="2026-11-04T00:58:00Z",
        issued_at="2026-11-04T01:00:00Z",
        front=msgspec.structs.replace(
            record.front, title=Text("快报（计量数据，不作结论）", "Flash report (metered data, no verdict)")
        ),
    )


def _record(scene: Scene) -> Record:
    figures_of(scene)
    sections = tuple(
        Section(name, head, page(scene), page=name not in {"other_method", "check"}) for name, head, page in PAGES
    )
    return Record(
        schema=SCHEMA,
        kind="statement",
        park=PARK,
        park_name=Text("苏州示范园区", "Suzhou sample park"),
        entity=Text("苏州示范园区运营有限公司", "Suzhou Sample Park Operations Co., Ltd."),
        timezone="Asia/Shanghai",
        period=PERIOD,
        from_time="2026-10-01T00:00:00+08:00",
        to_time="2026-11-01T00:00:00+08:00",
        number=f"PC-{PARK}-{PERIOD}",
        version=1,
        status="provisional",
        known_on="2026-11-14T02:00:00Z",
        method_profile="ghgp",
        method_version="1",
        software="parkcarbon 0.1.0",
        verdict=_verdict(scene.sheet.figures),
        front=_front(),
        figures=scene.sheet.figures,
        sections=sections,
        missing=(),
        evidence=_evidence(),
        acts=(
            Act("prepared", "能源管理员 energy manager", "2026-11-14T02:10:00Z"),
            Act("reviewed", "碳核算员 carbon accountant", "2026-11-14T06:30:00Z", "与账单核对 compared with the bill"),
            Act("approved", "园区总经理 managing director", "2026-11-15T01:05:00Z"),
        ),
        issued_at="2026-11-15T01:06:00Z",
        notes=(
            Text("不可用于CBAM", "not a CBAM value"),
            Text("电力仅含CO₂", "electricity CO2 only"),
        ),
    )


def _verdict(figures: dict[str, Figure]) -> Verdict:
    judged, half = figures["s12.market.total"].shown, figures["s12.market.halfwidth"].shown
    retired, short = figures["credits.retired"].shown, figures["verdict.short"].shown
    return Verdict(
        "partly_covered",
        Text("部分覆盖", "partly covered"),
        Text(
            f"2026年10月：范围一、二（基于市场）{judged} ± {half} t；已注销减排量 {retired} t；缺口 {short} t。"
            "暂定，年终核定。",
            f"October 2026: scopes 1+2 (market-based) {judged} ± {half} t; retired credits {retired} t; "
            f"short {short} t. Provisional until the year-end true-up.",
        ),
        Text("仅范围一、二", "Scopes 1+2 only"),
        (
            Text("已注销减排量少于待抵销排放 [3.9]", "retired credits are less than remaining emissions [3.9]"),
            Text("期间未核查 [3.11]", "the period is not verified [3.11]"),
        ),
        "s12.market.total",
    )


def _front() -> Front:
    return Front(
        title=Text(
            "碳中和月度声明（进度·暂定，不构成碳中和宣告）",
            "Monthly carbon-neutrality statement (progress, provisional, not a claim)",
        ),
        stamp=Text("暂定", "PROVISIONAL"),
        judged=("s12.market.total", "s12.market.halfwidth"),
        other=("s12.location.total", "s12.location.halfwidth"),
        boundary=(
            Text(
                "组织边界（运营控制权法）：一至三号厂房及动力站",
                "Boundary (operational control): halls 1 to 3, energy station",
            ),
            Text("不含：通勤、差旅（范围三）", "Excluded: commuting, business travel (scope 3)"),
            Text("不含：访客充电桩，少于 0.1 %", "Excluded: visitors' chargers, below 0.1 %"),
        ),
        bridge=Bridge(
            "front.bridge",
            Text("从基于位置到待抵销排放", "From location-based to remaining emissions"),
            (
                Step(Text("范围一、二（基于位置）", "Scopes 1+2, location-based"), "s12.location.total", "total"),
                Step(Text("合同与绿证", "Contracts and GEC"), "bridge.contracts", "change"),
                Step(Text("范围一、二（基于市场）", "Scopes 1+2, market-based"), "s12.market.total", "total"),
                Step(Text("已注销减排量", "Retired credits"), "bridge.credits", "change"),
                Step(Text("缺口", "Shortfall"), "verdict.short", "total"),
            ),
        ),
        verification=Text("第三方核查：无", "Verification: none"),
    )


def _hex(word: str) -> str:
    return hashlib.sha256(word.encode()).hexdigest()


def _evidence() -> Evidence:
    days = [f"2026-10-{day:02d}" for day in range(1, 32)]
    return Evidence(
        log_size=44_640,
        log_root=_hex("log"),
        batches=44_612,
        roots=tuple(
            Root(day, 1440 * number, _hex(day), ("mail", "rfc3161")) for number, day in enumerate(days, start=1)
        ),
        factors=(
            FactorRecord(
                "cn-jiangsu-2023", "0.5978", "kgCO2/kWh", "MEE, NBS", "2025-47", 2023, "2026-01-05T00:00:00Z", True
            ),
            FactorRecord(
                "cn-remainder-2023", "0.6096", "kgCO2/kWh", "MEE, NBS", "2025-47", 2023, "2026-01-05T00:00:00Z", True
            ),
            FactorRecord("heat-default", "0.11", "tCO2/GJ", "SAMR", "GB/T 32150", None, "2026-01-05T00:00:00Z", False),
        ),
        ledger_digest=_hex("ledger"),
        ledger_events=27,
        entries=(11, 12, 15, 19),
        losses=(Loss("m-t07/active_energy_import", "2026-10-12T03:15:00Z", "2026-10-12T05:00:00Z", 7, "outbox full"),),
        park_revision=6,
    )
