"""Linear algebra on arrays of matrices."""

from ._gen.linalg import *  # noqa: F403
from ._gen.linalg import __all__  # noqa: F401
