"""The verifier. `claims` and everything else that prover and verifier share as public data is here, once."""
from . import mercury, sumcheck, whole
from .field import R, inv, powers
from .keccak import keccak256
from .layout import Layout
from .mle import Functional, eq_at, eq_index, eq_vec
from .transcript import Transcript


class Reader:
    """Proof = ordered list of (name, kind, value). Reading absorbs."""

    def __init__(self, items, tr):
        self.items, self.tr, self.next = items, tr, 0

    def take(self, name, kind):
        if self.next >= len(self.items) or self.items[self.next][:2] != (name, kind):
            raise ValueError(f"expected {kind} {name}")
        value = self.items[self.next][2]
        if not 0 <= value < R:
            raise ValueError(f"{name}: out of range")
        self.next += 1
        return value

    def word(self, name):
        value = self.take(name, "word")
        self.tr.word(value)
        return value

    def point(self, name):
        value = self.take(name, "point")
        if value == 0:
            raise ValueError(f"{name}: identity")
        self.tr.point(value)
        return value

    def end(self):
        if self.next != len(self.items):
            raise ValueError("trailing items")


def weight_commitments(srs, layout, weights):
    """[W] in chunks, without blinding."""
    padded = weights + [0] * ((layout.chunks["W"] << layout.n) - len(weights))
    return [srs.commit(padded[i:i + layout.N]) for i in range(0, len(padded), layout.N)]


def model_commitment(points):
    """What the statement says of private weights: Keccak-256 of the coordinates of the points [V], masked to 253 bits."""
    t = Transcript()
    for p in points:
        t.point(p)
    return int.from_bytes(keccak256(t.buffer), "big") & ((1 << 253) - 1)


def vk_digest(system, layout, w_points):
    """Binds the system, the opening shape, and [W]. Nothing of V: it serves all private weights of an architecture."""
    t = Transcript()
    shown = [system.name, system.k, system.columns, system.m, system.templates, system.table, system.kt,
             system.contractions, system.linears, system.instances, system.private, system.out_base,
             layout.n, layout.na, system.mask2]
    t.buffer = repr(shown).encode()
    for p in w_points:
        t.point(p)
    return int.from_bytes(keccak256(t.buffer), "big") % R


def start(tr, system, layout, w_points, instances):
    tr.word(vk_digest(system, layout, w_points))
    tr.word(len(instances))
    for w in instances:
        tr.word(w)


class Batch:
    """Powers of γ: helpers, gates, table, LogUp sum, contractions. Disjoint templates reuse the gate powers."""

    def __init__(self, system, gamma):
        gates = max(len(t.gates) for t in system.templates)
        p = powers(gamma, system.groups + gates + 2 + len(system.contractions))
        self.helper, self.gate = p[:system.groups], p[system.groups:]
        self.table, self.logup = self.gate[gates], self.gate[gates + 1]
        self.contraction = self.gate[gates + 2:]


def fingerprint(slot, theta, col, tag_power):
    key = slot.key_const + sum(c * col[i] for i, c in slot.key.items())
    for j, out in enumerate(slot.outs()):
        key += pow(theta, j + 1, R) * sum(c * col[i] for i, c in out.items())
    return (key + pow(theta, tag_power, R) * slot.tag) % R


def logup_gate(h, dens):
    """H·Π d_j − Σ_j Π_{i≠j} d_i"""
    prod, rest = 1, 0
    for d in dens:
        prod, rest = prod * d % R, (rest * d + prod) % R
    return (h * prod - rest) % R


def row_gate(system, template, batch, theta, beta, col, helpers):
    """Everything of one template at one row (or at a random point), before its eq weight."""
    m, acc = system.m, 0
    for g, h in enumerate(helpers):
        dens = [beta - fingerprint(s, theta, col, system.tag_power()) for s in template.slots[g * m:(g + 1) * m]]
        acc += batch.helper[g] * logup_gate(h, dens)
    for w, gate in zip(batch.gate, template.gates):
        for c, cols in gate:
            for i in cols:
                c = c * col[i] % R
            acc += w * c
    return acc % R


def segment_eq(tau, start, bits, rho):
    """MLE at ρ of (eq(τ, x) on the segment, 0 elsewhere)."""
    seg = start >> bits
    return (eq_at(tau[:bits], rho[:bits]) * eq_index(tau[bits:], seg) * eq_index(rho[bits:], seg)) % R


