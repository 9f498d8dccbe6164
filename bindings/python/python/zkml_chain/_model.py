"""Compiled models: made, loaded, proven, checked, saved."""

from __future__ import annotations

import json
import os
import secrets
import shutil
import tempfile
import weakref
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal, TypeAlias

import numpy as np
import numpy.typing as npt

from . import _check, _compiler, _html, _memory, _native
from ._arrays import named
from ._errors import ArtifactError, InputError, UsageError
from ._progress import Progress, Teller
from ._proof import Proof
from ._results import Calibration, Check, Commitment, Contracts, Cost, InputCommitments, Port, Report, Simulation
from ._sources import onnx_file

#: Who sees something: everybody, or nobody besides the owner, who commits to it. For inputs and outputs also by name.
Sight: TypeAlias = Literal["public", "committed"]

_FOLDER = "manifest.json"


class Model:
    """A compiled model with its keys, in an artifact folder that the command line reads and writes, too.

    :func:`compile` and :func:`load` make it.

    Attributes
    ----------
    dir : pathlib.Path
        The folder. It is a temporary one, which goes with the model, unless ``dir`` was given to :func:`compile`; :meth:`save` keeps it.
    name : str
        The model's name.
    inputs, outputs : tuple[Port, ...]
        What it takes and gives: names, shapes, ranges.
    cost : Cost
        What proving is expected to cost.
    why : str
        The reason for the choice of the proof system.
    model_hash : str
        Keccak-256 of the compiled model, or of its architecture when weights are private.
    calibration : Calibration | None
        Errors against the float model, by layer; ``None`` if the folder has no report.
    """

    def __init__(self, dir: str | os.PathLike[str], *, _temporary: bool = False) -> None:
        self.dir = Path(dir)
        self._let_go = weakref.finalize(self, _remove, self.dir, os.getpid()) if _temporary else None
        ports = json.loads(_native.ports(self.dir))
        report = json.loads(_native.inspect(Teller(None), self.dir))
        # A folder without them proves nothing.
        self._program = _read(self.dir, "program.json", "setup")
        self.name: str = report["model"]
        self.inputs = tuple(Port.of(port) for port in ports["inputs"])
        self.outputs = tuple(Port.of(port) for port in ports["outputs"])
        self.cost = Cost.of(report["cost"])
        self.why: str = report["why"]
        self.model_hash: str = report["model_hash"]
        self._sight = {(p["role"], p["name"]): str(p["visibility"]) for p in report["disclosure"]["parts"]}
        kept = self.dir / "calibration.json"
        self.calibration = Calibration.of(json.loads(kept.read_bytes())) if kept.is_file() else None

    def prove(
        self,
        x: Any = None,
        *,
        context: str | None = None,
        salts: str | os.PathLike[str] | None = None,
        progress: Progress = None,
    ) -> Proof:
        """Proves what the model says about one sample.

        The proof is checked before anybody sees it, and becomes the folder's ``proofs/proof.json``. Other threads may run meanwhile, and prove
        with the same model. Ctrl-C ends the call at once.

        Parameters
        ----------
        x
            The sample: an array of the input's shape, of float64, float32, smaller floats, integers or bools; for several inputs a dict of
            those by name. A leading dimension of one may be left out. Contiguous arrays of float32 or float64 are read where they lie.
            Without one, the first sample of calibration.
        context
            What the proof is bound to: a number of 253 bits in hexadecimal, as ``zkml-chain context`` gives it. Unbound without.
        salts
            Private file with the salts of committed inputs, which is used again or made. Without, a new one in the folder, below ``inputs``.
        progress
            ``True`` for the bars of tqdm, or a class with its interface.

        Raises
        ------
        InputError
            For an array of another shape or type, numbers that are not finite, values outside the calibrated range.
        ArtifactError
            If a file of the folder is missing, edited or stale.
        MemoryError
            If proving is expected to need more memory than there is.
        KeyboardInterrupt
            When it was interrupted; nothing is left half-written.
        """
        _memory.require(self.cost.memory_mb, "proving this model")
        sample = None if x is None else named(x)
        if salts is None and sample is not None and self._commits_to_inputs():
            salts = self._new_salts()
        report, revealed, content = _told(progress, _native.prove, self.dir, sample, context, salts)
        return Proof(
            content,
            self._program,
            shapes={port.name: port.shape for port in self.outputs},
            report=json.loads(report),
            revealed=json.loads(revealed),
            folder=self.dir,
        )

    def run(self, X: Any, *, progress: Progress = None) -> dict[str, npt.NDArray[np.float64]]:
        """Runs the integer model, which is what a proof is about; nothing is proven.

        Parameters
        ----------
        X
            Samples along the first axis, or one; as :meth:`prove` takes them.

        Returns
        -------
        dict[str, numpy.ndarray]
            By output, of shape ``(samples, *shape)`` and dtype float64. Samples that the model refuses, since they lie outside of what it was
            calibrated for, have NaN everywhere.

        Raises
        ------
        InputError
            As :meth:`prove`.
        """
        return self._infer(X, progress)[0]

    def check(self, X: Any, *, progress: Progress = None) -> Check:
        """Compares the integer model with onnxruntime on samples.

        Raises
        ------
        InputError
            As :meth:`prove`.
        SystemFailure
            If onnxruntime is not installed: ``pip install "zkml-chain[check]"``.
        """
        runtime = _check.session(self.dir / "model.onnx")
        found, refused = self._infer(X, progress)
        return _check.compare(runtime, self.inputs, self.outputs, named(X), found, refused)

    def _infer(
        self, X: Any, progress: Progress
    ) -> tuple[dict[str, npt.NDArray[np.float64]], dict[int, str]]:
        rows = _told(progress, _native.infer, self.dir, named(X))
        refused = {at: why for at, (_, why) in enumerate(rows) if why is not None}
        found = {}
        for at, port in enumerate(self.outputs):
            empty = np.full(port.shape, np.nan)
            values = [empty if row is None else np.reshape(row[at], port.shape) for row, _ in rows]
            found[port.name] = np.stack(values)
        return found, refused

    def simulate(
        self,
        proof: Proof | None = None,
        *,
        tamper: bool = False,
        chain_id: int | None = None,
        progress: Progress = None,
    ) -> Simulation:
        """Lets the generated contract judge a proof in a local EVM.

        The Solidity compiler is needed: :func:`install_solidity` fetches it.

        Parameters
        ----------
        proof
            The proof; without one, the folder's latest.
        tamper
            Also try changed proofs and statements, which must be refused.
        chain_id
            What the EVM says it is; 31337, a test chain, without. Verifiers of the development setup refuse to live elsewhere.

        Raises
        ------
        Refused
            If the contract refuses the proof.
        SystemFailure
            Without Node or the compiler.
        """
        _compiler.point_to()
        content = None if proof is None else proof.to_bytes()
        return Simulation.of(json.loads(_told(progress, _native.simulate, self.dir, content, tamper, chain_id)))

    def solidity(self, proof: Proof | None = None, *, progress: Progress = None) -> Contracts:
        """Generates the verifier and the consumer contracts into the folder, below ``solidity``, and tries them on a proof.

        Parameters
        ----------
        proof
            The proof; without one, the folder's latest.

        Raises
        ------
        ArtifactError
            If there is no proof yet.
        SystemFailure
            Without Node or the compiler: see :func:`install_solidity`.
        """
        _compiler.point_to()
        content = None if proof is None else proof.to_bytes()
        return Contracts.of(json.loads(_told(progress, _native.solidity, self.dir, content)))

    def commit(
        self, x: Any, *, salts: str | os.PathLike[str] | None = None, progress: Progress = None
    ) -> InputCommitments:
        """Commits to the inputs of one sample, before anything is proven about it; :meth:`prove` with the same salts proves under it.

        The commitments are those that ``zkml-chain commit`` and ``@zkml-chain/contracts/commitment`` compute from salts and values.

        Parameters
        ----------
        x
            The sample, as for :meth:`prove`.
        salts
            Private file that keeps the salts, which is used again or made. Without, a new one in the folder, below ``inputs``.
        progress
            As for :func:`compile`.

        Raises
        ------
        InputError
            For a sample that does not fit the model, a model whose inputs are all public, and a file with salts of other values.
        """
        path = self._new_salts() if salts is None else Path(salts)
        report = json.loads(_told(progress, _native.commit, self.dir, named(x), path))
        made = tuple(Commitment.of(c) for c in report["commitments"])
        return InputCommitments(made, Path(report["private_file"]), report["reused"])

    def _new_salts(self) -> Path:
        return self.dir / "inputs" / f"{secrets.token_hex(8)}.private.json"

    def commit_weights(self, *, progress: Progress = None) -> Commitment:
        """Commits to private weights, and returns the commitment; the salt is kept in the folder's ``weights.private.json``.

        Under sumcheck it also proves, once, that the weights lie in their ranges, which proofs of runs rest on.

        Raises
        ------
        InputError
            If the weights are public.
        """
        report = json.loads(_told(progress, _native.commit_weights, self.dir))
        return Commitment.of(report["commitments"][0])

    def report(
        self, *, records: str | os.PathLike[str] = "deploy/deployments", progress: Progress = None
    ) -> Report:
        """One page about the model, as ``zkml-chain report`` writes it.

        It says what is proven and who sees what; it has the integer model node by node, float against integer on up to 200 samples of the
        calibration, values against their bounds, errors and costs by layer, the gas of the folder's proof, and deployments.

        Parameters
        ----------
        records : path
            Folder with records of deployments.
        progress
            As for :func:`compile`.

        Raises
        ------
        ArtifactError
            If a file of the folder was edited or is out of date.
        """
        data, page = _told(progress, _native.report, self.dir, Path(records))
        return Report(json.loads(data), page)

    def save(self, dir: str | os.PathLike[str]) -> Path:
        """Keeps the folder, with proofs and private files, as ``dir``, whole or not at all. The model works there from then on.

        The command line takes it: ``zkml-chain verify --dir DIR``.

        Raises
        ------
        UsageError
            If there is something at ``dir`` already.
        OSError
            If it cannot be written.
        """
        target = Path(dir).absolute()
        if target.exists() and (not target.is_dir() or any(target.iterdir())):
            raise UsageError(f"{target} exists already", name="usage", way_out="name a new folder")
        target.parent.mkdir(parents=True, exist_ok=True)
        # Readable by its owner only while it is made: private files lie in it.
        staged = Path(tempfile.mkdtemp(dir=target.parent, prefix=f".{target.name}."))
        try:
            shutil.copytree(self.dir, staged, ignore=shutil.ignore_patterns(".*"), dirs_exist_ok=True)
            # Copied while somebody wrote, files may not belong together.
            _native.ports(staged)
            for file in staged.rglob("*"):
                if file.is_file():
                    with file.open("rb") as opened:
                        os.fsync(opened.fileno())
            staged.chmod(0o755 if self._let_go is None else 0o700)
            if target.is_dir():
                target.rmdir()
            staged.rename(target)
        except BaseException:
            shutil.rmtree(staged, ignore_errors=True)
            raise
        if self._let_go is not None:
            self._let_go()
            self._let_go = None
        self.dir = target
        return target

    def _commits_to_inputs(self) -> bool:
        return any(role == "input" and who == "committed" for (role, _), who in self._sight.items())

    def __repr__(self) -> str:
        takes = ", ".join(f"{p.name}{list(p.shape)}" for p in self.inputs)
        gives = ", ".join(f"{p.name}{list(p.shape)}" for p in self.outputs)
        return f"<Model {self.name}: {takes} -> {gives}; {self.cost.backend}, {self.cost.gas:,} gas expected>"

    def _repr_html_(self) -> str:
        rows = {
            "proof system": f"{self.cost.backend}: {self.why}",
            "expected": f"{self.cost.gas:,} gas, {self.cost.proof_bytes:,} bytes, {self.cost.seconds:.2f} s, {self.cost.memory_mb} MB",
            "who sees what": ", ".join(f"{' '.join(part).strip()}: {who}" for part, who in self._sight.items()),
        }
        parts: list[str | _html.Picture] = []
        if self.calibration is not None:
            rows["largest error"] = ", ".join(f"{n}: {e:.1e}" for n, e in self.calibration.errors.items())
            parts = [self.calibration.plot_error(), self.calibration.plot_cost()]
        return _html.page(self.name, [_html.table(rows), self.plot_graph(), *parts])

    def plot_graph(self) -> _html.Picture:
        """The nodes of the network in their order, with operator and shape. Shown by notebooks; ``str()`` of it is SVG."""
        report = json.loads(_native.nodes(Teller(None), self.dir))
        boxes = [(n["name"], f"{n['kind']} {'×'.join(map(str, n['shape']))}") for n in report["nodes"]]
        return _html.chain(f"{len(boxes)} nodes, {report['parameters']:,} parameters", boxes)

    def __reduce__(self) -> tuple[Any, ...]:
        if self._let_go is not None:
            raise TypeError("this model lies in a temporary folder: m.save(dir) first, then it can be pickled, as the name of that folder")
        return load, (str(self.dir),)


