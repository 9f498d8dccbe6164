#!/usr/bin/env python3
"""Measures how long proofs take, for the simulation: `measure.py PROGRAM > samples.json`.

Each model is compiled once by PROGRAM (`target/release/zkml-chain`), and proven by a process of its own as often as `--proofs` says.
`load_seconds` is what a process spends on reading and checking key and program, which a worker spends once for each key; `seconds` is
the rest of a proof, which a worker with a warm key spends each time.
"""

import argparse
import json
import os
import pathlib
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parents[3]
LENET = ("models/bench/lenet/lenet.onnx", "models/bench/lenet/calibration.json")
# Model, data and proof system. The slow one is there for a load that a hundred workers are needed for.
MODELS = {
    "credit": ("models/credit/credit.onnx", "models/credit/calibration.json", "sumcheck"),
    "lenet": (*LENET, "sumcheck"),
    "lenet-halo2": (*LENET, "halo2"),
}


def call(program, *arguments):
    """The report of a command, as data."""
    command = [program, *map(str, arguments), "--json", "--quiet"]
    run = subprocess.run(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, check=False)
    if run.returncode != 0:
        sys.exit(f"{' '.join(command)} ended with {run.returncode}: {run.stderr.decode().strip()}")
    return json.loads(run.stdout)


def measure(program, model, data, backend, proofs, folder):
    """Times of so many proofs of a model, in seconds, in the order in which they were made."""
    made = ("--dir", folder / "artifacts", "--contracts", folder / "contracts")
    call(program, "run", model, "--data", data, "--backend", backend, *made)
    warm, load = [], []
    for index in range(proofs):
        sample = ("--input", data, "--index", index % 8, "--out", folder / "proof.json")
        report = call(program, "prove", "--dir", folder / "artifacts", *sample)
        loading = sum(phase["seconds"] for phase in report["phases"] if phase["phase"] == "load")
        load.append(round(loading, 6))
        warm.append(round(report["seconds"] - loading, 6))
    key = (folder / "artifacts" / "proving.key").stat().st_size
    return {"seconds": warm, "load_seconds": load, "key_bytes": key}


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("program", type=pathlib.Path)
    parser.add_argument("--proofs", type=int, default=30)
    parser.add_argument("--machine", default="", help="a remark about the machine and what else it did")
    options = parser.parse_args()
    models = {}
    with tempfile.TemporaryDirectory() as scratch:
        for name, (model, data, backend) in MODELS.items():
            folder = pathlib.Path(scratch) / name
            folder.mkdir()
            models[name] = measure(options.program.resolve(), model, data, backend, options.proofs, folder)
    document = {"machine": options.machine, "cores": os.cpu_count(), "load": round(os.getloadavg()[0], 2), "models": models}
    print(json.dumps(document, indent=1))


if __name__ == "__main__":
    main()
