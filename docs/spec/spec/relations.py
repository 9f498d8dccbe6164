"""What a model is to this protocol: rows with templates, lookup tables, contractions, linear relations, public values.

T is a grid: column c, row x at address c·2^k + x, followed by the multiplicities. A tensor lies in one column (or one
column per limb), in an aligned row segment. Nothing that a linear equation determines has a cell.
"""
from dataclasses import dataclass, field


@dataclass
class Slot:
    """Lookup of one cell or of a row (key, outs…): fp = key + Σ θ^(j+1)·out_j + θ^(1 + max(#outs of the table, 1))·tag, all
    linear in the columns."""
    key: dict                                  # column → coefficient
    out: object = field(default_factory=dict)  # column → coefficient, or a list of those
    tag: int = 0
    key_const: int = 0

    def outs(self):
        return self.out if isinstance(self.out, list) else [self.out] if self.out else []


@dataclass
class Template:
    """Rules of aligned row segments. Every row of the grid belongs to exactly one template (rule P2)."""
    name: str
    segments: list                             # (first row, log2 rows)
    slots: list                                # one Slot per lookup slot of the system: m per group
    gates: list = field(default_factory=list)  # a gate is a list of (coefficient, (column, …)) monomials, = 0


@dataclass
class TableSegment:
    """Rows [start, start + 2^bits) of the table column: key = key0 + offset, out = outs[offset], tag."""
    start: int
    bits: int
    tag: int = 0
    key0: int = 0
    outs: list = None                          # values, or a list of columns of values


@dataclass
class Contraction:
    """Σ_terms coef·view(free, batch) = Σ_sum A(free, batch, sum)·B(free, batch, sum) for every value of the free and batch
    indices. Indices of the batch are in both operands and in the result: A·B is weighed by eq there."""
    name: str
    free: list                                 # (index name, bits)
    sum: list
    a: object                                  # a View, or a list of (coef, View)
    b: object
    y: list                                    # (coef, View)
    batch: list = field(default_factory=list)

    def operands(self):
        return [("A", as_terms(self.a)), ("B", as_terms(self.b))]

    def variables(self):
        """Summed indices are the lowest variables of its item, then those of the batch."""
        return self.sum + self.batch

    def bits(self):
        return sum(b for _, b in self.variables())


def as_terms(operand):
    return operand if isinstance(operand, list) else [(1, operand)]


@dataclass
class Linear:
    """Σ_terms coef·view(free) = 0, or = the instances, for every value of the free indices. Indices in `packed` are weighed
    by powers of a number, those in `sequence` by powers of χ^stride."""
    name: str
    free: list
    terms: list
    instances: object = None                   # (first instance, extents of the free indices; the last is fastest)
    packed: dict = field(default_factory=dict)     # index name → (base, bits)
    sequence: dict = field(default_factory=dict)   # index name → (stride, bits)


@dataclass
class System:
    name: str
    k: int                                     # log2 rows
    columns: int                               # columns of T in use
    m: int                                     # lookups per helper
    templates: list
    table: list
    kt: int                                    # log2 table rows
    contractions: list
    linears: list
    weights: list                              # W: what the model fixes, padded
    instances: int = 0
    private: int = 0                           # cells of V, the private weights; their commitment is the last instance
    out_base: object = None                    # address in W of the table's out column, 2^kt cells; a list for several
    loose: int = 0                             # cells of T after the multiplicities that only linear claims read
    n: int = None                              # log2 of a chunk; None: T and H are one chunk each
    na: int = None                             # log2 of the rows of the opened matrix; 0: one row, opened whole; None: half of n
    mask2: str = "libra"                       # masks of sumcheck 2: "libra" (p₂ in P) or "claim" (one more claim on R, H)

    def out_bases(self):
        b = self.out_base
        return b if isinstance(b, list) else [] if b is None else [b]

    def tag_power(self):
        return 1 + max(len(self.out_bases()), 1)

    @property
    def groups(self):
        return len(self.templates[0].slots) // self.m


@dataclass
class Witness:
    """Columns of T without multiplicities, and the instances. `private`: the vector V, if the system has one.
    `weights`: another W than the model's, of one who cheats."""
    columns: list
    instances: list
    private: list = None
    weights: list = None
