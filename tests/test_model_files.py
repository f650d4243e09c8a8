"""A model's file is read back whole, or refused in one sentence."""

import contextlib
import copy
import json
import os
import stat

import numpy as np
import pandas as pd
import pytest

from contract._tools import all_cases, assert_same, model_of
from contract.cases._case import ModelCase
from crmkit import _model_files
from crmkit._estimator import Model, json_part
from crmkit._json_values import from_json, to_json
from crmkit._version import __version__
from crmkit.errors import InputError

CHOSEN = ("BGNBD", "ByGroup", "NextItem", "ChurnModel", "UpliftModel", "BehaviourSegments")
models = pytest.mark.parametrize("name", CHOSEN)
one = "BGNBD"


@pytest.fixture(scope="module")
def cases():
    """By name of the class: its case, a fitted model, and the text of its file."""
    return {}


@pytest.fixture
def saved(name, cases, tmp_path):
    if name not in cases:
        found = (c for c in all_cases() if isinstance(c, ModelCase) and c.model.__name__ == name)
        case = next(found)
        path = tmp_path / "first.json"
        fitted = model_of(case)
        fitted.save(path)
        cases[name] = case, fitted, path.read_text(encoding="utf-8")
    return cases[name]


def sealed(stored):
    """Return content with the sum that belongs to it, as someone who means harm would write it."""
    content = {name: value for name, value in stored.items() if name != "sha256"}
    return {**content, "sha256": _model_files._checksum(content)}


def refused(case, path, content, match=None):
    """The file is refused by an InputError that is one short sentence or two."""
    if not isinstance(content, bytes):
        content = content if isinstance(content, str) else json.dumps(content)
        content = content.encode("utf-8")
    path.write_bytes(content)
    with pytest.raises(InputError, match=match) as caught:
        case.model.load(path)
    assert "`path`" in str(caught.value)
    assert len(str(caught.value)) < 600


OTHERS = [None, True, 7, -1.5, "x", [], [1], {}, {"a": 1}, {"$float": "inf"}, {"$dict": [["a", 1]]}]


def nodes(value, at=()):
    """Walk through the place of every value in a file."""
    if at:
        yield at
    inner = value.items() if isinstance(value, dict) else enumerate(value)
    for name, part in inner:
        yield from (nodes(part, (*at, name)) if isinstance(part, (dict, list)) else [(*at, name)])


def changed(stored, at, value):
    """Return the content with another value at one place; Ellipsis takes the place away."""
    result = copy.deepcopy(stored)
    inside = result
    for name in at[:-1]:
        inside = inside[name]
    if value is ...:
        del inside[at[-1]]
    else:
        inside[at[-1]] = value
    return result


@models
def test_whatever_is_changed_is_noticed(saved, tmp_path):
    case, _, text = saved
    stored, rng = json.loads(text), np.random.default_rng(0)
    places = list(nodes(stored))
    for number in rng.choice(len(places), size=min(60, len(places)), replace=False):
        at = places[number]
        for value in (..., OTHERS[number % len(OTHERS)]):
            other = changed(stored, at, value)
            if other != stored:
                refused(case, tmp_path / "m.json", other)


@models
def test_what_is_forged_is_refused_or_is_a_model(saved, tmp_path):
    case, _, text = saved
    stored, rng, path = json.loads(text), np.random.default_rng(1), tmp_path / "m.json"
    places = [at for at in nodes(stored) if at[0] in ("parameters", "fitted")]
    for number in rng.choice(len(places), size=min(120, len(places)), replace=False):
        for value in (..., OTHERS[number % len(OTHERS)]):
            path.write_text(json.dumps(sealed(changed(stored, places[number], value))))
            # Whatever else it raised would end the test.
            with contextlib.suppress(InputError):
                assert type(case.model.load(path)) is case.model


@models
def test_names_and_kinds_are_those_of_the_class(saved, tmp_path):
    case, fitted, text = saved
    stored, path = json.loads(text), tmp_path / "m.json"
    for part in ("parameters", "fitted"):
        pairs = stored[part]["$dict"]
        for number, (own, _) in enumerate(pairs):
            at = (part, "$dict", number)
            refused(case, path, sealed(changed(stored, at, ...)), match=f"lacks '{own}'")
            for strange in (
                "predict",
                "_check_fitted",
                "__class__",
                "__dict__",
                "scores_",
                "x_",
                7,
            ):
                refused(case, path, sealed(changed(stored, at, [strange, 1])))
            refused(case, path, sealed(changed(stored, at, pairs[number - 1])))
        refused(case, path, sealed(changed(stored, (part, "$dict"), [*pairs, ["predict", 1]])))
        refused(case, path, sealed(changed(stored, (part, "$dict"), [*pairs, pairs[0]])))
        for value in OTHERS:
            refused(case, path, sealed(changed(stored, (part,), value)))
    for number, (own, _) in enumerate(stored["fitted"]["$dict"]):
        for value in ([{"$missing": "NaT"}], {"$missing": "NA"}, {"$dict": []}):
            forged = changed(stored, ("fitted", "$dict", number, 1), value)
            if getattr(fitted, own).__class__ not in (dict, list):
                refused(case, path, sealed(forged), match=f"'{own}' of its .* wrong kind")


