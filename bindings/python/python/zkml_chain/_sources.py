"""Models of other libraries as ONNX. Each library's own converter does the work, if it is installed."""

from __future__ import annotations

import contextlib
import importlib
import io
import os
import tempfile
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np

from ._arrays import Named, named
from ._errors import InputError, SystemFailure, UsageError

# The name of the input where the library has none.
_INPUT = "x"


@contextlib.contextmanager
def onnx_file(model: Any, name: str | None, samples: Any, exporter: str) -> Iterator[Path]:
    """The ONNX file of a model, for as long as it is needed. The stem of its name is the model's."""
    if isinstance(model, (str, os.PathLike)):
        path = Path(model)
        if name is not None and name != path.stem:
            raise UsageError(f"name={name!r}: a file is called by its own name, {path.stem!r}", name="usage")
        if not path.is_file():
            raise InputError(f"cannot read {path}: there is no such file", name="io", way_out="check the path")
        yield path
        return
    content = _bytes(model, samples, exporter)
    with tempfile.TemporaryDirectory(prefix="zkml-chain-") as made:
        path = Path(made) / f"{_file_name(name or _own_name(model))}.onnx"
        path.write_bytes(content)
        yield path


def _file_name(name: str) -> str:
    clean = "".join(c for c in name.lower() if c.isascii() and (c.isalnum() or c in "-_"))
    if not clean:
        raise UsageError(f"name={name!r}: letters, digits, - and _ are expected", name="usage")
    return clean


def _own_name(model: Any) -> str:
    return "model" if isinstance(model, (bytes, bytearray, memoryview)) else type(model).__name__


def _bytes(model: Any, samples: Any, exporter: str) -> bytes:
    if isinstance(model, (bytes, bytearray, memoryview)):
        return bytes(model)
    if hasattr(model, "SerializeToString"):
        return bytes(model.SerializeToString())
    families = {kind.__module__.partition(".")[0] for kind in type(model).__mro__}
    converters: dict[str, Callable[[], bytes]] = {
        "torch": lambda: _torch(model, samples, exporter),
        "xgboost": lambda: _xgboost(model, samples),
        "lightgbm": lambda: _lightgbm(model, samples),
        "sklearn": lambda: _sklearn(model, samples),
    }
    # In this order: the models of XGBoost and LightGBM are scikit-learn's as well.
    for family, convert in converters.items():
        if family in families:
            return convert()
    raise UsageError(
        f"a model of type {type(model).__module__}.{type(model).__qualname__} is not known",
        name="usage",
        way_out="give an ONNX file or its bytes, or a model of torch, scikit-learn, XGBoost or LightGBM; others have exporters to ONNX",
    )


def _needed(module: str, extra: str) -> Any:
    try:
        return importlib.import_module(module)
    except ImportError as error:
        raise SystemFailure(
            f"the converter {module.partition('.')[0]} cannot be imported: {error}",
            name="converter-missing",
            way_out=f'pip install "zkml-chain[{extra}]"',
        ) from None


