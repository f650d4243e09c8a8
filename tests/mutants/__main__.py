"""Does a test fail when the source has a slip? ``python tasks.py mutants`` counts.

A seeded sample of small changes is made, one at a time, in a copy of the source, and the tests that
run the changed line are run on it, the most special ones first. Everything lies in .mutants/, by
the state of source and tests; a run that was interrupted goes on where it was.
"""

from __future__ import annotations

import argparse
import csv
import hashlib
import json
import os
import random
import shutil
import subprocess
import sys
import time
from collections import defaultdict
from concurrent.futures import ThreadPoolExecutor
from itertools import count, repeat
from pathlib import Path
from queue import SimpleQueue

from changes import changes
from tried import processes, verdict

ROOT = Path(__file__).resolve().parents[2]
SOURCE = ROOT / "src"
# The floors and roles whose faults would be wrong numbers.
CHANGED = {"_math", "_log", "_frames", "_learn", "_table"}
EQUIVALENT = Path(__file__).with_name("equivalent.csv")
KILLED_AT_LEAST = 0.95


def state(asked):
    """Return a name for what source and tests are now, and for the tests asked for."""
    files = sorted(path for top in ("src", "tests") for path in (ROOT / top).rglob("*.py"))
    texts = [path.read_bytes() for path in files if path.parent != EQUIVALENT.parent]
    return hashlib.sha256(b"\0".join([*texts, *map(str.encode, asked)])).hexdigest()[:16]


def measured(folder, processes, asked):
    """Run the tests once; return the tests of each line, by file, and how long each test takes."""
    kept = folder / "tests.json"
    if not kept.exists():
        print("Running the tests once, to see which lines each of them runs.", flush=True)
        (folder / "settings.ini").write_text("[run]\nsource = crmkit\n")
        words = ["--wide", "-p", "no:cacheprovider", "-n", str(processes), "--dist", "loadfile"]
        words += ["--durations=0", "-vv", *asked, "--cov", "--cov-context=test", "--cov-report="]
        words += [f"--cov-config={folder / 'settings.ini'}"]
        done = subprocess.run(
            [sys.executable, "-m", "pytest", *words], cwd=ROOT, check=False, text=True,
            env={**os.environ, "COVERAGE_FILE": str(folder / "coverage")},
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
        )  # fmt: skip
        if done.returncode:
            sys.exit(f"{done.stdout[-3000:]}\nThe tests fail without any change.")
        seconds = defaultdict(float)
        for words in map(str.split, done.stdout.splitlines()):
            if len(words) >= 3 and words[1] in ("setup", "call", "teardown"):
                seconds[" ".join(words[2:])] += float(words[0].rstrip("s"))
        kept.write_text(json.dumps({"seconds": seconds, "lines": _contexts(folder / "coverage")}))
    return json.loads(kept.read_text())


def _contexts(file):
    """Return, by file and line, the tests that run it; line 0 has those of the whole file."""
    from coverage import CoverageData

    data = CoverageData(str(file))
    data.read()
    lines = {}
    for path in data.measured_files():
        name = Path(path).relative_to(SOURCE).as_posix()
        if CHANGED & set(Path(name).parts):
            tests = {
                str(line): sorted({context.rpartition("|")[0] for context in contexts if context})
                for line, contexts in data.contexts_by_lineno(path).items()
            }
            lines[name] = {**tests, "0": sorted(set().union(*tests.values()))}
    return lines


def sample(size, seed, under):
    """Return changes drawn at random from all of them, as pairs of file and change."""
    found = []
    for path in sorted(SOURCE.rglob("*.py")):
        name = path.relative_to(SOURCE).as_posix()
        if CHANGED & set(Path(name).parts) and under in name:
            found += [(name, change) for change in changes(path.read_text(encoding="utf-8"))]
    return random.Random(seed).sample(found, min(size, len(found)))


def stages(tests, lines, seconds):
    """Split tests into three: at most some five seconds of them, a minute, and all the rest.

    The quick ones come first, and those that are about little else: `lines` counts what each runs.
    """
    taken, parts = 0.0, [[], [], []]
    for test in sorted(tests, key=lambda test: (seconds.get(test, 0.0) + 0.05) * lines[test]):
        taken += seconds.get(test, 0.0)
        parts[(taken > 5) + (taken > 65)].append(test)
    return parts


