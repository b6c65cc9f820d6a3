"""The dashboards: which panels, in which order, in both languages."""
