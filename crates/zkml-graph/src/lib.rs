//! The quantized integer graph: tensors, scales, bounds, operators with exact semantics, and the relations that pin them down.
