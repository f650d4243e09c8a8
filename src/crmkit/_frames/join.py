"""Where two tables meet: the row of each id in another table, and nothing missed in silence."""

from __future__ import annotations

import re
import unicodedata
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from crmkit._checks import Problems
from crmkit._frames.engines import to_pandas
from crmkit._frames.people import check_ids
from crmkit.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Callable

    from crmkit._typing import Ints

__all__ = ["by_value", "read_ids", "rows_of", "trimmed", "without"]

# Doubles hold every whole number below this one, and not every one above.
_EXACT = 2.0**53
# Zeros that pad a number, and those that a float leaves behind one.
_PADDING = re.compile(r"(?<![\d.])0+(?=\d)|\.0+$", re.MULTILINE)
_BLANK_ENDS = re.compile(r"^\s|\s$", re.MULTILINE)
_SHOWN = 3


def rows_of(
    ids: Any,
    among: Any,
    *,
    name: str,
    other: str,
    account: dict[str, Any] | None = None,
    key: str | None = None,
    what: str = "customer_id",
    do: str = "",
    allow_none: bool = False,
) -> Ints:
    """Return the row in `among`, whose values are distinct, of each of `ids`; shape (n,).

    `name` is the argument that holds `ids`, `other` the one that holds `among`. Ids are equal by
    value: 7, 7.0 and a category 7 meet. Ids that would meet if they were written alike (as text
    and as numbers, with blanks, in another case, padded with zeros) are refused, and so are ids
    of which none meets, unless `allow_none`. Others that meet nobody get -1 and are counted in
    `account`, under `key` (default: ``<name>_unmatched``); without an account they are refused as
    well, and `do` says what to do.
    """
    plural = "customers" if what == "customer_id" else f"values of {what}"
    do = do or f"Pass tables of the same {plural}."
    left, right = by_value(ids), by_value(among)
    if left.dtype != right.dtype:
        _refuse_rounded(left, name, what)
        _refuse_rounded(right, other, what)
        left, right = left.astype(object), right.astype(object)
    try:
        if not right.is_unique:
            twice = right[right.duplicated()]
            raise InputError(
                f"`{other}` has several rows for one {what} in {len(twice):,} of {len(right):,} "
                f"rows (first: {_shown(twice)}). Keep one."
            )
        rows = right.get_indexer(left).astype(np.int64, copy=False)
    except TypeError:
        raise InputError(
            f"`{name}` or `{other}` holds lists or the like as {what}. Give each one value."
        ) from None
    lost = np.flatnonzero(rows < 0)
    unmet = left[lost].unique()
    if lost.size:
        _refuse_twins(unmet, right, name=name, other=other, what=what)
        if lost.size == len(rows) and not allow_none:
            raise InputError(
                f"no {what} of `{name}` occurs in `{other}`: {_shown(left)} against "
                f"{_shown(right)}. {do}"
            )
        if account is None:
            raise InputError(
                f"`{other}` lacks {lost.size:,} of the {len(rows):,} {plural} of `{name}` "
                f"(first: {_shown(unmet)}). {do}"
            )
    if account is not None:
        account[key or f"{name}_unmatched"] = len(unmet)
    return rows


def without(rows: Ints, n: int) -> int:
    """Return how many of `n` rows no id met, from what `rows_of` returned."""
    met = np.zeros(n + 1, dtype=bool)
    met[rows] = True  # the last is where those who met nobody lead
    return n - int(met[:-1].sum())


def read_ids(values: Any, name: str) -> pd.Series[Any]:
    """Return a list of ids, or those of a table with ``customer_id``, none missing."""
    plain = isinstance(values, (list, tuple, set, frozenset, range, pd.Index))
    if plain or (isinstance(values, np.ndarray) and values.ndim == 1):
        values = list(values)
        ids = pd.Series(values, dtype=object if not values else None)
    elif isinstance(values, pd.Series):
        ids = values.reset_index(drop=True)
    else:
        ids = _engine_series(values, name)
    problems = Problems(name)
    check_ids(ids, problems, unique=False)
    problems.raise_if_any()
    return ids


def _engine_series(values: Any, name: str) -> pd.Series[Any]:
    """Return a column of another engine, or a table's ids, as pandas."""
    import narwhals as nw

    series = nw.from_native(values, allow_series=True, pass_through=True)
    if isinstance(series, nw.Series):
        return series.to_pandas()
    if isinstance(series, (nw.DataFrame, nw.LazyFrame)):
        return to_pandas(values, name, needs=["customer_id"], optional=())["customer_id"]
    raise InputError(
        f"`{name}` must be a table with customer_id or a list of ids; got {values!r:.80}."
    )


