//! `Program` → `<Model>Consumer.sol`: the model's commitment, its inputs and outputs by name, and who may use a proof
//! when.

mod declarations;
mod functions;
mod section;

use zkml_protocol::{Encoding, InstanceLayout, Program};

use crate::{
    CodegenError,
    names::{self, ContractNames},
    text::Text,
};
use section::Member;
pub(crate) use section::values;

/// The Solidity source of the consumer of `program`. Its contract is called
/// [`names::contracts`]`(program).consumer`, and its constructor takes the verifier's address and, when the weights
/// are private, their commitment: see [`crate::constructor_arguments`].
///
/// # Errors
/// [`CodegenError::NoOutputs`] if the statement has no output, [`CodegenError::ModelSection`] if its model section is
/// not one commitment, or that the program contradicts itself.
pub fn consumer_source(program: &Program) -> Result<String, CodegenError> {
    program.validate()?;
    let consumer = Consumer::new(program)?;
    let mut text = Text::default();
    consumer.interface(&mut text);
    consumer.header(&mut text);
    text.open(format_args!("contract {} {{", consumer.names.consumer));
    consumer.structs(&mut text);
    consumer.constants(&mut text);
    consumer.state(&mut text);
    consumer.errors_and_event(&mut text);
    consumer.constructor(&mut text);
    consumer.verify(&mut text);
    functions::context(&mut text);
    consumer.decoders(&mut text);
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
    program: &'a Program,
    names: ContractNames,
    inputs: Vec<Member<'a>>,
    outputs: Vec<Member<'a>>,
    /// Index of the instance that holds the commitment to the private weights.
    weights: Option<u64>,
}

impl<'a> Consumer<'a> {
    fn new(program: &'a Program) -> Result<Self, CodegenError> {
        let layout = &program.statement.instances;
        let outputs = section::members("output", &layout.outputs, layout.outputs_start());
        if outputs.is_empty() {
            return Err(CodegenError::NoOutputs(program.statement.model_name.clone()));
        }
        let inputs = section::members("input", &layout.inputs, layout.inputs_start());
        let weights = weights_instance(layout)?;
        Ok(Self { program, names: names::contracts(program), inputs, outputs, weights })
    }

    fn input_commitments(&self) -> impl Iterator<Item = &Member<'a>> {
        self.inputs.iter().filter(|input| input.is_commitment())
    }

    fn public_inputs(&self) -> impl Iterator<Item = &Member<'a>> {
        self.inputs.iter().filter(|input| !input.is_commitment())
    }

    fn has_input_commitments(&self) -> bool {
        self.input_commitments().next().is_some()
    }

    fn has_public_inputs(&self) -> bool {
        self.public_inputs().next().is_some()
    }

    /// Whether any tensor that the contract decodes is of this kind.
    fn decodes(&self, kind: fn(&Member<'a>) -> bool) -> bool {
        self.inputs.iter().chain(&self.outputs).any(kind)
    }
}
