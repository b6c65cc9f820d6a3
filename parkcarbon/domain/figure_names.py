"""What the terms of a working are called, in Chinese and English, where the figure itself does not say it.

One term a thing, as in the glossary of the project; the page, the API, the spreadsheet and the command line all take
their words from here.
"""

from typing import Final

Words = tuple[str, str]

NAMES: Final[dict[str, Words]] = {
    "scope1": ("范围一（直接排放）", "scope 1 (direct)"),
    "scope2_location": ("范围二（基于位置）", "scope 2, location-based"),
    "scope2_market": ("范围二（基于市场）", "scope 2, market-based"),
    "scope3": ("范围三（其他间接排放）", "scope 3 (other indirect)"),
    "total_location": ("合计（范围二基于位置）", "total, scope 2 location-based"),
    "total_market": ("合计（范围二基于市场）", "total, scope 2 market-based"),
    "gbt32150": ("GB/T 32150 口径排放", "emissions by GB/T 32150"),
    "zcp910": ("国家零碳园区口径排放", "emissions of the park indicator"),
    "received": ("购入", "received"),
    "delivered": ("输出", "delivered"),
    "line": ("清单行", "line of the inventory"),
    "emissions": ("排放量", "emissions"),
    "energy_emissions": ("能源活动排放", "emissions from energy"),
    "process_emissions": ("工业过程排放", "process emissions"),
    "activity": ("活动数据", "activity data"),
    "factor": ("排放因子", "emission factor"),
    "gwp": ("全球变暖潜势", "global warming potential (GWP)"),
    "share": ("占比", "share"),
    "percent": ("百分数", "percent"),
    "ratio": ("倍率（CT×PT）", "meter ratio (CT × PT)"),
    "ct": ("电流互感器变比 CT", "current transformer ratio (CT)"),
    "pt": ("电压互感器变比 PT", "voltage transformer ratio (PT)"),
    "moved": ("表底差（倍率前）", "register difference, before the ratio"),
    "load": ("负荷", "load"),
    "unmetered": ("未计量及损耗", "unmetered and losses"),
    "import": ("下网电量", "grid import"),
    "export": ("上网电量", "grid export"),
    "generation": ("发电量", "generation"),
    "charge": ("充电量", "charge"),
    "discharge": ("放电量", "discharge"),
    "sub_meter": ("分表", "sub-meters"),
    "self_used": ("自用电量", "self-used electricity"),
    "generation_less_export": ("发电量减上网电量", "generation less export"),
    "none": ("零", "nothing"),
    "stored": ("储能存量变化", "change of stored energy"),
    "soc_change": ("荷电状态变化", "change of the state of charge"),
    "soc_begin": ("期初荷电状态", "state of charge at the begin"),
    "soc_end": ("期末荷电状态", "state of charge at the end"),
    "kwh_per_pct": ("每 1% 荷电状态的电量", "energy of 1 % of the state of charge"),
    "measured": ("实测时间", "measured time"),
    "expected": ("应有时间", "expected time"),
    "after_retirement": ("注销后的待抵销排放", "remaining after retired credits"),
    "gec": ("绿色电力证书（绿证）", "green electricity certificates (GEC)"),
    "credit": ("减排量（信用）", "credits"),
    "count": ("数量", "count"),
    "price": ("单价", "price"),
    "quota": ("按比例应得", "quota"),
    "part": ("分摊比例", "part"),
    "weight": ("本租户的分摊量", "weight of the tenant"),
    "weights": ("分摊量合计", "weights of all"),
    "largest_remainder": ("尾差（最大余数法）", "rounding by the largest remainder"),
    "comprehensive_energy": ("综合能源消费量", "comprehensive energy consumption"),
    "clean_energy": ("清洁能源", "clean energy"),
    "supplied_directly": ("绿电直供电量", "green power supplied directly"),
    "direct_green_supply": ("绿电直供占比", "share of direct green supply"),
    "consumption": ("用电量", "electricity consumption"),
    "electricity": ("电力", "electricity"),
    "tce_per_kwh": ("每千瓦时折标准煤", "standard coal of a kilowatt-hour"),
    "kgce_per_kwh": ("每千瓦时折标准煤", "standard coal of a kilowatt-hour"),
    "tce_per_gj": ("每吉焦折标准煤", "standard coal of a gigajoule"),
    "gj_per_tce": ("每吨标准煤热量", "heat of a tonne of standard coal"),
    "kilo": ("千", "thousand"),
    "one": ("一", "one"),
    "matched_energy": ("小时匹配电量", "matched in its hour"),
    "load_energy": ("用电量", "load"),
    "entry": ("录入", "entry"),
    "meter": ("计量器具", "meter"),
    "amount": ("录入的数量", "entered amount"),
    "resolution": ("分辨力", "resolution"),
}

SUFFIXES: Final[dict[str, Words]] = {
    "_amount": ("用量", "amount"),
    "_clean": ("其中清洁能源", "of which clean"),
}
"""What a name adds to that of the use it belongs to."""


def words(name: str) -> Words:
    """What a figure of this name is called in Chinese and English; empty where its name is an id.

    >>> words("electricity_amount")
    ('电力 用量', 'electricity, amount')
    """
    if name in NAMES:
        return NAMES[name]
    for suffix, (zh, en) in SUFFIXES.items():
        if name.endswith(suffix):
            base = name.removesuffix(suffix)
            zh_base, en_base = NAMES.get(base, (base, base))
            return f"{zh_base} {zh}", f"{en_base}, {en}"
    if name.startswith("uncertainty_"):
        zh_base, en_base = NAMES.get(name.removeprefix("uncertainty_"), ("", ""))
        return f"不确定度（95%）{zh_base}", f"uncertainty (95 %) of {en_base or 'the result'}"
    return "", ""
