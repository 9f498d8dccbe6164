"""Simulator: accepting transcripts without a witness.

It knows τ and programs the challenges. Every value is uniform except those that the verifier's equations fix:
W from the sent evaluations at τ, then W' from the SHPLONK half and q from f = (X^b − α)q + g, both at τ.
The rank test (zk.py) says that a real proof is distributed exactly so.
"""
from . import mercury, sumcheck, whole
from .field import R, interp_at, inv, powers
from .layout import Layout
from .transcript import ProgrammedTranscript
from .verifier import claims, folded_phi, model_commitment, p2_powers


def simulate(srs, system, instances, w_points, rng, na=None, weights=None, v_points=()):
    """(items, challenge table, instances). weights: W; private ones are never used, but their commitments."""
    layout, tr = Layout(system, na), ProgrammedTranscript(rng)
    items, ch = [], {}
    rand = lambda: rng.randrange(1, R)

    def send(name, kind="word", value=None):
        items.append((name, kind, rand() if value is None else value % R))
        return items[-1][2]

    instances = list(instances)
    if system.private:
        instances.append(model_commitment(v_points))
        for c, p in enumerate(v_points):
            send(f"V{c}", "point", p)
    committed = {name: send(name, "point") for name, p, _ in layout.chunk_names if p == "T"}
    committed["R"] = send("R", "point")
    cP = send("P", "point") if layout.libra else None
    ch["theta"], ch["beta"] = tr.squeeze("theta"), tr.squeeze("beta")
    committed.update({name: send(name, "point") for name, p, _ in layout.chunk_names if p == "H"})
    ch["tau"], ch["gamma"] = tr.squeeze_vec("tau", max(system.k, system.kt)), tr.squeeze("gamma")
    ch["r"] = tr.squeeze_vec("r", layout.r_len)
    if layout.has_sequences():
        ch["chi"] = tr.squeeze("chi")
    S1 = send("S1")
    ch["rho1"], last1 = rounds("sc1", S1, layout.n1, layout.degrees, tr, send)
    v = {}
    for e in layout.evals(ch["r"]):            # evaluations of public weights are public
        public = None if e.masked else functional_of_weights(layout, e, ch["rho1"], weights)
        v[e.name] = send(e.name, "word", public)
    v["mu"] = sigma2 = send("sigma2" if layout.libra else "mu")
    eta, chi = tr.squeeze("eta"), tr.squeeze("chi2") if layout.libra else 0
    cl = claims(system, layout, ch, S1, last1, v, instances)
    S2 = (sum(w * value for w, (_, _, value) in zip(powers(eta, len(cl)), cl)) + chi * sigma2) % R
    rho, last2 = rounds("sc2", S2, layout.n2, [2] * layout.n2, tr, send)
    p2 = send("p2") if layout.libra else 0
    phi = {name: folded_phi(layout, cl, eta, p, c, rho) for name, p, c in layout.chunk_names}
    for poly, points in (("W", w_points), ("V", v_points)):
        phi.update({f"{poly}{c}": folded_phi(layout, cl, eta, poly, c, rho) for c in range(layout.chunks[poly])})
        committed.update({f"{poly}{c}": point for c, point in enumerate(points)})
    phi_r = 1 if layout.whole else phi["R"]
    cf = sum(phi[name] * committed[name] for name in phi) * inv(phi_r) % R
    s = (last2 - chi * p2) * inv(phi_r) % R
    if layout.whole:
        opening_of_one_row(srs, cf, s, rho, tr, send)
    else:
        opening(srs, layout, cf, s, rho, cP, p2_powers(layout, rho), p2, tr, send)
        send("inverse", "word", inv(phi_r * mercury.denominators(tr.table["z"], tr.table["alpha"])))
    return items, tr.table, instances


def functional_of_weights(layout, e, rho, weights):
    acc = 0
    for coef, view in e.view:
        phi = view.vector(layout.eval_points(e, rho), len(weights))
        acc += coef * sum(a * b for a, b in zip(phi, weights))
    return acc


def rounds(label, claim, n, degrees, tr, send):
    rho = {}
    for v in range(n - 1, -1, -1):
        words = [send(f"{label}[{v}].c{j + (j > 0)}") for j in range(degrees[v])]
        rho[v] = tr.squeeze(f"{label}_rho[{v}]")
        claim = sumcheck.next_claim(claim, words, rho[v])
    return [rho[v] for v in range(n)], claim


def opening(srs, layout, cf, v, u, cP, U, sigma, tr, send):
    tau, b, u_lo, u_hi = srs.tau, layout.b, u[:layout.nb], u[layout.nb:]
    rand = lambda: tr.rng.randrange(1, R)
    h = send("h", "point")
    alpha = tr.squeeze("alpha")
    g = rand()
    send("q", "point", (cf - g) * inv(pow(tau, b, R) - alpha))
    send("g", "point", g)
    gamma = tr.squeeze("gamma_open")
    S, D = send("S", "point"), send("D", "point")
    z = tr.squeeze("z")
    zi = inv(z)
    ev = {name: send(name) for name in mercury.EVALS[:6 if cP is None else 8]}
    S_z, D_z = mercury.derived(ev, v, u_lo, u_hi, U, sigma, gamma, z, zi)
    nu = tr.squeeze("nu")
    batch = mercury.opening_sets(ev, h, g, S, D, cP, S_z, D_z, z, zi, alpha)
    W = send("W", "point", sum(c * (com - interp_at(xs, ys, tau)) * inv(mercury.vanish(tau, xs))
                               for c, (com, xs, ys) in zip(powers(nu, 5), batch)))
    y, zeta, T = tr.squeeze("y"), tr.squeeze("zeta"), [z, zi, alpha]
    F = sum(c * mercury.vanish(y, [x for x in T if x not in xs]) * (com - interp_at(xs, ys, y))
            for c, (com, xs, ys) in zip(powers(nu, 5), batch)) - mercury.vanish(y, T) * W
    send("W2", "point", zeta * F * inv(tau - y))


def opening_of_one_row(srs, cf, v, u, tr, send):
    """W and W' from their equations at τ."""
    tau, S = srs.tau, send("S", "point")
    z, k = tr.squeeze("z"), send("k")
    value = lambda x: (lambda of_f, of_s, of_v: of_f * cf + of_s * S - of_v * v - k)(*whole.factors(u, z, x))
    W = send("W", "point", value(tau) * inv((tau - z) * (z * tau - 1)))
    y = tr.squeeze("y")
    scale = inv((y - z) * (1 - z * y))
    send("W2", "point", (scale * value(y) + W) * inv(tau - y))
    send("inverse", "word", scale)

