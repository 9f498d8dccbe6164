//! A section of the statement as a Solidity struct, and the code that fills it from the section's words.

use zkml_contracts::errors;
use zkml_protocol::{Bounds, Code, Encoding, Field};

use crate::{
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
    /// What the names of its constants begin with.
    pub(super) constant: String,
    /// Index of its first word in the section.
    pub(super) start: u64,
}

/// The tensors of a section that have instances, named; `kind` names those whose own name says nothing.
pub(super) fn members<'a>(kind: &str, fields: &'a [Field]) -> Vec<Member<'a>> {
    let suffix = |field: &Field| if field.encoding == Encoding::Commitment { COMMITMENT } else { "" };
    let wanted = fields.iter().map(|field| (field.name.as_str(), suffix(field)));
    let names = names::fields(kind, wanted);
    let constants = names::constants(&names);
    let (mut members, mut start) = (Vec::new(), 0);
    for (field, (name, constant)) in fields.iter().zip(names.into_iter().zip(constants)) {
        if field.words() > 0 {
            members.push(Member { field, name, constant, start });
        }
        start += field.words();
    }
    members
}

impl Member<'_> {
    pub(super) fn is_commitment(&self) -> bool {
        self.field.encoding == Encoding::Commitment
    }

    pub(super) fn is_packed(&self) -> bool {
        matches!(self.field.encoding, Encoding::Packed(_))
    }

    /// The bounds of each of its words; a word of several values has none.
    pub(super) fn word_bounds(&self) -> Option<Bounds> {
        self.field.bounds.filter(|_| self.field.encoding == Encoding::Signed)
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
            Encoding::Commitment => format!("\"{name}\": salted Poseidon commitment to {}.", values(field)),
            _ => format!("\"{name}\": {}, {} fractional bits.", values(field), field.scale),
        }
    }

    /// The member of `of`, or its element `i`.
    fn of(&self, of: &str) -> String {
        let element = if self.field.values == 1 { "" } else { "[i]" };
        format!("{of}.{}{element}", self.name)
    }

    /// Fills this member of `raw` and `wad` from the words in `source`; `scale` is an expression.
    fn decode(&self, text: &mut Text, source: &str, scale: &str) {
        match self.field.encoding {
            Encoding::Commitment => {
                let name = &self.name;
                text.assign(&format!("raw.{name}"), &self.commitment(source));
                text.assign(&format!("wad.{name}"), &format!("raw.{name}"));
            }
            Encoding::Signed => self.each(text, |text, index| {
                let raw = self.of("raw");
                text.assign(&raw, &format!("ZKMLCodec.toInt(ZKMLCodec.word({source}, {index}))"));
                self.scale(text, scale);
            }),
            Encoding::Packed(code) => self.decode_packed(text, source, scale, code),
        }
    }

    /// The commitment, as an expression.
    pub(super) fn commitment(&self, source: &str) -> String {
        format!("ZKMLCodec.toCommitment(ZKMLCodec.word({source}, {}))", self.start)
    }

    /// Does something with each word of a signed tensor, given its index in the section as an expression.
    pub(super) fn each(&self, text: &mut Text, body: impl Fn(&mut Text, &str)) {
        if self.field.values == 1 {
            return body(text, &self.start.to_string());
        }
        let index = if self.start == 0 { "i".to_owned() } else { format!("{} + i", self.start) };
        text.open(format_args!("for (uint256 i = 0; i < {}; ++i) {{", self.field.values));
        body(text, &index);
        text.close("}");
    }

    fn decode_packed(&self, text: &mut Text, source: &str, scale: &str, code: Code) {
        let (start, values) = (self.start, self.field.values);
        let (bits, per_word) = (code.bits, code.per_word());
        let mask = (1u64 << bits) - 1;
        let offset = if code.signed { format!(" - {:#x}", code.offset()) } else { String::new() };
        let word = format!("i / {per_word}");
        let place = if start == 0 { word } else { format!("{start} + {word}") };
        text.open("{");
        text.line("uint256 word;");
        text.open(format_args!("for (uint256 i = 0; i < {values}; ++i) {{"));
        text.line(format_args!("if (i % {per_word} == 0) word = ZKMLCodec.word({source}, {place});"));
        text.line(format_args!("// Safe: {bits} bits are no sign."));
        text.line("// forge-lint: disable-next-item(unsafe-typecast)");
        text.assign(&self.of("raw"), &format!("int256(word & {mask:#x}){offset}"));
        self.scale(text, scale);
        text.line(format_args!("word >>= {bits};"));
        let (last_of_word, last) = (per_word - 1, values - 1);
        text.open(format_args!("if ((i % {per_word} == {last_of_word} || i == {last}) && word != 0) {{"));
        text.line(format_args!("revert {}({place});", errors::SPARE_BITS.name));
        text.close("}");
        text.close("}");
        text.close("}");
    }

    /// The real number of what was just decoded.
    fn scale(&self, text: &mut Text, scale: &str) {
        let (raw, wad) = (self.of("raw"), self.of("wad"));
        text.assign_call(&wad, "ZKMLCodec.toWad", &[raw.as_str(), scale, "ZKMLCodec.Rounding.Down"]);
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
    members: impl Iterator<Item = &'a Member<'a>> + Clone,
) {
    text.line(format_args!("/// @notice {notice}"));
    for member in members.clone() {
        text.line(format_args!("/// @param {} {}", member.name, member.meaning()));
    }
    text.open(format_args!("struct {name} {{"));
    for member in members {
        text.line(format_args!("{} {};", member.solidity_type(), member.name));
    }
    text.close("}");
    text.line("");
}

/// Fills `raw` and `wad` with these members of the section in `source`; `scale` names the fractional bits of one.
pub(super) fn decode<'a>(
    text: &mut Text,
    source: &str,
    members: impl Iterator<Item = &'a Member<'a>>,
    scale: impl Fn(&Member<'a>) -> String,
) {
    for member in members {
        member.decode(text, source, &scale(member));
    }
}
