"""Multilinear extensions, and the structured functionals φ that a verifier evaluates without the table.

A *view* reads a committed polynomial P as a tensor over named indices:
    V[i, j, …] = P[base + Σ_axes 2^bit · (offset + Σ stride·index)],  0 where an index or an axis leaves its extent.
Its MLE at a point per index is a linear functional of P:  Σ_x P(x)·φ(x).
    φ(ρ) = Π_axes ( Σ_{valid idx} Π eq(r_idx, idx) · eq(ρ_axis, offset + Σ stride·idx) ) · eq(base bits, other bits)
Extents are exact: φ vanishes on all padding (rule P1 of CORRECTIONS.md).
An index is weighed by eq at a point, or by powers of a number (`Powers`): values that share a word, or a sequence that
two layouts hold. Both are products over its bits.
"""
from dataclasses import dataclass
from itertools import product

from .field import R


def eq_vec(u):
    """[eq(u, x)] for x = 0 … 2^len(u) − 1"""
    return weights(u)


@dataclass(frozen=True)
class Powers:
    """An index weighed by base^i instead of eq(point, i)."""
    base: int
    bits: int

    def __len__(self):
        return self.bits


def pairs(point):
    """For each bit of an index, its weight when zero and when one."""
    if isinstance(point, Powers):
        return [(1, pow(point.base, 1 << k, R)) for k in range(point.bits)]
    return [((1 - r) % R, r % R) for r in point]


def weights(point):
    """The weight of every value of an index."""
    out = [1]
    for zero, one in pairs(point):
        out = [v * zero % R for v in out] + [v * one % R for v in out]
    return out


def eq_at(u, v):
    acc = 1
    for a, b in zip(u, v, strict=True):
        acc = acc * (1 - a - b + 2 * a * b) % R
    return acc


def eq_index(u, i):
    """eq(u, bits of i)"""
    acc = 1
    for k, r in enumerate(u):
        acc = acc * (r if i >> k & 1 else 1 - r) % R
    assert i >> len(u) == 0
    return acc


def mle(f, u):
    return sum(a * e for a, e in zip(f, eq_vec(u))) % R


def prefix(u, extent):
    """Σ_{i<extent} weight(i): extent of a broadcast index. O(len(u))."""
    return axis_at(Axis(0, 0, (Index("i", extent, 0),)), {"i": u}, None)


@dataclass(frozen=True)
class Index:
    name: str
    extent: int
    stride: int = 1


@dataclass(frozen=True)
class Axis:
    """Address bits [bit, bit+bits) hold offset + Σ stride·index, valid in [0, bound)."""
    bit: int
    bits: int
    indices: tuple
    offset: int = 0
    bound: int = None

    def limit(self):
        return (1 << self.bits) if self.bound is None else self.bound


@dataclass(frozen=True)
class View:
    poly: str          # 'T', 'W', 'V', 'H', 'R', or '1' for the constant one
    base: int = 0
    axes: tuple = ()
    free: tuple = ()   # broadcast indices (name, extent)

    def cells(self):
        """All valid (assignment of indices, address)."""
        names = [(i.name, i.extent) for a in self.axes for i in a.indices] + list(self.free)
        for values in product(*(range(e) for _, e in names)):
            at = dict(zip((n for n, _ in names), values))
            address, ok = self.base, True
            for a in self.axes:
                j = a.offset + sum(i.stride * at[i.name] for i in a.indices)
                ok &= 0 <= j < a.limit()
                address += j << a.bit
            if ok:
                yield at, address

    def at(self, points, rho):
        """φ(ρ) in O(bits): the verifier's way."""
        acc, fixed = 1, set(range(len(rho or [])))
        for name, extent in self.free:
            acc = acc * prefix(points[name], extent) % R
        for a in self.axes:
            acc = acc * axis_at(a, points, rho and rho[a.bit:a.bit + a.bits]) % R
            fixed -= set(range(a.bit, a.bit + a.bits))
        for k in fixed:
            acc = acc * (rho[k] if self.base >> k & 1 else 1 - rho[k]) % R
        return acc

    def vector(self, points, size):
        """φ as a table: the prover's way, by definition."""
        eqs = {n: weights(p) for n, p in points.items()}
        out = [0] * size
        for at, address in self.cells():
            w = 1
            for n, i in at.items():
                w = w * eqs[n][i] % R
            out[address] = (out[address] + w) % R
        return out


