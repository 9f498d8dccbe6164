//! Samples: one value vector per input, read from JSON.

use serde_json::Value;

use crate::{Port, SampleError};

/// One input of every kind that the model takes, in the order of the model.
#[derive(Debug, Clone, PartialEq)]
pub struct Sample {
    values: Vec<Vec<f64>>,
}

/// Samples to calibrate with.
#[derive(Debug, Clone, PartialEq)]
pub struct Samples {
    /// The samples.
    pub rows: Vec<Sample>,
    /// Whether they are random, because no data were given: ranges and errors then mean little.
    pub random: bool,
}

impl Sample {
    /// A sample from values in the order of `ports`.
    ///
    /// # Errors
    /// Names an input without values or with another number of them, and a value that is no finite number or no integer where one is
    /// expected.
    pub fn new(ports: &[Port], values: Vec<Vec<f64>>) -> Result<Self, SampleError> {
        if let Some(port) = ports.get(values.len()) {
            return Err(SampleError::MissingInput { input: port.name.clone(), given: Vec::new() });
        }
        for (port, v) in ports.iter().zip(&values) {
            count(port, v.len())?;
            for (index, &x) in v.iter().enumerate() {
                if !x.is_finite() {
                    return Err(SampleError::NotANumber {
                        input: port.name.clone(),
                        index,
                        value: x.to_string(),
                    });
                }
                whole(port, index, x)?;
            }
        }
        Ok(Self { values })
    }

    /// One row-major vector per input.
    pub fn values(&self) -> &[Vec<f64>] {
        &self.values
    }

    /// Reads `{"inputs": {name: numbers}}`, where numbers may be nested like the tensor; a bare
    /// `{name: numbers}` and a set with exactly one sample are understood too.
    ///
    /// # Errors
    /// Says where the document is not of this form, and which input is missing, unknown or of another size.
    pub fn parse(json: &str, ports: &[Port]) -> Result<Self, SampleError> {
        let value = document(json)?;
        if let Some(rows) = value.get("samples").and_then(Value::as_array) {
            return match rows.as_slice() {
                [one] => Self::from_value(one, ports, "the sample"),
                many => {
                    Err(form("the sample", format!("there are {} samples where one is expected", many.len())))
                }
            };
        }
        Self::from_value(&value, ports, "the sample")
    }

    fn from_value(value: &Value, ports: &[Port], what: &str) -> Result<Self, SampleError> {
        let value = value.get("inputs").unwrap_or(value);
        let Value::Object(map) = value else {
            return Err(form(what, "an object with the inputs is expected".into()));
        };
        let expected = || ports.iter().map(|p| p.name.clone()).collect::<Vec<_>>();
        if let Some(input) = map.keys().find(|k| ports.iter().all(|p| p.name != **k)) {
            return Err(SampleError::UnknownInput { input: input.clone(), expected: expected() });
        }
        let mut values = Vec::with_capacity(ports.len());
        for port in ports {
            let given = || map.keys().cloned().collect::<Vec<_>>();
            let found = map.get(&port.name);
            let found = found
                .ok_or_else(|| SampleError::MissingInput { input: port.name.clone(), given: given() })?;
            values.push(numbers(port, found)?);
        }
        Ok(Self { values })
    }
}

impl Samples {
    /// Reads `{"samples": [{name: numbers}, …]}`, or a single sample in any form of [`Sample::parse`].
    ///
    /// # Errors
    /// Says where the document is not of this form, and which input is missing, unknown or of another size.
    pub fn parse(json: &str, ports: &[Port]) -> Result<Self, SampleError> {
        let value = document(json)?;
        let Some(rows) = value.get("samples") else {
            return Ok(Self { rows: vec![Sample::from_value(&value, ports, "the sample")?], random: false });
        };
        let rows = rows.as_array().ok_or_else(|| form("`samples`", "a list is expected".into()))?;
        let read = |(i, v): (usize, &Value)| {
            Sample::from_value(v, ports, "it")
                .map_err(|error| SampleError::InSample { sample: i, error: Box::new(error) })
        };
        let rows = rows.iter().enumerate().map(read).collect::<Result<Vec<_>, _>>()?;
        if rows.is_empty() { Err(SampleError::NoSamples) } else { Ok(Self { rows, random: false }) }
    }

    /// Samples from values: of each sample, one row-major vector for each of `ports`.
    ///
    /// # Errors
    /// No sample at all; or which one is not usable, as [`Sample::new`] says it.
    pub fn new(ports: &[Port], rows: Vec<Vec<Vec<f64>>>) -> Result<Self, SampleError> {
        let read = |(sample, values)| {
            Sample::new(ports, values)
                .map_err(|error| SampleError::InSample { sample, error: Box::new(error) })
        };
        let rows = rows.into_iter().enumerate().map(read).collect::<Result<Vec<_>, _>>()?;
        if rows.is_empty() { Err(SampleError::NoSamples) } else { Ok(Self { rows, random: false }) }
    }

