"""Alarm rules: the document, its check against the park, and dry runs over the past."""