@models
def test_each_parameter_is_of_its_kind(saved, tmp_path):
    case, _, text = saved
    stored, path = json.loads(text), tmp_path / "m.json"
    anything = {"estimator", "effect_estimator", "model", "prior"}
    for number, (own, _) in enumerate(stored["parameters"]["$dict"]):
        for value in ([7], {"$tuple": [1.5]}, {"$missing": "NA"}, {"$dict": [["a", 1]]}):
            if own not in anything and not (own == "propensity" and "$dict" in value):
                forged = changed(stored, ("parameters", "$dict", number, 1), value)
                refused(case, path, sealed(forged), match=f"'{own}' of its .* wrong kind")


@models
def test_headers_that_are_wrong(saved, tmp_path):
    case, _, text = saved
    stored, path = json.loads(text), tmp_path / "m.json"
    for head in ("format", "format_version", "model", "sha256", "crmkit_version"):
        for value in (..., *OTHERS, "BGNBD2", 0, -1, 1.0, "1"):
            if not (head == "crmkit_version" and isinstance(value, str)):
                forged = changed(stored, (head,), value)
                refused(case, path, forged if head == "sha256" else sealed(forged))
    refused(case, path, sealed({**stored, "more": 1}), match="is damaged")
    newer = sealed({**stored, "format_version": 2, "crmkit_version": "9.1"})
    told = rf"written by crmkit '9.1' in form 2; crmkit {__version__} .* up to 1. Update crmkit"
    refused(case, path, newer, match=told)
    refused(case, path, sealed({**stored, "model": "GammaGamma"}), match="holds a 'GammaGamma'")


def arrays(stored):
    return [at for at in nodes(stored) if at[-1] == "$array"]


@pytest.mark.parametrize("name", ["BGNBD", "UpliftModel", "BehaviourSegments"])
@pytest.mark.parametrize(
    ("head", "value"),
    [
        ("shape", [10**12]),
        ("shape", [50_000_000_000]),
        ("shape", [-1]),
        ("shape", [2**63, 0]),
        ("shape", [1.0]),
        ("shape", [True]),
        ("shape", "4"),
        ("shape", {"a": 4}),
        ("shape", [[4]]),
        ("shape", [1] * 70),
        ("dtype", "O"),
        ("dtype", "|O"),
        ("dtype", "|V400000000000"),
        ("dtype", "<U100000000000"),
        ("dtype", "|S9"),
        ("dtype", "<f16"),
        ("dtype", "<c16"),
        ("dtype", ">f8"),
        ("dtype", "<m8[ns]"),
        ("dtype", "<M8[as]"),
        ("dtype", "f8,f8"),
        ("dtype", [["a", "<f8"]]),
        ("dtype", "__import__('os')"),
        ("dtype", None),
        ("$array", "AAAAAAAAAAAAAAAAAAAAAAAAAA=="),  # 19 bytes
        ("$array", "é"),
        ("$array", "A"),
        ("$array", "AAAAAAAA\nAAA="),
        ("$array", ""),
        ("$array", None),
        ("$array", [1.0, 2.0]),
        ("more", 1),
    ],
)
def test_arrays_that_are_wrong(saved, tmp_path, head, value):
    case, _, text = saved
    stored = json.loads(text)
    at = next(at for at in arrays(stored) if changed(stored, at, "") != stored)  # one with values
    if value == "":
        assert changed(stored, at, "") != stored
    refused(case, tmp_path / "m.json", sealed(changed(stored, (*at[:-1], head), value)))


