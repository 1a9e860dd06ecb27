"""Checks of the stock-flow model itself: units of every equation, sign of every feedback loop."""
