"""How a network is run: by PyTorch as it is, or as an exported graph on the CPU.

Each way is a `Runner`: prepared pictures in, logits by name out. The engine chooses one a model and
knows nothing else about them.
"""

from inference.backends.runner import BackendError, Logits, Runner

__all__ = ["BackendError", "Logits", "Runner"]
