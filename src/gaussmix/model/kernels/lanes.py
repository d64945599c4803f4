"""What the compiled kernels are written with: compilation, and exp and log that vectorise.

Calls to libm do not vectorise, so exp and log are polynomials with bit arithmetic. Importing this module
imports numba.
"""

# mypy: ignore-errors
# (compiled functions have the types that numba infers)

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from typing import Any

import numba
import numpy as np
from llvmlite import ir
from numba import types
from numba.extending import intrinsic, overload

# Sums may be reassociated into lanes; infinities and NaN never reach the kernels (the door checks the data)
_FAST = {"reassoc", "contract", "nsz", "arcp", "nnan", "ninf"}
# the magic-number roundings below must keep their order
_EXACT = {"contract"}


def compile_kernel(function: Callable[..., Any]) -> Callable[..., Any]:
    """Compile lazily, with the result kept on disk where a writable place for it exists."""
    options: dict[str, Any] = {"fastmath": _FAST, "error_model": "numpy", "nogil": True}
    try:
        dispatcher = numba.njit(cache=True, **options)(function)
    except RuntimeError:  # no locator: neither the package's folder nor the user's cache can be written
        return numba.njit(**options)(function)
    _never_fail_to_keep(dispatcher)
    return dispatcher


def _never_fail_to_keep(dispatcher: Any) -> None:
    """A full disk costs the next process the time to compile again, not this one its fit."""
    cache = dispatcher._cache
    save = cache.save_overload

    def save_if_possible(signature, data):
        with suppress(OSError):
            save(signature, data)

    cache.save_overload = save_if_possible


@intrinsic
def widen_vectors(typingctx):
    """Let the enclosing function use 512-bit vectors where the processor has them (LLVM defaults to 256)."""

    def codegen(context, builder, signature, arguments):
        set.add(builder.function.attributes, '"prefer-vector-width"="512"')
        return context.get_dummy_value()

    return types.void(), codegen


@intrinsic
def _read_bits(typingctx, x):
    """The bits of a float as a signed integer of the same width."""
    integer = types.int64 if x == types.float64 else types.int32

    def codegen(context, builder, signature, arguments):
        return builder.bitcast(arguments[0], ir.IntType(integer.bitwidth))

    return integer(x), codegen


@intrinsic
def _make_float(typingctx, i):
    """The float that has these bits."""
    wide = i == types.int64

    def codegen(context, builder, signature, arguments):
        return builder.bitcast(arguments[0], ir.DoubleType() if wide else ir.FloatType())

    return (types.float64 if wide else types.float32)(i), codegen


def exp(x: Any) -> Any:
    """e^x for x <= 0, within two units in the last place; held at the least exponent of `softmax.softmax`."""
    return np.exp(x)


def log(x: Any) -> Any:
    """Log x for normal x >= 1, within two units in the last place."""
    return np.log(x)


@overload(exp, jit_options={"fastmath": _EXACT})
def _exp_compiled(x):
    if x == types.float64:
        # x = n log 2 + r; adding 1.5 * 2^52 leaves n in the low bits. Taylor to r^12 for |r| <= log(2) / 2.
        def exp64(x):
            y = max(x, -230.0)
            t = y * 1.4426950408889634 + 6755399441055744.0
            n = t - 6755399441055744.0
            r = (y - n * 6.93147180369123816490e-01) - n * 1.90821492927058770002e-10
            p = 2.08767569878680989792e-09
            p = p * r + 2.50521083854417187751e-08
            p = p * r + 2.75573192239858906526e-07
            p = p * r + 2.75573192239858906526e-06
            p = p * r + 2.48015873015873015873e-05
            p = p * r + 1.98412698412698412698e-04
            p = p * r + 1.38888888888888888889e-03
            p = p * r + 8.33333333333333333333e-03
            p = p * r + 4.16666666666666666667e-02
            p = p * r + 1.66666666666666666667e-01
            p = p * r + 0.5
            p = p * r + 1.0
            p = p * r + 1.0
            return _make_float(_read_bits(p) + (_read_bits(t) << 52))

        return exp64

    def exp32(x):
        one = np.float32(1.0)
        y = max(x, np.float32(-60.0))
        t = y * np.float32(1.44269504) + np.float32(12582912.0)
        n = t - np.float32(12582912.0)
        r = (y - n * np.float32(0.693359375)) - n * np.float32(-2.12194440e-4)
        p = np.float32(1.9875691500e-4)
        p = p * r + np.float32(1.3981999507e-3)
        p = p * r + np.float32(8.3334519073e-3)
        p = p * r + np.float32(4.1665795894e-2)
        p = p * r + np.float32(1.6666665459e-1)
        p = p * r + np.float32(5.0000001201e-1)
        p = (p * r) * r + r + one
        return _make_float(types.int32(_read_bits(p) + types.int32(_read_bits(t) << types.int32(23))))

    return exp32


@overload(log, jit_options={"fastmath": _EXACT})
def _log_compiled(x):
    # x = 2^e m with m in [sqrt(1/2), sqrt(2)); log m = 2 artanh(s), s = f / (2 + f), f = m - 1
    if x == types.float64:

        def log64(x):
            e = (_read_bits(x) - 0x3FE6A09E667F3BCD) >> 52
            f = _make_float(_read_bits(x) - (e << 52)) - 1.0
            k = _make_float(e | 0x4330000000000000) - 4503599627370496.0
            s = f / (2.0 + f)
            z = s * s
            p = 1.479819860511658591e-01
            p = p * z + 1.531383769920937332e-01
            p = p * z + 1.818357216161805012e-01
            p = p * z + 2.222219843214978396e-01
            p = p * z + 2.857142874366239149e-01
            p = p * z + 3.999999999940941908e-01
            p = p * z + 6.666666666666735130e-01
            h = 0.5 * f * f
            tail = s * (h + p * z) + k * 1.90821492927058770002e-10
            return k * 6.93147180369123816490e-01 - ((h - tail) - f)

        return log64

    def log32(x):
        e = types.int32(types.int32(_read_bits(x) - types.int32(0x3F3504F3)) >> types.int32(23))
        f = _make_float(types.int32(_read_bits(x) - types.int32(e << types.int32(23)))) - np.float32(1.0)
        k = np.float32(e)
        s = f / (np.float32(2.0) + f)
        z = s * s
        p = np.float32(0.24279078841)
        p = p * z + np.float32(0.28498786688)
        p = p * z + np.float32(0.40000972152)
        p = p * z + np.float32(0.66666662693)
        h = np.float32(0.5) * f * f
        tail = s * (h + p * z) + k * np.float32(9.0580006145e-06)
        return k * np.float32(6.9313812256e-01) - ((h - tail) - f)

    return log32
