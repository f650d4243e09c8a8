"""The project's tasks, for any machine with Python 3.11 or newer and pip; nothing else is needed.

``python tasks.py TASK``; without a task, a list of them. Environments are made from the lock files
in requirements/ when they are first needed, and kept in .venv and .venv-*.
"""

from __future__ import annotations

import argparse
import hashlib
import os
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent
LOCKS = ROOT / "requirements"
NESTED = ["demo", "test", "locked"]  # each lock file contains the one before
OLDEST = (3, 11)
# Every process would compile all it imports anew, for seconds each.
UNWANTED = {"PYTHONDONTWRITEBYTECODE"}
# The oldest pip is the one that Python 3.11.0 brings; a newer Python needs the one that it brings.
PIPS = {"oldest": "pip==22.3" if sys.version_info < (3, 12) else "", "newest": "pip", "": ""}
# Where other versions would show: every public name, example and input. The checks run these by the
# tasks of other versions than those of the lock; the tasks themselves run all tests.
BROAD = ["src", "tests/contract", "tests/frames"]
BROAD += ["tests/test_frames.py", "tests/test_command_line.py", "tests/test_by_customer_hostile.py"]
# What the checks pass to their tasks. All tests run in full once, and those above once more on
# pandas 2; other versions than these change no column, so that the short form is enough for them.
ARGUMENTS = {
    "test": ["--wide", "--cov", "--cov-report="],  # branch coverage: see pyproject.toml
    "newest_python": BROAD,
    "pandas2": ["--wide", *BROAD],
    "lowest": BROAD,
}


def run(
    *command: str | Path, cwd: Path = ROOT, quiet: bool = False, seconds: float | None = None
) -> None:
    """Run a command and stop at its failure; a quiet one shows what it printed only then."""
    words = [str(word) for word in command]
    print("$", *[Path(words[0]).name, *words[1:]], flush=True)
    settings = {
        **{name: value for name, value in os.environ.items() if name not in UNWANTED},
        "PIP_DISABLE_PIP_VERSION_CHECK": "1",
        "OMP_NUM_THREADS": "1",  # the tests run in several processes already
    }
    done = subprocess.run(
        words, cwd=cwd, env=settings, check=False, stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE if quiet else None, stderr=subprocess.STDOUT if quiet else None,
        timeout=seconds,
    )  # fmt: skip
    if done.returncode:
        if quiet:
            sys.stdout.buffer.write(done.stdout)
        sys.exit(f"failed ({done.returncode}): {' '.join(words)}")


class Environment:
    """A virtual environment that is made from a lock file when it is first needed."""

    def __init__(self, folder: Path, *, python: str = sys.executable, pip: str = "") -> None:
        self.folder = folder
        self.base = python
        self.pip = pip
        bin_folder = "Scripts" if os.name == "nt" else "bin"
        self.python = folder / bin_folder / ("python.exe" if os.name == "nt" else "python")

    def install(self, lock: str, *, package: bool = True) -> Environment:
        """Install what `lock` lists, and the package itself so that edits take effect."""
        wider = NESTED[NESTED.index(lock) :] if lock in NESTED else [lock]
        if any(self.stamp(name).exists() for name in wider):
            return self
        if not self.python.exists():
            run(self.base, "-m", "venv", self.folder)
            if PIPS[self.pip]:
                self.module("pip", "install", "--quiet", "--upgrade", PIPS[self.pip])
        # The lock files name everything, so that there is nothing to resolve (each pip does that
        # in its own way), and nothing is fetched beside them, not even to build a package.
        # Nothing is compiled ahead: most of what is installed is never imported.
        pip = ["pip", "install", "--quiet", "--no-deps", "--no-compile", "--no-build-isolation"]
        pip += ["--use-pep517"]
        self.module(*pip, "-r", LOCKS / "build.txt")
        self.module(*pip, "-r", LOCKS / f"{lock}.txt")
        if package:
            self.module(*pip, "-e", ROOT)
            self.module("pip", "check")
        self.stamp(lock).touch()
        return self

    def stamp(self, lock: str) -> Path:
        """Return the file that says that this state of `lock` is installed here."""
        files = [LOCKS / "build.txt", LOCKS / f"{lock}.txt", ROOT / "pyproject.toml"]
        digest = hashlib.sha256(b"".join(file.read_bytes() for file in files)).hexdigest()
        return self.folder / f"{lock}-{digest[:16]}.installed"

    def module(self, *words: str | Path, cwd: Path = ROOT, quiet: bool = False) -> None:
        """Run ``python -m`` with these words."""
        run(self.python, "-m", *words, cwd=cwd, quiet=quiet)

    def pytest(self, *words: str) -> None:
        """Run the tests, a file at a time in each of a few processes."""
        processes = ["-n", "auto", "--maxprocesses", "4", "--dist", "loadfile"]
        self.module("pytest", "-q", *processes, *words)


