"""What an alarm's message says: facts, templates in Chinese and English, and what a machine reads."""

from .facts import AlarmFacts, MessageFacts, details_of, link_of, over
from .render import FIELDS, check_template, render

__all__ = ["FIELDS", "AlarmFacts", "MessageFacts", "check_template", "details_of", "link_of", "over", "render"]
