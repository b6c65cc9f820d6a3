"""A working as a spreadsheet of live formulas."""
