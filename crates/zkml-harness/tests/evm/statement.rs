//! What the generated consumer reads out of a statement: packed inputs, commitments, names.

use crate::support::{Behind, Codes, refused, signed, stating, words};
use zkml_contracts::{Submission, errors};
use zkml_harness::{Address, Call, Evm};
use zkml_protocol::{Bounds, Code, Encoding, Field, InstanceLayout, Word, field};

const SCALE: i32 = 12;

fn tensor(name: &str, values: u32, encoding: Encoding) -> Field {
    Field { name: name.to_owned(), values, scale: SCALE, encoding, bounds: None }
}

/// A consumer of a statement in front of a verifier that accepts everything.
fn reader(layout: InstanceLayout) -> Behind {
    let sample = stating(layout);
    let codes = Codes::of(&sample.program);
    Behind::deploy(sample, &codes)
}

/// `value / 2^SCALE` with 18 decimals, rounded down.
fn wad(value: i64) -> Word {
    signed((i128::from(value) * 1_000_000_000_000_000_000) >> SCALE)
}

/// The codes of the test, with values at both ends of their range.
fn packed_inputs() -> Vec<(Code, Vec<i64>)> {
    let code = |bits, signed| Code { bits, signed };
    let last = (1 << 61) - 1;
    vec![
        // One spare value, none, many words, one value to a word and a single value.
        (code(8, false), (0..30).map(|i| (255 - i) % 256).collect()),
        (code(16, true), (0..15).map(|i| if i % 2 == 0 { i - 32768 } else { 32767 - i }).collect()),
        (code(1, false), (0..600).map(|i| i * i % 3 % 2).collect()),
        (code(62, true), vec![-last - 1, last, 0, -1, 1]),
        (code(23, false), vec![(1 << 23) - 1]),
    ]
}

#[test]
fn packed_inputs_are_unpacked_by_name() {
    let inputs = packed_inputs();
    let tensors = (0..).zip(&inputs).map(|(i, (code, values)): (usize, _)| {
        tensor(&format!("x{i}"), values.len() as u32, Encoding::Packed(*code))
    });
    // A commitment in front must not move the others.
    let mut fields: Vec<Field> = tensors.collect();
    fields.insert(0, tensor("hidden", 4, Encoding::Commitment));
    fields.push(tensor("age", 1, Encoding::Signed));
    let outputs = vec![tensor("y", 1, Encoding::Signed)];
    let mut reader = reader(InstanceLayout { inputs: fields, model: vec![], outputs });

    let mut instances = vec![Word::ZERO, Word::from_u64(99)];
    let mut last_words = Vec::new();
    for (code, values) in &inputs {
        instances.extend(code.pack(values).unwrap());
        last_words.push((instances.len() - 1, *code, values.len()));
    }
    instances.extend([field::neg(Word::from_u64(40)), Word::from_u64(7)]);

    let numbers: Vec<i64> = inputs.iter().flat_map(|(_, values)| values.clone()).chain([-40]).collect();
    let raw = numbers.iter().map(|value| signed((*value).into()));
    let expected: Vec<Word> = raw.chain(numbers.iter().map(|value| wad(*value))).collect();
    let mut inputs_of = |instances: &[Word]| {
        let blob = reader.submission(instances).blob;
        reader.read("decodeInputs", &blob)
    };
    assert_eq!(words(&inputs_of(&instances)), expected);

    // Every bit above the values is refused, in full words and in the last one.
    let spoilt = |index: usize, bit: usize| {
        let mut spoiled = instances.clone();
        spoiled[index].0[31 - bit / 8] |= 1 << (bit % 8);
        spoiled
    };
    for (index, code, count) in last_words {
        let in_word = (count - 1) as u32 % code.per_word() + 1;
        for bit in in_word * code.bits..256 {
            let word = index - 1;
            refused(&inputs_of(&spoilt(index, bit as usize)), &format!("SpareBits({word})"));
        }
    }
    // The first word of the 600 bits is full: bits 253 to 255 are spare.
    let first = 2 + 1 + 1;
    for bit in 253..256 {
        refused(&inputs_of(&spoilt(first, bit)), &format!("SpareBits({})", first - 1));
    }
    let blob = reader.submission(&instances).blob;
    for wrong in [&blob[..blob.len() - 32], &blob[..blob.len() - 1], &[blob.as_slice(), &[0]].concat(), &[]] {
        refused(&reader.read("decodeInputs", wrong), &format!("WrongBlobLength({}, ", wrong.len()));
    }
}

/// Two committed inputs around a public one, a committed output and a public one.
fn mixed() -> InstanceLayout {
    InstanceLayout {
        inputs: vec![
            tensor("income", 30, Encoding::Commitment),
            tensor("age", 1, Encoding::Signed),
            tensor("address book", 3, Encoding::Commitment),
        ],
        model: vec![],
        outputs: vec![tensor("reasons", 4, Encoding::Commitment), tensor("score", 1, Encoding::Signed)],
    }
}

