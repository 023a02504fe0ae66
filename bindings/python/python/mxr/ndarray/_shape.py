"""The special codes of MXNet's ``reshape``."""

from ..base import ShapeError


def target_shape(shape, codes, reverse=False):
    """The sizes that codes mean for an array of a shape; -1 may be among them.

    0 copies a size, -1 is inferred, -2 copies all that are left, -3 merges two, -4 splits one in
    the two that follow. With ``reverse`` they are read from the right.
    """
    if all(code > 0 or code == -1 for code in codes):
        return tuple(codes)
    if reverse:
        return target_shape(shape[::-1], codes[::-1])[::-1]
    sizes, at, i = [], 0, 0

    def take():
        nonlocal at
        if at >= len(shape):
            raise ShapeError(f"shape: {codes} names more axes than the array's {shape}")
        at += 1
        return shape[at - 1]

    while i < len(codes):
        code = codes[i]
        i += 1
        if code == 0:
            sizes.append(take())
        elif code == -1:
            at += 1
            sizes.append(-1)
        elif code == -2:
            sizes.extend(shape[at:])
            at = len(shape)
        elif code == -3:
            sizes.append(take() * take())
        elif code == -4:
            if i + 2 > len(codes):
                raise ShapeError(f"shape: -4 needs two sizes after it, got {codes}")
            whole, (first, second) = take(), codes[i : i + 2]
            i += 2
            if first == -1:
                first = whole // second
            elif second == -1:
                second = whole // first
            if first * second != whole:
                raise ShapeError(f"shape: {whole} is not {first} x {second}")
            sizes += [first, second]
        elif code > 0:
            at += 1
            sizes.append(code)
        else:
            raise ShapeError(f"shape: no code is {code}, in {codes}")
    return tuple(sizes)
