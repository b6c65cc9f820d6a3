"""Chinese for the sentences in which the domain gives its reasons; what is not known here stands in English in both."""

import re
from typing import Final

from parkcarbon.statement.record import Text

_SENTENCES: Final[tuple[tuple[str, str], ...]] = (
    (r"the remaining emissions are not known", "待抵销排放未知"),
    (r"the remaining emissions are negative: a sign or an amount is wrong", "待抵销排放为负：方向或数量有误"),
    (
        r"(\S+) t of the remaining emissions are not covered by retired credits",
        r"待抵销排放中 \1 t 未被已注销减排量覆盖",
    ),
    (r"unresolved data gap: (.*)", r"未解决的数据缺口：\1"),
    (r"a month is provisional until the true-up at the year's end", "月度结果为暂定，以年终核定为准"),
    (r"the period is not closed", "本期尚未关账"),
    (r"no third party has verified the period", "本期未经第三方核查"),
    (r"the reduction against the base year is not known", "相对基准年的减排量未知"),
    (r"reduced by (\S+) t, the plan requires (\S+) t", r"已减排 \1 t，计划要求 \2 t"),
    (r"after the first period a reduction is mandatory, not offsetting alone", "首期之后必须减排，不能只靠抵销"),
    (r"(.*) is neither in the boundary nor listed as an exclusion", r"\1 既不在边界内，也未列为排除项"),
    (r"(.*) is (\S+) % of the footprint: too much for an exclusion", r"\1 占足迹 \2 %，超过排除项限值"),
    (r"(\S+) % of the footprint are covered, 95 % are needed", r"足迹覆盖率 \1 %，要求 95 %"),
    (r"electricity: CO2 only \(source limitation\)", "电力仅含CO₂（来源所限）"),
    (r"market-based remainder: (\S+), data year (\S+)", r"基于市场的剩余电量因子：\1，数据年份 \2"),
    (
        r"no remainder factor for (\S+): market-based uses (\S+), the location-based one",
        r"\1 无剩余电量因子：基于市场采用基于位置的因子 \2",
    ),
    (
        r"market-based remainder by declared policy: (\S+), the location-based one",
        r"按声明，基于市场的剩余部分采用基于位置的因子 \1",
    ),
    (r"covered by certificates cancelled for this consumption", "由为本消费核销的绿证覆盖"),
    (
        r"own generation used inside whose certificates were sold: counted at the remainder \(rules 3.16, 5.3\)",
        "绿证已售出的自用电量：按剩余电量因子计（规则3.16、5.3）",
    ),
    (r"supplier's rate", "供应商因子"),
    (r"no readings in this period", "本期无读数"),
    (r"process emissions need a factor per product", "过程排放需要按产品的因子"),
    (r"(\S+) is not in the total", r"\1 未计入合计"),
    (r"(\S+) is unverified", r"\1 未核实"),
    (r"(\S+) has no value for some hours of (\S+)", r"\1 在 \2 的部分小时无值"),
    (
        r"rule (\S+): (\S+): an amount on (\S+), the factors of (.+) are on (\S+)",
        r"规则\1：\2 的数量按 \3，\4 的因子按 \5",
    ),
    (r"no fuel is metered: scope 1 is not known", "无燃料计量：范围一未知"),
    (r"(\S+) kWh exported are not netted against purchases", r"上网电量 \1 kWh 不冲减购电"),
    (r"(\S+) % of the metered time is missing: the amounts are too low", r"计量时间缺失 \1 %：数量偏低"),
    (r"some amounts are suspect; they are counted as recorded", "部分数量存疑，按记录计入"),
    (r"(\S+): (\S+) (\S+) is negative: is its meter reversed\?", r"\1：\2 \3 为负，电表是否接反？"),
    (
        r"(\S+): its intervals were computed with another factor than (\S+); the line uses the latter",
        r"\1：各时段曾用其他因子计算，本行采用 \2",
    ),
    (r"some entries are simulated: not for use outside a demonstration", "部分录入为仿真数据，仅供演示"),
    (
        r"market-based scope 2 exceeds location-based: .*",
        "基于市场的范围二高于基于位置：未被绿证覆盖的电量按剩余电量因子计，其中他人已声明的绿电已被剔除",
    ),
    (r"electricity made and used inside: it changes no purchase", "自发自用电量：不改变购电"),
    (r"electricity delivered, not netted: it changes no purchase", "输出电量不冲减：不改变购电"),
    (r"gas is both metered and entered: make sure that nothing is counted twice", "燃气既有计量又有录入：请确认未重复"),
    (r"scope 3 is not screened", "范围三未筛查"),
    (r"scope 3: categories (.*) are not screened", r"范围三：类别 \1 未筛查"),
    (r"scope 3 category (\d+) is included but has no entries in this period", r"范围三类别 \1 已纳入但本期无录入"),
    (r"scope 3 category (\d+) is called not significant but has entries", r"范围三类别 \1 称不重要但有录入"),
    (r"class of the supplier's meter not given: as the park's own, assumed", "供应商表计等级未给出：假定与园区相同"),
    (r"no meter shows (\S+) (\S+) for this bill", "无表计可与本账单对照"),
    (r"the bill is in (\S+), the meters in (\S+)", r"账单单位为 \1，表计单位为 \2"),
    (r"no 等价值 of electricity is known for (\d+): not computed", r"\1年无电力等价值：未计算"),
    (r"no energy is known: not computed", "无能源数据：未计算"),
    (r"(.+) is not known: not computed", r"\1 未知：未计算"),
    (r"(\S+) describes (\d+), not (\d+)", r"\1 为\2年数据，非\3年"),
    (r"no value for (\S+): (\S+) of (.+) is used", r"\1 无值：采用 \3 的 \2"),
    (r"the electricity (?:purchased|self-used) in (\S+) is not known", r"\1 的电量未知"),
    (r"(\S+) had not begun by (\S+)", r"\1 在 \2 尚未开始"),
    (r"no (\S+) factor for (.+)", r"没有 \2 的因子（\1）"),
    (r"simulated", "仿真"),
)
_PATTERNS: Final = tuple((re.compile(pattern), zh) for pattern, zh in _SENTENCES)


def said(sentence: str) -> Text:
    """A sentence of the domain in both languages; several, parted by semicolons, one by one.

    >>> said("the period is not closed")
    Text(zh='本期尚未关账', en='the period is not closed')
    """
    if (known := _whole(sentence)) is not None:
        return Text(known, sentence)
    parts = sentence.split("; ")
    return Text("；".join(_whole(part) or part for part in parts), sentence)


def _whole(sentence: str) -> str | None:
    for pattern, zh in _PATTERNS:
        if (found := pattern.fullmatch(sentence)) is not None:
            return _inner(found.expand(zh))
    return None


def _inner(text: str) -> str:
    """What stands behind a colon may be a sentence of its own."""
    head, colon, rest = text.partition("：")
    inner = _whole(rest) if colon else None
    return text if inner is None else f"{head}：{inner}"
