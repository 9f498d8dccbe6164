#!/usr/bin/env python3
"""Builds the benchmark models: fixed architectures, seeded random weights, no training.

    python models/bench/build.py            # all of them, next to this script
    python models/bench/build.py lenet      # only the ones named

A proof of a random network costs what a proof of a trained one of the same shape costs, so these
files need no data set and anybody can rebuild them bit for bit with numpy and onnx.
"""

import sys
import zlib
from pathlib import Path

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent))
import common  # noqa: E402

SEED = 7992
OPSET = 13


def rng_for(name, purpose):
    """An independent random stream per model and purpose: adding a model never changes another."""
    return np.random.default_rng([SEED, zlib.crc32(name.encode()), zlib.crc32(purpose.encode())])


class Builder:
    """Appends layers to one chain of nodes; weights are He-initialised, biases small."""

    def __init__(self, name, input_name, input_shape):
        self.name, self.rng = name, rng_for(name, "weights")
        self.input = helper.make_tensor_value_info(input_name, TensorProto.FLOAT, input_shape)
        self.nodes, self.weights, self.last = [], [], input_name

    def weight(self, label, shape, std):
        values = self.rng.normal(0.0, std, shape).astype(np.float32)
        self.weights.append(numpy_helper.from_array(values, label))
        return label

    def node(self, op, *extra, **attributes):
        return self.join(op, self.last, *extra, **attributes)

    def join(self, op, *inputs, **attributes):
        """A node over any values; its result is the last one."""
        out = f"{op.lower()}_{len(self.nodes)}"
        self.nodes.append(helper.make_node(op, inputs, [out], name=out, **attributes))
        self.last = out
        return self

    def constant(self, label, values):
        if all(w.name != label for w in self.weights):
            self.weights.append(numpy_helper.from_array(np.array(values), label))
        return label

    def gemm(self, rows, cols, gain=2.0):
        """`cols` inputs, `rows` outputs; `gain` is 2 before a ReLU and 1 before a linear output."""
        label = f"fc{sum(n.op_type == 'Gemm' for n in self.nodes) + 1}"
        w = self.weight(f"{label}.weight", (rows, cols), np.sqrt(gain / cols))
        return self.node("Gemm", w, self.weight(f"{label}.bias", (rows,), 0.05), transB=1)

    def conv(self, out_channels, in_channels, size, pad):
        label = f"conv{sum(n.op_type == 'Conv' for n in self.nodes) + 1}"
        std = np.sqrt(2.0 / (in_channels * size * size))
        w = self.weight(f"{label}.weight", (out_channels, in_channels, size, size), std)
        b = self.weight(f"{label}.bias", (out_channels,), 0.05)
        return self.node("Conv", w, b, kernel_shape=[size] * 2, pads=[pad] * 4, strides=[1, 1])

    def relu(self):
        return self.node("Relu")

    def maxpool(self):
        return self.node("MaxPool", kernel_shape=[2, 2], strides=[2, 2])

    def linear(self, label, cols, rows, gain=1.0):
        """A matrix product along the last axis, with a bias."""
        w = self.weight(f"{label}.weight", (cols, rows), np.sqrt(gain / cols))
        return self.node("MatMul", w).node("Add", self.weight(f"{label}.bias", (rows,), 0.05))

    def layer_norm(self, label, width):
        scale = (1 + self.rng.normal(0.0, 0.1, width)).astype(np.float32)
        scale = self.constant(f"{label}.weight", scale)
        return self.node("LayerNormalization", scale, self.weight(f"{label}.bias", (width,), 0.05))

    def gelu(self):
        """As exporters write it: x · (1 + erf(x / √2)) · 1/2."""
        x, f32 = self.last, np.float32
        self.node("Div", self.constant("sqrt2", f32(np.sqrt(2)))).node("Erf").node("Add", self.constant("one", f32(1)))
        return self.join("Mul", x, self.last).node("Mul", self.constant("half", f32(0.5)))

    def attention(self, label, tokens, width, heads):
        x, size = self.last, width // heads
        split = self.constant("heads", np.array([1, tokens, heads, size], np.int64))

        def projected(part, perm):
            self.last = x
            return self.linear(f"{label}.{part}", width, width).node("Reshape", split).node("Transpose", perm=perm).last

        q, k, v = (projected(part, perm) for part, perm in (("q", [0, 2, 1, 3]), ("k", [0, 2, 3, 1]), ("v", [0, 2, 1, 3])))
        self.join("MatMul", q, k).node("Div", self.constant("sqrt_size", np.float32(np.sqrt(size)))).node("Softmax", axis=-1)
        self.join("MatMul", self.last, v).node("Transpose", perm=[0, 2, 1, 3])
        whole = self.constant("whole", np.array([1, tokens, width], np.int64))
        return self.node("Reshape", whole).linear(f"{label}.out", width, width)

    def model(self, output_name, output_shape, opset=OPSET):
        self.nodes[-1].output[0] = output_name
        out = helper.make_tensor_value_info(output_name, TensorProto.FLOAT, output_shape)
        graph = helper.make_graph(self.nodes, self.name, [self.input], [out], self.weights)
        model = helper.make_model(
            graph,
            opset_imports=[helper.make_opsetid("", opset)],
            producer_name="zkml-chain models/bench/build.py",
            ir_version=8,
        )
        onnx.checker.check_model(model, full_check=True)
        return model


