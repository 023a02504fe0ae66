//! Remainders, powers, extremes and the hypotenuse, of two arrays or of an array and a scalar.

use super::{BroadcastGreater, BroadcastGreaterEqual, BroadcastLesser, BroadcastLesserEqual, Floor};
use super::{GreaterEqualScalar, LesserEqualScalar, Log};
use crate::ops::family::prelude::*;

binary! {
    /// Remainder of the elements of one array divided by another of its shape, with the sign of the divisor; 0 where that is 0.
    Mod = "_mod" aliases ["_Mod"], same,
    Arith [jumps] on (0.5, 2.0), |x, y| x.modulo(y),
    |dy, _, _, _| dy,
    |dy, x, y, _| -(dy * (x / y).apply(Floor, &[]))
}

binary! {
    /// Remainder of the elements of one array divided by another whose shape broadcasts with it, with the sign of the divisor; 0 where that is 0.
    BroadcastMod = "broadcast_mod", broadcast,
    Arith [jumps] on (0.5, 2.0), |x, y| x.modulo(y),
    |dy, _, _, _| dy,
    |dy, x, y, _| -(dy * (x / y).apply(Floor, &[]))
}

binary! {
    /// The elements of one array to the power of another of its shape.
    Power = "_power" aliases ["_Power"], same,
    Real on (0.5, 2.0), |x, y| x.pow(y),
    |dy, x, y, _| dy * y * x.apply(BroadcastPower, &[y - 1.0]),
    |dy, x, _, out| dy * out * x.apply(Log, &[])
}

binary! {
    /// The elements of one array to the power of another whose shape broadcasts with it.
    BroadcastPower = "broadcast_power", broadcast,
    Real on (0.5, 2.0), |x, y| x.pow(y),
    |dy, x, y, _| dy * y * x.apply(BroadcastPower, &[y - 1.0]),
    |dy, x, _, out| dy * out * x.apply(Log, &[])
}

binary! {
    /// Larger of the elements of one array and another of its shape; NaN if either is.
    Maximum = "_maximum" aliases ["_Maximum"], same,
    Arith on (-2.0, 2.0), |x, y| x.maximum(y),
    |dy, x, y, _| dy * x.apply(BroadcastGreaterEqual, &[y]),
    |dy, x, y, _| dy * x.apply(BroadcastLesser, &[y])
}

binary! {
    /// Larger of the elements of one array and another whose shape broadcasts with it; NaN if either is.
    BroadcastMaximum = "broadcast_maximum" aliases ["_npi_maximum"], broadcast,
    Arith on (-2.0, 2.0), |x, y| x.maximum(y),
    |dy, x, y, _| dy * x.apply(BroadcastGreaterEqual, &[y]),
    |dy, x, y, _| dy * x.apply(BroadcastLesser, &[y])
}

binary! {
    /// Smaller of the elements of one array and another of its shape; NaN if either is.
    Minimum = "_minimum" aliases ["_Minimum"], same,
    Arith on (-2.0, 2.0), |x, y| x.minimum(y),
    |dy, x, y, _| dy * x.apply(BroadcastLesserEqual, &[y]),
    |dy, x, y, _| dy * x.apply(BroadcastGreater, &[y])
}

binary! {
    /// Smaller of the elements of one array and another whose shape broadcasts with it; NaN if either is.
    BroadcastMinimum = "broadcast_minimum" aliases ["_npi_minimum"], broadcast,
    Arith on (-2.0, 2.0), |x, y| x.minimum(y),
    |dy, x, y, _| dy * x.apply(BroadcastLesserEqual, &[y]),
    |dy, x, y, _| dy * x.apply(BroadcastGreater, &[y])
}

binary! {
    /// Square root of the sum of the squares of two arrays of one shape.
    Hypot = "_hypot" aliases ["_Hypot"], same,
    Real on (0.5, 2.0), |x, y| x.hypot(y),
    |dy, x, _, out| dy * x / out,
    |dy, _, y, out| dy * y / out
}

binary! {
    /// Square root of the sum of the squares of two arrays whose shapes broadcast.
    BroadcastHypot = "broadcast_hypot", broadcast,
    Real on (0.5, 2.0), |x, y| x.hypot(y),
    |dy, x, _, out| dy * x / out,
    |dy, _, y, out| dy * y / out
}

scalar! {
    /// Remainder of the elements divided by a scalar, with the sign of the divisor; 0 where that is 0.
    ModScalar = "_mod_scalar" aliases ["_ModScalar"],
    Arith on (0.0625, 1.25), |x; c| x.modulo(c), |dy, _, _, _| dy
}

scalar! {
    /// The elements to the power of a scalar.
    PowerScalar = "_power_scalar" aliases ["_PowerScalar"],
    Real on (0.5, 2.0), |x; c| x.pow(c), |dy, x, _, c| dy * x.apply(PowerScalar::new(c - 1.0), &[]) * c
}

scalar! {
    /// Larger of the elements and a scalar; NaN if either is.
    MaximumScalar = "_maximum_scalar" aliases ["_MaximumScalar", "_npi_maximum_scalar"],
    Arith on (-2.0, 1.4), |x; c| x.maximum(c), |dy, x, _, c| dy * x.apply(GreaterEqualScalar::new(c), &[])
}

scalar! {
    /// Smaller of the elements and a scalar; NaN if either is.
    MinimumScalar = "_minimum_scalar" aliases ["_MinimumScalar", "_npi_minimum_scalar"],
    Arith on (-2.0, 1.4), |x; c| x.minimum(c), |dy, x, _, c| dy * x.apply(LesserEqualScalar::new(c), &[])
}

scalar! {
    /// Square root of the sum of the squares of the elements and a scalar.
    HypotScalar = "_hypot_scalar" aliases ["_HypotScalar", "_npi_hypot_scalar"],
    Real on (0.5, 2.0), |x; c| x.hypot(c), |dy, x, out, _| dy * x / out
}

scalar! {
    /// Remainder of a scalar divided by the elements, with the sign of the divisor; 0 where that is 0.
    RModScalar = "_rmod_scalar" aliases ["_RModScalar"],
    Arith [jumps] on (0.5, 1.4), |x; c| c.modulo(x), |dy, x, _, c| -(dy * (c / x).apply(Floor, &[]))
}

scalar! {
    /// A scalar to the power of the elements.
    RPowerScalar = "_rpower_scalar" aliases ["_RPowerScalar"],
    Real on (-2.0, 2.0), |x; c| c.pow(x), |dy, _, out, c| dy * out * c.ln()
}
