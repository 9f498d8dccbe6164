"""Makes `min_cap.onnx`, the model of the advisory: y = W · min(x, cap) with a vector `cap`.

    pip install onnx==1.23.2 numpy && python make.py
"""

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

W = np.array([[0.5], [-0.25], [0.75]], dtype=np.float32)
CAP = np.array([[0.125, 0.5, -0.25]], dtype=np.float32)

graph = helper.make_graph(
    [
        helper.make_node("Min", ["x", "cap"], ["m"], name="min"),
        helper.make_node("MatMul", ["m", "w"], ["y"], name="matmul"),
    ],
    "min_cap",
    [helper.make_tensor_value_info("x", TensorProto.FLOAT, [1, 3])],
    [helper.make_tensor_value_info("y", TensorProto.FLOAT, [1, 1])],
    [numpy_helper.from_array(W, "w"), numpy_helper.from_array(CAP, "cap")],
)
model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)], producer_name="zkml-chain")
model.ir_version = 8
onnx.checker.check_model(model)
onnx.save(model, "min_cap.onnx")
