use super::*;

/// model.onnx → settings.json → graph.bin, as three steps would write them.
fn folder(dir: &Path) -> Artifacts {
    let mut artifacts = Artifacts::create(dir, "toy").unwrap();
    let mut t = artifacts.begin("calibrate");
    t.put(file::MODEL, b"model", &[]).unwrap();
    t.put(file::SETTINGS, b"settings", &[file::MODEL]).unwrap();
    t.commit().unwrap();
    let mut t = artifacts.begin("compile");
    t.put(file::COMPILED, b"graph", &[file::MODEL, file::SETTINGS]).unwrap();
    t.commit().unwrap();
    artifacts
}

fn reopened(dir: &Path) -> Artifacts {
    Artifacts::open(dir).unwrap()
}

#[test]
fn what_was_written_is_read_back() {
    let dir = tempfile::tempdir().unwrap();
    drop(folder(dir.path()));
    assert_eq!(reopened(dir.path()).load(file::COMPILED).unwrap(), b"graph");
}

#[test]
fn an_edited_file_is_refused_by_name() {
    let dir = tempfile::tempdir().unwrap();
    drop(folder(dir.path()));
    fs::write(dir.path().join(file::COMPILED), b"graqh").unwrap();
    let error = reopened(dir.path()).load(file::COMPILED).unwrap_err();
    assert!(matches!(&error, Error::Edited { file, .. } if file == "graph.bin"), "{error}");
}

#[test]
fn an_edit_upstream_is_refused_with_the_step_to_repeat() {
    let dir = tempfile::tempdir().unwrap();
    drop(folder(dir.path()));
    fs::write(dir.path().join(file::SETTINGS), b"other").unwrap();
    let error = reopened(dir.path()).load(file::COMPILED).unwrap_err();
    assert!(
        matches!(&error, Error::Stale { source_file, step, .. } if source_file == "settings.json" && step == "compile"),
        "{error}"
    );
}

#[test]
fn a_repeated_step_makes_its_followers_stale() {
    let dir = tempfile::tempdir().unwrap();
    let mut artifacts = folder(dir.path());
    let mut t = artifacts.begin("calibrate");
    t.put(file::SETTINGS, b"new settings", &[file::MODEL]).unwrap();
    t.commit().unwrap();
    assert!(matches!(artifacts.require(file::COMPILED), Err(Error::Stale { .. })));
    artifacts.require(file::SETTINGS).unwrap();
}

#[test]
fn a_missing_file_names_its_step() {
    let dir = tempfile::tempdir().unwrap();
    let artifacts = folder(dir.path());
    let never = artifacts.require(file::PROVING_KEY).unwrap_err();
    assert!(matches!(&never, Error::Missing { step, .. } if step == "setup"), "{never}");
    fs::remove_file(dir.path().join(file::COMPILED)).unwrap();
    let gone = artifacts.load(file::COMPILED).unwrap_err();
    assert!(matches!(&gone, Error::Missing { step, .. } if step == "compile"), "{gone}");
}

#[test]
fn a_quick_check_sees_a_short_key_and_an_edited_source() {
    let dir = tempfile::tempdir().unwrap();
    let mut artifacts = folder(dir.path());
    let mut t = artifacts.begin("setup");
    t.put(file::PROVING_KEY, &vec![1; (QUICK_CHECK_ABOVE + 1) as usize], &[file::COMPILED]).unwrap();
    t.commit().unwrap();
    artifacts.require_quickly(file::PROVING_KEY).unwrap();
    fs::write(dir.path().join(file::PROVING_KEY), b"short").unwrap();
    assert!(matches!(artifacts.require_quickly(file::PROVING_KEY), Err(Error::Edited { .. })));
    fs::write(dir.path().join(file::SETTINGS), b"other").unwrap();
    assert!(matches!(reopened(dir.path()).require_quickly(file::PROVING_KEY), Err(Error::Stale { .. })));
}

