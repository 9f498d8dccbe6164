//! Samples from files, as JSON, CSV or of NumPy, and from arrays in memory.

mod csv;
mod numpy;

pub use numpy::{Array, Values, samples as from_arrays};

use std::path::Path;

use zkml_onnx::{Port, Samples};

use crate::error::{Error, Result};

/// Reads the samples of a file, in the format that its content and name say: `.npy` and `.npz` begin with marks of their own, `.csv` is said
/// by the name, everything else is JSON, `{"samples": [{name: numbers}, …]}`.
///
/// # Errors
/// [`Error::Content`] names the file, and as far as that goes the sample, the input and the element.
pub fn parse(path: &Path, bytes: &[u8], ports: &[Port]) -> Result<Samples> {
    match Format::of(path, bytes) {
        Format::Archive => numpy::archive(path, bytes, ports),
        Format::Array => numpy::single(path, bytes, ports),
        Format::Csv => csv::parse(path, text(path, bytes)?, ports),
        Format::Json => Samples::parse(text(path, bytes)?, ports).map_err(|e| Error::content(path, e)),
    }
}

/// True for JSON, which is kept as it is.
pub(crate) fn is_json(path: &Path, bytes: &[u8]) -> bool {
    Format::of(path, bytes) == Format::Json
}

/// How samples are written down.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Format {
    /// Arrays of NumPy by name.
    Archive,
    /// One array of NumPy.
    Array,
    Csv,
    Json,
}

impl Format {
    fn of(path: &Path, bytes: &[u8]) -> Self {
        let csv = path.extension().is_some_and(|e| e.eq_ignore_ascii_case("csv"));
        match csv {
            _ if bytes.starts_with(numpy::ARCHIVE) => Self::Archive,
            _ if bytes.starts_with(numpy::ARRAY) => Self::Array,
            true => Self::Csv,
            false => Self::Json,
        }
    }
}

