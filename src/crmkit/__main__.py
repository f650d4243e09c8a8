"""The command line: ``crmkit report LOG`` and ``crmkit demo``."""

from __future__ import annotations

import argparse
import re
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any, TextIO

import crmkit
from crmkit.errors import CrmkitError

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pandas as pd

__all__ = ["main"]

# What both commands pass on to make_report under the same name.
_ASKED = (
    "as_of",
    "horizon_days",
    "annual_discount_rate",
    "margin",
    "acquisition_cost",
    "title",
    "currency",
)
_IDS = ("customer_id", "order_id", "product")
_NUMBERS = ("amount", "quantity", "cost")
_ROLES = ("customer_id", "date", "amount", "order_id", "product", "quantity", "cost")
_READING = ("date_format", "tz", "decimal", "thousands")
_POLICIES = {
    "missing_customers": ("raise", "drop"),
    "missing_dates": ("raise", "drop"),
    "missing_amounts": ("raise", "drop"),
    "refunds": ("keep", "drop"),
    "duplicates": ("keep", "drop", "raise"),
}


def _parser() -> argparse.ArgumentParser:
    """Describe the two commands."""
    parser = argparse.ArgumentParser(
        prog="crmkit", description="Customer analytics from a transaction log."
    )
    parser.add_argument("--version", action="version", version=f"crmkit {crmkit.__version__}")
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    report = commands.add_parser(
        "report",
        help="read a log and write one HTML page",
        description="Read a log (CSV, TSV or Parquet) and write one self-contained HTML page.",
    )
    report.add_argument(
        "log", metavar="LOG", help="the file: .csv, .tsv (also packed: .gz) or .parquet"
    )
    columns = report.add_argument_group("columns: what the file calls them")
    for role in _ROLES:
        columns.add_argument(_option(role), metavar="NAME", help=f"default: {role}")
    columns.add_argument(
        "--price", metavar="NAME", help="price of one unit: amount is then price x quantity"
    )
    reading = report.add_argument_group("reading")
    reading.add_argument(
        "--date-format", metavar="FORMAT", help="how dates are written: %%d/%%m/%%Y"
    )
    reading.add_argument(
        "--tz", metavar="ZONE", help="zone in which a day begins: Europe/Amsterdam"
    )
    reading.add_argument(
        "--decimal", default=".", metavar="MARK", help="decimal mark of numbers in a text file"
    )
    reading.add_argument("--thousands", metavar="MARK", help="mark between thousands, if any")
    reading.add_argument("--encoding", default="utf-8", help="encoding of a text file")
    for policy, words in _POLICIES.items():
        reading.add_argument(_option(policy), choices=words, default=words[0])
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


def _add_common(parser: argparse.ArgumentParser) -> None:
    """Add the options that both commands share."""
    parser.add_argument("--out", default="report.html", metavar="FILE", help="the page to write")
    parser.add_argument("--tables", metavar="DIR", help="also write the tables as CSV into DIR")
    parser.add_argument("--title", help="the page's title")
    parser.add_argument("--as-of", metavar="DATE", help="last day observed; default: the last date")
    parser.add_argument("--horizon-days", type=int, metavar="N", help="days to look ahead")
    parser.add_argument("--currency", help="sign before amounts")
    parser.add_argument("--annual-discount-rate", type=float, default=0.10, metavar="RATE")
    parser.add_argument("--margin", type=float, metavar="SHARE", help="profit share of an amount")
    parser.add_argument("--acquisition-cost", type=float, metavar="AMOUNT", help="per customer")
    parser.add_argument("--quiet", action="store_true", help="no progress bar")


def _option(name: str) -> str:
    """Return a parameter's name as a command-line option."""
    return "--" + name.replace("_", "-")


def _in_options(sentence: str) -> str:
    """Say a Python error in the words of the command line: ``tz='UTC'`` becomes ``--tz UTC``."""
    sentence = re.sub(r"\b([a-z_]+)='([^']*)'", lambda m: f"{_option(m[1])} {m[2]}", sentence)
    names = "|".join((*_ASKED, *_ROLES, "date_format|tz|price|decimal|thousands|encoding"))
    sentence = re.sub(rf"`({names})`", lambda m: _option(m[1]), sentence)
    return re.sub("`(raw|LOG)`", "LOG", sentence)


def _read_log(arguments: argparse.Namespace) -> pd.DataFrame:
    """Read the file that ``report`` names and pass it through the door."""
    from crmkit._report.files import read_table

    given = {role: getattr(arguments, role) for role in (*_ROLES, "price")}
    given["customer_id"] = given["customer_id"] or "customer_id"
    given["date"] = given["date"] or "date"
    names = {role: given[role] or role for role in _ROLES}
    marked = arguments.decimal != "." or arguments.thousands is not None
    numbers = [*(names[role] for role in _NUMBERS), given["price"]] if marked else []
    raw = read_table(
        arguments.log,
        needs=[name for name in given.values() if name],
        optional=names.values(),
        ids=[names[role] for role in _IDS],
        numbers=numbers,
        encoding=arguments.encoding,
        do="Say what the file calls them: --customer-id NAME, --date NAME and so on.",
    )
    policies = {policy: getattr(arguments, policy) for policy in _POLICIES}
    reading = {name: getattr(arguments, name) for name in _READING}
    return crmkit.as_transactions(raw, **given, **reading, **policies)


def _demo_data(data: str) -> dict[str, Any]:
    """Return the report's tables and words for a demonstration."""
    from crmkit import datasets

    if data == "cdnow":
        return {
            "transactions": datasets.load_cdnow(),
            "title": "CDNOW, customers who began in early 1997",
            "subtitle": "Margin and acquisition cost are assumptions of this demonstration.",
            "currency": "$",
            "margin": 0.3,
            "acquisition_cost": 5.0,
        }
    if data == "complete-journey":
        tables = datasets.load_complete_journey()
        return {
            "transactions": tables["transactions"],
            "customers": tables["customers"],
            "campaigns": tables["campaigns"],
            "redemptions": tables["redemptions"],
            "products": tables["products"],
            "title": "The Complete Journey, a grocery panel",
            "currency": "$",
        }
    tables = datasets.make_transactions(5_000, random_state=1)
    return {
        "transactions": tables["transactions"],
        "customers": tables["customers"],
        "products": tables["products"],
        "title": "A simulated shop",
        "currency": "€",
    }


def _run(arguments: argparse.Namespace) -> None:
    """Make the report and write it."""
    from crmkit._files import check_file, check_folder
    from crmkit._opening import shown_name
    from crmkit.report import make_report

    # What cannot be written is said before the work, not after it.
    check_file(arguments.out, "--out", new_folder=True)
    if arguments.tables is not None:
        check_folder(arguments.tables, "--tables")
    if arguments.command == "demo":
        source = _demo_data(arguments.data)
    else:
        title = f"Customers in {shown_name(Path(arguments.log))}"
        source = {"transactions": _read_log(arguments), "title": title}
    source |= {
        name: getattr(arguments, name) for name in _ASKED if getattr(arguments, name) is not None
    }
    made = make_report(source.pop("transactions"), progress=not arguments.quiet, **source)
    made.write(arguments.out)
    _say(sys.stdout, f"The report is in {arguments.out}")
    if arguments.tables is not None:
        made.write_tables(arguments.tables)
        _say(sys.stdout, f"Its tables are in {arguments.tables}")


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
