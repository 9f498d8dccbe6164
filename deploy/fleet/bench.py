#!/usr/bin/env python3
"""Measures a fleet on this machine: `python -m bench PROGRAM` in deploy/fleet, with real proofs, PostgreSQL over TLS and a local node.

For each model and number of workers the same requests wait on the chain when the fleet starts. A row says how many proofs a second were
taken, how long a task was in the queue (watch's `proven`) and at a worker (`done`), and how much processor time of the workers a proof took.
Each worker proves with as many threads as `--threads` says. The rows go to standard output as a table, and as JSON to `--out`;
`make fleet-figures` puts them into the book.
"""

import argparse
import json
import os
import pathlib
import shutil
import signal
import statistics
import subprocess
import sys
import tempfile
import time

from simulate.page import bench_table
from tests.common import ROOT
from tests.database import Database, free_port

LENET = ("models/bench/lenet/lenet.onnx", "models/bench/lenet/calibration.json")
# Model, data and number of requests.
MODELS = {
    "credit": ("models/credit/credit.onnx", "models/credit/calibration.json", 120),
    "lenet": (*LENET, 40),
}
# Anvil's second account, whose key everybody has.
ASKER = "0x59c6995e998f97a5a0044966f0945389dc9e86dae88c7a8412f4603b6b78690d"


class Bench:
    """A model, a node with its contract, and a database."""

    def __init__(self, program, folder, database, name, options):
        self.program, self.folder, self.database, self.threads = program, folder, database, options.threads
        model, data, requests = MODELS[name]
        self.requests = options.requests or requests
        self.objects = options.objects
        self.dir = folder / "artifacts"
        port = free_port()
        anvil = shutil.which("anvil") or ROOT / "node_modules/.bin/anvil"
        self.node = subprocess.Popen([anvil, "--port", str(port), "--silent"], stdout=subprocess.DEVNULL)
        self.environment = {**os.environ, "ANVIL_RPC_URL": f"http://127.0.0.1:{port}", "ASKER": ASKER}
        time.sleep(1)
        self.call("run", model, "--data", data, "--backend", "sumcheck", "--dir", self.dir, "--contracts", folder / "contracts")
        self.call("gen-verifier", "--dir", self.dir)
        self.chain = ("--dir", self.dir, "--deployments", folder / "deployments", "--chain", "anvil")
        self.call("deploy", *self.chain, "--consumer", "requests", "--broadcast", "--test-key")
        # The public half is beside it.
        self.identity = folder / "fleet.identity"
        self.call("queue", "identity", "--out", self.identity)
        shutil.copy(self.dir / "sample.json", folder / "input.json")

    def call(self, *arguments, user="owner"):
        """The report of a command, as data."""
        environment = {**self.environment, "ZKML_DATABASE_URL": self.database.url(f"zkml_{user}")}
        command = [self.program, *map(str, arguments), "--json", "--quiet"]
        run = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
        if run.returncode != 0:
            sys.exit(f"{' '.join(command)} ended with {run.returncode}: {run.stdout}{run.stderr}")
        return json.loads(run.stdout)

    def start(self, user, log, *arguments):
        environment = {**self.environment, "ZKML_DATABASE_URL": self.database.url(f"zkml_{user}"), "RAYON_NUM_THREADS": str(self.threads)}
        command = [self.program, *map(str, arguments), "--json", "--quiet", "--listen", "127.0.0.1:0"]
        return subprocess.Popen(command, cwd=ROOT, env=environment, stdout=log, stderr=sys.stderr)

    def ask(self):
        """Requests that wait on the chain."""
        for _ in range(self.requests):
            self.call("request", *self.chain, "--key-env", "ASKER", "--input", self.folder / "input.json", "--share", self.folder / "inputs")

    def measure(self, workers):
        """The figures of so many workers."""
        self.ask()
        objects, running, logs = self.objects or f"file://{self.folder}/objects", [], []
        for number in range(workers):
            log = (self.folder / f"worker{number}.log").open("w+")
            place = ("--objects", objects, "--cache", self.folder / f"cache{number}", "--identity", self.identity)
            running.append(self.start("worker", log, "worker", "--name", f"w{number}", "--memory", "2GiB", "--poll", 20, *place))
            logs.append(log)
        log = (self.folder / "watch.log").open("w+")
        sealed = ("--queue", "postgres", "--objects", objects, "--seal-to", f"{self.identity}.pub", "--inputs", self.folder / "inputs")
        watch = self.start("owner", log, "watch", *self.chain, "--test-key", "--until-idle", "--poll", 1, *sealed)
        begun, ended, proven = None, None, 0
        with (self.folder / "watch.log").open() as told:
            while watch.poll() is None:
                for line in told:
                    event = json.loads(line)["event"]
                    if event == "proving" and begun is None:
                        begun = time.monotonic()
                    if event == "proven":
                        proven, ended = proven + 1, time.monotonic()
                time.sleep(0.02)
        for worker in running:
            worker.send_signal(signal.SIGTERM)
        used = sum(self.processor_time(worker) for worker in running)
        waited = self.times(log, "proven")
        worked = [time for log in logs for time in self.times(log, "done")]
        if len(waited) != self.requests or watch.returncode != 0:
            sys.exit(f"{len(waited)} of {self.requests} proofs, watch ended with {watch.returncode}")
        return {
            "workers": workers,
            "proofs": len(waited),
            "proofs_per_second": round(len(waited) / (ended - begun), 2),
            "queue_p50": self.percentile(waited, 50), "queue_p99": self.percentile(waited, 99),
            "worker_p50": self.percentile(worked, 50), "worker_p99": self.percentile(worked, 99),
            "processor_seconds_a_proof": round(used / len(waited), 3),
        }

    @staticmethod
    def processor_time(worker):
        """Seconds that a process took of all cores; it has been told to end."""
        _, status, usage = os.wait4(worker.pid, 0)
        worker.returncode = os.waitstatus_to_exitcode(status)
        return usage.ru_utime + usage.ru_stime

    @staticmethod
    def times(log, event):
        log.seek(0)
        return [line["milliseconds"] / 1000 for line in map(json.loads, log) if line["event"] == event]

    @staticmethod
    def percentile(times, percent):
        return round(statistics.quantiles(times, n=100, method="inclusive")[percent - 1], 3)

    def end(self):
        self.node.terminate()
        self.node.wait()


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("program", type=pathlib.Path)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--out", type=pathlib.Path)
    parser.add_argument("--requests", type=int, help="instead of each model's number")
    parser.add_argument("--objects", help="object storage instead of a folder: s3://bucket/prefix, say, with its keys in the environment")
    parser.add_argument("--models", default=",".join(MODELS))
    parser.add_argument("--workers", default="1,2,4")
    options = parser.parse_args()
    rows = []
    for name in options.models.split(","):
        with tempfile.TemporaryDirectory() as scratch, Database() as database:
            database.roles()
            bench = Bench(options.program.resolve(), pathlib.Path(scratch), database, name, options)
            try:
                bench.call("queue", "migrate")
                for workers in map(int, options.workers.split(",")):
                    rows.append({"model": name, **bench.measure(workers)})
                    print(rows[-1], file=sys.stderr)
            finally:
                bench.end()
    document = {"cores": os.cpu_count(), "threads": options.threads, "load": round(os.getloadavg()[0], 2), "rows": rows}
    if options.out:
        options.out.write_text(json.dumps(document, indent=1) + "\n")
    print(bench_table(rows), end="")


if __name__ == "__main__":
    main()
