"""What all models share: the fitted check, and saving to and loading from JSON."""

from __future__ import annotations

import base64
import dataclasses
import json
from pathlib import Path
from typing import Any, ClassVar, Self, TypeVar

import numpy as np
import pandas as pd
from sklearn.base import BaseEstimator
from sklearn.exceptions import NotFittedError

from crmkit._version import __version__
from crmkit.errors import InputError

__all__ = ["Model"]


class Model(BaseEstimator):  # type: ignore[misc, unused-ignore]
    """Base of everything that learns.

    A subclass stores its parameters in ``__init__`` and does nothing else there; ``fit`` stores
    what it learned in attributes that end in an underscore and returns the model.
    """

    # Learned, but left out of a saved model, because it names customers.
    _not_saved: ClassVar[tuple[str, ...]] = ("scores_",)

    def __init_subclass__(cls, **options: Any) -> None:
        """Register the class, so that a model can hold other models and still be JSON."""
        super().__init_subclass__(**options)
        _PARTS[cls.__name__] = cls

    def to_json_state(self) -> dict[str, Any]:
        """Return parameters and what was learned."""
        fitted = self._fitted()
        for name in self._not_saved:
            fitted.pop(name, None)
        return {"parameters": self.get_params(deep=False), "fitted": fitted}

    @classmethod
    def from_json_state(cls, state: dict[str, Any]) -> Self:
        """Rebuild a model from `to_json_state`."""
        model = cls(**state["parameters"])
        for name, value in state["fitted"].items():
            setattr(model, name, value)
        return model

    def _fitted(self) -> dict[str, Any]:
        """Return the learned attributes by name."""
        return {
            name: value
            for name, value in vars(self).items()
            if name.endswith("_") and not name.startswith("__")
        }

    def __getattr__(self, name: str) -> Any:
        """Say why a loaded model lacks what was not saved."""
        if name in type(self)._not_saved and self._fitted():
            raise AttributeError(
                f"This {type(self).__name__} was loaded from a file, and {name!r} names customers, "
                "so it is not saved. Use predict, or fit again."
            )
        raise AttributeError(f"{type(self).__name__!r} object has no attribute {name!r}")

    def _check_fitted(self) -> None:
        """Raise NotFittedError if ``fit`` has not been called."""
        if not self._fitted():
            name = type(self).__name__
            raise NotFittedError(f"This {name} is not fitted yet: call fit(customers) first.")

    def save(self, path: str | Path) -> None:
        """Write the fitted model to a JSON file.

        Parameters
        ----------
        path : str or pathlib.Path
            The file to write.

        Raises
        ------
        InputError
            If the model holds an estimator from outside that JSON cannot carry.
        """
        self._check_fitted()
        # fit may keep what it was given (an estimator object) among the parameters.
        text = json.dumps(
            {
                "format": "crmkit-model",
                "version": __version__,
                "model": type(self).__name__,
                **{name: to_json(state) for name, state in self.to_json_state().items()},
            },
            allow_nan=False,
        )
        Path(path).write_text(text, encoding="utf-8")

    @classmethod
    def load(cls, path: str | Path) -> Self:
        """Read a model from a JSON file that ``save`` wrote. Nothing in the file is executed.

        Parameters
        ----------
        path : str or pathlib.Path
            The file to read.

        Returns
        -------
        Model
            The fitted model.

        Raises
        ------
        InputError
            If the file holds no model of this class.
        """
        try:
            stored = json.loads(Path(path).read_text(encoding="utf-8"))
        except ValueError:
            stored = None
        if not isinstance(stored, dict) or stored.get("format") != "crmkit-model":
            raise InputError(f"`path` {str(path)!r} holds no crmkit model. Write one with save().")
        if stored["model"] != cls.__name__:
            raise InputError(
                f"`path` {str(path)!r} holds a {stored['model']}; load it with that class, not "
                f"with {cls.__name__}."
            )
        return cls.from_json_state(
            {name: from_json(stored[name]) for name in ("parameters", "fitted")}
        )


