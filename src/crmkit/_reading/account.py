"""How a file was read: every inference with its evidence, and the command that says it aloud."""

from __future__ import annotations

import json
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
        self._asked: list[tuple[str, str]] = []
        self.currency = ""

    def asked(self, given: dict[str, Any]) -> None:
        """Add what the caller says, as far as it is no default, to the command and the settings."""
        self._asked = [
            (name, str(value))
            for name, values in given.items()
            for value in (values if isinstance(values, (list, tuple)) else [values])
            if value not in (None, "raise") and (name, value) != ("refunds", "keep")
        ]

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

    def join(self, others: list[Account]) -> None:
        """Add what was inferred about several files: once where all agree, by file where not."""
        every = [line for other in others for line in other.lines]
        told = set()
        for line in every:
            if line["what"] in told or line in self.lines:
                continue
            if all(line in other.lines for other in others):
                self.lines.append(line)
                continue
            told.add(line["what"])
            values = dict.fromkeys(o["value"] for o in every if o["what"] == line["what"])
            self.note(line["what"], " or ".join(values), "it differs by file", line["sure"])
        same = [all(option in other._options for other in others) for option in others[0]._options]
        self._options += [o for o, in_all in zip(others[0]._options, same, strict=True) if in_all]

    @property
    def options(self) -> dict[str, str]:
        """Return what was inferred, by option; of conditions the first."""
        return dict(reversed(self._options))

    def gather(self, others: list[Account]) -> None:
        """Take over the options that parts of the log proved, conditions by their columns."""
        said: dict[tuple[str, str], list[str]] = {}
        for name, value in (pair for other in others for pair in other._options):
            column, _, cells = value.partition("=") if name == "where" else ("", "", "")
            known = said.setdefault((name, column), [])
            words = cells.split(",") if column else [value]
            known += [word for word in words if word not in known]
        self._options += [
            (name, f"{column}={','.join(values)}" if column else values[0])
            for (name, column), values in said.items()
        ]

    @property
    def currency_sign(self) -> str:
        """Return what stands before an amount of the file's currency."""
        signs = currency_signs()
        sign = next((sign for sign, code in reversed(signs.items()) if code == self.currency), "")
        return self.currency and (f"{self.currency} " if not sign or sign.isalpha() else sign)

    @property
    def _said(self) -> list[tuple[str, str]]:
        """Return every option that was inferred or given."""
        noted = {name for name, _ in self._options}
        return [*self._options, *(pair for pair in self._asked if pair[0] not in noted)]

    def command(self, path: Any) -> str:
        """Return the command line that reads the file in the same way, with nothing inferred."""
        words = ["crmkit", "report", *map(str, path if isinstance(path, list) else [path])]
        for name, value in self._said:
            words += ["--" + name.replace("_", "-"), value]
        return shlex.join(words)

    def settings(self, path: list[str]) -> str:
        """Return the same as a file of settings in TOML, for ``--config``."""
        options: dict[str, str | list[str]] = {"log": path}
        for name, value in self._said:
            several = name in ("where", "guests")
            options[name] = [*options.get(name, ()), value] if several else value
        lines = (f"{name.replace('_', '-')} = {_toml(value)}" for name, value in options.items())
        return "\n".join(["# How crmkit look read LOG: for crmkit report --config.", *lines, ""])


def _toml(value: str | list[str]) -> str:
    """Write a text or a list of texts as TOML does."""
    # What JSON escapes, TOML escapes alike, but for one letter.
    return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")
