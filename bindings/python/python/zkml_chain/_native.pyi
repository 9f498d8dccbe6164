from collections.abc import Callable
from os import PathLike
from typing import Final

from ._arrays import Floats

_Given = list[tuple[str | None, Floats]]
_Told = Callable[[str, int, str, float, str], None]
_Path = str | PathLike[str]

__all__ = [
    "VERSION",
    "calibrate",
    "commit_weights",
    "compile",
    "infer",
    "inspect",
    "main",
    "nodes",
    "ports",
    "prove",
    "report",
    "setup",
    "simulate",
    "solidity",
    "verify",
]
VERSION: Final[str]

def main(words: list[str]) -> int: ...
def calibrate(
    told: _Told, model: _Path, dir: _Path, samples: _Given | None, settings: dict[str, object]
) -> str: ...
def compile(told: _Told, dir: _Path, optimize: str, backend: str | None, allow_inaccurate: bool) -> str: ...
def setup(told: _Told, dir: _Path, srs: _Path | None) -> str: ...
def ports(dir: _Path) -> str: ...
def inspect(told: _Told, dir: _Path) -> str: ...
def nodes(told: _Told, dir: _Path) -> str: ...
def infer(
    told: _Told, dir: _Path, samples: _Given
) -> list[tuple[list[list[float]] | None, str | None]]: ...
def prove(
    told: _Told, dir: _Path, sample: _Given | None, context: str | None, salts: _Path | None
) -> tuple[str, str, bytes]: ...
def commit_weights(told: _Told, dir: _Path) -> str: ...
def report(told: _Told, dir: _Path, records: _Path) -> tuple[str, str]: ...
def simulate(told: _Told, dir: _Path, proof: bytes | None, tamper: bool, chain_id: int | None) -> str: ...
def solidity(told: _Told, dir: _Path, proof: bytes | None) -> str: ...
def verify(program: bytes, proof: bytes, ranges: tuple[bytes, bytes] | None) -> str: ...