def compile(  # noqa: A001, PLR0913 - the name is the command line's
    model: Any,
    *,
    samples: Any = None,
    name: str | None = None,
    inputs: Sight | Mapping[str, Sight] = "committed",
    weights: Sight = "public",
    outputs: Sight | Mapping[str, Sight] = "public",
    optimize: Literal["prover", "gas"] = "prover",
    backend: Literal["auto", "halo2", "sumcheck"] = "auto",
    tolerance: float | None = None,
    margin: float | None = None,
    activation_scale: int | None = None,
    weight_scale: int | None = None,
    batch: int = 1,
    dims: Mapping[str, int] | None = None,
    allow_inaccurate: bool = False,
    exporter: Literal["auto", "dynamo", "torchscript"] = "auto",
    srs: str | os.PathLike[str] | None = None,
    dir: str | os.PathLike[str] | None = None,  # noqa: A002
    like: Model | str | os.PathLike[str] | None = None,
    progress: Progress = None,
) -> Model:
    """Compiles a model: integer scales from samples, an exact integer graph, a plan, keys.

    Parameters
    ----------
    model
        An ONNX file, its bytes or a loaded ``onnx.ModelProto``; a ``torch.nn.Module``; a fitted model of scikit-learn, XGBoost or LightGBM, whose
        input is then called ``x``.
    samples
        A few dozen typical inputs, along the first axis: an array, a data frame, nested lists; for several inputs a dict of those by name.
        Ranges come from them: what lies far outside cannot be proven. Random numbers without, with a warning.
    name
        The model's name, which contracts get; the file's for a file.
    inputs, weights, outputs
        ``"public"``, or ``"committed"`` for a salted commitment in the statement; inputs and outputs also by name.
    optimize
        What is made cheap: ``"prover"`` for time and memory of proving, ``"gas"`` for verifying.
    backend
        The proof system; ``"auto"`` takes the one that is expected to be better.
    tolerance
        Largest error to aim at, as a share of an output's range; 2e-4 without.
    margin
        Factor by which ranges are widened, 1.5 without.
    activation_scale, weight_scale
        Fraction bits of values (4 to 20) and of weights (4 to 24); chosen without.
    batch
        Size of an open batch dimension: so many rows are one sample.
    dims
        Sizes of other symbolic dimensions, as in ``{"seq": 16}``.
    allow_inaccurate
        Go on with a model that errs more than is tolerated.
    exporter
        Of torch: ``"dynamo"``, ``"torchscript"``, or the first of them that works.
    srs
        The trusted setup; else the best in the cache of ``zkml-chain srs``, else the development one, whose secret is public.
    dir
        The artifact folder to make; a temporary one without, which :meth:`Model.save` keeps.
    like
        A compiled model with private weights, or its folder: this one gets its scales, keys and verifier, and has other weights. It must be of
        the same architecture. What that model settles cannot be chosen again.
    progress
        ``True`` for the bars of tqdm, or a class with its interface.

    Raises
    ------
    InputError
        For a model that cannot be proven, with all reasons; for samples that do not fit it.
    Inaccurate
        If the integer model errs more than is tolerated.
    UsageError
        For arguments out of range.
    SystemFailure
        Without the converter of the model's library, or with a full disk.
    MemoryError
        If proving is expected to need more memory than there is.
    KeyboardInterrupt
        When it was interrupted; nothing is left half-written.
    """
    settings = {
        "inputs": _sight(inputs, "committed"),
        "weights": weights,
        "outputs": _sight(outputs, "public"),
        "batch": batch,
        "dims": None if not dims else ",".join(f"{name}={size}" for name, size in dims.items()),
        "tolerance": tolerance,
        "margin": margin,
        "activation_scale": activation_scale,
        "weight_scale": weight_scale,
    }
    if like is not None:
        chosen = [inputs, weights, outputs, optimize, backend, tolerance, margin, activation_scale, weight_scale, batch, dims, srs]
        if chosen != ["committed", "public", "public", "prover", "auto", None, None, None, None, 1, None, None]:
            raise UsageError("like= takes sight, goal, scales, sizes and setup from the other model: leave those out", name="usage")
    given = None if samples is None else named(samples)
    folder = Path(tempfile.mkdtemp(prefix="zkml-chain-")) if dir is None else Path(dir)
    try:
        with onnx_file(model, name, samples, exporter) as path:
            if given is not None and len(given) == 1 and given[0][0] is None and given[0][1].ndim == 0:
                raise InputError("samples are one number: an array of samples is expected", name="model")
            if like is not None:
                base = like.dir if isinstance(like, Model) else Path(like)
                _told(progress, _native.compile_like, base, path, folder, allow_inaccurate)
                return Model(folder, _temporary=dir is None)
            _told(progress, _native.calibrate, path, folder, given, settings)
        report = json.loads(_told(progress, _native.compile, folder, optimize, backend, allow_inaccurate))
        _memory.require(Cost.of(report).memory_mb, "proving this model")
        _told(progress, _native.setup, folder, srs)
        return Model(folder, _temporary=dir is None)
    except BaseException:
        if dir is None:
            shutil.rmtree(folder, ignore_errors=True)
        raise


