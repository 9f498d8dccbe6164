//! A proof as contracts take it.

use super::{DIM, Report};
use std::io::{self, Write};
use zkml_workspace::steps::calldata::{Calldata, CalldataReport};

impl Report for CalldataReport {
    fn print(&self, out: &mut dyn Write) -> io::Result<()> {
        let Calldata { registration, .. } = &self.calldata;
        let bound =
            if self.calldata.context.is_zero() { "  (unbound: anybody may use it, anywhere)" } else { "" };
        writeln!(out, "model            {}", self.calldata.model)?;
        writeln!(out, "selector         {}", self.calldata.selector)?;
        writeln!(out, "context          {}{DIM}{bound}{DIM:#}", self.calldata.context)?;
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
