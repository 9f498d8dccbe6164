#!/usr/bin/env python3
"""Builds the models of the example contracts from synthetic data.

    python models/examples/build.py            # all of them, next to this script
    python models/examples/build.py ltv age    # only the ones named

Nobody was asked and nothing was measured: for each model a rule is written down below, rows are drawn
at random, and a small network is fitted to the rule. The models show how a contract uses a proof, and
nothing else; do not price, lend or judge with them.

The hidden layer is random and stays so; the last layer is a ridge regression on it. That needs numpy only.
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

SEED = 2024
OPSET = 13
HIDDEN = 16
TRAINING_ROWS, CALIBRATION_ROWS, REFERENCE_ROWS = 4000, 64, 64


def rng_for(name, purpose):
    """An independent random stream per model and purpose: adding a model never changes another."""
    return np.random.default_rng([SEED, zlib.crc32(name.encode()), zlib.crc32(purpose.encode())])


def logit(p):
    return np.log(p / (1 - p))


# --- The rules. `x` holds one column per input, each uniform in the range that MODELS gives. ---


def ltv_rule(x):
    """Calm, deep and spread markets carry more debt: between 20 % and 85 % of the collateral's value."""
    volatility, jump, depth, drawdown, utilisation, concentration = x.T
    share = 0.85 - 0.2 * volatility - 0.1 * jump + 0.06 * (depth - 2) - 0.25 * drawdown - 0.1 * utilisation
    return logit(np.clip(share - 0.2 * concentration**2, 0.2, 0.85))


def premium_rule(x):
    """Yearly loss of a protocol from 0.5 % to about 9 %, times the years that are insured."""
    years, audits, age, value, upgradeable, oracles = x.T
    yearly = 0.05 - 0.006 * audits - 0.008 * age + 0.004 * value + 0.015 * upgradeable + 0.006 * oracles
    return np.maximum(yearly, 0.005) * years


def fraud_a_rule(x):
    """Young accounts that pass on quickly and widely what came from a mixer."""
    amount, age, hops, fan_out, mixer, night, returns, speed = x.T
    z = 1.2 * amount - 1.5 * age + 0.8 * hops + 1.0 * fan_out + 3.0 * mixer + 0.3 * night + 1.5 * speed
    return np.clip(z - 0.5 * returns - 3.5, -4, 4)


def fraud_b_rule(x):
    """The same with less faith in age and more weight on amounts that return: fraud learns, too."""
    amount, age, hops, fan_out, mixer, night, returns, speed = x.T
    z = 1.0 * amount - 0.6 * age + 1.0 * hops + 1.2 * fan_out + 2.2 * mixer + 0.2 * night + 1.0 * speed
    return np.clip(z + 1.5 * returns - 4.2, -4, 4)


def policy_rule(x):
    """Large calls to young, rarely used targets with much slippage are risky."""
    share, slippage, target_age, seen, gas, approvals = x.T
    z = 3.0 * share + 4.0 * slippage - 1.2 * target_age - 0.8 * seen + 0.6 * gas + 2.0 * approvals - 1.0
    return np.clip(z, -4, 4)


def age_rule(x):
    """Years, from eight numbers of which four matter."""
    return 26 + 8 * x[:, 0] + 4 * x[:, 1] - 3 * x[:, 2] + 2 * x[:, 3]


# --- The networks. ---


def hidden_layer(name, low, high):
    """Random directions through random points of the box: weights and biases for inputs as they are."""
    rng = rng_for(name, "weights")
    half = (high - low) / 2
    weight = rng.normal(0, 1 / np.sqrt(len(low)), (HIDDEN, len(low))) / half
    point = (low + high) / 2 + half * rng.uniform(-1, 1, (HIDDEN, len(low)))
    return weight, -np.sum(weight * point, axis=1)


def fit(name, rule, low, high):
    """Hidden layer, and the last layer that comes closest to the rule."""
    x = rows(name, "training", TRAINING_ROWS, low, high).astype(np.float64)
    weight, bias = hidden_layer(name, low, high)
    features = np.hstack([np.maximum(x @ weight.T + bias, 0), np.ones((len(x), 1))])
    penalty = 1.0 * np.eye(HIDDEN + 1)
    penalty[-1, -1] = 0
    last = np.linalg.solve(features.T @ features + penalty, features.T @ rule(x))
    return [(weight, bias), (last[None, :-1], last[-1:])]


def rows(name, purpose, count, low, high):
    return common.rounded(rng_for(name, purpose).uniform(low, high, (count, len(low))))


