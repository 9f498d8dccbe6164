//! The statement of a graph: what a proof of it says to everybody, whichever proof system makes it.

#![forbid(unsafe_code)]

use zkml_graph::{
    Bounds, Graph, Relation, Section, System, TensorId, Visibility,
    intervals::{Facts, Proven, Unconfined, analyse, seen},
};
use zkml_protocol::{Encoding, Field, InstanceLayout, Statement, Word, commitment::Role};

/// The statement of a graph whose relations are laid out with limbs of this many bits.
///
/// # Errors
/// [`Unconfined`] names a variable that no relation confines.
pub fn of(graph: &Graph, system: &System, limb_bits: u32) -> Result<Statement, Unconfined> {
    let proven = analyse(system, &Facts::new(system), limb_bits)?;
    let mut bounds = bounds(system, &proven).into_iter();
    let mut field = |name: &str, id: TensorId, visibility, packed: bool| {
        let t = graph.tensor(id);
        let code = zkml_graph::Code::of(t.bounds);
        let encoding = match visibility {
            Visibility::Committed => Encoding::Commitment,
            Visibility::Public if packed && t.len() > 1 => Encoding::Packed(protocol_code(code)),
            Visibility::Public => Encoding::Signed,
        };
        // One part of the statement after the other, as the system lists them.
        let bounds = bounds.next().flatten();
        Field { name: name.into(), values: t.len() as u32, scale: t.scale, encoding, bounds }
    };
    let inputs = graph.inputs.iter().map(|(t, v)| field(&graph.tensor(*t).name, *t, *v, true)).collect();
    let model = graph.weights.first().map(|t| field("weights", *t, Visibility::Committed, true));
    let values = graph.weights.iter().map(|t| graph.tensor(*t).len() as u32).sum();
    let model = model.map(|weights| Field { values, scale: 0, ..weights });
    let outputs = graph.outputs.iter().map(|o| field(&o.name, o.tensor, o.visibility, false)).collect();
    Ok(Statement {
        model_name: graph.name.clone(),
        model_hash: Word(graph.hash()),
        toolkit_version: env!("CARGO_PKG_VERSION").into(),
        instances: InstanceLayout { inputs, model: model.into_iter().collect(), outputs },
    })
}

/// Relations of the statement in its order: inputs, model, outputs.
pub fn items(system: &System) -> impl Iterator<Item = &Relation> {
    let of = |wanted: Section| {
        system.relations.iter().map(|(_, r)| r).filter(move |r| match r {
            Relation::Public { section, .. } | Relation::Commit { section, .. } => *section == wanted,
            _ => false,
        })
    };
    [Section::Input, Section::Model, Section::Output].into_iter().flat_map(of)
}

/// For each part of the statement, in its order, the interval that the relations confine its values to: what may be
/// told to others. `None` for commitments, and for intervals beyond 64 bits.
fn bounds(system: &System, proven: &Proven) -> Vec<Option<zkml_protocol::Bounds>> {
    let of = |item: &Relation| match item {
        Relation::Public { v, .. } => {
            let Bounds { lo, hi } = seen(proven, v)?;
            Some(zkml_protocol::Bounds { lowest: lo.try_into().ok()?, highest: hi.try_into().ok()? })
        }
        _ => None,
    };
    items(system).map(of).collect()
}

/// The same code in the protocol's terms.
pub fn protocol_code(code: zkml_graph::Code) -> zkml_protocol::Code {
    zkml_protocol::Code { bits: code.bits, signed: code.signed }
}

/// The role of a section in the protocol's terms.
pub fn role(section: Section) -> Role {
    match section {
        Section::Input => Role::Input,
        Section::Model => Role::Model,
        Section::Output => Role::Output,
    }
}
