"""Which variables of the model the toolkit reads; the others cost time and are left out."""

from __future__ import annotations

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
)
#: Sums since the start, from which the balances are checked.
MEMORIES = (
    "cumulative_natural_rural_hukou",
    "cumulative_natural_urban_hukou",
    "cumulative_settled_from",
    "cumulative_other_rural_hukou",
    "cumulative_children",
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
    "settler_grants",
    "moves_out",
    "returns_home",
)
OUTPUTS = tuple(dict.fromkeys((*STOCKS, *MEMORIES, *SHARES, *HAZARDS, *FIGURES)))
