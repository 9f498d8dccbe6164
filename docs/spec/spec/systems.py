"""Toy systems: mlp, conv, attention, table. Each function returns (System, sample) with sample(rng) → Witness.

Limbs have t = 4 bits. A signed 8-bit y is two limbs: y = l0 + 16·l1 − 128. Rescale: acc + 8 = 16·y + rem, 0 ≤ rem < 16.
"""
from .field import R
from .mle import Axis, Index, View
from .relations import Contraction, Linear, Slot, System, TableSegment, Template, Witness

T_BITS, SHIFT = 4, 4
HALF_STEP, SIGN = 1 << (SHIFT - 1), 1 << 7


def cells(poly, base, *axes, free=()):
    return View(poly, base, tuple(axes), tuple(free))


def axis(bit, bits, name, extent):
    return Axis(bit, bits, (Index(name, extent),))


def const(*free):
    return View("1", 0, (), tuple(free))


def range_slots(columns=3):
    return [Slot({c: 1}) for c in range(columns)]


RANGE_TABLE = TableSegment(0, T_BITS)


def rescale(acc):
    """(y, rem): acc + 2^(s−1) = 2^s·y + rem"""
    return (acc + HALF_STEP) >> SHIFT, (acc + HALF_STEP) & ((1 << SHIFT) - 1)


def signed_rows(accs):
    """Columns l0, l1, rem of rescaled accumulators."""
    ys = [rescale(a) for a in accs]
    return [[(y + SIGN) & 15 for y, _ in ys], [(y + SIGN) >> 4 for y, _ in ys], [r for _, r in ys]]


def signed_terms(view, free):
    """16·y + rem − 8 as terms; view(column) is the segment's view of a column."""
    return [(16, view(0)), (256, view(1)), (-16 * SIGN, const(*free)), (1, view(2)), (-HALF_STEP, const(*free))]


def place(columns, row, values):
    for c, vals in zip(columns, values):
        c[row:row + len(vals)] = vals


# --- (a), (e): x[7] → 5, ReLU → 3 -------------------------------------------------------------------------------
def mlp(private=False, seed=1, k=5, m=3):
    import random
    rnd = random.Random(seed)
    X, Z, Y = 0, 8, 16                          # first rows of x, hidden layer, output layer
    w1 = [[rnd.randrange(-2, 3) for _ in range(7)] for _ in range(5)]
    w2 = [[rnd.randrange(-2, 3) for _ in range(5)] for _ in range(3)]
    b1, b2 = [rnd.randrange(-9, 10) for _ in range(5)], [rnd.randrange(-9, 10) for _ in range(3)]
    W2 = 128 if private else 64                    # in a second chunk when private
    weights = [0] * (2 * W2)
    for n, row in enumerate(w1):
        weights[8 * n:8 * n + 7] = row
    for n, row in enumerate(w2):
        weights[W2 + 8 * n:W2 + 8 * n + 5] = row
    B1, B2 = W2 + 32, W2 + 40
    weights[B1:B1 + 5], weights[B2:B2 + 3] = b1, b2
    col = lambda c, row, bits, n, e: cells("T", (c << k) + row, axis(0, bits, n, e))
    poly = "V" if private else "W"
    c1 = Contraction("layer1", [("n", 3)], [("k", 3)],
                     cells(poly, 0, axis(0, 3, "k", 7), axis(3, 3, "n", 5)), col(0, X, 3, "k", 7),
                     [(16, col(0, Z, 3, "n", 5)), (-16, col(1, Z, 3, "n", 5)), (1, col(2, Z, 3, "n", 5)),
                      (-HALF_STEP, const(("n", 5))), (-1, cells(poly, B1, axis(0, 3, "n", 5)))])
    out = lambda c: col(c, Y, 2, "n", 3)
    c2 = Contraction("layer2", [("n", 2)], [("k", 3)],
                     cells(poly, W2, axis(0, 3, "k", 5), axis(3, 2, "n", 3)), col(0, Z, 3, "k", 5),
                     signed_terms(out, [("n", 3)]) + [(-1, cells(poly, B2, axis(0, 2, "n", 3)))])
    public = Linear("output", [("n", 2)], [(1, out(0)), (16, out(1)), (-SIGN, const(("n", 3)))], (0, [3]))
    rest = [(1 << bits, bits) for bits in range(5, k)]
    templates = [Template("range", [(0, 3), (16, 4)] + rest, range_slots()),
                 Template("relu", [(8, 3)], range_slots(), [[(1, (0, 1))]])]
    system = System("mlp-private" if private else "mlp", k, 3, m, templates, [RANGE_TABLE], T_BITS, [c1, c2],
                    [public], [] if private else [w % R for w in weights],
                    instances=4 if private else 3, private=len(weights) if private else 0)

    def sample(rng):
        x = [rng.randrange(16) for _ in range(7)]
        ys = [rescale(sum(a * b for a, b in zip(row, x)) + b) for row, b in zip(w1, b1)]
        z = [max(y, 0) for y, _ in ys]
        acc2 = [sum(a * b for a, b in zip(row, z)) + b for row, b in zip(w2, b2)]
        columns = [[0] * (1 << k) for _ in range(3)]
        place(columns, X, [x])
        place(columns, Z, [z, [max(-y, 0) for y, _ in ys], [r for _, r in ys]])
        place(columns, Y, signed_rows(acc2))
        return Witness(columns, [rescale(a)[0] % R for a in acc2], [w % R for w in weights] if private else None)

    return system, sample


