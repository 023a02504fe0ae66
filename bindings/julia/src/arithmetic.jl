# Arithmetic without dots: of arrays of equal sizes, of an array and a number, and of matrices.

"The result of a call whose type is known, by its two inputs."
@inline function same_typed(op, a::NDArray{T,N}, b) where {T,N}
    return NDArray{T,N}(GC.@preserve a b result(op, (live(a), live(b)), (), C_NULL))
end

number_of(name) = findfirst(op -> op.name == name, OPS)::Int

for (sign, operator) in ((:+, "elemwise_add"), (:-, "elemwise_sub"))
    number = number_of(operator)
    @eval @inline Base.$sign(a::NDArray{T,N}, b::NDArray{T,N}) where {T,N} = same_typed(OPS[$number], a, b)
end
Base.:+(a::NDArray, b::NDArray) = +(alike(a, b)...)
Base.:-(a::NDArray, b::NDArray) = -(alike(a, b)...)

"Two arrays in the dtype that Julia would compute with. Sizes are left to the operators."
function alike(a::NDArray{T}, b::NDArray{S}) where {T,S}
    ndims(a) == ndims(b) || throw(DimensionMismatch("arrays of sizes $(size(a)) and $(size(b))"))
    R = promote_type(T, S)
    return cast(a, R), cast(b, R)
end

Base.:-(x::NDArray) = mx.negative(x)
Base.:+(x::NDArray) = x
Base.:*(x::NDArray, v::Real) = mx._mul_scalar(x, scalar = v)
Base.:*(v::Real, x::NDArray) = mx._mul_scalar(x, scalar = v)
Base.:/(x::NDArray, v::Real) = mx._div_scalar(x, scalar = v)
Base.:\(v::Real, x::NDArray) = mx._div_scalar(x, scalar = v)
Base.:+(x::NDArray, v::Real) = mx._plus_scalar(x, scalar = v)
Base.:+(v::Real, x::NDArray) = mx._plus_scalar(x, scalar = v)
Base.:-(x::NDArray, v::Real) = mx._minus_scalar(x, scalar = v)
Base.:-(v::Real, x::NDArray) = mx._rminus_scalar(x, scalar = v)

# Axes are reversed, so the library sees both factors transposed and has to multiply them the other way round.
"The product of two matrices, or of a matrix and a vector."
Base.:*(a::NDArray{T,2}, b::NDArray{S,2}) where {T,S} = mx.dot(reverse(promoted(a, b))...)
Base.:*(a::NDArray{T,2}, b::NDArray{S,1}) where {T,S} = mx.dot(reverse(promoted(a, b))...)
promoted(a::NDArray{T}, b::NDArray{S}) where {T,S} = (R = promote_type(T, S); (cast(a, R), cast(b, R)))
LinearAlgebra.dot(a::NDArray{T,1}, b::NDArray{S,1}) where {T,S} = scalar(mx.dot(promoted(a, b)...))

Base.transpose(x::NDArray{T,2}) where {T} = mx.transpose(x)
Base.adjoint(x::NDArray{T,2}) where {T} = mx.transpose(x)
# Of a list of axes the last is the library's first.
Base.permutedims(x::NDArray, perm) = mx.transpose(x, axes = ndims(x) .- Tuple(perm))
Base.permutedims(x::NDArray{T,2}) where {T} = mx.transpose(x)

# In place.
"`a` becomes `a .+ b`."
add!(a::NDArray, b::NDArray) = mx.broadcast_add(a, b, out = a)
add!(a::NDArray, b::Real) = mx._plus_scalar(a, scalar = b, out = a)
"`a` becomes `a .- b`."
sub!(a::NDArray, b::NDArray) = mx.broadcast_sub(a, b, out = a)
sub!(a::NDArray, b::Real) = mx._minus_scalar(a, scalar = b, out = a)
"`a` becomes `a .* b`."
mul!(a::NDArray, b::NDArray) = mx.broadcast_mul(a, b, out = a)
mul!(a::NDArray, b::Real) = mx._mul_scalar(a, scalar = b, out = a)
"`a` becomes `a ./ b`."
div!(a::NDArray, b::NDArray) = mx.broadcast_div(a, b, out = a)
div!(a::NDArray, b::Real) = mx._div_scalar(a, scalar = b, out = a)