#[test]
fn a_transaction_that_fails_changes_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let mut artifacts = folder(dir.path());
    let mut t = artifacts.begin("compile");
    t.put(file::COMPILED, b"newer", &[]).unwrap();
    assert!(t.put("graph.bin/inside-a-file", b"", &[]).is_err());
    drop(t);
    assert_eq!(reopened(dir.path()).load(file::COMPILED).unwrap(), b"graph");
    let left: Vec<_> = fs::read_dir(dir.path()).unwrap().map(|e| e.unwrap().file_name()).collect();
    assert!(left.iter().all(|n| !n.to_string_lossy().starts_with(".writing")), "{left:?}");
}

/// The manifest is the last to be published, and must not be the first to find the disk full.
#[test]
fn a_manifest_that_cannot_be_written_leaves_the_old_files() {
    let dir = tempfile::tempdir().unwrap();
    let mut artifacts = folder(dir.path());
    let mut t = artifacts.begin("compile");
    t.put(file::COMPILED, b"newer", &[]).unwrap();
    t.remove(file::SETTINGS);
    let manifest = dir.path().join(file::MANIFEST);
    fs::remove_file(&manifest).unwrap();
    fs::create_dir(&manifest).unwrap();
    t.commit().unwrap_err();
    assert_eq!(fs::read(dir.path().join(file::COMPILED)).unwrap(), b"graph");
    assert!(dir.path().join(file::SETTINGS).exists());
}

#[test]
fn what_a_killed_writer_left_is_removed_by_the_next() {
    let dir = tempfile::tempdir().unwrap();
    drop(folder(dir.path()));
    fs::create_dir(dir.path().join(file::PROOFS)).unwrap();
    let left = [".writing-AbCdEf", "proofs/.writing-GhIjKl"].map(|name| dir.path().join(name));
    left.iter().for_each(|path| fs::write(path, b"half a key").unwrap());
    let alive = Staged::from_bytes(&dir.path().join("proofs/proof.json"), b"of another command").unwrap();
    drop(Artifacts::open_for_writing(dir.path()).unwrap());
    assert!(left.iter().all(|path| !path.exists()));
    alive.publish().unwrap();
}

#[test]
fn one_writer_at_a_time() {
    let dir = tempfile::tempdir().unwrap();
    let first = folder(dir.path());
    assert!(matches!(Artifacts::open_for_writing(dir.path()), Err(Error::Busy { .. })));
    drop(first);
    Artifacts::open_for_writing(dir.path()).unwrap();
}

#[test]
fn a_reader_becomes_a_writer_and_sees_what_others_wrote() {
    let dir = tempfile::tempdir().unwrap();
    let mut writer = folder(dir.path());
    let mut reader = reopened(dir.path());
    let mut t = writer.begin("setup");
    t.put(file::PROGRAM, b"program", &[file::COMPILED]).unwrap();
    t.commit().unwrap();
    drop(writer);
    reader.hold().unwrap();
    assert_eq!(reader.load(file::PROGRAM).unwrap(), b"program");
    assert!(matches!(Artifacts::open_for_writing(dir.path()), Err(Error::Busy { .. })));
}

/// A proof under a key that was replaced meanwhile does not become one under the new key.
#[test]
fn a_reader_whose_source_was_made_anew_does_not_become_a_writer() {
    let dir = tempfile::tempdir().unwrap();
    drop(folder(dir.path()));
    let mut reader = reopened(dir.path());
    reader.load(file::COMPILED).unwrap();
    let mut writer = Artifacts::open_for_writing(dir.path()).unwrap();
    let mut t = writer.begin("compile");
    t.put(file::COMPILED, b"newer", &[file::MODEL, file::SETTINGS]).unwrap();
    t.commit().unwrap();
    drop(writer);
    let error = reader.hold().unwrap_err();
    assert!(matches!(&error, Error::Meanwhile { file, .. } if file == "graph.bin"), "{error}");
}

#[test]
fn a_folder_of_another_model_is_left_alone() {
    let dir = tempfile::tempdir().unwrap();
    drop(folder(dir.path()));
    assert!(matches!(Artifacts::create(dir.path(), "else"), Err(Error::OtherModel { .. })));
}