def network(name, input_name, output_name, layers, end):
    """Gemm and Relu in turn; nothing, Relu or Sigmoid at the end. Names depend on the layer only, so that two sets of
    weights of one architecture differ in nothing else."""
    nodes, weights, last = [], [], input_name
    for i, (weight, bias) in enumerate(layers, 1):
        for label, values in (("weight", weight), ("bias", bias)):
            weights.append(numpy_helper.from_array(np.asarray(values, np.float32), f"fc{i}.{label}"))
        nodes.append(helper.make_node("Gemm", [last, f"fc{i}.weight", f"fc{i}.bias"], [f"fc{i}"], f"fc{i}", transB=1))
        last = f"fc{i}"
        if i < len(layers) or end:
            op = end if i == len(layers) else "Relu"
            nodes.append(helper.make_node(op, [last], [f"{op.lower()}{i}"], f"{op.lower()}{i}"))
            last = f"{op.lower()}{i}"
    nodes[-1].output[0] = output_name
    shape = [1, layers[0][0].shape[1]]
    graph = helper.make_graph(
        nodes,
        name,
        [helper.make_tensor_value_info(input_name, TensorProto.FLOAT, shape)],
        [helper.make_tensor_value_info(output_name, TensorProto.FLOAT, [1, 1])],
        weights,
    )
    opset = [helper.make_opsetid("", OPSET)]
    producer = "zkml-chain models/examples/build.py"
    model = helper.make_model(graph, opset_imports=opset, producer_name=producer, ir_version=8)
    onnx.checker.check_model(model, full_check=True)
    return model


def over_18(layers):
    """From an estimate of the age to one bit: `relu(1 - relu(1 - 2 (age - margin - 18)))` is exactly 1 from 18 and a
    half on and exactly 0 below 18, both after a margin of three years. The output of whoever is accepted is the same
    number for everybody, and tells nothing else about the age."""
    margin = 3.0
    hidden, (weight, bias) = layers
    return [hidden, (-2 * weight, 1 - 2 * (bias - margin - 18)), (np.array([[-1.0]]), np.array([1.0]))]


# name -> (rule, input, output, last operator, range of each input)
MODELS = {
    # Volatility of 30 days and of one (a year's standard deviation), depth in log10 of thousands, drawdown, utilisation and
    # the largest holder's share.
    "ltv": (ltv_rule, "market", "ltv", "Sigmoid", [(0, 1.5), (0, 2), (1, 5), (0, 1), (0, 1), (0, 1)]),
    # Years insured, audits, age in years, log10 of the value in millions, upgradeable or not, number of oracles.
    "premium": (premium_rule, "risk", "rate", None, [(0.02, 1), (0, 5), (0, 4), (0, 4), (0, 1), (0, 3)]),
    # Amount in log10 of thousands, account's age in years, hops, fan-out, share from mixers, share at night, share that
    # returns, speed.
    "fraud_a": (fraud_a_rule, "transfer", "suspicion", "Sigmoid", [(0, 3), (0, 3), (0, 3)] + [(0, 1)] * 5),
    "fraud_b": (fraud_b_rule, "transfer", "suspicion", "Sigmoid", [(0, 3), (0, 3), (0, 3)] + [(0, 1)] * 5),
    # Share of the balance, slippage, target's age in years, how often it was called before, gas, share of approvals.
    "policy": (policy_rule, "call", "risk", "Sigmoid", [(0, 1), (0, 1), (0, 3), (0, 3), (0, 1), (0, 1)]),
    # Eight numbers of an image.
    "age": (age_rule, "features", "adult", "Relu", [(-1, 1)] * 8),
}


# What the rule's number becomes in the output, by last operator; `Relu` is the one bit of `age`.
TRUTH = {"Sigmoid": lambda z: 1 / (1 + np.exp(-z)), None: lambda z: z, "Relu": lambda z: z >= 21.25}


def build(name):
    rule, input_name, output_name, end, box = MODELS[name]
    low, high = np.array(box, dtype=np.float64).T
    layers = fit(name, rule, low, high)
    if name == "age":
        layers = over_18(layers)
    folder = HERE / name
    folder.mkdir(exist_ok=True)
    path = folder / f"{name}.onnx"
    onnx.save(network("fraud" if name.startswith("fraud") else name, input_name, output_name, layers, end), path)
    reference = rows(name, "reference", REFERENCE_ROWS, low, high)
    calibration = rows(name, "calibration", CALIBRATION_ROWS, low, high)
    outputs = common.write_data(folder, path, calibration, reference, reference[0])
    values = np.stack(outputs[output_name]).reshape(-1)
    truth = rule(reference.astype(np.float64))
    error = np.abs(values - TRUTH[end](truth)).mean()
    print(f"{name}: {path.stat().st_size} bytes, {output_name} in [{values.min():.4f}, {values.max():.4f}], "
          f"mean distance from the rule {error:.4f}")


if __name__ == "__main__":
    for wanted in sys.argv[1:] or MODELS:
        build(wanted)
