//! Why a sample is refused.

/// A sample that does not fit the model.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SampleError {
    /// No sample to calibrate with.
    #[error("there is no calibration sample; give at least one, or ask for random ones")]
    NoSamples,
    /// A sample file is not JSON.
    #[error(
        "the sample file is not valid: {0}; the form is {{\"inputs\": {{\"name\": [numbers]}}}} or {{\"samples\": [{{\"name\": [numbers]}}]}}"
    )]
    NotJson(serde_json::Error),
    /// A sample file does not have the expected form.
    #[error(
        "{what} is not valid: {detail}; the form is {{\"inputs\": {{\"name\": [numbers]}}}} or {{\"samples\": [{{\"name\": [numbers]}}]}}"
    )]
    SampleForm {
        /// Which file or part.
        what: String,
        /// What is wrong.
        detail: String,
    },
    /// One of several samples is not usable.
    #[error("sample {sample} (counted from zero): {error}")]
    InSample {
        /// Which one, counted from zero.
        sample: usize,
        /// The reason.
        error: Box<SampleError>,
    },
    /// A sample lacks an input of the model.
    #[error("the sample has no values for input `{input}`; it names {given:?}")]
    MissingInput {
        /// The input.
        input: String,
        /// The names that it has.
        given: Vec<String>,
    },
    /// A sample names an input that the model does not have.
    #[error("the model has no input `{input}`; its inputs are {expected:?}")]
    UnknownInput {
        /// The name given.
        input: String,
        /// The model's inputs.
        expected: Vec<String>,
    },
    /// An input has the wrong number of values.
    #[error("input `{input}` of shape {shape:?} takes {expected} numbers, {got} were given")]
    Count {
        /// The input.
        input: String,
        /// Its shape.
        shape: Vec<usize>,
        /// Number of values it takes.
        expected: usize,
        /// Number given.
        got: usize,
    },
    /// Values do not have the shape of the input.
    #[error("input `{input}` has shape {expected:?}, the values have {got:?}")]
    Shape {
        /// The input.
        input: String,
        /// Its shape.
        expected: Vec<usize>,
        /// Shape of what was given.
        got: Vec<usize>,
    },
    /// Arrays of samples have different numbers of them.
    #[error("input `{input}` has {count} samples, `{other}` has {others}: each needs one for every sample")]
    Counts {
        /// The input.
        input: String,
        /// Its number of samples.
        count: usize,
        /// An input that comes before it.
        other: String,
        /// The number of samples of that.
        others: usize,
    },
    /// An array without a name, for a model of several inputs.
    #[error("the model has {} inputs, {expected:?}: give an array for each, by its name", .expected.len())]
    Unnamed {
        /// The inputs.
        expected: Vec<String>,
    },
    /// Several samples where one is wanted.
    #[error("{count} samples were given, one is expected: choose one, as in x[0]")]
    Several {
        /// Their number.
        count: usize,
    },
    /// An element of a sample is not a finite number.
    #[error("input `{input}`, element {index}, is {value}: only finite numbers are accepted")]
    NotANumber {
        /// The input.
        input: String,
        /// Row-major index of the element.
        index: usize,
        /// What was given.
        value: String,
    },
    /// An element of a sample has a fraction where the model takes integers.
    #[error(
        "input `{input}`, element {index}, is {value}: the model takes {kind} there, a number without fraction"
    )]
    NotAnInteger {
        /// The input.
        input: String,
        /// Row-major index of the element.
        index: usize,
        /// The value.
        value: f64,
        /// The type in the ONNX model.
        kind: String,
    },
    /// A value lies outside the range for which the model was compiled.
    #[error(
        "input `{input}`, element {index}: {value} lies outside the calibrated range [{lo}, {hi}]; \
         calibrate again with data that covers it, or reject this input"
    )]
    OutOfRange {
        /// The input.
        input: String,
        /// Row-major index of the element.
        index: usize,
        /// The value.
        value: f64,
        /// Smallest value that is accepted.
        lo: f64,
        /// Largest value that is accepted.
        hi: f64,
    },
}
