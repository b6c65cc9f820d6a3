"""Checking of issued statements without database and network."""

from .report import CLOSING, Check, Report, lines_of
from .verify import json_of, verify_file

__all__ = ["CLOSING", "Check", "Report", "json_of", "lines_of", "verify_file"]
