"""Opening of one f̂(u) = v as a single inner product: the matrix of the vector has one row, and nothing is divided.

P_u(X) = Π((1 − u_k) + u_k X^{2^k}). The constant term of f(X)·P_u(1/X) is f̂(u), whatever coefficients f has from N on, so that
    f(X)·P_u(1/X) + f(1/X)·P_u(X) = 2v + X·S(X) + S(1/X)/X
holds for some S exactly if v = f̂(u). At X = z, times z^N, it is A(z) + B(1/z) = 2v·z^N with
    A = z^N·P_u(1/z)·f − z^{N+1}·S,    B = z^N·P_u(z)·f − z^{N−1}·S.
M = (zX − 1)·A + z(X − z)·B has M(z) = (z² − 1)A(z) and M(1/z) = (1 − z²)B(1/z), so this is the same as: M is 2v·z^{N+1}·X + k modulo
(X − z)(zX − 1) for some k. M is f and S times public numbers, so that neither is opened on its own: no batching challenge, one scalar.
Messages: [S] → z; k, [W] → y; [W'], 1/((y − z)(1 − zy)).
"""
from .field import R, add, div_root, horner, inv
from .mercury import p_eval, symmetric_part
from .mle import eq_vec


def factors(u, z, y):
    """What multiplies f and S in M at X = y, and v beside it. No inverse: z^N·P_u(1/z) = z·Π((1 − u_k)z^{2^k} + u_k)."""
    reverse, power = 1, z
    for r in u:
        reverse, power = reverse * (r + (1 - r) * power) % R, power * power % R
    of_f = z * ((z * y - 1) * reverse + (y - z) * power * p_eval(u, z))
    of_s = -power * ((z * y - 1) * z + y - z)
    return of_f % R, of_s % R, 2 * power * z * y % R


def is_inverse(scale, z, y):
    return scale * (y - z) * (1 - z * y) % R == 1


def poly_m(f, S, u, z):
    """M as a polynomial: its factors are linear in y."""
    (f0, s0, _), (f1, s1, _) = factors(u, z, 0), factors(u, z, 1)
    low = add([f0 * x % R for x in f], S, s0)
    slope = add([(f1 - f0) * x % R for x in f], S, s1 - s0)
    return add(low, [0] + slope)


def open_(f, u, tr, send):
    """Prover. `send(name, kind, value)` records and absorbs; it returns what was really sent."""
    S = send("S", "poly", symmetric_part([(1, f, eq_vec(u))]))
    z = tr.squeeze("z")
    zi, M = inv(z), poly_m(f, S, u, z)
    at_z, at_zi = horner(M, z), horner(M, zi)
    send("k", "word", at_z - (at_z - at_zi) * inv(z - zi) * z)
    W = send("W", "poly", [x * zi % R for x in div_root(div_root(M, z), zi)])
    y = tr.squeeze("y")
    of_f, of_s, _ = factors(u, z, y)
    scale = inv((y - z) * (1 - z * y))
    L = add(add([scale * of_f * x % R for x in f], S, scale * of_s), W)
    send("W2", "poly", div_root(L, y))
    send("inverse", "word", scale)


def check_(srs, cf, v, u, tr, proof):
    """Verifier. Raises on refusal. W is not multiplied: everything else is, by the number that the proof ends with."""
    S = proof.point("S")
    z = tr.squeeze("z")
    k, W = proof.word("k"), proof.point("W")
    y = tr.squeeze("y")
    W2, scale = proof.point("W2"), proof.word("inverse")
    if not is_inverse(scale, z, y):
        raise ValueError("inverse")
    of_f, of_s, of_v = factors(u, z, y)
    F = scale * (of_f * cf + of_s * S - of_v * v - k) + W + y * W2
    if not srs.pairing_check(F % R, W2):
        raise ValueError("pairing check")
