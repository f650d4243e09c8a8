"""A public name, parameter, default or result column never changes without being told."""

import difflib

from interface import SNAPSHOT, interface_text


def test_the_public_interface_is_what_the_snapshot_says():
    kept, found = SNAPSHOT.read_text(encoding="utf-8"), interface_text()
    changed = difflib.unified_diff(kept.splitlines(), found.splitlines(), lineterm="", n=1)
    assert kept == found, (
        "\n".join(changed) + "\n\nThe public interface changed. If that is meant, run "
        "`python tasks.py snapshot` and write the change into CHANGELOG.md."
    )