def mlp(name, input_name, widths):
    builder = Builder(name, input_name, [1, widths[0]])
    for i, (cols, rows) in enumerate(zip(widths, widths[1:])):
        last = i == len(widths) - 2
        builder.gemm(rows, cols, gain=1.0 if last else 2.0)
        if not last:
            builder.relu()
    return builder


def credit_mlp():
    return mlp("credit_mlp", "applicant", [16, 32, 16, 1]).node("Sigmoid").model("probability", [1, 1])


def mnist_mlp():
    return mlp("mnist_mlp", "image", [784, 128, 10]).model("logits", [1, 10])


def mlp_1m():
    return mlp("mlp_1m", "image", [784, 512, 512, 512, 10]).model("logits", [1, 10])


def lenet():
    b = Builder("lenet", "image", [1, 1, 28, 28])
    b.conv(6, 1, 5, pad=2).relu().maxpool().conv(16, 6, 5, pad=0).relu().maxpool()
    b.node("Flatten", axis=1).gemm(120, 400).relu().gemm(84, 120).relu().gemm(10, 84, gain=1.0)
    return b.model("logits", [1, 10])


def transformer():
    """A block with normalisation first: 16 tokens of width 64, 4 heads, 256 hidden units."""
    tokens, width, heads = 16, 64, 4
    b = Builder("transformer", "tokens", [1, tokens, width])
    x = b.last
    x = b.layer_norm("ln1", width).attention("attention", tokens, width, heads).join("Add", x, b.last).last
    b.layer_norm("ln2", width).linear("up", width, 4 * width).gelu().linear("down", 4 * width, width)
    return b.join("Add", x, b.last).model("hidden", [1, tokens, width], opset=17)


def vgg_mini():
    """Five convolutions of 3x3 in three stages, and two linear layers: 29 million multiplications."""
    b = Builder("vgg_mini", "image", [1, 3, 32, 32])
    for stage in ((3, 32, 32), (32, 64, 64), (64, 128)):
        for before, channels in zip(stage, stage[1:]):
            b.conv(channels, before, 3, pad=1).relu()
        b.maxpool()
    b.node("Flatten", axis=1).gemm(64, 128 * 16).relu().gemm(10, 64, gain=1.0)
    return b.model("logits", [1, 10])


def standard_scores(rng, rows):
    """16 standardised features: normal, clipped to [-3, 3], so that 256 calibration rows reach both ends."""
    return common.rounded(np.clip(rng.normal(size=(rows, 16)), -3, 3))


def pixels(rng, rows):
    """28x28 pixels, uniform over k/255; hardly any zeros to skip, so the benchmark is not flattered."""
    return common.rounded(rng.integers(0, 256, size=(rows, 784)) / 255)


def colours(rng, rows):
    """3x32x32 of the same."""
    return common.rounded(rng.integers(0, 256, size=(rows, 3 * 32 * 32)) / 255)


def embeddings(rng, rows):
    """16 tokens of 64 numbers: normal, clipped to [-3, 3]."""
    return common.rounded(np.clip(rng.normal(size=(rows, 16 * 64)), -3, 3), 3)


# name -> (builder, input generator, calibration rows, reference rows)
MODELS = {
    "credit_mlp": (credit_mlp, standard_scores, 256, 1000),
    "mnist_mlp": (mnist_mlp, pixels, 64, 16),
    "mlp_1m": (mlp_1m, pixels, 64, 16),
    "lenet": (lenet, pixels, 64, 16),
    "transformer": (transformer, embeddings, 32, 8),
    "vgg_mini": (vgg_mini, colours, 16, 4),
}


def build(name):
    make, inputs, calibration_rows, reference_rows = MODELS[name]
    folder = HERE / name
    folder.mkdir(exist_ok=True)
    path = folder / f"{name}.onnx"
    onnx.save(make(), path)
    reference = inputs(rng_for(name, "reference"), reference_rows)
    calibration = inputs(rng_for(name, "calibration"), calibration_rows)
    outputs = common.write_data(folder, path, calibration, reference, reference[0])
    for output, values in outputs.items():
        v = np.stack(values)
        print(f"{name}: {path.stat().st_size} bytes, {output} in [{v.min():.4f}, {v.max():.4f}]")


if __name__ == "__main__":
    for wanted in sys.argv[1:] or MODELS:
        build(wanted)
