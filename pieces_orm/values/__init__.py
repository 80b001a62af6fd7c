"""The values of fields and arguments: open enums, and frozen values without an identity of their own."""

from . import aliases, enums, languages, structs
from .aliases import *  # noqa: F403 its __all__ is public here
from .enums import *  # noqa: F403 its __all__ is public here
from .languages import *  # noqa: F403 its __all__ is public here
from .structs import *  # noqa: F403 its __all__ is public here

__all__: list[str] = []
__all__ += aliases.__all__
__all__ += enums.__all__
__all__ += languages.__all__
__all__ += structs.__all__
