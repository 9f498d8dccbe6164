"""Addresses in T, W, V, H, R, P; degrees; the order of everything that is sent. All of it follows from a System."""
from dataclasses import dataclass
from itertools import count

from .field import R
from .mle import Axis, Functional, Index, Powers, View


def log2ceil(n):
    return max(n - 1, 0).bit_length()


def opening_mask_cells(a, b, n2):
    """Six of the first column, six of the first row and (1, 1) of the a×b matrix: random in R, of a single row six. No φ but the mask claim reaches
    them. With the mask claim they also mask the n2 rounds of sumcheck 2 (0 without): for every variable v the first free cell from
    2^v on, and the next one with another number of ones. In the round of v, all cells below 2^v act as two numbers together."""
    cells = {i * b for i in range(min(6, a))} | set(range(min(6, b)))
    cells |= {b + 1} if a > 1 and b > 1 else set()
    for v in range(n2):
        first = next(x for x in count(1 << v) if x not in cells)
        cells |= {first, next(x for x in count(first) if x not in cells and x.bit_count() != first.bit_count())}
    return cells


@dataclass(frozen=True)
class Eval:
    """One evaluation sent after sumcheck 1. `vars` low challenges are its point; masked = has a ξ in R."""
    name: str
    view: object          # a list of (coef, View)
    indices: tuple        # (index name, bits): slices of ρ₁ from the lowest
    points: dict          # points of the other indices
    masked: bool


