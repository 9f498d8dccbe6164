//! Parts of tensors that are values of their own.

use super::{Lowered, Lowering, OpSupport, TractNode, is};
use crate::own::Apart;

pub(super) const ONNX: &[OpSupport] = &[];

pub(super) fn lower(l: &mut Lowering<'_>, node: &TractNode) -> Lowered {
    is::<Apart>(node)?;
    Some(l.input(node, 0).map(|x| l.net.sum(&node.name, vec![(1.0, x)], 0.0)))
}
