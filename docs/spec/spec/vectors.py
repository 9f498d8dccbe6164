"""`python -m spec.vectors [file]`: one full proof per toy system as JSON, with challenges and intermediate values.

Points are given as exponents (f(τ)) and as affine coordinates; with the SRS of this τ a real prover gets the same bytes.
"""
import json
import random
import sys

from .field import R
from .g1 import mul_g
from .kzg import Srs
from .layout import Layout
from .prover import prove
from .systems import ALL
from .transcript import Transcript
from .prover import Masks
from .verifier import start, verify, vk_digest, weight_commitments

# The simpler mask of sumcheck 2 is what the implementation has.
NAMES = ["mlp_claim", "mlp_private_claim", "mlp_ranges", "conv_claim", "attention_claim", "table_claim", "mixed", "mlp_chunks", "conv_chunks",
         "mlp_whole", "chunks_whole"]
SOURCES = {"1": "One", "T": "Witness", "W": "Weights", "V": "Private", "H": "Helpers", "R": "Masks"}


def word(x):
    return f"0x{x % R:064x}"


def affine(form, constant=0):
    return {"constant": word(constant), "terms": [[c, word(w)] for c, w in form.items()]}


def term(coef, view, names):
    """A term of the implementation: indices by number."""
    axis = lambda a: {"bit": a.bit, "bits": a.bits, "offset": a.offset, "bound": a.limit(),
                      "steps": [{"index": names.index(i.name), "stride": i.stride} for i in a.indices]}
    return {"source": SOURCES[view.poly], "axes": [axis(a) for a in view.axes],
            "broadcast": [names.index(n) for n, _ in view.free], "cells": [[view.base, word(coef)]]}


def extents(views):
    """The extent of every index that a relation mentions."""
    out = {}
    for v in views:
        for i in [i for a in v.axes for i in a.indices]:
            out[i.name] = i.extent
        out.update(v.free)
    return out


def contraction(c):
    views = [v for _, terms in c.operands() for _, v in terms] + [v for _, v in c.y]
    sizes = extents(views)
    names = [n for n, _ in c.free + c.batch + c.sum]
    index = lambda n: {"extent": sizes[n], "weight": "Random"}
    form = lambda terms: [term(coef, v, names) for coef, v in terms]
    (_, a), (_, b) = c.operands()
    return {"free": [index(n) for n, _ in c.free], "batch": [index(n) for n, _ in c.batch],
            "sum": [index(n) for n, _ in c.sum], "a": form(a), "b": form(b), "y": form(c.y)}


def linear(rel):
    sizes = extents([v for _, v in rel.terms])
    names = [n for n, _ in rel.free] + list(rel.packed) + list(rel.sequence)
    weight = lambda n: ({"Packed": word(rel.packed[n][0])} if n in rel.packed else
                        {"Sequence": {"stride": rel.sequence[n][0]}} if n in rel.sequence else "Random")
    return {"indices": [{"extent": sizes[n], "weight": weight(n)} for n in names],
            "form": [term(coef, v, names) for coef, v in rel.terms],
            "instances": None if rel.instances is None else rel.instances[0]}


def program(system):
    """The system as the implementation writes it."""
    segment = lambda start, bits: {"start": start, "bits": bits}
    lookup = lambda s: {"key": affine(s.key, s.key_const), "outputs": [affine(o) for o in s.outs()], "tag": s.tag}
    template = lambda t: {"segments": [segment(*s) for s in t.segments], "lookups": [lookup(s) for s in t.slots],
                          "gates": [[{"coefficient": word(c), "columns": list(cols)} for c, cols in g] for g in t.gates]}
    private = {"cells": system.private, "instance": system.instances - 1} if system.private else None
    rows = lambda s: {"rows": segment(s.start, s.bits), "tag": s.tag, "first_key": s.key0}
    return {"row_bits": system.k, "columns": system.columns, "lookups_per_helper": system.m,
            "templates": [template(t) for t in system.templates],
            "table": {"bits": system.kt, "segments": [rows(s) for s in system.table], "outputs": system.out_bases()},
            "contractions": [contraction(c) for c in system.contractions],
            "linears": [linear(rel) for rel in system.linears], "instances": system.instances,
            "loose": system.loose, "private": private}


def vector(name, seed=2026):
    rng = random.Random(seed)
    srs = Srs(rng.randrange(R))
    system, sample = ALL[name]()
    layout, witness = Layout(system), sample(rng)
    key = weight_commitments(srs, layout, system.weights)
    masks, v_blind = Masks(layout, rng), [rng.randrange(R) for _ in range(layout.chunks["V"])]
    items, instances = prove(srs, system, witness, rng, masks=masks, v_blind=v_blind)
    tr, log = Transcript(), {}
    assert verify(srs, system, key, instances, items, tr, log=log)
    hexed = lambda x: hex(x)
    item = lambda n, k, v: {"name": n, "kind": k, "value": hexed(v),
                            **({"xy": [hexed(c) for c in mul_g(v)]} if k == "point" else {})}
    first = Transcript()
    start(first, system, layout, key, instances)
    return {
        "system": name, "tau": hexed(srs.tau), "n": layout.n, "na": layout.na, "n1": layout.n1, "n2": layout.n2,
        "mask2": system.mask2,
        "degrees": layout.degrees, "m_base": layout.m_base, "g_base": layout.g_base, "p1_cells": layout.p1_cells,
        "xi_cells": layout.xi_cells, "opening_mask_cells": sorted(layout.opening_mask_cells()),
        "vk_digest": hexed(vk_digest(system, layout, key)),
        "weights": [hexed(w) for w in system.weights], "private": [hexed(w) for w in witness.private or []], "columns": witness.columns,
        "key": [item(f"W{i}", "point", p) for i, p in enumerate(key)], "instances": [hexed(x) for x in instances],
        "first_absorbed": first.buffer.hex(), "proof": [item(*i) for i in items],
        "challenges": [[n, hexed(v)] for n, v in tr.challenges],
        "claims": [[n, hexed(v)] for n, v in log["claims"]],
        "phi_at_rho": {k: hexed(v) for k, v in log["phi"].items()},
        "program": program(system), "opening": {"bits": layout.n, "column_bits": layout.nb},
        "masks": {"vector": [[i, hexed(x)] for i, x in enumerate(masks.R) if x], "helper": hexed(masks.H[0]),
                  "blinds": [hexed(masks.blind[name]) for name, _, _ in layout.chunk_names],
                  "private": [hexed(b) for b in v_blind]},
        **{k: hexed(log[k]) for k in ("last1", "gates", "S2", "last2", "s", "f", "S_z", "D_z") if k in log},
    }


def main():
    path = sys.argv[1] if len(sys.argv) > 1 else "vectors.json"
    with open(path, "w") as f:
        json.dump([vector(name) for name in NAMES], f, indent=1)
    print(path)


if __name__ == "__main__":
    main()
