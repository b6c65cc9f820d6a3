"""Pages of a statement: each module gives a section, or a few, of what the context knows."""
