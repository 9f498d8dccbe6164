"""The command line that the wheel carries."""

from __future__ import annotations

import signal
import sys
from collections.abc import Sequence

from . import _compiler, _native


def main(words: Sequence[str] | None = None) -> int:
    """Runs ``zkml-chain`` with the words of this process, or others, and returns its exit code."""
    given = list(sys.argv[1:] if words is None else words)
    if words is None:
        # Python's own handler would wait until the command has ended.
        signal.signal(signal.SIGINT, signal.SIG_DFL)
    _compiler.point_to()
    sys.stdout.flush()
    return _native.main(["zkml-chain", *given])


if __name__ == "__main__":
    sys.exit(main())