def axis_at(axis, points, rho):
    """Σ over valid index values of Π eq(point, index)·eq(ρ, j), j = offset + Σ stride·index.

    A carry automaton from the lowest bit up. State: (carry, one flag "index bits so far < extent bits so far"
    per bounded index, the same for j < bound). Number of states is bounded by strides, not by sizes.
    rho = None: the constant one, whose address bits weigh nothing.
    """
    idx = axis.indices
    nbits = [len(points[i.name]) for i in idx]
    steps = max([axis.bits] + nbits)
    bounded = [i.extent < 1 << n for i, n in zip(idx, nbits)]
    jb = axis.limit() < 1 << axis.bits
    states = {(axis.offset, tuple(not b for b in bounded), not jb): 1}
    for k in range(steps):
        # choices of one bit per index with its eq weight
        choices = [((), 1)]
        for i, n in zip(idx, nbits):
            opts = list(enumerate(pairs(points[i.name])[k])) if k < n else [(0, 1)]
            choices = [(bits + (b,), w * e % R) for bits, w in choices for b, e in opts]
        out = {}
        for (carry, lts, jlt), value in states.items():
            for bits, w in choices:
                t = carry + sum(i.stride * b for i, b in zip(idx, bits))
                j = t & 1
                if k >= axis.bits and j:
                    continue
                e = (rho[k] if j else 1 - rho[k]) if rho is not None and k < axis.bits else 1
                new = tuple(lt if not bd else _less(b, i.extent >> k & 1, lt)
                            for b, i, bd, lt in zip(bits, idx, bounded, lts))
                nj = _less(j, axis.limit() >> k & 1, jlt) if jb else True
                key = (t >> 1, new, nj)
                out[key] = (out.get(key, 0) + value * w % R * e) % R
        states = out
    return sum(v for (c, lts, jlt), v in states.items() if c == 0 and all(lts) and jlt) % R


def _less(b, e, lower):
    return b < e or (b == e and lower)


def sparse_at(entries, rho):
    """Σ weight·eq(ρ, address) over (address, weight) pairs; O(entries + bits)."""
    if not entries:
        return 0
    if not rho:
        return sum(w for _, w in entries) % R
    top = 1 << (len(rho) - 1)
    lo = [(a, w) for a, w in entries if not a & top]
    hi = [(a ^ top, w) for a, w in entries if a & top]
    return (sparse_at(lo, rho[:-1]) * (1 - rho[-1]) + sparse_at(hi, rho[:-1]) * rho[-1]) % R


class Functional:
    """Linear functional of (T, W, V, H, R) plus a constant: Σ coef·view(points) + Σ weight·P[address]."""

    def __init__(self):
        self.views, self.cells, self.constant = [], [], 0

    def view(self, coef, view, points):
        if view.poly == "1":
            self.constant = (self.constant + coef * view.at(points, None)) % R
        else:
            self.views.append((coef % R, view, points))
        return self

    def cell(self, poly, address, weight):
        self.cells.append((poly, address, weight % R))
        return self

    def at(self, poly, rho):
        """φ_poly(ρ), the verifier's way."""
        acc = sum(c * v.at(p, rho) for c, v, p in self.views if v.poly == poly)
        return (acc + sparse_at([(a, w) for q, a, w in self.cells if q == poly], rho)) % R

    def vector(self, poly, size):
        """φ_poly as a table, the prover's way."""
        out = [0] * size
        for c, v, p in self.views:
            if v.poly == poly:
                out = [(x + c * y) % R for x, y in zip(out, v.vector(p, size))]
        for q, a, w in self.cells:
            if q == poly:
                out[a] = (out[a] + w) % R
        return out
