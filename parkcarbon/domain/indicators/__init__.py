"""Indicators: the national park indicator, shares, intensities, matching, budgets; each from dated data sets."""