def table_key_tag(system, theta, rho):
    """MLE at ρ of key + θ^·tag of the table column; rows in no segment are zero throughout."""
    acc = 0
    for s in system.table:
        sel = eq_index(rho[s.bits:], s.start >> s.bits)
        key = s.key0 + sum(r << i for i, r in enumerate(rho[:s.bits]))
        acc += sel * (key + pow(theta, system.tag_power(), R) * s.tag)
    return acc % R


def gates_at(system, layout, ch, v, rho):
    """Σ of all items of sumcheck 1 at ρ₁, from the sent evaluations."""
    k, kt, n1 = system.k, system.kt, layout.n1
    scale = lambda bits: inv(1 << (n1 - bits))
    batch = Batch(system, ch["gamma"])
    col = [v[f"T{c}"] for c in range(system.columns)]
    helpers = [v[f"H{g}"] for g in range(system.groups)]
    rows = batch.logup * sum(helpers)
    for t in system.templates:
        e = sum(segment_eq(ch["tau"][:k], s, b, rho[:k]) for s, b in t.segments)
        rows += e * row_gate(system, t, batch, ch["theta"], ch["beta"], col, helpers)
    fp = table_key_tag(system, ch["theta"], rho[:kt])
    for j in range(len(system.out_bases())):
        fp += pow(ch["theta"], j + 1, R) * v[f"out{j}"]
    e = eq_at(ch["tau"][:kt], rho[:kt])
    table = batch.table * e * (v["G"] * (ch["beta"] - fp) - v["M"]) - batch.logup * v["G"]
    acc = rows * scale(k) + table * scale(kt)
    for w, c in zip(batch.contraction, system.contractions):
        at = sum(b for _, b in c.sum)
        for name, bits in c.batch:
            w = w * eq_at(layout.free_points(c, ch["r"])[name], rho[at:at + bits]) % R
            at += bits
        acc += w * v[f"{c.name}.A"] * v[f"{c.name}.B"] * scale(c.bits())
    return acc % R


def claims(system, layout, ch, S1, last1, v, instances):
    """[(Functional, value)]: everything that T, W, V, H, R must satisfy, all linear."""
    rho, out = ch["rho1"], []
    batch = Batch(system, ch["gamma"])
    total = Functional()                                  # S₁ = Σ γ^· Y_l + Σ p₁
    for w, c in zip(batch.contraction, system.contractions):
        for coef, view in c.y:
            total.view(w * coef, view, layout.free_points(c, ch["r"]))
    for cell, weight in layout.p1_sum():
        total.cell("R", cell, weight)
    out.append(("S1", total, S1))
    out.append(("p1", layout.p1_at(rho), last1 - gates_at(system, layout, ch, v, rho)))
    evals = layout.evals(ch["r"])
    for i, e in enumerate(evals):
        f = Functional()
        for coef, view in e.view:
            f.view(coef, view, layout.eval_points(e, rho))
        if e.masked:
            f.cell("R", layout.xi_cell(evals, i), rho[0] * (1 - rho[0]))
        out.append((e.name, f, v[e.name]))
    for rel in system.linears:
        points, f, value = layout.free_points(rel, ch["r"], ch.get("chi")), Functional(), 0
        for coef, view in rel.terms:
            f.view(coef, view, points)
        if rel.instances is not None:
            value = instance_mle(rel, points, instances)
        out.append((rel.name, f, value))
    if not layout.libra:
        out.append(("mask", layout.mask_claim(), v["mu"]))
    return [(name, f, (value - f.constant) % R) for name, f, value in out]


def instance_mle(rel, points, instances):
    """Σ over the free indices (row-major, last fastest) of Π eq(point, index)·instance."""
    first, extents = rel.instances
    weights = [1]
    for (name, _), extent in zip(rel.free, extents):
        e = eq_vec(points[name])[:extent]
        weights = [w * x % R for w in weights for x in e]
    return sum(w * x for w, x in zip(weights, instances[first:])) % R


def chunk_point(layout, poly, chunk, rho):
    """ρ, followed by the bits of the chunk's number: chunks are opened at one point, each with a Φ of its own."""
    bits = max(layout.chunks[poly] - 1, 0).bit_length()
    return rho + [chunk >> k & 1 for k in range(bits)]


