//! Random graphs.

use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
use zkml_graph::{
    Bounds, GraphError, Map, TensorId, Visibility,
    ops::{Contract, Max, MaxOperand, Rescale},
};

use super::{Kind, Role, Zoo};

/// Some operators on whatever there is; returns the outputs.
pub(super) fn operators(zoo: &mut Zoo, seed: u64) -> Result<Vec<TensorId>, GraphError> {
    zoo.rng = ChaCha8Rng::seed_from_u64(seed);
    zoo.shifted = [0, 5][zoo.rng.gen_range(0..2)];
    let first = zoo.operand(Role::Input, false)?;
    let mut pool = vec![first];
    let mut last = first;
    for _ in 0..zoo.rng.gen_range(2..7) {
        let kind = Kind::ALL[zoo.rng.gen_range(0..Kind::ALL.len())];
        let mut operands = Vec::new();
        for i in 0..kind.arity() {
            let fresh = zoo.rng.gen_ratio(1, 3) || kind.positive(i);
            operands.push(if fresh {
                let role = Role::ALL[zoo.rng.gen_range(0..Role::ALL.len())];
                zoo.operand(role, kind.positive(i))
            } else if i == 0 {
                Ok(last)
            } else {
                Ok(pool[zoo.rng.gen_range(0..pool.len())])
            });
        }
        // What does not go together is left out.
        let Ok(operands) = operands.into_iter().collect::<Result<Vec<_>, _>>() else { continue };
        if operands.iter().all(|t| zoo.b.tensor(*t).constant.is_some()) {
            continue;
        }
        let Ok(y) = zoo.apply(kind, &operands) else { continue };
        let wide = zoo.b.tensor(y).bounds.bits() > 8;
        last = if wide { narrowed(zoo, y)? } else { y };
        pool.push(last);
    }
    // What is computed on the way may be an output, too.
    let other = pool[zoo.rng.gen_range(0..pool.len())];
    Ok(if zoo.rng.gen_ratio(1, 3) && other != first && other != last {
        vec![other, last]
    } else {
        vec![last]
    })
}

/// Values of one element of a layer's operands.
const LAYER: std::ops::RangeInclusive<i64> = -8..=7;

impl Zoo {
    /// An operand of any shape; weights and constants differ everywhere.
    fn filled(&mut self, role: Role, shape: &[usize]) -> Result<TensorId, GraphError> {
        let count = shape.iter().product();
        let values: Vec<i64> = (0..count).map(|_| self.rng.gen_range(LAYER)).collect();
        let name = self.name();
        match role {
            Role::Weight => {
                self.weights.push(values);
                self.b.weight(&name, shape, 0, 5)
            }
            Role::Varied | Role::Uniform => self.b.constant(&name, shape, 0, values),
            Role::Input | Role::Intermediate => {
                self.inputs.push(values);
                let bounds = Bounds::new((*LAYER.start()).into(), (*LAYER.end()).into());
                self.b.input(&name, shape, 0, bounds, Visibility::Public)
            }
        }
    }

    /// `x · w + c` for each batch: `x` of shape `[batch, m, k]`, the result of `[batch, m, n]`.
    fn layer(&mut self, x: TensorId, n: usize) -> Result<TensorId, GraphError> {
        let [batch, m, k] = self.b.tensor(x).shape[..] else {
            return Err(GraphError::Decode("a layer's operand has three dimensions".into()));
        };
        let any = |zoo: &mut Self, roles: &[Role]| roles[zoo.rng.gen_range(0..roles.len())];
        let role = any(self, &[Role::Varied, Role::Varied, Role::Weight, Role::Input]);
        // One matrix for all batches, or one for each; the other way round now and then.
        let shared = self.rng.gen_ratio(1, 2);
        let own: &[usize] = if shared { &[1, k, n] } else { &[batch, k, n] };
        let w = self.filled(role, own)?;
        let whole = [batch, m, n];
        let widened = |own: &[usize], shape: &[usize]| {
            Map::broadcast(own, shape).ok_or_else(|| GraphError::Decode(format!("{own:?} to {shape:?}")))
        };
        let addend = match self.rng.gen_range(0..4) {
            0 => None,
            1 => Some((Role::Varied, vec![1, 1, n])),
            2 => Some((Role::Varied, whole.to_vec())),
            _ => Some((any(self, &[Role::Weight, Role::Input]), vec![1, 1, n])),
        };
        let (mut operands, mut added) = (vec![x, w], None);
        if let Some((role, shape)) = addend {
            operands.push(self.filled(role, &shape)?);
            added = Some(widened(&shape, &whole)?);
        }
        let op = Contract {
            a: Map::identity(&[batch, m, k]),
            b: widened(own, &[batch, k, n])?,
            addend: added,
            ranks: [1; 4],
            y: Map::identity(&whole),
        };
        let name = self.name();
        self.b.node(&name, op, &operands)
    }
}

/// Contractions as layers have them, one or two after each other; returns the outputs.
pub(super) fn layers(zoo: &mut Zoo, seed: u64) -> Result<Vec<TensorId>, GraphError> {
    zoo.rng = ChaCha8Rng::seed_from_u64(seed);
    let [batch, m, k] = [1..3, 1..5, 1..9].map(|sizes| zoo.rng.gen_range(sizes));
    let mut x = zoo.filled(Role::Input, &[batch, m, k])?;
    let mut outputs = Vec::new();
    for _ in 0..zoo.rng.gen_range(1..3) {
        let n = zoo.rng.gen_range(1..12);
        x = zoo.layer(x, n)?;
        if zoo.rng.gen_ratio(1, 4) {
            outputs.push(x);
        }
        let whole = Map::identity(&zoo.b.tensor(x).shape);
        if zoo.rng.gen_ratio(1, 2) {
            let name = zoo.name();
            let b = MaxOperand::Constant(zoo.rng.gen_range(-3..4));
            x = zoo.b.node(&name, Max { a: whole, b }, &[x])?;
        }
        if zoo.b.tensor(x).bounds.bits() > 6 && zoo.rng.gen_ratio(3, 4) {
            x = narrowed(zoo, x)?;
        }
    }
    if !outputs.contains(&x) {
        outputs.push(x);
    }
    Ok(outputs)
}

/// Rescales a wide result, so that what follows keeps within tables.
fn narrowed(zoo: &mut Zoo, y: TensorId) -> Result<TensorId, GraphError> {
    let bits = zoo.b.tensor(y).bounds.bits() - 6;
    let name = zoo.name();
    zoo.b.node(&name, Rescale { divisor: 1 << bits, scale: 0, calibrated: None }, &[y])
}
