//! Types of elements.

use tract_onnx::prelude::DatumType;

/// All values of a narrow type.
pub(crate) fn span(kind: DatumType) -> Option<(i64, i64)> {
    Some(match kind {
        DatumType::Bool => (0, 1),
        DatumType::U8 => (0, 255),
        DatumType::I8 => (-128, 127),
        DatumType::U16 => (0, 65535),
        DatumType::I16 => (-32768, 32767),
        _ => return None,
    })
}