fn text<'a>(path: &Path, bytes: &'a [u8]) -> Result<&'a str> {
    std::str::from_utf8(bytes).map_err(|_| {
        let utf16 = bytes.starts_with(&[0xff, 0xfe]) || bytes.starts_with(&[0xfe, 0xff]);
        let found = if utf16 { "it is text in UTF-16" } else { "it is no text" };
        Error::content(path, format!("{found}; JSON or CSV in UTF-8, .npy or .npz are expected"))
    })
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;

    use super::*;

    fn port(name: &str, shape: &[usize], kind: &str) -> Port {
        Port { name: name.into(), shape: shape.to_vec(), kind: kind.into() }
    }

    fn x() -> Vec<Port> {
        vec![port("x", &[1, 3], "f32")]
    }

    fn two() -> Vec<Port> {
        vec![port("x", &[1, 3], "f32"), port("n", &[1], "i64")]
    }

    /// A file that NumPy wrote.
    fn written(name: &str, ports: &[Port]) -> Result<Samples> {
        let path =
            PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../../tests/fixtures/samples")).join(name);
        let bytes = std::fs::read(&path).expect("a fixture");
        assert!(!is_json(&path, &bytes));
        parse(&path, &bytes, ports)
    }

    fn csv(text: &str, ports: &[Port]) -> Result<Samples> {
        parse(Path::new("data.CSV"), text.as_bytes(), ports)
    }

    /// The message has the name of the file and the words.
    fn refused(result: Result<Samples>, file: &str, words: &[&str]) {
        let text = result.expect_err(file).to_string();
        assert!(text.starts_with(file) || text.contains(&format!("/{file}")), "{text}");
        assert!(words.iter().all(|w| text.contains(w)), "{text}");
    }

    const ROWS: [[f64; 3]; 2] = [[1.0, 2.0, 3.0], [-4.0, 0.5, 6.0]];

    #[test]
    fn arrays_of_numpy_are_read() {
        for name in ["two.npz", "compressed.npz"] {
            let samples = written(name, &two()).expect(name);
            let values: Vec<_> = samples.rows.iter().map(|r| r.values().to_vec()).collect();
            assert_eq!(values, [[ROWS[0].to_vec(), vec![7.0]], [ROWS[1].to_vec(), vec![-8.0]]], "{name}");
        }
        let samples = written("rows.npy", &x()).expect("rows");
        assert_eq!([samples.rows[0].values(), samples.rows[1].values()], ROWS.map(|r| [r]));
        let one = written("one.npy", &x()).expect("one");
        assert_eq!((one.rows.len(), one.rows[0].values()), (1, [ROWS[0].to_vec()].as_slice()));
        // Two rows of three are one sample of an input that has that shape.
        let whole = written("rows.npy", &[port("x", &[2, 3], "f32")]).expect("whole");
        assert_eq!((whole.rows.len(), whole.rows[0].values()), (1, [ROWS.concat()].as_slice()));
    }

    #[test]
    fn what_is_wrong_with_an_array_is_said() {
        refused(written("two.npz", &x()), "two.npz", &["no input `n`"]);
        refused(written("rows.npy", &two()), "rows.npy", &["2 inputs", ".npz"]);
        refused(written("rows.npy", &[port("x", &[1, 4], "f32")]), "rows.npy", &["[1, 4]", "[2, 3]"]);
        refused(
            written("rows.npy", &[port("x", &[1, 3], "i64")]),
            "rows.npy",
            &["sample 1", "element 1", "0.5"],
        );
        // Any number of samples without elements would do.
        let header = "{'descr': '<f8', 'fortran_order': False, 'shape': (5, 0), }\n";
        let empty =
            [b"\x93NUMPY\x01\0", &(header.len() as u16).to_le_bytes()[..], header.as_bytes()].concat();
        let nothing = parse(Path::new("empty.npy"), &empty, &[port("x", &[0], "f32")]);
        refused(nothing, "empty.npy", &["[5, 0]"]);
        refused(written("fortran.npy", &x()), "fortran.npy", &["ascontiguousarray"]);
        refused(written("text.npy", &x()), "text.npy", &["<U1"]);
        refused(written("uneven.npz", &two()), "uneven.npz", &["`n` has 1 samples, `x` has 2"]);
        refused(written("wide.npy", &x()), "wide.npy", &["9007199254740993"]);
        refused(written("nan.npy", &x()), "nan.npy", &["sample 1", "`x`", "element 1", "NaN"]);
    }

    #[test]
    fn any_part_of_an_array_is_refused() {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../tests/fixtures/samples/");
        for name in ["rows.npy", "compressed.npz"] {
            let bytes = std::fs::read(format!("{path}{name}")).expect("a fixture");
            let ports = if name.ends_with("npz") { two() } else { x() };
            parse(Path::new(name), &bytes, &ports).expect("the whole of it");
            for len in 0..bytes.len() {
                assert!(parse(Path::new(name), &bytes[..len], &ports).is_err(), "{name}: {len} bytes");
            }
            for at in 0..bytes.len() {
                let mut changed = bytes.clone();
                changed[at] ^= 0x55;
                let _ = parse(Path::new(name), &changed, &ports);
            }
        }
    }

    #[test]
    fn rows_of_a_table_are_read() {
        for text in
            ["1,2,3\n-4,0.5,6\n", "\u{feff}a,\"b,c\",d\r\n1, 2 ,3\r\n-4,5e-1,6", "1,2,3\n\n-4,0.5,6\n\n"]
        {
            let samples = csv(text, &x()).expect(text);
            assert_eq!([samples.rows[0].values(), samples.rows[1].values()], ROWS.map(|r| [r]), "{text}");
        }
        let samples = csv("n,x[0],x[1],x[2]\n7,1,2,3\n", &two()).expect("named");
        assert_eq!(samples.rows[0].values(), [ROWS[0].to_vec(), vec![7.0]]);
    }

    #[test]
    fn what_is_wrong_with_a_table_is_said() {
        let names = ["x[0] to x[2]", "n"];
        refused(csv("1,2,3,4\n", &two()), "data.CSV", &names);
        for text in
            ["n,x[0],x[2],x[1]\n1,2,3,4\n", "x[0],x[1],x[2]\n1,2,3\n", "n,x[0],x[1],x[2],y\n1,2,3,4,5\n"]
        {
            refused(csv(text, &two()), "data.CSV", &names);
        }
        refused(csv("1,2,3\n1,,3\n", &x()), "data.CSV", &["sample 1", "`x`", "element 1", "empty"]);
        refused(csv("1,2,3\n1,nan,3\n", &x()), "data.CSV", &["sample 1", "element 1", "NaN"]);
        refused(csv("1,2\n", &x()), "data.CSV", &["sample 0", "takes 3 numbers, 2"]);
        refused(csv("1,2,3\n1,2\n", &x()), "data.CSV", &["2 fields"]);
        refused(csv("a,b,c\n", &x()), "data.CSV", &["no calibration sample"]);
        refused(csv("", &x()), "data.CSV", &["no calibration sample"]);
    }

    #[test]
    fn text_of_another_encoding_is_named() {
        refused(parse(Path::new("d.json"), b"\xff\xfe{\0", &x()), "d.json", &["UTF-16"]);
        refused(parse(Path::new("d.json"), b"\x80\x80", &x()), "d.json", &["no text"]);
    }
}
