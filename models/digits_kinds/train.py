#!/usr/bin/env python3
"""Three more kinds of networks on scikit-learn's 8x8 digits, and their data files.

    python models/digits_kinds/train.py [digits_lstm] [digits_transformer] [digits_int8]

digits_lstm: the eight rows of an image as a sequence, an LSTM with 16 units, a linear layer on its last state.
digits_transformer: one encoder block over the eight rows (width 16, two heads, feed-forward 32), a linear layer on their mean.
digits_int8: `digits/cnn` quantized to eight bits by onnxruntime, with QuantizeLinear and DequantizeLinear around each layer, and then
with powers of two as scales.
Pixels are divided by 16; outputs are ten logits.
"""

import json
import math
import sys
from pathlib import Path

import numpy as np
import onnx
import torch
from onnxruntime.quantization import CalibrationDataReader, QuantFormat, QuantType, quantize_static
from onnxruntime.quantization.shape_inference import quant_pre_process
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
OPSET = 17
WIDTH = 16
HEADS = 2


class Lstm(nn.Module):
    def __init__(self):
        super().__init__()
        self.lstm, self.head = nn.LSTM(8, WIDTH, batch_first=True), nn.Linear(WIDTH, 10)

    def forward(self, x):
        return self.head(self.lstm(x)[0][:, -1])


class Transformer(nn.Module):
    """Normalisation before attention and before the feed-forward layer."""

    def __init__(self):
        super().__init__()
        self.embed, self.place = nn.Linear(8, WIDTH), nn.Parameter(torch.randn(8, WIDTH) * 0.1)
        self.q, self.k, self.v, self.out = (nn.Linear(WIDTH, WIDTH) for _ in range(4))
        self.first, self.second = nn.LayerNorm(WIDTH), nn.LayerNorm(WIDTH)
        self.up, self.down = nn.Linear(WIDTH, 32), nn.Linear(32, WIDTH)
        self.head = nn.Linear(WIDTH, 10)

    def forward(self, x):
        heads = lambda t: t.reshape(-1, 8, HEADS, WIDTH // HEADS).transpose(1, 2)
        x = self.embed(x) + self.place
        y = self.first(x)
        q, k, v = heads(self.q(y)), heads(self.k(y)), heads(self.v(y))
        seen = torch.softmax(q @ k.transpose(2, 3) / math.sqrt(WIDTH // HEADS), dim=-1) @ v
        x = x + self.out(seen.transpose(1, 2).reshape(-1, 8, WIDTH))
        x = x + self.down(torch.relu(self.up(self.second(x))))
        return self.head(x.mean(dim=1))


def data():
    digits = load_digits()
    images, labels = common.rounded(digits.images / 16), digits.target
    rows = np.arange(len(images))
    train_rows, test_rows = train_test_split(rows, test_size=HELD_OUT, stratify=labels, random_state=SEED)
    return images, labels, train_rows, test_rows


def fit(net, images, labels, epochs):
    rng = np.random.default_rng(SEED)
    optimizer = torch.optim.AdamW(net.parameters(), lr=5e-3, weight_decay=1e-2)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, epochs)
    target = torch.from_numpy(labels)
    for _ in range(epochs):
        x = torch.from_numpy(np.clip(images + rng.normal(0, NOISE, images.shape), 0, 1).astype(np.float32))
        for batch in torch.from_numpy(rng.permutation(len(images))).split(BATCH):
            loss = nn.functional.cross_entropy(net(x[batch]), target[batch])
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
        schedule.step()
    return net.eval()


def trained(make, path, images, labels):
    torch.manual_seed(SEED)
    net = fit(make(), images, labels, 80)
    names = dict(input_names=["image"], output_names=["logits"])
    torch.onnx.export(net, (torch.zeros(1, 8, 8),), str(path), opset_version=OPSET, dynamo=False, **names)


class Rows(CalibrationDataReader):
    def __init__(self, rows):
        self.rows = iter([{"image": r.reshape(1, 1, 8, 8)} for r in rows])

    def get_next(self):
        return next(self.rows, None)


def quantized(path, images):
    prepared = path.parent / ".prepared.onnx"
    quant_pre_process(str(HERE.parent / "digits/cnn/cnn.onnx"), str(prepared))
    quantize_static(
        str(prepared),
        str(path),
        Rows(images[:256]),
        quant_format=QuantFormat.QDQ,
        activation_type=QuantType.QUInt8,
        weight_type=QuantType.QInt8,
    )
    prepared.unlink()
    model = onnx.load(path)
    exact(model.graph)
    onnx.save(model, path)


def exact(graph):
    """Scales rounded up to powers of two: floats of 32 bits then compute exactly, and no machine rounds a value to another step."""
    arrays = {t.name: onnx.numpy_helper.to_array(t) for t in graph.initializer}
    old = {n: a for n, a in arrays.items() if n.endswith("_scale")}
    made_by = {n.output[0]: n for n in graph.node}
    biases = {n.input[2] for n in graph.node if n.op_type in ("Conv", "Gemm") and len(n.input) > 2}
    power = lambda s: np.exp2(np.ceil(np.log2(s))).astype(np.float32)
    arrays |= {n: power(s) for n, s in old.items()}
    for layer in (n for n in graph.node if n.op_type in ("Conv", "Gemm")):
        left, right, bias = (made_by[i] for i in layer.input)
        arrays[bias.input[1]] = (arrays[left.input[1]] * arrays[right.input[1]]).reshape(old[bias.input[1]].shape)
    for n in graph.node:
        values, scale, zero = ([*n.input] + [None])[:3] if n.op_type == "DequantizeLinear" else (None, None, None)
        if values in arrays:
            real = (arrays[values].astype(np.float64) - (arrays[zero] if zero and n.output[0] not in biases else 0)) * old[scale]
            kind = np.iinfo(arrays[values].dtype)
            arrays[values] = np.clip(np.rint(real / arrays[scale]), kind.min, kind.max).astype(arrays[values].dtype)
    for t in graph.initializer:
        t.CopyFrom(onnx.numpy_helper.from_array(arrays[t.name], t.name))


def make(name):
    images, labels, train_rows, test_rows = data()
    folder = HERE / name
    folder.mkdir(exist_ok=True)
    path = folder / f"{name}.onnx"
    if name == "digits_int8":
        quantized(path, images[train_rows])
    else:
        kind = {"digits_lstm": Lstm, "digits_transformer": Transformer}[name]
        trained(kind, path, images[train_rows], labels[train_rows])
    onnx.checker.check_model(str(path), full_check=True)
    outputs = common.write_data(folder, path, images[train_rows[:256]], images[test_rows], images[test_rows[0]])
    right = np.stack(outputs["logits"]).reshape(len(test_rows), 10).argmax(axis=1) == labels[test_rows]
    metrics = {"held_out": round(float(right.mean()), 4)}
    print(name, json.dumps(metrics), path.stat().st_size, "bytes")
    metrics["held_out_labels"] = [int(v) for v in labels[test_rows]]
    common.write_lines(folder / "metrics.json", **metrics)


if __name__ == "__main__":
    torch.set_num_threads(1)
    torch.use_deterministic_algorithms(True)
    for wanted in sys.argv[1:] or ("digits_lstm", "digits_transformer", "digits_int8"):
        make(wanted)
