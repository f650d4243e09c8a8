"""Readable names of clusters."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from crmkit._checks import quoted
from crmkit.errors import InputError

if TYPE_CHECKING:
    from crmkit._learn import FeatureEncoder
    from crmkit._typing import Floats


__all__ = ["band_names", "cluster_names", "own_names"]


def cluster_names(means: Floats, share: Floats, encoder: FeatureEncoder) -> list[str]:
    """Name each cluster by the one or two features that set its centre most apart from all.

    Clusters that would share a name are told apart by a third feature or, at last, a number.
    """
    apart = means - share @ means
    names = [_name(centre, encoder, 2) for centre in apart]
    names = [
        name if names.count(name) == 1 else _name(centre, encoder, 3)
        for name, centre in zip(names, apart, strict=True)
    ]
    return [
        name if names.count(name) == 1 else f"{name} ({names[: place + 1].count(name)})"
        for place, name in enumerate(names)
    ]


def band_names(means: Floats, share: Floats, encoder: FeatureEncoder) -> list[str]:
    """Name bands of a gradient by their order and what marks them; one band is everybody."""
    names = [_name(centre, encoder, 2) for centre in means - share @ means]
    if len(names) == 1:
        return ["everybody"]
    return [f"band {at} of {len(names)}: {name}" for at, name in enumerate(names, start=1)]


def own_names(own: Any, found: list[str]) -> list[str]:
    """Return the user's names: of those found, by a mapping, or of all, in a list."""
    if own is None:
        return found
    if isinstance(own, str) or not isinstance(own, (dict, list, tuple)):
        raise InputError(f"`names` must be a mapping or a list of names; got {quoted(own)}.")
    if isinstance(own, dict):
        unknown = [name for name in own if name not in found]
        if unknown:
            raise InputError(f"`names` has {quoted(unknown)}; the segments are {found}.")
        names = [own.get(name, name) for name in found]
    else:
        names = list(own)
    if len(names) != len(found):
        raise InputError(f"`names` has {len(names)} names for {len(found)} segments: {found}.")
    if not all(isinstance(name, str) and name for name in names) or len(set(names)) < len(names):
        raise InputError(f"`names` must be different texts; got {quoted(names)}.")
    return names


def _name(centre: Floats, encoder: FeatureEncoder, most: int) -> str:
    """Say what marks one cluster; `centre` is its distance from the mean of all, in units of sd."""
    parts: dict[str, str] = {}
    for at in np.argsort(-np.abs(centre), kind="stable"):
        if abs(centre[at]) < 0.25 or len(parts) == most:
            break
        feature, column = encoder.feature_names[at], encoder.feature_columns[at]
        away = float(centre[at])
        others = [name for name in encoder.feature_names if name.startswith(f"{column}=")]
        if away < 0 and len(others) == 2 and feature in others:
            # Of two levels the one that the cluster has more often is named.
            others.remove(feature)
            feature, away = others[0], -away
        if column not in parts:
            parts[column] = _part(feature, column, away)
    return ", ".join(parts[column] for column in sorted(parts)) or "average"


def _part(feature: str, column: str, centre: float) -> str:
    """Say in words on which side of the mean a cluster's centre lies, and how far."""
    if feature == column:
        side = "high" if centre > 0 else "low"
        return f"very {side} {column}" if abs(centre) > 1.5 else f"{side} {column}"
    what = feature if "=" in feature else f"{column} missing"
    return what if centre > 0 else f"not {what}"