def folded_phi(layout, cl, eta, poly, chunk, rho):
    """Φ_{poly, chunk}(ρ) = Σ_i η^i φ_i(ρ, chunk)"""
    point = chunk_point(layout, poly, chunk, rho)
    return sum(w * f.at(poly, point) for w, (_, f, _) in zip(powers(eta, len(cl)), cl)) % R


def p2_powers(layout, rho):
    """U: [1, ρ_0, ρ_0², ρ_1, …, 0, 0, 0] with ⟨P, U⟩ = p₂(ρ)."""
    return [1] + [w for x in rho for w in (x % R, x * x % R)] + [0, 0, 0]


def verify(srs, system, w_points, instances, items, tr=None, na=None, log=None):
    """Returns True or raises ValueError. w_points: [W] of the key."""
    layout, tr, log = Layout(system, na), tr or Transcript(), {} if log is None else log
    proof, ch = Reader(items, tr), {}
    if len(instances) != system.instances or any(not 0 <= w < R for w in instances):
        raise ValueError("instances")
    start(tr, system, layout, w_points, instances)
    private = [proof.point(f"V{c}") for c in range(layout.chunks["V"])]
    if private and model_commitment(private) != instances[-1]:
        raise ValueError("model commitment")
    committed = {name: proof.point(name) for name, p, _ in layout.chunk_names if p == "T"}
    committed["R"] = proof.point("R")
    cP = proof.point("P") if layout.libra else None
    ch["theta"], ch["beta"] = tr.squeeze("theta"), tr.squeeze("beta")
    committed.update({name: proof.point(name) for name, p, _ in layout.chunk_names if p == "H"})
    ch["tau"] = tr.squeeze_vec("tau", max(system.k, system.kt))
    ch["gamma"] = tr.squeeze("gamma")
    ch["r"] = tr.squeeze_vec("r", layout.r_len)
    if layout.has_sequences():
        ch["chi"] = tr.squeeze("chi")
    # sumcheck 1
    S1 = proof.word("S1")
    ch["rho1"], last1 = sumcheck.check("sc1", S1, layout.n1, layout.degrees, tr, proof)
    v = {e.name: proof.word(e.name) for e in layout.evals(ch["r"])}
    v["mu"] = sigma2 = proof.word("sigma2" if layout.libra else "mu")
    eta, chi = tr.squeeze("eta"), tr.squeeze("chi2") if layout.libra else 0
    # sumcheck 2
    cl = claims(system, layout, ch, S1, last1, v, instances)
    S2 = (sum(w * value for w, (_, _, value) in zip(powers(eta, len(cl)), cl)) + chi * sigma2) % R
    rho, last2 = sumcheck.check("sc2", S2, layout.n2, [2] * layout.n2, tr, proof)
    p2 = proof.word("p2") if layout.libra else 0
    s = (last2 - chi * p2) % R
    # one opening
    phi = {name: folded_phi(layout, cl, eta, p, c, rho) for name, p, c in layout.chunk_names}
    for poly, points in (("W", w_points), ("V", private)):
        phi.update({f"{poly}{c}": folded_phi(layout, cl, eta, poly, c, rho) for c in range(layout.chunks[poly])})
        committed.update({f"{poly}{c}": point for c, point in enumerate(points)})
    extra = opened(srs, layout, phi, committed, s, rho, (cP, p2), tr, proof)
    proof.end()
    log.update(last1=last1, gates=gates_at(system, layout, ch, v, ch["rho1"]), S2=S2, last2=last2, s=s,
               claims=[(n, val) for n, _, val in cl], phi=phi, **extra)
    return True


def opened(srs, layout, phi, committed, s, rho, libra, tr, proof):
    """The opening of Σ Φ·P at ρ, value s; divided by Φ_R where the vector is opened by rows."""
    phi_r = 1 if layout.whole else phi["R"]
    cf = sum(phi[name] * committed[name] for name in phi) * inv(phi_r) % R
    if layout.whole:
        whole.check_(srs, cf, s, rho, tr, proof)
        return {"f": cf}
    cP, p2 = libra
    extra = mercury.check_(srs, cf, s * inv(phi_r) % R, rho, layout.nb, cP, p2_powers(layout, rho), p2, tr, proof, phi_r)
    return {"f": cf, **extra}

