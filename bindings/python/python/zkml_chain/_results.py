"""Results as data, with tables and plots for notebooks."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from html import escape
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from . import _html


@dataclass(frozen=True)
class Port:
    """An input or output of a compiled model."""

    #: Its name in the ONNX model.
    name: str
    #: Its shape, for one sample.
    shape: tuple[int, ...]
    #: Its type in the ONNX model: ``"f32"``, ``"i64"``.
    kind: str
    #: Fraction bits: ``real = integer * 2**-scale``.
    scale: int
    #: Smallest real value that the compiled model carries.
    lo: float
    #: Largest real value that the compiled model carries.
    hi: float

    @classmethod
    def of(cls, port: Mapping[str, Any]) -> Port:
        """From the folder's ``interface.json``."""
        return cls(port["name"], tuple(port["shape"]), port["kind"], port["scale"], port["lo"], port["hi"])


@dataclass(frozen=True)
class Cost:
    """What proving is expected to cost, on two cores."""

    #: ``"sumcheck"`` or ``"halo2"``.
    backend: str
    #: What was made cheap: ``"prover"`` or ``"gas"``.
    optimize: str
    #: The setup has at least ``2**k`` powers.
    k: int
    #: Length of a proof in bytes.
    proof_bytes: int
    #: Gas of a transaction that verifies a proof.
    gas: int
    #: Time of a proof in seconds.
    seconds: float
    #: Peak memory of proving in megabytes.
    memory_mb: int
    #: Length of the proving key in bytes.
    key_bytes: int

    @classmethod
    def of(cls, cost: Mapping[str, Any]) -> Cost:
        """From a report."""
        return cls(
            cost["backend"],
            cost["optimize"],
            cost["k"],
            cost["proof_bytes"],
            cost["gas_estimate"],
            cost["seconds_estimate"],
            cost["memory_mb_estimate"],
            cost["key_bytes_estimate"],
        )


@dataclass(frozen=True)
class Layer:
    """A value inside the model: its range, and the error of its integers against the float model."""

    #: Its name.
    name: str
    #: Its shape.
    shape: tuple[int, ...]
    #: Fraction bits.
    scale: int
    #: Smallest value seen.
    lo: float
    #: Largest value seen.
    hi: float
    #: Largest absolute error.
    max_abs_error: float
    #: Mean absolute error.
    mean_abs_error: float


@dataclass(frozen=True)
class Calibration:
    """What calibration found."""

    #: Number of samples that ranges come from.
    samples: int
    #: Returns ``True`` if they were random: then all of this says little.
    random: bool
    #: Largest absolute error of each output against the float model.
    errors: dict[str, float]
    #: Share of samples with the same label, for outputs that have one.
    label_agreement: dict[str, float]
    #: Values inside the model, in order.
    layers: tuple[Layer, ...]
    #: How much of a proof each node is, in lookups, the most first.
    lookups: dict[str, int]
    #: What a reader should know.
    notices: tuple[str, ...]

    @classmethod
    def of(cls, report: Mapping[str, Any]) -> Calibration:
        """From the folder's ``calibration.json``."""
        layers = (
            Layer(
                layer["name"],
                tuple(layer["shape"]),
                layer["scale"],
                layer["lo"],
                layer["hi"],
                layer["max_abs_error"],
                layer["mean_abs_error"],
            )
            for layer in report["layers"]
        )
        outputs = report["outputs"]
        agreement = {o["name"]: o["label_agreement"] for o in outputs if o["label_agreement"] is not None}
        return cls(
            report["samples"],
            report["random"],
            {o["name"]: o["max_abs_error"] for o in outputs},
            agreement,
            tuple(layers),
            {e["name"]: e["lookups"] for e in report.get("efforts", [])},
            tuple(report["notices"]),
        )

    @property
    def max_abs_error(self) -> float:
        """Largest absolute error of any output."""
        return max(self.errors.values(), default=0.0)

    def plot_error(self) -> _html.Picture:
        """Largest error of each layer, as a share of the layer's range. Shown by notebooks; ``str()`` of it is SVG."""
        shares = {
            layer.name: layer.max_abs_error / max(layer.hi - layer.lo, 1e-12)
            for layer in self.layers
            if layer.hi > layer.lo
        }
        return _html.bars("largest error, share of the layer's range", shares, "{:.1e}")

    def plot_cost(self) -> _html.Picture:
        """Share of each operator in a proof, by lookups. Shown by notebooks; ``str()`` of it is SVG."""
        total = sum(self.lookups.values()) or 1
        return _html.bars("share of a proof", {name: 100 * n / total for name, n in self.lookups.items()}, "{:.1f} %")


