"""Runs tests on a copy of the source in a process that has imported all else already."""

from __future__ import annotations

import multiprocessing
import os
import sys

# What the source and the tests need, and what does not import the source itself.
HEAVY = [
    "hypothesis", "hypothesis.strategies", "matplotlib.pyplot", "narwhals", "pandas", "pytest",
    "scipy.integrate", "scipy.optimize", "scipy.special", "scipy.stats", "sklearn.cluster",
    "sklearn.ensemble", "sklearn.linear_model",
]  # fmt: skip


def processes():
    """Return what makes processes, by forking one that holds HEAVY where a system can fork."""
    if "forkserver" not in multiprocessing.get_all_start_methods():
        return multiprocessing.get_context("spawn")
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(HEAVY)
    return context


def verdict(context, copy, tests, limit):
    """Return "killed" where a test fails on a copy of the source, "endless" or "survived"."""
    process = context.Process(target=_run, args=(str(copy), tests))
    process.start()
    process.join(limit)
    if process.is_alive():  # a slip that never ends is one that is seen
        process.kill()
        process.join()
        return "endless"
    return "killed" if process.exitcode else "survived"


def _run(copy, tests):
    """Run tests in this process, silently, with what Python compiles beside the copy."""
    import pytest

    with open(os.devnull, "r+b") as nothing:  # noqa: PTH123
        for stream in (0, 1, 2):
            os.dup2(nothing.fileno(), stream)
    os.environ["PYTHONPATH"] = copy
    os.environ["PYTHONPYCACHEPREFIX"] = sys.pycache_prefix = f"{copy}-compiled"
    sys.path.insert(0, copy)
    # pytest would like to have been first to import these.
    words = ["-q", "-x", "--wide", "-p", "no:cacheprovider"]
    words += ["-W", "ignore::pytest.PytestAssertRewriteWarning"]
    sys.exit(int(pytest.main([*words, *tests])))