def load(dir: str | os.PathLike[str]) -> Model:  # noqa: A002
    """Opens an artifact folder that :meth:`Model.save` or the command line made.

    Raises
    ------
    ArtifactError
        If it is none, incomplete, damaged, out of date or of another version.
    """
    return Model(Path(dir).absolute())


def _told(progress: Progress, step: Any, *arguments: Any) -> Any:
    """Runs a step of the native module, with bars that end with it."""
    teller = Teller(progress)
    try:
        return step(teller, *arguments)
    finally:
        teller.close()


def _sight(who: Sight | Mapping[str, Sight], usual: Sight) -> str:
    if isinstance(who, str):
        return who
    if not isinstance(who, Mapping) or not who:
        raise UsageError(f'{who!r}: "public", "committed" or a dict of these by name is expected', name="usage")
    return ",".join([usual, *(f"{name}={one}" for name, one in who.items())])


def _read(dir: Path, name: str, step: str) -> bytes:
    try:
        return (dir / name).read_bytes()
    except FileNotFoundError:
        raise ArtifactError(
            f"{name} is missing in {dir}", name="missing-file", way_out=f"run `zkml-chain {step} --dir {dir}`"
        ) from None


def _remove(dir: Path, process: int) -> None:
    # A child that was forked has the same object, and must leave the folder to its parent.
    if os.getpid() == process:
        shutil.rmtree(dir, ignore_errors=True)
