"""Words of the statement that several pages use, in the terms of the glossary, and ids made of names."""

import hashlib
import re
from collections.abc import Container, Iterable
from itertools import count
from typing import Final

from parkcarbon.books.amounts import Period
from parkcarbon.catalog.terms import Name
from parkcarbon.domain.emissions import Basis
from parkcarbon.domain.factors import Match
from parkcarbon.domain.figure_names import NAMES
from parkcarbon.statement.record import Text

NO_DATA: Final = Text("无数据", "no data")
NONE: Final = Text("无", "none")
NOT_DECLARED: Final = Text("未声明", "not declared")
SCOPES_ONLY: Final = Text("仅范围一、二", "Scopes 1+2 only")
NOT_CBAM: Final = Text("不可用于CBAM", "not a CBAM value")
CO2_ONLY: Final = Text("电力仅含CO₂", "electricity CO2 only")
MIXED_UNIT: Final = Text("t CO2e（电力仅含CO₂）", "t CO2e (electricity CO2 only)")
TOTAL_UNIT: Final = "t CO2e"
SIMULATED: Final = Text(
    "部分录入或凭证为仿真数据，仅供演示", "some entries or instruments are simulated: for a demonstration alone"
)

STATES: Final = {
    "measured": Text("实测", "measured"),
    "interpolated": Text("插值", "interpolated"),
    "substituted": Text("替代", "substituted"),
    "estimated": Text("估算", "estimated"),
    "manual": Text("人工", "manual"),
    "missing": Text("缺失", "missing"),
}
"""Data states, in the order in which they are printed."""

MATCHES: Final = {
    Match.EXACT: Text("地区与年份均符合", "region and year as asked"),
    Match.NEWEST_PUBLISHED: Text("最新发布", "newest published"),
    Match.NEWER_THAN_PERIOD: Text("仅有更晚的数据年份", "only newer data years known"),
    Match.NATIONAL_FALLBACK: Text("地区无值，用全国值", "national fallback"),
    Match.WORLD_DEFAULT: Text("国际缺省值", "international default"),
    Match.SERIES: Text("逐时值", "by the hour"),
    Match.UNDATED: Text("无数据年份", "no data year"),
    Match.DECLARED: Text("按声明指定", "declared"),
    Match.LOCATION_FALLBACK: Text("无剩余因子，用基于位置因子", "location-based fallback"),
    Match.SUBSTITUTED: Text("逐时值缺失，按规则替代", "substituted value of the series"),
}
"""How a factor was found."""

CONSOLIDATION: Final = {
    "operational_control": Text("运营控制权法", "operational control"),
    "financial_control": Text("财务控制权法", "financial control"),
    "equity_share": Text("股权比例法", "equity share"),
}

_MONTHS: Final = (
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
)


def of_name(name: Name | None) -> Text:
    """A name of the park document; not declared where there is none."""
    return NOT_DECLARED if name is None else Text(name.zh, name.en)


def term(name: str) -> Text:
    """The glossary's words of a figure."""
    return Text(*NAMES[name])


def scope2(basis: Basis) -> Text:
    """Scope 2 on one basis."""
    return term(f"scope2_{basis}")


def basis_words(basis: Basis) -> Text:
    """A basis alone."""
    return Text("基于市场", "market-based") if basis == "market" else Text("基于位置", "location-based")


def period_words(period: Period) -> Text:
    """A month or year: 2026年6月, June 2026."""
    if not period.is_month:
        return Text(f"{period.year}年", str(period.year))
    month = period.from_day.month
    return Text(f"{period.year}年{month}月", f"{_MONTHS[month - 1]} {period.year}")


def join(parts: Iterable[Text], zh: str = "；", en: str = "; ") -> Text:
    """Several texts in a row."""
    found = tuple(parts)
    return Text(zh.join(part.zh for part in found), en.join(part.en for part in found))


def slug(name: str) -> str:
    """A part of an id: lower-case ASCII; what gets lost is told apart by a digest, so that ids stay the same.

    >>> slug("gate/active_energy_import"), slug("Diesel")
    ('gate-active_energy_import', 'diesel')
    >>> slug("柴油") == slug("汽油")
    False
    """
    plain = re.sub(r"[^a-z0-9_]+", "-", name.lower()).strip("-")
    if re.fullmatch(r"[a-z0-9_\-/ :.]+", name.lower()):
        return plain
    digest = hashlib.sha256(name.encode()).hexdigest()[:6]
    return f"{plain}-{digest}" if plain else digest


def unused(name: str, taken: Container[str]) -> str:
    """The name, or the name with the first free number behind it."""
    if name not in taken:
        return name
    return next(f"{name}-{at}" for at in count(2) if f"{name}-{at}" not in taken)
