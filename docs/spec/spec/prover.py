"""The prover, slow and plain. `cheat(name, value)` may replace anything on its way out: the forging tests use it."""
import random

from . import mercury, sumcheck, whole
from .field import R, inv, powers
from .layout import Layout
from .mle import eq_vec
from .transcript import Transcript
from .verifier import (Batch, claims, fingerprint, model_commitment, p2_powers, row_gate, start,
                       weight_commitments)


def table_rows(system):
    """(key, outs, tag) per table row."""
    count = len(system.out_bases())
    rows = [(0, (0,) * count, 0)] * (1 << system.kt)
    for s in system.table:
        columns = [] if not s.outs else s.outs if isinstance(s.outs[0], list) else [s.outs]
        for i in range(1 << s.bits):
            outs = tuple(c[i] % R for c in columns) + (0,) * (count - len(columns))
            rows[s.start + i] = (s.key0 + i, outs, s.tag)
    return rows


def template_of_row(system):
    out = [None] * (1 << system.k)
    for t in system.templates:
        for first, bits in t.segments:
            out[first:first + (1 << bits)] = [t] * (1 << bits)
    return out


def slot_tuple(system, slot, col):
    dot = lambda form: sum(c * col[i] for i, c in form.items()) % R
    outs = tuple(dot(out) for out in slot.outs())
    return ((dot(slot.key) + slot.key_const) % R, outs + (0,) * (len(system.out_bases()) - len(outs)), slot.tag)


def multiplicities(system, columns):
    """Uses of each table row; a tuple that is in no row is silently not counted (a cheating witness)."""
    index = {}
    for i, (key, out, tag) in enumerate(table_rows(system)):
        index.setdefault((key % R, out, tag), i)
    m = [0] * (1 << system.kt)
    for x, t in enumerate(template_of_row(system)):
        col = [c[x] for c in columns]
        for slot in t.slots:
            i = index.get(slot_tuple(system, slot, col))
            if i is not None:
                m[i] += 1
    return m


