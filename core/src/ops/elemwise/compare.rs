//! Comparisons and logic: 1 where something holds, else 0, in the dtype of the arrays.

use crate::ops::family::prelude::*;

binary! {
    /// 1 where the left of two arrays of one shape is equal to the right, else 0.
    Equal = "_equal" aliases ["_Equal"], same,
    Arith on (-0.5, 1.0), |x, y| T::truth(x == y),
    zero
}

binary! {
    /// 1 where the left of two arrays of one shape is not equal to the right, else 0.
    NotEqual = "_not_equal" aliases ["_Not_Equal"], same,
    Arith on (-0.5, 1.0), |x, y| T::truth(x != y),
    zero
}

binary! {
    /// 1 where the left of two arrays of one shape is greater than the right, else 0.
    Greater = "_greater" aliases ["_Greater"], same,
    Arith on (-0.5, 1.0), |x, y| T::truth(x > y),
    zero
}

binary! {
    /// 1 where the left of two arrays of one shape is greater than or equal to the right, else 0.
    GreaterEqual = "_greater_equal" aliases ["_Greater_Equal"], same,
    Arith on (-0.5, 1.0), |x, y| T::truth(x >= y),
    zero
}

binary! {
    /// 1 where the left of two arrays of one shape is less than the right, else 0.
    Lesser = "_lesser" aliases ["_Lesser"], same,
    Arith on (-0.5, 1.0), |x, y| T::truth(x < y),
    zero
}

binary! {
    /// 1 where the left of two arrays of one shape is less than or equal to the right, else 0.
    LesserEqual = "_lesser_equal" aliases ["_Lesser_Equal"], same,
    Arith on (-0.5, 1.0), |x, y| T::truth(x <= y),
    zero
}

binary! {
    /// 1 where both are not 0 in two arrays of one shape, else 0.
    LogicalAnd = "_logical_and" aliases ["_Logical_And"], same,
    Arith on (-0.5, 1.0), |x, y| T::truth(x.is_true() && y.is_true()),
    zero
}

binary! {
    /// 1 where at least one is not 0 in two arrays of one shape, else 0.
    LogicalOr = "_logical_or" aliases ["_Logical_Or"], same,
    Arith on (-0.5, 1.0), |x, y| T::truth(x.is_true() || y.is_true()),
    zero
}

binary! {
    /// 1 where one alone is not 0 in two arrays of one shape, else 0.
    LogicalXor = "_logical_xor" aliases ["_Logical_Xor"], same,
    Arith on (-0.5, 1.0), |x, y| T::truth(x.is_true() != y.is_true()),
    zero
}

binary! {
    /// 1 where the left of two arrays whose shapes broadcast is equal to the right, else 0.
    BroadcastEqual = "broadcast_equal", broadcast,
    Arith on (-0.5, 1.0), |x, y| T::truth(x == y),
    zero
}

binary! {
    /// 1 where the left of two arrays whose shapes broadcast is not equal to the right, else 0.
    BroadcastNotEqual = "broadcast_not_equal", broadcast,
    Arith on (-0.5, 1.0), |x, y| T::truth(x != y),
    zero
}

binary! {
    /// 1 where the left of two arrays whose shapes broadcast is greater than the right, else 0.
    BroadcastGreater = "broadcast_greater", broadcast,
    Arith on (-0.5, 1.0), |x, y| T::truth(x > y),
    zero
}

binary! {
    /// 1 where the left of two arrays whose shapes broadcast is greater than or equal to the right, else 0.
    BroadcastGreaterEqual = "broadcast_greater_equal", broadcast,
    Arith on (-0.5, 1.0), |x, y| T::truth(x >= y),
    zero
}

binary! {
    /// 1 where the left of two arrays whose shapes broadcast is less than the right, else 0.
    BroadcastLesser = "broadcast_lesser", broadcast,
    Arith on (-0.5, 1.0), |x, y| T::truth(x < y),
    zero
}

binary! {
    /// 1 where the left of two arrays whose shapes broadcast is less than or equal to the right, else 0.
    BroadcastLesserEqual = "broadcast_lesser_equal", broadcast,
    Arith on (-0.5, 1.0), |x, y| T::truth(x <= y),
    zero
}

binary! {
    /// 1 where both are not 0 in two arrays whose shapes broadcast, else 0.
    BroadcastLogicalAnd = "broadcast_logical_and", broadcast,
    Arith on (-0.5, 1.0), |x, y| T::truth(x.is_true() && y.is_true()),
    zero
}

binary! {
    /// 1 where at least one is not 0 in two arrays whose shapes broadcast, else 0.
    BroadcastLogicalOr = "broadcast_logical_or", broadcast,
    Arith on (-0.5, 1.0), |x, y| T::truth(x.is_true() || y.is_true()),
    zero
}

binary! {
    /// 1 where one alone is not 0 in two arrays whose shapes broadcast, else 0.
    BroadcastLogicalXor = "broadcast_logical_xor", broadcast,
    Arith on (-0.5, 1.0), |x, y| T::truth(x.is_true() != y.is_true()),
    zero
}

scalar! {
    /// 1 where an element is equal to a scalar, else 0.
    EqualScalar = "_equal_scalar" aliases ["_EqualScalar"],
    Arith on (0.5, 2.0), |x; c| T::truth(x == c), zero
}

scalar! {
    /// 1 where an element is not equal to a scalar, else 0.
    NotEqualScalar = "_not_equal_scalar" aliases ["_NotEqualScalar"],
    Arith on (0.5, 2.0), |x; c| T::truth(x != c), zero
}

scalar! {
    /// 1 where an element is greater than a scalar, else 0.
    GreaterScalar = "_greater_scalar" aliases ["_GreaterScalar"],
    Arith on (0.5, 2.0), |x; c| T::truth(x > c), zero
}

scalar! {
    /// 1 where an element is greater than or equal to a scalar, else 0.
    GreaterEqualScalar = "_greater_equal_scalar" aliases ["_GreaterEqualScalar"],
    Arith on (0.5, 2.0), |x; c| T::truth(x >= c), zero
}

scalar! {
    /// 1 where an element is less than a scalar, else 0.
    LesserScalar = "_lesser_scalar" aliases ["_LesserScalar"],
    Arith on (0.5, 2.0), |x; c| T::truth(x < c), zero
}

scalar! {
    /// 1 where an element is less than or equal to a scalar, else 0.
    LesserEqualScalar = "_lesser_equal_scalar" aliases ["_LesserEqualScalar"],
    Arith on (0.5, 2.0), |x; c| T::truth(x <= c), zero
}

scalar! {
    /// 1 where both are not 0, of an element and a scalar, else 0.
    LogicalAndScalar = "_logical_and_scalar" aliases ["_LogicalAndScalar"],
    Arith on (0.5, 2.0), |x; c| T::truth(x.is_true() && c.is_true()), zero
}

scalar! {
    /// 1 where at least one is not 0, of an element and a scalar, else 0.
    LogicalOrScalar = "_logical_or_scalar" aliases ["_LogicalOrScalar"],
    Arith on (0.5, 2.0), |x; c| T::truth(x.is_true() || c.is_true()), zero
}

scalar! {
    /// 1 where one alone is not 0, of an element and a scalar, else 0.
    LogicalXorScalar = "_logical_xor_scalar" aliases ["_LogicalXorScalar"],
    Arith on (0.5, 2.0), |x; c| T::truth(x.is_true() != c.is_true()), zero
}
