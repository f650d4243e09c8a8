"""The command line: ``crmkit look LOG``, ``crmkit report LOG`` and ``crmkit demo``."""

from __future__ import annotations

import contextlib
import os
import shlex
import shutil
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any, TextIO

from crmkit import _options
from crmkit._options import ASKED, BESIDE, READ, in_options, option
from crmkit.errors import CrmkitError

if TYPE_CHECKING:
    import argparse
    from collections.abc import Iterator, Sequence
    from contextlib import ExitStack

    from crmkit._reading import Account

__all__ = ["main"]


@contextlib.contextmanager
def _files(named: list[str]) -> Iterator[list[str]]:
    """Give the files of a log, of which one may come through a pipe: that is kept for a while."""
    if named != ["-"]:
        yield named
        return
    from crmkit._files import temporary_folder

    with temporary_folder() as folder:
        piped = folder / "pipe"
        with piped.open("wb") as file:
            shutil.copyfileobj(sys.stdin.buffer, file)
        yield [str(piped)]


def _said(arguments: argparse.Namespace) -> dict[str, Any]:
    """Return what a command says of how to read a log."""
    return {name: getattr(arguments, name) for name in READ}


def _read_any(arguments: argparse.Namespace, account: Account, place: ExitStack) -> Any:
    """Read a log of any size: as a table, or in parts that stay until a place is left.

    Tables of all customers are for a page alone.
    """
    from crmkit._files import temporary_folder
    from crmkit._progress import steps
    from crmkit._reading import begin, read_begun, read_parts
    from crmkit._report.memory import make_plan

    files = place.enter_context(_files(arguments.log))
    begun = begin(files, account, **_said(arguments))
    plan = make_plan(begun, arguments.engine, arguments.memory)
    page = arguments.command == "report"
    if not arguments.quiet and (page or plan.n_parts):
        _say(sys.stdout, in_options(plan.words))
    if not plan.n_parts:
        return read_begun(begun, account)
    folder = place.enter_context(temporary_folder())
    show = not arguments.quiet
    parts = read_parts(
        begun, account, folder, plan.n_parts, lambda some, n: steps(some, "parts", show, total=n)
    )
    if page:
        plan.check_customers(sum(parts.customers), parts.sample["customer_id"])
    return parts


def _look(arguments: argparse.Namespace, place: ExitStack) -> None:
    """Say how a file would be read."""
    from crmkit._files import check_file, write_file
    from crmkit._reading import Account, Parts
    from crmkit._report.log import PageLog

    if arguments.out is not None:
        check_file(arguments.out, "--out")
    account = Account()
    try:
        log = _read_any(arguments, account, place)
    finally:
        for line in account.lines:
            said = line["option"]
            said = in_options(said) if "=" in said else said and option(said)
            said = said and f" [{said}]"
            _say(
                sys.stdout,
                f"{line['what']}: {line['value']} ({line['evidence']}) - {line['sure']}{said}",
            )
    facts = (PageLog.of_parts if isinstance(log, Parts) else PageLog.of_frame)(log).facts()
    orders = ""
    if "order_id" in log.columns:
        n_orders = log.orders() if isinstance(log, Parts) else log["order_id"].nunique()
        orders = f"{n_orders:,} orders, "
    money = f"{facts.amount:,.2f} net, " if "amount" in log.columns else "no amounts, "
    _say(
        sys.stdout,
        f"That is {facts.rows:,} lines, {facts.customers:,} customers, {orders}{money}"
        f"{facts.first:%Y-%m-%d} to {facts.last:%Y-%m-%d}.",
    )
    _say(sys.stdout, account.command(arguments.log))
    if arguments.out is not None:
        write_file(Path(arguments.out), account.settings(arguments.log))
        _say(sys.stdout, f"crmkit report --config {shlex.quote(arguments.out)} reads it alike.")


def _run(arguments: argparse.Namespace) -> None:
    """Do what a command says: look at a file, or make the report and write it."""
    with contextlib.ExitStack() as place:
        (_look if arguments.command == "look" else _make)(arguments, place)


def _make(arguments: argparse.Namespace, place: ExitStack) -> None:
    """Make the report and write it; what it is made of stays until the place is left."""
    from crmkit._files import check_file, check_folder
    from crmkit._reading import Account, Parts, read_beside
    from crmkit.report import make_report

    # What cannot be written is said before the work, not after it.
    check_file(arguments.out, "--out", new_folder=True)
    figures = _figures_file(Path(arguments.out))
    if figures is not None:
        check_file(figures, "--out", new_folder=True)
    if arguments.tables is not None:
        check_folder(arguments.tables, "--tables")
    if arguments.command == "demo":
        from crmkit._report.demo import demo_data

        source = demo_data(arguments.data, arguments.language or "en")
    else:
        account = Account()
        log = _read_any(arguments, account, place)
        source = {"transactions": log, "title": _title(arguments)}
        source["currency"] = account.currency_sign
        like = log.sample if isinstance(log, Parts) else log
        source |= {
            name: read_beside(getattr(arguments, name), needs, like=like)
            for name, needs in BESIDE.items()
            if getattr(arguments, name) is not None
        }
    source |= {
        name: getattr(arguments, name) for name in ASKED if getattr(arguments, name) is not None
    }
    made = make_report(source.pop("transactions"), progress=not arguments.quiet, **source)
    made.write(arguments.out)
    _say(sys.stdout, f"The report is in {arguments.out}")
    if figures is not None:
        made.write_figures(figures)
        _say(sys.stdout, f"Its figures are in {figures}")
    if arguments.tables is not None:
        made.write_tables(arguments.tables)
        _say(sys.stdout, f"Its tables are in {arguments.tables}")


def _title(arguments: argparse.Namespace) -> str | None:
    """Return the title of a page, by the first file that it is made of."""
    from crmkit._opening import shown_name
    from crmkit._report.language import Language

    if arguments.log == ["-"]:
        return None
    words = Language(arguments.language or "en")
    return words.say("page.title_of", file=shown_name(Path(arguments.log[0])))


def _figures_file(page: Path) -> Path | None:
    """Return where the figures of a page go: beside it; nowhere if it goes into a pipe."""
    if page.exists() and not page.is_file():
        return None
    beside = page.with_suffix(".json")
    return page.with_suffix(".figures.json") if beside == page else beside


def _say(stream: TextIO, text: str) -> None:
    """Write a line; names of files and ids may hold what the terminal cannot show."""
    encoding = stream.encoding or "utf-8"
    stream.write(text.encode(encoding, "backslashreplace").decode(encoding) + "\n")


def _told(argv: Sequence[str] | None) -> str:
    """Run a command and return the sentence that says why it could not be done, if it could not."""
    log: list[str] = []
    try:
        arguments = _options.parse(argv)
        log = getattr(arguments, "log", log)
        _run(arguments)
        sys.stdout.flush()
    except CrmkitError as error:
        return in_options(str(error))
    except BrokenPipeError:
        # Whoever reads has read enough, as `head` has; nor shall Python try to write the rest.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return ""
    except OSError as error:
        return f"{error.strerror or error}: {error.filename}"
    except MemoryError:
        pass  # what it holds is given back first
    else:
        return ""
    from crmkit._report.memory import too_large

    return too_large(next(iter(log), None))


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line and return the exit code: 0, or 2 for input that cannot be used."""
    try:
        told = _told(argv)
    except KeyboardInterrupt:
        _say(sys.stderr, "crmkit: stopped.")
        return 130
    if told:
        _say(sys.stderr, f"crmkit: {told}")
    return 2 if told else 0


if __name__ == "__main__":
    sys.exit(main())
