//! One child process: its output, wall time and peak memory.

use crate::error::{Error, Result};
use std::{
    io::{self, Read, Seek},
    path::Path,
    process::{Command, Stdio},
    time::{Duration, Instant},
};
use zkml_workspace::Error as StepError;

/// What a process cost.
#[derive(Clone, Copy, Debug)]
pub struct Cost {
    /// From start to end.
    pub wall: Duration,
    /// Peak resident memory in bytes; not less than the peak of this process before, which Linux lets a child inherit.
    pub peak_bytes: u64,
}

/// Runs `program` with `args` in a folder; returns its standard output, parsed as JSON, and what it cost.
///
/// # Errors
/// [`Error::Step`] when it cannot be started, [`Error::Child`] when it fails or prints no JSON.
pub fn run(program: &Path, folder: &Path, args: &[&str]) -> Result<(serde_json::Value, Cost)> {
    let fail = |e| StepError::io("run", program, e);
    // What it says besides is of interest only when it fails; a file cannot block it as a full pipe would.
    let mut talk = tempfile::tempfile().map_err(fail)?;
    let aside = talk.try_clone().map_err(fail)?;
    let started = Instant::now();
    let mut child = Command::new(program)
        .args(args)
        .current_dir(folder)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::from(aside))
        .spawn()
        .map_err(fail)?;
    let mut output = Vec::new();
    if let Some(mut stdout) = child.stdout.take() {
        stdout.read_to_end(&mut output).map_err(fail)?;
    }
    let (status, peak_bytes) = wait(child.id()).map_err(fail)?;
    let cost = Cost { wall: started.elapsed(), peak_bytes };
    let refuse = |why: String| Error::Child { command: args.join(" "), why };
    if status != 0 {
        let mut said = Vec::new();
        let _ = talk.rewind().and_then(|()| talk.read_to_end(&mut said));
        output.extend(said);
        let text = String::from_utf8_lossy(&output);
        return Err(refuse(format!("it ended with status {status}: {}", text.trim())));
    }
    let json = serde_json::from_slice(&output).map_err(|e| refuse(format!("its output is not JSON: {e}")))?;
    Ok((json, cost))
}

/// Waits for a child; returns its exit code (or the negated signal) and peak memory.
#[expect(unsafe_code, reason = "the standard library waits for a child without its peak memory")]
fn wait(pid: u32) -> io::Result<(i32, u64)> {
    let mut status = 0;
    // SAFETY: `rusage` is plain numbers, for which all zeros is a value.
    let mut usage: libc::rusage = unsafe { std::mem::zeroed() };
    loop {
        // SAFETY: both pointers are to live locals; the child is ours and nobody else waits for it.
        let waited = unsafe { libc::wait4(pid as libc::pid_t, &mut status, 0, &mut usage) };
        if waited >= 0 {
            break;
        }
        let error = io::Error::last_os_error();
        if error.kind() != io::ErrorKind::Interrupted {
            return Err(error);
        }
    }
    let code = if libc::WIFEXITED(status) { libc::WEXITSTATUS(status) } else { -libc::WTERMSIG(status) };
    // Linux counts kilobytes, macOS bytes.
    let unit = if cfg!(target_os = "macos") { 1 } else { 1024 };
    Ok((code, u64::try_from(usage.ru_maxrss).unwrap_or(0) * unit))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn measures_and_reports_failure() {
        let (sh, here) = (Path::new("/bin/sh"), Path::new("."));
        let (json, cost) = run(sh, here, &["-c", "sleep 0.05; echo '{\"a\":1}'"]).unwrap();
        assert_eq!(json["a"], 1);
        assert!(cost.wall >= Duration::from_millis(50) && cost.peak_bytes > 100_000, "{cost:?}");
        assert!(
            matches!(run(sh, here, &["-c", "exit 3"]), Err(Error::Child { why, .. }) if why.contains("status 3"))
        );
        assert!(matches!(run(sh, here, &["-c", "echo no"]), Err(Error::Child { .. })));
        assert!(matches!(run(Path::new("/no/such"), here, &[]), Err(Error::Step(StepError::Io { .. }))));
    }
}
