"""Proofs, and their verification by who has nothing else."""

from __future__ import annotations

import json
import os
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from . import _html, _native
from ._errors import InputError
from ._results import Commitment, Verdict


class Proof:
    """A proof that a model gave these outputs. :meth:`Model.prove` makes it.

    Attributes
    ----------
    outputs : dict[str, numpy.ndarray]
        Real values of the outputs by name, of dtype float64, in the shapes that they have in the ONNX model for one sample. Outputs behind
        commitments are there for the owner only, who made the proof: they are in no file, representation or pickle.
    context : str
        What the proof is bound to, in hexadecimal; zero when unbound.
    commitments : tuple[Commitment, ...]
        The commitments in the statement.
    private_files : tuple[pathlib.Path, ...]
        The files with the salts of the commitments: keep them, publish none.
    seconds : float
        Time that the proof took.
    """

    def __init__(
        self,
        content: bytes,
        program: bytes,
        *,
        shapes: Mapping[str, tuple[int, ...]] | None = None,
        report: Mapping[str, Any] | None = None,
        revealed: list[dict[str, Any]] | None = None,
        folder: Path | None = None,
    ) -> None:
        """From the content of a proof file, and of the ``program.json`` of its model."""
        document = _parsed(content)
        self._content = bytes(content)
        self._program = bytes(program)
        self._shapes = dict(shapes or {})
        self._folder = folder
        report = report or {}
        try:
            self.context: str = str(document["context"])
            shown = _outputs(document["outputs"], self._shapes)
        except (KeyError, TypeError, ValueError):
            raise InputError("it is not a proof file: parts are missing", name="content") from None
        self._public = shown
        self.outputs: dict[str, npt.NDArray[np.float64]] = {**shown, **_outputs(revealed or [], self._shapes)}
        self.commitments = tuple(Commitment.of(c) for c in report.get("commitments", []))
        self.private_files = tuple(Path(path) for path in report.get("private_files", []))
        self.seconds: float = float(report.get("seconds", float("nan")))

    @classmethod
    def load(cls, path: str | os.PathLike[str], program: str | os.PathLike[str]) -> Proof:
        """Reads a proof file, and the ``program.json`` of its model's folder.

        Raises
        ------
        InputError
            If it is no proof file.
        OSError
            If a file cannot be read.
        """
        return cls(Path(path).read_bytes(), Path(program).read_bytes())

    def verify(self) -> Verdict:
        """Checks the proof, as anybody can who has it and the verifier program.

        With private weights under sumcheck, a proof rests on one about the ranges of the weights: see ``weights_in_ranges`` of the verdict, and
        :meth:`Model.commit_weights`.

        Raises
        ------
        Refused
            If the proof does not hold.
        InputError
            If it is of another model or key.
        """
        return _verdict(self._program, self._content, self._ranges(), self._shapes)

    def _ranges(self) -> tuple[bytes, bytes] | None:
        if self._folder is None:
            return None
        files = self._folder / "ranges.program.json", self._folder / "ranges.json"
        return (files[0].read_bytes(), files[1].read_bytes()) if all(f.is_file() for f in files) else None

    def to_bytes(self) -> bytes:
        """The proof file: JSON, as the command line writes and reads it. Nothing in it is secret."""
        return self._content

    def save(self, path: str | os.PathLike[str]) -> None:
        """Writes the proof file, whole or not at all.

        Raises
        ------
        OSError
            If it cannot be written.
        """
        whole(Path(path), self._content)

    @property
    def nbytes(self) -> int:
        """Length of the proof itself, in bytes."""
        return (len(str(json.loads(self._content)["proof"])) - 2) // 2

    def __repr__(self) -> str:
        return f"<Proof of {', '.join(_brief(n, v) for n, v in self._public.items()) or 'committed outputs'}; {self.nbytes:,} bytes>"

    def _repr_html_(self) -> str:
        rows = {name: _brief(name, values) for name, values in self._public.items()}
        rows |= {f"commitment to {c.role} {c.name}": c.commitment for c in self.commitments}
        rows |= {"context": self.context, "length": f"{self.nbytes:,} bytes"}
        return _html.page("a proof", [_html.table(rows)])

    def __reduce__(self) -> tuple[Any, ...]:
        # What only the owner may see stays here.
        return _again, (self._content, self._program, self._shapes)


def verify(proof: str | os.PathLike[str] | bytes, program: str | os.PathLike[str] | bytes) -> Verdict:
    """Checks a proof by whoever has no more than it and the ``program.json`` of the model; paths, or the contents.

    Raises
    ------
    Refused
        If the proof does not hold.
    InputError
        If either is something else, or they do not belong together.
    OSError
        If a file cannot be read.
    """
    contents = [c if isinstance(c, bytes) else Path(c).read_bytes() for c in (proof, program)]
    return _verdict(contents[1], contents[0], None, {})


def _verdict(
    program: bytes,
    proof: bytes,
    ranges: tuple[bytes, bytes] | None,
    shapes: Mapping[str, tuple[int, ...]],
) -> Verdict:
    report = json.loads(_native.verify(program, proof, ranges))
    return Verdict(
        report["context"],
        _outputs(report["outputs"], shapes),
        tuple(Commitment.of(c) for c in report["commitments"]),
        report["unsafe_dev_srs"],
        report["weights_in_ranges"],
    )


def _again(content: bytes, program: bytes, shapes: dict[str, tuple[int, ...]]) -> Proof:
    return Proof(content, program, shapes=shapes)


def _parsed(content: bytes) -> dict[str, Any]:
    try:
        document = json.loads(content)
    except ValueError as error:
        raise InputError(f"it is not a proof file: {error}", name="content") from None
    if not isinstance(document, dict):
        raise InputError("it is not a proof file: an object is expected", name="content")
    return document


def _outputs(
    outputs: list[dict[str, Any]], shapes: Mapping[str, tuple[int, ...]]
) -> dict[str, npt.NDArray[np.float64]]:
    """The values by name; those behind commitments have none."""
    found = {}
    for output in outputs:
        if output["values"]:
            values = np.array(output["values"], dtype=np.float64)
            found[str(output["name"])] = values.reshape(shapes.get(output["name"], values.shape))
    return found


def _brief(name: str, values: npt.NDArray[np.float64]) -> str:
    return f"{name} = {np.array2string(values, precision=5, threshold=6)}"


def whole(path: Path, content: bytes) -> None:
    """Writes a file whole, or not at all."""
    handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        os.chmod(temporary, 0o666 & ~_umask())
        os.replace(temporary, path)
    except BaseException:
        os.unlink(temporary)
        raise


def _umask() -> int:
    # The system tells it only when it is set.
    mask = os.umask(0o077)
    os.umask(mask)
    return mask
