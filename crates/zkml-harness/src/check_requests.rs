//! Tries the contract that takes requests before anybody relies on it.

use zkml_contracts::{
    Submission,
    requests::{self, InferenceFulfilled, InferenceRequested, RequestState},
};
use zkml_protocol::{
    InstanceLayout, VerifierProgram, Word,
    binding::{Registration, Request},
    envelope::Shape,
    keccak256,
};

use crate::{
    Address, Call, Contract, Evm, HarnessError, Log, Outcome,
    check_consumer::{LATE, answered, failed},
    stack::{Stack, StackCode},
};

/// Deploys the stack and both contracts, and checks that a request is taken and said, that a proof which does not hold
/// does not fulfil it, and neither does one of another input; that a proof which holds does so once; and that nothing is
/// fulfilled while the contract is paused, or after its subject has withdrawn the request.
///
/// No proof exists for a request that is made here. So that one holds, the contract is deployed a second time behind
/// code that believes every proof.
///
/// # Errors
/// [`HarnessError::SelfCheck`] with the first check that failed.
pub fn self_check_requests(
    stack: &StackCode,
    verifier: &Contract,
    consumer: &Contract,
    program: &dyn VerifierProgram,
    proof: &[u8],
    instances: &[Word],
) -> Result<(), HarnessError> {
    let mut evm = Evm::default();
    let verifier = evm.deploy(&verifier.creation)?.address;
    let stack = Stack::deploy(&mut evm, stack, &[verifier])?;
    let model_id = stack.register(&mut evm, &Registration::of(program, instances)?)?;
    let believing = Stack { verifier: evm.deploy(&believing(stack.registry))?.address, ..stack };
    let strict = stack.deploy_consumer(&mut evm, program, consumer, model_id)?.address;
    let believing = believing.deploy_consumer(&mut evm, program, consumer, model_id)?.address;
    let mut trial = Trial { evm, program, proof, instances };
    trial.proof_is_checked(strict)?;
    trial.taken_once(believing)?;
    trial.other_inputs(believing)?;
    trial.stopped(believing)
}

struct Trial<'a> {
    evm: Evm,
    program: &'a dyn VerifierProgram,
    proof: &'a [u8],
    instances: &'a [Word],
}

