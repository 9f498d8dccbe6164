//! Powers-of-tau files: good ones of every kind, and every kind of damage.

use super::*;
use proptest::prelude::*;

#[derive(serde::Deserialize)]
struct Expected {
    raw: Exported,
    prepared: Exported,
}

#[derive(serde::Deserialize)]
struct Exported {
    power: u32,
    tau_g1: String,
    tau_g2: [String; 2],
}

fn hex(bytes: impl IntoIterator<Item = u8>) -> String {
    bytes.into_iter().map(|b| format!("{b:02x}")).collect()
}

#[test]
fn imported_powers_are_those_that_snarkjs_exports() {
    let expected: Expected = serde_json::from_slice(&fixture("expected.json")).expect("JSON");
    for (name, theirs) in [("raw.ptau", expected.raw), ("prepared.ptau", expected.prepared)] {
        let srs = import(&fixture(name), None).expect(name);
        assert_eq!(srs.k(), theirs.power);
        let points = srs.params().get_g().iter().map(zkml_curve::g1_words);
        let bytes: Vec<u8> = points.flat_map(|p| [p.x.0, p.y.0].concat()).collect();
        assert_eq!(hex(blake2b_simd::blake2b(&bytes).as_bytes().iter().copied()), theirs.tau_g1, "{name}");
        let part = srs.verifier_part();
        let in_g2 = [part.g2, part.s_g2].map(|p| hex(p.words().iter().flat_map(|w| w.0)));
        assert_eq!(in_g2, theirs.tau_g2, "{name}");
        assert!(!srs.is_dev() && !part.unsafe_dev);
    }
    let contributed = import(&fixture("small-contributed.ptau"), None).expect("imports");
    assert_eq!(contributed.source().expect("recorded").contributions, 1);
}

#[test]
fn the_lagrange_basis_is_the_proving_library_s_for_every_size() {
    let files = ["raw.ptau", "prepared.ptau"].map(fixture);
    for (k, file) in (1..=5).flat_map(|k| files.iter().map(move |f| (k, f))) {
        let srs = import(file, Some(k)).expect("imports");
        let g = srs.params().get_g().to_vec();
        let theirs = srs.params().from_parts(k, g, None, srs.params().g2(), srs.params().s_g2());
        assert!(raw(srs.params()) == raw(&theirs), "k = {k}");
    }
}

#[test]
fn what_is_no_powers_of_tau_file() {
    let page = b"<?xml version=\"1.0\" encoding=\"UTF-8\"?><Error><Code>AccessDenied</Code></Error>";
    let error = import(page, None).expect_err("a page").to_string();
    assert!(error.contains("<?xml") && error.contains("download failed"), "{error}");
    for other in [b"".as_slice(), b"pta", b"zkey\x01\0\0\0", &[0xff; 100]] {
        assert!(matches!(import(other, None), Err(SrsError::NotPtau { .. })), "{other:?}");
    }
    let mut newer = fixture("raw.ptau");
    newer[4] = 2;
    assert!(matches!(import(&newer, None), Err(SrsError::Version { found: 2 })));
}

#[test]
fn another_curve() {
    let error = import(&fixture("bls12-381.ptau"), None).expect_err("another curve");
    assert!(matches!(error, SrsError::Curve { curve: "BLS12-381", bits: 381 }), "{error}");
    assert!(error.to_string().contains("bn128"), "{error}");
    let mut unknown = fixture("raw.ptau");
    let prime = section(&unknown, 1).start + 4;
    unknown[prime] ^= 2;
    assert!(matches!(import(&unknown, None), Err(SrsError::Curve { bits: 254, .. })));
}

#[test]
fn nobody_contributed() {
    let error = import(&fixture("small-new.ptau"), None).expect_err("secret 1");
    assert!(matches!(error, SrsError::Degenerate { .. }) && error.to_string().contains("nobody"), "{error}");
    for s in [Fr::ZERO, -Fr::ONE, lagrange::omega(3), lagrange::omega(4)] {
        let error = import(&made(4, s), None).expect_err("degenerate");
        assert!(matches!(error, SrsError::Degenerate { .. } | SrsError::Identity { .. }), "{s:?}: {error}");
    }
    import(&made(4, Fr::from(77)), None).expect("a file made here, with a better secret");
}

#[test]
fn too_few_powers() {
    let error = import(&fixture("raw.ptau"), Some(10)).expect_err("too few");
    assert!(matches!(error, SrsError::TooFewPowers { have: 9, need: 10 }), "{error}");
    assert!(matches!(import(&fixture("raw.ptau"), Some(0)), Err(SrsError::Header { .. })));
}