    /// Uniform numbers in [−1, 1] from a seed, for want of data; integers in [−4, 4] where an input takes those.
    pub fn random(ports: &[Port], count: usize, seed: u64) -> Self {
        let mut state = seed;
        let mut next = || {
            // SplitMix64: Steele, Lea, Flood, "Fast splittable pseudorandom number generators", 2014.
            state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
            let mut z = state;
            z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
            z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
            ((z ^ (z >> 31)) >> 11) as f64 / (1u64 << 52) as f64 - 1.0
        };
        let mut value = |port: &Port| if port.is_integer() { (next() * 4.0).round() } else { next() };
        let mut row =
            || Sample { values: ports.iter().map(|p| (0..p.len()).map(|_| value(p)).collect()).collect() };
        Self { rows: (0..count).map(|_| row()).collect(), random: true }
    }
}

fn form(what: &str, detail: String) -> SampleError {
    SampleError::SampleForm { what: what.into(), detail }
}

/// Editors put a byte-order mark before a text; Python writes `NaN` and `Infinity` where JSON has no number. The mark means nothing,
/// and these become strings, so that they are refused where they stand: by sample, input and element.
fn document(json: &str) -> Result<Value, SampleError> {
    let json = json.strip_prefix('\u{feff}').unwrap_or(json);
    serde_json::from_str(json)
        .or_else(|error| quoted(json).and_then(|text| serde_json::from_str(&text).ok()).ok_or(error))
        .map_err(SampleError::NotJson)
}

/// The text with quotes around each number that JSON does not have; nothing if there is none.
fn quoted(json: &str) -> Option<String> {
    const NUMBERS: [&str; 4] = ["NaN", "-Infinity", "Infinity", "-NaN"];
    let (mut out, mut rest, mut found) = (String::with_capacity(json.len() + 16), json, false);
    let mut within = false;
    while let Some(c) = rest.chars().next() {
        if !within && let Some(number) = NUMBERS.into_iter().find(|n| rest.starts_with(n)) {
            out.extend(["\"", number, "\""]);
            rest = &rest[number.len()..];
            found = true;
            continue;
        }
        // A backslash takes the next character with it.
        let escaped =
            if within && c == '\\' { rest[1..].chars().next().map_or(0, char::len_utf8) } else { 0 };
        within ^= c == '"';
        let (taken, left) = rest.split_at(c.len_utf8() + escaped);
        out.push_str(taken);
        rest = left;
    }
    found.then_some(out)
}

/// Inputs of an integer type take integers only.
fn whole(port: &Port, index: usize, value: f64) -> Result<(), SampleError> {
    if port.is_integer() && value.fract() != 0.0 {
        return Err(SampleError::NotAnInteger {
            input: port.name.clone(),
            index,
            value,
            kind: port.kind.clone(),
        });
    }
    Ok(())
}

fn count(port: &Port, got: usize) -> Result<(), SampleError> {
    let (expected, shape) = (port.len(), port.shape.clone());
    if got == expected {
        return Ok(());
    }
    Err(SampleError::Count { input: port.name.clone(), shape, expected, got })
}

/// The numbers of one input: flat, nested, or one number for a tensor of one element.
fn numbers(port: &Port, value: &Value) -> Result<Vec<f64>, SampleError> {
    // Nothing is set aside: a shape may promise any number of elements, the text holds what it holds.
    let mut out = Vec::new();
    let shape = nested(port, value, &mut out, 0)?;
    if shape.len() > 1 && shape != port.shape {
        return Err(SampleError::Shape {
            input: port.name.clone(),
            expected: port.shape.clone(),
            got: shape,
        });
    }
    count(port, out.len())?;
    Ok(out)
}

/// Deepest nesting that is looked at; no tensor has as many dimensions.
const DEEPEST: usize = 32;

