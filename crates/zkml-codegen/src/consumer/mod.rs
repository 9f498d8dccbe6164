//! `Program` → `<Model>Consumer.sol`: `ZKMLConsumer` with all that is particular to one model. What it pins, its inputs
//! and outputs by name, their scales and bounds.

mod any_input;
mod declarations;
mod functions;
mod requests;
mod section;

use std::ops::RangeInclusive;

use zkml_protocol::{Encoding, InstanceLayout, VerifierProgram};

use crate::{
    CodegenError,
    names::{self, ContractNames},
    text::Text,
};
pub use any_input::{any_input_consumer_source, any_input_request_consumer_source};
pub use requests::request_consumer_source;
use section::Member;
pub(crate) use section::values;

/// Fractional bits that `ZKMLCodec` turns into decimals.
const SCALES: RangeInclusive<i32> = -32..=96;
/// Outputs are held against their proven bounds up to this number of them; each costs some 160 gas.
const MOST_CHECKED: u64 = 10;

/// The Solidity source of the consumer of `program`. It is abstract: who inherits it says why an input is to be believed. Its
/// contract is called [`names::contracts`]`(program).consumer`, it imports the sources of [`zkml_contracts::library`], and
/// [`zkml_contracts::consumer_arguments`] says what its constructor takes.
///
/// # Errors
/// [`CodegenError::NoOutputs`] if the statement has no output, [`CodegenError::Scale`] if numbers have no decimals,
/// [`CodegenError::ModelSection`] if its model section is not one commitment, or that the program contradicts itself.
pub fn consumer_source(program: &dyn VerifierProgram) -> Result<String, CodegenError> {
    program.validate()?;
    let consumer = Consumer::new(program)?;
    let mut text = Text::default();
    declarations::imports(&mut text);
    consumer.header(&mut text);
    text.contract(&format!("abstract contract {}", consumer.names.consumer), &["ZKMLConsumer"]);
    consumer.structs(&mut text);
    consumer.constants(&mut text);
    consumer.event(&mut text);
    consumer.errors(&mut text);
    consumer.constructor(&mut text);
    consumer.inference(&mut text);
    consumer.decoders(&mut text);
    consumer.acceptance(&mut text);
    consumer.hooks(&mut text);
    consumer.helpers(&mut text);
    text.close("}");
    Ok(text.finish())
}

/// Index of the commitment to the private weights among the instances; `None` when the weights are public.
///
/// # Errors
/// [`CodegenError::ModelSection`] if the model section is anything but one commitment.
pub(crate) fn weights_instance(layout: &InstanceLayout) -> Result<Option<u64>, CodegenError> {
    match layout.model.as_slice() {
        [] => Ok(None),
        [weights] if weights.encoding == Encoding::Commitment => Ok(Some(layout.model_start())),
        fields => Err(CodegenError::ModelSection { fields: fields.len() }),
    }
}

/// What the consumer of a program is printed from.
struct Consumer<'a> {
    program: &'a dyn VerifierProgram,
    names: ContractNames,
    inputs: Vec<Member<'a>>,
    outputs: Vec<Member<'a>>,
    /// The weights are behind a commitment, so that another model of the architecture can follow.
    private_weights: bool,
}

impl<'a> Consumer<'a> {
    fn new(program: &'a dyn VerifierProgram) -> Result<Self, CodegenError> {
        let layout = &program.statement().instances;
        let outputs = section::members("output", &layout.outputs);
        if outputs.is_empty() {
            return Err(CodegenError::NoOutputs(program.statement().model_name.clone()));
        }
        let inputs = section::members("input", &layout.inputs);
        let numbers = || inputs.iter().chain(&outputs).filter(|member| !member.is_commitment());
        if let Some(member) = numbers().find(|member| !SCALES.contains(&member.field.scale)) {
            let (name, scale) = (member.field.name.clone(), member.field.scale);
            return Err(CodegenError::Scale { name, scale, lowest: *SCALES.start(), highest: *SCALES.end() });
        }
        let private_weights = weights_instance(layout)?.is_some();
        Ok(Self { program, names: names::contracts(program), inputs, outputs, private_weights })
    }

    fn input_commitments(&self) -> impl Iterator<Item = &Member<'a>> + Clone {
        self.inputs.iter().filter(|input| input.is_commitment())
    }

    fn public_inputs(&self) -> impl Iterator<Item = &Member<'a>> + Clone {
        self.inputs.iter().filter(|input| !input.is_commitment())
    }

    fn has_input_commitments(&self) -> bool {
        self.input_commitments().next().is_some()
    }

    fn has_public_inputs(&self) -> bool {
        self.public_inputs().next().is_some()
    }

    /// Whether the words of the input section lie at the end of a proof blob; otherwise the section is one commitment,
    /// which lies in front, or empty.
    fn has_input_words(&self) -> bool {
        !self.inputs.is_empty() && !self.program.statement().instances.input_is_commitment()
    }

    /// The outputs whose bounds are checked again.
    fn checked_outputs(&self) -> impl Iterator<Item = &Member<'a>> {
        let few = self.program.statement().instances.output_words() <= MOST_CHECKED;
        self.outputs.iter().filter(move |output| few && output.word_bounds().is_some())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scales_are_those_of_the_codec() {
        let codec =
            zkml_contracts::library::source("@zkml-chain/contracts/src/libraries/ZKMLCodec.sol").unwrap();
        for (name, bits) in [("MIN_SCALE", SCALES.start()), ("MAX_SCALE", SCALES.end())] {
            let declaration = format!("int256 internal constant {name} = {bits};");
            assert!(codec.contains(&declaration), "{declaration}");
        }
    }
}
