"""Names for the arrays and arguments that pass through every floor."""

from __future__ import annotations

from typing import Literal, TypeAlias

import numpy as np
from numpy.typing import NDArray

__all__ = [
    "AmountPer",
    "Bools",
    "Floats",
    "Ints",
    "KeepDropOrRaise",
    "KeepOrDrop",
    "RaiseOrDrop",
    "Repeats",
    "YesOrNo",
]

Floats: TypeAlias = NDArray[np.float64]
Ints: TypeAlias = NDArray[np.int64]
Bools: TypeAlias = NDArray[np.bool_]

# What to do with rows of some kind.
RaiseOrDrop: TypeAlias = Literal["raise", "drop"]
KeepOrDrop: TypeAlias = Literal["keep", "drop"]
KeepDropOrRaise: TypeAlias = Literal["keep", "drop", "raise"]
AmountPer: TypeAlias = Literal["line", "unit", "order"]
# Rows that repeat others: "files" leaves out what an earlier file and a later one hold.
Repeats: TypeAlias = Literal["keep", "drop", "raise", "files"]
YesOrNo: TypeAlias = Literal["yes", "no"]
