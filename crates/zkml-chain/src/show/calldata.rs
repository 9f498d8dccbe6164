//! A proof as contracts take it.

use super::{DIM, Report};
use std::io::{self, Write};
use zkml_workspace::steps::calldata::{Bound, Calldata, CalldataReport};

impl Report for CalldataReport {
    fn print(&self, out: &mut dyn Write) -> io::Result<()> {
        let Calldata { registration, .. } = &self.calldata;
        let bound = match (&self.calldata.bound, self.calldata.context.is_zero()) {
            (_, true) => "  (unbound: anybody may use it, anywhere)",
            (None, false) => "  (a hash of subject, deadline and more: --context-file says of which)",
            (Some(_), false) => "",
        };
        writeln!(out, "model            {}", self.calldata.model)?;
        writeln!(out, "selector         {}", self.calldata.selector)?;
        writeln!(out, "context          {}{DIM}{bound}{DIM:#}", self.calldata.context)?;
        if let Some(Bound { chain_id, consumer, subject, nonce, deadline, action }) = &self.calldata.bound {
            writeln!(out, "  consumer       {consumer} on chain {chain_id}")?;
            writeln!(out, "  subject        {subject}, nonce {nonce}")?;
            writeln!(out, "  deadline       {deadline}")?;
            writeln!(out, "  action         {action}")?;
        }
        writeln!(out, "data commitment  {}", self.calldata.data_commitment)?;
        writeln!(out, "input commitment {}", self.calldata.input_commitment)?;
        writeln!(out, "output           {}", self.calldata.output)?;
        writeln!(out, "registration")?;
        writeln!(out, "  model hash     {}", registration.model_hash)?;
        writeln!(out, "  circuit hash   {}", registration.circuit_hash)?;
        writeln!(out, "  vk hash        {}", registration.vk_hash)?;
        writeln!(out, "  proof system   {}", registration.proof_system_id)?;
        writeln!(out, "  commitment     {}", registration.commitment_hash)?;
        if let Some(id) = registration.model_id {
            writeln!(out, "  model id       {id}")?;
        }
        let bytes = |text: &str| text.len().saturating_sub(2) / 2;
        let (blob, bare) = (bytes(&self.calldata.proof), bytes(&self.calldata.verify_proof));
        match &self.file {
            Some(file) => writeln!(out, "{DIM}proof of {blob} bytes: {}{DIM:#}", file.display()),
            None => writeln!(
                out,
                "{DIM}proof of {blob} bytes and calldata of {bare} bytes for the bare verifier: --json shows them, --out writes them{DIM:#}"
            ),
        }
    }
}
