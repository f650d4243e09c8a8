"""Who makes a promise has a case, and the frame that judges it can fail."""

import inspect
import math

import numpy as np
import pytest

import _suite
from _page import PAGE, cells
from _suite import NEEDED, NO_PROMISE, Case, Measured, Target, all_cases, counted, enrolled, share
from _suite import study as study_of

CASES = all_cases()


@pytest.mark.parametrize("target", enrolled(), ids=lambda target: target.label)
def test_every_promise_has_its_cases(target):
    where = f"add cases of {target.label} to tests/statistics/cases"
    mine = [case for case in CASES if case.target == target]
    needed = set().union(*(NEEDED[kind] for kind in enrolled()[target]))
    assert needed <= {case.promise for case in mine}, f"{where}: {needed}"
    assert {case.study.corner for case in mine} == {True, False}, f"{where}: plain and corner"


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case.target.label}-{case.measure}")
def test_what_is_not_held_is_said(case):
    assert case.target.label, "the target is not public"
    held = case.band[0] <= case.nominal <= case.band[1]
    assert held == (not case.holds) == (not case.told)
    if case.told:
        assert case.told in case.target.docstring


def test_the_page_holds_every_case_and_no_other():
    found = [line for line in PAGE.read_text(encoding="utf-8").splitlines() if line[:3] == "| `"]
    for first, last in map(cells, CASES):
        told = [row for row in found if row.startswith(first) and row.endswith(last)]
        assert told, f"run python tasks.py statistics with the room; the page lacks {first} {last}"
        found.remove(told[0])
    assert not found, "run python tasks.py statistics with the room: these are no cases any more"


def promising():
    """Promise much.

    Returns
    -------
    pandas.DataFrame
        One row:

        * ``gain_low`` (float) - a limit.
        * ``p_value`` (float) - a test.
        * ``passed`` (bool) - a verdict.
        * ``p_alive`` (float) - an estimate.
        * ``complete`` (bool) - a fact.
    """


class Promising:
    """Learn much.

    Attributes
    ----------
    effect_ : DataFrame
        ``average`` and ``average_std_error``.
    scores_, other_ : DataFrame
        What ``predict`` returns.
    parameters_, aic_ : float
        As in :class:`crmkit.clv.BGNBD`.

    Notes
    -----
    Nothing with ``conf_low`` follows.
    """

    def predict(self):
        """Predict.

        Returns
        -------
        DataFrame
            * ``conf_low``, ``conf_high`` (float) - limits.
        """


def test_promises_are_found_by_docstrings():
    assert dict(_suite._promises(promising)) == {Target(promising): {"interval", "test", "verdict"}}
    members = {target.member: kinds for target, kinds in _suite._promises(Promising)}
    interval = {"interval"}
    assert members == {
        "predict": interval, "effect_": interval, "scores_": interval, "other_": interval,
        "parameters_": interval, "aic_": set(),
    }  # fmt: skip


def test_every_exception_is_still_a_column():
    texts = [inspect.getdoc(owner) or "" for _, owner in _suite.public()]
    for _, owner in _suite.public():
        if inspect.isclass(owner):
            texts += [inspect.getdoc(m) or "" for _, m in inspect.getmembers(owner, callable)]
    everything = "\n".join(texts)
    assert [name for name in NO_PROMISE if f"``{name}``" not in everything] == []


def test_the_error_is_over_independent_replications():
    rng = np.random.default_rng(0)
    flags = (rng.random((400, 1)) < 0.8).repeat(50, axis=1)  # rows that all say the same
    found = share(counted(flags))
    assert found == Measured(
        flags.mean(), pytest.approx(flags[:, 0].std(ddof=1) / 20, rel=1e-9), 400
    )
    free = rng.random((400, 50)) < 0.8
    assert share(counted(free)).error == pytest.approx(math.sqrt(0.8 * 0.2 / 20_000), rel=0.1)
    some = np.where(rng.random((400, 50)) < 0.5, np.nan, free)
    assert share(counted(some)).value == np.nanmean(some)
    assert share(counted(np.ones(400))).error == pytest.approx(0.0035, rel=0.01)


def intervals(z):
    """Means of 30 normal values with limits that many errors away."""

    @study_of("somebody with thirty values", short=4, full=4)
    def means(rng):
        drawn = rng.normal(size=(100, 30)).mean(axis=1)
        return {"held": np.abs(drawn) < z / math.sqrt(30)}

    return Case(Target(promising), "coverage", means, "held", 0.95, (0.93, 0.97))


def test_wrong_intervals_fail():
    _suite.check(intervals(1.96))
    for z in (1.3, 3.5):
        with pytest.raises(AssertionError, match="outside"):
            _suite.check(intervals(z))
