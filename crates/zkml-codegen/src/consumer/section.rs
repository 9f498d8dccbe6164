//! A section of the statement as a Solidity struct, and the code that fills it from the instances.

use zkml_protocol::{Encoding, Field};

use crate::{
    errors,
    names::{self, comment},
    text::Text,
};

/// What follows the name of a tensor whose commitment is public instead of its values.
const COMMITMENT: &str = "Commitment";

/// A tensor of the statement as a member of a struct.
pub(super) struct Member<'a> {
    /// What the statement says about it.
    pub(super) field: &'a Field,
    /// Its name in Solidity.
    pub(super) name: String,
    /// Index of its first instance.
    pub(super) start: u64,
}

/// The tensors of a section that have instances, named; `kind` names those whose own name says nothing.
pub(super) fn members<'a>(kind: &str, fields: &'a [Field], mut start: u64) -> Vec<Member<'a>> {
    let suffix = |field: &Field| if field.encoding == Encoding::Commitment { COMMITMENT } else { "" };
    let wanted = fields.iter().map(|field| (field.name.as_str(), suffix(field)));
    let mut members = Vec::new();
    for (field, name) in fields.iter().zip(names::fields(kind, wanted)) {
        if field.words() > 0 {
            members.push(Member { field, name, start });
        }
        start += field.words();
    }
    members
}

impl Member<'_> {
    pub(super) fn is_commitment(&self) -> bool {
        self.field.encoding == Encoding::Commitment
    }

    pub(super) fn is_signed(&self) -> bool {
        self.field.encoding == Encoding::Signed
    }

    pub(super) fn is_packed(&self) -> bool {
        matches!(self.field.encoding, Encoding::Packed(_))
    }

    fn solidity_type(&self) -> String {
        match (self.field.encoding, self.field.values) {
            (Encoding::Commitment, _) => "uint256".to_owned(),
            (_, 1) => "int256".to_owned(),
            (_, values) => format!("int256[{values}]"),
        }
    }

    fn meaning(&self) -> String {
        let (name, field) = (comment(&self.field.name), self.field);
        match field.encoding {
            Encoding::Commitment => format!("\"{name}\", salted Poseidon commitment to {}", values(field)),
            _ => format!("\"{name}\", {} fractional bits", field.scale),
        }
    }

    /// The member of `of`, or its element `i`.
    fn of(&self, of: &str) -> String {
        let element = if self.field.values == 1 { "" } else { "[i]" };
        format!("{of}.{}{element}", self.name)
    }

    /// Fills this member of `raw` and `wad`.
    fn decode(&self, text: &mut Text) {
        match self.field.encoding {
            Encoding::Commitment => {
                let (name, start) = (&self.name, self.start);
                text.line(format_args!("raw.{name} = _canonical(instances[{start}], {start});"));
                text.line(format_args!("wad.{name} = raw.{name};"));
            }
            Encoding::Signed => self.decode_signed(text),
            Encoding::Packed(code) => {
                let offset = code.offset();
                self.decode_packed(text, code.bits, code.per_word(), offset);
            }
        }
    }

    fn decode_signed(&self, text: &mut Text) {
        let many = self.field.values > 1;
        let index = if many { format!("{} + i", self.start) } else { self.start.to_string() };
        if many {
            text.open(format_args!("for (uint256 i = 0; i < {}; ++i) {{", self.field.values));
        }
        text.line(format_args!("{} = _signed(instances[{index}], {index});", self.of("raw")));
        self.scale(text);
        if many {
            text.close("}");
        }
    }

    fn decode_packed(&self, text: &mut Text, bits: u32, per_word: u32, offset: i64) {
        let (start, values) = (self.start, self.field.values);
        let mask = (1u64 << bits) - 1;
        let offset = if offset == 0 { String::new() } else { format!(" - {offset:#x}") };
        text.open("{");
        text.line("uint256 word;");
        text.open(format_args!("for (uint256 i = 0; i < {values}; ++i) {{"));
        text.line(format_args!("if (i % {per_word} == 0) word = instances[{start} + i / {per_word}];"));
        text.line(format_args!("{} = int256(word & {mask:#x}){offset};", self.of("raw")));
        self.scale(text);
        text.line(format_args!("word >>= {bits};"));
        let (last_of_word, last) = (per_word - 1, values - 1);
        text.open(format_args!("if ((i % {per_word} == {last_of_word} || i == {last}) && word != 0) {{"));
        text.line(format_args!("revert {}({start} + i / {per_word});", errors::SPARE_BITS.name));
        text.close("}");
        text.close("}");
        text.close("}");
    }

    /// The real number of what was just decoded.
    fn scale(&self, text: &mut Text) {
        text.line(format_args!("{} = {};", self.of("wad"), wad(&self.of("raw"), self.field.scale)));
    }
}

/// The number of values of a field in words.
pub(crate) fn values(field: &Field) -> String {
    format!("{} value{}", field.values, if field.values == 1 { "" } else { "s" })
}

/// Declares the struct of these members.
pub(super) fn declare<'a>(
    text: &mut Text,
    name: &str,
    notice: &str,
    members: impl Iterator<Item = &'a Member<'a>>,
) {
    text.line(format_args!("/// @notice {notice}"));
    text.open(format_args!("struct {name} {{"));
    for member in members {
        text.line(format_args!("/// {}", member.meaning()));
        text.line(format_args!("{} {};", member.solidity_type(), member.name));
    }
    text.close("}");
    text.line("");
}

/// Refuses statements of another length.
pub(super) fn check_count(text: &mut Text) {
    let error = errors::WRONG_INSTANCE_COUNT.name;
    text.line(format_args!(
        "if (instances.length != NUM_INSTANCES) revert {error}(instances.length, NUM_INSTANCES);"
    ));
}

/// The function that reads these members out of a statement, as integers and as numbers with 18 decimals.
pub(super) fn decoder<'a>(
    text: &mut Text,
    function: &str,
    ty: &str,
    members: impl Iterator<Item = &'a Member<'a>>,
) {
    text.line(
        "/// @return raw Integers as the model computes them: the real number is raw / 2^(fractional bits).",
    );
    text.line(
        "/// @return wad The real numbers with 18 decimals, rounded down. Commitments are the same in both.",
    );
    text.open(format_args!(
        "function {function}(uint256[] calldata instances) public pure returns ({ty} memory raw, {ty} memory wad) {{"
    ));
    check_count(text);
    for member in members {
        member.decode(text);
    }
    text.close("}");
    text.line("");
}

/// The function that reads members that are commitments out of a statement.
pub(super) fn commitments<'a>(
    text: &mut Text,
    function: &str,
    ty: &str,
    members: impl Iterator<Item = &'a Member<'a>>,
) {
    text.open(format_args!(
        "function {function}(uint256[] calldata instances) public pure returns ({ty} memory commitments) {{"
    ));
    check_count(text);
    for Member { name, start, .. } in members {
        text.line(format_args!("commitments.{name} = _canonical(instances[{start}], {start});"));
    }
    text.close("}");
    text.line("");
}

/// `value · 10^18 / 2^scale`, rounded down; values stay below 2^160, so nothing overflows for scales above −32.
fn wad(value: &str, scale: i32) -> String {
    match scale {
        0 => format!("{value} * 1e18"),
        1.. => format!("({value} * 1e18) >> {scale}"),
        _ => format!("{value} * 1e18 * int256(1 << {})", scale.unsigned_abs()),
    }
}