# --- ranges of the private weights of (e): proven once, about the same [V] -------------------------------------------
def mlp_ranges():
    """Each weight is l0 + 16·l1 − 128, in the row of its address in V. Nothing else is shown but the commitment."""
    k = 8
    tensors = [(0, (("k", 3, 7), ("n", 3, 5))), (128, (("k", 3, 5), ("n", 2, 3))), (160, (("n", 3, 5),)), (168, (("n", 2, 3),))]
    linears = []
    for i, (base, dims) in enumerate(tensors):
        bits = [sum(b for _, b, _ in dims[:j]) for j in range(len(dims))]
        axes = [axis(at, b, n, e) for at, (n, b, e) in zip(bits, dims)]
        free = [(n, e) for n, _, e in dims]
        limb = lambda c: cells("T", (c << k) + base, *axes)
        terms = [(1, limb(0)), (16, limb(1)), (-SIGN, const(*free)), (-1, cells("V", base, *axes))]
        linears.append(Linear(f"range{i}", [(n, b) for n, b, _ in dims], terms))
    template = Template("range", [(0, k)], range_slots(2))
    system = System("mlp-ranges", k, 2, 2, [template], [RANGE_TABLE], T_BITS, [], linears, [], instances=1, private=256,
                    n=7, mask2="claim")
    _, of_model = mlp(private=True)

    def sample(rng):
        private = of_model(rng).private
        shifted = [((w + R // 2) % R - R // 2 + SIGN) for w in private]
        columns = [[w & 15 for w in shifted], [w >> 4 for w in shifted]]
        return Witness(columns, [], private)

    return system, sample


# --- (b): 3×5 image, two 3×3 kernels, stride 2, padding 1 → 2×2×3 -------------------------------------------------
def conv(seed=2):
    import random
    rnd = random.Random(seed)
    k, X, Y = 6, 0, 32
    kernel = [[[rnd.randrange(-3, 4) for _ in range(3)] for _ in range(3)] for _ in range(2)]
    weights = [0] * 32
    for c in range(2):
        for i in range(3):
            weights[16 * c + 4 * i:16 * c + 4 * i + 3] = kernel[c][i]
    window_w = Axis(0, 3, (Index("ow", 3, 2), Index("kw", 3)), offset=-1, bound=5)
    window_h = Axis(3, 2, (Index("oh", 2, 2), Index("kh", 3)), offset=-1, bound=3)
    ext = [("c", 2), ("oh", 2), ("ow", 3)]
    out = lambda c: cells("T", (c << k) + Y, axis(0, 2, "ow", 3), axis(2, 1, "oh", 2), axis(3, 1, "c", 2))
    free = [("c", 1), ("oh", 1), ("ow", 2)]
    con = Contraction("conv", free, [("kw", 2), ("kh", 2)],
                      cells("W", 0, axis(0, 2, "kw", 3), axis(2, 2, "kh", 3), axis(4, 1, "c", 2)),
                      cells("T", X, window_w, window_h), signed_terms(out, ext))
    public = Linear("output", free, [(1, out(0)), (16, out(1)), (-SIGN, const(*ext))], (0, [2, 2, 3]))
    system = System("conv", k, 3, 3, [Template("range", [(0, 6)], range_slots())], [RANGE_TABLE], T_BITS, [con],
                    [public], [w % R for w in weights], instances=12)

    def sample(rng):
        img = [[rng.randrange(16) for _ in range(5)] for _ in range(3)]
        px = lambda i, j: img[i][j] if 0 <= i < 3 and 0 <= j < 5 else 0
        accs = [sum(kernel[c][a][b] * px(2 * i - 1 + a, 2 * j - 1 + b) for a in range(3) for b in range(3))
                for c in range(2) for i in range(2) for j in range(3)]
        columns = [[0] * 64 for _ in range(3)]
        for i, row in enumerate(img):
            place(columns, X + 8 * i, [row])
        for i in range(4):
            place(columns, Y + 4 * i, signed_rows(accs[3 * i:3 * i + 3]))
        return Witness(columns, [rescale(a)[0] % R for a in accs])

    return system, sample


# --- (c): S = Q·Kᵀ, both witness --------------------------------------------------------------------------------
def attention():
    k, Q, K, S = 6, 0, 16, 32
    con = Contraction("scores", [("i", 2), ("j", 2)], [("d", 2)],
                      cells("T", Q, axis(0, 2, "d", 4), axis(2, 2, "i", 3)),
                      cells("T", K, axis(0, 2, "d", 4), axis(2, 2, "j", 3)),
                      signed_terms(lambda c: cells("T", (c << k) + S, axis(0, 2, "j", 3), axis(2, 2, "i", 3)),
                                   [("i", 3), ("j", 3)]))
    out = lambda c: cells("T", (c << k) + S, axis(0, 2, "j", 3), axis(2, 2, "i", 3))
    public = Linear("output", [("i", 2), ("j", 2)], [(1, out(0)), (16, out(1)), (-SIGN, const(("i", 3), ("j", 3)))],
                    (0, [3, 3]))
    system = System("attention", k, 3, 3, [Template("range", [(0, 6)], range_slots())], [RANGE_TABLE], T_BITS, [con],
                    [public], [0], instances=9)

    def sample(rng):
        q, kk = ([[rng.randrange(16) for _ in range(4)] for _ in range(3)] for _ in range(2))
        columns = [[0] * 64 for _ in range(3)]
        place(columns, Q, [sum(q, [])])
        place(columns, K, [sum(kk, [])])
        accs = [[sum(a * b for a, b in zip(x, y)) for y in kk] for x in q]
        for i in range(3):
            place(columns, S + 4 * i, signed_rows(accs[i]))
        return Witness(columns, [rescale(a)[0] for row in accs for a in row])

    return system, sample


# --- (d): out = f(x) on [−8, 8), tag 1; the table (2^5) is longer than the rows (2^4) ----------------------------
def function(x):
    return (x * x * x - 5 * x) // 4 + 1


def table():
    k, n = 4, 7
    outs = [function(x) % R for x in range(-8, 8)]
    fn = [Slot({0: 1}, {1: 1}, tag=1), Slot({2: 1}), Slot({2: 1})]
    rng_ = [Slot({0: 1}), Slot({1: 1}), Slot({2: 1})]
    public = Linear("output", [("n", 3)], [(1, cells("T", 1 << k, axis(0, 3, "n", n)))], (0, [n]))
    system = System("table", k, 3, 3, [Template("function", [(0, 3)], fn), Template("range", [(8, 3)], rng_)],
                    [RANGE_TABLE, TableSegment(16, 4, tag=1, key0=-8, outs=outs)], 5, [], [public],
                    [0] * 16 + outs, instances=n, out_base=0)

    def sample(rng):
        x = [rng.randrange(-8, 8) for _ in range(n)]
        columns = [x + [0] * 9, [function(v) for v in x] + [function(0)] + [0] * 8, [0] * 16]
        return Witness(columns, [function(v) % R for v in x])

    return system, sample


# --- (f): two outputs of a table, products element by element, a batch, a packed word, two layouts of one sequence -----
def pair_of_functions(x):
    return x * x - 5, 3 * x + 1


def mixed():
    """x[6] in [0, 16); f, g = table(x); c[2, 3] = x in another layout; d[2, 3] in [0, 4); p = c ⊙ d; dot[i] = Σ_j c·d."""
    k, X, P, C, D = 5, 0, 8, 16, 24
    fs, gs = zip(*(pair_of_functions(x) for x in range(16)))
    grid = lambda c, row: cells("T", (c << k) + row, axis(0, 2, "j", 3), axis(2, 1, "i", 2))
    flat = lambda c, row: cells("T", (c << k) + row, axis(0, 3, "f", 6))
    row = lambda c: cells("T", (c << k) + P, axis(0, 1, "i", 2))
    left, right = [(1, grid(0, C))], [(2, grid(0, D)), (-3, cells("1", 0, axis(0, 2, "j", 3), axis(2, 1, "i", 2)))]
    products = Contraction("products", [], [], left, grid(0, D), [(1, grid(0, P)), (16, grid(1, P))],
                           batch=[("i", 1), ("j", 2)])
    dots = Contraction("dots", [], [("j", 2)], left, right,
                       [(1, row(2)), (16, row(3)), (-128, const(("i", 2)))], batch=[("i", 1)])
    sequence = Linear("sequence", [], [(1, flat(0, X)), (-1, grid(0, C))],
                      sequence={"f": (1, 3), "i": (3, 1), "j": (1, 2)})
    word = Linear("word", [], [(1, grid(0, P)), (16, grid(1, P))], (0, []), packed={"i": (64 ** 3, 1), "j": (64, 2)})
    shown = Linear("dots", [("i", 1)], [(1, row(2)), (16, row(3)), (-128, const(("i", 2)))], (1, [2]))
    values = Linear("values", [("f", 3)], [(1, flat(1, X)), (1, flat(2, X))], (3, [6]))
    shown.name = "shown"
    lookup = [Slot({0: 1}, [{1: 1}, {2: 1}], tag=1), Slot({3: 1}), Slot({3: 1}), Slot({0: 1})]
    templates = [Template("functions", [(X, 3)], lookup),
                 Template("range", [(P, 3), (C, 3)], range_slots(4)),
                 Template("small", [(D, 3)], [Slot({0: 1}), Slot({0: 4}), Slot({1: 1}), Slot({2: 1})])]
    weights = [0] * 16 + [v % R for v in fs] + [0] * 16 + [v % R for v in gs]
    table = [RANGE_TABLE, TableSegment(16, 4, tag=1, outs=[list(fs), list(gs)])]
    system = System("mixed", k, 4, 2, templates, table, 5, [products, dots], [sequence, word, shown, values], weights,
                    instances=9, out_base=[0, 32], mask2="claim")

    def sample(rng):
        x = [rng.randrange(16) for _ in range(6)]
        d = [rng.randrange(4) for _ in range(6)]
        p = [a * b for a, b in zip(x, d)]
        dot = [sum(x[3 * i + j] * (2 * d[3 * i + j] - 3) for j in range(3)) for i in range(2)]
        columns = [[0] * 32 for _ in range(4)]
        padded = lambda v: v[:3] + [0] + v[3:]
        place(columns, X, [x + [0, 0], [pair_of_functions(v)[0] for v in x + [0, 0]],
                           [pair_of_functions(v)[1] for v in x + [0, 0]]])
        place(columns, C, [padded(x)])
        place(columns, D, [padded(d)])
        place(columns, P, [padded([v % 16 for v in p]), padded([v // 16 for v in p])])
        for i, v in enumerate(dot):
            columns[2][P + i], columns[3][P + i] = (v + 128) % 16, (v + 128) // 16
        word = sum(v << 6 * i for i, v in enumerate(p))
        f = [sum(pair_of_functions(v)) % R for v in x]
        return Witness(columns, [word] + [v % R for v in dot] + f)

    return system, sample


def other_masks(make):
    """The same system with mask2 = "claim"."""
    system, sample = make()
    system.mask2, system.name = "claim", system.name + "-claim"
    return system, sample


def in_chunks(make):
    """Chunks of 2^7: T and H are more than one."""
    system, sample = other_masks(make)
    system.n, system.name = 7, system.name + "-chunks"
    return system, sample


def in_one_row(make):
    """Opened whole."""
    system, sample = make()
    system.na, system.name = 0, system.name + "-whole"
    return system, sample


ALL = {"mlp": mlp, "conv": conv, "attention": attention, "table": table,
       "mlp_private": lambda: mlp(private=True), "mlp_claim": lambda: other_masks(mlp),
       "mlp_private_claim": lambda: other_masks(lambda: mlp(private=True)), "mlp_ranges": mlp_ranges, "mixed": mixed,
       "conv_claim": lambda: other_masks(conv), "attention_claim": lambda: other_masks(attention),
       "table_claim": lambda: other_masks(table), "mlp_chunks": lambda: in_chunks(lambda: mlp(k=6, m=1)),
       "conv_chunks": lambda: in_chunks(conv), "mlp_whole": lambda: in_one_row(lambda: other_masks(mlp)),
       "attention_whole": lambda: in_one_row(lambda: other_masks(attention)),
       "chunks_whole": lambda: in_one_row(lambda: in_chunks(lambda: mlp(k=6, m=1))),
       "private_whole": lambda: in_one_row(lambda: other_masks(lambda: mlp(private=True)))}
