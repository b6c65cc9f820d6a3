"""Statements: the process that seals what was committed, prepares what is due, renders, signs and delivers it."""
