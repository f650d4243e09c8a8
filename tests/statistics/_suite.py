"""What a promise is, who makes one, and how it is measured by simulation.

Every public function, method and fitted table whose documented columns hold an interval, a
p-value or a verdict is found here by its docstring and the glossary of columns. Each needs cases in
``cases/<room>.py``.
"""

from __future__ import annotations

import functools
import importlib
import importlib.util
import inspect
import re
import zlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from contract._tools import documented_columns
from crmkit._columns import glossary

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

ROOMS = ("segmentation", "clv", "churn", "basket", "response")
MODULES = ("segmentation", "clv", "churn", "basket", "response", "datasets", "report")

# What a column of this kind, by the glossary of all result columns, promises.
KINDS = {"limit": "interval", "p_value": "test", "flag": "verdict"}
# Columns of these kinds that promise nothing all the same.
NO_PROMISE = {
    "score_low": "a range of scores that were given",
    "score_high": "a range of scores that were given",
    "active": "a fact of the log",
    "alive": "the hidden truth of a simulation",
    "best": "the row with the highest figure",
    "break_even": "arithmetic on the row's own figures",
    "churned": "a fact of the contract",
    "complete": "a fact of the calendar",
    "email_consent": "a fact of the customer",
    "holdout": "a fact of the calendar",
    "in_sample": "a fact of the fit",
    "newsletter": "a fact of the customer",
    "owned": "a fact of the log",
    "paid_back": "arithmetic on the row's own figures",
    "pays": "arithmetic on the score that was given",
    "phone_consent": "a fact of the customer",
    "reachable": "a fact of the segment map",
    "redundant": "arithmetic on the row's own figures",
    "responded": "a fact of a simulation",
    "stayed": "a fact of the contract",
    "treated": "a fact of a simulation",
}
# Verdicts in words, or of fitted tables.
VERDICTS = {"accepted", "chosen", "direction", "flag", "likely_leak", "verdict"}
# Options of a function by which the user is promised something that no column names.
OPTIONS = {"alpha": "division", "power": "plan"}

# What cases of a target that makes such promises must measure.
NEEDED = {
    "interval": {"coverage"},
    "test": {"size", "power"},
    "verdict": {"verdict"},
    "division": {"size"},
    "plan": {"power"},
}


def promise_of(column: str) -> str:
    """Return the kind of promise that a result column makes, or nothing."""
    if column in NO_PROMISE:
        return ""
    if column in VERDICTS:
        return "verdict"
    known = glossary().get(column)
    if known is None:  # a column of a fitted table, or of the user's own
        return "interval" if column.endswith(("std_error", "_low", "_high")) else ""
    return KINDS.get(known.kind, "")


@dataclass(frozen=True)
class Target:
    """A public function, or a method or fitted table of a public class."""

    owner: Any
    member: str = ""

    @property
    def label(self) -> str:
        names = [name for name, owner in public() if owner is self.owner]
        return ", ".join(name + f".{self.member}" * bool(self.member) for name in names)

    @property
    def docstring(self) -> str:
        """What the target says about itself, its class included, as one line."""
        texts = [inspect.getdoc(self.owner) or ""]
        if inspect.isclass(self.owner):
            texts.append(attributes(self.owner).get(self.member, ""))
        if self.member and not self.member.endswith("_"):
            texts.append(inspect.getdoc(getattr(self.owner, self.member)) or "")
        return " ".join(" ".join(texts).split())


@dataclass(frozen=True)
class Study:
    """A world whose truth is known, simulated once for all cases that judge something in it.

    ``simulate`` returns flags by name, shaped (independent replications, anything): 1 where the
    interval covered the truth or the test rejected, missing where nothing was said. It is run
    ``short`` times in the tests and ``full`` times for the page.
    """

    simulate: Callable[[np.random.Generator], Mapping[str, Any]]
    scenario: str
    corner: bool
    short: int
    full: int
    extra: str


def study(scenario: str, *, short: int, full: int, corner: bool = False, extra: str = ""):
    """Make a study of a simulation; `scenario` says in a sentence who the user is."""
    return lambda simulate: Study(simulate, scenario, corner, short, full, extra)


@dataclass(frozen=True)
class Case:
    """One promise of one target in one study, and the band in which it is kept.

    Where the nominal value lies outside the band, `holds` says what is held instead, and `told`
    quotes the words by which the docstring says so.
    """

    target: Target
    promise: str
    study: Study
    measure: str
    nominal: float
    band: tuple[float, float]
    holds: str = ""
    told: str = ""


@dataclass(frozen=True)
class Measured:
    """A share with its Monte-Carlo error."""

    value: float
    error: float
    replications: int

    def within(self, band: tuple[float, float]) -> bool:
        """Whether the share lies in the band, give or take three Monte-Carlo errors."""
        return band[0] - 3 * self.error <= self.value <= band[1] + 3 * self.error


def counted(flags: Any) -> np.ndarray:
    """Return, per independent replication (the first axis), how many flags are set and known."""
    flags = np.asarray(flags, dtype=float)
    flags = flags.reshape(len(flags), -1)
    return np.stack([np.nansum(flags, axis=1), (~np.isnan(flags)).sum(axis=1)], axis=1)


