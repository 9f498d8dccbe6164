"""Samples as contiguous arrays of float32 or float64, by the names of inputs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

from ._errors import InputError

#: Floats of either precision.
Floats: TypeAlias = "npt.NDArray[np.float32] | npt.NDArray[np.float64]"
#: Arrays by name; a model of one input takes one without.
Named: TypeAlias = "list[tuple[str | None, Floats]]"

# Beyond it a double does not hold every integer.
_EXACT = 2**53


def named(samples: Any) -> Named:
    """Arrays of what people give: an array, a data frame, nested lists; for several inputs, a dict of those by name.

    A contiguous array of float32 or float64 is taken as it is, and not copied. Samples are along the first axis, if there are any besides the
    input's own.
    """
    if isinstance(samples, Mapping):
        if not samples:
            raise InputError("the dict of samples is empty", name="model")
        return [(_name(name), array(values, str(name))) for name, values in samples.items()]
    if isinstance(samples, Sequence) and samples and all(isinstance(one, Mapping) for one in samples):
        return _stacked(samples)
    return [(None, array(samples, None))]


def _stacked(samples: Sequence[Mapping[Any, Any]]) -> Named:
    names = list(samples[0])
    for at, sample in enumerate(samples):
        if set(sample) != set(names):
            raise InputError(
                f"sample {at} (counted from zero) has the inputs {sorted(map(str, sample))}, sample 0 has {sorted(map(str, names))}",
                name="model",
            )
    columns = [(name, [array(sample[name], str(name)) for sample in samples]) for name in names]
    for name, values in columns:
        for at, value in enumerate(values):
            if value.shape != values[0].shape:
                raise InputError(
                    f"input `{name}` has shape {list(value.shape)} in sample {at} (counted from zero), {list(values[0].shape)} in sample 0",
                    name="model",
                )
    return [(_name(name), array(np.stack(values), name)) for name, values in columns]


def _name(name: Any) -> str:
    if not isinstance(name, str):
        raise InputError(f"{name!r} is no name of an input: a text is expected", name="model")
    return name


def array(values: Any, name: str | None) -> Floats:
    """A contiguous array of float32 or float64, the same memory if that is what it is."""
    whose = "the array" if name is None else f"input `{name}`"
    if hasattr(values, "detach"):
        values = values.detach().cpu().numpy()
    elif hasattr(values, "to_numpy"):
        values = values.to_numpy()
    if hasattr(values, "toarray"):
        raise InputError(f"{whose} is sparse", name="model", way_out="give values.toarray()")
    if isinstance(values, np.ma.MaskedArray) and np.ma.is_masked(values):
        raise InputError(f"{whose} has masked elements: only numbers are accepted", name="model")
    try:
        found = np.asarray(values)
    except ValueError as error:
        raise InputError(f"{whose} is no array of numbers: {error}", name="model") from None
    kind = found.dtype
    if kind.kind == "f" and kind.itemsize <= 8:
        wanted: type[np.floating[Any]] = np.float64 if kind.itemsize == 8 else np.float32
    elif kind.kind in "iu":
        if found.size and max(-int(found.min()), int(found.max())) > _EXACT:
            raise InputError(f"{whose} has integers beyond 2^53, which floats do not hold exactly", name="model")
        wanted = np.float64
    elif kind.kind == "b":
        wanted = np.float32
    else:
        raise InputError(
            f"{whose} has elements of type {kind}: numbers of at most 64 bits are expected",
            name="model",
            way_out="convert it, as in values.astype('float32'); columns of text have to be encoded first",
        )
    result: Floats = np.asarray(found, dtype=wanted, order="C")
    return result