class Tasks:
    """One method per task; `folder` is where environments live."""

    def __init__(self, folder: Path, arguments: list[str], pip: str = "") -> None:
        self._folder = folder
        self._arguments = arguments
        self._main = Environment(folder / ".venv", pip=pip)

    def demo(self) -> None:
        """Make report.html from a real purchase log."""
        report = ROOT / "report.html"
        environment = self._main.install("demo")
        environment.module("crmkit", "demo", "--out", report, *self._arguments)
        print("Open it in a browser.")

    def test(self) -> None:
        """Run the tests; with --wide, over all they can sweep; further words go to pytest."""
        self._main.install("test").pytest(*self._arguments)

    def lint(self) -> None:
        """Check style and format with ruff."""
        environment = self._main.install("locked")
        environment.module("ruff", "check", ".")
        environment.module("ruff", "format", "--check", ".")

    def types(self) -> None:
        """Check types with mypy, strict."""
        self._main.install("locked").module("mypy")

    def imports(self) -> None:
        """Check who imports whom."""
        run(self._main.install("locked").python.with_name("lint-imports"))

    def notebooks(self) -> None:
        """Execute the notebooks of examples/, or those named."""
        code = (
            "import sys, jupytext, nbclient; "
            "nbclient.NotebookClient(jupytext.read(sys.argv[1]), timeout=900, "
            "resources={'metadata': {'path': sys.argv[2]}}).execute()"
        )
        environment = self._main.install("locked")
        everything = sorted((ROOT / "examples").glob("*.md"))
        for notebook in map(Path, self._arguments or everything):
            started = time.monotonic()
            with tempfile.TemporaryDirectory() as folder:
                run(environment.python, "-c", code, notebook.resolve(), folder, quiet=True)
            print(f"{notebook.name} ran in {time.monotonic() - started:.0f} s", flush=True)

    def docs(self) -> None:
        """Build docs/_build/html, with the notebooks executed; a warning fails."""
        words = ["-W", "--keep-going", "-q", "-E", "-j", "auto", "-b", "html"]
        target = ROOT / "docs" / "_build" / "html"
        self._main.install("locked").module("sphinx", *words, ROOT / "docs", target)
        print(f"The documentation is in {target / 'index.html'}")

    def wheel(self) -> None:
        """Build the wheel and run it in an empty environment."""
        builder = self._main.install("locked")
        with tempfile.TemporaryDirectory() as name:
            folder = Path(name)
            to_folder = ["--no-isolation", "--outdir", folder]
            builder.module("build", "--wheel", *to_folder, ROOT, quiet=True)
            (wheel,) = folder.glob("*.whl")
            empty = Environment(folder / "venv").install("demo", package=False)
            empty.module("pip", "install", "--quiet", "--no-deps", wheel)
            empty.module("pip", "check")
            empty.module("crmkit", "demo", "--out", folder / "report.html", cwd=folder)
            size = (folder / "report.html").stat().st_size
            print(f"{wheel.name} wrote a report of {size:,} bytes in an empty environment.")

    def statistics(self) -> None:
        """Measure what intervals, tests and verdicts hold, and write the page; or some rooms."""
        environment = self._main.install("test")
        page = ROOT / "tests" / "statistics" / "_page.py"
        run(environment.python, page, *self._arguments)

    def snapshot(self) -> None:
        """Renew tests/interface.txt, the snapshot of the public interface."""
        run(self._main.install("test").python, ROOT / "tests" / "interface.py")

    def lowest(self) -> None:
        """Run the tests on the lowest declared versions."""
        environment = Environment(self._folder / ".venv-lowest").install("lowest")
        environment.pytest("-p", "no:cacheprovider", *self._arguments)

    def newest_python(self) -> None:
        """Run demo and tests on the newest Python that is found, by the newest pip."""
        environment = self._on_newest_python("newest").install("demo")
        environment.module("crmkit", "demo", "--out", environment.folder / "report.html")
        environment.install("test").pytest("-p", "no:cacheprovider", *self._arguments)

    def pandas2(self) -> None:
        """Run the tests on the last pandas 2 with the newest NumPy, on the newest Python."""
        environment = self._on_newest_python("pandas2").install("pandas2")
        environment.pytest("-p", "no:cacheprovider", *self._arguments)

    def _on_newest_python(self, name: str) -> Environment:
        python, _ = _newest_python()
        return Environment(self._folder / f".venv-{name}", python=python, pip="newest")

    def engines(self) -> None:
        """Run the tests of PostgreSQL and Spark; say why, where these cannot be had."""
        environment = Environment(self._folder / ".venv-engines", pip=self._main.pip)
        try:
            environment.install("engines")
        except SystemExit as failure:
            print(f"Skipped: PostgreSQL and Spark cannot be installed here ({failure}).")
            return
        tests = ROOT / "tests"
        self._patiently(environment, tests / "test_by_customer_postgres.py")
        if missing := _no_java():
            print(f"Skipped: Spark, because {missing}.")
            return
        os.environ |= {"PYSPARK_PYTHON": str(environment.python), "SPARK_LOCAL_IP": "127.0.0.1"}
        for kind, which in {"classic": "", "connect": "sums or model"}.items():
            os.environ["CRMKIT_SPARK"] = kind
            self._patiently(environment, tests / "test_by_customer_spark.py", "-k", which)

    def _patiently(self, environment: Environment, *words: str | Path) -> None:
        """Run tests of a server of others, which may hang where it is not at home."""
        held = ["pytest", "-q", "-p", "no:cacheprovider", "-W", "ignore", "-rs"]
        try:
            run(environment.python, "-m", *held, *words, *self._arguments, seconds=120)
        except subprocess.TimeoutExpired:
            print("Skipped: after 120 s it was not done.")

    def mutants(self) -> None:
        """Count the slips in a copy of the source that no test notices: --sample, --under."""
        environment = self._main.install("test")
        run(environment.python, ROOT / "tests" / "mutants", *self._arguments)

    def check(self) -> None:
        """Run all checks of a change: every task but notebooks (docs runs them), mutants, lock."""
        steps = ["demo", "test", "lint", "types", "imports", "docs", "wheel"]
        steps += ["newest_python", "pandas2", "lowest", "engines"]
        for step in steps:
            started = time.monotonic()
            print(f"\n=== {step} ===", flush=True)
            self._arguments = ARGUMENTS.get(step, [])
            getattr(self, step)()
            print(f"=== {step}: {time.monotonic() - started:.0f} s ===", flush=True)

    def lock(self) -> None:
        """Write the lock files anew; with --upgrade, to the newest versions; needs uv."""
        uv = ["uv"] if shutil.which("uv") else [sys.executable, "-m", "uv"]
        # pip in hash mode knows coverage and coverage[toml] as two: the extras stay.
        compile_ = [*uv, "pip", "compile", "--universal", "--python-version", "3.11"]
        compile_ += ["--quiet", "--generate-hashes", "--no-header", "--no-annotate"]
        compile_ += ["--no-strip-extras", *self._arguments]
        project = ROOT / "pyproject.toml"

        def extras(*names: str) -> list[str]:
            return [word for name in names for word in ("--extra", name)]

        locked = LOCKS / "locked.txt"
        newest = [*extras("all", "dev", "docs"), "--constraint", LOCKS / "locked.in"]
        run(*compile_, *newest, project, "-o", locked)
        within = [*compile_, "--constraint", locked]
        run(*within, *extras("all", "test"), project, "-o", LOCKS / "test.txt")
        run(*within, *extras("lifetimes"), project, "-o", LOCKS / "demo.txt")
        run(*within, LOCKS / "build.in", "-o", LOCKS / "build.txt")
        # Nothing but pandas, and what goes with it, differs from the test lock.
        shutil.copy(LOCKS / "test.txt", LOCKS / "pandas2.txt")
        older = [*extras("all", "test"), "--constraint", LOCKS / "pandas2.in"]
        kept = [word for word in compile_ if word not in self._arguments]
        run(*kept, *older, project, "-o", LOCKS / "pandas2.txt")
        # Spark has no pandas 3 yet.
        beside = [*extras("all", "test"), "--constraint", LOCKS / "pandas2.txt"]
        run(*kept, *beside, LOCKS / "engines.in", project, "-o", LOCKS / "engines.txt")
        lowest = [*extras("all", "test"), "--constraint", LOCKS / "lowest.in"]
        resolution = ["--resolution", "lowest-direct"]
        run(*compile_, *resolution, *lowest, project, "-o", LOCKS / "lowest.txt")


