"""The command line: ``crmkit look LOG``, ``crmkit report LOG`` and ``crmkit demo``."""

from __future__ import annotations

import argparse
import re
import shlex
import sys
from pathlib import Path
from typing import TYPE_CHECKING, TextIO

import crmkit
from crmkit.errors import CrmkitError

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pandas as pd

    from crmkit._reading import Account

__all__ = ["main"]

# What both commands pass on to make_report under the same name.
_ASKED = (
    "as_of",
    "horizon_days",
    "annual_discount_rate",
    "margin",
    "acquisition_cost",
    "contact_cost",
    "save_rate",
    "title",
    "currency",
    "language",
    "logo",
    "compare",
)
# Tables beside the log, and the columns that each must have.
_BESIDE = {
    "customers": ("customer_id",),
    "products": ("product",),
    "campaigns": ("customer_id", "campaign_id"),
    "redemptions": ("customer_id", "campaign_id"),
}
# What both readers of files pass on to read_transactions: columns, then how to read.
_COLUMNS = {
    **dict.fromkeys(
        ("customer_id", "date", "amount", "order_id", "product", "quantity", "cost"), ""
    ),
    "price": "of one unit: amount is then price x quantity",
    "refunded": "money given back, which is taken off; none: there is no such column",
}
_READING = {
    "date_format": ("FORMAT", "how dates are written: %%d/%%m/%%Y, excel, unix-s"),
    "tz": ("ZONE", "zone in which a day begins: Europe/Amsterdam"),
    "decimal": ("MARK", "decimal mark of numbers"),
    "thousands": ("MARK", "mark between thousands"),
    "encoding": ("NAME", "encoding of a text file"),
    "separator": ("MARK", "what stands between the cells of a text file; tab"),
    "table": ("NAME", "sheet of a workbook, or table of a database"),
    "since": ("DATE", "first day to read"),
}
_POLICIES = {
    "missing_customers": ("raise", "drop"),
    "missing_dates": ("raise", "drop"),
    "missing_amounts": ("raise", "drop"),
    "refunds": ("keep", "drop"),
}


def _parser() -> argparse.ArgumentParser:
    """Describe the two commands."""
    parser = argparse.ArgumentParser(
        prog="crmkit", description="Customer analytics from a transaction log."
    )
    parser.add_argument("--version", action="version", version=f"crmkit {crmkit.__version__}")
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    look = commands.add_parser(
        "look",
        help="say how a file would be read, and why",
        description="Say what was inferred about a file, from what evidence and how surely, and "
        "the command that makes its page.",
    )
    _add_reading(look)
    look.add_argument("--as-of", metavar="DATE", help="last day observed")
    report = commands.add_parser(
        "report",
        help="read a log and write one HTML page",
        description="Read a log as systems export it and write one self-contained HTML page.",
    )
    _add_reading(report)
    beside = report.add_argument_group("tables beside the log, each a file of any kind")
    for name, needs in _BESIDE.items():
        beside.add_argument(_option(name), metavar="FILE", help=f"with {' and '.join(needs)}")
    _add_common(report)
    demo = commands.add_parser(
        "demo",
        help="write the page for data that came with the installation",
        description="Write the page, without network, for data that came with the installation.",
    )
    demo.add_argument(
        "--data",
        choices=("cdnow", "complete-journey", "simulated"),
        default="cdnow",
        help="cdnow (default), complete-journey (needs the extra 'data') or simulated",
    )
    _add_common(demo)
    return parser


def _add_reading(parser: argparse.ArgumentParser) -> None:
    """Add the options that say how a file is to be read; what is not said is inferred."""
    parser.add_argument(
        "log", metavar="LOG", help="the file: text, workbook, Parquet, JSON or SQLite; maybe packed"
    )
    columns = parser.add_argument_group("columns: what the file calls them")
    for role, told in _COLUMNS.items():
        columns.add_argument(_option(role), metavar="NAME", help=told or None)
    columns.add_argument("--amount-per", choices=("line", "unit", "order"))
    reading = parser.add_argument_group("reading: what is not said is inferred")
    for name, (mark, told) in _READING.items():
        reading.add_argument(_option(name), metavar=mark, help=told)
    reading.add_argument("--header-line", type=int, metavar="N", help="line that names the columns")
    reading.add_argument(
        "--where",
        action="append",
        metavar="COLUMN=VALUES",
        help="rows that count: Status=paid,sent",
    )
    reading.add_argument(
        "--guests", action="append", metavar="ID", help="an id that stands for nobody; none"
    )
    for policy, words in _POLICIES.items():
        reading.add_argument(_option(policy), choices=words, default=words[0])
    reading.add_argument("--duplicates", choices=("keep", "drop", "raise"))


