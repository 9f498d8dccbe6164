"""From a model to a verdict, in Python and between Python and the command line."""

from __future__ import annotations

import json
import os
import pickle
import stat
import subprocess
import sys
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import pytest
from conftest import CREDIT

import zkml_chain as zk

COMMAND = [sys.executable, "-m", "zkml_chain"]


def command(*words: str | Path, code: int = 0) -> dict:
    done = subprocess.run([*COMMAND, *map(str, words), "--json"], capture_output=True, text=True)
    assert done.returncode == code, done.stdout + done.stderr
    return json.loads(done.stdout)


def test_a_proof_says_what_the_model_says(credit: zk.Model, X: np.ndarray) -> None:
    proof = credit.prove(X[0])
    session = onnxruntime.InferenceSession(str(CREDIT), providers=["CPUExecutionProvider"])
    (expected,) = session.run(None, {"applicant": X[:1]})
    (value,) = proof.outputs.values()
    assert value.shape == expected.shape and np.abs(value - expected).max() < 1e-3
    verdict = proof.verify()
    assert verdict and verdict.unsafe_dev_srs and verdict.context == proof.context == "0x" + 64 * "0"
    assert verdict.commitments == proof.commitments and verdict.commitments[0].role == "input"
    np.testing.assert_array_equal(verdict.outputs["probability_of_default"], value)
    np.testing.assert_array_equal(credit.run(X[0])["probability_of_default"][0], value)


def test_bytes_and_protos_are_models_too(credit: zk.Model, X: np.ndarray, tmp_path: Path) -> None:
    content = CREDIT.read_bytes()
    hashes = [
        zk.compile(model, name="credit", samples=X).model_hash
        for model in (content, memoryview(content), onnx.load(CREDIT), str(CREDIT))
    ]
    assert set(hashes) == {credit.model_hash}


def test_a_changed_proof_is_refused(credit: zk.Model, X: np.ndarray, tmp_path: Path) -> None:
    proof = credit.prove(X[1])
    document = json.loads(proof.to_bytes())
    body = document["proof"]
    document["proof"] = body[:-1] + ("0" if body[-1] != "0" else "1")
    program = (credit.dir / "program.json").read_bytes()
    with pytest.raises(zk.Refused, match="refused") as refused:
        zk.verify(json.dumps(document).encode(), program)
    assert refused.value.exit_code == 1
    for given, words in [
        ((b"{}", program), "the proof cannot be used"),
        ((proof.to_bytes(), b"{}"), "the verifier program cannot be used"),
        ((proof.to_bytes(), b"no JSON"), "the verifier program cannot be used"),
    ]:
        with pytest.raises(zk.InputError, match=words):
            zk.verify(*given)
    path = tmp_path / "proof.json"
    proof.save(path)
    assert path.read_bytes() == proof.to_bytes()
    assert zk.verify(path, credit.dir / "program.json").context == proof.context
    assert zk.Proof.load(path, credit.dir / "program.json").verify()


def test_a_context_binds(credit: zk.Model, X: np.ndarray) -> None:
    context = "0x1f" + 62 * "5"
    assert credit.prove(X[0], context=context).verify().context == context
    for wrong in ("0x20" + 62 * "0", "12", "0xzz"):
        with pytest.raises(zk.UsageError, match="context"):
            credit.prove(X[0], context=wrong)


def test_folders_go_to_the_command_line_and_back(X: np.ndarray, tmp_path: Path) -> None:
    model = zk.compile(CREDIT, samples=X, optimize="gas")
    temporary = model.dir
    proof = model.prove(X[3])
    kept = model.save(tmp_path / "kept")
    assert model.dir == kept and not temporary.exists()
    report = command("verify", "--dir", kept)
    assert report["accepted"] and report["context"] == proof.context
    command("prove", "--dir", kept, "--input", kept / "sample.json")
    # What the command line wrote, Python reads.
    other = zk.load(kept)
    assert other.cost == model.cost and other.inputs == model.inputs
    assert zk.verify(kept / "proofs" / "proof.json", kept / "program.json")
    np.save(tmp_path / "x.npy", X)
    made = tmp_path / "made"
    command("calibrate", CREDIT, "--data", tmp_path / "x.npy", "--dir", made)
    command("compile", "--dir", made, "--optimize", "gas")
    with pytest.raises(zk.ArtifactError, match="program.json") as missing:
        zk.load(made)
    assert missing.value.name == "missing-file" and "zkml-chain setup" in str(missing.value.way_out)
    command("setup", "--dir", made)
    loaded = zk.load(made)
    # Samples in memory give the very same model as those of a file.
    assert loaded.model_hash == model.model_hash
    assert loaded.prove(X[3]).verify()


def test_saving_is_whole_or_absent(credit: zk.Model, tmp_path: Path) -> None:
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "file").touch()
    with pytest.raises(zk.UsageError, match="exists already"):
        zk.load(credit.dir).save(tmp_path / "full")
    copy = zk.load(credit.dir)
    (tmp_path / "broken").mkdir()
    copy.dir = tmp_path / "broken"
    with pytest.raises(zk.ArtifactError):
        copy.save(tmp_path / "target")
    assert sorted(p.name for p in tmp_path.iterdir()) == ["broken", "full"]


