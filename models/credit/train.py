#!/usr/bin/env python3
"""Trains the credit model and writes credit.onnx with its data files.

    python models/credit/train.py [--no-cv]     # --no-cv: faster, leaves metrics.json as it is

Seven hundred and fifty rows are too few for a network to find a stable boundary alone. So an
ensemble of classical models learns from the training rows first, and a 24-32-16-1 network learns
the ensemble's probabilities on those rows and on random mixtures of them. Held-out rows are seen by neither.
The standardisation of the inputs is folded into the first layer: the ONNX file takes features as they are.
"""

import json
import sys
from pathlib import Path

import numpy as np
import onnx
import torch
from sklearn.ensemble import GradientBoostingClassifier, RandomForestClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score
from sklearn.model_selection import RepeatedStratifiedKFold, train_test_split
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parent)]
import common  # noqa: E402
import features  # noqa: E402

SEED = 0
HELD_OUT = 250
HIDDEN = (32, 16)
MIXTURES = 6000
SWAP = 0.3
EPOCHS = 40
BATCH = 128
OPSET = 13


def fit_teachers(x, y):
    teachers = [
        RandomForestClassifier(200, min_samples_leaf=3, max_features=0.4, random_state=SEED),
        GradientBoostingClassifier(
            n_estimators=120,
            max_depth=3,
            learning_rate=0.05,
            subsample=0.6,
            max_features=0.4,
            min_samples_leaf=8,
            random_state=SEED,
        ),
        make_pipeline(StandardScaler(), SVC(C=1, gamma=0.02, probability=True, random_state=SEED)),
        make_pipeline(StandardScaler(), LogisticRegression(C=0.1)),
    ]
    return [t.fit(x, y) for t in teachers]


def mixtures(x, count):
    """Rows of `x` in which each feature comes from another row with probability `SWAP`."""
    rng = np.random.default_rng(SEED)
    own, other = rng.integers(0, len(x), count), rng.integers(0, len(x), count)
    return np.where(rng.random((count, x.shape[1])) < SWAP, x[other], x[own])


def fit_network(x, target, mean, std):
    """A network on standardised inputs; returns it with the standardisation folded into its first layer."""
    torch.manual_seed(SEED)
    widths = (x.shape[1], *HIDDEN)
    layers = [m for a, b in zip(widths, widths[1:]) for m in (torch.nn.Linear(a, b), torch.nn.ReLU())]
    net = torch.nn.Sequential(*layers, torch.nn.Linear(widths[-1], 1), torch.nn.Sigmoid())
    z = torch.tensor((x - mean) / std, dtype=torch.float32)
    t = torch.tensor(target, dtype=torch.float32)[:, None]
    optimizer = torch.optim.AdamW(net.parameters(), lr=5e-3, weight_decay=1e-4)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, EPOCHS)
    order = torch.Generator().manual_seed(SEED)
    for _ in range(EPOCHS):
        for batch in torch.randperm(len(z), generator=order).split(BATCH):
            loss = torch.nn.functional.binary_cross_entropy(net(z[batch]), t[batch])
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
        schedule.step()
    with torch.no_grad():
        first = net[0]
        weight = first.weight.double() / torch.tensor(std, dtype=torch.float64)
        bias = first.bias.double() - weight @ torch.tensor(mean, dtype=torch.float64)
        first.weight.copy_(weight.float())
        first.bias.copy_(bias.float())
    return net.eval()


def fit(x, y):
    x = x.astype(np.float64)
    teachers = fit_teachers(x, y)
    inputs = np.concatenate([x, mixtures(x, MIXTURES)])
    target = np.mean([t.predict_proba(inputs)[:, 1] for t in teachers], axis=0)
    return fit_network(inputs, target, x.mean(axis=0), x.std(axis=0) + 1e-9)


def score(probability, y):
    return {"accuracy": float(np.mean((probability > 0.5) == y)), "auc": float(roc_auc_score(y, probability))}


def predict(net, x):
    with torch.no_grad():
        return net(torch.from_numpy(x)).numpy()[:, 0]


def cross_validate(x, y, splits=5, repeats=5):
    folds = RepeatedStratifiedKFold(n_splits=splits, n_repeats=repeats, random_state=SEED)
    scores = [score(predict(fit(x[a], y[a]), x[b]), y[b]) for a, b in folds.split(x, y)]
    result = {"splits": splits, "repeats": repeats}
    for key in ("accuracy", "auc"):
        values = [s[key] for s in scores]
        result[key], result[f"{key}_std"] = round(float(np.mean(values)), 4), round(float(np.std(values)), 4)
    return result


def export(net, path):
    torch.onnx.export(
        net,
        torch.zeros(1, len(features.FEATURES)),
        str(path),
        input_names=["applicant"],
        output_names=["probability_of_default"],
        opset_version=OPSET,
    )
    onnx.checker.check_model(str(path), full_check=True)


def main():
    torch.set_num_threads(1)
    torch.use_deterministic_algorithms(True)
    x, y = features.load()
    train, test = train_test_split(np.arange(len(x)), test_size=HELD_OUT, stratify=y, random_state=SEED)
    net = fit(x[train], y[train])
    path = HERE / "credit.onnx"
    export(net, path)

    # Scores are those of the exported file, not of the network in memory.
    outputs = common.write_data(HERE, path, x[train], x, x[test[0]])
    probability = np.array([v.item() for v in outputs["probability_of_default"]])
    write_features(x)
    common.write_lines(HERE / "applicants.json", samples=[{"applicant": common.numbers(x[i])} for i in test[:8]])
    metrics = {
        "majority_class": round(float(np.mean(y[test] == 0)), 4),
        "held_out": {k: round(v, 4) for k, v in score(probability[test], y[test]).items()},
        "training": {k: round(v, 4) for k, v in score(probability[train], y[train]).items()},
    }
    with_cv = "--no-cv" not in sys.argv
    if with_cv:
        metrics["cross_validation_training_rows"] = cross_validate(x[train], y[train])
        metrics["cross_validation_all_rows"] = cross_validate(x, y)
    print(json.dumps(metrics, indent=1))
    if not with_cv:
        return
    metrics["held_out_rows"] = [int(i) for i in test]
    metrics["applicants_rows"] = [int(i) for i in test[:8]]
    common.write_lines(HERE / "metrics.json", **metrics)


def write_features(x):
    """features.json explains the input vector: name, meaning and range of each number, in order."""
    described = [
        {"name": n, "meaning": m, "min": common.numbers(c.min())[0], "max": common.numbers(c.max())[0]}
        for (n, m, _), c in zip(features.FEATURES, x.T)
    ]
    common.write_lines(HERE / "features.json", input="applicant", features=described)


if __name__ == "__main__":
    main()
