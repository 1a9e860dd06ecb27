"""The Pyomo model built once for groups of like regions, and tiled over all regions."""