#[test]
fn commitments_are_named_in_outputs_and_events() {
    let mut reader = reader(mixed());
    let context = reader.context();
    let [income, book, reasons] = [1, 2, 3].map(|i| field::neg(Word::from_u64(i)));
    let score = Word::from_u64(3 << SCALE);
    let instances = [context.digest(), income, Word::from_u64(33), book, reasons, score];
    let call = reader.send(&context, &instances);
    let outputs = vec![reasons, wad(3 << SCALE)];
    assert_eq!(words(&call), outputs);
    let log = call.logs.last().unwrap();
    let told: Vec<u8> = [Word::ZERO].iter().chain(&outputs).flat_map(|word| word.0).collect();
    assert_eq!(log.data.as_slice(), told);
    let Submission { blob, output, .. } = reader.submission(&instances);
    assert_eq!(words(&reader.read("inputCommitments", &blob)), [income, book]);
    assert_eq!(words(&reader.read("decode", &output)), [reasons, score, reasons, wad(3 << SCALE)]);
    // A commitment has one spelling, whoever asks.
    for index in [1, 3, 4] {
        let mut aliased = instances;
        aliased[index] = field::SCALAR_MODULUS;
        let Submission { blob, output, .. } = reader.submission(&aliased);
        let call =
            if index == 4 { reader.read("decode", &output) } else { reader.read("inputCommitments", &blob) };
        refused(&call, &format!("NotAFieldElement({})", field::SCALAR_MODULUS));
    }
    refused(&reader.read("inputCommitments", &blob[1..]), "WrongBlobLength(");
    refused(&reader.read("decode", &output[1..]), "WrongOutputLength(63, 64)");
    refused(&reader.read("decode", &[output.as_slice(), &[0; 32]].concat()), "WrongOutputLength(96, 64)");
}

/// Where the input is one commitment, it is the data commitment in front of the proof.
#[test]
fn one_commitment_comes_from_the_front_of_the_blob() {
    let inputs = vec![tensor("nothing", 0, Encoding::Signed), tensor("income", 30, Encoding::Commitment)];
    let outputs = vec![tensor("y", 1, Encoding::Signed)];
    let mut reader = reader(InstanceLayout { inputs, model: vec![], outputs });
    let instances = [Word::ZERO, Word::from_u64(1234), Word::ONE];
    let blob = reader.submission(&instances).blob;
    assert_eq!(words(&reader.read("inputCommitments", &blob)), [Word::from_u64(1234)]);
    let blob = reader.submission(&[Word::ZERO, field::SCALAR_MODULUS, Word::ONE]).blob;
    refused(&reader.read("inputCommitments", &blob), "NotAFieldElement(");
    refused(&reader.read("inputCommitments", &blob[..67]), "BlobTooShort(67)");
}

#[test]
fn a_consumer_may_have_committed_outputs_alone() {
    let outputs = vec![tensor("label", 10, Encoding::Commitment)];
    let mut reader = reader(InstanceLayout { outputs, ..InstanceLayout::default() });
    assert_eq!(words(&reader.read("decode", &Word::from_u64(8).0)), [Word::from_u64(8); 2]);
}

/// Names that Solidity reserves, that clash with each other or with the contract's own, or that try to break out.
#[test]
fn hostile_names_compile() {
    let names = [
        "raw",
        "wad",
        "word",
        "i",
        "instances",
        "R",
        "Outputs",
        "decode",
        "ZKMLCodec",
        "modelId",
        "nonces",
        "verifyInference",
        "output",
        "words",
        "proof",
        "MODEL_NAME",
        "uint256",
        "a",
        "a",
        "aCommitment",
        "x\"; } contract Evil { /* \n selfdestruct(msg.sender); // @dev",
        "",
        "\u{202e}",
        "*/",
        "1",
    ];
    let encodings = [
        Encoding::Commitment,
        Encoding::Signed,
        Encoding::Packed(Code { bits: 7, signed: true }),
        Encoding::Packed(Code { bits: 62, signed: false }),
    ];
    let tensors = |turn: usize| -> Vec<Field> {
        let named = |(i, name): (usize, &&str)| tensor(name, 2, encodings[(i + turn) % encodings.len()]);
        names.iter().enumerate().map(named).collect()
    };
    for turn in 0..encodings.len() {
        let weights = tensor(names[20], 5, Encoding::Commitment);
        let model = if turn % 2 == 0 { vec![weights] } else { vec![] };
        let layout = InstanceLayout { inputs: tensors(turn), model, outputs: tensors(turn + 1) };
        // Compiles both without a warning.
        let sample = stating(layout);
        Codes::of(&sample.program);
        let verifier = zkml_codegen::verifier_source(&sample.program).unwrap();
        crate::support::compile_all(&[(verifier, sample.program)], &zkml_harness::Settings::default());
    }
}

