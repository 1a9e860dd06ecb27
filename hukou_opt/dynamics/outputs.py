"""Which variables of the model the toolkit reads; the others cost time and are left out."""

from __future__ import annotations

from collections.abc import Mapping

from hukou_opt.dynamics.accept import Variable

#: Kind of variables that carry a state: stocks, delays, values remembered from the start.
STATE = "Stateful"
#: Stocks; all must stay at or above zero.
STOCKS = (
    "rural_residents",
    "migrants",
    "urban_hukou_residents",
    "rural_children",
    "migrant_children",
    "urban_hukou_children",
    "cumulative_settlers",
    "settlers_with_land",
    "urban_seats",
    "rural_seats",
    "urban_beds",
    "rural_beds",
    "urban_seats_begun",
    "rural_seats_begun",
    "urban_beds_begun",
    "rural_beds_begun",
    "urban_seats_building",
    "rural_seats_building",
    "urban_beds_building",
    "rural_beds_building",
    "land_farmed",
    "land_transferred",
    "land_abandoned",
    "land_built_over",
    "tension",
    "debt",
)
#: Sums since the start, from which the balances are checked.
MEMORIES = (
    "cumulative_natural_rural_hukou",
    "cumulative_natural_urban_hukou",
    "cumulative_settled_from",
    "cumulative_other_rural_hukou",
    "cumulative_children",
    "cumulative_grants",
    "cumulative_borrowing",
    "cumulative_repayment",
    "cumulative_completed_urban_seats",
    "cumulative_completed_rural_seats",
    "cumulative_completed_urban_beds",
    "cumulative_completed_rural_beds",
    "replacement_urban_seats",
    "replacement_rural_seats",
    "replacement_urban_beds",
    "replacement_rural_beds",
)
#: Variables that lie between 0 and 1.
SHARES = (
    "urban_share",
    "hukou_rate",
    "openness",
    "willingness",
    "willingness_today",
    "keep_land",
    "land_security",
    "funded_share_now",
    "hukou_first",
    "tension",
    "abandoned_share",
    "absent_share",
    "migrant_place_share_year_end",
    "hukou_place_share_year_end",
    "destination_share",
    "settlement_cap_factor",
    "elder_share",
)
#: Yearly rates; a step times the sum of the rates that leave one stock must stay below one.
HAZARDS = (
    "migration_rate",
    "return_hazard",
    "settlement_hazard",
    "leaving_hazard",
    "seat_stage_rate",
    "bed_stage_rate",
)
#: What linear program, tables and figures read besides.
FIGURES = (
    "migrants_here",
    "people_away",
    "urban_residents",
    "residents",
    "settlers",
    "settlers_from",
    "children",
    "urban_children",
    "places_standing",
    "stretch",
    "public_places_year_end",
    "temporary_places_year_end",
    "seat_coverage_standing",
    "need_urban_beds",
    "need_rural_beds",
    "bed_coverage_urban",
    "bed_coverage_rural",
    "land_sale_revenue",
    "service_cost",
    "settler_grants",
    "building_outlay",
    "temporary_outlay",
    "unfunded_cost",
    "reform_outlay",
    "bonds_now",
    "moves_out",
    "returns_home",
)
OUTPUTS = tuple(dict.fromkeys((*STOCKS, *MEMORIES, *SHARES, *HAZARDS, *FIGURES)))


def outputs_of(variables: Mapping[str, Variable]) -> tuple[str, ...]:
    """What to read from a model that need not have all of `OUTPUTS`.

    Parameters
    ----------
    variables : mapping of str to Variable
        What the model declares.

    Returns
    -------
    tuple of str
        The toolkit's variables that the model has, then every other variable that carries a state,
        so that a state that is not finite cannot pass unseen.
    """
    known = [name for name in OUTPUTS if name in variables]
    states = [name for name, variable in variables.items() if variable.kind == STATE]
    return tuple(dict.fromkeys((*known, *states)))
