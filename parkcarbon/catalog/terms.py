"""Small types that every part of the park document, and entries, use."""

from typing import Annotated, Literal

from msgspec import Meta, Struct

Slug = Annotated[str, Meta(pattern=r"^[a-z0-9][a-z0-9_-]{0,62}$")]
Positive = Annotated[float, Meta(gt=0)]
Celsius = Annotated[float, Meta(gt=-273.15)]
Flow = Literal["import", "export", "generation", "charge", "discharge", "fuel", "heat", "sub_meter", "process"]


class Name(Struct, frozen=True, forbid_unknown_fields=True):
    """A name in both languages of the page."""

    zh: str
    en: str


class GasConditions(Struct, frozen=True, forbid_unknown_fields=True):
    """Temperature, absolute pressure and Z / Z_n at which a gas meter counts its cubic metres."""

    temperature_c: Celsius
    pressure_kpa_abs: Positive
    compressibility_ratio: Positive = 1.0
