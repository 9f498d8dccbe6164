"""What steps tell: warnings, and progress to whatever has the interface of tqdm."""

from __future__ import annotations

import sys
import time
import warnings
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol, TypeAlias

from ._errors import UsageError, ZkmlWarning

_HERE = str(Path(__file__).parent)
# Every step that touches the development setup says so; people need to hear it once.
_DEVELOPMENT = "this trusted setup is the insecure development one"
_told: set[str] = set()


class Bar(Protocol):
    """A progress bar, as those of tqdm are."""

    def update(self, n: int, /) -> Any:
        """Takes note of ``n`` more units."""

    def set_description(self, desc: str, /) -> Any:
        """Names what is being done."""

    def close(self) -> Any:
        """Ends the bar."""


class Bars(Protocol):
    """Makes progress bars: ``tqdm.auto.tqdm``, say."""

    def __call__(self, *, total: int, desc: str, unit: str) -> Bar:
        """Makes one of ``total`` units: ``"it"`` for steps, ``"B"`` for bytes, ``"%"`` for work of an estimated time."""


#: ``True`` for the bars of tqdm, a class with its interface, or nothing.
Progress: TypeAlias = "bool | Bars | None"


@dataclass
class _Open:
    """A piece of work with its bar."""

    bar: Bar
    total: int
    #: How long it is expected to take, if it goes by time.
    seconds: float | None
    at: int = 0
    since: float = field(default_factory=time.monotonic)

    def to(self, position: int) -> None:
        """Brings the bar there; it never goes back."""
        if position > self.at:
            self.bar.update(position - self.at)
            self.at = position


class Teller:
    """Receives what the native module tells."""

    def __init__(self, progress: Progress) -> None:
        self._bars = _bars(progress)
        self._open: dict[int, _Open] = {}

    def __call__(self, kind: str, id: int, text: str, amount: float, unit: str) -> None:
        if kind == "warn":
            _warn(text)
        elif self._bars is None:
            return
        elif kind == "begin":
            by_time = unit == "s"
            total, unit = (100, "%") if by_time else (int(amount), unit)
            bar = self._bars(total=total, desc=text, unit=unit)
            self._open[id] = _Open(bar, total, max(amount, 1e-3) if by_time else None)
        elif kind == "tick":
            for going in self._open.values():
                if going.seconds is not None:
                    # An estimate that is too short stays just below its end.
                    going.to(min(int(100 * (time.monotonic() - going.since) / going.seconds), 99))
        elif id in self._open:
            piece = self._open[id]
            if kind == "advance":
                piece.to(int(amount))
            elif kind == "rename":
                piece.bar.set_description(text)
            elif kind == "end":
                piece.to(piece.total)
                piece.bar.close()
                del self._open[id]

    def close(self) -> None:
        """Ends the bars that are open still: of a step that was interrupted."""
        for piece in self._open.values():
            piece.bar.close()
        self._open.clear()


def _bars(progress: Progress) -> Bars | None:
    if progress is None or progress is False:
        return None
    if progress is True:
        try:
            from tqdm.auto import tqdm
        except ImportError:
            raise UsageError(
                "progress=True needs tqdm, which is not installed",
                name="usage",
                way_out="pip install tqdm, or pass a class with its interface",
            ) from None
        found: Bars = tqdm
        return found
    if not callable(progress):
        raise UsageError(f"progress={progress!r}: True, or a class such as tqdm.auto.tqdm, is expected", name="usage")
    return progress


def _warn(text: str) -> None:
    if text.startswith(_DEVELOPMENT):
        if text in _told:
            return
        _told.add(text)
    level, frame = 1, sys._getframe()
    while frame.f_back is not None and frame.f_code.co_filename.startswith(_HERE):
        level, frame = level + 1, frame.f_back
    warnings.warn(text, ZkmlWarning, stacklevel=level)
