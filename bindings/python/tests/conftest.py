"""What the tests share: small models, and a cache of their own."""

from __future__ import annotations

import json
import os
import warnings
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

import zkml_chain as zk

ROOT = Path(__file__).resolve().parents[3]
CREDIT = ROOT / "models" / "credit" / "credit.onnx"


@pytest.fixture(scope="session", autouse=True)
def cache(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Setups are made once for all tests, beside the user's own."""
    folder = tmp_path_factory.mktemp("cache")
    before = {name: os.environ.get(name) for name in ("ZKML_CACHE", "ZKML_SOLC")}
    os.environ["ZKML_CACHE"] = str(folder)
    os.environ["ZKML_SOLC"] = str(ROOT / "node_modules" / "solc")
    yield folder
    for name, value in before.items():
        os.environ.pop(name) if value is None else os.environ.__setitem__(name, value)


@pytest.fixture(autouse=True)
def quiet() -> Iterator[None]:
    """The development setup is what tests use."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", zk.ZkmlWarning)
        yield


@pytest.fixture(scope="session")
def X() -> np.ndarray:
    """Applicants, of shape (100, 24) and dtype float32."""
    samples = json.loads((CREDIT.parent / "calibration.json").read_text())["samples"][:100]
    return np.array([sample["applicant"] for sample in samples], dtype=np.float32)


@pytest.fixture(scope="session")
def credit(X: np.ndarray, tmp_path_factory: pytest.TempPathFactory) -> zk.Model:
    """The credit model, compiled."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", zk.ZkmlWarning)
        return zk.compile(CREDIT, samples=X, dir=tmp_path_factory.mktemp("models") / "credit")


@pytest.fixture
def folder(credit: zk.Model, tmp_path: Path) -> Path:
    """A copy of the credit model's folder, to be damaged."""
    return zk.load(credit.dir).save(tmp_path / "credit")


def wide(path: Path, width: int = 1024) -> Path:
    """Writes a network that takes seconds to compile and to prove."""
    from onnx import TensorProto, helper, numpy_helper, save

    random = np.random.default_rng(1)
    weights = [random.normal(size=(width, width)).astype(np.float32) / width**0.5 for _ in range(2)]
    nodes = [
        helper.make_node("MatMul", ["x", "a"], ["h"]),
        helper.make_node("Relu", ["h"], ["r"]),
        helper.make_node("MatMul", ["r", "b"], ["y"]),
    ]
    ports = [helper.make_tensor_value_info(n, TensorProto.FLOAT, [1, width]) for n in "xy"]
    constants = [numpy_helper.from_array(w, n) for w, n in zip(weights, "ab", strict=True)]
    graph = helper.make_graph(nodes, "wide", ports[:1], ports[1:], constants)
    save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9), path)
    return path
