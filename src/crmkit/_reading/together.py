"""Several files as one log: the same columns in each, and no order in two of them unasked."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from crmkit._checks import listed, quoted
from crmkit._reading.account import Account
from crmkit._reading.database import is_address
from crmkit._reading.paths import files_of, only_different
from crmkit._reading.source import Opening, Source, open_source
from crmkit._reading.words import roles_of
from crmkit.errors import InputError

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["FILE", "Files", "open_files"]

_SAMPLE = 2000
FILE = "crmkit_file"  # a column of ours: in which file a row stands, where parts are read
# A share of a file's rows from which on rows that another file has too are no chance.
_SHARE = 0.05


@dataclass
class Files:
    """The files of a log as one table, and in which file each row stands."""

    paths: list[Path]
    sources: list[Source]
    starts: list[int] = field(default_factory=list)

    @property
    def names(self) -> list[str]:
        """Return the columns that all files have, in the order of the first."""
        common = set.intersection(*(set(source.names) for source in self.sources))
        return [name for name in self.sources[0].names if name in common]

    @property
    def sample(self) -> pd.DataFrame:
        """Return some rows of each file."""
        if len(self.sources) == 1:
            return self.sources[0].sample
        each = max(_SAMPLE // len(self.sources), 50)
        return _stacked([source.sample.head(each)[self.names] for source in self.sources])

    def count(self) -> int | None:
        """Return how many rows there are, about; None where only reading them all tells."""
        counts = [source.count for source in self.sources if source.count is not None]
        return sum(count() for count in counts) if len(counts) == len(self.sources) else None

    def read(self, chosen: list[str]) -> pd.DataFrame:
        """Return the rows of all files; the index says which row of them all each is."""
        frames = [source.read(chosen) for source in self.sources]
        self.starts = list(np.cumsum([0, *map(len, frames[:-1])]))
        return frames[0] if len(frames) == 1 else _stacked(frames)

    def without_repeats(
        self, frame: pd.DataFrame, order: str | None, duplicates: str | None, account: Account
    ) -> pd.DataFrame:
        """Leave out what another file holds as well, or ask about it.

        Where orders have numbers, an order counts as the file has it that has most of its lines,
        of equals the last one, whose states are the newest. Without numbers it is rows that are
        equal, as often as both files have them.
        """
        if len(self.paths) <= 1 or duplicates not in (None, "files"):
            return frame
        if FILE in frame.columns:
            which = frame[FILE].to_numpy()
            frame = frame.drop(columns=FILE)
        else:
            which = np.searchsorted(self.starts, frame.index.to_numpy(), side="right") - 1
        if order is None:
            codes = frame.groupby(list(frame.columns), dropna=False, sort=False).ngroup()
            nth = codes.groupby([codes, which]).cumcount()
            again = pd.DataFrame({"row": codes, "nth": nth}).duplicated(keep="last").to_numpy()
            what = "rows"
        else:
            again = _again(frame, order, which)
            what = f"rows of {frame.loc[again, order].nunique():,} orders"
        if not again.any():
            return frame
        rows, here = int(again.sum()), int(which[again][0])
        told = f"{rows:,} {what} of file {quoted(self.paths[here].name)} or others stand in another"
        if duplicates == "files":
            account.note("rows", f"{rows:,} left out", f"{told} file too", "certain")
            return frame[~again]
        of_files = np.bincount(which[again], minlength=len(self.paths)) / np.maximum(
            np.bincount(which, minlength=len(self.paths)), 1
        )
        if order is None and of_files.max() < _SHARE:
            account.note(
                "rows", f"{rows:,} stand in two files", "equal in every column; equal rows can be "
                "real, so they were kept", "not known", duplicates=None,
            )  # fmt: skip
            return frame
        example = "" if order is None else f", such as {quoted(frame.loc[again, order].iloc[0])}"
        raise InputError(
            f"LOG holds {told} file too{example}: the exports overlap. Say duplicates='files' to "
            "count each once, as the last file has it, or duplicates='keep' if all were sold."
        )


def _again(frame: pd.DataFrame, order: str, which: Any) -> Any:
    """Return rows of orders that another file has as well, but for one cut by a file's end."""
    ids = frame[order]
    lines = frame.groupby([ids, which])[order].transform("size").to_numpy()
    rank = pd.Series(lines * (which.max() + 1) + which, index=frame.index)
    again = ids.notna().to_numpy() & (rank < rank.groupby(ids).transform("max")).to_numpy()
    # Exports are cut after so many lines: one order may begin in a file and end in the next.
    for end in np.flatnonzero(np.diff(which)):
        cut = ids.iloc[end]
        if cut == ids.iloc[end + 1] and not frame[ids == cut].duplicated().any():
            again &= (ids != cut).to_numpy()
    return again


def open_files(path: Any, opening: Opening, duplicates: str | None, account: Account) -> Files:
    """Open the files of a log, and prove that they have one layout; or a table of a database."""
    address = path[0] if isinstance(path, (list, tuple)) and len(path) == 1 else path
    if is_address(address):
        return Files([], [open_source(address, opening, account)])
    paths = only_different(files_of(path), duplicates, account)
    if len(paths) == 1:
        return Files(paths, [open_source(paths[0], opening, account)])
    accounts = [Account() for _ in paths]
    sources = [
        open_source(*each) for each in zip(paths, [opening] * len(paths), accounts, strict=True)
    ]
    files = Files(paths, sources)
    _refuse_other_layouts(files, opening)
    account.note(
        "files", f"{len(paths):,} as one log", f"{quoted(paths[0].name)} to "
        f"{quoted(paths[-1].name)} have the same {len(files.names):,} columns", "certain",
    )  # fmt: skip
    account.join(accounts)
    return files


def _refuse_other_layouts(files: Files, opening: Opening) -> None:
    """Raise if a column that means something is in some of the files only."""
    first, common = files.sources[0].names, set(files.names)
    for path, source in zip(files.paths, files.sources, strict=True):
        names = list(dict.fromkeys([*first, *source.names]))
        known = zip(names, roles_of(names), strict=True)
        meant = [name for name, roles in known if name and (roles or name in opening.named)]
        other = [name for name in meant if name not in common]
        here = [name for name in other if name in source.names]
        if {name for name in other if name in first} != set(here):
            raise InputError(
                f"The files of LOG have different columns: {quoted(path.name)} has "
                f"{listed(here) if here else 'none'} of {listed(other)}, and "
                f"{quoted(files.paths[0].name)} has {'the others' if here else 'them'}. Name only "
                "files of one layout, or give the columns one name."
            )


def _stacked(frames: list[pd.DataFrame]) -> pd.DataFrame:
    """Put tables under each other; a column that is text in one of them is text in all."""
    columns = {}
    for name in frames[0].columns:
        parts = [frame[name] for frame in frames]
        kinds = {pd.api.types.is_numeric_dtype(part.dtype) for part in parts if part.notna().any()}
        if len(kinds) > 1:
            parts = [part.astype(object).map(_shown, na_action="ignore") for part in parts]
        columns[name] = pd.concat(parts, ignore_index=True)
    return pd.DataFrame(columns)


def _shown(cell: Any) -> Any:
    """Write a number as a file of text has it; leave what is none."""
    return str(cell).removesuffix(".0") if isinstance(cell, (int, float)) else cell
