"""The short form of the tests: no case and no kind of a sweep is left out of it."""

import itertools
from types import SimpleNamespace

import pytest

from _short_form import left_out


def item(marks, **params):
    return SimpleNamespace(
        function=left_out,
        callspec=SimpleNamespace(params=params),
        get_closest_marker={mark.name: mark for mark in marks}.get,
    )


@pytest.mark.parametrize("turned", [False, True])
def test_each_case_meets_one_kind_and_each_kind_a_case(turned):
    kinds, cases = [object() for _ in range(4)], [object() for _ in range(9)]
    pairs = list(itertools.product(kinds, cases))
    if turned:
        pairs.sort(key=lambda pair: cases.index(pair[1]))
    items = [item([pytest.mark.sweep(4).mark], kind=kind, case=case) for kind, case in pairs]
    out = left_out(items)
    kept = [one.callspec.params for one in items if one not in out]
    assert sorted(cases.index(params["case"]) for params in kept) == list(range(9))
    assert {kinds.index(params["kind"]) for params in kept} == set(range(4))


def test_what_is_dear_is_left_out():
    plain, dear = item([]), item([pytest.mark.wide.mark])
    assert left_out([plain, dear]) == [dear]
