"""ONNX: a model as a file that other programs run, such as onnxruntime, without minigrad.

`export` runs the model and translates each row of the table that ran into operators of ONNX, the
Open Neural Network Exchange (https://onnx.ai/onnx/operators/). So whatever a `forward` computes in
rows that have an entry in operators.py can be exported, in layers of one's own too.

The package onnx is optional: it is imported when the first model is exported.
"""

from .export_model import export
