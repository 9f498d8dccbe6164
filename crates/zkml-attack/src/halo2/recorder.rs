//! Takes down what a circuit assigns when keys are made: fixed cells and copies.

use ff::Field;
use halo2_proofs::{
    circuit::Value,
    halo2curves::bn256::Fr,
    plonk::{
        Advice, Any, Assigned, Assignment, Challenge, Circuit, Column, ConstraintSystem, Error, Fixed,
        FloorPlanner, Instance, Selector,
    },
};
use zkml_halo2::circuit::{Config, ModelCircuit};

/// Fixed columns and copies of a circuit.
#[derive(Debug, Clone)]
pub struct Record {
    /// Fixed columns, by row.
    pub fixed: Vec<Vec<Fr>>,
    /// Advice cells that are equal: column and row of each.
    pub copies: Vec<[(usize, usize); 2]>,
}

/// Runs a circuit's synthesis without a witness.
///
/// # Errors
/// The circuit's own, printed; a copy that is not between advice cells.
pub fn record(
    circuit: &ModelCircuit,
    config: Config,
    cs: &ConstraintSystem<Fr>,
    rows: usize,
) -> Result<Record, String> {
    let fixed = vec![vec![Fr::ZERO; rows]; cs.num_fixed_columns()];
    let mut recorder = Recorder { record: Record { fixed, copies: vec![] }, fault: None };
    let synthesized = <ModelCircuit as Circuit<Fr>>::FloorPlanner::synthesize(
        &mut recorder,
        &circuit.without_witnesses(),
        config,
        vec![],
    );
    synthesized.map_err(|e| format!("{e:?}"))?;
    recorder.fault.map_or(Ok(recorder.record), Err)
}

struct Recorder {
    record: Record,
    fault: Option<String>,
}

impl Assignment<Fr> for Recorder {
    fn enter_region<NR: Into<String>, N: FnOnce() -> NR>(&mut self, _: N) {}

    fn annotate_column<A: FnOnce() -> AR, AR: Into<String>>(&mut self, _: A, _: Column<Any>) {}

    fn exit_region(&mut self) {}

    fn enable_selector<A: FnOnce() -> AR, AR: Into<String>>(
        &mut self,
        _: A,
        _: &Selector,
        _: usize,
    ) -> Result<(), Error> {
        self.fault = Some("the circuit uses selectors, which nobody takes down".into());
        Ok(())
    }

    fn query_instance(&self, _: Column<Instance>, _: usize) -> Result<Value<Fr>, Error> {
        Ok(Value::unknown())
    }

    fn assign_advice<'v>(
        &mut self,
        _: Column<Advice>,
        _: usize,
        _: Value<Assigned<Fr>>,
    ) -> Value<&'v Assigned<Fr>> {
        Value::unknown()
    }

    fn assign_fixed(&mut self, column: Column<Fixed>, row: usize, to: Assigned<Fr>) {
        self.record.fixed[column.index()][row] = to.evaluate();
    }

    fn copy(&mut self, left: Column<Any>, left_row: usize, right: Column<Any>, right_row: usize) {
        if [left, right].iter().any(|c| !matches!(c.column_type(), Any::Advice(_))) {
            self.fault = Some("a copy is not between advice cells".into());
        }
        self.record.copies.push([(left.index(), left_row), (right.index(), right_row)]);
    }

    fn fill_from_row(&mut self, _: Column<Fixed>, _: usize, _: Value<Assigned<Fr>>) -> Result<(), Error> {
        self.fault = Some("the circuit fills columns, which nobody takes down".into());
        Ok(())
    }

    fn get_challenge(&self, _: Challenge) -> Value<Fr> {
        Value::unknown()
    }

    fn push_namespace<NR: Into<String>, N: FnOnce() -> NR>(&mut self, _: N) {}

    fn pop_namespace(&mut self, _: Option<String>) {}

    fn next_phase(&mut self) {}
}