#[test]
fn a_short_file_at_every_length() {
    for name in ["raw.ptau", "prepared.ptau"] {
        let whole = fixture(name);
        for cut in (0..whole.len()).step_by(499).chain(0..200).chain(whole.len() - 200..whole.len()) {
            let error = import(&whole[..cut], None).expect_err("short");
            let plain = matches!(error, SrsError::Short { .. });
            assert!(
                plain || cut < 4 && matches!(error, SrsError::NotPtau { .. }),
                "{name} cut at {cut}: {error}"
            );
        }
    }
    let longer = [fixture("raw.ptau"), vec![0]].concat();
    assert!(matches!(import(&longer, None), Err(SrsError::Trailing { bytes: 1 })));
}

/// Rewrites the ids of sections.
fn renamed(name: &str, names: &[(u32, u32)]) -> Vec<u8> {
    let original = fixture(name);
    let mut file = original.clone();
    for (from, to) in names {
        let head = section(&original, *from).start - 12;
        file[head..head + 4].copy_from_slice(&to.to_le_bytes());
    }
    file
}

#[test]
fn swapped_sections() {
    // The heads of two sections of equal length, then of unequal length.
    let error = import(&renamed("raw.ptau", &[(4, 5), (5, 4)]), None).expect_err("swapped").to_string();
    assert!(error.contains("section 4") && error.contains("swapped"), "{error}");
    assert!(matches!(import(&renamed("raw.ptau", &[(2, 4), (4, 2)]), None), Err(SrsError::Order { .. })));
    assert!(matches!(import(&renamed("raw.ptau", &[(5, 4)]), None), Err(SrsError::Duplicate { .. })));
    assert!(matches!(import(&renamed("raw.ptau", &[(7, 9)]), None), Err(SrsError::UnknownSection { id: 9 })));
    assert!(matches!(import(&renamed("raw.ptau", &[(7, 12)]), None), Err(SrsError::Missing { .. })));
    assert!(matches!(
        import(&renamed("prepared.ptau", &[(14, 15), (15, 14)]), None),
        Err(SrsError::Order { .. })
    ));
    // The contents alone: powers times alpha in place of the powers.
    let mut file = fixture("raw.ptau");
    let (tau, alpha) = (section(&file, 2), section(&file, 4));
    let content = file[alpha].to_vec();
    file[tau.start..tau.start + content.len()].copy_from_slice(&content);
    assert!(matches!(import(&file, None), Err(SrsError::Generator { part: ptau::TAU_G1 })));
    // The prepared points of beta in place of those of tau.
    let mut file = fixture("prepared.ptau");
    let (tau, beta) = (section(&file, 12), section(&file, 15));
    let content = file[beta].to_vec();
    file[tau.start..tau.start + content.len()].copy_from_slice(&content);
    assert!(matches!(import(&file, None), Err(SrsError::Lagrange { part: ptau::PREPARED_G1 })));
}

#[test]
fn a_section_of_a_wrong_length() {
    // One point moves from section 4 to section 5: the file is as long as before.
    let mut file = fixture("raw.ptau");
    let (alpha, beta) = (section(&file, 4), section(&file, 5));
    let head = file[beta.start - 12..beta.start].to_vec();
    file.copy_within(alpha.end - 64..alpha.end, beta.start - 64);
    file[alpha.end - 64..alpha.end - 52].copy_from_slice(&head);
    for (at, length) in [(alpha.start - 8, alpha.len() - 64), (alpha.end - 60, beta.len() + 64)] {
        file[at..at + 8].copy_from_slice(&(length as u64).to_le_bytes());
    }
    let error = import(&file, None).expect_err("lengths");
    assert!(matches!(error, SrsError::Length { have, need, power: 9, .. } if have + 64 == need), "{error}");
    // Lengths that would overflow a sum.
    for length in [u64::MAX, u64::MAX - 11, 1 << 63] {
        let mut file = fixture("raw.ptau");
        let at = section(&file, 3).start - 8;
        file[at..at + 8].copy_from_slice(&length.to_le_bytes());
        assert!(matches!(import(&file, None), Err(SrsError::Short { .. })));
    }
}

