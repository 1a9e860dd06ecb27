"""A model of one stock in two regions, with all that the toolkit renders and decides."""

from __future__ import annotations

CODES = ("1", "2")
YEARS = (2024, 2025, 2026)

TEXT = """{UTF-8}
region: r1, r2
	~	~	|
dest <-> region
	~	~	|
year0: (y2023-y2026)
	~	~	|
year: (y2024-y2026)
	~	~	|
year_end[year]=
	2024, 2025, 2026
	~ year ~ |
stock_year[year0]=
	2023, 2024, 2025, 2026
	~ year ~ |
region_number[region]=
	1, 2
	~ 1 ~ |
starts_urban_seats[region,year]= 0
	~ ten thousand seats/year ~ |
starts_rural_seats[region,year]= 0
	~ ten thousand seats/year ~ |
starts_urban_beds[region,year]= 0
	~ ten thousand beds/year ~ |
starts_rural_beds[region,year]= 0
	~ ten thousand beds/year ~ |
temporary_places[region,year]= 0
	~ ten thousand seats ~ |
funded_share[region,year]= 1
	~ 1 ~ |
bonds[region,year]= 0
	~ hundred million yuan/year ~ |
year_is_now[year]= IF THEN ELSE(Time > year_end[year] - 1.01 :AND: Time < year_end[year] - 0.01, 1, 0)
	~ 1 ~ |
growth[region]= 0.1
	~ 1/year ~ COMMENT |
scale= 1
	~ 1 ~ |
matrix[region,dest]= 0
	~ 1 ~ |
gain[region]= scale*growth[region]*stock[region] + SUM(starts_urban_seats[region,year!]*year_is_now[year!])
	~ ten thousand persons/year ~ |
stock[region]= INTEG(gain[region], 1)
	~ ten thousand persons ~ |
elapsed= INTEG(1, 0)
	~ year ~ |
INITIAL TIME = 2023
	~ year ~ |
FINAL TIME = 2026
	~ year ~ |
TIME STEP = 1
	~ year ~ |
SAVEPER = 1
	~ year ~ |
"""  # noqa: E501
