//! Steps as another program than the command line runs them: it looks on, and may end them.

use std::{
    fs,
    path::{Path, PathBuf},
    sync::{
        Mutex,
        atomic::{AtomicUsize, Ordering},
    },
};
use zkml_halo2::Optimize;
use zkml_onnx::Settings;
use zkml_workspace::{
    Error, Observer, Silent,
    artifacts::{Artifacts, file},
    observer::{Said, Total, Warning, Work},
    steps::{calibrate, compile},
    verdict::{Failed, Judged},
};

/// Looks on, and asks for the end when it has been asked so often.
#[derive(Debug)]
struct Impatient {
    asked: AtomicUsize,
    patience: usize,
    names: Mutex<Vec<String>>,
    warnings: Mutex<Vec<String>>,
}

impl Impatient {
    fn with(patience: usize) -> Self {
        let (names, warnings) = (Mutex::default(), Mutex::default());
        Self { asked: AtomicUsize::new(0), patience, names, warnings }
    }
}

impl Observer for Impatient {
    fn said(&self, _: &Said) {}

    fn warned(&self, warning: &Warning) {
        self.warnings.lock().expect("a list").push(format!("{warning:?}"));
    }

    fn begun(&self, name: &str, _: Total) -> Box<dyn Work + '_> {
        self.names.lock().expect("a list").push(name.to_owned());
        Box::new(Silent)
    }

    fn cancelled(&self) -> bool {
        self.asked.fetch_add(1, Ordering::Relaxed) >= self.patience
    }
}

fn request(dir: &Path) -> calibrate::Request {
    let onnx = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../contracts/test/fixtures/onnx");
    calibrate::Request {
        model: onnx.join("score_a.onnx"),
        data: Some(onnx.join("score_samples.json")),
        evaluate: None,
        settings: Settings::default(),
        dir: dir.to_owned(),
    }
}

/// Lets a step be cancelled at every place where it asks; returns the number of places.
fn cancelled_everywhere<T>(
    mut step: impl FnMut(&dyn Observer) -> Result<T, Error>,
    untouched: impl Fn() -> bool,
) -> usize {
    for patience in 0.. {
        match step(&Impatient::with(patience)) {
            Err(Error::Cancelled) => assert!(untouched(), "cancelled after {patience}"),
            Err(other) => panic!("{other}"),
            Ok(_) => return patience,
        }
    }
    unreachable!("every step ends")
}

#[test]
fn a_cancelled_step_leaves_the_folder_as_it_was() {
    let home = tempfile::tempdir().expect("a folder");
    let dir = home.path().join("model");
    let manifest = dir.join(file::MANIFEST);
    let places =
        cancelled_everywhere(|observer| calibrate::run(observer, &request(&dir)), || !manifest.exists());
    assert!(places > 1, "{places}");
    let before = fs::read(&manifest).expect("a manifest");
    let compiled = |observer: &dyn Observer| {
        compile::run(observer, &mut Artifacts::open_for_writing(&dir)?, Optimize::Gas)
    };
    let places = cancelled_everywhere(compiled, || fs::read(&manifest).expect("a manifest") == before);
    assert!(places > 1, "{places}");
    assert_ne!(fs::read(&manifest).expect("a manifest"), before);
}

#[test]
fn an_observer_is_told_what_a_step_does_and_a_verdict_is_no_error() {
    let home = tempfile::tempdir().expect("a folder");
    let (dir, observer): (PathBuf, _) = (home.path().join("model"), Impatient::with(usize::MAX));
    let without_data = calibrate::Request { data: None, ..request(&dir) };
    calibrate::run(&observer, &without_data).expect("calibrated").verdict().expect("accurate enough");
    assert_eq!(*observer.names.lock().expect("a list"), ["calibrating"]);
    assert!(observer.warnings.lock().expect("a list")[0].contains("RandomSamples"));

    let settings = Settings { tolerance: 1e-9, ..Settings::default() };
    let report =
        calibrate::run(&Silent, &calibrate::Request { settings, ..request(&dir) }).expect("a report");
    let Err(Failed::Inaccurate(inaccurate)) = report.verdict() else { panic!("{report:?}") };
    assert_eq!(inaccurate.dir, dir);
    let refused =
        compile::run(&Silent, &mut Artifacts::open_for_writing(&dir).expect("a folder"), Optimize::Gas);
    assert!(matches!(refused, Err(Error::Inaccurate(_))), "{refused:?}");
}
