"""Scope 3: fifteen categories screened, entries of activity times factor, shown apart from scopes 1 and 2.

Visitors and fleets have a place: own vehicles' fuel is scope 1 and their charging is in the gate meter (scope 2);
contracted fleets are category 4 or 9; visitors' travel is category 9 (optional there), employees' travel 7. Charging of
visitors at the park's own chargers went through the gate meter: `counted_elsewhere`, shown and not added again.

References:
    GHG Protocol Corporate Value Chain (Scope 3) Standard, chapter 5 (categories 1 to 15); ISO 14064-1:2018 annex B
    (categories 3 to 6); accounting rules 1.4 (life-cycle values belong here), 3.8 (exclusions with reasons).
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Final, Literal

from parkcarbon.domain.activities.activity import Activity
from parkcarbon.domain.activities.given import given_match, refuse_mixed_sets
from parkcarbon.domain.emissions import CarrierFactor, Query, single
from parkcarbon.domain.factors import NoFactorError
from parkcarbon.domain.refusal import RefusedError

Status = Literal["included", "estimated", "not_significant"]
Json = dict[str, object]


@dataclass(frozen=True, slots=True)
class Category:
    """One of the fifteen, with its ISO 14064-1 category."""

    number: int
    zh: str
    en: str
    iso: int


CATEGORIES: Final = (
    Category(1, "外购商品和服务", "purchased goods and services", 4),
    Category(2, "资本商品", "capital goods", 4),
    Category(3, "燃料和能源相关活动", "fuel- and energy-related activities", 4),
    Category(4, "上游运输和配送", "upstream transportation and distribution", 3),
    Category(5, "运营中产生的废物", "waste generated in operations", 4),
    Category(6, "商务旅行", "business travel", 3),
    Category(7, "员工通勤", "employee commuting", 3),
    Category(8, "上游租赁资产", "upstream leased assets", 4),
    Category(9, "下游运输和配送", "downstream transportation and distribution", 3),
    Category(10, "售出产品的加工", "processing of sold products", 5),
    Category(11, "售出产品的使用", "use of sold products", 5),
    Category(12, "售出产品的报废处理", "end-of-life treatment of sold products", 5),
    Category(13, "下游租赁资产", "downstream leased assets", 5),
    Category(14, "特许经营", "franchises", 5),
    Category(15, "投资", "investments", 5),
)

ISO_CATEGORY: Final = {category.number: category.iso for category in CATEGORIES}


@dataclass(frozen=True, slots=True)
class Screened:
    """What was decided on one category.

    Attributes:
        category: 1 to 15.
        status: included (entries follow), estimated, or not significant.
        why: reason in words; never empty.
        estimate_t: estimate of the category's size [tCO2e]; None: none was made.
    """

    category: int
    status: Status
    why: str
    estimate_t: float | None = None

    def __post_init__(self) -> None:
        """Refuse a decision without a reason.

        Raises:
            RefusedError: no such category, or no reason.
        """
        if self.category not in ISO_CATEGORY:
            raise RefusedError("3.8", f"scope 3 has categories 1 to 15, not {self.category}")
        if not self.why.strip():
            raise RefusedError("3.8", f"category {self.category} is {self.status} without a reason")


def scope3(activity: Activity, query: Query) -> CarrierFactor:
    """Choose the factor of a scope 3 entry; it comes with the entry or is named by it.

    Raises:
        NoFactorError: neither is the case.
        RefusedError: mixed GWP sets.
    """
    refuse_mixed_sets(activity, query.settings)
    asked = replace(query, carrier=activity.subject, unit=activity.unit)
    match = given_match(activity, asked)
    if match is None:
        raise NoFactorError(f"no factor is given or named for {activity.subject} of category {activity.category}")
    return single(asked, match, 3)


def screening_table(screening: Iterable[Screened], entered: frozenset[int]) -> tuple[list[Json], list[str]]:
    """All fifteen categories with what was decided, and what is wrong with it, in sentences.

    Args:
        screening: the decisions; a later one on the same category goes before an earlier one.
        entered: categories that have entries.
    """
    decided = {screened.category: screened for screened in screening}
    rows: list[Json] = []
    for category in CATEGORIES:
        screened = decided.get(category.number)
        rows.append(
            {
                "category": category.number,
                "name": {"zh": category.zh, "en": category.en},
                "iso14064_category": category.iso,
                "status": screened.status if screened else None,
                "why": screened.why if screened else None,
                "estimate_t": screened.estimate_t if screened else None,
                "entries": category.number in entered,
            }
        )
    return rows, _complaints(decided, entered)


def _complaints(decided: dict[int, Screened], entered: frozenset[int]) -> list[str]:
    if not decided and not entered:
        return ["scope 3 is not screened"]
    missing = [str(number) for number in ISO_CATEGORY if number not in decided]
    said = [f"scope 3: categories {', '.join(missing)} are not screened"] if missing else []
    for number, screened in sorted(decided.items()):
        if screened.status == "included" and number not in entered:
            said.append(f"scope 3 category {number} is included but has no entries in this period")
        if screened.status == "not_significant" and number in entered:
            said.append(f"scope 3 category {number} is called not significant but has entries")
    return said
