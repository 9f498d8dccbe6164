"""What the model scripts share: decimal inputs, JSON files, onnxruntime.

Inputs are rounded to decimals *before* anything is computed from them, so that the text in a JSON
file and the float that the reference saw are the same number.
"""

import json
from pathlib import Path

import numpy as np
import onnxruntime as ort


def rounded(array, decimals=4):
    """`array` as float32 whose shortest decimal spelling has at most `decimals` digits after the point."""
    return np.round(np.asarray(array, dtype=np.float64), decimals).astype(np.float32)


def numbers(array):
    """Row-major flat list of the shortest decimals that read back as the same float32.

    Whole numbers are written without a point; integer and boolean arrays keep their values.
    """
    flat = np.asarray(array).reshape(-1)
    if flat.dtype.kind in "iub":
        return [int(v) for v in flat]
    out = []
    for v in flat:
        short = float(str(np.float32(v)))
        out.append(int(short) if short.is_integer() and abs(short) < 2**24 else short)
    return out


def session(model, rewrite=True):
    """A single-threaded onnxruntime session (the order of additions stays fixed) for a path or a ModelProto.

    Without `rewrite`, nodes are run as they are, none fused with others.
    """
    options = ort.SessionOptions()
    if not rewrite:
        options.graph_optimization_level = ort.GraphOptimizationLevel.ORT_DISABLE_ALL
    options.intra_op_num_threads = 1
    options.inter_op_num_threads = 1
    source = str(model) if isinstance(model, (str, Path)) else model.SerializeToString()
    return ort.InferenceSession(source, options, providers=["CPUExecutionProvider"])


def run_rows(model, rows):
    """Runs a one-input model on each row (one run per row, batch 1).

    `rows` has shape [N, ...]; each row is reshaped to the model's input shape.
    Returns a dict of output name to the list of N output arrays.
    """
    sess = session(model)
    (inp,) = sess.get_inputs()
    shape = [d if isinstance(d, int) else 1 for d in inp.shape]
    names = [o.name for o in sess.get_outputs()]
    outputs = {n: [] for n in names}
    for row in rows:
        for n, value in zip(names, sess.run(names, {inp.name: row.reshape(shape)})):
            outputs[n].append(value)
    return outputs


def write_lines(path, **lists):
    """Writes a JSON object; a list of objects gets one compact line per object, so that diffs stay readable."""
    parts = []
    for key, rows in lists.items():
        if isinstance(rows, list) and rows and isinstance(rows[0], dict):
            body = ",\n".join(json.dumps(r, separators=(",", ":")) for r in rows)
            parts.append(f'"{key}": [\n{body}\n]')
        else:
            parts.append(f'"{key}": {json.dumps(rows, separators=(",", ":"))}')
    Path(path).write_text("{\n" + ",\n".join(parts) + "\n}\n")


def write_data(folder, model_path, calibration, reference, sample):
    """Writes calibration.json, reference.json (with outputs) and sample.json (one input) of a one-input model.

    The three arrays have shape [N, ...] (`sample`: [...]), float32, already rounded.
    Returns the reference outputs as `run_rows` gives them.
    """
    folder = Path(folder)
    name = session(model_path).get_inputs()[0].name
    rows = lambda xs: [{name: numbers(x)} for x in xs]
    outputs = run_rows(model_path, reference)
    per_row = [{n: numbers(v[i]) for n, v in outputs.items()} for i in range(len(reference))]
    write_lines(folder / "calibration.json", samples=rows(calibration))
    write_lines(folder / "reference.json", samples=rows(reference), outputs=per_row)
    write_lines(folder / "sample.json", inputs={name: numbers(sample)})
    return outputs
