//! How private files come to be and grow, while other processes do the same to them.
//!
//! - **A first file** is written aside and gets its name only if that is free (`renameat2` with `RENAME_NOREPLACE`, else `link`; servers
//!   of NFS do both in one step). Of many processes that begin at once, one is first, and the others use the salts that it made.
//! - **Growing** replaces the file by a longer one, under the lock of the file itself, which is read again under the lock. The system
//!   drops the lock of a process that is killed, so nothing has to be cleaned up. Where there are no locks, growing is refused; a first file
//!   under another name needs none.
//! - **Nothing is told before it is on the disk**: the content is flushed before the file gets its name, and the folder after that, also by
//!   who only found what another process has just written.

use super::{Kept, Opening, Preimage, PrivateFile};
use crate::{
    artifacts::{lock, sync_folder_of},
    error::{Error, Result},
};
use std::{io, path::Path};
use zkml::opening::{Commits, Hash};
use zkml_protocol::Word;

impl PrivateFile {
    /// The openings of `preimages` in the file at `path`, which gets new ones for those that it has none of.
    ///
    /// # Errors
    /// [`Error::OtherData`] when the file opens a commitment to other values of the same name and model, [`Error::Io`] when it cannot be
    /// written.
    pub fn keep(path: &Path, model_hash: Word, preimages: &[Preimage]) -> Result<Kept> {
        Self::keep_by(path, &Hash, model_hash, preimages)
    }

    /// As [`PrivateFile::keep`], of commitments that are made in another way.
    ///
    /// # Errors
    /// As [`PrivateFile::keep`].
    pub fn keep_by(path: &Path, by: &dyn Commits, model_hash: Word, preimages: &[Preimage]) -> Result<Kept> {
        let (openings, grew) = update(path, |file| {
            preimages.iter().map(|p| file.find_or_make(path, by, model_hash, p)).collect()
        })?;
        Ok(Kept { path: path.to_owned(), openings, reused: !grew })
    }

    /// Adds openings to the file at `path`, besides those that it has already.
    ///
    /// # Errors
    /// [`Error::Io`] when it cannot be written.
    pub fn add(path: &Path, openings: &[Opening]) -> Result<()> {
        let add = |file: &mut Self| {
            let new: Vec<_> = openings.iter().filter(|o| !file.openings.contains(o)).cloned().collect();
            file.openings.extend(new);
            Ok(())
        };
        update(path, add).map(drop)
    }

    fn find_or_make(
        &mut self,
        path: &Path,
        by: &dyn Commits,
        model_hash: Word,
        preimage: &Preimage,
    ) -> Result<Opening> {
        let same = |o: &&Opening| o.is_about(by, model_hash, preimage);
        let mut other = None;
        for known in self.openings.iter().filter(same) {
            if by.commit(preimage, &known.salt)? == known.commitment {
                return Ok(known.clone());
            }
            other = other.or(Some(known));
        }
        if let Some(other) = other {
            let (path, name) = (path.to_owned(), other.name.clone());
            return Err(Error::OtherData { path, name, commitment: other.commitment.to_string() });
        }
        let mut fresh = Opening::fresh_by(by, model_hash, preimage)?;
        if !fresh.holds_values() {
            fresh.parts.iter_mut().for_each(|p| p.values.clear());
        }
        self.openings.push(fresh.clone());
        Ok(fresh)
    }
}

/// Lets `change` add to the file at `path`, and tells whether it did. It is called again with what another process wrote meanwhile.
fn update<T>(path: &Path, mut change: impl FnMut(&mut PrivateFile) -> Result<T>) -> Result<(T, bool)> {
    // A link stays one: the file that it leads to grows.
    let path = &path.canonicalize().unwrap_or_else(|_| path.to_owned());
    loop {
        let Some(mut file) = read(path)? else {
            let mut file = PrivateFile::new(Vec::new());
            let answer = change(&mut file)?;
            if file.stage(path)?.publish_new()? {
                return Ok((answer, true));
            }
            refuse_loose_link(path)?;
            continue;
        };
        // Who finds all there needs no lock, nor the right to write.
        let before = file.openings.len();
        let answer = change(&mut file)?;
        if file.openings.len() == before {
            sync_folder_of(path)?;
            return Ok((answer, false));
        }
        let Some(_lock) = lock::wait_for(path)? else { continue };
        let mut file = PrivateFile::read(path)?;
        let before = file.openings.len();
        let answer = change(&mut file)?;
        let grew = file.openings.len() > before;
        if grew {
            file.stage(path)?.publish()?;
        } else {
            sync_folder_of(path)?;
        }
        return Ok((answer, grew));
    }
}

fn read(path: &Path) -> Result<Option<PrivateFile>> {
    match PrivateFile::read(path) {
        Err(Error::Io { source, .. }) if source.kind() == io::ErrorKind::NotFound => Ok(None),
        other => other.map(Some),
    }
}

