"""What a statement may call itself, and avoided emissions that stay outside every inventory."""

import datetime as dt

import pytest

from parkcarbon.domain.avoided import CombinedMargin, avoided
from parkcarbon.domain.claims import check_claim
from parkcarbon.domain.refusal import RefusedError
from parkcarbon.domain.working import check

FINE = {
    "standard": "ISO 14068-1:2023",
    "subject": "organisation",
    "entity": "Park Operating Company",
    "claim": "progress",
    "market": "CN",
    "issued_on": dt.date(2026, 11, 10),
    "full_year": False,
}


def refused(**changes: object) -> str:
    with pytest.raises(RefusedError) as caught:
        check_claim(**{**FINE, **changes})  # type: ignore[arg-type]
    return caught.value.rule


@pytest.mark.rule("3.3", "3.6", "3.8", "3.9", "3.10")
def test_each_impossible_claim_is_refused_with_its_rule() -> None:
    check_claim(**FINE)  # type: ignore[arg-type]
    check_claim(**{**FINE, "claim": "neutral", "full_year": True})  # type: ignore[arg-type]
    assert refused(subject="territory") == "3.3"
    assert refused(entity=" ") == "3.3"
    assert refused(standard="PAS 2060:2014") == "3.6"
    assert refused(claim="neutral") == "3.9"
    assert refused(claim="neutral", full_year=True, subject="product", market="EU") == "3.10"
    assert refused(claim="neutral", standard="GHG Protocol", full_year=True) == "3.8"
    assert refused(standard="ISO 9001") == "3.8"


@pytest.mark.rule("3.6")
def test_the_day_before_its_withdrawal_pas_2060_could_still_be_named() -> None:
    check_claim(**{**FINE, "standard": "PAS 2060:2014", "issued_on": dt.date(2025, 11, 29)})  # type: ignore[arg-type]
    assert refused(standard="PAS 2060:2014", issued_on=dt.date(2025, 11, 30)) == "3.6"


@pytest.mark.rule("3.10")
def test_the_eu_ban_begins_on_its_day() -> None:
    product = {"claim": "neutral", "full_year": True, "subject": "product", "market": "EU"}
    check_claim(**{**FINE, **product, "issued_on": dt.date(2026, 9, 26)})  # type: ignore[arg-type]
    assert refused(**product, issued_on=dt.date(2026, 9, 27)) == "3.10"


@pytest.mark.rule("5.4")
def test_combined_margin_by_hand() -> None:
    margin = CombinedMargin(operating_kg_per_kwh=0.9, build_kg_per_kwh=0.3, operating_weight=0.75, source="notice")
    found = avoided(2_000_000_000_000, margin).figure  # 2 GWh at 0.675 + 0.075
    assert found.value == pytest.approx(1_500_000, rel=1e-12)
    assert check(found) == []


@pytest.mark.rule("5.4")
@pytest.mark.parametrize("missing", ["operating_kg_per_kwh", "build_kg_per_kwh", "operating_weight", "source"])
def test_a_margin_without_its_inputs_is_refused(missing: str) -> None:
    members = {"operating_kg_per_kwh": 0.9, "build_kg_per_kwh": 0.3, "operating_weight": 0.5, "source": "notice"}
    with pytest.raises(RefusedError, match=r"rule 5\.4"):
        avoided(1, CombinedMargin(**{**members, missing: "" if missing == "source" else None}))  # type: ignore[arg-type]


@pytest.mark.rule("5.5")
def test_avoided_emissions_cannot_be_subtracted() -> None:
    margin = CombinedMargin(operating_kg_per_kwh=0.9, build_kg_per_kwh=0.3, operating_weight=0.5, source="notice")
    with pytest.raises(RefusedError, match=r"rule 5\.5"):
        avoided(1_000_000, margin).subtract_from(10**12)
