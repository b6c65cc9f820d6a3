"""Balance, data states, reconciliation, open questions, corrections and substitutions."""
