"""Chance that stays: a number between 0 and 1 for each id, drawn by a key."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Any

import numpy as np

from crmkit._frames.join import by_value, trimmed

if TYPE_CHECKING:
    from crmkit._typing import Floats

__all__ = ["keyed_chance"]


def keyed_chance(ids: Any, key: str) -> Floats:
    """Return a number in [0, 1) per id, (n,): the same for an id and a key, here and anywhere.

    It is that of a keyed BLAKE2 hash, so that nobody else's coming or going moves it. Ids count by
    value: 7, 7.0 and "7" have the same.
    """
    secret = hashlib.blake2b(key.encode(), digest_size=32).digest()
    index = by_value(ids)
    write = str if index.dtype.kind == "i" else trimmed
    found = b"".join(
        hashlib.blake2b(write(one).encode(), key=secret, digest_size=8).digest()
        for one in index.tolist()
    )
    # The upper 53 bits, which a float holds in full.
    return (np.frombuffer(found, dtype=">u8") >> np.uint64(11)).astype(np.float64) / 2.0**53