def by_value(ids: Any) -> pd.Index[Any]:
    """Return ids as an index in which equal values are equal, whatever type their column has."""
    try:
        index = pd.Index(ids, tupleize_cols=False)
    except OverflowError:  # pandas 2 makes no float of a whole number beyond all floats
        index = pd.Index(ids, dtype=object, tupleize_cols=False)
    if isinstance(index, pd.CategoricalIndex):
        if (index.codes < 0).any():
            return pd.Index(index.astype(object))
        return by_value(index.categories).take(index.codes)
    if isinstance(index.dtype, pd.ArrowDtype) and str(index.dtype).startswith("dictionary"):
        index = pd.Index(index.astype(object))
    dtype = index.dtype
    if not pd.api.types.is_numeric_dtype(dtype) or pd.api.types.is_bool_dtype(dtype):
        return index
    if not isinstance(dtype, np.dtype):
        if index.hasnans:
            return pd.Index(index.astype(object))
        index = pd.Index(index.to_numpy(dtype=dtype.numpy_dtype))
    values = index.to_numpy()
    kind = values.dtype.kind
    if kind == "f" and (np.abs(values) < _EXACT).all() and (values % 1 == 0).all():
        return pd.Index(values.astype(np.int64))
    if kind == "i" or (kind == "u" and (values <= np.iinfo(np.int64).max).all()):
        return pd.Index(values.astype(np.int64, copy=False))
    return index


def _refuse_rounded(index: pd.Index[Any], name: str, what: str) -> None:
    """Refuse whole numbers of which a column of floats has kept the leading digits only."""
    if isinstance(index.dtype, np.dtype) and index.dtype.kind == "f":
        large = index[np.abs(index.to_numpy()) >= _EXACT]
        if len(large):
            raise InputError(
                f"`{name}` holds {len(large):,} values of {what} as floats, which round whole "
                f"numbers of this size (first: {_shown(large)}). Read them as integers or text."
            )


def _refuse_twins(
    unmet: pd.Index[Any], right: pd.Index[Any], *, name: str, other: str, what: str
) -> None:
    """Refuse ids that meet nobody but would, were both tables written in one way."""
    if _written_alike(unmet, right):
        return
    for write in (_folded, trimmed):
        present: dict[str, Any] = {}
        for value in right.tolist():
            present.setdefault(write(value), value)
        # Where a change of writing would make one customer of two, it tells customers apart.
        if len(present) == len(right):
            break
    pairs = [
        (value, present[text]) for value in unmet.tolist() if (text := write(value)) in present
    ]
    if pairs:
        one, two = pairs[0]
        raise InputError(
            f"`{name}` and `{other}` do not write {what} alike: {len(pairs):,} of `{name}` meet "
            f"nobody, but would otherwise (first: {_with_kind(one)} in `{name}`, "
            f"{_with_kind(two)} in `{other}`). {_remedy(one, two)}"
        )


def _written_alike(left: pd.Index[Any], right: pd.Index[Any]) -> bool:
    """Tell, in a few passes, whether all values are of one kind that has one way to write it."""
    if left.dtype == right.dtype and right.dtype.kind in "iufM":
        return True
    texts = left.tolist() + right.tolist()
    try:
        whole = "\n".join(texts)
    except TypeError:
        return False
    padded = len(set(map(len, texts))) > 1 and _PADDING.search(whole)
    one_case = whole in (whole.upper(), whole.lower())
    return whole.isascii() and one_case and not padded and not _BLANK_ENDS.search(whole)


def trimmed(value: Any) -> str:
    """Write a value as text of no kind, without blanks around it and signs nobody sees."""
    if isinstance(value, bytes):
        value = value.decode("utf-8", "replace")
    elif isinstance(value, (float, np.floating, Decimal)) and value == value // 1:
        value = int(value)
    text = str(value)
    if not text.isascii():
        text = unicodedata.normalize("NFKC", text)
        text = "".join(letter for letter in text if unicodedata.category(letter) != "Cf")
    return text.strip()


def _folded(value: Any) -> str:
    """Write a value trimmed, in one letter case and without the zeros that pad numbers."""
    text = trimmed(value).casefold()
    if len(text) >= 32:
        text = text.strip("{}").replace("-", "")  # the two ways to write a UUID
    return _PADDING.sub("", text) if "0" in text else text


def _shown(values: pd.Index[Any]) -> str:
    """Write the first of some values for an error message."""
    return "[" + ", ".join(f"{value!r:.80}" for value in values[:_SHOWN].tolist()) + "]"


def _with_kind(value: Any) -> str:
    """Write a value and what it is."""
    kinds: dict[str, tuple[type, ...]] = {
        "text": (str,),
        "a number": (int, float, np.number, Decimal),
    }
    names = [word for word, types in kinds.items() if isinstance(value, types)]
    return f"{value!r:.80}, {names[0] if names else type(value).__name__}"


def _remedy(one: Any, two: Any) -> str:
    """Say how to write two values alike."""
    if type(one) is not type(two):
        if bytes in (type(one), type(two)):
            return "Turn bytes into text with .str.decode('utf-8') first."
        return "Convert one of the two columns, for example with astype(str) or pandas.to_numeric."
    changes: list[tuple[str, Callable[[str], str]]] = [
        ("Remove blanks with .str.strip() first.", str.strip),
        ("Write both in one letter case, for example with .str.upper().", str.casefold),
    ]
    for remedy, change in changes:
        if change(str(one)) == change(str(two)):
            return remedy
    return "Write both in one way, for example with .str.strip().str.upper().str.lstrip('0')."
