"""A log from a file: the one function, and what it takes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from crmkit._frames import parse_day
from crmkit._reading.account import Account
from crmkit._reading.steps import days_of, read_file, without

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    import pandas as pd

    from crmkit._typing import AmountPer, KeepOrDrop, RaiseOrDrop, Repeats, YesOrNo

__all__ = ["read_transactions"]


def read_transactions(
    path: str | Path | Sequence[str | Path],
    *,
    customer_id: str | None = None,
    date: str | None = None,
    amount: str | None = None,
    order_id: str | None = None,
    product: str | None = None,
    quantity: str | None = None,
    cost: str | None = None,
    price: str | None = None,
    refunded: str | None = None,
    amount_per: AmountPer | None = None,
    where: str | Sequence[str] | None = None,
    guests: str | Sequence[str] | None = None,
    ignore_case: YesOrNo | None = None,
    since: Any = None,
    as_of: Any = None,
    date_format: str | None = None,
    tz: str | None = None,
    decimal: str | None = None,
    thousands: str | None = None,
    encoding: str | None = None,
    separator: str | None = None,
    header_line: int | None = None,
    product_separator: str | None = None,
    table: str | None = None,
    missing_customers: RaiseOrDrop = "raise",
    missing_dates: RaiseOrDrop = "raise",
    missing_amounts: RaiseOrDrop = "raise",
    refunds: KeepOrDrop = "keep",
    duplicates: Repeats | None = None,
) -> pd.DataFrame:
    r"""Read a transaction log from a file as systems export it, and say how it was read.

    What is not said is inferred from the file: its kind, encoding, separator and header, which
    column is what (by names in English, Dutch, German, French and Spanish, checked against what
    stands in them), how numbers and dates are written, which rows are totals or were never paid,
    and whether an amount is that of a line, a unit or an order. What the file does not settle is
    asked in an error that names the parameter. ``crmkit look FILE`` prints the same.

    Parameters
    ----------
    path : str, Path or sequence of them
        The file: text in any delimiter (packed or not), a workbook, Parquet, JSON, lines of JSON,
        a SQLite or a DuckDB database. Several files, a folder, or a pattern such as
        ``"orders-*.csv"`` are one log, if they have the same columns. Or the address of a
        PostgreSQL database, ``"postgres://user@host/shop"``; its password is kept in
        ``~/.pgpass`` or ``PGPASSWORD``.
    customer_id, date, amount, order_id, product, quantity, cost : str, optional
        What the file calls these columns.
    price : str, optional
        What the file calls the price of one unit. The amount is then price x quantity.
    refunded : str, optional
        What the file calls a column of money given back, which is taken off; ``"none"`` if
        there is none.
    amount_per : {"line", "unit", "order"}, optional
        What an amount is the money of. That of an order is counted once and shared among its
        lines, by price x quantity where there are both.
    where : str or sequence of str, optional
        Rows that count: ``"Currency=EUR"``, ``"Status=paid,shipped"``. Rows that are not among
        them are left out.
    guests : str or sequence of str, optional
        Customer ids that stand for all who did not say who they are; their rows are left out.
        ``"none"`` says that there are none.
    ignore_case : {"yes", "no"}, optional
        Whether customer ids that differ by capitals alone are one customer. Not said, addresses of
        e-mail are, and other ids are asked about.
    since, as_of : date-like, optional
        First and last day to read, inclusive. Rows outside are left out.
    date_format : str, optional
        How dates are written, in the codes of :func:`time.strftime`; or how they are counted:
        ``"excel"``, ``"excel-1904"``, ``"unix-s"``, ``"unix-ms"``, ``"unix-us"``, ``"unix-ns"``.
    tz : str, optional
        Time zone in which a day begins and ends, for stamps that carry an offset.
    decimal, thousands : str, optional
        The marks with which numbers are written.
    encoding, separator : str, optional
        Of a file of text: its encoding, and what stands between cells.
    header_line : int, optional
        The line that names the columns, from 1.
    product_separator : str, optional
        What stands between products that share one cell of an order; ``"none"`` where each cell
        is one product. Each gets a row and its share of the order's money.
    table : str, optional
        The sheet of a workbook, or the table of a database.
    missing_customers, missing_dates, missing_amounts, refunds : str
        As in :func:`as_transactions`.
    duplicates : {"keep", "drop", "raise", "files"}, optional
        What to do with rows that repeat an earlier one in every column that is read. The default
        keeps them, unless every row is repeated, or several files hold the same orders: then it
        asks. ``"files"`` counts what several files hold once, as the last of them has it.

    Returns
    -------
    pandas.DataFrame
        The log, as :func:`as_transactions` gives it:

        * ``customer_id`` - as it stands in the file.
        * ``date`` (datetime) - clock time without zone.
        * ``amount`` (float) - net value of the row; refunds negative. As far as the file has it.
        * ``order_id``, ``product`` - as they stand in the file, as far as it has them.
        * ``quantity``, ``cost`` (float) - as far as the file has them.

        Columns that say who customers are, where to reach them and what they allow, by names such
        as ``E-mail`` and ``Accepts Marketing``, go with it as they stand in the file.

        ``attrs["account"]["how_read"]`` is a list of what was inferred: ``what``, ``value``,
        ``evidence``, ``sure`` (``"certain"``, ``"likely"``, ``"as said"``, ``"not known"``) and
        the ``option`` that says otherwise.

    Raises
    ------
    MissingColumnsError
        If a column that is named is absent, or none is known to hold customers or dates.
    InputError
        If the file cannot be read, or leaves open what an amount or a date is.

    Examples
    --------
    >>> import tempfile
    >>> from pathlib import Path
    >>> export = "Klantnr;Besteldatum;Bedrag\n7;31-01-2025;1.240,50\n8;01-02-2025;-5,00\n"
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = Path(folder) / "export.csv"
    ...     with path.open("w", encoding="utf-8") as file:
    ...         _ = file.write(export)
    ...     log = read_transactions(path)
    >>> log
      customer_id       date  amount
    0           7 2025-01-31  1240.5
    1           8 2025-02-01    -5.0
    >>> log.attrs["account"]["how_read"][-1]["evidence"]
    "'31-01-2025' has a day above 12 first"
    """
    given = dict(locals())
    account = Account()
    log = read_file(given.pop("path"), account, **given)
    if as_of is not None:
        late = days_of(log) > parse_day(as_of, "as_of")
        log = without(log, late, "after_as_of")
    return log