impl Trial<'_> {
    /// Data commitment and words of the input that the proof is about.
    fn input(&self) -> Result<(Word, Vec<u8>), HarnessError> {
        let shape = Shape::of(self.program)?;
        let inputs = shape.sections(self.instances)?.inputs;
        let public = !shape.input_is_commitment;
        let words = inputs.iter().filter(|_| public).flat_map(|word| word.0).collect();
        Ok((shape.data_commitment(inputs), words))
    }

    /// Makes a request, and reads what is said about it.
    fn request(&mut self, to: Address, data: Word, input: &[u8]) -> Result<Request, HarnessError> {
        let check = "the contract takes a request and says so";
        let action = Word::from_u64(1);
        let call = self.evm.send(to, &requests::request_inference(action, LATE, data, input, &[]))?;
        let said = |log: &Log| InferenceRequested::decode(&topics(log), &log.data).ok();
        let Some(event) = call.logs.iter().find_map(said) else {
            return Err(failed(check, call.describe()));
        };
        let asked = event.request;
        let subject = self.evm.config.sender.into_array();
        let as_asked = Request { subject, action, deadline: LATE, data_commitment: data, ..asked } == asked;
        if !as_asked || event.input != input || self.state(to, &asked)? != RequestState::Pending {
            return Err(failed(check, format!("it says {event:?}")));
        }
        Ok(asked)
    }

    fn state(&mut self, of: Address, request: &Request) -> Result<RequestState, HarnessError> {
        let call = self.evm.call(of, &requests::request_state(request.id()))?;
        match &call.outcome {
            Outcome::Returned(answer) => Ok(RequestState::decode(answer)?),
            _ => Err(HarnessError::Call { function: "requestState", answer: call.describe() }),
        }
    }

    /// Hands in the proof, with a statement that is bound to the request.
    fn fulfil(&mut self, at: Address, request: &Request) -> Result<Call, HarnessError> {
        let mut instances = self.instances.to_vec();
        let context = request.context(self.evm.config.chain_id, at.into_array());
        if let Some(bound) = instances.get_mut(InstanceLayout::CONTEXT) {
            *bound = context.digest();
        }
        let submission = Submission::new(self.program, self.proof, &instances)?;
        self.evm.send(at, &requests::fulfill_inference(request, &submission))
    }

    /// Not even for a request that was made: the proof was made for something else.
    fn proof_is_checked(&mut self, strict: Address) -> Result<(), HarnessError> {
        let (data, input) = self.input()?;
        let request = self.request(strict, data, &input)?;
        let call = self.fulfil(strict, &request)?;
        answered("a proof of another statement does not fulfil a request", &call, "ProofRejected")?;
        let submission = Submission::new(self.program, self.proof, self.instances)?;
        let call = self.evm.send(strict, &requests::fulfill_inference(&request, &submission))?;
        answered("a proof of another context does not fulfil a request", &call, "WrongContext")
    }

    fn taken_once(&mut self, believing: Address) -> Result<(), HarnessError> {
        let (data, input) = self.input()?;
        let request = self.request(believing, data, &input)?;
        let unknown = Request { sequence: LATE, ..request };
        let call = self.fulfil(believing, &unknown)?;
        answered("what nobody has asked for is not fulfilled", &call, "RequestNotPending")?;
        let call = self.fulfil(believing, &request)?;
        let said = |log: &Log| {
            let event = InferenceFulfilled::decode(&topics(log), &log.data);
            event.is_ok_and(|event| event.id == request.id())
        };
        if !call.logs.iter().any(said) {
            return Err(failed("a proof fulfils its request", call.describe()));
        }
        let call = self.fulfil(believing, &request)?;
        answered("a request is fulfilled once", &call, "RequestNotPending")
    }

    fn other_inputs(&mut self, believing: Address) -> Result<(), HarnessError> {
        let (data, input) = self.input()?;
        let shape = Shape::of(self.program)?;
        if shape.inputs == 0 {
            return Ok(());
        }
        // The lowest bit of the first word belongs to a value, so that what is asked about could be proven.
        let (mut other, mut commitment) = (input, data);
        let changed = if shape.input_is_commitment { &mut commitment.0 } else { &mut other[..] };
        if let Some(lowest) = changed.get_mut(31) {
            *lowest ^= 1;
        }
        if !shape.input_is_commitment {
            commitment = keccak256([other.as_slice()]);
        }
        let request = self.request(believing, commitment, &other)?;
        let call = self.fulfil(believing, &request)?;
        answered("a proof of another input does not fulfil a request", &call, "WrongInput")
    }

    fn stopped(&mut self, believing: Address) -> Result<(), HarnessError> {
        let (data, input) = self.input()?;
        let request = self.request(believing, data, &input)?;
        self.evm.send(believing, &requests::pause())?;
        let call = self.fulfil(believing, &request)?;
        answered("nothing is fulfilled while the contract is paused", &call, "EnforcedPause")?;
        self.evm.send(believing, &requests::cancel_request(&request))?;
        self.evm.send(believing, &requests::unpause())?;
        let call = self.fulfil(believing, &request)?;
        answered("a request that was withdrawn is not fulfilled", &call, "RequestNotPending")
    }
}

fn topics(log: &Log) -> Vec<Word> {
    log.topics.iter().map(|topic| Word(topic.0)).collect()
}

/// Creation code of a contract that answers every call with an address: `registry()` rightly, and to `verifyInference`
/// it does not revert.
fn believing(registry: Address) -> Vec<u8> {
    // codecopy(0, 9, 27); return(0, 27)
    let creation = [0x60, 27, 0x80, 0x60, 9, 0x5f, 0x39, 0x5f, 0xf3];
    // mstore(0, registry); return(0, 32)
    let (push, answer) = ([0x73], [0x5f, 0x52, 0x60, 32, 0x5f, 0xf3]);
    [creation.as_slice(), &push, registry.as_slice(), &answer].concat()
}