def helper_columns(system, layout, columns, M, theta, beta):
    """H_g = Σ_j 1/(β − fp_j) and G = M/(β − table), as one vector H."""
    H = [0] * (layout.N * layout.chunks["H"])
    for x, t in enumerate(template_of_row(system)):
        col = [c[x] for c in columns]
        for j, slot in enumerate(t.slots):
            at = (j // system.m << system.k) + x
            H[at] = (H[at] + inv(beta - fingerprint(slot, theta, col, system.tag_power()))) % R
    for i, (key, outs, tag) in enumerate(table_rows(system)):
        fp = key + sum(pow(theta, j + 1, R) * out for j, out in enumerate(outs)) + pow(theta, system.tag_power(), R) * tag
        H[layout.g_base + i] = M[i] * inv(beta - fp) % R
    return H


def sumcheck1_items(system, layout, ch, polys, xi):
    """Items in the order rows, table, contractions; xi: evaluation name → mask."""
    k, kt = system.k, system.kt
    batch = Batch(system, ch["gamma"])
    theta, beta = ch["theta"], ch["beta"]
    cut = lambda p, base, bits: polys[p][base:base + (1 << bits)]
    nt, nc, ng = len(system.templates), system.columns, system.groups
    eq_rows, of_row = eq_vec(ch["tau"][:k]), template_of_row(system)
    weights = [[e if of_row[x] is t else 0 for x, e in enumerate(eq_rows)] for t in system.templates]

    def rows(vals):
        es, col, hs = vals[:nt], vals[nt:nt + nc], vals[nt + nc:]
        acc = batch.logup * sum(hs)
        for e, t in zip(es, system.templates):
            if e:
                acc += e * row_gate(system, t, batch, theta, beta, col, hs)
        return acc % R

    names = [f"T{c}" for c in range(nc)] + [f"H{g}" for g in range(ng)]
    tables = [cut("T", c << k, k) for c in range(nc)] + [cut("H", g << k, k) for g in range(ng)]
    items = [sumcheck.Item(k, weights + tables, [0] * nt + [xi[n] for n in names], rows)]

    def table(vals):
        e, g, m, fp, *outs = vals
        fp += sum(pow(theta, j + 1, R) * out for j, out in enumerate(outs))
        return (batch.table * e * (g * (beta - fp) - m) - batch.logup * g) % R

    key_tag = [(key + pow(theta, system.tag_power(), R) * tag) % R for key, _, tag in table_rows(system)]
    outs = [cut("W", base, kt) for base in system.out_bases()]
    items.append(sumcheck.Item(kt, [eq_vec(ch["tau"][:kt]), cut("H", layout.g_base, kt), cut("T", layout.m_base, kt),
                                    key_tag] + outs,
                               [0, xi["G"], xi["M"], 0] + [xi.get(f"out{j}", 0) for j in range(len(outs))], table))
    for w, c in zip(batch.contraction, system.contractions):
        batch_names = [name for name, _ in c.batch]
        points = layout.free_points(c, ch["r"])
        pts = {n: p for n, p in points.items() if n not in batch_names}
        pair = [operand(terms, c.variables(), pts, polys) for _, terms in c.operands()]
        high = eq_vec([x for name in batch_names for x in points[name]])
        low = 1 << sum(b for _, b in c.sum)
        pair.append([e for e in high for _ in range(low)])
        items.append(sumcheck.Item(c.bits(), pair, [xi.get(f"{c.name}.A", 0), xi.get(f"{c.name}.B", 0), 0],
                                   lambda vals, w=w: w * vals[0] * vals[1] * vals[2] % R))
    return items


def operand(terms, kept, points, polys):
    """[Σ_free eq(points, free)·V[free, kept] for each value of the kept indices]"""
    out = [0] * (1 << sum(b for _, b in kept))
    eqs = {n: eq_vec(p) for n, p in points.items()}
    for coef, view in terms:
        for at, address in view.cells():
            w, x, shift = coef * (1 if view.poly == "1" else polys[view.poly][address]), 0, 0
            for n, bits in kept:
                x |= at.get(n, 0) << shift
                shift += bits
            for n, i in at.items():
                if n in eqs:
                    w = w * eqs[n][i] % R
            out[x] = (out[x] + w) % R
    return out


def apply(functional, polys):
    """Value of a linear functional, without its constant."""
    acc = 0
    for poly, values in polys.items():
        acc += sum(f * x for f, x in zip(functional.vector(poly, len(values)), values) if f)
    return acc % R


class Masks:
    """All randomness of a proof. Rank tests and leaks set parts of it."""

    def __init__(self, layout, rng):
        rand = lambda: rng.randrange(R)
        cells = sorted(layout.opening_mask_cells()) + layout.p1_cells + layout.xi_cells
        self.R = [0] * layout.N
        for c in cells:
            self.R[c] = rand()
        self.P = [rand() for _ in range(layout.p2_size + 3)]
        self.H = [rand()]                                    # only with mask2 = "claim"
        self.blind = {name: rand() for name, _, _ in layout.chunk_names}    # coefficients of X^N: an opening ignores them


def prove(srs, system, witness, rng=None, tr=None, cheat=None, na=None, masks=None, v_blind=None):
    """Returns (items, instances). Never checks the witness: a bad one gives a proof that the verifier refuses."""
    rng, tr, layout = rng or random.SystemRandom(), tr or Transcript(), Layout(system, na)
    cheat = cheat or (lambda name, value: value)
    masks = masks or Masks(layout, rng)
    items, ch, N = [], {}, layout.N

    def send(name, kind, value):
        value = cheat(name, value)
        if kind == "poly":
            c = srs.commit(value)
            items.append((name, "point", c))
            tr.point(c)
        else:
            value %= R
            items.append((name, "word", value))
            tr.word(value)
        return value

    pad = lambda f, size=N: [x % R for x in f] + [0] * (size - len(f))
    # statement and weights
    W = pad(witness.weights or system.weights, N * layout.chunks["W"])
    w_chunks = [W[i:i + N] for i in range(0, len(W), N)]
    instances = list(witness.instances)
    V = pad(witness.private or [], N * layout.chunks["V"])
    v_chunks = [V[i:i + N] + [b] for i, b in zip(range(0, len(V), N), v_blind or [])]     # X^N: the same for all proofs
    if system.private:
        instances.append(cheat("model_commitment", model_commitment([srs.commit(c) for c in v_chunks])))
    start(tr, system, layout, weight_commitments(srs, layout, system.weights), instances)
    v_chunks = [send(f"V{c}", "poly", f) for c, f in enumerate(v_chunks)]
    V = [x for c in v_chunks for x in c[:N]]
    # T with multiplicities, R, P
    columns = [pad(c, 1 << system.k) for c in witness.columns]
    M = cheat("M_column", multiplicities(system, columns))
    T = pad([x for c in columns for x in c], N * layout.chunks["T"])
    T[layout.m_base:layout.m_base + len(M)] = [x % R for x in M]
    sent = {}

    def send_chunks(poly, values):
        for name, _, c in [x for x in layout.chunk_names if x[1] == poly]:
            sent[name] = send(name, "poly", values[c * N:(c + 1) * N] + [masks.blind[name]])
        return [x for name, p, _ in layout.chunk_names if p == poly for x in sent[name][:N]]

    T = send_chunks("T", T)
    R_values = send_chunks("R", masks.R)
    P = send("P", "poly", list(masks.P)) if layout.libra else None
    ch["theta"], ch["beta"] = tr.squeeze("theta"), tr.squeeze("beta")
    H = cheat("H_vector", helper_columns(system, layout, columns, M, ch["theta"], ch["beta"]))
    if not layout.libra:
        H[layout.h_mask] = masks.H[0]
    polys = {"T": T, "W": W, "V": V, "H": send_chunks("H", H), "R": R_values}
    ch["tau"] = tr.squeeze_vec("tau", max(system.k, system.kt))
    ch["gamma"] = tr.squeeze("gamma")
    ch["r"] = tr.squeeze_vec("r", layout.r_len)
    if layout.has_sequences():
        ch["chi"] = tr.squeeze("chi")
    # sumcheck 1
    evals = layout.evals(ch["r"])
    xi = {e.name: polys["R"][layout.xi_cell(evals, i)] for i, e in enumerate(evals) if e.masked}
    sc_items = sumcheck1_items(system, layout, ch, polys, xi)
    p1 = libra1(layout, polys["R"])
    S1 = send("S1", "word", sum(it.total() for it in sc_items) + p1.total())
    ch["rho1"] = sumcheck.prove("sc1", sc_items, layout.n1, layout.degrees, p1, 1, tr, send)
    v = {}
    if hasattr(cheat, "state"):
        cheat.state.update(system=system, layout=layout, ch=ch, S1=S1, v=v, instances=instances)
    for e, value in zip(evals, end_values(system, sc_items, ch["rho1"][0])):
        v[e.name] = send(e.name, "word", value)
    if layout.libra:
        p2 = sumcheck.Libra(layout.n2, P[0], [P[1 + 2 * i:3 + 2 * i] for i in range(layout.n2)])
        send("sigma2", "word", p2.total())
        eta, chi = tr.squeeze("eta"), tr.squeeze("chi2")
    else:
        p2, chi = None, 0
        v["mu"] = send("mu", "word", apply(layout.mask_claim(), polys))
        eta = tr.squeeze("eta")
    # sumcheck 2: claimed values play no role for an honest prover
    cl = claims(system, layout, ch, S1, 0, v, instances)
    full = fold(layout, cl, eta, polys)
    item = sumcheck.Item(layout.n2, [t for pair in full for t in pair], [0] * (2 * len(full)),
                         lambda vals: sum(vals[i] * vals[i + 1] for i in range(0, len(vals), 2)) % R)
    rho = sumcheck.prove("sc2", [item], layout.n2, [2] * layout.n2, p2, chi, tr, send)
    if layout.libra:
        send("p2", "word", p2.at(rho))
    # opening of f
    phi = [t[0] for t in item.tables[1::2]]
    f = [0] * (N + 1)
    names = [name for p in "THR" for name, q, _ in layout.chunk_names if q == p]
    parts = [sent[name] for name in names] + w_chunks + v_chunks
    phi_r = 1 if layout.whole else phi[names.index("R")]
    phi = [x * inv(phi_r) % R for x in phi]
    for weight, poly in zip(phi, parts):
        f = f + [0] * (len(poly) - len(f))
        f = [(x + weight * y) % R for x, y in zip(f, poly + [0] * (len(f) - len(poly)))]
    if layout.whole:
        whole.open_(f, rho, tr, send)
    else:
        mercury.open_(f, rho, layout.nb, P, p2_powers(layout, rho), tr, send, phi_r)
    return items, instances


def libra1(layout, R_poly):
    cells = layout.p1_terms()
    coef = [[] for _ in layout.degrees]
    for cell, v, _ in cells[1:]:
        coef[v].append(R_poly[cell])
    return sumcheck.Libra(layout.n1, R_poly[cells[0][0]], coef)


def end_values(system, items, r0):
    """Masked evaluations in the order of Layout.evals."""
    rows, table = items[0].values(r0)[len(system.templates):], items[1].values(r0)
    out = rows + [table[2], table[1]]
    out += table[4:]
    for it in items[2:]:
        out += it.values(r0)[:2]
    return out


def fold(layout, cl, eta, polys):
    """[(P, Φ_P)] for every chunk of every polynomial: chunks of T, of H, R, chunks of W, of V."""
    out = []
    for poly in "THRWV":
        values = polys[poly]
        phi = [0] * len(values)
        for w, (_, f, _) in zip(powers(eta, len(cl)), cl):
            phi = [(x + w * y) % R for x, y in zip(phi, f.vector(poly, len(values)))]
        out += [(values[i:i + layout.N], phi[i:i + layout.N]) for i in range(0, len(values), layout.N)]
    return out

