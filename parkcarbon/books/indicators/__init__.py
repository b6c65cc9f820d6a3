"""Indicators, budgets, measures, comparisons and uncertainty from the books."""