def main():
    """Make the sample's changes and count those that no test notices."""
    parser = argparse.ArgumentParser(prog="tasks.py mutants", description=__doc__)
    parser.add_argument("--sample", type=int, default=300)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--under", default="", help="only files whose path has this in it")
    parser.add_argument("--tests", nargs="+", default=["tests"], help="only these tests")
    parser.add_argument("--processes", type=int, default=2)
    options = parser.parse_args()
    os.environ |= {"PYTHONPATH": str(SOURCE), "OMP_NUM_THREADS": "1"}
    folder = ROOT / ".mutants" / state(options.tests)
    folder.mkdir(parents=True, exist_ok=True)
    tests = measured(folder, options.processes, options.tests)
    seconds, special = tests["seconds"], defaultdict(int)
    for by_line in tests["lines"].values():
        for names in by_line.values():
            for test in names:
                special[test] += 1
    copies = SimpleQueue()
    for number in range(options.processes):
        copy = folder / f"copy-{number}"
        for old in (copy, f"{copy}-compiled"):
            shutil.rmtree(old, ignore_errors=True)
        shutil.copytree(SOURCE, copy, ignore=shutil.ignore_patterns("__pycache__", "*.egg-info"))
        copies.put(copy)
    results = folder / "results.jsonl"
    done = {}
    if results.exists():
        done = dict(map(json.loads, results.read_text(encoding="utf-8").splitlines()))
    context, times = processes(), count(1)

    def killed(pair, stage):
        name, change = pair
        key = f"{stage}:{name}:{change.start}:{change}"
        if key not in done:
            by_line = tests["lines"].get(name, {})
            concerned = by_line.get(str(change.line)) or by_line.get("0", [])
            asked = stages(concerned, special, seconds)[stage]
            started, copy = time.monotonic(), copies.get()
            path, original = copy / name, (SOURCE / name).read_text(encoding="utf-8")
            path.write_text(change.applied(original), encoding="utf-8")
            os.utime(path, 2 * (next(times),))  # Python compiles anew what has another time
            limit = 60 + 5 * sum(seconds.get(test, 0.0) for test in asked)
            done[key] = verdict(context, copy, asked, limit) if asked else "survived"
            path.write_text(original, encoding="utf-8")
            os.utime(path, 2 * (next(times),))
            copies.put(copy)
            with results.open("a", encoding="utf-8") as file:
                file.write(json.dumps([key, done[key]]) + "\n")
            took = time.monotonic() - started
            print(f"{done[key]:<9}{took:4.0f} s  {name}:{change.line}  {change}", flush=True)
        return done[key] != "survived"

    drawn = sample(options.sample, options.seed, options.under)
    survivors = drawn
    with ThreadPoolExecutor(options.processes) as pool:
        for stage in range(3):
            verdicts = list(pool.map(killed, survivors, repeat(stage)))
            survivors = [pair for pair, one in zip(survivors, verdicts, strict=True) if not one]
            print(f"{len(drawn) - len(survivors)} of {len(drawn)} are noticed by now.", flush=True)
    sys.exit(report(survivors, len(drawn)))


def report(survivors, size):
    """Print what survived; return 0 if tests notice enough of what changes anything."""
    with EQUIVALENT.open(encoding="utf-8", newline="") as lines:
        reasons = {(file, line, change): why for file, line, change, why in csv.reader(lines)}
    noticed = size - len(survivors)
    for name, change in survivors:
        text = (SOURCE / name).read_text(encoding="utf-8").splitlines()[change.line - 1].strip()
        reason = reasons.get((name, text, str(change)))
        size -= reason is not None
        print(f"\n{name}:{change.line}  {text}\n    {change}\n    {reason or 'no test notices it'}")
    print(f"\n{noticed} of {size} changes that change anything are noticed: {noticed / size:.1%}")
    return int(noticed < KILLED_AT_LEAST * size)


if __name__ == "__main__":
    main()
