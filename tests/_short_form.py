"""What of the tests is left out where nobody asks for all of it (--wide)."""

from __future__ import annotations

from collections import defaultdict


def left_out(items):
    """Return the tests that are marked ``wide``, and of each ``sweep(step)`` all but one in `step`.

    The values of each parameter are numbered as they first come. Of cases and `step` kinds, each
    one parameter, the pairs are kept whose numbers add up to a multiple of `step`: each case meets
    one kind, and each kind one case in `step`.
    """
    numbers, found = defaultdict(dict), []
    for item in items:
        sweep = item.get_closest_marker("sweep")
        if sweep is None:
            out = item.get_closest_marker("wide") is not None
        else:
            place = 0
            for name, value in item.callspec.params.items():
                known = numbers[item.function, name]
                place += known.setdefault(id(value), len(known))
            out = place % sweep.args[0] != 0
        if out:
            found.append(item)
    return found
