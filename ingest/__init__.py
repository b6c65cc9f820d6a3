"""Cloud receiver: validate, commit batches, readings and energy; recompute; owns schema and migrations."""