@pytest.mark.parametrize("name", [one])
@pytest.mark.parametrize(
    "value",
    [
        {"$float": "1.5"},
        {"$float": "Infinity"},
        {"$float": None},
        {"$missing": "nan"},
        {"$date": "now"},
        {"$date": "today"},
        {"$date": 7},
        {"$date": "2024-13-01 00:00:00"},
        {"$dict": 7},
        {"$dict": {"a": 1}},
        {"$dict": [["a"]]},
        {"$dict": [["a", 1], ["a", 2]]},
        {"$dict": [[[1], 2]]},
        {"$tuple": "abc"},
        {"$tuple": {"a": 1}},
        {"$objects": "abc"},
        {"$frame": [], "rows": 10**12},
        {"$frame": [["a", 1]], "rows": 1},
        {"$frame": [["a", {"$objects": [1]}]], "rows": 2},
        {"$frame": [["a", {"$objects": [1]}]], "rows": 1.0},
        {"$frame": [["a", {"$objects": [1]}], ["a", {"$objects": [1]}]], "rows": 1},
        {"$frame": [["a", {"$array": "", "dtype": "<f8", "shape": [0, 2]}]], "rows": 0},
        {"$part": "Popen", "state": {"$dict": [["args", "true"]]}},
        {"$part": "LinearMean", "state": {"$dict": []}},
        {"$part": "LinearMean", "state": 7},
        {"$part": "BGNBD", "state": {"$dict": []}},
        {"$part": ["BGNBD"], "state": {"$dict": []}},
        {"$part": "BGNBD"},
        {"$frame": 7, "rows": 7},
        {"$array": "", "dtype": "<f8"},
        {"$other": 1},
    ],
)
def test_values_that_are_wrong(saved, tmp_path, value):
    case, _, text = saved
    forged = changed(json.loads(text), ("fitted", "$dict", 0, 1), value)
    refused(case, tmp_path / "m.json", sealed(forged), match="is damaged or was changed")


