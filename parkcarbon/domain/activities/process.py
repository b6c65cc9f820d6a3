"""Process emissions: output of a product times its factor.

References:
    accounting rules 2.5 (product output x factor); the factor is the organisation's own or comes with the entry.
"""

from dataclasses import replace

from parkcarbon.domain.activities.activity import Activity
from parkcarbon.domain.activities.given import given_match, refuse_mixed_sets
from parkcarbon.domain.emissions import CarrierFactor, Query, single


def process(activity: Activity, query: Query) -> CarrierFactor:
    """Choose the factor of a product.

    Raises:
        NoFactorError: none is given, named or known for this product.
        RefusedError: mixed GWP sets, a life-cycle value.
    """
    refuse_mixed_sets(activity, query.settings)
    asked = replace(query, carrier=activity.subject, unit=activity.unit)
    match = given_match(activity, asked)
    if match is None:
        match = asked.find("process", query.settings.fuel_region, ("CO2", "CO2e"))
    return single(asked, match, 1)
