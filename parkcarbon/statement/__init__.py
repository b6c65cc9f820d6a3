"""The statement: one frozen record, its pages, its signatures, and the evidence that it can be checked against."""
