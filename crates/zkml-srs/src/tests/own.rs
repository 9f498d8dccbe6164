//! Setups of ours: made, imported, cut, written and read.

use super::*;

fn bytes(srs: &Srs) -> Vec<u8> {
    let mut out = vec![];
    srs.write(&mut out).expect("writes");
    out
}

fn with_secret(k: u32, s: Fr) -> Srs {
    Srs { params: dev::powers(k, s), in_g2: vec![], origin: Origin::Unstated, sound: false }
}

/// Writes a setup to a file that is removed in the end.
fn stored(bytes: &[u8]) -> tempfile::NamedTempFile {
    let file = tempfile::NamedTempFile::new().expect("file");
    std::fs::write(file.path(), bytes).expect("writes");
    file
}

#[test]
fn dev_setup_is_what_halo2_would_make() {
    let srs = Srs::dev(4).expect("makes");
    let s = dev::secret();
    let g = srs.params().get_g();
    let by_hand: Vec<G1Affine> =
        (0..16u64).map(|i| (G1::generator() * s.pow_vartime([i])).to_affine()).collect();
    assert_eq!(g, by_hand.as_slice());
    // The library derives the Lagrange basis from the monomial one.
    let derived = srs.params().from_parts(4, by_hand, None, srs.params().g2(), srs.params().s_g2());
    assert!(raw(srs.params()) == raw(&derived));
}

#[test]
fn shrinking_keeps_the_ceremony() {
    let big = Srs::dev(6).expect("makes");
    let small = big.shrunk(4, "x").expect("shrinks");
    assert_eq!(small.digest(), big.digest());
    assert!(bytes(&small) == bytes(&Srs::dev(4).expect("makes")));
    assert!(matches!(small.shrunk(5, "x"), Err(Error::TooSmall { have: 4, need: 5, .. })));
}

#[test]
fn shrinking_without_the_secret_gives_the_same_powers() {
    let s = Fr::from(123_456_789);
    let big = with_secret(6, s);
    let small = big.shrunk(4, "x").expect("shrinks");
    assert!(bytes(&small) == bytes(&with_secret(4, s)));
}

#[test]
fn a_stored_cut_is_recognised_or_refused() {
    let big = import(&fixture("raw.ptau"), None).expect("imports");
    let small = Srs { sound: false, ..big.shrunk(3, "x").expect("shrinks") };
    let taken = |big: &Srs, small: &Srs| big.stored_cut(small.clone(), QUIET);
    assert!(taken(&big, &small).is_some_and(|cut| cut.sound) && taken(&big, &big).is_some());
    assert!(taken(&small, &big).is_none(), "larger");
    assert!(taken(&big, &with_secret(3, Fr::from(5))).is_none(), "other powers");
    let g = small.params().get_g().to_vec();
    // The right powers with the Lagrange basis of other ones.
    let foreign = file::points_of(&with_secret(3, Fr::from(5))).expect("good").g_lagrange;
    let forged = Srs { params: dev::params(3, g, foreign, small.params().s_g2()), ..small.clone() };
    assert!(taken(&big, &forged).is_none(), "another Lagrange basis");
    let basis = file::points_of(&small).expect("good").g_lagrange;
    let g = small.params().get_g().to_vec();
    let forged = Srs { params: dev::params(3, g, basis, dev::s_g2()), ..small.clone() };
    assert!(taken(&big, &forged).is_none(), "another secret in G2");
}

#[test]
fn files_are_checked() {
    let bytes = bytes(&Srs::dev(3).expect("makes"));
    let file = stored(&bytes);
    assert!(Srs::read(file.path()).expect("reads").is_dev());
    for cut in [0, 10, 16, bytes.len() - 1] {
        let file = stored(&bytes[..cut]);
        assert!(matches!(Srs::read(file.path()), Err(Error::BadFile { .. })), "cut at {cut}");
        assert!(Srs::summary(file.path()).is_err(), "cut at {cut}");
    }
    for flip in [0, 20, 60, bytes.len() / 2, bytes.len() - 1] {
        let mut bad = bytes.clone();
        bad[flip] ^= 1;
        let file = stored(&bad);
        assert!(matches!(Srs::read(file.path()), Err(Error::BadFile { .. })), "flip at {flip}");
    }
}