@dataclass(frozen=True)
class Commitment:
    """A commitment in a statement. Compare it with the one that you were given."""

    #: ``"input"``, ``"model"`` or ``"output"``.
    role: str
    #: Names of what is committed to.
    name: str
    #: The number, in hexadecimal.
    commitment: str

    @classmethod
    def of(cls, found: Mapping[str, Any]) -> Commitment:
        """From a report."""
        return cls(found["role"], found["name"], found["commitment"])


@dataclass(frozen=True)
class InputCommitments:
    """Commitments to the inputs of a sample, and where their salts are kept: with those, proofs carry the same commitments."""

    #: One for each input that is committed to, in the order of the model.
    commitments: tuple[Commitment, ...]
    #: The private file with salts and values, for ``prove(x, salts=…)`` and for ``zkml-chain commit --opening``: publish none of it.
    private_file: Path
    #: The salts were there before.
    reused: bool


@dataclass(frozen=True)
class Verdict:
    """An accepted proof; a refused one is an exception."""

    #: What the proof is bound to, in hexadecimal; zero when unbound: then anybody may show it to anybody.
    context: str
    #: The outputs that are proven, by name, in their shapes where those are known; none behind commitments.
    outputs: dict[str, npt.NDArray[np.float64]]
    #: The commitments in the statement.
    commitments: tuple[Commitment, ...]
    #: The setup's secret is public: the proof convinces nobody.
    unsafe_dev_srs: bool
    #: The private weights are proven to lie in their ranges; ``None`` where the proof itself says so, or weights are public.
    weights_in_ranges: bool | None

    def __bool__(self) -> bool:
        return True


@dataclass(frozen=True)
class Refusal:
    """A change of a proof or statement, and the contract's answer."""

    #: The change.
    change: str
    #: The custom error that the contract reverted with.
    answer: str
    #: Gas that the refusal cost.
    gas: int


# Parts of the gas report, as people read them.
_PARTS = {
    "base": "base",
    "calldata": "calldata",
    "ec_mul": "scalar multiplications",
    "ec_add": "point additions",
    "pairing": "pairing",
    "modexp": "inversions",
    "keccak": "hashing",
    "arithmetic": "arithmetic",
}


@dataclass(frozen=True)
class Simulation:
    """The verdict of a local EVM: the contract accepted the proof."""

    #: Gas of a transaction that verifies the proof.
    gas: int
    #: The same through registry and router, as consumers send it.
    routed_gas: int
    #: Gas of deploying the verifier.
    deploy_gas: int
    #: Length of the verifier's code in bytes.
    code_bytes: int
    #: Length of the proof in bytes.
    proof_bytes: int
    #: The transaction's gas by cause.
    gas_by_cause: dict[str, int]
    #: Changed proofs and statements that were tried, and refused.
    refusals: tuple[Refusal, ...]
    #: The setup's secret is public.
    unsafe_dev_srs: bool

    @classmethod
    def of(cls, report: Mapping[str, Any]) -> Simulation:
        """From a report."""
        gas = {"base": 21_000, **report["gas"]}
        refusals = tuple(Refusal(r["change"], r["answer"], r["gas"]) for r in report.get("refusals", []))
        return cls(
            report["tx_gas"],
            report["routed_tx_gas"],
            report["deploy_gas"],
            report["runtime_bytes"],
            report["proof_bytes"],
            {words: gas[part] for part, words in _PARTS.items()},
            refusals,
            report["unsafe_dev_srs"],
        )

    def plot_gas(self) -> _html.Picture:
        """Gas of the transaction by cause. Shown by notebooks; ``str()`` of it is SVG."""
        parts = dict(sorted(self.gas_by_cause.items(), key=lambda part: -part[1]))
        return _html.bars(f"gas of a verification: {self.gas:,}", {k: float(v) for k, v in parts.items()}, "{:,.0f}")

    def _repr_html_(self) -> str:
        rows = {
            "a verification": f"{self.gas:,} gas",
            "through registry and router": f"{self.routed_gas:,} gas",
            "deploying the verifier": f"{self.deploy_gas:,} gas, {self.code_bytes:,} bytes of code",
            "the proof": f"{self.proof_bytes:,} bytes",
            "changed proofs refused": f"{len(self.refusals)}",
        }
        return _html.page("accepted by the contract", [_html.table(rows), self.plot_gas()])


