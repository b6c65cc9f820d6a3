"""Kinds of alarm rules: what each looks at and when it is beyond its limit. One file a kind."""