def to_json(value: Any) -> Any:
    """Return a value in JSON's types; what JSON has no type for becomes a tagged dict."""
    if value is None or isinstance(value, (bool, str, int)):
        return value
    if isinstance(value, float):
        return value if np.isfinite(value) else {"$float": str(value)}
    if isinstance(value, (np.bool_, np.integer, np.floating)):
        return to_json(value.item())
    if isinstance(value, (np.datetime64, pd.Timestamp)):
        return {"$date": str(pd.Timestamp(value))}
    if isinstance(value, dict):
        return {"$dict": [[to_json(key), to_json(item)] for key, item in value.items()]}
    if isinstance(value, tuple):
        return {"$tuple": [to_json(item) for item in value]}
    if isinstance(value, list):
        return [to_json(item) for item in value]
    if isinstance(value, np.ndarray):
        return _array_to_json(value)
    if isinstance(value, pd.DataFrame):
        columns = [[to_json(name), _column_to_json(value[name])] for name in value.columns]
        return {"$frame": columns, "rows": len(value)}
    if _PARTS.get(type(value).__name__) is type(value):
        return {"$part": type(value).__name__, "state": to_json(_state(value))}
    raise InputError(
        f"A {type(value).__name__} cannot be written to JSON. Save a model that uses crmkit's own "
        "learner, or keep this one with a tool of the estimator's makers, such as skops."
    )


def _array_to_json(value: np.ndarray[Any, Any]) -> dict[str, Any]:
    """Return an array: numbers as exact bytes, anything else as a list."""
    if value.dtype.kind in "biuf":
        data = base64.b64encode(np.ascontiguousarray(value).tobytes()).decode("ascii")
        return {"$array": data, "dtype": value.dtype.str, "shape": list(value.shape)}
    if value.dtype.kind == "M":
        return {"$dates": [str(item) for item in value], "dtype": value.dtype.str}
    return {"$objects": [to_json(item) for item in value.tolist()]}


def _column_to_json(column: pd.Series[Any]) -> Any:
    """Return a column of a table as an array; text and mixed columns as lists."""
    kind = column.dtype
    plain = isinstance(kind, np.dtype) and kind.kind in "biufM"
    return to_json(column.to_numpy() if plain else column.astype(object).to_numpy(dtype=object))


_PARTS: dict[str, Any] = {}
_Part = TypeVar("_Part")


def json_part(cls: type[_Part]) -> type[_Part]:
    """Register a class that JSON carries: a dataclass, by the names of its fields.

    Fields hold what `to_json` writes, other parts among them. A class that holds something else
    says how it is written by ``to_json_state`` and read by the class method ``from_json_state``.
    """
    _PARTS[cls.__name__] = cls
    return cls


def _state(part: Any) -> dict[str, Any]:
    """Return what a part is made of, by name."""
    if hasattr(part, "to_json_state"):
        state: dict[str, Any] = part.to_json_state()
        return state
    return {field.name: getattr(part, field.name) for field in dataclasses.fields(part)}


def from_json(value: Any) -> Any:
    """Return what `to_json` was given."""
    if isinstance(value, list):
        return [from_json(item) for item in value]
    if not isinstance(value, dict):
        return value
    if "$float" in value:
        return float(value["$float"])
    if "$date" in value:
        return pd.Timestamp(value["$date"])
    if "$dict" in value:
        return {from_json(key): from_json(item) for key, item in value["$dict"]}
    if "$tuple" in value:
        return tuple(from_json(item) for item in value["$tuple"])
    if "$array" in value:
        flat = np.frombuffer(base64.b64decode(value["$array"]), dtype=np.dtype(value["dtype"]))
        return flat.reshape(value["shape"]).copy()
    if "$dates" in value:
        return np.array(value["$dates"], dtype=value["dtype"])
    if "$objects" in value:
        items = [from_json(item) for item in value["$objects"]]
        array = np.empty(len(items), dtype=object)
        array[:] = items
        return array
    if "$frame" in value:
        columns = {from_json(name): _column_from_json(part) for name, part in value["$frame"]}
        return pd.DataFrame(columns, index=pd.RangeIndex(value["rows"]))
    part = _PARTS.get(value.get("$part", ""))
    if part is None:
        raise InputError(f"The file holds a part of unknown kind: {value.get('$part')!r}.")
    state = from_json(value["state"])
    return part.from_json_state(state) if hasattr(part, "from_json_state") else part(**state)


def _column_from_json(part: Any) -> Any:
    """Return a stored column; text gets this pandas' own text type."""
    column = from_json(part)
    if column.dtype == object:
        return pd.Series(column.tolist())
    return column
