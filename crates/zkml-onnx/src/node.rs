//! Attributes of the nodes of an ONNX file.

use tract_onnx::pb;

/// An attribute by its name.
pub(crate) fn attribute<'a>(node: &'a pb::NodeProto, name: &str) -> Option<&'a pb::AttributeProto> {
    node.attribute.iter().find(|a| a.name == name)
}

/// An attribute of text.
pub(crate) fn text_attribute(node: &pb::NodeProto, name: &str, default: &str) -> String {
    attribute(node, name).map_or_else(|| default.to_owned(), |a| String::from_utf8_lossy(&a.s).into_owned())
}