fn nested(port: &Port, value: &Value, out: &mut Vec<f64>, depth: usize) -> Result<Vec<usize>, SampleError> {
    let ragged = |detail: &str| form(&format!("input `{}`", port.name), detail.into());
    let Value::Array(items) = value else {
        let index = out.len();
        let bad = || SampleError::NotANumber { input: port.name.clone(), index, value: value.to_string() };
        let number = value.as_f64().filter(|v| v.is_finite()).ok_or_else(bad)?;
        whole(port, index, number)?;
        out.push(number);
        return Ok(Vec::new());
    };
    if depth == DEEPEST {
        return Err(ragged("it is nested too deeply"));
    }
    let mut inner: Option<Vec<usize>> = None;
    for item in items {
        let shape = nested(port, item, out, depth + 1)?;
        if inner.as_ref().is_some_and(|s| *s != shape) {
            return Err(ragged("its rows have different lengths"));
        }
        inner = Some(shape);
    }
    Ok(std::iter::once(items.len()).chain(inner.unwrap_or_default()).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ports() -> Vec<Port> {
        vec![Port { name: "x".into(), shape: vec![1, 2, 2], kind: "f32".into() }]
    }

    #[test]
    fn accepts_flat_and_nested() {
        let flat = Sample::parse(r#"{"inputs": {"x": [1, 2.5, -3, 4e-1]}}"#, &ports()).expect("flat");
        let nested =
            Sample::parse(r#"{"samples": [{"x": [[[1, 2.5], [-3, 0.4]]]}]}"#, &ports()).expect("nested");
        assert_eq!(flat, nested);
    }

    #[test]
    fn a_shape_may_promise_any_number_of_elements() {
        for (shape, len) in [
            (vec![1 << 40, 1 << 40], usize::MAX),
            (vec![usize::MAX], usize::MAX),
            (vec![usize::MAX, 2, 0], 0),
            (vec![1 << 33], 1 << 33),
        ] {
            let ports = [Port { name: "x".into(), shape, kind: "f32".into() }];
            let error = Samples::parse(r#"{"samples": [{"x": [1]}]}"#, &ports).expect_err("one number");
            let SampleError::InSample { sample: 0, error } = error else { panic!("{error}") };
            let counted = matches!(*error, SampleError::Count { expected, got: 1, .. } if expected == len);
            assert!(counted, "{error}");
        }
    }

    #[test]
    fn refuses_each_mistake_by_name() {
        let parse = |json: &str| Sample::parse(json, &ports()).expect_err(json);
        assert!(matches!(parse("{"), SampleError::NotJson(_)));
        assert!(matches!(parse("[1]"), SampleError::SampleForm { .. }));
        assert!(matches!(parse(r#"{"inputs": {}}"#), SampleError::MissingInput { .. }));
        assert!(matches!(parse(r#"{"x": [1,2,3,4], "y": [1]}"#), SampleError::UnknownInput { .. }));
        assert!(matches!(parse(r#"{"x": [1,2,3]}"#), SampleError::Count { expected: 4, got: 3, .. }));
        assert!(matches!(parse(r#"{"x": [[1,2,3,4]]}"#), SampleError::Shape { .. }));
        assert!(matches!(parse(r#"{"x": [[[1,2],[3]]]}"#), SampleError::SampleForm { .. }));
        assert!(matches!(parse(r#"{"x": [1,2,"NaN",4]}"#), SampleError::NotANumber { index: 2, .. }));
        assert!(matches!(parse(r#"{"x": [1,2,null,4]}"#), SampleError::NotANumber { index: 2, .. }));
        let overflow = parse(r#"{"x": [1,2,3,1e999]}"#);
        assert!(matches!(overflow, SampleError::NotANumber { .. } | SampleError::NotJson(_)), "{overflow}");
        let mut integers = ports();
        integers[0].kind = "i64".into();
        let fraction = Sample::parse(r#"{"x": [1, 2, 3.5, 4]}"#, &integers);
        assert!(matches!(fraction, Err(SampleError::NotAnInteger { index: 2, .. })));
        let infinite = Sample::new(&ports(), vec![vec![1.0, f64::INFINITY, 0.0, 0.0]]);
        assert!(matches!(infinite, Err(SampleError::NotANumber { index: 1, .. })));
    }

    #[test]
    fn numbers_that_json_does_not_have_are_named_where_they_stand() {
        let parse = |json: &str| Samples::parse(json, &ports()).expect_err(json);
        for (number, shown) in [("NaN", "NaN"), ("Infinity", "Infinity"), ("-Infinity", "-Infinity")] {
            let text = parse(&format!(r#"{{"samples": [{{"x": [1,2,3,4]}}, {{"x": [1,2,{number},4]}}]}}"#))
                .to_string();
            let parts = ["sample 1", "`x`", "element 2", shown];
            assert!(parts.iter().all(|part| text.contains(part)), "{text}");
        }
        // A string is none of these, nor is what is no JSON either way.
        let name = parse(r#"{"a\"NaN": [NaN], "x": [1,2,3,4]}"#);
        assert!(matches!(&name, SampleError::UnknownInput { input, .. } if input == "a\"NaN"), "{name}");
        assert!(matches!(parse(r#"{"x": [NaN"#), SampleError::NotJson(_)));
    }

    #[test]
    fn a_byte_order_mark_means_nothing() {
        let marked = Sample::parse("\u{feff}{\"x\": [1, 2, 3, 4]}", &ports()).expect("marked");
        assert_eq!(marked.values(), [[1.0, 2.0, 3.0, 4.0]]);
    }

    #[test]
    fn random_samples_repeat() {
        let (a, b) = (Samples::random(&ports(), 3, 7), Samples::random(&ports(), 3, 7));
        assert_eq!(a, b);
        assert!(a.random && a.rows[0] != a.rows[1]);
        assert!(a.rows.iter().flat_map(|r| &r.values[0]).all(|v| v.abs() <= 1.0));
    }
}
