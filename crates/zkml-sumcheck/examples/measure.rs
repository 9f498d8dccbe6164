use ff::Field;
use halo2curves::bn256::{Fr, G2};
use halo2curves::group::Curve;
use std::time::Instant;
use zkml_curve::*;
use zkml_graph::{Graph, Visibility};
use zkml_protocol::{sumcheck::*, *};
use zkml_sumcheck::{Options, lay_out, prover::*};
fn main() {
    let a: Vec<String> = std::env::args().collect();
    let mut graph = Graph::from_bytes(&std::fs::read(&a[1]).unwrap()).unwrap();
    graph.inputs.iter_mut().for_each(|(_, v)| *v = Visibility::Public);
    graph.outputs.iter_mut().for_each(|o| o.visibility = Visibility::Public);
    let options = Options {
        limb_bits: a[2].parse().unwrap(),
        lookups_per_helper: a[3].parse().unwrap(),
        columns: a[4].parse().unwrap(),
    };
    let system = graph.system();
    let t = Instant::now();
    let layout = lay_out(&system, &options).unwrap();
    let s = &layout.system;
    println!(
        "layout {:?}: rows 2^{}, {} columns, {} lookups, {} templates, table 2^{}, {} contractions, {} linears, N 2^{} b 2^{}, W {}",
        t.elapsed(),
        s.row_bits,
        s.columns,
        s.templates[0].lookups.len(),
        s.templates.len(),
        s.table.bits,
        s.contractions.len(),
        s.linears.len(),
        layout.opening.bits,
        layout.opening.column_bits,
        layout.weights.len()
    );
    for (t, t0) in s.templates.iter().enumerate() {
        println!(
            "  template {t}: {:?} {} gates, {} own lookups",
            t0.segments.iter().map(|s| s.bits).collect::<Vec<_>>(),
            t0.gates.len(),
            t0.lookups.iter().filter(|l| !l.key.terms.is_empty()).count()
        );
    }
    let length = layout.opening.length() as usize;
    let tau = Fr::from(0x5eed_cafe);
    let t = Instant::now();
    let table: Vec<Vec<halo2curves::bn256::G1Affine>> = {
        let mut base = halo2curves::bn256::G1::generator();
        (0..32)
            .map(|_| {
                let mut row = vec![halo2curves::bn256::G1::identity(); 256];
                for i in 1..256 {
                    row[i] = row[i - 1] + base;
                }
                base = row[255] + base;
                let mut o = vec![halo2curves::bn256::G1Affine::identity(); 256];
                halo2curves::bn256::G1::batch_normalize(&row, &mut o);
                o
            })
            .collect()
    };
    use ff::PrimeField;
    use halo2curves::group::Group;
    use halo2curves::group::prime::PrimeCurveAffine;
    let mut p = Fr::ONE;
    let mut all = Vec::with_capacity(length + 1);
    for _ in 0..=length {
        let b = p.to_repr();
        all.push(
            table
                .iter()
                .zip(b.as_ref())
                .fold(halo2curves::bn256::G1::identity(), |acc, (r, x)| acc + r[*x as usize]),
        );
        p *= tau;
    }
    let mut powers = vec![halo2curves::bn256::G1Affine::identity(); all.len()];
    halo2curves::bn256::G1::batch_normalize(&all, &mut powers);
    drop(all);
    println!("srs {:?}", t.elapsed());
    let g2 = |e: u64| g2_words(&(G2::generator() * tau.pow_vartime([e])).to_affine());
    let t = Instant::now();
    let commit = |part: &[Fr]| g1_words(&zkml_msm::full(part, &powers).to_affine());
    let program = Program {
        version: PROTOCOL_VERSION,
        system: layout.system.clone(),
        opening: layout.opening,
        weights: Weights { commitments: layout.weights.chunks(length).map(commit).collect() },
        srs: Srs { g1: g1_words(&powers[0]), g2: g2(0), s_g2: g2(1), unsafe_dev: true },
        srs_b: g2(layout.opening.columns()),
        statement: Statement {
            model_name: "m".into(),
            model_hash: Word::ZERO,
            toolkit_version: String::new(),
            instances: InstanceLayout {
                outputs: vec![zkml_protocol::Field {
                    name: "y".into(),
                    values: s.instances - 1,
                    scale: 0,
                    encoding: Encoding::Signed,
                    bounds: None,
                }],
                ..Default::default()
            },
        },
    };
    program.validate().unwrap();
    let digest = program.vk_digest();
    let key = ProvingKey::new(program.clone(), digest, powers, layout.weights.clone()).unwrap();
    println!("keys {:?}", t.elapsed());
    let inputs: Vec<Vec<i64>> = graph
        .inputs
        .iter()
        .map(|(t, _)| {
            let t = graph.tensor(*t);
            (0..t.len() as i128)
                .map(|i| (t.bounds.lo + (i * 7919) % (t.bounds.hi - t.bounds.lo + 1)) as i64 / 3)
                .collect()
        })
        .collect();
    let t = Instant::now();
    let trace = graph.eval(&inputs).unwrap();
    let values = system.assign(&trace).unwrap();
    let witness = layout.witness(&system, &values, Fr::from(5)).unwrap();
    println!("witness {:?}", t.elapsed());
    let masks = Masks::random(&program.shape().unwrap(), &program.opening, &mut rand_core::OsRng);
    for _ in 0..3 {
        let t = Instant::now();
        let proof = prove(&key, &witness, &masks).unwrap();
        let dt = t.elapsed();
        let words: Vec<Word> = witness.instances.iter().map(scalar_word).collect();
        let t = Instant::now();
        let ok = zkml_verifier::sumcheck::verify(&program, &proof, &words);
        println!(
            "prove {dt:?}, {} bytes; verify {:?} {ok:?}; {} evaluations, degrees {:?}",
            proof.len(),
            t.elapsed(),
            program.shape().unwrap().evaluations.len(),
            program.shape().unwrap().degrees
        );
    }
}
