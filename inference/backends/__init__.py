"""How a network is run: by PyTorch as it is, or as an exported graph on the CPU.

Each way is a `Runner`: prepared pictures in, logits by name out. Those of PyTorch are a
`TensorRunner`, too: pictures and logits need not leave the device. The engine chooses one a model
and knows nothing else about them.
"""

from inference.backends.runner import BackendError, Logits, Runner, TensorRunner, Tensors

__all__ = ["BackendError", "Logits", "Runner", "TensorRunner", "Tensors"]