@pytest.mark.parametrize("name", [one, "NextItem"])
def test_files_that_are_no_model(saved, tmp_path):
    case, _, text = saved
    path = tmp_path / "m.json"
    raw = text.encode("utf-8")
    step = max(1, len(raw) // 12)
    for content in [raw[:end] for end in range(0, len(raw) - 1, step)]:
        refused(case, path, content, match="no crmkit model")
    deep = "[" * 10_000 + "]" * 10_000
    nested = '{"a":' * 300 + "1" + "}" * 300
    for content in (
        b"\0\1\2",
        b"\xff\xfe{}",
        b"\xef\xbb\xbf" + raw,
        "é".encode("latin-1") + raw,
        "null",
        "[]",
        '"crmkit-model"',
        "7",
        deep,
        nested,
        text.replace('"fitted": {', '"fitted": {"deep": ' + deep + ", ", 1),
        text.replace('"fitted": {', '"fitted": {"deep": ' + nested + ", ", 1),
        text.replace('"model"', '"model": "BGNBD", "model"', 1),
        text.replace('"parameters": {', '"parameters": {"a": NaN, ', 1),
        text.replace('"parameters": {', '"parameters": {"a": -Infinity, ', 1),
        text.replace('"parameters": {', '"parameters": {"a": 1e999, ', 1),
        text.replace('"parameters": {', '"parameters": {"a": ' + "9" * 5000 + ", ", 1),
        text + "{}",
        text + text,
        text.replace('"crmkit-model"', '"crmkit_model"'),
    ):
        assert content != text
        refused(case, path, content, match="no crmkit model")


@pytest.mark.parametrize("name", [one])
def test_places_that_hold_no_file(saved, tmp_path):
    case, fitted, _ = saved
    with pytest.raises(InputError, match="is no file"):
        case.model.load(tmp_path / "absent.json")
    with pytest.raises(InputError, match="is a folder"):
        case.model.load(tmp_path)
    for strange in (None, 7, b"m.json", "", "a\0b", ["m.json"]):
        with pytest.raises(InputError, match=r"must be the path|can be used"):
            case.model.load(strange)
        with pytest.raises(InputError, match=r"must be the path|can be used"):
            fitted.save(strange)
    with pytest.raises(InputError, match="is a folder"):
        fitted.save(tmp_path)
    with pytest.raises(InputError, match="does not exist"):
        fitted.save(tmp_path / "absent" / "m.json")
    with pytest.raises(InputError) as caught:
        case.model.load("x" * 5000)
    assert len(str(caught.value)) < 200
    if hasattr(os, "mkfifo"):
        os.mkfifo(tmp_path / "pipe")
        with pytest.raises(InputError, match="is no file"):
            case.model.load(tmp_path / "pipe")


@pytest.mark.parametrize("name", [one])
def test_a_file_that_would_fill_the_memory(saved, tmp_path, monkeypatch):
    case, _, text = saved
    path = tmp_path / "m.json"
    for limit, most in (("_LARGEST", 100), ("_MOST_NODES", 20)):
        with monkeypatch.context() as patch:
            patch.setattr(_model_files, limit, most)
            refused(case, path, text, match="larger than any crmkit model")


@models
def test_what_is_read_back_predicts_the_same(saved, tmp_path):
    case, fitted, text = saved
    path = tmp_path / "m.json"
    # Another layout of the same content is the same model.
    path.write_text(json.dumps(json.loads(text), indent=1, sort_keys=True))
    loaded = case.model.load(path)
    expected = case.predict(fitted, case.tables_to_predict())
    result = case.predict(loaded, case.tables_to_predict())
    assert_same(result, expected, rtol=1e-12, ignore=("in_sample",))
    loaded.save(path)
    assert json.loads(path.read_text()) == json.loads(text)
    if hasattr(fitted, "scores_"):
        with pytest.raises(AttributeError, match="names customers"):
            _ = loaded.scores_
    with pytest.raises(AttributeError, match="no attribute 'absent_'"):
        _ = loaded.absent_


def test_what_a_class_does_not_declare_is_not_saved(tmp_path):
    class Guess(Model):
        guess_: float

        def fit(self):
            self.guess_, self._kept_ = 1.5, 1
            return self

    path = tmp_path / "m.json"
    with pytest.raises(InputError, match=r"Guess cannot be saved: its Guess has .*'_kept_'"):
        Guess().fit().save(path)
    Guess.__annotations__["_kept_"] = "int"
    Guess().fit().save(path)
    assert Guess.load(path)._kept_ == 1
    strange = Guess().fit()
    strange.guess_ = "words"
    with pytest.raises(InputError, match="wrong kind"):
        strange.save(path)


def test_values_come_back_as_they_were():
    values = [
        None, True, 7, 1.5, float("inf"), "text", "\ud800", pd.NaT, pd.NA, (1, (2,)), [1, [2]],
        {"a": {1: (2,)}}, {(1, 2): 3}, pd.Timestamp("2024-02-03 04:05:06.123456789"),
        pd.Timestamp("2024-02-03", tz="Europe/Amsterdam"),
    ]  # fmt: skip
    for value in values:
        again = from_json(json.loads(json.dumps(to_json(value))))
        assert again is value or again == value
        assert type(again) is type(value)
    for array in (
        np.array([[1.5, np.nan], [np.inf, -0.0]]),
        np.array([], dtype=np.int64),
        np.array([True, False]),
        np.array(["2024-02-03", "NaT"], dtype="M8[ns]"),
        np.array([1, 2], dtype=">i4"),
        np.array(3.5),
        np.array(["a", None, 1.5], dtype=object),
    ):
        again = from_json(json.loads(json.dumps(to_json(array))))
        assert again.shape == array.shape
        np.testing.assert_array_equal(again, array)
    for strange in (np.array([1], dtype="m8[ns]"), np.array([1j]), np.array([[None]]), {1, 2}):
        with pytest.raises(InputError, match="cannot be written"):
            to_json(strange)


def test_only_dataclasses_with_all_their_fields_are_parts(tmp_path):
    from dataclasses import dataclass

    @json_part
    @dataclass(frozen=True)
    class Knot:
        at: float
        names: tuple[str, ...] = ()
        next: "Knot | None" = None

    globals()["Knot"] = Knot
    knot = Knot(1.0, ("a",), Knot(2.0))
    stored = to_json(knot)
    assert from_json(stored) == knot
    for wrong in ([], {"at": "1"}, {"at": 1.0, "names": ["a"]}, {"at": 1.0, "names": (1,)}):
        state = {"at": 1.0, "names": (), "next": None, **dict(wrong)} if wrong else {"at": 1.0}
        with pytest.raises(ValueError, match="Knot"):
            from_json({"$part": "Knot", "state": to_json(state)})


@pytest.mark.skipif(os.name == "nt", reason="permissions of POSIX")
@pytest.mark.parametrize("name", [one])
def test_only_the_owner_reads_a_model_and_the_old_one_stays(saved, tmp_path, monkeypatch):
    case, fitted, text = saved
    path = tmp_path / "m.json"
    path.write_text(text)
    path.chmod(0o644)

    def fail(*_):
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", fail)
        with pytest.raises(KeyboardInterrupt):
            fitted.save(path)
    assert path.read_text() == text
    assert {file.name for file in tmp_path.iterdir()} <= {"m.json", "first.json"}
    fitted.save(path)
    assert stat.S_IMODE(path.stat().st_mode) == 0o640
    path.unlink()
    fitted.save(path)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert case.model.load(path)
