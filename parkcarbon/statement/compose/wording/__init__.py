"""Words of a statement in both languages, and the small shapes that pages are built of."""