/// What the generated verifier says about its statement, word by word.
struct Told {
    evm: Evm,
    verifier: Address,
}

impl Told {
    fn new(layout: InstanceLayout) -> Self {
        let program = stating(layout).program;
        let source = zkml_codegen::verifier_source(&program).unwrap();
        let contract = crate::support::compile_all(&[(source, program)], &zkml_harness::Settings::default());
        let mut evm = Evm::default();
        let verifier = evm.deploy(&contract[0].creation).unwrap().address;
        Self { evm, verifier }
    }

    fn call(&mut self, function: &str, arguments: &[Word]) -> Call {
        let mut data = errors::selector(function).to_vec();
        data.extend(arguments.iter().flat_map(|word| word.0));
        self.evm.call(self.verifier, &data).unwrap()
    }

    fn bounds(&mut self, index: Word) -> Call {
        self.call("outputBounds(uint256)", &[index])
    }
}

#[test]
fn bounds_are_told_for_every_word_of_the_outputs() {
    let bounded = |name: &str, values, lowest, highest| Field {
        bounds: Some(Bounds { lowest, highest }),
        ..tensor(name, values, Encoding::Signed)
    };
    let code = Encoding::Packed(Code { bits: 8, signed: false });
    let outputs = vec![
        bounded("all", 1, i64::MIN, i64::MAX),
        bounded("three", 3, -7, 12),
        bounded("none", 0, 1, 1),
        bounded("same", 2, -7, 12),
        tensor("hidden", 9, Encoding::Commitment),
        tensor("free", 2, Encoding::Signed),
        bounded("point", 1, 0, 0),
        Field { bounds: Some(Bounds { lowest: 3, highest: 4 }), ..tensor("packed", 40, code) },
    ];
    let everything = [
        Word([[0x80; 1].as_slice(), &[0; 31]].concat().try_into().unwrap()),
        Word([[0x7f; 1].as_slice(), &[0xff; 31]].concat().try_into().unwrap()),
    ];
    let pair = |lowest: i64, highest: i64| [signed(lowest.into()), signed(highest.into())];
    let mut expected = vec![pair(i64::MIN, i64::MAX)];
    expected.extend([pair(-7, 12); 5]);
    expected.extend([everything; 3]);
    expected.push(pair(0, 0));
    // Two words of packed values: a word of several values has no bounds of its own.
    expected.extend([everything; 2]);
    let mut told = Told::new(InstanceLayout { outputs, ..InstanceLayout::default() });
    for (index, bounds) in (0..).zip(&expected) {
        assert_eq!(words(&told.bounds(Word::from_u64(index))), bounds, "word {index}");
    }
    let count = expected.len() as u64;
    refused(&told.bounds(Word::from_u64(count)), &format!("NoSuchOutput({count})"));
    refused(&told.bounds(Word([0xff; 32])), "NoSuchOutput(0xffff");
    let mut nothing = Told::new(InstanceLayout::default());
    refused(&nothing.bounds(Word::ZERO), "NoSuchOutput(0)");
}

#[test]
fn the_shape_tells_how_a_statement_is_laid_out() {
    let hidden = |values| tensor("x", values, Encoding::Commitment);
    let shown = |values| tensor("x", values, Encoding::Signed);
    let weights = || tensor("weights", 7, Encoding::Commitment);
    // Inputs, whether there are private weights; words of the inputs, whether they are one commitment.
    let cases = [
        (vec![], false, 0, false),
        (vec![hidden(5)], false, 1, true),
        (vec![hidden(5)], true, 1, true),
        (vec![shown(1)], true, 1, false),
        (vec![hidden(5), hidden(2)], false, 2, false),
        (vec![shown(0), hidden(5)], false, 1, true),
        (vec![hidden(5), shown(1)], true, 2, false),
        (vec![shown(4)], false, 4, false),
    ];
    for (inputs, private, count, committed) in cases {
        let model = if private { vec![weights()] } else { vec![] };
        let outputs = vec![shown(2), hidden(3)];
        let layout = InstanceLayout { inputs, model, outputs };
        let program = stating(layout.clone()).program;
        let shape = words(&Told::new(layout).call("statementShape()", &[]));
        let number = |n: u64| Word::from_u64(n);
        let expected = [
            program.vk_digest(),
            program.model_commitment(),
            program.statement.model_hash,
            number(program.layout().length() as u64),
            number(count),
            number(3),
            number(committed.into()),
            number(private.into()),
        ];
        assert_eq!(shape, expected, "{:?}", program.statement.instances);
    }
}
