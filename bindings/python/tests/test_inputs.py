"""Arrays of all kinds: taken as they are, converted, or refused by name."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest
from onnx import TensorProto, helper

import zkml_chain as zk
from zkml_chain._arrays import array, named


@pytest.mark.parametrize("kind", [np.float32, np.float64])
def test_contiguous_floats_are_not_copied(kind: type, X: np.ndarray) -> None:
    given = np.ascontiguousarray(X, dtype=kind)
    ((name, taken),) = named(given)
    assert name is None and np.shares_memory(taken, given)
    ((_, taken),) = named({"applicant": given[3]})
    assert np.shares_memory(taken, given)


@pytest.mark.parametrize("kind", ["float16", "float32", "float64", ">f4", ">f8", "int8", "uint16", "int64", "bool"])
def test_every_kind_of_number_is_taken(kind: str, credit: zk.Model, X: np.ndarray) -> None:
    given = np.round(X[0]).astype(bool if kind == "bool" else np.int8).astype(kind)
    expected = credit.run(given.astype(np.float64))["probability_of_default"][0]
    np.testing.assert_array_equal(credit.prove(given).outputs["probability_of_default"], expected)


def test_strides_and_orders_do_not_matter(credit: zk.Model, X: np.ndarray) -> None:
    expected = credit.run(X)["probability_of_default"]
    for given in (np.asfortranarray(X), np.repeat(X, 2, axis=0)[::2], X[::-1][::-1], X.tolist(), pd.DataFrame(X), list(X)):
        np.testing.assert_array_equal(credit.run(given)["probability_of_default"], expected)
    for one in (X[0], X[:1], X[0].tolist(), {"applicant": X[0]}, {"applicant": X[:1]}, pd.Series(X[0]), X.T[:, 0]):
        np.testing.assert_array_equal(credit.prove(one).outputs["probability_of_default"], expected[0])
    locked = X[0].copy()
    locked.flags.writeable = False
    assert credit.prove(locked).verify()


def nan(at: int = 3) -> np.ndarray:
    values = np.zeros(24, dtype=np.float32)
    values[at] = np.nan
    return values


WRONG: list[tuple[Any, str]] = [
    (np.zeros(23), r"\[1, 24\].*\[23\]"),
    (np.zeros((2, 24)), "2 samples were given"),
    (np.zeros((0, 24)), "no calibration sample|0 samples"),
    (np.zeros((24, 1)), r"\[24, 1\]"),
    (0.5, r"\[1, 24\]"),
    (nan(), "element 3, is NaN"),
    (np.full(24, np.inf), "inf"),
    (np.full(24, 1e9), "outside the calibrated range"),
    (np.full(24, 2**53 + 2), r"2\^53"),
    (np.full(24, 2**64 - 1, dtype=np.uint64), r"2\^53"),
    (np.zeros(24, dtype=complex), "complex128"),
    (np.zeros(24, dtype=np.longdouble), "longdouble|float128"),
    (np.array(["1"] * 24), "<U1"),
    ("applicant", "<U9"),
    (b"applicant", r"\|S9"),
    (np.array([None] * 24), "object"),
    (np.zeros(24, dtype="datetime64[s]"), "datetime64"),
    ([[0.0] * 24, [0.0] * 23], "no array of numbers"),
    ({}, "empty"),
    ({"nobody": np.zeros(24)}, "no input `nobody`.*applicant"),
    ({"applicant": np.zeros(24), "more": np.zeros(1)}, "no input `more`"),
    ({1: np.zeros(24)}, "no name of an input"),
    (np.ma.masked_equal(np.zeros(24), 0), "masked"),
    (pd.DataFrame({"a": ["x"] * 24}), "elements of type"),
    (object(), "object"),
]


@pytest.mark.parametrize(("given", "words"), WRONG, ids=[words for _, words in WRONG])
def test_what_is_wrong_is_said(given: Any, words: str, credit: zk.Model) -> None:
    before = sorted(credit.dir.rglob("*"))
    with pytest.raises(zk.InputError, match=words) as refused:
        credit.prove(given)
    assert refused.value.exit_code == 3 and isinstance(refused.value, ValueError)
    assert sorted(credit.dir.rglob("*")) == before, "nothing is left"


def test_samples_that_are_refused_are_counted(credit: zk.Model, X: np.ndarray) -> None:
    some = X[:4].copy()
    some[2, 5] = 1e6
    result = credit.run(some)["probability_of_default"]
    assert np.isnan(result[2]).all() and np.isfinite(result[[0, 1, 3]]).all()
    check = credit.check(some)
    assert check.samples == 3 and list(check.refused) == [2] and "element 5" in check.refused[2]


def two_inputs() -> bytes:
    ports = [helper.make_tensor_value_info(n, TensorProto.FLOAT, [1, 3]) for n in ("a", "b", "y")]
    graph = helper.make_graph([helper.make_node("Add", ["a", "b"], ["y"])], "sum", ports[:2], ports[2:])
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9).SerializeToString()


def test_several_inputs_go_by_name() -> None:
    random = np.random.default_rng(0)
    samples = {name: random.normal(size=(20, 3)) for name in ("a", "b")}
    model = zk.compile(two_inputs(), samples=samples, name="sum", inputs={"a": "public"})
    as_rows = [{name: samples[name][at] for name in samples} for at in range(20)]
    assert zk.compile(two_inputs(), samples=as_rows, name="sum", inputs={"a": "public"}).model_hash == model.model_hash
    x = {"a": [1, 0.5, 0], "b": np.array([0.25, 0, 0], dtype=np.float32)}
    np.testing.assert_allclose(model.prove(x).outputs["y"], [[1.25, 0.5, 0]], atol=1e-3)
    assert [c.name for c in model.prove(x).commitments] == ["b"]
    for wrong, words in [
        (np.zeros(3), r"2 inputs.*\"a\", \"b\"|2 inputs"),
        ({"a": np.zeros(3)}, "no values for input `b`"),
        ({"a": np.zeros((2, 3)), "b": np.zeros((3, 3))}, "`b` has 3 samples, `a` has 2"),
        ([{"a": np.zeros(3)}, {"b": np.zeros(3)}], "sample 1"),
    ]:
        with pytest.raises(zk.InputError, match=words):
            model.prove(wrong)


def test_arrays_of_torch_are_taken_without_torch() -> None:
    class Tensor:
        def detach(self) -> Tensor:
            return self

        def cpu(self) -> Tensor:
            return self

        def numpy(self) -> np.ndarray:
            return np.ones((1, 2), dtype=np.float32)

    assert array(Tensor(), None).shape == (1, 2)
