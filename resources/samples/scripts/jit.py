"""Numba's compiler behind a decorator that keeps the types of what it decorates."""

from collections.abc import Callable
from typing import Any, TypeVar, cast

import numba

Function = TypeVar("Function", bound=Callable[..., Any])


def compiled(function: Function) -> Function:
    """Compile a function at its first call; the machine code is kept beside the script for the next run."""
    return cast(Function, numba.njit(cache=True, fastmath=True)(function))


def compiled_closure(function: Function) -> Function:
    """Compile a function that closes over other compiled functions, which cannot be kept on disk."""
    return cast(Function, numba.njit(fastmath=True)(function))
