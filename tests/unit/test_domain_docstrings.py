"""The numbers printed in docstrings of the domain are checked."""

import doctest
import importlib
import pkgutil

import pytest

import parkcarbon.domain

MODULES = [module.name for module in pkgutil.iter_modules(parkcarbon.domain.__path__, "parkcarbon.domain.")]


@pytest.mark.parametrize("name", MODULES)
def test_docstring_examples(name: str) -> None:
    module = importlib.import_module(name)
    assert module.__doc__
    assert doctest.testmod(module).failed == 0


def test_there_are_examples() -> None:
    examples = [
        example
        for name in MODULES
        for found in doctest.DocTestFinder().find(importlib.import_module(name))
        for example in found.examples
    ]
    assert len(examples) >= 8
