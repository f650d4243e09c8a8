"""CPU seconds and peak memory of one call."""

import resource
import time
from pathlib import Path

_STATUS = Path("/proc/self/status")


def timed(function):
    """Return CPU seconds, the peak of resident memory above that before the call in MB, the result.

    Linux lets a process reset its own peak. Elsewhere the peak of the process so far hides smaller
    ones.
    """
    before = _resident()
    start = time.process_time()
    result = function()
    seconds = time.process_time() - start
    return seconds, _peak() - before, result


def _resident():
    """Forget the peak and return what is resident now, in MB."""
    if not _STATUS.exists():
        return _peak()
    Path("/proc/self/clear_refs").write_text("5")
    return _line("VmRSS")


def _peak():
    """Return the peak of resident memory in MB."""
    if not _STATUS.exists():
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    return _line("VmHWM")


def _line(name):
    """Return a figure of the process status in MB."""
    line = next(line for line in _STATUS.read_text().splitlines() if line.startswith(name))
    return int(line.split()[1]) / 1024