#[test]
fn the_origin_survives_the_disk_and_the_cut() {
    let imported = import(&fixture("prepared.ptau"), None).expect("imports");
    assert_eq!(imported.provenance(), Provenance::Unknown);
    let source = imported.source().expect("recorded").clone();
    let whole = fixture("prepared.ptau");
    assert_eq!(source.blake2b, blake2b_simd::blake2b(&whole).as_bytes());
    assert_eq!((source.bytes, source.power, source.contributions), (whole.len() as u64, 5, 2));
    let file = stored(&bytes(&imported));
    assert_eq!(Srs::read(file.path()).expect("reads").source(), Some(&source));
    assert_eq!(imported.shrunk(2, "x").expect("shrinks").source(), Some(&source));
    let summary = Srs::summary(file.path()).expect("reads");
    assert_eq!((summary.k, summary.provenance), (5, Provenance::Unknown));
    assert_eq!((summary.source.as_ref(), summary.digest), (Some(&source), imported.digest()));
    // Files of older versions recorded nothing.
    let mut old = vec![];
    crate::container::write(&mut old, b"zkml-chain/srs/1", &[], |mut body| imported.write_body(&mut body))
        .expect("writes");
    let old = Srs::read(stored(&old).path()).expect("reads");
    assert_eq!((old.source(), old.provenance()), (None, Provenance::Unknown));
}

#[test]
fn the_dev_secret_is_recognised_however_it_comes() {
    let imported = import(&made(4, dev::secret()), None).expect("imports");
    assert!(imported.is_dev() && imported.verifier_part().unsafe_dev);
    let disguised = Srs { origin: Origin::Unstated, ..Srs::dev(3).expect("makes") };
    assert!(Srs::read(stored(&bytes(&disguised)).path()).expect("reads").is_dev());
    assert_eq!(Srs::summary(stored(&bytes(&disguised)).path()).expect("reads").provenance, Provenance::Dev);
    // Marked, with a secret that is not the known one: the mark stays.
    let marked = stored(&bytes(&Srs { origin: Origin::Dev, ..with_secret(3, Fr::from(5)) }));
    assert!(Srs::read(marked.path()).expect("reads").is_dev());
    assert_eq!(Srs::summary(marked.path()).expect("reads").provenance, Provenance::Dev);
    let mut unrecorded = std::fs::read(marked.path()).expect("reads");
    unrecorded.truncate(unrecorded.len() - 32);
    let body = unrecorded.split_off(25);
    let mut old = vec![];
    crate::container::write(&mut old, b"zkml-chain/srs/1", &[], |out| out.write_all(&body)).expect("writes");
    assert!(Srs::read(stored(&old).path()).expect("reads").is_dev());
}

