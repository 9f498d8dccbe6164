"""Models of other libraries: their own predictions beside what is proven."""

from __future__ import annotations

import sys
import types
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from conftest import wide
from sklearn.datasets import load_breast_cancer, load_diabetes
from sklearn.ensemble import RandomForestClassifier
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

import zkml_chain as zk

TUMOURS, BENIGN = load_breast_cancer(return_X_y=True)
TUMOURS = TUMOURS[:, :8].astype(np.float32)


def boosted() -> Any:
    from xgboost import XGBClassifier

    return XGBClassifier(n_estimators=8, max_depth=3, base_score=0.5).fit(TUMOURS, BENIGN)


def light() -> Any:
    from lightgbm import LGBMClassifier

    return LGBMClassifier(n_estimators=8, max_depth=3, verbose=-1).fit(TUMOURS, BENIGN)


MODELS = {
    "pipeline": lambda: make_pipeline(StandardScaler(), LogisticRegression()).fit(TUMOURS, BENIGN),
    "forest": lambda: RandomForestClassifier(n_estimators=5, max_depth=3, random_state=0).fit(TUMOURS, BENIGN),
    "xgboost": boosted,
    "lightgbm": light,
}


@pytest.mark.parametrize("name", MODELS)
def test_classifiers(name: str) -> None:
    fitted = MODELS[name]()
    model = zk.compile(fitted, samples=TUMOURS[:80], name=name)
    assert model.name == name and [port.name for port in model.inputs] == ["x"]
    proof = model.prove(TUMOURS[100])
    probabilities = proof.outputs["probabilities"].reshape(-1)
    np.testing.assert_allclose(probabilities, fitted.predict_proba(TUMOURS[100:101])[0], atol=5e-3)
    assert proof.verify()
    check = model.check(TUMOURS[:60])
    by_name = {output.name: output for output in check.outputs}
    assert check.samples == 60 and by_name["probabilities"].max_abs_error < 5e-3
    assert by_name["probabilities"].label_agreement == 1.0
    assert "60 compared" in check._repr_html_()


def test_a_regressor() -> None:
    X, y = load_diabetes(return_X_y=True)
    fitted = Ridge().fit(X, y)
    model = zk.compile(fitted, samples=X[:50])
    assert model.name == "ridge"
    (value,) = model.prove(X[7]).outputs.values()
    assert abs(value.item() - fitted.predict(X[7:8]).item()) < 0.5


def test_data_frames_of_named_columns() -> None:
    import pandas as pd
    from xgboost import XGBClassifier

    frame = pd.DataFrame(TUMOURS, columns=[f"column {n}" for n in range(8)])
    fitted = XGBClassifier(n_estimators=4, max_depth=2, base_score=0.5).fit(frame, BENIGN)
    model = zk.compile(fitted, samples=frame.iloc[:50])
    assert model.prove(frame.iloc[3]).verify()
    assert list(fitted.get_booster().feature_names) == list(frame.columns), "the model stays as it was"


def test_what_is_not_fitted_or_not_known_is_refused() -> None:
    with pytest.raises(zk.InputError, match="LogisticRegression cannot be converted") as refused:
        zk.compile(LogisticRegression(), samples=TUMOURS[:10])
    assert refused.value.way_out
    from sklearn.neighbors import LocalOutlierFactor

    with pytest.raises(zk.ZkmlError):
        zk.compile(LocalOutlierFactor().fit(TUMOURS), samples=TUMOURS[:10])


def test_a_converter_that_is_missing_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "skl2onnx", None)
    with pytest.raises(zk.SystemFailure, match="skl2onnx") as missing:
        zk.compile(MODELS["pipeline"](), samples=TUMOURS[:10])
    assert "zkml-chain[sklearn]" in str(missing.value.way_out)


def test_a_runtime_that_is_missing_is_named(credit: zk.Model, X: np.ndarray, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "onnxruntime", None)
    with pytest.raises(zk.SystemFailure, match="onnxruntime") as missing:
        credit.check(X)
    assert missing.value.name == "runtime-missing"


def stand_in(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, *, dynamo_works: bool) -> tuple[Any, list[Any]]:
    """A module of a torch that exports one fixed network: tells how the exporters are called, not what torch does."""
    calls: list[Any] = []
    content = wide(tmp_path / "given.onnx", 8).read_bytes()

    def export(model: Any, inputs: Any, path: str, *, input_names: list[str], dynamo: bool = False, **more: Any) -> None:
        calls.append((dynamo, model.training, [tuple(i.shape) for i in inputs], input_names))
        if dynamo and not dynamo_works:
            raise RuntimeError("no onnxscript")
        Path(path).write_bytes(content)

    class Module:
        training = True

        def eval(self) -> None:
            self.training = False

        def train(self, mode: bool) -> None:
            self.training = mode

    Module.__module__ = "torch.nn"
    torch = types.SimpleNamespace(onnx=types.SimpleNamespace(export=export), from_numpy=lambda a: a)
    monkeypatch.setitem(sys.modules, "torch", torch)
    return Module(), calls


def test_exporters_of_torch_are_tried_in_their_order(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    X = np.random.default_rng(0).normal(size=(20, 8))
    module, calls = stand_in(monkeypatch, tmp_path, dynamo_works=False)
    model = zk.compile(module, samples=X)
    assert model.name == "module" and model.prove(X[0]).verify()
    assert calls == [(True, False, [(1, 8)], ["x"]), (False, False, [(1, 8)], ["x"])]
    assert module.training, "the module stays as it was"
    module, calls = stand_in(monkeypatch, tmp_path, dynamo_works=True)
    zk.compile(module, samples=X)
    assert [call[0] for call in calls] == [True]
    module, calls = stand_in(monkeypatch, tmp_path, dynamo_works=False)
    with pytest.raises(zk.InputError, match="no onnxscript"):
        zk.compile(module, samples=X, exporter="dynamo")
    with pytest.raises(zk.UsageError, match="exporter"):
        zk.compile(module, samples=X, exporter="other")  # type: ignore[arg-type]
    with pytest.raises(zk.UsageError, match="samples"):
        zk.compile(module)


@pytest.mark.parametrize("exporter", ["dynamo", "torchscript"])
def test_torch(exporter: Any) -> None:
    torch = pytest.importorskip("torch", reason="torch is half a gigabyte, and not installed here")
    if exporter == "dynamo":
        pytest.importorskip("onnxscript", reason="the newer exporter needs it")
    torch.manual_seed(0)
    network = torch.nn.Sequential(torch.nn.Conv2d(1, 2, 3), torch.nn.ReLU(), torch.nn.Flatten(), torch.nn.Linear(72, 3))
    X = np.random.default_rng(0).normal(size=(20, 1, 8, 8)).astype(np.float32)
    model = zk.compile(network, samples=X, exporter=exporter)
    (value,) = model.prove(X[0]).outputs.values()
    with torch.no_grad():
        np.testing.assert_allclose(value, network(torch.from_numpy(X[:1])).numpy(), atol=1e-2)
