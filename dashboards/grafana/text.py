"""Words in both languages; terms are those of docs/nomenclature.md and of the page."""

from dataclasses import dataclass
from typing import Literal

Language = Literal["zh", "en"]
LANGUAGES: tuple[Language, ...] = ("zh", "en")


@dataclass(frozen=True, slots=True)
class Text:
    """The same in Chinese and English."""

    zh: str
    en: str

    def __call__(self, language: Language) -> str:
        """Return one of them."""
        return self.zh if language == "zh" else self.en
