//! Samples as arrays of NumPy: one in an `.npy` file, or by the inputs' names in an `.npz` archive.
//!
//! The first dimension counts samples; where an input has exactly the shape of an array, that is one sample. An input of shape
//! `[1, …]` takes rows of the rest, too.
//! <https://numpy.org/doc/stable/reference/generated/numpy.lib.format.html>

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::io::{Cursor, Read};
use std::path::Path;

use zkml_onnx::{Port, SampleError, Samples};

use crate::error::{Error, Result};

/// First bytes of an archive.
pub(super) const ARCHIVE: &[u8] = b"PK\x03\x04";
/// First bytes of an array.
pub(super) const ARRAY: &[u8] = b"\x93NUMPY";
/// Most bytes of one array that are read; an archive may promise any number.
const MOST: u64 = 1 << 32;

/// An array, row-major.
#[derive(Debug, Clone)]
pub struct Array<'a> {
    /// Its dimensions.
    pub shape: Vec<usize>,
    /// Its elements, as many as the dimensions say.
    pub values: Values<'a>,
}

/// Elements of an array, as they lie in memory.
#[derive(Debug, Clone)]
pub enum Values<'a> {
    /// Of single precision.
    Single(Cow<'a, [f32]>),
    /// Of double precision.
    Double(Cow<'a, [f64]>),
}

impl Values<'_> {
    /// Number of elements.
    #[must_use]
    pub fn len(&self) -> usize {
        match self {
            Self::Single(values) => values.len(),
            Self::Double(values) => values.len(),
        }
    }

    /// Returns true if there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// So many elements at a time, in double precision.
    fn chunks(&self, size: usize) -> Box<dyn Iterator<Item = Vec<f64>> + '_> {
        match self {
            Self::Single(values) => {
                Box::new(values.chunks(size).map(|c| c.iter().copied().map(f64::from).collect()))
            }
            Self::Double(values) => Box::new(values.chunks(size).map(<[f64]>::to_vec)),
        }
    }
}

pub(super) fn single(path: &Path, bytes: &[u8], ports: &[Port]) -> Result<Samples> {
    let [port] = ports else {
        let why = format!("the model has {} inputs; an .npz archive has one array for each", ports.len());
        return Err(Error::content(path, why));
    };
    let array = array(bytes).map_err(|why| Error::content(path, why))?;
    samples(ports, &BTreeMap::from([(port.name.clone(), array)])).map_err(|e| Error::content(path, e))
}

pub(super) fn archive(path: &Path, bytes: &[u8], ports: &[Port]) -> Result<Samples> {
    let refuse = |why: String| Error::content(path, why);
    let mut archive = zip::ZipArchive::new(Cursor::new(bytes)).map_err(|e| refuse(e.to_string()))?;
    let mut arrays: BTreeMap<String, Array<'_>> = BTreeMap::new();
    for at in 0..archive.len() {
        let mut file = archive.by_index(at).map_err(|e| refuse(e.to_string()))?;
        let name = file.name().map_err(|e| refuse(e.to_string()))?;
        let name = name.trim_end_matches(".npy").to_owned();
        let mut content = Vec::new();
        let read = file.by_ref().take(MOST).read_to_end(&mut content);
        read.map_err(|e| refuse(format!("`{name}`: {e}")))?;
        let array = array(&content).map_err(|why| refuse(format!("`{name}`: {why}")))?;
        arrays.insert(name, array);
    }
    samples(ports, &arrays).map_err(|e| Error::content(path, e))
}

/// Samples from one array for each input.
///
/// # Errors
/// An input without array or an array without input, another shape or number of samples, elements that the input does not take.
pub fn samples(ports: &[Port], arrays: &BTreeMap<String, Array<'_>>) -> Result<Samples, SampleError> {
    if let Some(input) = arrays.keys().find(|name| ports.iter().all(|p| p.name != **name)) {
        let expected = ports.iter().map(|p| p.name.clone()).collect();
        return Err(SampleError::UnknownInput { input: input.clone(), expected });
    }
    let mut rows: Vec<Vec<Vec<f64>>> = Vec::new();
    for (at, port) in ports.iter().enumerate() {
        let given = || arrays.keys().cloned().collect();
        let array = arrays.get(&port.name);
        let array =
            array.ok_or_else(|| SampleError::MissingInput { input: port.name.clone(), given: given() })?;
        // Without elements any number of samples would do.
        let count = count(port, &array.shape).filter(|_| !port.is_empty()).ok_or_else(|| {
            let (expected, got) = (port.shape.clone(), array.shape.clone());
            SampleError::Shape { input: port.name.clone(), expected, got }
        })?;
        if at > 0 && rows.len() != count {
            let (other, others) = (ports[0].name.clone(), rows.len());
            return Err(SampleError::Counts { input: port.name.clone(), count, other, others });
        }
        rows.resize_with(count, Vec::new);
        let own = port.len().max(1);
        rows.iter_mut().zip(array.values.chunks(own)).for_each(|(row, values)| row.push(values));
    }
    Samples::new(ports, rows)
}

