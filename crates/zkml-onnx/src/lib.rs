//! ONNX front end: load, declutter, calibrate, and lower each operator to the integer graph.
