"""Files of models, changed by someone who knows how to seal them: refused, or they predict."""

import base64
import copy
import json

import numpy as np
import pandas as pd
import pytest

from contract._tools import model_of, of_kind
from contract.cases._case import ModelCase
from crmkit import _model_files
from crmkit.errors import InputError

models = pytest.mark.parametrize("case", of_kind(ModelCase))
GONE = object()
VALUES = [None, True, 7, -1.5, 0, 1e308, "x", [], {"$float": "nan"}, {"$float": "inf"}, GONE]
FORGED = 40


def sealed(stored):
    content = {name: value for name, value in stored.items() if name != "sha256"}
    return {**content, "sha256": _model_files._checksum(content)}


def places(value, at=()):
    """Walk through the place of every value in a file."""
    if at:
        yield at
    if isinstance(value, (dict, list)):
        for name, part in value.items() if isinstance(value, dict) else enumerate(value):
            yield from places(part, (*at, name))


def changed(stored, at, value):
    result = copy.deepcopy(stored)
    inside = result
    for name in at[:-1]:
        inside = inside[name]
    if value is GONE:
        del inside[at[-1]]
    else:
        inside[at[-1]] = value
    return result


def other_arrays(part):
    """An array of the right kind with other numbers, or of another shape."""
    array = np.frombuffer(base64.b64decode(part["$array"]), dtype=part["dtype"])
    kinds = [array[:-1], np.append(array, array[:1]), array[:0], array.reshape(1, -1)]
    if array.dtype.kind == "f":
        kinds += [np.full_like(array, strange) for strange in (np.nan, -np.inf, -3.0, 1e300)]
    elif array.dtype.kind in "iu":
        kinds += [np.full_like(array, strange) for strange in (-5, 2**31 - 1)]
    for other in kinds:
        text = base64.b64encode(other.tobytes()).decode("ascii")
        yield {**part, "$array": text, "shape": list(other.shape)}


def forgeries(stored):
    """Some changes of every kind, the same in each run."""
    rng = np.random.default_rng(0)
    found = [at for at in places(stored) if at[0] in ("parameters", "fitted")]
    for number in rng.choice(len(found), size=FORGED):
        yield found[number], VALUES[rng.integers(len(VALUES))]
    arrays = [at[:-1] for at in found if at[-1] == "$array"]
    for number in rng.permutation(len(arrays))[:5]:
        part = stored
        for name in arrays[number]:
            part = part[name]
        for other in other_arrays(part):
            yield arrays[number], other


@models
def test_what_is_forged_is_refused_or_predicts(case, tmp_path):
    path = tmp_path / "m.json"
    model_of(case).save(path)
    stored, tables = json.loads(path.read_text()), case.tables_to_predict()
    columns, refused = set(case.predict(case.model.load(path), tables)), 0
    for at, value in forgeries(stored):
        path.write_text(json.dumps(sealed(changed(stored, at, value))))
        try:
            model = case.model.load(path)
            result = case.predict(model, tables)
        except InputError:  # whatever else it raised would end the test
            refused += 1
            continue
        assert type(model) is case.model
        assert isinstance(result, pd.DataFrame)
        assert len(columns & set(result)) > len(columns) / 2
    assert refused > FORGED / 3


@models
def test_numbers_beyond_their_limits_are_refused_at_once(case, tmp_path):
    path = tmp_path / "m.json"
    model_of(case).save(path)
    stored = json.loads(path.read_text())
    for number, (name, value) in enumerate(stored["parameters"]["$dict"]):
        if type(value) in (int, float) and name != "min_support":
            for strange in (-1e9, 1e30):
                forged = changed(stored, ("parameters", "$dict", number, 1), strange)
                path.write_text(json.dumps(sealed(forged)))
                with pytest.raises(InputError, match=rf"{name}.*(at (least|most)|above|kind)"):
                    case.model.load(path)


def test_a_model_that_was_fitted_again_speaks_for_itself(tmp_path):
    case = next(c for c in (p.values[0] for p in of_kind(ModelCase)) if c.model.__name__ == "BGNBD")
    path = tmp_path / "m.json"
    model_of(case).save(path)
    loaded = case.model.load(path)
    with pytest.raises(TypeError, match="missing"):
        loaded.predict()
    loaded.coefficients_ = np.array([["x"]])
    with pytest.raises(InputError, match="was loaded from a file that was changed"):
        case.predict(loaded, case.tables_to_predict())
    loaded.fit(*case.fit_tables().values(), **case.fit_kwargs)
    loaded.coefficients_ = np.array([["x"]])
    with pytest.raises((TypeError, ValueError)) as caught:
        case.predict(loaded, case.tables_to_predict())
    assert not isinstance(caught.value, InputError)
