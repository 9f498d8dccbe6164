"""What goes wrong with models, folders and the machine is said, by the names of the command line."""

from __future__ import annotations

import json
import pickle
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from conftest import CREDIT, wide
from onnx import TensorProto, helper

import zkml_chain as zk
from zkml_chain import _memory


def damaged(name: str, change: Any) -> Any:
    def damage(folder: Path) -> None:
        path = folder / name
        path.write_bytes(change(path.read_bytes()))

    return damage


def version(content: bytes) -> bytes:
    manifest = json.loads(content)
    key = next(k for k in manifest if "version" in k)
    manifest[key] = 999 if isinstance(manifest[key], int) else "999.0"
    return json.dumps(manifest).encode()


FOLDERS = [
    ("manifest", damaged("manifest.json", lambda _: b"{"), "manifest"),
    ("manifest", damaged("manifest.json", version), "manifest"),
    ("stale-file", damaged("graph.bin", lambda b: b[:-1] + bytes([b[-1] ^ 1])), "graph.bin"),
    ("stale-file", damaged("settings.json", lambda b: b + b" "), "settings.json"),
    ("missing-file", lambda folder: (folder / "interface.json").unlink(), "interface.json"),
    ("missing-file", lambda folder: (folder / "program.json").unlink(), "program.json"),
    ("no-artifacts", lambda folder: (folder / "manifest.json").unlink(), "manifest.json"),
    ("no-artifacts", lambda folder: shutil.rmtree(folder), "not an artifact folder"),
]


@pytest.mark.parametrize(("name", "damage", "words"), FOLDERS, ids=[f"{f[0]}-{f[2]}-{at}" for at, f in enumerate(FOLDERS)])
def test_damaged_folders(name: str, damage: Any, words: str, folder: Path) -> None:
    damage(folder)
    with pytest.raises(zk.ArtifactError, match=words) as refused:
        zk.load(folder).prove()
    assert refused.value.name == name and refused.value.way_out


def test_a_damaged_key_is_refused(folder: Path, X: np.ndarray) -> None:
    model = zk.load(folder)
    before = sorted(folder.rglob("proofs/*"))
    key = folder / "proving.key"
    key.write_bytes(key.read_bytes()[:-32])
    with pytest.raises(zk.ArtifactError, match=r"proving\.key"):
        model.prove(X[0])
    assert sorted(folder.rglob("proofs/*")) == before


def test_names_and_ways_out_are_those_of_the_command_line(folder: Path) -> None:
    (folder / "interface.json").write_bytes(b"{}")
    with pytest.raises(zk.ArtifactError) as refused:
        zk.load(folder)
    words = [sys.executable, "-m", "zkml_chain", "prove", "--dir", str(folder), "--json"]
    done = subprocess.run(words, capture_output=True, text=True)
    error = json.loads(done.stdout)["error"]
    found = refused.value
    assert (found.name, found.message, found.way_out) == (error["name"], error["message"], error["way_out"])
    assert found.exit_code == done.returncode == 4
    again = pickle.loads(pickle.dumps(found))
    assert type(again) is type(found) and str(again) == str(found) and again.name == found.name


def unsupported() -> bytes:
    ports = [helper.make_tensor_value_info(n, TensorProto.FLOAT, [1, 3]) for n in ("x", "y")]
    nodes = [helper.make_node("Det", ["x"], ["d"]), helper.make_node("NoSuchOperator", ["d"], ["y"])]
    graph = helper.make_graph(nodes, "odd", ports[:1], ports[1:])
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9).SerializeToString()


