"""The verdict of the contract, and what is said without compiler or Node."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import numpy as np
import pytest
from conftest import ROOT

import zkml_chain as zk
from zkml_chain import _compiler


def test_the_contract_accepts_proofs_and_refuses_changes(credit: zk.Model, X: np.ndarray) -> None:
    first, second = credit.prove(X[0]), credit.prove(X[1])
    result = credit.simulate(first, tamper=True)
    assert 150_000 < result.gas < 600_000 and result.gas < result.routed_gas
    assert {r.answer.partition("(")[0] for r in result.refusals} >= {"ProofRejected", "UnsafeSetup"}
    assert sum(result.gas_by_cause.values()) == result.gas
    assert "accepted by the contract" in result._repr_html_()
    # The folder's own is the latest.
    assert credit.simulate().gas != 0 and second.verify()
    with pytest.raises(zk.ZkmlError, match="UnsafeSetup"):
        credit.simulate(first, chain_id=1)


def test_contracts(credit: zk.Model, X: np.ndarray) -> None:
    contracts = credit.solidity(credit.prove(X[0]))
    assert "contract CreditVerifier" in contracts["CreditVerifier.sol"]
    assert list(contracts)[0] in dict(contracts) and len(contracts) >= 3
    assert all(path.is_file() and path.parent == credit.dir / "solidity" for path in contracts.files)
    assert contracts.unsafe_dev_srs and contracts.checks and "pragma" not in repr(contracts)


def test_a_proof_comes_before_contracts(folder: Path) -> None:
    shutil.rmtree(folder / "proofs", ignore_errors=True)
    with pytest.raises(zk.ZkmlError, match=r"proofs/proof\.json") as missing:
        zk.load(folder).solidity()
    assert missing.value.way_out


def test_what_is_missing_is_named(credit: zk.Model, X: np.ndarray, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    proof = credit.prove(X[2])
    monkeypatch.setenv("ZKML_NODE", "no-such-node")
    with pytest.raises(zk.SystemFailure, match="no-such-node"):
        credit.simulate(proof)
    monkeypatch.delenv("ZKML_NODE")
    monkeypatch.setenv("ZKML_SOLC", str(tmp_path))
    with pytest.raises(zk.SystemFailure, match="solc") as missing:
        credit.simulate(proof)
    assert "install_solidity" in str(missing.value.way_out)
    # And all else goes on.
    assert proof.verify()


def test_versions_are_those_of_the_project() -> None:
    package = json.loads((ROOT / "package.json").read_text())
    known = {**package.get("dependencies", {}), **package.get("devDependencies", {}), **package.get("peerDependencies", {})}
    assert {name: known[name] for name in _compiler._PACKAGES} == _compiler._PACKAGES


def test_an_installed_compiler_is_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ZKML_CACHE", str(tmp_path))
    monkeypatch.delenv("ZKML_SOLC")
    monkeypatch.chdir(tmp_path)
    _compiler.point_to()
    assert "ZKML_SOLC" not in __import__("os").environ
    for name in _compiler._PACKAGES:
        package = _compiler.folder() / "node_modules" / name
        package.mkdir(parents=True)
        (package / "package.json").touch()
    assert zk.install_solidity() == _compiler.folder(), "what is there is kept"
    assert __import__("os").environ["ZKML_SOLC"] == str(_compiler.folder())
    monkeypatch.setenv("ZKML_SOLC", "")


def test_without_node_the_compiler_is_not_installed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ZKML_CACHE", str(tmp_path))
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr(_compiler, "_wheel", lambda what: None)
    with pytest.raises(zk.SystemFailure, match="Node") as missing:
        zk.install_solidity()
    assert missing.value.name == "node-missing" and "zkml-chain[evm]" in str(missing.value.way_out)
    assert not list(tmp_path.iterdir())
