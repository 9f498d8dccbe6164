//! The halo2 back end under attack.
//!
//! [`recorder`] takes down what the circuit itself assigns: fixed columns and copies. [`columns`] lays a forged
//! assignment into the columns that are committed before the challenges. [`judge`] evaluates the constraint system's
//! own gates: those over early columns directly; for the later rounds it asks whether *any* values of the columns
//! that come after the challenges satisfy the rest, which is a question of linear algebra ([`linear`]), since all
//! gates are affine in them. [`real`] makes true proofs of honest and of forged columns, for the verifiers to judge.

pub mod cellwise;
pub mod columns;
pub mod judge;
pub mod linear;
pub mod mutants;
pub mod real;
pub mod recorder;

use halo2_proofs::plonk::{Circuit as _, ConstraintSystem};
use zkml_graph::{Relation, wiring::Elem};
use zkml_halo2::{
    Optimize, Plan,
    circuit::{ModelCircuit, Params},
    keys, plan,
    shape::Shape,
};

use crate::{Assignment, Backend, Judgement, Prepared, Target, cells::Cell, zoo};
use columns::{Columns, Filler, Response};
use judge::Circuit;

/// Binary logarithms of the row counts that are tried.
const SIZES: std::ops::RangeInclusive<u32> = 5..=13;

/// The halo2 back end, in shapes that use each of its ways to lay out relations.
#[derive(Debug)]
pub struct Halo2 {
    template: Plan,
    shapes: Vec<Shape>,
}

impl Halo2 {
    /// All shapes.
    ///
    /// # Errors
    /// The planner's reason not to plan the simplest graph of the zoo, printed.
    pub fn new() -> Result<Self, String> {
        let simple = zoo::Recipe::Single(zoo::Kind::Sum, vec![zoo::Role::Input; 2]);
        let target = simple.build(0).map_err(|e| e.to_string())?;
        let template = plan(&target.system, Optimize::Prover).map_err(|e| e.to_string())?;
        let shape = |[a, u, w]: [usize; 3], limb_bits, max_height, fold| Shape {
            a_columns: a,
            u_columns: u,
            w_columns: if fold { w } else { a },
            limb_bits,
            max_height,
            fold,
            sweep: fold,
            table_outputs: 2,
        };
        let shapes = vec![
            shape([2, 2, 2], 5, 10, false),
            shape([2, 1, 2], 6, 6, true),
            shape([3, 4, 1], 5, 4, true),
            shape([4, 2, 3], 7, 10, true),
            shape([2, 3, 2], 8, 4, false),
            shape([1, 3, 4], 6, 6, true),
            // Folded without sweeps, and with several helper columns.
            Shape { sweep: false, ..shape([6, 8, 16], 7, 10, true) },
        ];
        Ok(Self { template, shapes })
    }

    /// The circuit of a system in one of the shapes, with the binary logarithm of its rows.
    ///
    /// # Errors
    /// The last reason not to lay it out, when no size fits.
    pub fn circuit(&self, target: &Target, variant: usize) -> Result<(ModelCircuit, u32), String> {
        self.plan(target, variant).map(|(circuit, plan)| (circuit, plan.k))
    }

    /// The same with the whole plan.
    ///
    /// # Errors
    /// The last reason not to lay it out, when no size fits.
    pub fn plan(&self, target: &Target, variant: usize) -> Result<(ModelCircuit, Plan), String> {
        let columns = target.system.tables.iter().map(|t| t.columns.len()).max().unwrap_or(0);
        let mut shape = Shape { table_outputs: columns, ..self.shapes[variant % self.shapes.len()] };
        // Products of two witnesses take two columns.
        let witness = |v: &zkml_graph::View| target.system.vars[v.var.0 as usize].constant.is_none();
        let pairs = |r: &Relation| matches!(r, Relation::Contract { a, b, .. } if witness(a) && witness(b));
        if target.system.relations.iter().any(|(_, r)| pairs(r)) {
            shape.a_columns = shape.a_columns.max(2);
        }
        let mut error = String::new();
        for k in SIZES {
            let plan = Plan { shape, k, ..self.template.clone() };
            match keys::circuit(&target.system, &plan) {
                Ok(circuit) => return Ok((circuit, plan)),
                Err(e) => error = e.to_string(),
            }
        }
        Err(error)
    }
}

impl Backend for Halo2 {
    fn name(&self) -> &'static str {
        "halo2"
    }

    fn variants(&self) -> usize {
        self.shapes.len()
    }

    fn prepare<'a>(&self, target: &'a Target, variant: usize) -> Result<Box<dyn Prepared + 'a>, String> {
        Ok(Box::new(Laid::new(target, self.circuit(target, variant)?)?))
    }
}

/// A system in the rows and columns of a circuit.
#[derive(Debug, Clone)]
pub struct Laid<'a> {
    /// The target.
    pub target: &'a Target,
    /// The circuit's constraints, as data.
    pub circuit: Circuit,
    /// Lays assignments into the circuit's columns.
    pub filler: Filler<'a>,
    /// Columns of the honest run.
    pub honest: Columns,
}

impl<'a> Laid<'a> {
    /// Takes the constraints of a circuit down; the honest run must satisfy them.
    ///
    /// # Errors
    /// The fault, printed.
    pub fn new(target: &'a Target, (model, k): (ModelCircuit, u32)) -> Result<Self, String> {
        let mut cs = ConstraintSystem::default();
        let config = ModelCircuit::configure_with_params(&mut cs, Params(Some(model.design.clone())));
        let record = recorder::record(&model, config, &cs, 1 << k)?;
        let circuit = Circuit::new(&model, &cs, record);
        let filler = Filler::new(target, model);
        let honest = filler.fill(&target.honest, Response::Follow, &circuit);
        if let Err(e) = circuit.accepts(&honest, None) {
            return Err(format!("the honest run is refused: {}", e.reason));
        }
        Ok(Self { target, circuit, filler, honest })
    }

    /// The same circuit with another honest run of its graph.
    pub fn with_run<'b>(&self, run: &'b Target) -> Laid<'b> {
        let filler = Filler::new(run, self.filler.model.clone());
        let honest = filler.fill(&run.honest, Response::Follow, &self.circuit);
        Laid { target: run, circuit: self.circuit.clone(), filler, honest }
    }
}

impl Prepared for Laid<'_> {
    fn judge(&self, forged: &Assignment) -> Judgement {
        for response in Response::ALL {
            let columns = self.filler.fill(forged, response, &self.circuit);
            match self.circuit.accepts(&columns, Some(&self.honest)) {
                Ok(()) => return Judgement::Accepted(self.filler.meaning(forged, &columns)),
                Err(o) if !o.limbs => return Judgement::Refused,
                Err(_) => {}
            }
        }
        Judgement::Refused
    }

    fn neighbours(&self) -> Vec<(Cell, Cell, u32)> {
        let layout = &self.filler.model.layout;
        let cell = |e: &Elem| match e {
            Elem::Cell(var, index) => Some(Cell { var: var.0, index: *index }),
            Elem::Const(_) => None,
        };
        let words = layout.statement.words.iter().map(|w| (w.members.clone(), w.width));
        let mut out = Vec::new();
        for (members, bits) in words.chain(self.filler.packed_results()) {
            let pairs = members.windows(2);
            out.extend(pairs.filter_map(|p| Some((cell(&p[0])?, cell(&p[1])?, bits))));
        }
        out.retain(|(low, high, _)| low != high);
        out
    }
}

#[cfg(test)]
mod tests;
