"""Life of a statement: due, prepared, reviewed, approved, issued, delivered, locked, issued again."""
