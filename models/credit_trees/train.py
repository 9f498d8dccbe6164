#!/usr/bin/env python3
"""Trains the credit model as XGBoost, LightGBM and random forest, and writes each with its data files.

    pip install -r models/credit_trees/requirements.txt
    python models/credit_trees/train.py

Features, training rows and held-out rows are those of models/credit. Nothing was tuned: thirty trees each, boosted ones of depth three, those of the
forest of depth six. The label output is taken off, since it only says which probability is larger.
"""

import json
import sys
from pathlib import Path

import lightgbm
import numpy as np
import onnx
import xgboost
from onnxmltools import convert_lightgbm, convert_xgboost
from onnxmltools.convert.common.data_types import FloatTensorType as Floats
from skl2onnx import convert_sklearn
from skl2onnx.common.data_types import FloatTensorType
from sklearn.ensemble import RandomForestClassifier
from sklearn.metrics import roc_auc_score

HERE = Path(__file__).resolve().parent
CREDIT = HERE.parent / "credit"
sys.path[:0] = [str(CREDIT), str(HERE.parent)]
import common  # noqa: E402
import features  # noqa: E402

SEED = 0
TREES = 30


def trained(x, y):
    """The models by name, exported."""
    shape = [1, x.shape[1]]
    boosted = {"n_estimators": TREES, "max_depth": 3, "learning_rate": 0.15, "random_state": SEED, "n_jobs": 1}
    xgb = xgboost.XGBClassifier(**boosted).fit(x, y)
    yield "credit_xgb", convert_xgboost(xgb, initial_types=[("applicant", Floats(shape))])
    lgbm = lightgbm.LGBMClassifier(**boosted, deterministic=True, verbose=-1).fit(x, y)
    yield "credit_lgbm", convert_lightgbm(lgbm, initial_types=[("applicant", Floats(shape))], zipmap=False)
    forest = RandomForestClassifier(TREES, max_depth=6, random_state=SEED, n_jobs=1).fit(x, y)
    options = {id(forest): {"zipmap": False}}
    yield "credit_forest", convert_sklearn(forest, initial_types=[("applicant", FloatTensorType(shape))], options=options)


def finished(model, name):
    """The model with its probabilities alone, and without names and dates of the run that made it."""
    kept = [o for o in model.graph.output if o.name == "probabilities"]
    del model.graph.output[:], model.metadata_props[:]
    model.graph.output.extend(kept)
    model.graph.name, model.doc_string, model.producer_version = name, "", ""
    sets = sorted(model.opset_import, key=lambda s: s.domain)
    del model.opset_import[:]
    model.opset_import.extend(sets)
    renamed = {}
    for i, node in enumerate(model.graph.node):
        node.name = "trees" if node.op_type.startswith("Tree") else f"{node.op_type}{i}"
        for j, value in enumerate(node.output):
            if value != "probabilities":
                renamed[value] = f"{node.name}.{j}"
    for node in model.graph.node:
        for names in (node.input, node.output):
            for j, value in enumerate(names):
                names[j] = renamed.get(value, value)
    onnx.checker.check_model(model, full_check=True)
    return model


def main():
    x, y = features.load()
    test = np.array(json.loads((CREDIT / "metrics.json").read_text())["held_out_rows"])
    train = np.setdiff1d(np.arange(len(x)), test)
    for name, model in trained(x[train], y[train]):
        folder = HERE / name
        folder.mkdir(exist_ok=True)
        path = folder / f"{name}.onnx"
        path.write_bytes(finished(model, name).SerializeToString())
        outputs = common.write_data(folder, path, x[train], x, x[test[0]])
        probability = np.array([v.reshape(-1)[1] for v in outputs["probabilities"]])
        score = lambda rows: {
            "accuracy": round(float(np.mean((probability[rows] > 0.5) == y[rows])), 4),
            "auc": round(float(roc_auc_score(y[rows], probability[rows])), 4),
        }
        majority = round(float(np.mean(y[test] == 0)), 4)
        metrics = {"majority_class": majority, "held_out": score(test), "training": score(train)}
        print(name, json.dumps(metrics))
        metrics["held_out_rows"] = [int(i) for i in test]
        common.write_lines(folder / "metrics.json", **metrics)


if __name__ == "__main__":
    main()
