"""Measure every promise in full and write the page that tells what was found.

``python tasks.py statistics``, with rooms to measure these only and keep the rest of the page; with
``new`` keep the rows that the page has in these words as well.
A room costs from half a CPU minute (basket) to ten (clv).
"""

from __future__ import annotations

import itertools
import os
import re
import sys
import warnings
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

import numpy as np

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT / "tests"), str(Path(__file__).resolve().parent)]

from _suite import ROOMS, Case, Study, cases_of, counts_of, share  # noqa: E402

PAGE = ROOT / "docs" / "reference" / "what-the-intervals-hold.md"
PARTS = 12  # into which the runs of a study are divided

HEAD = """\
# What the intervals hold

An interval promises to hold the truth as often as its level says, a test to be wrong as seldom as
its level says, a verdict to be earned. Here is what each of them was found to do in simulations
whose truth is known: for a customer base like that of a user, and in a corner that is hard.

How to read a row: of all intervals, tests or verdicts in the scenario, the share that held the
truth (**coverage**), that found what is not there (**size**; **verdict** where the result says it
in words), or that found what is (**power**); beside it the share that was promised and, for power,
the share that a sample of this size is planned for. The figure after ± is the error of the
simulation itself, in brackets from how many independent simulations. Promises that are not held are
in bold: act on what is held instead.

This page is written by `python tasks.py statistics`; a short form of every row runs with the tests.
"""
TABLE = """\
| | measured | in the hands of | promised | found | |
|---|---|---|---|---|---|
"""


def worlds(room: str) -> list[Study]:
    """Return the studies of a room, each once."""
    return list(dict.fromkeys(case.study for case in cases_of(room)))


def part(room: str, number: int, first: int, last: int) -> dict[str, np.ndarray]:
    """Do some runs of one study: what a process is asked for."""
    warnings.simplefilter("error")
    return counts_of(worlds(room)[number], first, last)


def measure(
    room: str, wanted: set[Study], pool: ProcessPoolExecutor
) -> dict[Study, dict[str, np.ndarray]]:
    """Do all runs of the studies of a room that are wanted."""
    asked = {}
    for number, world in enumerate(worlds(room)):
        if world not in wanted:
            continue
        ends = np.linspace(0, world.full, min(PARTS, world.full) + 1).astype(int).tolist()
        asked[world] = [
            pool.submit(part, room, number, first, last) for first, last in itertools.pairwise(ends)
        ]
    found = {}
    for world, futures in asked.items():
        parts = [future.result() for future in futures]
        found[world] = {name: np.concatenate([p[name] for p in parts]) for name in parts[0]}
        print(f"{room}: {world.scenario}", flush=True)
    return found


def cells(case: Case) -> tuple[str, str]:
    """Return the row of a case before and after the cell of what was measured."""
    told = (
        f"`{case.target.label}`", f"{case.promise}, {case.measure.replace('_', ' ')}",
        "corner: " * case.study.corner + case.study.scenario, f"{case.nominal:.2f}",
    )  # fmt: skip
    return f"| {' | '.join(told)} |", f"| {f'**{case.holds}**' if case.holds else 'holds'} |"


def standing(case: Case, lines: list[str]) -> str:
    """Return the line of a case among these, or nothing."""
    first, last = cells(case)
    return next((x for x in lines if x.startswith(first) and x.endswith(last)), "")


def section(room: str, kept: list[str], pool: ProcessPoolExecutor) -> tuple[str, list[str]]:
    """Return a room's table, and the cases that were found outside their bands."""
    rows = {case: standing(case, kept) for case in cases_of(room)}
    counts = measure(room, {case.study for case, row in rows.items() if not row}, pool)
    lines, outside = [], []
    for case, row in rows.items():
        if case.study not in counts:
            lines.append(row)
            continue
        found = share(counts[case.study][case.measure])
        first, last = cells(case)
        measured = f"{found.value:.3f} ± {found.error:.3f} ({found.replications:,})"
        lines.append(f"{first} {measured} {last}")
        if not found.within(case.band):
            outside.append(f"{first} {measured}, outside {case.band}")
    return f"## crmkit.{room}\n\n{TABLE}" + "\n".join(lines) + "\n", outside


def main() -> None:
    """Measure the rooms named, or all, and write the page unless a case is outside its band."""
    asked = {*sys.argv[1:]} - {"new"} or {*ROOMS}
    kept = re.findall(r"^## crmkit\.(\w+)\n(.*?)(?=^## |\Z)", PAGE.read_text("utf-8"), re.M | re.S)
    sections = {room: f"## crmkit.{room}\n{text.rstrip()}\n" for room, text in kept}
    outside = []
    with ProcessPoolExecutor(min(2, os.cpu_count() or 1)) as pool:
        for room in [room for room in ROOMS if room in asked]:
            lines = sections.get(room, "").splitlines() if "new" in sys.argv else []
            sections[room], wrong = section(room, lines, pool)
            outside += wrong
    if outside:
        sys.exit("Outside their bands, so the page is left as it is:\n" + "\n".join(outside))
    tables = [sections[room] for room in ROOMS if room in sections]
    PAGE.write_text("\n".join([HEAD, *tables]), encoding="utf-8")
    print(f"The page is {PAGE}")


if __name__ == "__main__":
    main()
