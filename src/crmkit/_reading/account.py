"""How a file was read: every inference with its evidence, and the command that says it aloud."""

from __future__ import annotations

import shlex
from typing import Any

from crmkit._reading.words import currency_signs

__all__ = ["HOW_READ", "Account"]

# Under this name the account of a log says how its file was read.
HOW_READ = "how_read"


class Account:
    """The inferences about one file, in the order in which they were made."""

    def __init__(self) -> None:
        self.lines: list[dict[str, str]] = []
        self._options: list[tuple[str, str]] = []
        self.currency = ""

    def note(
        self, what: str, value: str, evidence: str, sure: str, **option: str | int | None
    ) -> None:
        """Add an inference: what, from what evidence, how sure, and the option that says so.

        An option without a value only names what overrides the inference.
        """
        name = next(iter(option), "")
        shown = f"{name}={str(option[name])!r}" if name and option[name] is not None else name
        if name and option[name] is not None:
            self._options.append((name, str(option[name])))
        self.lines.append(
            {"what": what, "value": value, "evidence": evidence, "sure": sure, "option": shown}
        )

    @property
    def currency_sign(self) -> str:
        """Return what stands before an amount of the file's currency."""
        signs = currency_signs()
        sign = next((sign for sign, code in reversed(signs.items()) if code == self.currency), "")
        return self.currency and (f"{self.currency} " if not sign or sign.isalpha() else sign)

    def command(self, path: Any) -> str:
        """Return the command line that reads the file in the same way, with nothing inferred."""
        words = ["crmkit", "report", str(path)]
        for name, value in self._options:
            words += ["--" + name.replace("_", "-"), value]
        return shlex.join(words)
