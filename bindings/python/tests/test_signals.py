"""Calls end when somebody wants them to, and threads and processes do not stand in each other's way."""

from __future__ import annotations

import multiprocessing
import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import numpy as np
import pytest
from conftest import CREDIT, wide

import zkml_chain as zk

# Says when it has come to a piece of work, which the test waits for.
CALL = """
import sys, time, warnings
warnings.simplefilter("ignore")
import numpy as np, zkml_chain as zk
class Bar:
    def __init__(self, *, total, desc, unit):
        self.set_description(desc)
    def set_description(self, desc):
        print("at", desc, flush=True)
    def update(self, n): pass
    def close(self): pass
x = np.random.default_rng(0).normal(size=(4, int(sys.argv[3]))).astype("float32")
try:
    zk.compile(sys.argv[1], samples=x, dir=sys.argv[2], progress=Bar)
    print("done", flush=True)
except KeyboardInterrupt:
    print("interrupted", flush=True)
    # Time for what goes on to do harm.
    time.sleep(3)
"""


def as_on_a_terminal() -> None:
    """What a shell starts in the background ignores Ctrl-C, and hands that on."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)


@pytest.mark.parametrize("stage", ["calibrating", "compiling", "generating keys"])
def test_ctrl_c_ends_a_call_within_a_second(stage: str, tmp_path: Path) -> None:
    width = {"calibrating": 1024, "compiling": 1024, "generating keys": 384}[stage]
    model, folder = wide(tmp_path / "wide.onnx", width), tmp_path / "made"
    words = [sys.executable, "-c", CALL, str(model), str(folder), str(width)]
    with subprocess.Popen(words, stdout=subprocess.PIPE, text=True, preexec_fn=as_on_a_terminal) as child:
        assert child.stdout is not None
        for line in child.stdout:
            if line.startswith(f"at {stage}"):
                break
        else:
            pytest.fail(f"it never came to {stage}")
        time.sleep(0.05)
        child.send_signal(signal.SIGINT)
        sent = time.monotonic()
        said = next(line for line in child.stdout if not line.startswith("at "))
        took = time.monotonic() - sent
        assert said == "interrupted\n", said
        assert took < 1, took
        child.wait(timeout=60)
    # Whole or absent: what there is can be gone on from, and what was interrupted is not there.
    absent = {"calibrating": "manifest.json", "compiling": "graph.bin", "generating keys": "proving.key"}[stage]
    assert not (folder / absent).exists()
    assert not [p for p in folder.rglob("*") if p.is_file() and p.name != ".lock" and p.name.startswith(".")]


def test_ctrl_c_ends_the_command_line(tmp_path: Path) -> None:
    model = wide(tmp_path / "wide.onnx")
    words = [sys.executable, "-m", "zkml_chain", "calibrate", str(model), "--dir", str(tmp_path / "made")]
    with subprocess.Popen(words, stderr=subprocess.PIPE, text=True, preexec_fn=as_on_a_terminal) as child:
        time.sleep(1.0)
        child.send_signal(signal.SIGINT)
        sent = time.monotonic()
        assert child.wait(timeout=30) == -signal.SIGINT
        assert time.monotonic() - sent < 1


def test_an_exception_of_a_bar_ends_the_call(X: np.ndarray, tmp_path: Path) -> None:
    class Bar:
        def __init__(self, *, total: int, desc: str, unit: str) -> None:
            raise LookupError(desc)

    with pytest.raises(LookupError, match="calibrating"):
        zk.compile(CREDIT, samples=X, progress=Bar, dir=tmp_path / "made")
    time.sleep(0.5)
    assert not (tmp_path / "made" / "manifest.json").exists()


def test_other_threads_run_meanwhile(tmp_path: Path) -> None:
    counted, done = 0, threading.Event()

    def count() -> None:
        nonlocal counted
        while not done.is_set():
            counted += 1
            time.sleep(0.001)

    thread = threading.Thread(target=count)
    thread.start()
    zk.compile(wide(tmp_path / "wide.onnx", 128), samples=np.eye(128, dtype=np.float32)[:4])
    done.set()
    thread.join()
    assert counted > 20


def test_threads_prove_at_once(credit: zk.Model, X: np.ndarray) -> None:
    expected = credit.run(X[:6])["probability_of_default"]
    proofs: dict[int, zk.Proof] = {}

    def prove(at: int) -> None:
        proofs[at] = credit.prove(X[at])

    threads = [threading.Thread(target=prove, args=(at,)) for at in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(proofs) == list(range(6))
    for at, proof in proofs.items():
        assert proof.verify()
        np.testing.assert_array_equal(proof.outputs["probability_of_default"], expected[at])


def _in_child(folder: str, x: np.ndarray, sender: object) -> None:
    sender.send(zk.load(folder).prove(x))  # type: ignore[attr-defined]


@pytest.mark.filterwarnings("ignore:.*fork.*")
@pytest.mark.parametrize("method", ["fork", "spawn"])
def test_processes_prove_after_their_parent_has(method: str, credit: zk.Model, X: np.ndarray) -> None:
    assert credit.prove(X[0]).verify()
    context = multiprocessing.get_context(method)
    receiver, sender = context.Pipe(duplex=False)
    child = context.Process(target=_in_child, args=(str(credit.dir), X[1], sender))
    child.start()
    assert receiver.poll(60), "the child hangs"
    proof = receiver.recv()
    child.join(60)
    assert child.exitcode == 0 and proof.verify()


def test_a_forked_child_leaves_the_folder_to_its_parent(X: np.ndarray) -> None:
    model = zk.compile(CREDIT, samples=X)
    child = os.fork()
    if child == 0:
        model._let_go()  # type: ignore[misc]
        os._exit(0)
    os.waitpid(child, 0)
    assert model.dir.is_dir() and model.prove(X[0]).verify()


def test_progress_has_the_interface_of_tqdm(X: np.ndarray) -> None:
    from tqdm import tqdm

    lines: list[str] = []
    bars: list[tqdm] = []

    class Recorded(tqdm):
        def __init__(self, **arguments: object) -> None:
            lines.append(str(arguments["desc"]))
            super().__init__(**arguments, file=open(os.devnull, "w"))  # noqa: SIM115
            bars.append(self)

    zk.compile(CREDIT, samples=X, progress=Recorded)
    assert lines[0] == "calibrating" and "generating keys" in lines
    assert all(bar.n == bar.total and bar.disable for bar in bars), [(b.desc, b.n, b.total) for b in bars]
