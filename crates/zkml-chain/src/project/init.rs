//! `init`: writes a project, whole or not at all.

use super::{
    error::ProjectError,
    template::{self, File},
};
use crate::{
    error::{Error, Result},
    show::{BOLD, DIM, Report},
};
use serde::Serialize;
use std::{
    fs,
    io::{self, Write},
    path::{Path, PathBuf},
};
use zkml_workspace::{Error as StepError, artifacts::write_whole};

/// A project that was written.
#[derive(Debug, Clone, Serialize)]
pub struct InitReport {
    /// Its folder.
    pub dir: PathBuf,
    /// Its files.
    pub files: Vec<&'static str>,
    /// The way to an accepted proof: this command first, the two others next.
    pub commands: [String; 3],
    /// What each of them does.
    pub does: [&'static str; 3],
}

/// Writes a project into the folder `dir`, which must be empty or not there.
///
/// # Errors
/// [`ProjectError::NotEmpty`], [`ProjectError::BadName`]; [`Error::Io`] when a file cannot be written.
pub fn run(dir: &Path) -> Result<InitReport> {
    let name = name(dir)?;
    if !is_free(dir)? {
        return Err(ProjectError::NotEmpty { dir: dir.to_owned() }.into());
    }
    let files = template::files(&name);
    let above = dir.parent().filter(|above| !above.as_os_str().is_empty()).unwrap_or(Path::new("."));
    fs::create_dir_all(above).map_err(|e| StepError::io("make the folder", above, e))?;
    let stage = tempfile::Builder::new().prefix(".init-").tempdir_in(above);
    let stage = stage.map_err(|e| StepError::io("make the folder", dir, e))?;
    // The temporary folder is for its owner only; the one in it is as the umask says.
    let new = stage.path().join(&name);
    files.iter().try_for_each(|file| put(&new, file))?;
    fs::rename(&new, dir).map_err(|e| match e.kind() {
        // Somebody was faster.
        io::ErrorKind::DirectoryNotEmpty | io::ErrorKind::AlreadyExists | io::ErrorKind::NotADirectory => {
            Error::from(ProjectError::NotEmpty { dir: dir.to_owned() })
        }
        _ => Error::from(StepError::io("write", dir, e)),
    })?;
    let shown = quoted(&dir.display().to_string());
    Ok(InitReport {
        dir: dir.to_owned(),
        files: files.iter().map(|file| file.path).collect(),
        commands: [
            format!("zkml-chain init {shown}"),
            format!("cd {shown} && npm install && zkml-chain run"),
            "npx forge test".to_owned(),
        ],
        does: [
            "write a project around a small credit model",
            "from the model to a proof that a local EVM accepts",
            "your contract takes that proof, once",
        ],
    })
}

/// The project's name: that of its folder.
fn name(dir: &Path) -> Result<String, ProjectError> {
    let name = dir.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    let good = |c: char| c.is_ascii_alphanumeric() || "-_.".contains(c);
    if name.starts_with(|c: char| c.is_ascii_alphanumeric()) && name.chars().all(good) {
        return Ok(name);
    }
    Err(ProjectError::BadName { name: dir.display().to_string() })
}

fn is_free(dir: &Path) -> Result<bool> {
    match fs::read_dir(dir) {
        Ok(mut entries) => Ok(entries.next().is_none()),
        // Of a link that leads nowhere there is something in the way, too.
        Err(e) if e.kind() == io::ErrorKind::NotFound => Ok(fs::symlink_metadata(dir).is_err()),
        Err(e) if e.kind() == io::ErrorKind::NotADirectory => Ok(false),
        Err(e) => Err(StepError::io("read", dir, e).into()),
    }
}

fn put(project: &Path, file: &File) -> Result<()> {
    let path = project.join(file.path);
    write_whole(&path, &file.content)?;
    #[cfg(unix)]
    if file.executable {
        use std::os::unix::fs::PermissionsExt;
        let mode = fs::metadata(&path).map_err(|e| StepError::io("read", &path, e))?.permissions().mode();
        // Whoever may read it may run it.
        let mode = fs::Permissions::from_mode(mode | (mode & 0o444) >> 2);
        fs::set_permissions(&path, mode).map_err(|e| StepError::io("write", &path, e))?;
    }
    Ok(())
}

/// A path as a shell takes it.
fn quoted(path: &str) -> String {
    if path.chars().all(|c| c.is_ascii_alphanumeric() || "-_./".contains(c)) {
        return path.to_owned();
    }
    format!("'{}'", path.replace('\'', r"'\''"))
}

impl Report for InitReport {
    fn print(&self, out: &mut dyn Write) -> io::Result<()> {
        writeln!(out, "{BOLD}{}{BOLD:#}", self.dir.display())?;
        for file in &self.files {
            writeln!(out, "  {file}")?;
        }
        writeln!(out, "to an accepted proof in three commands, of which the first is done:")?;
        let width = self.commands.iter().map(String::len).max().unwrap_or_default();
        for (command, does) in self.commands.iter().zip(self.does) {
            writeln!(out, "  {command:width$}  {DIM}# {does}{DIM:#}")?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_project_is_whole_or_absent() {
        let temp = tempfile::tempdir().unwrap();
        let dir = temp.path().join("deep/credit");
        let report = run(&dir).unwrap();
        assert!(report.files.iter().all(|file| dir.join(file).is_file()));
        let refused = run(&dir).unwrap_err();
        assert_eq!(refused.name(), "not-empty");
        assert_eq!(fs::read_dir(dir.parent().unwrap()).unwrap().count(), 1, "nothing else is left");
        let empty = temp.path().join("empty");
        fs::create_dir(&empty).unwrap();
        run(&empty).unwrap();
        fs::write(temp.path().join("file"), b"").unwrap();
        assert_eq!(run(&temp.path().join("file")).unwrap_err().name(), "not-empty");
        assert_eq!(run(&temp.path().join("file/below")).unwrap_err().name(), "not-empty");
    }

    #[test]
    fn names_are_names_of_folders() {
        for bad in ["", ".", "..", "/", "-x", ".hidden", "a b", "é"] {
            assert_eq!(run(Path::new(bad)).unwrap_err().name(), "project-name", "{bad}");
        }
        assert_eq!(name(Path::new("a/Loan-Desk.2/")).as_deref(), Ok("Loan-Desk.2"));
        assert_eq!(quoted("a b/it's"), r"'a b/it'\''s'");
    }
}
