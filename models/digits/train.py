#!/usr/bin/env python3
"""Trains two models on scikit-learn's 8x8 handwritten digits and writes them with their data files.

    python models/digits/train.py [mlp] [cnn]

mlp: 64-48-24-10 on the pixels as a flat vector. cnn: two convolutions and two poolings on 1x8x8.
Pixels are divided by 16, so inputs are sixteenths in [0, 1]; outputs are the ten logits. Both graphs are what torch.onnx.export writes.
"""

import json
import sys
from pathlib import Path

import numpy as np
import onnx
import torch
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split
from torch import nn

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent))
import common  # noqa: E402

SEED = 0
HELD_OUT = 450
BATCH = 64
NOISE = 0.1
OPSET = 13


def mlp():
    return nn.Sequential(nn.Linear(64, 48), nn.ReLU(), nn.Linear(48, 24), nn.ReLU(), nn.Linear(24, 10))


def cnn():
    return nn.Sequential(
        nn.Conv2d(1, 8, 3, padding=1),
        nn.ReLU(),
        nn.MaxPool2d(2),
        nn.Conv2d(8, 16, 3, padding=1),
        nn.ReLU(),
        nn.MaxPool2d(2),
        nn.Flatten(),
        nn.Linear(64, 10),
    )


# name -> (network, input shape of one sample, epochs)
MODELS = {"mlp": (mlp, (64,), 120), "cnn": (cnn, (1, 8, 8), 100)}


def fit(net, shape, epochs, images, labels):
    rng = np.random.default_rng(SEED)
    optimizer = torch.optim.AdamW(net.parameters(), lr=5e-3, weight_decay=1e-2)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, epochs)
    target = torch.from_numpy(labels)
    for _ in range(epochs):
        noisy = np.clip(images + rng.normal(0, NOISE, images.shape), 0, 1).astype(np.float32)
        x = torch.from_numpy(noisy).reshape(-1, *shape)
        for batch in torch.from_numpy(rng.permutation(len(images))).split(BATCH):
            loss = nn.functional.cross_entropy(net(x[batch]), target[batch])
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
        schedule.step()
    return net.eval()


def train(name):
    make, shape, epochs = MODELS[name]
    data = load_digits()
    images, labels = common.rounded(data.images / 16), data.target
    rows = np.arange(len(images))
    train_rows, test_rows = train_test_split(rows, test_size=HELD_OUT, stratify=labels, random_state=SEED)
    torch.manual_seed(SEED)
    net = fit(make(), shape, epochs, images[train_rows], labels[train_rows])

    folder = HERE / name
    folder.mkdir(exist_ok=True)
    path = folder / f"{name}.onnx"
    torch.onnx.export(
        net,
        torch.zeros(1, *shape),
        str(path),
        input_names=["image"],
        output_names=["logits"],
        opset_version=OPSET,
    )
    onnx.checker.check_model(str(path), full_check=True)
    outputs = common.write_data(folder, path, images[train_rows[:256]], images[test_rows], images[test_rows[0]])
    right = np.stack(outputs["logits"]).reshape(len(test_rows), 10).argmax(axis=1) == labels[test_rows]
    everything = common.run_rows(path, images[train_rows])["logits"]
    fitted = np.stack(everything).reshape(len(train_rows), 10).argmax(axis=1) == labels[train_rows]
    metrics = {"held_out": round(float(right.mean()), 4), "training": round(float(fitted.mean()), 4)}
    print(name, json.dumps(metrics), path.stat().st_size, "bytes")
    metrics["held_out_labels"] = [int(v) for v in labels[test_rows]]
    common.write_lines(folder / "metrics.json", **metrics)


if __name__ == "__main__":
    torch.set_num_threads(1)
    torch.use_deterministic_algorithms(True)
    for wanted in sys.argv[1:] or MODELS:
        train(wanted)