# Symbols. With dots and without, as sizes are not known.
const Operand = Union{SymbolicNode,Real}
const BINARY = Dict{Any,NTuple{3,Symbol}}(
    # On two arrays, on an array and a number, on a number and an array.
    (+) => (:broadcast_add, :_plus_scalar, :_plus_scalar),
    (-) => (:broadcast_sub, :_minus_scalar, :_rminus_scalar),
    (*) => (:broadcast_mul, :_mul_scalar, :_mul_scalar),
    (/) => (:broadcast_div, :_div_scalar, :_rdiv_scalar),
    (^) => (:broadcast_power, :_power_scalar, :_rpower_scalar),
    (%) => (:broadcast_mod, :_mod_scalar, :_rmod_scalar),
    mod => (:broadcast_mod, :_mod_scalar, :_rmod_scalar),
    max => (:broadcast_maximum, :_maximum_scalar, :_maximum_scalar),
    min => (:broadcast_minimum, :_minimum_scalar, :_minimum_scalar),
    hypot => (:broadcast_hypot, :_hypot_scalar, :_hypot_scalar),
    (==) => (:broadcast_equal, :_equal_scalar, :_equal_scalar),
    (!=) => (:broadcast_not_equal, :_not_equal_scalar, :_not_equal_scalar),
    (>) => (:broadcast_greater, :_greater_scalar, :_lesser_scalar),
    (>=) => (:broadcast_greater_equal, :_greater_equal_scalar, :_lesser_equal_scalar),
    (<) => (:broadcast_lesser, :_lesser_scalar, :_greater_scalar),
    (<=) => (:broadcast_lesser_equal, :_lesser_equal_scalar, :_greater_equal_scalar),
)
# Julia's `%` has the sign of the first, the operator that of the second.
delete!(BINARY, %)

"Operators of one array, by Julia's function."
const UNARY = Dict{Any,Symbol}(
    (-) => :negative, abs => :abs, sign => :sign, ceil => :ceil, floor => :floor, trunc => :trunc,
    sqrt => :sqrt, cbrt => :cbrt, abs2 => :square, inv => :reciprocal, exp => :exp, expm1 => :expm1,
    log => :log,
    log10 => :log10, log2 => :log2, log1p => :log1p, sin => :sin, cos => :cos, tan => :tan, asin => :arcsin,
    acos => :arccos, atan => :arctan, sinh => :sinh, cosh => :cosh, tanh => :tanh, asinh => :arcsinh,
    acosh => :arccosh, atanh => :arctanh, rad2deg => :degrees, deg2rad => :radians, (!) => :logical_not,
    identity => :_copy,
)
# Not `round`: the operators do not take halves to even numbers, as Julia does.

function symbolic(f, a, b)
    both, right, left = BINARY[f]
    a isa SymbolicNode && b isa SymbolicNode && return getfield(mx, both)(a, b)
    return a isa SymbolicNode ? getfield(mx, right)(a, scalar = b) : getfield(mx, left)(b, scalar = a)
end
for f in (:+, :-, :*, :/, :^)
    @eval Base.$f(a::SymbolicNode, b::SymbolicNode) = symbolic($f, a, b)
    @eval Base.$f(a::SymbolicNode, b::Real) = symbolic($f, a, b)
    @eval Base.$f(a::Real, b::SymbolicNode) = symbolic($f, a, b)
end
Base.:^(a::SymbolicNode, b::Integer) = symbolic(^, a, b)
Base.:-(a::SymbolicNode) = mx.negative(a)
