"""The integer model beside onnxruntime."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from ._arrays import Named
from ._errors import InputError, SystemFailure
from ._results import Check, OutputCheck, Port

# Names of types in the ONNX model, and those of NumPy.
_KINDS = {"f16": "float16", "f32": "float32", "f64": "float64", "bool": "bool"}
_KINDS |= {f"{sign}{bits}": f"{word}{bits}" for sign, word in (("i", "int"), ("u", "uint")) for bits in (8, 16, 32, 64)}


def session(path: Path) -> Any:
    """onnxruntime with the float model."""
    try:
        import onnxruntime
    except ImportError:
        raise SystemFailure(
            "onnxruntime is not installed",
            name="runtime-missing",
            way_out='pip install "zkml-chain[check]"',
        ) from None
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 3
    return onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])


def compare(
    runtime: Any,
    inputs: tuple[Port, ...],
    outputs: tuple[Port, ...],
    given: Named,
    found: dict[str, npt.NDArray[np.float64]],
    refused: dict[int, str],
) -> Check:
    """Runs the float model on each sample that the integer model took, and compares."""
    count = len(found[outputs[0].name])
    arrays = {inputs[0].name if name is None else name: values for name, values in given}
    taken = [at for at in range(count) if at not in refused]
    expected: dict[str, list[npt.NDArray[np.float64]]] = {port.name: [] for port in outputs}
    names = [port.name for port in outputs]
    for at in taken:
        feed = {}
        for port in inputs:
            values = arrays[port.name].reshape(count, *port.shape)[at]
            feed[port.name] = values.astype(_KINDS.get(port.kind, "float32"))
        try:
            results = runtime.run(names, feed)
        except Exception as error:
            raise InputError(f"onnxruntime refuses sample {at} (counted from zero): {error}", name="model") from error
        for name, result in zip(names, results, strict=True):
            expected[name].append(np.asarray(result, dtype=np.float64))
    checks = tuple(_output(port, found[port.name][taken], expected[port.name]) for port in outputs)
    return Check(len(taken), refused, checks if taken else ())


def _output(
    port: Port, found: npt.NDArray[np.float64], expected: list[npt.NDArray[np.float64]]
) -> OutputCheck:
    wanted = np.reshape(expected, found.shape) if expected else found
    errors = np.abs(found - wanted)
    return OutputCheck(
        port.name,
        float(errors.max(initial=0.0)),
        float(errors.mean()) if errors.size else 0.0,
        _agreement(found, wanted),
    )


def _agreement(found: npt.NDArray[np.float64], wanted: npt.NDArray[np.float64]) -> float | None:
    if not found.size:
        return None
    if found.ndim > 1 and found.shape[-1] > 1:
        return float((found.argmax(-1) == wanted.argmax(-1)).mean())
    if wanted.min() >= 0 and wanted.max() <= 1:
        return float(((found > 0.5) == (wanted > 0.5)).mean())
    return None
