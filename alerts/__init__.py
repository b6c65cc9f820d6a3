"""The alerts process: evaluates rules, keeps where each alarm stands, tells people."""