/// The number of samples of an input in an array of a shape.
fn count(port: &Port, shape: &[usize]) -> Option<usize> {
    let (own, inner) = (port.shape.as_slice(), port.shape.strip_prefix(&[1]));
    let (first, rest) = shape.split_first().map_or((1, shape), |(first, rest)| (*first, rest));
    if rest == own || inner == Some(rest) {
        return Some(first);
    }
    (shape == own || inner == Some(shape)).then_some(1)
}

/// Reads one array; what is wrong with it otherwise.
fn array(bytes: &[u8]) -> Result<Array<'static>, String> {
    let short = || "it ends too early".to_owned();
    let version =
        bytes.get(ARRAY.len()).filter(|_| bytes.starts_with(ARRAY)).ok_or("it is no array of NumPy")?;
    let at = ARRAY.len() + 2;
    let (length, start) = match version {
        1 => (
            usize::from(u16::from_le_bytes(
                bytes.get(at..at + 2).ok_or_else(short)?.try_into().map_err(|_| short())?,
            )),
            at + 2,
        ),
        2 | 3 => (
            u32::from_le_bytes(bytes.get(at..at + 4).ok_or_else(short)?.try_into().map_err(|_| short())?)
                as usize,
            at + 4,
        ),
        other => return Err(format!("version {other} of the format is not known")),
    };
    let end = start.checked_add(length).ok_or_else(short)?;
    let header =
        std::str::from_utf8(bytes.get(start..end).ok_or_else(short)?).map_err(|_| "its header is no text")?;
    let kind = quoted(field(header, "descr")?).ok_or("its header has no type of elements")?;
    let fortran = field(header, "fortran_order")?.starts_with("True");
    let shape = shape(field(header, "shape")?).ok_or("its header has no shape")?;
    if fortran && shape.len() > 1 {
        return Err("it is in Fortran's order; save `numpy.ascontiguousarray(a)`".into());
    }
    let values = elements(kind, &bytes[end..])?;
    let expected = shape.iter().try_fold(1usize, |n, d| n.checked_mul(*d));
    if expected != Some(values.len()) {
        return Err(format!("shape {shape:?} is stated, {} elements follow", values.len()));
    }
    Ok(Array { shape, values: Values::Double(values.into()) })
}

/// The text behind a key of the header, a dictionary of Python.
fn field<'a>(header: &'a str, key: &str) -> Result<&'a str, String> {
    let found = header.split_once(&format!("'{key}':")).map(|(_, rest)| rest.trim_start());
    found.ok_or_else(|| format!("its header has no `{key}`"))
}

fn quoted(text: &str) -> Option<&str> {
    text.strip_prefix('\'')?.split_once('\'').map(|(inside, _)| inside)
}

fn shape(text: &str) -> Option<Vec<usize>> {
    let inside = text.strip_prefix('(')?.split_once(')')?.0;
    inside.split(',').map(str::trim).filter(|d| !d.is_empty()).map(|d| d.parse().ok()).collect()
}

/// The elements as numbers.
fn elements(kind: &str, bytes: &[u8]) -> Result<Vec<f64>, String> {
    macro_rules! read {
        ($t:ty, $from:ident, $as:expr) => {{
            let (whole, rest) = bytes.as_chunks::<{ size_of::<$t>() }>();
            if !rest.is_empty() {
                return Err(format!("{} bytes are no whole number of elements", bytes.len()));
            }
            whole.iter().map(|b| $as(<$t>::$from(*b))).collect::<Result<Vec<f64>, String>>()
        }};
    }
    // Integers that a double does not hold exactly would become others.
    fn exact<T: Copy + std::fmt::Display + TryInto<i64>>(v: T) -> Result<f64, String> {
        let small = v.try_into().ok().filter(|v: &i64| v.unsigned_abs() <= 1 << 53);
        small.map(|v| v as f64).ok_or_else(|| format!("{v} is beyond 2^53"))
    }
    match kind {
        "<f8" => read!(f64, from_le_bytes, Ok),
        ">f8" => read!(f64, from_be_bytes, Ok),
        "<f4" => read!(f32, from_le_bytes, |v| Ok(f64::from(v))),
        ">f4" => read!(f32, from_be_bytes, |v| Ok(f64::from(v))),
        "|i1" => read!(i8, from_le_bytes, exact),
        "|u1" => read!(u8, from_le_bytes, exact),
        "|b1" => read!(u8, from_le_bytes, exact),
        "<i2" => read!(i16, from_le_bytes, exact),
        "<u2" => read!(u16, from_le_bytes, exact),
        "<i4" => read!(i32, from_le_bytes, exact),
        "<u4" => read!(u32, from_le_bytes, exact),
        "<i8" => read!(i64, from_le_bytes, exact),
        "<u8" => read!(u64, from_le_bytes, exact),
        other => {
            Err(format!("elements of type `{other}` are not read: save them as float64, float32 or integers"))
        }
    }
}
