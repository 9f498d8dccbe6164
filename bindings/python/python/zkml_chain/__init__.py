"""Zero-knowledge proofs of models: *this committed model, on this input, gave this output.*

>>> import zkml_chain as zk
>>> m = zk.compile("credit.onnx", samples=X)
>>> p = m.prove(X[0])
>>> p.outputs, p.verify()
>>> m.simulate(p, tamper=True).gas
>>> m.save("artifacts/credit")

A proof says nothing about whether the model is good or the input true. The code has not been audited, and what is tried out here rests on a
development setup whose secret is public, unless another one is named.
"""

from ._compiler import install_solidity
from ._errors import (
    ArtifactError,
    Defect,
    Inaccurate,
    InputError,
    Refused,
    SystemFailure,
    UsageError,
    Waits,
    ZkmlError,
    ZkmlWarning,
)
from ._model import Model, compile, load
from ._native import VERSION as __version__
from ._proof import Proof, verify
from ._results import (
    Calibration,
    Check,
    Commitment,
    Contracts,
    Cost,
    InputCommitments,
    Layer,
    OutputCheck,
    Port,
    Refusal,
    Report,
    Simulation,
    Verdict,
)

__all__ = [
    "ArtifactError",
    "Calibration",
    "Check",
    "Commitment",
    "Contracts",
    "Cost",
    "Defect",
    "Inaccurate",
    "InputCommitments",
    "InputError",
    "Layer",
    "Model",
    "OutputCheck",
    "Port",
    "Proof",
    "Refusal",
    "Refused",
    "Report",
    "Simulation",
    "SystemFailure",
    "UsageError",
    "Verdict",
    "Waits",
    "ZkmlError",
    "ZkmlWarning",
    "__version__",
    "compile",
    "install_solidity",
    "load",
    "verify",
]