@pytest.mark.parametrize(
    ("model", "kind", "words"),
    [
        (b"", zk.InputError, "model.onnx"),
        (b"no model", zk.InputError, "model.onnx"),
        (unsupported(), zk.InputError, "NoSuchOperator|Det"),
        ("nowhere.onnx", zk.InputError, "nowhere.onnx"),
        (Path(__file__).parent, zk.InputError, "no such file"),
        (object(), zk.UsageError, "object"),
        (None, zk.UsageError, "NoneType"),
        (np.zeros(3), zk.UsageError, "ndarray"),
    ],
    ids=["empty", "text", "operators", "path", "folder", "object", "none", "array"],
)
def test_what_is_no_model(model: Any, kind: type[zk.ZkmlError], words: str) -> None:
    with pytest.raises(kind, match=words) as refused:
        zk.compile(model, samples=np.zeros((4, 3)))
    assert refused.value.name != "defect"


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"inputs": "secret"}, "inputs"),
        ({"inputs": {}}, "expected"),
        ({"inputs": {"applicant": "secret"}}, "inputs"),
        ({"weights": "secret"}, "weights"),
        ({"optimize": "everything"}, "optimize"),
        ({"backend": "groth16"}, "backend"),
        ({"tolerance": 0.0}, "tolerance"),
        ({"activation_scale": 99}, "activation"),
        ({"dims": {"": 0}}, "dims"),
        ({"progress": 7}, "progress"),
        ({"name": "other"}, "name"),
    ],
)
def test_wrong_arguments(arguments: dict[str, Any], words: str, X: np.ndarray, tmp_path: Path) -> None:
    with pytest.raises((zk.UsageError, zk.InputError), match=words):
        zk.compile(CREDIT, samples=X, dir=tmp_path / "made", **arguments)


def test_a_folder_of_another_model_stays(credit: zk.Model, folder: Path, X: np.ndarray) -> None:
    before = {p: p.read_bytes() for p in folder.iterdir() if p.is_file() and p.name != ".lock"}
    with pytest.raises(zk.ArtifactError, match="holds the artifacts of model") as other:
        zk.compile(CREDIT.read_bytes(), samples=X, name="another", dir=folder)
    assert other.value.name == "other-model"
    assert all(path.read_bytes() == content for path, content in before.items())


def test_an_inaccurate_model_is_refused_or_accepted(X: np.ndarray) -> None:
    with pytest.raises(zk.Inaccurate, match="tolerated") as refused:
        zk.compile(CREDIT, samples=X, tolerance=1e-9)
    assert refused.value.exit_code == 6 and "allow_inaccurate=True" in str(refused.value.way_out)
    with pytest.warns(zk.ZkmlWarning, match="tolerated"):
        assert zk.compile(CREDIT, samples=X, tolerance=1e-9, allow_inaccurate=True).prove(X[0]).verify()


def test_random_samples_are_warned_of() -> None:
    with pytest.warns(zk.ZkmlWarning, match="random"):
        assert zk.compile(CREDIT).calibration.random


def test_memory_that_would_not_do_is_refused_before(credit: zk.Model, X: np.ndarray, monkeypatch: pytest.MonkeyPatch) -> None:
    assert (_memory.available() or 0) > 0
    monkeypatch.setattr(_memory, "available", lambda: 3)
    with pytest.raises(MemoryError, match=r"\d+ MB, and 3 MB are available"):
        credit.prove(X[0])
    with pytest.raises(MemoryError, match="way out"):
        zk.compile(CREDIT, samples=X)


def test_a_limit_of_the_process_is_seen() -> None:
    code = "import resource; from zkml_chain import _memory; resource.setrlimit(resource.RLIMIT_AS, (1 << 32, 1 << 32)); print(_memory.available())"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert 0 < int(done.stdout) < 4096


def test_a_full_folder_leaves_nothing_half(tmp_path: Path, X: np.ndarray) -> None:
    """A limit on the length of files stands for a disk that is full."""
    code = f"""
import resource, warnings; warnings.simplefilter("ignore")
import numpy as np, zkml_chain as zk
x = np.array({X[:4].tolist()})
resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, 20_000))
import signal; signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
try: zk.compile({str(CREDIT)!r}, samples=x, dir={str(tmp_path / "made")!r})
except zk.SystemFailure as e: print(e.name, e.way_out)
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.stdout.startswith("io ") and "half-written" in done.stdout, done.stdout + done.stderr
    left = [p.name for p in (tmp_path / "made").rglob("*") if p.name.endswith(".key") or ".tmp" in p.name]
    assert not left


def test_a_wide_model_is_a_model(tmp_path: Path) -> None:
    assert wide(tmp_path / "wide.onnx", 8).stat().st_size > 0
