//! Where a setup comes from, and which ceremonies are known.

use halo2curves::bn256::{Fq, Fq2, G2Affine};
#[cfg(feature = "setup")]
use serde::{Deserialize, Serialize};

use super::dev;
#[cfg(feature = "setup")]
use super::error::{Result, SrsError};

/// The powers-of-tau file that a setup was imported from.
#[cfg(feature = "setup")]
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Source {
    /// BLAKE2b-512 over the whole file, as `b2sum` prints it.
    #[serde(with = "hexadecimal")]
    pub blake2b: Vec<u8>,
    /// Its length.
    pub bytes: u64,
    /// It holds `2^power` powers.
    pub power: u32,
    /// Contributions that it lists, a beacon counts as one.
    pub contributions: u32,
}

/// What a setup's file records about its origin.
#[cfg(feature = "setup")]
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) enum Origin {
    /// Nothing.
    Unstated,
    /// The development secret.
    Dev,
    /// A powers-of-tau file.
    File(Source),
}

/// Whom one trusts with a setup.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Provenance {
    /// Nobody: the secret is public.
    Dev,
    /// One honest participant of a public ceremony, known by its secret in G2.
    Ceremony(&'static Ceremony),
    /// Whoever gave the file.
    Unknown,
}

/// A public ceremony.
#[derive(Debug, PartialEq, Eq)]
pub struct Ceremony {
    /// What it is called.
    pub name: &'static str,
    /// Where one reads about it.
    pub about: &'static str,
    /// Its secret in G2, as little-endian limbs of `x.c0, x.c1, y.c0, y.c1`: with the pairing check, this fixes every power.
    s_g2: [[u64; 4]; 4],
    /// File names and BLAKE2b-512 digests of its published files.
    files: &'static [(&'static str, &'static str)],
}

impl Ceremony {
    /// The published file with this digest.
    pub fn file(&self, blake2b: &[u8]) -> Option<&'static str> {
        let text: String = blake2b.iter().map(|b| format!("{b:02x}")).collect();
        self.files.iter().find(|(_, digest)| *digest == text).map(|(name, _)| *name)
    }

    fn s_g2(&self) -> G2Affine {
        let [a, b, c, d] = self.s_g2.map(Fq::from_raw);
        G2Affine { x: Fq2 { c0: a, c1: b }, y: Fq2 { c0: c, c1: d } }
    }
}

