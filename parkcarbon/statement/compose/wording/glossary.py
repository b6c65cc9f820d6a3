"""The terms that a statement uses, each with its meaning; one Chinese and one English term a thing."""

from dataclasses import dataclass
from typing import Final

from parkcarbon.statement.record import Text


@dataclass(frozen=True, slots=True)
class Term:
    """A term in both languages and what it means."""

    zh: str
    en: str
    meaning: Text


def _term(zh: str, en: str, meaning_zh: str, meaning_en: str) -> Term:
    return Term(zh, en, Text(meaning_zh, meaning_en))


GLOSSARY: Final = (
    _term(
        "碳中和月度声明（进度·暂定）",
        "Monthly carbon-neutrality statement (progress, provisional)",
        "冻结、编号的月度文件；不是碳中和宣告",
        "frozen, numbered monthly document; not a claim of neutrality",
    ),
    _term(
        "碳中和宣告",
        "Carbon-neutrality claim",
        "仅用于已关账且经第三方核查的年度",
        "only for a closed, externally verified year",
    ),
    _term(
        "快报", "Flash report", "第三个工作日的计量数据；无结论", "metered data on the third working day; no verdict"
    ),
    _term(
        "报告主体",
        "Reporting entity",
        "签署的组织；不是“园区”这一地域",
        "the organisation that signs; not “the district”",
    ),
    _term(
        "组织边界（运营控制权法）",
        "Organisational boundary (operational control)",
        "合并哪些单位，按何种方法",
        "what is consolidated, and on which approach",
    ),
    _term(
        "核算方法口径",
        "Method profile",
        "ghgp、gbt32150 或 zcp910；从不混用",
        "ghgp, gbt32150 or zcp910; never mixed",
    ),
    _term(
        "范围一（直接排放）",
        "Scope 1 (direct)",
        "边界内的燃料、过程与逸散；t CO2e",
        "fuels, process, fugitive inside the boundary; t CO2e",
    ),
    _term(
        "范围二（基于位置）",
        "Scope 2, location-based",
        "外购能源×当地电网因子；证书不改变它；t CO2",
        "purchased energy × grid factor of the place; no certificate changes it; t CO2",
    ),
    _term(
        "范围二（基于市场）",
        "Scope 2, market-based",
        "外购能源×合同与证书的因子，其余用剩余电量因子；t CO2",
        "purchased energy × factors of contracts and certificates, remainder factor for the rest; t CO2",
    ),
    _term(
        "范围三（其他间接排放）",
        "Scope 3 (other indirect)",
        "GHG Protocol 的15个类别；t CO2e",
        "15 GHG Protocol categories; t CO2e",
    ),
    _term(
        "二氧化碳当量",
        "Carbon dioxide equivalent (CO2e)",
        "各气体×所声明的全球变暖潜势之和；中国电网因子仅含CO₂",
        "Σ gas × GWP of the declared set; Chinese grid factors are CO2 only",
    ),
    _term(
        "全球变暖潜势",
        "Global warming potential (GWP)",
        "每千克气体相当的 kg CO2e，100年；注明 AR4、AR5 或 AR6",
        "kg CO2e per kg gas, 100 years; AR4, AR5 or AR6, named",
    ),
    _term(
        "生物源CO₂（备忘项）",
        "Biogenic CO2 (memo)",
        "不计入合计；其 CH4 与 N2O 计入",
        "outside the total; its CH4 and N2O are inside",
    ),
    _term("活动数据", "Activity data", "与因子相乘的计量数量", "measured quantity that is multiplied by a factor"),
    _term(
        "排放因子",
        "Emission factor",
        "每单位的气体千克数；注明来源与版本",
        "kg of gas per unit; always with source and edition",
    ),
    _term(
        "数据年份 / 发布年份",
        "Data year / publication year",
        "因子所描述的年份 / 发布的年份；不是同一项",
        "year a factor describes / year it was published; never the same",
    ),
    _term(
        "剩余电量因子（不含市场化交易非化石电量）",
        "Remainder factor (excl. market-traded non-fossil power)",
        "官方公布的、代替残余结构的因子；不是待抵销排放",
        "official Chinese stand-in for a residual mix; not the remaining emissions",
    ),
    _term("关口表", "Gate meter", "与电网边界上的电表", "meter at the boundary with the grid"),
    _term("表底 / 止码", "Register reading", "电表显示的数", "what the meter shows"),
    _term("倍率（CT×PT）", "Meter ratio (CT × PT)", "一次侧÷二次侧", "primary ÷ secondary"),
    _term(
        "下网电量 / 上网电量",
        "Grid import / grid export",
        "关口的总量；不互相冲减",
        "gross, at the gate; not netted",
    ),
    _term("光伏自用率（自发自用率）", "Self-consumption rate", "自用光伏÷光伏发电", "self-used PV ÷ PV generation"),
    _term("自给率", "Self-sufficiency rate", "自用光伏÷负荷", "self-used PV ÷ load"),
    _term("未计量及损耗", "Unmetered and losses", "供电−各分表之和", "supply − sum of metered uses"),
    _term(
        "数据完整率",
        "Data completeness",
        "实测表时÷应有表时；替代不提高它",
        "measured ÷ expected meter-hours; substituted hours do not raise it",
    ),
    _term(
        "数据状态：实测 / 插值 / 替代 / 估算 / 人工 / 缺失",
        "Data state: measured / interpolated / substituted / estimated / manual / missing",
        "各状态占比均列出",
        "share of each printed",
    ),
    _term(
        "不确定度（95%）",
        "Uncertainty (95 %)",
        "± % 或 ± t；相关部分线性相加",
        "± % or ± t; correlated parts added linearly",
    ),
    _term(
        "绿色电力证书（绿证）",
        "Green electricity certificate (GEC)",
        "1个＝1,000 kWh 可再生电量；仅用于电力",
        "1 certificate = 1,000 kWh renewable power; electricity only",
    ),
    _term(
        "绿证划转 / 绿证核销",
        "GEC transfer / GEC cancellation",
        "换持有人 / 最终使用；仅为自身用电的核销支持声明",
        "change of holder / final use; only cancellation for the user's own consumption supports a claim",
    ),
    _term(
        "小时匹配率",
        "Hourly matched share (24/7)",
        "Σ min(负荷, 清洁电量) ÷ Σ 负荷",
        "Σ min(load, clean) ÷ Σ load",
    ),
    _term(
        "国家核证自愿减排量（CCER）",
        "China Certified Emission Reduction (CCER)",
        "1个＝1 t CO2e；是抵销单位，不是电量",
        "1 unit = 1 t CO2e; an offset, not electricity",
    ),
    _term("注销", "Retirement (credits)", "最终、公开、每个编号一次", "final, public, once per serial"),
    _term(
        "待抵销排放",
        "Remaining emissions",
        "所声明口径的清单，减排量之前；t CO2e",
        "inventory on the declared basis before credits; t CO2e",
    ),
    _term(
        "缺口 / 盈余",
        "Shortfall / surplus",
        "待抵销排放−已注销减排量，或相反；盈余不是负排放",
        "remaining emissions − retired credits, or the reverse; surplus is not negative emission",
    ),
    _term(
        "避免排放（不计入）",
        "Avoided emissions (outside the sum)",
        "与假想情形的比较；t CO2",
        "comparison with a counterfactual; t CO2",
    ),
    _term(
        "单位能耗碳排放",
        "Carbon per unit of energy (park indicator)",
        "t CO2/tce；自有方法与固定因子",
        "t CO2/tce; own method, own factor",
    ),
    _term(
        "综合能源消费量（当量值 / 等价值）",
        "Comprehensive energy consumption (calorific / equal value)",
        "tce；注明采用哪一个",
        "tce; it says which",
    ),
    _term(
        "关账 / 重开 / 版本",
        "Close / re-open / version",
        "已关账的月份只能以新版本更正，注明原因",
        "a closed month changes only by a new version with reason",
    ),
    _term(
        "完整性校验",
        "Integrity check",
        "签名、摘要、算术；由 verify 命令完成",
        "signature, hashes, arithmetic: what verify does",
    ),
    _term(
        "第三方核查",
        "Third-party verification",
        "由 ISO 14064-3 机构进行，有保证等级",
        "by an ISO 14064-3 body; has a level of assurance",
    ),
    _term(
        "证据包",
        "Evidence pack",
        "用于重算的读数、因子、台账与方法版本",
        "readings, factors, ledger, code version for re-derivation",
    ),
    _term("替代（旧版本）", "Supersedes", "再次签发时注明所替代的版本", "a re-issue names the version it replaces"),
)
