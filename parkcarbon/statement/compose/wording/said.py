"""Sentences of the books in both languages: the books say why in English, a statement says it in Chinese too.

Here are those of the ledger, of tenants and of indicators; the rest is in `translate`. A sentence that neither knows
stands in English under both, with the rule's number beside it: nothing is lost.
"""

import re
from typing import Final

from parkcarbon.statement.record import Text

from .translate import said as said_elsewhere

_DAY: Final = r"\d{4}-\d\d-\d\d"

_SENTENCES: Final[tuple[tuple[str, str], ...]] = (
    # certificates and credits that do not count
    (r"(.+) is an offset, not electricity", "{0} 是抵销单位，不是电量"),
    (r"a certificate of (.+) covers no purchased electricity", "{0} 证书不能覆盖外购电量"),
    (r"contract (.+) counts only through its GEC", "合同 {0} 仅通过其绿证计入"),
    (r"market (.+) is not (.+)", "市场 {0} 与所在市场 {1} 不同"),
    (r"(storage|battery): discharge carries no certificate", "储能放电不产生证书"),
    (r"I-REC of (\d+) in mainland China: the GEC is the sole proof", "{0} 年中国大陆 I-REC：绿证为唯一凭证"),
    (r"the generation reaches to (\S+), after (\S+)", "发电至 {0}，晚于 {1}"),
    (r"generated in (\d+), consumed in (\d+)", "{0} 年发电，{1} 年用电"),
    (r"generation of (\S+) is valid until (\S+), not on (\S+)", "{0} 发电的证书有效期至 {1}，{2} 已失效"),
    (r"expired on (\S+)", "已于 {0} 过期"),
    (r"(\w+) on (\S+) with neither a public record nor evidence", "{1} 的操作既无公开记录也无凭证"),
    (r"(\w+) on (\S+) without a public record counts 0", "{1} 的操作无公开记录，按 0 计"),
    (r"retired on (\S+), more than (\d+) months after (\S+)", "{0} 注销，距期末 {2} 超过 {1} 个月"),
    (r"the reduction reaches to (\S+), after (\S+)", "减排至 {0}，晚于 {1}"),
    (r"not shown to be (.+)", "未证明：{0}"),
    (
        r"the kWh it was issued for were self-used: the reduction is in the inventory already",
        "对应电量已自用：减排已在清单内",
    ),
    (r"surrendered for compliance of (.+) on (\S+): serves no neutrality", "{1} 已为 {0} 履约清缴，不用于碳中和"),
    (r"retired for (.+), whose claim it serves, not the park's", "为 {0} 注销，归其声明，不归园区"),
    (r"(\S+) kWh above the (\S+) kWh purchased in (\S+)", "超出 {2} 外购电量 {1} kWh 的 {0} kWh"),
    (r"(\S+) kWh above the (\S+) kWh self-used in (\S+)", "超出 {2} 自用电量 {1} kWh 的 {0} kWh"),
    # that wait
    (rf"(\w+) for ({_DAY}) to ({_DAY}): counts in that period", "用于 {1} 至 {2}，计入该期间"),
    (r"held, not cancelled for (.+)", "持有，尚未为 {0} 核销"),
    (r"held, not retired for (.+)", "持有，尚未为 {0} 注销"),
    (r"applied for on (\S+), not cancelled yet", "{0} 已申请，尚未核销"),
    (r"applied for on (\S+), not retired yet", "{0} 已申请，尚未注销"),
    (r"(\w+) on (\S+), entered by (.+): a second person has not confirmed it", "{1} 由 {2} 录入，待第二人确认"),
    (r"the purchased electricity of (.+) is not known", "{0} 外购电量未知"),
    (r"the self-used electricity of (.+) is not known", "{0} 自用电量未知"),
    (r"sold, issued for (.+): void in that period", "已售出，对应 {0} 的发电：在该期间不得按零计"),
    # notes of the ledger
    (r"some of these instruments are simulated", "部分证书或减排量为仿真数据"),
    (r"RE100 recognises Chinese GEC \(rule 4\.8\)", "RE100 承认中国绿证（规则4.8）"),
    (
        r"not usable as a CBAM value: certificates are not accepted there \(rule 4\.8\)",
        "不可用于CBAM：其不接受证书（规则4.8）",
    ),
    (
        r"certificates of (\S+) kWh exported were sold, (\S+) kWh were exported in (\S+) \(rule 5\.3\)",
        "已售出 {0} kWh 上网电量的证书，而 {2} 上网 {1} kWh（规则5.3）",
    ),
    (
        r"certificates of (\S+) kWh self-used were sold, (\S+) kWh were self-used in (\S+) \(rule 5\.3\)",
        "已售出 {0} kWh 自用电量的证书，而 {2} 自用 {1} kWh（规则5.3）",
    ),
    # allocation and entities
    (
        r"(\S+) h in which a meter is unknown are left out of the split for everybody",
        "有电表未知的 {0} 小时对各方均不参与分摊",
    ),
    (
        r"(\S+) kWh more were metered as used than supplied; nobody is given them",
        "计量的用电比供电多 {0} kWh，未分给任何一方",
    ),
    (
        r"no allocation rule is declared: the product's default is used",
        "未声明分摊规则：采用本软件的缺省规则",
    ),
    (r"(\S+): (.+) is not known: no share can be given", "{0}：{1} 未知，无法给出份额"),
    (r"(.+): no meter says who used it; it stays with the park", "{0}：无分表表明由谁使用，归园区"),
    (r"(.+): no meter says who drew it; it stays with the operator", "{0}：无分表表明由谁使用，归运营方"),
    (r"(\S+) gave back (\S+) kWh more than it drew at (\S+)", "{0} 在 {2} 返送的电量比取用多 {1} kWh"),
    (r"(.+) names no legal entities; the entity view is about organisations", "{0} 未列出法人实体"),
    # the park indicator
    (r"no 等价值 of electricity is known for (\d+): not computed", "{0} 年电力等价值未知：未计算"),
    (r"([^;]+) is not known: not computed", "{0} 未知：未计算"),
    (r"no energy is known: not computed", "能源消费量未知：未计算"),
    (
        r"emissions of method profile zcp910 are not known for the window",
        "该时段按 zcp910 口径的排放未知",
    ),
    (r"process emissions are not known: no value with process", "工业过程排放未知：不计算含过程的数值"),
    (
        r"the consumption of a whole year is not known: no size class",
        "全年综合能源消费量未知：无规模档次",
    ),
    (
        r"(\S+) tce a year is below (\S+) tce: 不适用 not applicable",
        "年消费 {0} tce，低于 {1} tce：不适用",
    ),
    (r"(.+) was not in force on (\S+); it is used for lack of another", "{0} 在 {1} 尚未生效，因无其他版本而采用"),
    (r"(\S+) is not in the total: no readings in this period", "{0} 不在合计内：本期无读数"),
    (r"(\S+) is not in the total", "{0} 不在合计内"),
    (r"some amounts are simulated 仿真", "部分数量为仿真"),
)
_PATTERNS: Final = tuple((re.compile(pattern), zh) for pattern, zh in _SENTENCES)


def said(sentence: str) -> Text:
    """A sentence of the books in both languages.

    >>> said("held, not cancelled for 2026-03").zh
    '持有，尚未为 2026-03 核销'
    >>> said("something new")
    Text(zh='something new', en='something new')
    """
    for pattern, zh in _PATTERNS:
        if found := pattern.fullmatch(sentence):
            return Text(zh.format(*found.groups()), sentence)
    return said_elsewhere(sentence)