/// The first phase for Hermez, from the Perpetual Powers of Tau: 54 contributions and a beacon.
///
/// Digests as the README of snarkjs 0.7.5 (and 0.7.3) prints them. The secret in G2 is point 1 of section 3 of the published
/// `powersOfTau28_hez_final_09.ptau`; PLONK verifiers that snarkjs generated under this ceremony carry the same point as `X_2`.
static HERMEZ: Ceremony = Ceremony {
    name: "Perpetual Powers of Tau, as finished for Hermez (54 contributions and a beacon)",
    about: "https://github.com/iden3/snarkjs#7-prepare-phase-2",
    s_g2: [
        [0xbc9f_7fee_8aae_f79e, 0x7169_89a6_996c_2535, 0x82c4_2152_a889_9027, 0x3044_1fd1_b5d3_3704],
        [0x35d8_443d_1938_e23d, 0x5f19_2cd1_20ca_f7e9, 0x9c9a_5b91_f865_97d3, 0x2618_6a2d_65ee_4d2f],
        [0x9778_f689_786b_1e48, 0x5863_19de_359a_b938, 0x5622_c340_573c_b277, 0x0547_9334_8f12_c0cf],
        [0xc6c4_0e22_d65b_3c02, 0xdbbb_6a85_7f57_8403, 0xfbc5_71ef_fb03_503a, 0x1970_ea81_dd69_92ad],
    ],
    files: &[
        (
            "powersOfTau28_hez_final_08.ptau",
            "d6a8fb3a04feb600096c3b791f936a578c4e664d262e4aa24beed1b7a9a96aa5eb72864d628db247e9293384b74b36ffb52ca8d148d6e1b8b51e279fdf57b583",
        ),
        (
            "powersOfTau28_hez_final_09.ptau",
            "94f108a80e81b5d932d8e8c9e8fd7f46cf32457e31462deeeef37af1b71c2c1b3c71fb0d9b59c654ec266b042735f50311f9fd1d4cadce47ab234ad163157cb5",
        ),
        (
            "powersOfTau28_hez_final_10.ptau",
            "6cfeb8cda92453099d20120bdd0e8a5c4e7706c2da9a8f09ccc157ed2464d921fd0437fb70db42104769efd7d6f3c1f964bcf448c455eab6f6c7d863e88a5849",
        ),
        (
            "powersOfTau28_hez_final_11.ptau",
            "47c282116b892e5ac92ca238578006e31a47e7c7e70f0baa8b687f0a5203e28ea07bbbec765a98dcd654bad618475d4661bfaec3bd9ad2ed12e7abc251d94d33",
        ),
        (
            "powersOfTau28_hez_final_12.ptau",
            "ded2694169b7b08e898f736d5de95af87c3f1a64594013351b1a796dbee393bd825f88f9468c84505ddd11eb0b1465ac9b43b9064aa8ec97f2b73e04758b8a4a",
        ),
        (
            "powersOfTau28_hez_final_13.ptau",
            "58efc8bf2834d04768a3d7ffcd8e1e23d461561729beaac4e3e7a47829a1c9066d5320241e124a1a8e8aa6c75be0ba66f65bc8239a0542ed38e11276f6fdb4d9",
        ),
        (
            "powersOfTau28_hez_final_14.ptau",
            "eeefbcf7c3803b523c94112023c7ff89558f9b8e0cf5d6cdcba3ade60f168af4a181c9c21774b94fbae6c90411995f7d854d02ebd93fb66043dbb06f17a831c1",
        ),
        (
            "powersOfTau28_hez_final_15.ptau",
            "982372c867d229c236091f767e703253249a9b432c1710b4f326306bfa2428a17b06240359606cfe4d580b10a5a1f63fbed499527069c18ae17060472969ae6e",
        ),
        (
            "powersOfTau28_hez_final_16.ptau",
            "6a6277a2f74e1073601b4f9fed6e1e55226917efb0f0db8a07d98ab01df1ccf43eb0e8c3159432acd4960e2f29fe84a4198501fa54c8dad9e43297453efec125",
        ),
        (
            "powersOfTau28_hez_final_17.ptau",
            "6247a3433948b35fbfae414fa5a9355bfb45f56efa7ab4929e669264a0258976741dfbe3288bfb49828e5df02c2e633df38d2245e30162ae7e3bcca5b8b49345",
        ),
        (
            "powersOfTau28_hez_final_18.ptau",
            "7e6a9c2e5f05179ddfc923f38f917c9e6831d16922a902b0b4758b8e79c2ab8a81bb5f29952e16ee6c5067ed044d7857b5de120a90704c1d3b637fd94b95b13e",
        ),
        (
            "powersOfTau28_hez_final_19.ptau",
            "bca9d8b04242f175189872c42ceaa21e2951e0f0f272a0cc54fc37193ff6648600eaf1c555c70cdedfaf9fb74927de7aa1d33dc1e2a7f1a50619484989da0887",
        ),
        (
            "powersOfTau28_hez_final_20.ptau",
            "89a66eb5590a1c94e3f1ee0e72acf49b1669e050bb5f93c73b066b564dca4e0c7556a52b323178269d64af325d8fdddb33da3a27c34409b821de82aa2bf1a27b",
        ),
        (
            "powersOfTau28_hez_final_21.ptau",
            "9aef0573cef4ded9c4a75f148709056bf989f80dad96876aadeb6f1c6d062391f07a394a9e756d16f7eb233198d5b69407cca44594c763ab4a5b67ae73254678",
        ),
        (
            "powersOfTau28_hez_final_22.ptau",
            "0d64f63dba1a6f11139df765cb690da69d9b2f469a1ddd0de5e4aa628abb28f787f04c6a5fb84a235ec5ea7f41d0548746653ecab0559add658a83502d1cb21b",
        ),
        (
            "powersOfTau28_hez_final_23.ptau",
            "3063a0bd81d68711197c8820a92466d51aeac93e915f5136d74f63c394ee6d88c5e8016231ea6580bec02e25d491f319d92e77f5c7f46a9caa8f3b53c0ea544f",
        ),
        (
            "powersOfTau28_hez_final_24.ptau",
            "fa404d140d5819d39984833ca5ec3632cd4995f81e82db402371a4de7c2eae8687c62bc632a95b0c6aadba3fb02680a94e09174b7233ccd26d78baca2647c733",
        ),
        (
            "powersOfTau28_hez_final_25.ptau",
            "0377d860cdb09a8a31ea1b0b8c04335614c8206357181573bf294c25d5ca7dff72387224fbd868897e6769f7805b3dab02854aec6d69d7492883b5e4e5f35eeb",
        ),
        (
            "powersOfTau28_hez_final_26.ptau",
            "418dee4a74b9592198bd8fd02ad1aea76f9cf3085f206dfd7d594c9e264ae919611b1459a1cc920c2f143417744ba9edd7b8d51e44be9452344a225ff7eead19",
        ),
        (
            "powersOfTau28_hez_final_27.ptau",
            "10ffd99837c512ef99752436a54b9810d1ac8878d368fb4b806267bdd664b4abf276c9cd3c4b9039a1fa4315a0c326c0e8e9e8fe0eb588ffd4f9021bf7eae1a1",
        ),
        (
            "powersOfTau28_hez_final.ptau",
            "55c77ce8562366c91e7cda394cf7b7c15a06c12d8c905e8b36ba9cf5e13eb37d1a429c589e8eaba4c591bc4b88a0e2828745a53e170eac300236f5c1a326f41a",
        ),
    ],
};

