//! A way out of the process on which secrets are hidden.

use std::io::{self, Write};

use super::redact;

/// A writer that keeps each line until it is whole, so that no secret gets out in pieces. What is left goes out when it is flushed or dropped.
#[derive(Debug)]
pub struct Redacting<W: Write> {
    inner: W,
    line: Vec<u8>,
}

impl<W: Write> Redacting<W> {
    /// Writes to `inner`.
    pub fn new(inner: W) -> Self {
        Self { inner, line: Vec::new() }
    }

    fn pass(&mut self, end: usize) -> io::Result<()> {
        let bytes: Vec<u8> = self.line.drain(..end).collect();
        self.inner.write_all(redact(&String::from_utf8_lossy(&bytes)).as_bytes())
    }
}

impl<W: Write> Write for Redacting<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.line.extend_from_slice(bytes);
        if let Some(last) = self.line.iter().rposition(|byte| *byte == b'\n') {
            self.pass(last + 1)?;
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.pass(self.line.len())?;
        self.inner.flush()
    }
}

impl<W: Write> Drop for Redacting<W> {
    fn drop(&mut self) {
        // Nobody is left to be told.
        let _ = self.pass(self.line.len());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_in_pieces_is_hidden() {
        crate::secret::register("in-P1eces");
        let mut out = Vec::new();
        let mut writer = Redacting::new(&mut out);
        for piece in ["the key in", "-P1", "eces is\nno", ": in-P1ece"] {
            writer.write_all(piece.as_bytes()).unwrap();
        }
        writer.write_all(b"s").unwrap();
        drop(writer);
        assert_eq!(String::from_utf8(out).unwrap(), "the key *** is\nno: ***");
    }
}
