"""Read a file of the trial calculator; every problem with file, line, place, value and the rule it breaks."""

from collections.abc import Iterator
from dataclasses import dataclass, field

import msgspec
import yaml

from parkcarbon.catalog.strict import document_problems, load_yaml
from parkcarbon.domain.instruments.lot import ALLOWANCES
from parkcarbon.domain.refusal import RefusedError

from .schema import Calculation


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing that is wrong.

    Attributes:
        place: where in the document, for example `activities[gate].amount`.
        message: the offending value and what is expected.
        rule: number of the accounting rule; empty: the shape of the file.
        line: in the file, from 1; 0: not known.
    """

    place: str
    message: str
    rule: str = ""
    line: int = 0

    def text(self, file: str) -> str:
        """One line a problem."""
        where = f"{file}:{self.line}" if self.line else file
        rule = f"rule {self.rule}: " if self.rule else ""
        return f"{where}: {self.place}: {rule}{self.message}"


class CalcError(ValueError):
    """The file cannot be calculated.

    Attributes:
        problems: all that was found, in order of their lines.
    """

    def __init__(self, file: str, problems: list[Problem]) -> None:
        self.file = file
        self.problems = tuple(sorted(problems, key=lambda problem: problem.line))
        super().__init__("\n".join(problem.text(file) for problem in self.problems))


@dataclass(frozen=True)
class Source:
    """A decoded file and where everything stands in it."""

    file: str
    calculation: Calculation
    lines: dict[str, int] = field(default_factory=dict)

    def problem(self, place: str, error: RefusedError | str, rule: str = "") -> Problem:
        """A problem at a place, with its line."""
        if isinstance(error, RefusedError):
            return Problem(place, error.reason, error.rule, line_of(self.lines, place))
        return Problem(place, error, rule, line_of(self.lines, place))


def load(text: str, file: str) -> Source:
    """Decode YAML or JSON.

    Args:
        text: of the file.
        file: its name, for messages.

    Raises:
        CalcError: with every member that does not fit.
    """
    try:
        raw = load_yaml(text)
        node = yaml.compose(text, Loader=yaml.CSafeLoader if hasattr(yaml, "CSafeLoader") else yaml.SafeLoader)
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        message = " ".join(str(getattr(error, "problem", None) or error).split())
        line = mark.line + 1 if mark else 0
        raise CalcError(file, [Problem("document", f"not YAML or JSON: {message}", line=line)]) from error
    lines: dict[str, int] = {}
    for place, line in _lines(node):
        lines.setdefault(place, line)
    problems = [_structural(problem, lines) for problem in document_problems(raw, Calculation)]
    if problems:
        raise CalcError(file, problems)
    return Source(file, msgspec.convert(raw, Calculation), lines)


def _structural(text: str, lines: dict[str, int]) -> Problem:
    place, _, message = text.partition(": ")
    allowance = place.startswith("certificates[") and place.endswith(".kind") and message.startswith(_ALLOWANCES)
    return Problem(place, message, "4.7" if allowance else "", line_of(lines, place))


def line_of(lines: dict[str, int], place: str) -> int:
    """Line of a place, or of what holds it."""
    while place:
        if place in lines:
            return lines[place]
        cut = max(place.rfind("."), place.rfind("["))
        place = place[:cut] if cut > 0 else ""
    return 0


_ALLOWANCES = tuple(repr(kind) for kind in ALLOWANCES)
_LABELS = ("activity", "lot", "factor")


def _lines(node: yaml.Node | None, place: str = "") -> Iterator[tuple[str, int]]:
    """Every place of a document and its line; elements of a list by position and by their name."""
    if isinstance(node, yaml.MappingNode):
        for key, value in node.value:
            inner = f"{place}.{key.value}" if place else str(key.value)
            yield inner, key.start_mark.line + 1
            yield from _lines(value, inner)
    elif isinstance(node, yaml.SequenceNode):
        for number, element in enumerate(node.value):
            for name in dict.fromkeys((str(number), *_names(element))):
                yield f"{place}[{name}]", element.start_mark.line + 1
                yield from _lines(element, f"{place}[{name}]")


def _names(node: yaml.Node) -> Iterator[str]:
    if isinstance(node, yaml.MappingNode):
        for key, value in node.value:
            if key.value in _LABELS and isinstance(value, yaml.ScalarNode):
                yield str(value.value)