/// A damaged file, with its name and the error that it has to give.
type Forged = (&'static str, tempfile::NamedTempFile, fn(&SrsError) -> bool);

/// Files that were written wrong, with a checksum that fits, and what is wrong with each.
fn forged(good: &Srs) -> Vec<Forged> {
    let points = file::points_of(good).expect("good");
    let (g, basis, s_g2) = (points.g, points.g_lagrange, points.s_g2);
    let changed = |points: &[G1Affine], at: usize, to: G1Affine| {
        let mut points = points.to_vec();
        points[at] = to;
        points
    };
    let (one, nothing) = (G1Affine::generator(), G1Affine::default());
    let off = G1Affine { x: one.x, y: one.x };
    let foreign = file::points_of(&with_secret(4, Fr::from(5))).expect("good");
    let file = |g: Vec<G1Affine>, basis: Vec<G1Affine>, s_g2| {
        stored(&bytes(&Srs { params: dev::params(4, g, basis, s_g2), ..good.clone() }))
    };
    use SrsError as E;
    vec![
        ("a power", file(changed(&g, 7, one), basis.clone(), s_g2), |e| {
            matches!(e, E::Ratio { part: crate::error::POWERS })
        }),
        ("the last power", file(changed(&g, 15, one), basis.clone(), s_g2), |e| {
            matches!(e, E::Ratio { part: crate::error::POWERS })
        }),
        ("powers of another secret", file(foreign.g.clone(), basis.clone(), s_g2), |e| {
            matches!(e, E::Ratio { part: crate::error::POWERS })
        }),
        ("a power off the curve", file(changed(&g, 7, off), basis.clone(), s_g2), |e| {
            matches!(e, E::OffCurve { part: crate::error::POWERS, index: 7 })
        }),
        ("a Lagrange point", file(g.clone(), changed(&basis, 7, one), s_g2), |e| {
            matches!(e, E::Lagrange { part: file::LAGRANGE })
        }),
        ("another Lagrange basis", file(g.clone(), foreign.g_lagrange.clone(), s_g2), |e| {
            matches!(e, E::Lagrange { part: file::LAGRANGE })
        }),
        ("a Lagrange point at infinity", file(g.clone(), changed(&basis, 9, nothing), s_g2), |e| {
            matches!(e, E::Identity { part: file::LAGRANGE, index: 9 })
        }),
        ("another secret in G2", file(g.clone(), basis.clone(), foreign.s_g2), |e| {
            matches!(e, E::Ratio { part: crate::error::POWERS })
        }),
        ("the generator as the secret in G2", file(g, basis, G2Affine::generator()), |e| {
            matches!(e, E::Degenerate { .. })
        }),
    ]
}

fn why<T: std::fmt::Debug>(result: Result<T>) -> SrsError {
    match result {
        Err(Error::Unsound { why, .. }) => *why,
        other => panic!("{other:?}"),
    }
}

/// What the checksum cannot see: a file that was written wrong.
#[test]
fn verification_finds_what_a_checksum_cannot() {
    let good = import(&fixture("raw.ptau"), Some(4)).expect("imports");
    Srs::verify(stored(&bytes(&good)).path(), QUIET).expect("good");
    Srs::verify(stored(&bytes(&Srs::dev(4).expect("makes"))).path(), QUIET).expect("good");
    for (what, file, expected) in forged(&good) {
        let found = why(Srs::verify(file.path(), QUIET));
        assert!(expected(&found), "{what}: {found}");
    }
}

/// Keys are made from what [`Srs::shrunk`] returns, and that is nothing that was only read.
#[test]
fn a_wrong_basis_gives_no_key() {
    let good = import(&fixture("raw.ptau"), Some(4)).expect("imports");
    for good in [good, Srs::dev(4).expect("makes")] {
        let read = Srs::read(stored(&bytes(&good)).path()).expect("reads");
        assert!(!read.sound && read.shrunk(4, "x").expect("good").sound);
        for (what, file, expected) in forged(&good) {
            let read = Srs::read(file.path()).expect("the checksum fits");
            let found = why(read.shrunk(4, "forged.srs"));
            assert!(expected(&found), "{what}: {found}");
        }
    }
}

/// Of a larger setup, all that a smaller one is made of is checked.
#[test]
fn a_cut_of_wrong_powers_is_refused() {
    let good = import(&fixture("raw.ptau"), Some(4)).expect("imports");
    let small = good.shrunk(3, "x").expect("shrinks");
    for (what, file, expected) in forged(&good) {
        let read = Srs::read(file.path()).expect("the checksum fits");
        // The rest is not used: what is wrong there does no harm.
        if what.contains("Lagrange") || what == "the last power" {
            let cut = read.shrunk(3, "x").expect(what);
            assert!(cut.sound && raw(cut.params()) == raw(small.params()), "{what}");
        } else {
            let found = why(read.shrunk(3, "forged.srs"));
            assert!(expected(&found), "{what}: {found}");
        }
    }
    // Roots of unity: the powers that are kept repeat, or only those that are not.
    for k in [2, 3] {
        let cyclic = with_secret(4, lagrange::omega(k));
        assert!(matches!(why(cyclic.shrunk(3, "x")), SrsError::Degenerate { .. }), "of order 2^{k}");
    }
}

/// G2's generator is stored too, and is not taken for granted.
#[test]
fn verification_knows_the_generator_of_g2() {
    use halo2curves::serde::SerdeObject;
    let mut body = vec![];
    Srs::dev(2).expect("makes").write_body(&mut body).expect("writes");
    let at = body.len() - 256;
    body[at..at + 128].copy_from_slice(&(G2Affine::generator() * Fr::from(3)).to_affine().to_raw_bytes());
    let mut bytes = vec![];
    crate::container::write(&mut bytes, b"zkml-chain/srs/1", &[], |out| out.write_all(&body))
        .expect("writes");
    let error = Srs::verify(stored(&bytes).path(), QUIET).expect_err("another generator").to_string();
    assert!(error.contains("not the generator") && error.contains("G2"), "{error}");
}

#[test]
fn a_file_cannot_claim_another_s_origin() {
    let good = import(&fixture("raw.ptau"), Some(2)).expect("imports");
    let published = origin::tests::published();
    let source = Source { blake2b: published, ..good.source().expect("recorded").clone() };
    let file = stored(&bytes(&Srs { origin: Origin::File(source), ..good }));
    for outcome in [Srs::read(file.path()).map(|_| ()), Srs::summary(file.path()).map(|_| ())] {
        let error = outcome.expect_err("claims a ceremony").to_string();
        assert!(error.contains("powersOfTau28_hez_final_08.ptau") && error.contains("forged"), "{error}");
    }
}

/// What openings by rows need is imported, kept by every cut and file, and checked against the powers in the first group.
#[test]
fn powers_in_g2_are_those_of_the_secret() {
    let s = Fr::from(987_654_321);
    let power =
        |j: u32| zkml_curve::g2_words(&(G2Affine::generator() * s.pow_vartime([1u64 << j])).to_affine());
    let imported = import(&made(5, s), None).expect("imports");
    let cut = imported.shrunk(3, "x").expect("shrinks");
    let read = Srs::verify(stored(&bytes(&imported)).path(), QUIET).expect("reads");
    for (srs, k) in [(&imported, 5), (&cut, 3), (&read, 5)] {
        for j in 0..k {
            assert_eq!(srs.power_in_g2(j, "x").expect("is there"), power(j), "2^{k}, 2^{j}");
        }
        assert!(matches!(srs.power_in_g2(k, "x"), Err(Error::TooSmall { .. })));
    }
    assert!(matches!(with_secret(4, s).power_in_g2(1, "x"), Err(Error::NoPowersInG2 { .. })));
    let dev = Srs::dev(4).expect("makes");
    let plain = Srs { in_g2: vec![], ..dev.clone() };
    assert_eq!(plain.power_in_g2(3, "x").expect("computed"), dev.power_in_g2(3, "x").expect("stored"));
}

#[test]
fn wrong_powers_in_g2_are_refused() {
    let s = Fr::from(55);
    let good = import(&made(4, s), None).expect("imports");
    for at in 0..3 {
        let mut bad = Srs { sound: false, ..good.clone() };
        bad.in_g2[at] = (bad.in_g2[at] + G2Affine::generator()).to_affine();
        let file = stored(&bytes(&bad));
        assert!(matches!(Srs::verify(file.path(), QUIET), Err(Error::Unsound { .. })), "{at}");
        assert!(Srs::read(file.path()).expect("its checksum fits").cut(3, "x", QUIET).is_err(), "{at}");
    }
    let fewer = Srs { in_g2: good.in_g2[..2].to_vec(), ..good };
    assert!(matches!(Srs::read(stored(&bytes(&fewer)).path()), Err(Error::BadFile { .. })));
    // In the file of a ceremony: section 3 has all powers.
    for power in [2usize, 4, 8] {
        let mut file = made(4, s);
        let at = section(&file, 3).start + 128 * power;
        let generator = file[section(&file, 3).start..][..128].to_vec();
        file[at..at + 128].copy_from_slice(&generator);
        assert!(matches!(import(&file, None), Err(SrsError::Ratio { .. })), "power {power}");
    }
}
