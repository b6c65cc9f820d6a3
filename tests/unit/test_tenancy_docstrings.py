"""The numbers printed in docstrings of tenancy and balance are checked."""

import doctest
import importlib
import pkgutil

import pytest

import parkcarbon.catalog.check_tenancy
import parkcarbon.domain.balance
import parkcarbon.domain.tenancy

MODULES = [
    module.name
    for package in (parkcarbon.domain.balance, parkcarbon.domain.tenancy)
    for module in pkgutil.iter_modules(package.__path__, f"{package.__name__}.")
] + ["parkcarbon.catalog.check_tenancy"]


@pytest.mark.parametrize("name", MODULES)
def test_docstring_examples(name: str) -> None:
    module = importlib.import_module(name)
    assert module.__doc__
    assert doctest.testmod(module).failed == 0