@contextlib.contextmanager
def _converting(what: str) -> Iterator[None]:
    """Turns whatever a converter raises into one clear error; their warnings are about themselves."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    except (KeyboardInterrupt, MemoryError, UsageError, InputError, SystemFailure):
        raise
    except Exception as error:
        raise InputError(
            f"{what} cannot be converted to ONNX: {type(error).__name__}: {str(error).strip()[:800]}",
            name="model",
            way_out="fit it before, and see that its converter knows all its parts; or export it to ONNX yourself",
        ) from error


def _columns(samples: Any, model: Any) -> int:
    """The number of features: of the model, or of the samples."""
    found = getattr(model, "n_features_in_", None)
    if isinstance(found, (int, np.integer)):
        return int(found)
    if samples is None:
        raise UsageError("samples are needed to know the number of features", name="not-given", way_out="samples=X")
    arrays = named(samples)
    if len(arrays) != 1 or arrays[0][1].ndim != 2:
        raise InputError("samples of one row for each, all features in it, are expected: a two-dimensional array", name="model")
    return int(arrays[0][1].shape[1])


def _sklearn(model: Any, samples: Any) -> bytes:
    convert = _needed("skl2onnx", "sklearn")
    types = _needed("skl2onnx.common.data_types", "sklearn")
    with _converting(type(model).__name__):
        classifies = _needed("sklearn.base", "sklearn").is_classifier(model)
        # Probabilities as a tensor, not as a list of dicts.
        options = {id(model): {"zipmap": False}} if classifies else None
        shape = [None, _columns(samples, model)]
        made = convert.convert_sklearn(model, initial_types=[(_INPUT, types.FloatTensorType(shape))], options=options)
        return bytes(made.SerializeToString())


def _xgboost(model: Any, samples: Any) -> bytes:
    tools = _needed("onnxmltools", "xgboost")
    types = _needed("onnxmltools.convert.common.data_types", "xgboost")
    with _converting(type(model).__name__):
        if type(model).__name__ == "Booster":
            shape = [None, int(model.num_features())]
        else:
            shape = [None, _columns(samples, model)]
            if getattr(model, "feature_names_in_", None) is not None:
                # The converter wants the names that it gives itself.
                model = _without_names(model)
        made = tools.convert_xgboost(model, initial_types=[(_INPUT, types.FloatTensorType(shape))])
        return _ordered(made)


def _without_names(model: Any) -> Any:
    import copy

    plain = copy.deepcopy(model)
    plain.get_booster().feature_names = None
    return plain


def _lightgbm(model: Any, samples: Any) -> bytes:
    tools = _needed("onnxmltools", "lightgbm")
    types = _needed("onnxmltools.convert.common.data_types", "lightgbm")
    with _converting(type(model).__name__):
        shape = [None, int(model.num_feature()) if hasattr(model, "num_feature") else _columns(samples, model)]
        made = tools.convert_lightgbm(model, initial_types=[(_INPUT, types.FloatTensorType(shape))], zipmap=False)
        return _ordered(made)


def _ordered(model: Any) -> bytes:
    """Its opsets in an order that does not change from run to run: the same model gives the same bytes."""
    sets = sorted(model.opset_import, key=lambda one: str(one.domain))
    del model.opset_import[:]
    model.opset_import.extend(sets)
    return bytes(model.SerializeToString())


def _torch(model: Any, samples: Any, exporter: str) -> bytes:
    torch = _needed("torch", "torch")
    if samples is None:
        raise UsageError("samples are needed to trace the module", name="not-given", way_out="samples=X")
    if exporter not in ("auto", "dynamo", "torchscript"):
        raise UsageError(f'exporter={exporter!r}: "auto", "dynamo" or "torchscript" is expected', name="usage")
    arrays = named(samples)
    names = [_INPUT if name is None else name for name, _ in arrays]
    # One sample, with the batch dimension that modules expect.
    inputs = tuple(torch.from_numpy(np.ascontiguousarray(a[:1], dtype=np.float32)) for _, a in arrays)
    tries = {"auto": ("dynamo", "torchscript")}.get(exporter, (exporter,))
    with _converting(type(model).__name__):
        was_training = bool(model.training)
        model.eval()
        try:
            return _first(tries, lambda by: _export(torch, model, inputs, names, by))
        finally:
            model.train(was_training)


def _first(tries: tuple[str, ...], export: Callable[[str], bytes]) -> bytes:
    for by in tries[:-1]:
        # The newer exporter needs packages that may not be there, and does not take every module.
        with contextlib.suppress(Exception):
            return export(by)
    return export(tries[-1])


def _export(torch: Any, model: Any, inputs: tuple[Any, ...], names: list[str], by: str) -> bytes:
    with tempfile.TemporaryDirectory() as made, contextlib.redirect_stdout(io.StringIO()):
        path = Path(made) / "model.onnx"
        if by == "dynamo":
            torch.onnx.export(model, inputs, str(path), input_names=names, dynamo=True, external_data=False)
        else:
            # Before 2.5 there was no other exporter, and no argument that chose it.
            import inspect

            chosen = {"dynamo": False} if "dynamo" in inspect.signature(torch.onnx.export).parameters else {}
            torch.onnx.export(model, inputs, str(path), input_names=names, output_names=["y"], **chosen)
        return path.read_bytes()
