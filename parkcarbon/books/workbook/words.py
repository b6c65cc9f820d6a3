"""Words and number formats of a workbook: Chinese above English, one term a thing, as in the glossary."""

from typing import Final

from parkcarbon.domain.working import Figure, Operation

UNKNOWN: Final = "未知 unknown"
YES: Final = "是 yes"
NO: Final = "否 no"
SERIES: Final = "逐时序列 series"

SHEETS: Final = {
    "notes": "说明 Notes",
    "working": "计算 Working",
    "columns": "明细 Columns",
    "factors": "因子 Factors",
    "registers": "表底 Registers",
    "batches": "批次 Batches",
}

OPERATIONS: Final[dict[Operation, str]] = {
    "given": "给定 given",
    "sum": "合计 sum",
    "difference": "差 difference",
    "product": "积 product",
    "quotient": "商 quotient",
    "minimum": "取小 minimum",
    "maximum": "取大 maximum",
    "sum_product": "乘积之和 sum of products",
}

KINDS: Final = {
    "register": "表底 register",
    "reading": "读数 reading",
    "interval": "时段 interval",
    "factor": "排放因子 factor",
    "entry": "录入 entry",
    "lot": "证书批次 lot",
    "setting": "设置 setting",
    "substitution": "替代 substitution",
}

WORKING_HEADERS: Final = (
    "层级\nlevel",
    "名称\nname",
    "figure\n(English)",
    "数值\nvalue",
    "单位\nunit",
    "运算\noperation",
    "系统值\nvalue in the system",
    "差\ndifference",
    "来源\nsource",
    "规则\nrule",
    "说明\nnotes",
)

FACTOR_HEADERS: Final = {
    "factor": "因子编号\nfactor",
    "value": "数值\nvalue",
    "unit": "单位\nunit",
    "gas": "气体\ngas",
    "purpose": "用途\npurpose",
    "region": "地区\nregion",
    "basis": "基准\nbasis",
    "data_year": "数据年份\ndata year",
    "publisher": "发布机构\npublisher",
    "edition": "文件与版次\nedition",
    "publication": "发布日期\npublished",
    "match": "匹配方式\nmatch",
    "unverified": "未核实\nunverified",
    "as_published": "原记录\nas in the record",
    "title": "名称\ntitle",
    "source_page": "来源页\nsource page",
    "licence": "许可\nlicence",
    "reviewer": "复核人\nreviewer",
    "recorded_at": "录入时间\nrecorded at",
}

REGISTER_HEADERS: Final = {
    "point": "测点\npoint",
    "time": "时间\ntime",
    "value": "表底（止码）\nregister reading",
    "unit": "单位\nunit",
    "quality": "读数质量\nquality",
    "serial": "表号\nserial number",
    "ct": "CT",
    "pt": "PT",
    "sign": "符号\nsign",
    "batch_source": "批次来源\nbatch source",
    "boot": "boot",
    "seq": "seq",
    "digest": "帧摘要\nSHA-256 of the frame",
    "recorded_at": "入库时间\nrecorded at",
}

BATCH_HEADERS: Final = {
    "point": "测点\npoint",
    "number": "批次序号\nbatch",
    "source": "批次来源\nbatch source",
    "boot": "boot",
    "seq": "seq",
    "digest": "帧摘要\nSHA-256 of the frame",
    "made": "生成时间\nmade",
    "recorded_at": "入库时间\nrecorded at",
}

_FORMATS: Final = {
    "1": "0.000000######",
    "%": "0.000",
    "kWh": "#,##0.000000",
    "kg": "#,##0.000000000",
    "kgCO2": "#,##0.000000000",
    "kgCO2e": "#,##0.000000000",
    "tCO2e": "#,##0.000000",
    "ms": "0",
    "s": "#,##0",
    "h": "#,##0.00",
}


def labels(figure: Figure) -> tuple[str, str]:
    """What a figure is called, in Chinese and English."""
    zh, en = figure.labels
    return zh or figure.name, en or figure.name.replace("_", " ")


def number_format(unit: str) -> str:
    """How numbers of a unit are shown; the cell keeps 16 digits."""
    if "/" in unit:
        return "0.000000####"
    return _FORMATS.get(unit, "#,##0.000000")