/// The name of a link that leads nowhere is neither free nor a file.
fn refuse_loose_link(path: &Path) -> Result<()> {
    if path.is_symlink() && !path.exists() {
        let why = io::Error::new(io::ErrorKind::InvalidInput, "it is a link to a file that does not exist");
        return Err(Error::io("write", path, why));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::private_file::Part;
    use std::collections::BTreeSet;
    use zkml_protocol::{Code, commitment::Role};

    const PROCESSES: u64 = 16;

    fn preimage(name: &str) -> Preimage {
        let part = Part { code: Code { bits: 48, signed: true }, values: vec![1, -2] };
        Preimage { role: Role::Input, name: name.into(), parts: vec![part] }
    }

    /// Each thread has files and locks of its own, as a process has.
    fn at_once<T: Send>(work: impl Fn(u64) -> T + Sync) -> Vec<T> {
        let (start, work) = (std::sync::Barrier::new(PROCESSES as usize), &work);
        std::thread::scope(|scope| {
            let threads: Vec<_> = (0..PROCESSES)
                .map(|i| {
                    let start = &start;
                    scope.spawn(move || {
                        start.wait();
                        work(i)
                    })
                })
                .collect();
            threads.into_iter().map(|t| t.join().expect("ends")).collect()
        })
    }

    fn commitments<'a>(openings: impl IntoIterator<Item = &'a Opening>) -> BTreeSet<Word> {
        openings.into_iter().map(|o| o.commitment).collect()
    }

    #[test]
    fn all_who_commit_to_the_same_at_once_get_one_salt() {
        let dir = tempfile::tempdir().expect("folder");
        let path = dir.path().join("new/input.private.json");
        let kept = at_once(|_| PrivateFile::keep(&path, Word::ONE, &[preimage("x")]).expect("kept"));
        let on_disk = PrivateFile::read(&path).expect("file").openings;
        assert_eq!(on_disk.len(), 1);
        assert_eq!(commitments(kept.iter().flat_map(|k| &k.openings)), commitments(&on_disk));
        assert_eq!(kept.iter().filter(|k| !k.reused).count(), 1, "one of them made it");
    }

    #[test]
    fn no_opening_is_lost_when_many_are_added_at_once() {
        let dir = tempfile::tempdir().expect("folder");
        let path = dir.path().join("input.private.json");
        let kept = at_once(|i| {
            let model = Word::from_u64(i / 2);
            let kept = PrivateFile::keep(&path, model, &[preimage("x"), preimage(&i.to_string())]);
            kept.expect("kept").openings
        });
        let on_disk = PrivateFile::read(&path).expect("file").openings;
        assert_eq!(commitments(kept.iter().flatten()), commitments(&on_disk));
        assert_eq!(on_disk.len() as u64, PROCESSES + PROCESSES / 2);
        let left: Vec<_> = std::fs::read_dir(dir.path()).expect("folder").collect();
        assert_eq!(left.len(), 1, "{left:?}");
    }

    #[test]
    fn openings_are_added_once_and_stay() {
        let dir = tempfile::tempdir().expect("folder");
        let path = dir.path().join("proof.private.json");
        let all = at_once(|_| {
            let opening = Opening::fresh(Word::ONE, &preimage("y")).expect("commits");
            PrivateFile::add(&path, std::slice::from_ref(&opening)).expect("added");
            PrivateFile::add(&path, std::slice::from_ref(&opening)).expect("there");
            opening
        });
        let on_disk = PrivateFile::read(&path).expect("file").openings;
        assert_eq!((commitments(&all), on_disk.len()), (commitments(&on_disk), all.len()));
        // Any of several openings of one name may be the one that is meant.
        let last = on_disk.last().expect("some").clone();
        let found = PrivateFile::keep(&path, Word::ONE, &[preimage("y")]).expect("found");
        assert!(found.reused && found.openings[0].commitment == on_disk[0].commitment);
        assert_ne!(last.commitment, on_disk[0].commitment);
    }

    #[cfg(unix)]
    #[test]
    fn a_link_to_nothing_is_refused() {
        let dir = tempfile::tempdir().expect("folder");
        let path = dir.path().join("link.private.json");
        std::os::unix::fs::symlink(dir.path().join("nothing"), &path).expect("link");
        let error = PrivateFile::keep(&path, Word::ONE, &[preimage("x")]).expect_err("leads nowhere");
        assert!(matches!(&error, Error::Io { path, .. } if path.ends_with("link.private.json")), "{error}");
    }

    #[cfg(unix)]
    #[test]
    fn a_link_is_followed() {
        let dir = tempfile::tempdir().expect("folder");
        let (path, real) = (dir.path().join("link.private.json"), dir.path().join("safe/real.json"));
        PrivateFile::keep(&real, Word::ONE, &[preimage("x")]).expect("made");
        std::os::unix::fs::symlink(&real, &path).expect("link");
        PrivateFile::keep(&path, Word::ZERO, &[preimage("x")]).expect("grown");
        assert!(path.is_symlink());
        assert_eq!(PrivateFile::read(&real).expect("file").openings.len(), 2);
    }

    #[test]
    fn who_finds_all_there_waits_for_nobody() {
        let dir = tempfile::tempdir().expect("folder");
        let path = dir.path().join("input.private.json");
        let made = PrivateFile::keep(&path, Word::ONE, &[preimage("x")]).expect("made");
        let lock = lock::wait_for(&path).expect("locks").expect("there");
        let (send, receive) = std::sync::mpsc::channel();
        std::thread::scope(|scope| {
            scope.spawn(|| send.send(PrivateFile::keep(&path, Word::ONE, &[preimage("x")])));
            let found = receive.recv_timeout(std::time::Duration::from_secs(30));
            drop(lock);
            let found = found.expect("it waits for the lock").expect("found");
            assert_eq!((found.reused, found.openings), (true, made.openings));
        });
    }
}
