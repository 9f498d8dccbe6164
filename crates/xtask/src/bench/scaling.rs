//! Costs against size: networks whose width doubles, and networks whose depth does.

use super::{
    figures::{self, Figures},
    perceptron::Perceptron,
    run::Options,
};
use crate::error::Result;
use serde::Serialize;
use std::io::{self, Write};
use zkml_chain::show::{Report, Ui, table};
use zkml_workspace::{artifacts::write_whole, json};

/// A series of networks; the other side stays as it is.
const WIDTHS: [usize; 4] = [64, 128, 256, 512];
const DEPTHS: [usize; 4] = [2, 4, 8, 16];
const DEPTH: usize = 4;
const WIDTH: usize = 128;

/// Costs that are compared with size.
const COSTS: [&str; 5] = ["setup", "prove", "peak", "proof", "tx gas"];

/// One network by one back end.
#[derive(Debug, Clone, Serialize)]
pub struct Point {
    width: usize,
    depth: usize,
    parameters: usize,
    #[serde(flatten)]
    figures: Figures,
}

/// The exponents with which costs grow along a series: 1 where they double with its size.
#[derive(Debug, Clone, Serialize)]
pub struct Slope {
    along: &'static str,
    backend: String,
    optimize: String,
    slopes: [f64; COSTS.len()],
}

/// All networks and slopes; `scaling.json`.
#[derive(Debug, Clone, Serialize)]
pub struct Scaling {
    points: Vec<Point>,
    slopes: Vec<Slope>,
}

/// Measures every network of both series by every back end; writes models and `scaling.json`.
///
/// # Errors
/// A file that cannot be written, and as [`run`](super::run).
pub fn scaling(ui: &Ui, options: &Options) -> Result<Scaling> {
    let wide = WIDTHS.map(|width| Perceptron { width, depth: DEPTH });
    let deep = DEPTHS.map(|depth| Perceptron { width: WIDTH, depth });
    let models = options.out.join("scaling");
    let mut all = Scaling { points: Vec::new(), slopes: Vec::new() };
    for network in wide.into_iter().chain(deep.into_iter().filter(|d| !wide.contains(d))) {
        network.write(&models)?;
        let own = Options { models: models.clone(), names: vec![network.name()], ..options.clone() };
        own.figures(ui, |figures| {
            let Perceptron { width, depth } = network;
            all.points.push(Point { width, depth, parameters: network.parameters(), figures });
            all.slopes = slopes(&all.points);
            write_whole(&options.out.join("scaling.json"), &json::pretty(&all))?;
            Ok(())
        })?;
    }
    Ok(all)
}

/// The slopes of each back end along each series.
fn slopes(points: &[Point]) -> Vec<Slope> {
    let mut ways: Vec<(&String, &String)> = Vec::new();
    for way in points.iter().map(|p| (&p.figures.backend, &p.figures.optimize)) {
        if !ways.contains(&way) {
            ways.push(way);
        }
    }
    let mut out = Vec::new();
    for (backend, optimize) in ways {
        let own = |p: &&Point| (&p.figures.backend, &p.figures.optimize) == (backend, optimize);
        let mine: Vec<&Point> = points.iter().filter(own).collect();
        let mut along = |along, of: fn(&Point) -> Option<f64>| {
            let slopes = std::array::from_fn(|cost| {
                slope(mine.iter().filter_map(|p| Some((of(p)?, p.costs()[cost]))).collect())
            });
            out.push(Slope { along, backend: backend.clone(), optimize: optimize.clone(), slopes });
        };
        along("width", |p| (p.depth == DEPTH).then_some(p.width as f64));
        along("depth", |p| (p.width == WIDTH).then_some(p.depth as f64));
    }
    out
}

/// Least squares through logarithms; not a number with fewer than two points.
fn slope(points: Vec<(f64, f64)>) -> f64 {
    let n = points.len() as f64;
    let logarithms: Vec<(f64, f64)> = points.iter().map(|(x, y)| (x.ln(), y.ln())).collect();
    let (x, y) = logarithms.iter().fold((0.0, 0.0), |(a, b), (x, y)| (a + x / n, b + y / n));
    let (above, below) =
        logarithms.iter().fold((0.0, 0.0), |(a, b), (u, v)| (a + (u - x) * (v - y), b + (u - x) * (u - x)));
    above / below
}

impl Point {
    fn costs(&self) -> [f64; COSTS.len()] {
        let f = &self.figures;
        [f.setup_s, f.prove_s, f.prove_peak_mb, f.proof_bytes as f64, f.tx_gas as f64]
    }

    fn cells(&self) -> Vec<String> {
        let f = &self.figures;
        vec![
            format!("{} × {}", self.depth, self.width),
            way(&f.backend, &f.optimize),
            table::thousands(self.parameters as u64),
            table::seconds(f.setup_s),
            table::seconds(f.prove_s),
            format!("{:.0} MB", f.prove_peak_mb),
            format!("{} B", table::thousands(f.proof_bytes)),
            table::thousands(f.tx_gas),
        ]
    }
}

impl Slope {
    fn cells(&self) -> Vec<String> {
        let slopes = self.slopes.iter().map(|s| format!("{s:.2}"));
        let words = [self.along.to_owned(), way(&self.backend, &self.optimize), "slope".into()];
        words.into_iter().chain(slopes).collect()
    }
}

fn way(backend: &str, optimize: &str) -> String {
    format!("{backend}, {optimize}")
}

impl Scaling {
    /// Networks and slopes as a Markdown table, for the book.
    #[must_use]
    pub fn markdown(&self) -> String {
        figures::markdown(&head(), WORDS, &self.cells())
    }

    fn cells(&self) -> Vec<Vec<String>> {
        self.points.iter().map(Point::cells).chain(self.slopes.iter().map(Slope::cells)).collect()
    }
}

/// Columns of words.
const WORDS: usize = 2;

fn head() -> Vec<&'static str> {
    ["layers × width", "back end", "weights"].into_iter().chain(COSTS).collect()
}

impl Report for Scaling {
    fn print(&self, out: &mut dyn Write) -> io::Result<()> {
        figures::print(out, &head(), WORDS, self.cells())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slopes_are_exponents() {
        let power = |e: f64| [2.0, 4.0, 8.0, 16.0].map(|x: f64| (x, 3.0 * x.powf(e))).to_vec();
        for e in [0.0, 1.0, -0.5, 2.25] {
            assert!((slope(power(e)) - e).abs() < 1e-9, "{e}");
        }
        assert!(slope(vec![(1.0, 2.0)]).is_nan());
    }
}