def share(counts: np.ndarray) -> Measured:
    """Return the share of set flags, from `counted`, with its error.

    Flags of one replication may hang together; replications do not.
    """
    hits, known = counts[counts[:, 1] > 0].T
    n, total = len(hits), known.sum()
    value = hits.sum() / total
    off = hits - value * known
    error = np.sqrt(np.square(off).sum() * n / max(n - 1, 1)) / total
    if error == 0:  # all alike: the error that two more of either kind would show
        p = (n * value + 2) / (n + 4)
        error = np.sqrt(p * (1 - p) / (n + 4))
    # Of few replications the scatter tells little: never less than all flags would show apart.
    error = max(error, np.sqrt(value * (1 - value) / total))
    return Measured(float(value), float(error), n)


@functools.cache
def counts_of(world: Study, first: int, last: int) -> dict[str, np.ndarray]:
    """Do some runs of a study; each has a seed of its own, whatever runs beside it."""
    seed = zlib.crc32(world.simulate.__qualname__.encode())
    parts = [world.simulate(np.random.default_rng([seed, run])) for run in range(first, last)]
    return {name: np.concatenate([counted(part[name]) for part in parts]) for name in parts[0]}


def cases_of(room: str) -> list[Case]:
    return importlib.import_module(f"cases.{room}").CASES


def all_cases() -> list[Case]:
    return [case for room in ROOMS for case in cases_of(room)]


def check(case: Case) -> None:
    """Fail where the short form of a case lies outside its band."""
    found = share(counts_of(case.study, 0, case.study.short)[case.measure])
    assert found.within(case.band), (
        f"{case.target.label} ({case.promise}): {case.study.scenario}: measured {found.value:.3f} "
        f"with an error of {found.error:.3f}, outside {case.band}."
    )


def as_parameters(room: str) -> list[Any]:
    """Return the cases of a room for pytest, each with a name.

    Without ``--wide``, the first studies that meet every promise of every target once.
    """
    found, met, simulated = [], set(), set()
    for case in cases_of(room):
        promise = case.target, case.promise
        if promise not in met:
            simulated.add(case.study)
        met.add(promise)
    for case in cases_of(room):
        absent = bool(case.study.extra) and importlib.util.find_spec(case.study.extra) is None
        marks = [pytest.mark.skipif(absent, reason=f"{case.study.extra} is not installed")]
        if case.study not in simulated:
            marks.append(pytest.mark.wide)
        name = f"{case.target.label}-{case.study.simulate.__name__}-{case.measure}"
        found.append(pytest.param(case, id=name, marks=marks))
    return found


@functools.cache
def public() -> list[tuple[str, Any]]:
    """Return every public name as ``room.name``, with what it names."""
    modules = {room: importlib.import_module(f"crmkit.{room}") for room in MODULES}
    return [(f"{room}.{n}", getattr(m, n)) for room, m in modules.items() for n in m.__all__]


@functools.cache
def enrolled() -> dict[Target, set[str]]:
    """Return every public target that makes a promise, with the promises that it makes."""
    found: dict[Target, set[str]] = {}
    for name, owner in public():
        if name.split(".")[0] not in ROOMS:
            continue
        found.update({target: kinds for target, kinds in _promises(owner) if kinds})
    return found


def _promises(owner: Any):
    """Yield what an object and its members promise, by their docstrings."""
    if not inspect.isclass(owner):
        yield Target(owner), _kinds(owner) if inspect.isfunction(owner) else set()
        return
    for name, method in inspect.getmembers(owner, inspect.isfunction):
        if not name.startswith("_"):
            yield Target(owner, name), _kinds(method)
    for name, text in attributes(owner).items():
        columns = re.findall(r"\w+", " ".join(re.findall(r"``([^`]+)``", text)))
        kinds = {promise_of(column) for column in columns} - {""}
        if method := re.search(r"What ``(\w+)`` returns", text):
            kinds |= _kinds(getattr(owner, method.group(1)))
        yield Target(owner, name), kinds


def _kinds(function: Any) -> set[str]:
    columns = documented_columns(function)[0]
    options = {OPTIONS.get(name, "") for name in inspect.signature(function).parameters}
    return ({promise_of(column) for column in columns} | options) - {""}


def attributes(owner: type) -> dict[str, str]:
    """Return what a class says about each fitted attribute; "As in" another is what that says."""
    text = inspect.getdoc(owner) or ""
    section = re.search(r"\nAttributes\n-+\n(.*?)(?=\n[A-Z][A-Za-z ]+\n-+\n|\Z)", text, re.S)
    found: dict[str, str] = {}
    for entry in re.split(r"\n(?=\S)", section.group(1)) if section else []:
        head, _, body = entry.partition("\n")
        names = [name.strip() for name in head.split(" : ")[0].split(",")]
        model = re.search(r"As in :class:`crmkit\.(\w+)\.(\w+)`", body)
        if model:
            module = importlib.import_module(f"crmkit.{model.group(1)}")
            other = attributes(getattr(module, model.group(2)))
            found |= {name: other[name] for name in names if name in other}
        else:
            found |= {name: head.partition(" : ")[2] + " " + body for name in names}
    return {name: text for name, text in found.items() if name.endswith("_")}
