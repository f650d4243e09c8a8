"""What docstrings say of parameters: choices and defaults of the signature, the one sentence."""

import ast
import importlib
import inspect
import pkgutil
import re
from typing import Literal, get_args, get_origin

import pytest

import crmkit
from contract._tools import ROOMS, documented_parameters
from crmkit._parameters import SENTENCES


def public():
    """Yield every public function, class and method once, with the function that holds it."""
    seen = set()
    modules = [f"crmkit.{name}" for name in (*ROOMS, "datasets", "report")]
    for module in map(importlib.import_module, modules):
        for name in module.__all__:
            target = getattr(module, name)
            if not inspect.isclass(target):
                found = [(target, target)]
            else:
                methods = inspect.getmembers(target, inspect.isfunction)
                found = [(target, target.__init__)]
                found += [(method, method) for key, method in methods if not key.startswith("_")]
            for one, function in found:
                if one not in seen and one.__module__.startswith("crmkit"):
                    seen.add(one)
                    yield pytest.param(one, function, id=f"{name}.{one.__name__}")
    for one in (crmkit.as_transactions, crmkit.as_customers):
        yield pytest.param(one, one, id=one.__name__)


everything = pytest.mark.parametrize(("documented", "function"), list(public()))


def choices():
    """Return the closed choices of the package by the name of their type."""
    found = {}
    for module in pkgutil.walk_packages(crmkit.__path__, "crmkit."):
        if "__main__" in module.name:
            continue
        for name, value in vars(importlib.import_module(module.name)).items():
            if get_origin(value) is Literal:
                found[name] = set(get_args(value))
    return found


CHOICES = choices()


def closed(annotation):
    """Return the words that an annotation allows, None where it names none."""
    inline = re.findall(r"Literal\[(.*?)\]", annotation)
    words = {ast.literal_eval(word.strip()) for part in inline for word in part.split(",")}
    for name in re.findall(r"\w+", annotation):
        words |= CHOICES.get(name, set())
    return words or None


@everything
def test_types_are_those_of_the_signature(documented, function):
    parameters = inspect.signature(function).parameters
    wrong = []
    for name, kind, text in documented_parameters(documented):
        parameter = parameters[name]
        if not kind and text.startswith("As in"):
            continue
        # The choices stand in the type or, where they are many, in the text.
        words = closed(str(parameter.annotation))
        said = set(re.findall(r'"(\w[^"]*)"', kind.split(", default")[0]))
        spoken = said or (words or set()) & set(re.findall(r"\w+", text))
        if words and spoken != words:
            wrong.append(f"{name}: {kind!r}, where the signature has {words}")
        if ("optional" in kind) != (parameter.default is None) and not {"None", "needed"} & set(
            re.findall(r"\w+", kind)
        ):
            wrong.append(f"{name}: {kind!r}, where the default is {parameter.default!r}")
        default = re.search(r"default (.+)$", re.sub(r"(?<=\d),(?=\d{3})", "", kind))
        if default and ast.literal_eval(default.group(1)) != parameter.default:
            wrong.append(f"{name}: {kind!r}, where the default is {parameter.default!r}")
    assert not wrong, "\n".join(wrong)


@everything
def test_a_name_is_said_in_one_sentence(documented, function):
    wrong = [
        f"{name} : {kind}\n    {text}"
        for name, kind, text in documented_parameters(documented)
        if name in SENTENCES and not text.startswith(("As in :", *SENTENCES[name]))
    ]
    assert not wrong, "begin with a sentence of SENTENCES in _parameters:\n" + "\n".join(wrong)