def _no_java() -> str:
    """Return why there is no Java for Spark, or nothing; Debian's is installed where it may be."""
    install = ["install", "-y", "-q", "--no-install-recommends", "openjdk-17-jre-headless"]
    may = os.environ.get("CI") and shutil.which("apt-get") and os.geteuid() == 0
    if may and not shutil.which("java"):
        for words in (["update", "-q"], install):
            try:
                subprocess.run(
                    ["apt-get", *words], check=True, timeout=90, stdin=subprocess.DEVNULL
                )
            except (OSError, subprocess.SubprocessError) as error:
                return f"Java cannot be installed ({error})"
    for home in sorted(Path("/usr/lib/jvm").glob("java-17-openjdk-*")):
        os.environ["JAVA_HOME"] = str(home)
        return ""
    return "there is no Java 17 in /usr/lib/jvm"


def _newest_python() -> tuple[str, tuple[int, int]]:
    """Return the newest Python from the oldest supported on that can make environments."""
    names = [f"python3.{minor}" for minor in range(OLDEST[1], 30)]
    candidates = {path for name in names if (path := shutil.which(name))}
    candidates |= {str(path) for path in Path.home().glob(".pyenv/versions/3.*/bin/python")}
    if os.name == "nt" and shutil.which("py"):
        listed = subprocess.run(["py", "-0p"], capture_output=True, text=True, check=False).stdout
        candidates |= {line.split()[-1] for line in listed.splitlines() if line.split()}
    probe = "import ensurepip, sys; print(*sys.version_info[:2], sys.version_info.releaselevel)"
    found = {sys.executable: sys.version_info[:2]}
    for path in sorted(candidates):
        words = [path, "-c", probe]
        try:
            answer = subprocess.run(words, capture_output=True, text=True, check=True).stdout
        except (OSError, subprocess.CalledProcessError):
            continue
        major, minor, level = answer.split()
        if level == "final" and (int(major), int(minor)) >= OLDEST:
            found[path] = (int(major), int(minor))
    return max(found.items(), key=lambda item: item[1])


def main() -> None:
    """Run the task that the command line names."""
    if sys.version_info < OLDEST:
        sys.exit(f"crmkit needs Python 3.11 or newer; this is {sys.version.split()[0]}.")
    public = {
        name.replace("_", "-"): method.__doc__
        for name, method in vars(Tasks).items()
        if not name.startswith("_")
    }
    listed = "\n".join(f"  {name:<15}{about}" for name, about in public.items())
    parser = argparse.ArgumentParser(
        prog="tasks.py", description=f"{__doc__}\ntasks:\n{listed}",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )  # fmt: skip
    parser.add_argument("--environments", type=Path, default=ROOT, help="where to keep them")
    parser.add_argument("--pip", choices=["oldest", "newest"], default="", help="else Python's own")
    parser.add_argument("task", choices=list(public), metavar="TASK")
    parser.add_argument("arguments", nargs=argparse.REMAINDER, help="passed on to the task's tool")
    if len(sys.argv) == 1:
        parser.print_help()
        return
    options = parser.parse_args()
    tasks = Tasks(options.environments.resolve(), options.arguments, options.pip)
    getattr(tasks, options.task.replace("-", "_"))()


if __name__ == "__main__":
    main()
