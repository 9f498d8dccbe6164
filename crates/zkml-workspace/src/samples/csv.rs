//! Samples as rows of a table.
//!
//! Each row is a sample. With one input, its columns are the input's elements in row-major order, whatever their names. With several, a first
//! row names the columns: `name` for an input of one element, `name[0]`, `name[1]`, … in this order for others.

use std::path::Path;

use zkml_onnx::{Port, SampleError, Samples};

use crate::error::{Error, Result};

pub(super) fn parse(path: &Path, text: &str, ports: &[Port]) -> Result<Samples> {
    let refuse = |why: String| Error::content(path, why);
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let mut reader =
        ::csv::ReaderBuilder::new().has_headers(false).trim(::csv::Trim::All).from_reader(text.as_bytes());
    let mut records = Vec::new();
    for record in reader.records() {
        records.push(record.map_err(|e| refuse(e.to_string()))?);
    }
    let named = records.first().is_some_and(|first| first.iter().any(|field| field.parse::<f64>().is_err()));
    let header = if named { Some(records.remove(0)) } else { None };
    let places = places(ports, header.as_ref()).map_err(refuse)?;
    let row = |(sample, record): (usize, &::csv::StringRecord)| {
        let values = ports.iter().zip(&places).map(|(port, columns)| {
            let fields = columns.as_ref().map_or(0..record.len(), Clone::clone).enumerate();
            fields
                .map(|(index, column)| number(port, index, record.get(column)))
                .collect::<Result<Vec<f64>, _>>()
        });
        let values: Result<Vec<_>, _> = values.collect();
        values.map_err(|error| SampleError::InSample { sample, error: Box::new(error) })
    };
    let rows: Result<Vec<_>, _> = records.iter().enumerate().map(row).collect();
    rows.and_then(|rows| Samples::new(ports, rows)).map_err(|e| Error::content(path, e))
}

fn number(port: &Port, index: usize, field: Option<&str>) -> Result<f64, SampleError> {
    let field = field.unwrap_or("");
    let value = if field.is_empty() { "empty".into() } else { field.into() };
    let bad = || SampleError::NotANumber { input: port.name.clone(), index, value };
    field.parse().map_err(|_| bad())
}

/// The columns of each input; nothing for all of them.
fn places(
    ports: &[Port],
    header: Option<&::csv::StringRecord>,
) -> Result<Vec<Option<std::ops::Range<usize>>>, String> {
    if ports.len() == 1 {
        return Ok(vec![None]);
    }
    let expected = || {
        let name = |p: &Port| match p.len() {
            1 => p.name.clone(),
            n => format!("{0}[0] to {0}[{1}]", p.name, n.saturating_sub(1)),
        };
        ports.iter().map(name).collect::<Vec<_>>().join(", ")
    };
    let Some(header) = header else {
        return Err(format!(
            "the model has {} inputs, so a first row has to name the columns: {}",
            ports.len(),
            expected()
        ));
    };
    let place = |port: &Port| {
        let of = |index: usize| match port.len() {
            1 => port.name.clone(),
            _ => format!("{}[{index}]", port.name),
        };
        let first = header.iter().position(|column| column == of(0))?;
        let right = (0..port.len()).all(|i| header.get(first + i).is_some_and(|column| column == of(i)));
        right.then_some(Some(first..first + port.len()))
    };
    let places: Option<Vec<_>> = ports.iter().map(place).collect();
    let taken: usize = ports.iter().map(Port::len).fold(0, usize::saturating_add);
    places
        .filter(|_| taken == header.len())
        .ok_or_else(|| format!("its columns are not those of the inputs: {}", expected()))
}
