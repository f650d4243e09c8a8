"""Which of several tables in one file is the log."""

from __future__ import annotations

from typing import TYPE_CHECKING

from crmkit._checks import listed
from crmkit._reading.words import roles_of
from crmkit.errors import InputError

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["best_table"]


def best_table(path: str | Path, names: dict[str, list[str]], said: str | None, word: str) -> str:
    """Return the table whose names say most of a log: `names` holds the columns of each.

    Where two say as much, for example a sheet per year, it asks.
    """
    if said is not None:
        if said not in names:
            raise InputError(
                f"`table` names {said!r}, which is no {word} of {str(path)!r}; it has "
                f"{listed(names)}."
            )
        return said
    known = {
        table: len({role for roles in roles_of(columns) for role in roles})
        for table, columns in names.items()
    }
    top = max(known.values(), default=0)
    best = [table for table, roles in known.items() if roles == top]
    if not best:
        raise InputError(f"The file {str(path)!r} holds no {word}.")
    if len(best) > 1:
        raise InputError(
            f"The file {str(path)!r} holds {len(best)} {word}s that may be the log: "
            f"{listed(best)}. Say which with table={best[0]!r}."
        )
    return best[0]
