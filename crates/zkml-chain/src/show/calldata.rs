//! A proof, or several, as contracts take them.

use super::{BOLD, DIM, Report};
use std::io::{self, Write};
use zkml_workspace::steps::calldata::{Bound, CalldataReport, Inference, Registered, batch};

impl Report for CalldataReport {
    fn print(&self, out: &mut dyn Write) -> io::Result<()> {
        writeln!(out, "model            {}", self.calldata.model)?;
        writeln!(out, "selector         {}", self.calldata.selector)?;
        inference(out, &self.calldata.inference)?;
        registration(out, &self.calldata.registration)?;
        let (blob, bare) = (bytes(&self.calldata.inference.proof), bytes(&self.calldata.verify_proof));
        match &self.file {
            Some(file) => writeln!(out, "{DIM}proof of {blob} bytes: {}{DIM:#}", file.display()),
            None => writeln!(
                out,
                "{DIM}proof of {blob} bytes and calldata of {bare} bytes for the bare verifier: --json shows them, --out writes them{DIM:#}"
            ),
        }
    }
}

impl Report for batch::BatchReport {
    fn print(&self, out: &mut dyn Write) -> io::Result<()> {
        let batch::BatchCalldata { model, selector, inferences, verify_batch, .. } = &self.calldata;
        writeln!(out, "model            {model}")?;
        writeln!(out, "selector         {selector}")?;
        for (place, each) in inferences.iter().enumerate() {
            writeln!(out, "{BOLD}inference {place}{BOLD:#}")?;
            inference(out, each)?;
        }
        registration(out, &self.calldata.registration)?;
        let count = inferences.len();
        let batch = match verify_batch {
            Some(call) => format!("{count} proofs and calldata of {} bytes for `verifyBatch`", bytes(call)),
            None => {
                format!("{count} proofs; `verifyBatch` takes the model's id as well, which --owner gives")
            }
        };
        match &self.file {
            Some(file) => writeln!(out, "{DIM}{batch}: {}{DIM:#}", file.display()),
            None => writeln!(out, "{DIM}{batch}: --json shows them, --out writes them{DIM:#}"),
        }
    }
}

fn bytes(text: &str) -> usize {
    text.len().saturating_sub(2) / 2
}

fn inference(out: &mut dyn Write, inference: &Inference) -> io::Result<()> {
    let bound = match (&inference.bound, inference.context.is_zero()) {
        (_, true) => "  (unbound: anybody may use it, anywhere)",
        (None, false) => "  (a hash of subject, deadline and more: --context-file says of which)",
        (Some(_), false) => "",
    };
    writeln!(out, "context          {}{DIM}{bound}{DIM:#}", inference.context)?;
    if let Some(Bound { chain_id, consumer, subject, nonce, deadline, action }) = &inference.bound {
        writeln!(out, "  consumer       {consumer} on chain {chain_id}")?;
        writeln!(out, "  subject        {subject}, nonce {nonce}")?;
        writeln!(out, "  deadline       {deadline}")?;
        writeln!(out, "  action         {action}")?;
    }
    writeln!(out, "data commitment  {}", inference.data_commitment)?;
    writeln!(out, "input commitment {}", inference.input_commitment)?;
    writeln!(out, "output           {}", inference.output)
}

fn registration(out: &mut dyn Write, registration: &Registered) -> io::Result<()> {
    writeln!(out, "registration")?;
    writeln!(out, "  model hash     {}", registration.model_hash)?;
    writeln!(out, "  circuit hash   {}", registration.circuit_hash)?;
    writeln!(out, "  vk hash        {}", registration.vk_hash)?;
    writeln!(out, "  proof system   {}", registration.proof_system_id)?;
    writeln!(out, "  commitment     {}", registration.commitment_hash)?;
    if let Some(id) = registration.model_id {
        writeln!(out, "  model id       {id}")?;
    }
    Ok(())
}
