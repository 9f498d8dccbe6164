//! Solidity's ABI encoding, as far as our contracts need it.

use zkml_protocol::Word;

use crate::errors;

/// An argument.
pub(crate) enum Arg<'a> {
    /// Anything that fills one word.
    Word(Word),
    /// `bytes` or `string`.
    Bytes(&'a [u8]),
    /// An array of what fills one word each.
    Words(&'a [Word]),
    /// A struct with at least one member of changing size.
    Struct(&'a [Arg<'a>]),
    /// An array of such structs.
    Array(&'a [Arg<'a>]),
}

/// Calldata: the selector of a signature, and the arguments.
pub(crate) fn call(signature: &str, arguments: &[Arg<'_>]) -> Vec<u8> {
    [errors::selector(signature).as_slice(), &encode(arguments)].concat()
}

/// Arguments: one word each, and behind them, in order, what takes more, with its offset in that word.
pub(crate) fn encode(arguments: &[Arg<'_>]) -> Vec<u8> {
    let (mut head, mut tail) = (Vec::new(), Vec::new());
    for argument in arguments {
        if let Arg::Word(word) = argument {
            head.extend(word.0);
            continue;
        }
        head.extend(number(32 * arguments.len() + tail.len()).0);
        match argument {
            Arg::Word(_) => {}
            Arg::Bytes(bytes) => {
                tail.extend(number(bytes.len()).0);
                tail.extend(*bytes);
                tail.resize(tail.len().next_multiple_of(32), 0);
            }
            Arg::Words(words) => {
                tail.extend(number(words.len()).0);
                tail.extend(words.iter().flat_map(|word| word.0));
            }
            Arg::Struct(members) => tail.extend(encode(members)),
            Arg::Array(elements) => {
                tail.extend(number(elements.len()).0);
                tail.extend(encode(elements));
            }
        }
    }
    [head, tail].concat()
}

/// A length or an offset as a word.
fn number(value: usize) -> Word {
    Word::from_u64(value as u64)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The example of the ABI's specification: `f(uint256,uint32[],bytes10,bytes)` of
    /// `(0x123, [0x456, 0x789], "1234567890", "Hello, world!")`.
    #[test]
    fn the_example_of_the_specification() {
        let mut ten = Word::ZERO;
        ten.0[..10].copy_from_slice(b"1234567890");
        let words = [0x456, 0x789].map(Word::from_u64);
        let arguments = [
            Arg::Word(Word::from_u64(0x123)),
            Arg::Words(&words),
            Arg::Word(ten),
            Arg::Bytes(b"Hello, world!"),
        ];
        let data = hex::encode(call("f(uint256,uint32[],bytes10,bytes)", &arguments));
        let small = |value: u64| format!("{value:064x}");
        let expected = [
            "8be65246".to_owned(),
            small(0x123),
            small(0x80),
            format!("{:0<64}", "31323334353637383930"),
            small(0xe0),
            small(2),
            small(0x456),
            small(0x789),
            small(0xd),
            format!("{:0<64}", "48656c6c6f2c20776f726c6421"),
        ];
        assert_eq!(data, expected.concat());
    }

    #[test]
    fn offsets_in_a_struct_start_at_the_struct() {
        let members = [Arg::Word(Word::ONE), Arg::Bytes(&[7])];
        let data = encode(&[Arg::Word(Word::ZERO), Arg::Struct(&members)]);
        let last: Vec<u8> = data.iter().skip(31).step_by(32).copied().collect();
        assert_eq!((last.as_slice(), data.len()), ([0, 64, 1, 64, 1, 0].as_slice(), 6 * 32));
        assert_eq!(data[5 * 32], 7);
    }
}
