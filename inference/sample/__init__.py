"""A synthetic chest CT with known lesions: the study that is there before any patient's.

Nothing of it is stored in the program; it is computed on first use, always the same.
"""

from inference.sample.store import Truth, build, ensure, truth

__all__ = ["Truth", "build", "ensure", "truth"]
