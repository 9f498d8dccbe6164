"""Exceptions. They have the names, the messages and the ways out of the command line."""

from __future__ import annotations

from typing import Any

__all__ = [
    "ArtifactError",
    "Defect",
    "Inaccurate",
    "InputError",
    "Refused",
    "SystemFailure",
    "UsageError",
    "Waits",
    "ZkmlError",
    "ZkmlWarning",
]


class ZkmlWarning(UserWarning):
    """Something to be aware of: a development setup, random samples, a model that errs more than is tolerated."""


class ZkmlError(Exception):
    """Base of all exceptions of this package.

    ``name`` is stable, as in ``"stale-file"``, and the same as on the command line; ``way_out`` says what helps, if the message does
    not; ``causes`` are the messages beneath, the nearest first; ``exit_code`` is what the command line ends with.
    """

    exit_code: int = 0

    def __init__(
        self,
        message: str,
        *,
        name: str = "error",
        way_out: str | None = None,
        causes: tuple[str, ...] = (),
    ) -> None:
        super().__init__(message)
        self.message = message
        self.name = name
        self.way_out = way_out
        self.causes = causes

    def __str__(self) -> str:
        said = ": ".join([self.message, *self.causes])
        return said if self.way_out is None else f"{said}\n  way out: {self.way_out}"

    def __reduce__(self) -> tuple[Any, ...]:
        return _again, (type(self), self.message, self.name, self.way_out, self.causes)


def _again(
    kind: type[ZkmlError], message: str, name: str, way_out: str | None, causes: tuple[str, ...]
) -> ZkmlError:
    return kind(message, name=name, way_out=way_out, causes=causes)


class Defect(ZkmlError):
    """A defect of this package: please report it."""


class Refused(ZkmlError):
    """A proof does not hold, or a contract refuses it."""

    exit_code = 1


class UsageError(ZkmlError, ValueError):
    """An argument is wrong or missing."""

    exit_code = 2


class InputError(ZkmlError, ValueError):
    """The model, the samples or a proof cannot be used."""

    exit_code = 3


class ArtifactError(ZkmlError):
    """A folder is incomplete, out of date, damaged or of another version."""

    exit_code = 4


class SystemFailure(ZkmlError):
    """The system stands in the way: a full disk, permissions, a tool that is not installed, another writer."""

    exit_code = 5


class Inaccurate(ZkmlError):
    """The integer model errs more than its settings tolerate."""

    exit_code = 6


class Waits(ZkmlError):
    """Somebody else has to do something first."""

    exit_code = 7


_KINDS: dict[int, type[ZkmlError]] = {
    kind.exit_code: kind
    for kind in (Defect, Refused, UsageError, InputError, ArtifactError, SystemFailure, Inaccurate, Waits)
}


def exception(code: int, name: str, message: str, *, causes: list[str], way_out: str | None) -> ZkmlError:
    """Makes the exception for an exit code; the native module calls it."""
    kind = _KINDS.get(code, ZkmlError)
    if name == "evm" and way_out is None and "`solc`" in message:
        way_out = 'zkml_chain.install_solidity() fetches it, with Node, which pip install "zkml-chain[evm]" brings'
    if kind is Inaccurate:
        # The folder that the command line's way out names may be gone.
        way_out = (
            "inputs of very different magnitude in one tensor are the usual cause, scale them before; give samples that are like what will be "
            "proven; or accept the error, with a larger tolerance= or with allow_inaccurate=True, and look at m.calibration.plot_error()"
        )
    return kind(message, name=name, way_out=way_out, causes=tuple(causes))