/// Prepared sections come all together, with their lengths.
#[test]
fn half_a_preparation() {
    let whole = fixture("prepared.ptau");
    let basis = section(&whole, 12);
    let mut file = [&whole[..basis.start - 12], &whole[basis.end..]].concat();
    file[8] -= 1;
    let error = import(&file, None).expect_err("section 12").to_string();
    assert!(error.contains("section 12") && error.contains("missing"), "{error}");
    let last = section(&whole, 15);
    let mut file = whole[..last.end - 64].to_vec();
    file[last.start - 12 + 4..last.start].copy_from_slice(&(last.len() as u64 - 64).to_le_bytes());
    let error = import(&file, None).expect_err("section 15");
    assert!(matches!(error, SrsError::Length { power: 5, .. }), "{error}");
}

/// The generator of G2 is in the file; powers of the secret by another base are not good.
#[test]
fn another_base_in_g2() {
    use halo2curves::serde::SerdeObject;
    let mut file = fixture("raw.ptau");
    let at = section(&file, 3).start;
    file[at..at + 128].copy_from_slice(&(G2Affine::generator() * Fr::from(3)).to_affine().to_raw_bytes());
    assert!(matches!(import(&file, None), Err(SrsError::Generator { part: ptau::TAU_G2 })));
}

/// One bit of whatever is used is noticed, and the message says where; other bits change the digest.
#[test]
fn one_flipped_bit() {
    let whole = fixture("prepared.ptau");
    let digest = import(&whole, None).expect("good").source().expect("recorded").blake2b.clone();
    let basis = section(&whole, 12).start + 64 * 31;
    let used = [section(&whole, 2).start..section(&whole, 2).start + 64 * 32, basis..basis + 64 * 32];
    let tau_g2 = section(&whole, 3).start..section(&whole, 3).start + 256;
    let parts = [ptau::TAU_G1, ptau::PREPARED_G1];
    for (range, part) in used.into_iter().zip(parts) {
        for at in range.clone().step_by(61) {
            let mut bad = whole.clone();
            bad[at] ^= 1 << (at % 8);
            let error = import(&bad, None).expect_err("a point");
            let point = (at - range.start) / 64;
            let SrsError::OffCurve { part: found, index } = error else {
                assert!(
                    matches!(error, SrsError::Coordinate { index, .. } if index == point as u64),
                    "byte {at}: {error}"
                );
                continue;
            };
            assert_eq!((found, index), (part, point as u64));
        }
    }
    for at in tau_g2.step_by(31) {
        let mut bad = whole.clone();
        bad[at] ^= 1 << (at % 8);
        let error = import(&bad, None).expect_err("tau in G2").to_string();
        assert!(error.contains(ptau::TAU_G2), "byte {at}: {error}");
    }
    // Of the head, only the ceremony's power may be another one: files are cut from larger ones.
    let ceremony = section(&whole, 1).start + 40;
    for at in (0..80).filter(|at| *at != ceremony).chain([section(&whole, 7).start - 12]) {
        for bit in 0..8 {
            let mut bad = whole.clone();
            bad[at] ^= 1 << bit;
            assert!(import(&bad, None).is_err(), "bit {bit} of byte {at} of the head");
        }
    }
    let mut unused = whole.clone();
    unused[section(&whole, 5).start + 100] ^= 1;
    assert_ne!(import(&unused, None).expect("not used").source().expect("recorded").blake2b, digest);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, failure_persistence: None, ..ProptestConfig::default() })]

    /// Any edits: an error or a setup, never a panic; and what is accepted has the powers of the original.
    #[test]
    fn hostile_bytes_never_panic(
        edits in prop::collection::vec((0usize..1 << 20, any::<u8>()), 1..6),
        cut in prop::option::of(0usize..1 << 20),
        near_heads in any::<bool>(),
        k in prop::option::of(0u32..9),
    ) {
        let original = made(3, Fr::from(5));
        let mut file = original.clone();
        let heads: Vec<usize> = (1..8).map(|id| section(&original, id).start - 12).collect();
        for (at, value) in edits {
            let at = if near_heads { heads[at % 7] + at / 7 % 14 } else { at };
            let at = at % file.len();
            file[at] = value;
        }
        if let Some(cut) = cut {
            file.truncate(cut % (original.len() + 1));
        }
        if let Ok(srs) = import(&file, k) {
            prop_assert!(import(&original, Some(srs.k())).is_ok_and(|o| raw(o.params()) == raw(srs.params())));
        }
    }

    #[test]
    fn random_bytes_never_panic(tail in prop::collection::vec(any::<u8>(), 0..300), magic in any::<bool>()) {
        let start: &[u8] = if magic { b"ptau\x01\0\0\0\x07\0\0\0" } else { b"" };
        prop_assert!(import(&[start, tail.as_slice()].concat(), None).is_err());
    }
}
