//! The command line: from an ONNX file to a verdict inside the EVM.