class Layout:
    def __init__(self, system, na=None):
        s = self.system = system
        na = s.na if na is None else na
        s_rows, groups = 1 << s.k, s.groups
        # An item without variables has no round: its masked evaluation would be compared with a sum that has no mask.
        assert min([s.k, s.kt] + [c.bits() for c in s.contractions]) >= 1, "an item without variables"
        assert all(len(t.slots) == groups * s.m for t in s.templates)
        self.check_partition()
        # --- T: columns, then multiplicities at an aligned address
        self.m_base = -(-s.columns * s_rows // (1 << s.kt)) << s.kt
        # --- H: H_0 … H_{g−1}, then G at an aligned address
        self.g_base = -(-groups * s_rows // (1 << s.kt)) << s.kt
        # --- variables
        self.n1 = max([s.k, s.kt] + [c.bits() for c in s.contractions])
        self.libra = s.mask2 == "libra"
        self.whole = na == 0                        # one row: the opening is one inner product
        assert not (self.whole and self.libra), "P has no third product there"
        self.h_mask = self.g_base + (1 << s.kt)     # with mask2 = "claim": a random cell of H
        sizes = [self.m_base + (1 << s.kt) + s.loose, self.h_mask + (not self.libra)]
        self.degrees = [self.round_degree(v) for v in range(self.n1)]
        self.p1_size = 1 + sum(self.degrees)
        self.slices, self.r_len = self.free_slices()
        masked = sum(e.masked for e in self.evals([0] * self.r_len))
        # --- N: T and H fit, or are cut into chunks of N, as W is
        n = max(log2ceil(x) for x in sizes) if s.n is None else s.n
        while True:
            self.n, self.na = n, (n // 2 if na is None else na)
            self.nb = n - self.na
            self.a, self.b = 1 << self.na, 1 << self.nb
            self.n2 = n
            taken = self.opening_mask_cells()
            free = [x for x in range(1 << n) if x not in taken]
            if max(taken) < 1 << n and len(free) >= self.p1_size + masked:
                break
            n += 1
        self.N = 1 << n
        self.p1_cells = free[:self.p1_size]
        self.xi_cells = free[self.p1_size:self.p1_size + masked]
        parts = lambda size: -(-size // self.N)
        w_chunks = 1 << max(0, log2ceil(len(s.weights)) - n) if s.weights else 0
        self.chunks = {"T": parts(sizes[0]), "H": parts(sizes[1]), "R": 1, "W": w_chunks, "V": parts(s.private)}
        self.chunk_names = [(p if c == 0 else f"{p}.{c}", p, c) for p in "THR" for c in range(self.chunks[p])]
        # --- P: p₂ coefficients a₀, (x, x²) per variable, then three spare cells
        self.p2_size = 1 + 2 * self.n2
        # --- sent values that the others fix: [W], [W'], an inverse, and [q] where the vector is opened by rows
        self.fixed = 3 if self.whole else 4

    def check_partition(self):
        rows = [0] * (1 << self.system.k)
        for t in self.system.templates:
            for start, bits in t.segments:
                assert start % (1 << bits) == 0
                for x in range(start, start + (1 << bits)):
                    rows[x] += 1
        assert rows == [1] * len(rows), "every row belongs to exactly one template"

    def opening_mask_cells(self):
        return opening_mask_cells(self.a, self.b, 0 if self.libra else self.n2)

    def is_masked(self, terms):
        return any(view.poly in "THV" for _, view in terms)

    def gate_degree(self):
        return max([len(cols) for t in self.system.templates for g in t.gates for _, cols in g], default=0)

    def round_degree(self, v):
        """Degree of the round polynomial of variable v. Items of fewer variables have not joined: degree 0.
        In the last round (v = 0) each masked column has degree 2."""
        s, c = self.system, (2 if v == 0 else 1)
        degrees = [1]
        if s.k > v:
            degrees += [1 + c * (s.m + 1), 1 + c * self.gate_degree()]
        if s.kt > v:
            degrees.append(2 + c)
        for con in s.contractions:
            if con.bits() > v:
                weighed = v >= sum(b for _, b in con.sum)
                degrees.append(sum(c if self.is_masked(x) else 1 for _, x in con.operands()) + weighed)
        return max(degrees)

    def free_slices(self):
        """Every contraction, linear relation and public vector takes its own slice of one long point r, from 0."""
        out, longest = {}, 0
        for rel in self.system.contractions + self.system.linears:
            at = 0
            for name, bits in rel.free + getattr(rel, "batch", []):
                out[rel.name, name] = (at, bits)
                at += bits
            longest = max(longest, at)
        return out, longest

    def free_points(self, rel, r, chi=None):
        points = {name: r[o:o + b] for (rn, name), (o, b) in self.slices.items() if rn == rel.name}
        for name, (base, bits) in getattr(rel, "packed", {}).items():
            points[name] = Powers(base, bits)
        for name, (stride, bits) in getattr(rel, "sequence", {}).items():
            points[name] = Powers(pow(chi, stride, R) if chi is not None else 0, bits)
        return points

    def has_sequences(self):
        return any(rel.sequence for rel in self.system.linears)

    # --- views of the columns
    def column(self, c):
        return View("T", c << self.system.k, (Axis(0, self.system.k, (Index("row", 1 << self.system.k),)),))

    def helper(self, g):
        return View("H", g << self.system.k, (Axis(0, self.system.k, (Index("row", 1 << self.system.k),)),))

    def table_view(self, poly, base):
        return View(poly, base, (Axis(0, self.system.kt, (Index("row", 1 << self.system.kt),)),))

    def evals(self, r):
        """Evaluations sent at the end of sumcheck 1, in order."""
        s = self.system
        row, trow = (("row", s.k),), (("row", s.kt),)
        one = lambda view: [(1, view)]
        out = [Eval(f"T{c}", one(self.column(c)), row, {}, True) for c in range(s.columns)]
        out += [Eval(f"H{g}", one(self.helper(g)), row, {}, True) for g in range(s.groups)]
        out.append(Eval("M", one(self.table_view("T", self.m_base)), trow, {}, True))
        out.append(Eval("G", one(self.table_view("H", self.g_base)), trow, {}, True))
        for j, base in enumerate(s.out_bases()):
            out.append(Eval(f"out{j}", one(self.table_view("W", base)), trow, {}, False))
        for c in s.contractions:
            batch = [name for name, _ in c.batch]
            points = {n: p for n, p in self.free_points(c, r).items() if n not in batch}
            for side, terms in c.operands():
                out.append(Eval(f"{c.name}.{side}", terms, tuple(c.variables()), points, self.is_masked(terms)))
        return out

    def xi_cell(self, evals, i):
        """Address in R of the mask of evaluation i."""
        return self.xi_cells[sum(e.masked for e in evals[:i])]

    def eval_points(self, e, rho):
        points, at = dict(e.points), 0
        for name, bits in e.indices:
            points[name] = rho[at:at + bits]
            at += bits
        return points

    def mask_claim(self):
        """⟨eq(2…2, ·) + eq(3…3, ·), R + H⟩ = μ: two fixed points give two degrees of freedom a round. H: its chunk that has
        the random cell."""
        f = Functional()
        for poly, base in (("R", 0), ("H", self.h_mask >> self.n << self.n)):
            whole = View(poly, base, (Axis(0, self.n, (Index("x", self.N),)),))
            for kappa in (2, 3):
                f.view(1, whole, {"x": [kappa] * self.n})
        return f

    # --- p₁(x) = a₀ + Σ_v Σ_{d≥1} p_{v,d} x_v^d as cells of R
    def p1_terms(self):
        """(cell, variable or None, power)"""
        out, at = [(self.p1_cells[0], None, 0)], 1
        for v, d in enumerate(self.degrees):
            for e in range(1, d + 1):
                out.append((self.p1_cells[at], v, e))
                at += 1
        return out

    def p1_at(self, rho):
        f = Functional()
        for cell, v, e in self.p1_terms():
            f.cell("R", cell, 1 if v is None else pow(rho[v], e, R))
        return f

    def p1_sum(self):
        """Weights of Σ_{x ∈ cube} p₁(x): 2^n1 for a₀, 2^(n1−1) for all others."""
        return [(cell, 1 << (self.n1 - (v is not None))) for cell, v, _ in self.p1_terms()]