@dataclass(frozen=True)
class Contracts(Mapping[str, str]):
    """Generated Solidity: a mapping from file names to sources. All of it was tried on good and bad proofs."""

    #: The files, also compiled code and the compiler's input.
    files: tuple[Path, ...]
    #: What a consumer pins.
    model_commitment: str
    #: The checks that the bytecode passed before anything was written.
    checks: tuple[str, ...]
    #: Gas of a transaction that verifies a proof.
    gas: int
    #: Gas of deploying the verifier.
    deploy_gas: int
    #: Length of the verifier's code in bytes.
    code_bytes: int
    #: The setup's secret is public: the constructor reverts outside test chains.
    unsafe_dev_srs: bool
    _sources: dict[str, str] = field(repr=False)

    @classmethod
    def of(cls, report: Mapping[str, Any]) -> Contracts:
        """From a report; the sources are read."""
        files = tuple(Path(path) for path in report["files"])
        return cls(
            files,
            report["model_commitment"],
            tuple(report["checks"]),
            report["gas"]["transaction"],
            report["deploy_gas"],
            report["runtime_bytes"],
            report["unsafe_dev_srs"],
            {path.name: path.read_text() for path in files if path.suffix == ".sol"},
        )

    def __getitem__(self, name: str) -> str:
        return self._sources[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._sources)

    def __len__(self) -> int:
        return len(self._sources)


@dataclass(frozen=True)
class OutputCheck:
    """An output of the integer model beside that of onnxruntime."""

    #: Its name.
    name: str
    #: Largest absolute difference.
    max_abs_error: float
    #: Mean absolute difference.
    mean_abs_error: float
    #: Share of samples with the same label: the largest element, or the same side of one half; ``None`` where neither applies.
    label_agreement: float | None


@dataclass(frozen=True)
class Check:
    """The integer model beside onnxruntime, on samples."""

    #: Samples that were compared.
    samples: int
    #: Those that the integer model refuses, each with the reason: they cannot be proven.
    refused: dict[int, str]
    #: By output.
    outputs: tuple[OutputCheck, ...]

    @property
    def max_abs_error(self) -> float:
        """Largest absolute difference of any output; not a number if nothing was compared."""
        return max((o.max_abs_error for o in self.outputs), default=float("nan"))

    def _repr_html_(self) -> str:
        rows = {
            o.name: f"largest {o.max_abs_error:.2e}, mean {o.mean_abs_error:.2e}"
            + ("" if o.label_agreement is None else f", labels agree on {100 * o.label_agreement:.1f} %")
            for o in self.outputs
        }
        rows["samples"] = f"{self.samples} compared, {len(self.refused)} refused"
        return _html.page("beside onnxruntime", [_html.table(rows)])


@dataclass(frozen=True)
class Report:
    """One page about a model. Notebooks show it; :meth:`save` keeps it."""

    #: What the page was made of, as ``zkml-chain report --json`` gives it.
    data: Mapping[str, Any] = field(repr=False)
    #: The page: self-contained HTML, without scripts.
    html: str = field(repr=False)

    @property
    def private(self) -> bool:
        """Whether it tells of weights that are private."""
        return bool(self.data["private"])

    def save(self, path: str | os.PathLike[str]) -> Path:
        """Writes the page, whole or not at all; of private weights for the owner only.

        Raises
        ------
        OSError
            If it cannot be written.
        """
        target = Path(path)
        handle, staged = tempfile.mkstemp(dir=target.parent, prefix=f".{target.name}.")
        try:
            with os.fdopen(handle, "w", encoding="utf-8") as page:
                page.write(self.html)
                page.flush()
                os.fsync(page.fileno())
            if not self.private:
                os.chmod(staged, 0o644)
            os.replace(staged, target)
        except BaseException:
            Path(staged).unlink(missing_ok=True)
            raise
        return target

    def _repr_html_(self) -> str:
        # A frame of its own: the page's style is for itself.
        return f'<iframe srcdoc="{escape(self.html)}" sandbox style="width:100%;height:42rem;border:0" title="Report"></iframe>'