static CEREMONIES: [&Ceremony; 1] = [&HERMEZ];

/// Recognises a setup by its secret in G2.
pub(super) fn provenance(s_g2: &G2Affine) -> Provenance {
    if *s_g2 == dev::s_g2() {
        return Provenance::Dev;
    }
    let found = CEREMONIES.into_iter().find(|c| c.s_g2() == *s_g2);
    found.map_or(Provenance::Unknown, Provenance::Ceremony)
}

/// Refuses a record that names a published file of a ceremony with another secret.
#[cfg(feature = "setup")]
pub(super) fn check_record(origin: &Origin, s_g2: &G2Affine) -> Result<()> {
    let Origin::File(source) = origin else { return Ok(()) };
    let claimed = CEREMONIES.into_iter().find_map(|c| Some((c, c.file(&source.blake2b)?)));
    match claimed {
        Some((ceremony, file)) if ceremony.s_g2() != *s_g2 => Err(SrsError::Record { file }),
        _ => Ok(()),
    }
}

#[cfg(feature = "setup")]
mod hexadecimal {
    use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error};

    pub(super) fn serialize<S: Serializer>(bytes: &[u8], s: S) -> Result<S::Ok, S::Error> {
        bytes.iter().map(|b| format!("{b:02x}")).collect::<String>().serialize(s)
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(d: D) -> Result<Vec<u8>, D::Error> {
        let text = String::deserialize(d)?;
        let digits = text.as_bytes().chunks(2);
        digits
            .map(|pair| std::str::from_utf8(pair).ok().and_then(|p| u8::from_str_radix(p, 16).ok()))
            .collect::<Option<_>>()
            .ok_or_else(|| D::Error::custom("hexadecimal digits are expected"))
    }
}

#[cfg(all(test, feature = "setup"))]
pub(super) mod tests {
    use super::*;
    use halo2curves::{
        CurveAffine,
        group::{cofactor::CofactorGroup, prime::PrimeCurveAffine},
    };

    #[test]
    fn known_ceremonies_are_well_formed() {
        for ceremony in CEREMONIES {
            let point = ceremony.s_g2();
            assert!(bool::from(point.is_on_curve()) && bool::from(point.to_curve().is_torsion_free()));
            for (name, digest) in ceremony.files {
                assert!(digest.len() == 128 && digest.bytes().all(|b| b.is_ascii_hexdigit()), "{name}");
                assert_eq!(
                    ceremony.files.iter().filter(|(n, d)| n == name || d == digest).count(),
                    1,
                    "{name}"
                );
            }
            assert_eq!(provenance(&point), Provenance::Ceremony(ceremony));
        }
    }

    /// The digest of a published file.
    pub(crate) fn published() -> Vec<u8> {
        let digits = HERMEZ.files[0].1;
        (0..64).map(|i| u8::from_str_radix(&digits[2 * i..2 * i + 2], 16).expect("hexadecimal")).collect()
    }

    #[test]
    fn a_record_cannot_claim_a_ceremony() {
        let claim = Origin::File(Source { blake2b: published(), bytes: 1, power: 8, contributions: 55 });
        check_record(&claim, &HERMEZ.s_g2()).expect("its own secret");
        assert!(matches!(check_record(&claim, &dev::s_g2()), Err(SrsError::Record { .. })));
        check_record(&Origin::Unstated, &dev::s_g2()).expect("claims nothing");
    }
}