def test_salts_are_private_and_used_again(credit: zk.Model, X: np.ndarray, tmp_path: Path) -> None:
    first, second = credit.prove(X[0]), credit.prove(X[0])
    assert first.commitments != second.commitments, "each proof has a salt of its own"
    salts = tmp_path / "applicant.private.json"
    again = [credit.prove(X[0], salts=salts) for _ in range(2)]
    assert again[0].commitments == again[1].commitments
    assert again[0].private_files == (salts,)
    with pytest.raises(zk.InputError, match="other values"):
        credit.prove(X[1], salts=salts)
    content = json.loads(salts.read_text())
    secrets = [opening["salt"] for opening in content["openings"]]
    shown = "".join([repr(again[0]), again[0]._repr_html_(), again[0].to_bytes().decode(), repr(credit), credit._repr_html_()])
    assert secrets and not any(secret[2:] in shown for secret in secrets)
    for path in (salts, *first.private_files):
        assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_committed_outputs_are_the_owners(X: np.ndarray) -> None:
    model = zk.compile(CREDIT, samples=X, outputs="committed", inputs={"applicant": "public"})
    proof = model.prove(X[0])
    value = proof.outputs["probability_of_default"]
    np.testing.assert_array_equal(value, model.run(X[0])["probability_of_default"][0])
    assert not proof.verify().outputs and [c.role for c in proof.commitments] == ["output"]
    sent = pickle.loads(pickle.dumps(proof))
    assert not sent.outputs and sent.verify() and str(float(value.item())) not in repr(proof)


def test_private_weights(X: np.ndarray) -> None:
    model = zk.compile(CREDIT, samples=X, weights="committed", backend="sumcheck")
    proof = model.prove(X[0])
    assert proof.verify().weights_in_ranges is False, "nobody has proven them yet"
    commitment = model.commit_weights()
    verdict = proof.verify()
    assert verdict.weights_in_ranges is True and commitment in verdict.commitments
    assert stat.S_IMODE((model.dir / "weights.bin").stat().st_mode) == 0o600


def test_public_weights_have_no_commitment(credit: zk.Model) -> None:
    with pytest.raises(zk.InputError, match="public") as public:
        credit.commit_weights()
    assert public.value.name == "not-committed"


def test_temporary_folders_go(X: np.ndarray) -> None:
    model = zk.compile(CREDIT, samples=X)
    folder = model.dir
    assert folder.is_dir() and stat.S_IMODE(folder.stat().st_mode) == 0o700
    del model
    assert not folder.exists()


def test_pickles(credit: zk.Model, X: np.ndarray) -> None:
    proof = credit.prove(X[0])
    again = pickle.loads(pickle.dumps(proof))
    assert again.to_bytes() == proof.to_bytes() and again.verify()
    np.testing.assert_array_equal(again.outputs["probability_of_default"], proof.outputs["probability_of_default"])
    assert pickle.loads(pickle.dumps(credit)).dir == credit.dir
    with pytest.raises(TypeError, match="save"):
        pickle.dumps(zk.compile(CREDIT, samples=X))


def test_the_command_line_is_the_same(tmp_path: Path) -> None:
    done = subprocess.run([*COMMAND, "--version"], capture_output=True, text=True)
    assert done.stdout.split() == ["zkml-chain", zk.__version__]
    script = Path(sys.executable).parent / "zkml-chain"
    if script.exists():
        assert subprocess.run([script, "--version"], capture_output=True, text=True).stdout == done.stdout
    assert subprocess.run([*COMMAND, "nonsense"], capture_output=True).returncode == 2
    assert command("inspect", "nowhere.onnx", code=3)["error"]["name"] == "model"


def test_the_cache_is_where_the_command_line_has_it(cache: Path) -> None:
    assert any((cache / "srs").glob("dev-*.srs")) and os.environ["ZKML_CACHE"] == str(cache)


def test_a_commitment_made_before_is_the_one_of_the_proof(credit: zk.Model, X: np.ndarray, tmp_path: Path) -> None:
    made = credit.commit(X[2], salts=tmp_path / "x.private.json")
    assert not made.reused and made.private_file == tmp_path / "x.private.json"
    assert stat.S_IMODE(made.private_file.stat().st_mode) == 0o600
    proof = credit.prove(X[2], salts=made.private_file)
    assert proof.commitments == made.commitments
    again = credit.commit(X[2], salts=made.private_file)
    assert again.reused and again.commitments == made.commitments
    checked = command("commit", "--opening", made.private_file, "--check", made.commitments[0].commitment)
    assert checked["commitments"][0]["commitment"] == made.commitments[0].commitment
    with pytest.raises(zk.InputError):
        credit.commit(X[3], salts=made.private_file)
    with pytest.raises(zk.InputError):
        credit.commit(X[2, :5])
    assert credit.commit(X[2]).commitments != made.commitments, "another salt"


def test_another_model_of_an_architecture_shares_its_verifier(X: np.ndarray, tmp_path: Path) -> None:
    base = zk.compile(CREDIT, samples=X, weights="committed", backend="sumcheck")
    other = onnx.load(CREDIT)
    (changed,) = [t for t in other.graph.initializer if t.dims][:1]
    values = onnx.numpy_helper.to_array(changed)
    changed.CopyFrom(onnx.numpy_helper.from_array(values * np.float32(0.5), changed.name))
    for like in (base, base.dir):
        made = zk.compile(other, like=like, name="other")
        assert (made.dir / "program.json").read_bytes() == (base.dir / "program.json").read_bytes()
    verdict = zk.verify(made.prove(X[0]).to_bytes(), (base.dir / "program.json").read_bytes())
    assert [c.role for c in verdict.commitments] == ["input", "model"]
    assert made.commit_weights() != base.commit_weights()
    with pytest.raises(zk.UsageError, match="like="):
        zk.compile(other, like=base, optimize="gas")
    with pytest.raises(zk.InputError):
        zk.compile(CREDIT, like=zk.compile(CREDIT, samples=X))
