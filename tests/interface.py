"""The public interface as text: names, parameters, defaults and result columns.

``python tasks.py snapshot`` writes it to ``interface.txt``.
"""

import importlib
import inspect
import re
from pathlib import Path

from contract._tools import ROOMS, documented_columns

SNAPSHOT = Path(__file__).with_suffix(".txt")
WIDTH = 100


def interface_text():
    """Return one paragraph per public name."""
    paragraphs = []
    for module in ("crmkit", "crmkit.datasets", "crmkit.errors", "crmkit.report"):
        paragraphs += _module(module)
    for room in ROOMS:
        paragraphs += _module(f"crmkit.{room}")
    return "\n\n".join([*paragraphs, *_commands()]) + "\n"


def _module(name):
    module = importlib.import_module(name)
    for public in sorted(module.__all__):
        value = getattr(module, public)
        if inspect.isclass(value):
            yield _class(f"{name}.{public}", value)
        elif inspect.isfunction(value):
            yield "\n".join(_function(f"{name}.{public}", value))


def _class(name, kind):
    if issubclass(kind, Exception):
        return f"class {name}({', '.join(base.__name__ for base in kind.__bases__)})"
    lines = _wrapped(f"class {name}{_signature(kind.__init__)}")
    attributes = inspect.getdoc(kind).partition("\nAttributes\n")[2].partition("\n\n")[0]
    lines += [f"    .{attribute}" for attribute in re.findall(r"^(\w+) :", attributes, re.M)]
    for public, value in sorted(inspect.getmembers(kind)):
        ours = getattr(inspect.unwrap(value), "__module__", "") or ""
        if not public.startswith("_") and callable(value) and ours.startswith("crmkit"):
            lines += [f"    {line}" for line in _function(f".{public}", value)]
        elif not public.startswith("_") and isinstance(value, property):
            lines.append(f"    .{public}")
    return "\n".join(lines)


def _function(name, function):
    columns, optional, open_ended = documented_columns(function)
    listed = [f"[{column}]" if column in optional else column for column in columns]
    yield from _wrapped(f"{name}{_signature(function)}")
    if columns:
        yield from _wrapped("    -> " + ", ".join(listed + ["..."] * open_ended))


def _signature(function):
    """Return parameters and defaults without annotations, which type checkers watch."""
    parameters = [
        parameter.replace(annotation=inspect.Parameter.empty)
        for parameter in inspect.signature(function).parameters.values()
        if parameter.name != "self"
    ]
    return str(inspect.Signature(parameters))


def _wrapped(text):
    """Return lines: one item each, so that a change of one is a change of one line."""
    if len(text) <= WIDTH:
        return [text]
    first, *rest = text.split(", ")
    return [f"{first},", *(f"        {item}," for item in rest[:-1]), f"        {rest[-1]}"]


def _commands():
    """Yield the commands of the command line and their options."""
    from crmkit._options import make_parser

    (commands,) = (action for action in make_parser()._actions if action.dest == "command")
    for name, parser in commands.choices.items():
        options = [
            f"{'/'.join(action.option_strings) or action.metavar} = {action.default!r}"
            for action in parser._actions
            if action.dest != "help"
        ]
        yield "\n".join([f"crmkit {name}", *(f"    {option}" for option in options)])


if __name__ == "__main__":
    SNAPSHOT.write_text(interface_text(), encoding="utf-8")
    print(f"Written to {SNAPSHOT.name}. What changed belongs into CHANGELOG.md.")