def _add_common(parser: argparse.ArgumentParser) -> None:
    """Add the options that both commands share."""
    parser.add_argument("--out", default="report.html", metavar="FILE", help="the page to write")
    parser.add_argument("--tables", metavar="DIR", help="also write the tables as CSV into DIR")
    parser.add_argument("--title", help="the page's title")
    parser.add_argument("--as-of", metavar="DATE", help="last day observed; default: the last date")
    parser.add_argument("--horizon-days", type=int, metavar="N", help="days to look ahead")
    parser.add_argument(
        "--lang", dest="language", choices=("en", "nl"), help="language of the page"
    )
    parser.add_argument("--logo", metavar="FILE", help="picture for the head of the page")
    parser.add_argument("--compare", metavar="JSON", help="figures of an earlier page")
    parser.add_argument("--currency", help="sign before amounts")
    parser.add_argument("--annual-discount-rate", type=float, default=0.10, metavar="RATE")
    parser.add_argument("--margin", type=float, metavar="SHARE", help="profit share of an amount")
    parser.add_argument("--acquisition-cost", type=float, metavar="AMOUNT", help="per customer")
    parser.add_argument("--contact-cost", type=float, metavar="AMOUNT", help="of one contact")
    parser.add_argument(
        "--save-rate", type=float, metavar="SHARE", help="of those who would stay away, won by it"
    )
    parser.add_argument("--quiet", action="store_true", help="no progress bar")


def _option(name: str) -> str:
    """Return a parameter's name as a command-line option."""
    return "--" + name.replace("_", "-")


def _in_options(sentence: str) -> str:
    """Say a Python error in the words of the command line: ``tz='UTC'`` becomes ``--tz UTC``."""
    sentence = re.sub(
        r"\b([a-z_]+)=('[^']*'|\"[^\"]*\")",
        lambda m: f"{_option(m[1])} {shlex.quote(m[2][1:-1])}",
        sentence,
    )
    names = "|".join((*_ASKED, *_COLUMNS, *_READING, "amount_per|header_line|where|guests"))
    sentence = re.sub(rf"`({names})`", lambda m: _option(m[1]), sentence)
    return re.sub("`(raw|LOG)`", "LOG", sentence)


def _read_log(arguments: argparse.Namespace, account: Account) -> pd.DataFrame:
    """Read the file that a command names, noting how."""
    from crmkit._reading import read_file

    names = (*_COLUMNS, *_READING, *_POLICIES)
    names += ("amount_per", "header_line", "where", "guests", "duplicates", "as_of")
    return read_file(arguments.log, account, **{name: getattr(arguments, name) for name in names})


def _look(arguments: argparse.Namespace) -> None:
    """Say how a file would be read."""
    from crmkit._reading import Account

    account = Account()
    try:
        log = _read_log(arguments, account)
    finally:
        for line in account.lines:
            option = line["option"]
            option = _in_options(option) if "=" in option else option and _option(option)
            option = option and f" [{option}]"
            _say(
                sys.stdout,
                f"{line['what']}: {line['value']} ({line['evidence']}) - {line['sure']}{option}",
            )
    orders = f"{log['order_id'].nunique():,} orders, " if "order_id" in log.columns else ""
    money = f"{log['amount'].sum():,.2f} net, " if "amount" in log.columns else "no amounts, "
    _say(
        sys.stdout,
        f"That is {len(log):,} lines, {log['customer_id'].nunique():,} customers, {orders}{money}"
        f"{log['date'].min():%Y-%m-%d} to {log['date'].max():%Y-%m-%d}.",
    )
    _say(sys.stdout, account.command(arguments.log))


def _run(arguments: argparse.Namespace) -> None:
    """Do what a command says: look at a file, or make the report and write it."""
    if arguments.command == "look":
        _look(arguments)
        return
    from crmkit._files import check_file, check_folder
    from crmkit._opening import shown_name
    from crmkit._reading import Account, read_beside
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

        source = demo_data(arguments.data)
    else:
        account = Account()
        title = f"Customers in {shown_name(Path(arguments.log))}"
        source = {"transactions": _read_log(arguments, account), "title": title}
        source["currency"] = account.currency_sign
        source |= {
            name: read_beside(getattr(arguments, name), needs, like=source["transactions"])
            for name, needs in _BESIDE.items()
            if getattr(arguments, name) is not None
        }
    source |= {
        name: getattr(arguments, name) for name in _ASKED if getattr(arguments, name) is not None
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


def _told(arguments: argparse.Namespace) -> str:
    """Run a command and return the sentence that says why it could not be done, if it could not."""
    try:
        _run(arguments)
    except CrmkitError as error:
        return _in_options(str(error))
    except OSError as error:
        return f"{error.strerror or error}: {error.filename}"
    except MemoryError:
        pass  # what it holds is given back first
    else:
        return ""
    from crmkit._report.memory import too_large

    return too_large(getattr(arguments, "log", None))


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line and return the exit code: 0, or 2 for input that cannot be used."""
    arguments = _parser().parse_args(argv)
    try:
        told = _told(arguments)
    except KeyboardInterrupt:
        _say(sys.stderr, "crmkit: stopped.")
        return 130
    if told:
        _say(sys.stderr, f"crmkit: {told}")
    return 2 if told else 0


if __name__ == "__main__":
    sys.exit(main())
