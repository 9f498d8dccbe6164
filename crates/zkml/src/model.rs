//! Models from ONNX files, and their calibration.

use zkml_onnx::{Alarm, Calibrated, CalibrationReport, Inspection, Samples, Settings};

use crate::{Compiled, Error, Observer, Result, Stage, Wish, observer::begin, plan::price};

/// A model that was read from an ONNX file.
#[derive(Debug)]
pub struct Model {
    model: zkml_onnx::Model,
    settings: Settings,
}

/// An integer model, and how far it is from the float model.
#[derive(Debug, Clone)]
pub struct Calibration {
    calibrated: Calibrated,
    accepted: bool,
}

impl Model {
    /// Reads a model with all its weights inside. Never panics, whatever the bytes are. `name` becomes the name of the
    /// contracts.
    ///
    /// # Errors
    /// [`Error::Onnx`] names the operator, type, shape or setting that is not supported.
    pub fn from_onnx(name: &str, onnx: &[u8], settings: &Settings) -> Result<Self> {
        settings.check()?;
        let model = zkml_onnx::Model::from_bytes(name, onnx, &settings.load_options())?;
        settings.fit(&model)?;
        Ok(Self { model, settings: settings.clone() })
    }

    /// What is known before calibration.
    pub fn inspect(&self) -> Inspection {
        self.model.inspect()
    }

    /// Chooses scales on samples, `{"samples": [{name: numbers}, …]}`: ranges come from them, so they must cover what the
    /// model will meet.
    ///
    /// # Errors
    /// [`Error::Sample`] for samples that do not fit, [`Error::Onnx`] where no scales do, [`Error::Cancelled`]. A model that
    /// errs more than is tolerated is refused when it is compiled.
    pub fn calibrate(&self, samples: &str, observer: &dyn Observer) -> Result<Calibration> {
        begin(observer, Stage::Calibrate)?;
        let samples = Samples::parse(samples, self.model.inputs())?;
        let mut calibrated = zkml_onnx::calibrate_by(&self.model, &samples, &self.settings, &price)?;
        calibrated.graph.name = self.model.name().to_owned();
        Ok(Calibration { calibrated, accepted: false })
    }
}

impl Calibration {
    /// Ranges and errors of outputs and layers.
    pub fn report(&self) -> &CalibrationReport {
        &self.calibrated.report
    }

    /// The output that errs more than the settings tolerate, if one does.
    pub fn alarm(&self) -> Option<Alarm> {
        self.calibrated.report.alarm(self.calibrated.settings.tolerance)
    }

    /// Accepts whatever error there is.
    #[must_use]
    pub fn accept_any_error(self) -> Self {
        Self { accepted: true, ..self }
    }

    /// Plans the proofs: `wish` is what to make cheap, or that and a proof system.
    ///
    /// # Errors
    /// [`Error::Inaccurate`] for a model that errs more than its settings tolerate, unless that was accepted;
    /// as [`crate::Plan::new`]; [`Error::Cancelled`].
    pub fn compile(self, wish: impl Into<Wish>, observer: &dyn Observer) -> Result<Compiled> {
        if let Some(alarm) = self.alarm().filter(|_| !self.accepted) {
            return Err(Error::Inaccurate(Box::new(alarm)));
        }
        let Calibrated { graph, weights, interface, .. } = self.calibrated;
        Compiled::plan_graph(graph, weights, interface, wish, observer)
    }
}
