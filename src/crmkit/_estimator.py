"""What all models share: the fitted check, and saving to and loading from JSON."""

from __future__ import annotations

import inspect
from functools import wraps
from numbers import Real
from typing import TYPE_CHECKING, Any, ClassVar, Self

from sklearn.base import BaseEstimator
from sklearn.exceptions import NotFittedError

from crmkit._checks import check_number, quoted
from crmkit._model_files import STRANGE, read_model, write_model
from crmkit._parameters import RULES
from crmkit._schema import check_kinds, json_part, learned_types, parameter_types
from crmkit.errors import CrmkitError, InputError

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

__all__ = ["Model", "json_part"]


def _in_words(method: Callable[..., Any]) -> Callable[..., Any]:
    """Let a method of a model that was read from a file say in words what its content leads to.

    Whatever a forger wrote that is of the right kinds, and so was read, ends in an InputError.
    """

    @wraps(method)
    def told(self: Any, *arguments: Any, **options: Any) -> Any:
        if method.__name__ == "fit":
            vars(self).pop("_loaded", None)  # from here on it holds what it learned itself
        if "_loaded" not in vars(self):
            return method(self, *arguments, **options)
        inspect.signature(method).bind(self, *arguments, **options)
        try:
            return method(self, *arguments, **options)
        except (*STRANGE, Warning) as error:
            if isinstance(error, (CrmkitError, NotFittedError)):
                raise
            raise InputError(
                f"This {type(self).__name__} was loaded from a file that was changed, or the "
                f"argument cannot be used: {quoted(error)}. Fit the model again and save it."
            ) from error

    return told


class Model(BaseEstimator):  # type: ignore[misc, unused-ignore]
    """Base of everything that learns.

    A subclass stores its parameters in ``__init__`` and does nothing else there; ``fit`` stores
    what it learned in attributes that end in an underscore and returns the model.
    """

    # Learned, but left out of a saved model, because it names customers.
    _not_saved: ClassVar[tuple[str, ...]] = ("scores_",)
    # Parameters of another rule than their name has; None where no rule for one number will do.
    _rules: ClassVar[dict[str, str | None]] = {"n_draws": "draws_kept", "min_support": None}

    def __init_subclass__(cls, **options: Any) -> None:
        """Register the class, so that a model can hold other models and still be JSON."""
        super().__init_subclass__(**options)
        json_part(cls)
        for name, method in list(vars(cls).items()):
            if inspect.isfunction(method) and not name.startswith("_"):
                setattr(cls, name, _in_words(method))

    def to_json_state(self) -> dict[str, Any]:
        """Return parameters and what was learned, and make sure that it can be read back."""
        fitted = self._fitted()
        for name in self._not_saved:
            fitted.pop(name, None)
        state = {"parameters": self.get_params(deep=False), "fitted": fitted}
        self._check_state(**state)
        return state

    @classmethod
    def _check_state(cls, parameters: dict[str, Any], fitted: dict[str, Any]) -> None:
        """Raise ValueError unless parameters and what was learned are those of this class."""
        check_kinds(parameters, parameter_types(cls), cls.__name__)
        learned = {n: k for n, k in learned_types(cls).items() if n not in cls._not_saved}
        # A model inside another may still wait to be fitted.
        check_kinds(fitted, learned if fitted else {}, cls.__name__)

    @classmethod
    def from_json_state(cls, state: dict[str, Any]) -> Self:
        """Rebuild a model from `to_json_state`."""
        cls._check_state(**state)
        model = cls(**state["parameters"])
        for name, value in state["parameters"].items():
            rule = cls._rules.get(name, name)
            if rule in RULES and isinstance(value, Real) and not isinstance(value, bool):
                check_number(value, name, rule=rule)
        for name, value in state["fitted"].items():
            setattr(model, name, value)
        if state["fitted"]:
            model._check_learned()
        model._loaded = True
        return model

    def _check_learned(self) -> None:
        """Raise ValueError unless what was read back fits together, beyond the kinds of its parts.

        A class says here what its annotations cannot.
        """

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
        """Write the fitted model to a JSON file, readable for its owner alone.

        Parameters
        ----------
        path : str or pathlib.Path
            The file to write. A file that is there is replaced only once the new one is whole.

        Raises
        ------
        InputError
            If the file cannot be written there, or the model holds an estimator from outside
            that JSON cannot carry.
        """
        self._check_fitted()
        write_model(path, self)

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
            If the file holds no model of this class, was damaged or changed, or was written by a
            later version of crmkit in a form that this one does not know.
        """
        return read_model(path, cls)
