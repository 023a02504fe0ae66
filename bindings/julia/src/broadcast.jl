# Dots: `a .+ exp.(b)` calls an operator for each dot.

import Base.Broadcast: Broadcasted, BroadcastStyle

struct ArrayStyle <: BroadcastStyle end
struct NodeStyle <: BroadcastStyle end

BroadcastStyle(::Type{<:NDArray}) = ArrayStyle()
BroadcastStyle(::ArrayStyle, ::BroadcastStyle) = ArrayStyle()
BroadcastStyle(::Type{SymbolicNode}) = NodeStyle()
BroadcastStyle(::NodeStyle, ::BroadcastStyle) = NodeStyle()
Base.broadcastable(node::SymbolicNode) = node
# Sizes are the operators' to judge.
Base.Broadcast.instantiate(b::Broadcasted{ArrayStyle}) = b
Base.Broadcast.instantiate(b::Broadcasted{NodeStyle}) = b
Base.axes(::Broadcasted{NodeStyle}) = ()

Base.copy(b::Broadcasted{ArrayStyle}) = evaluated(b)
Base.copy(b::Broadcasted{NodeStyle}) = evaluated(b)
Base.materialize!(to::NDArray, b::Broadcasted{ArrayStyle}) = stored!(to, b)
function Base.materialize!(to::NDArray, b::Broadcasted)
    value = Base.materialize(b)
    return value isa Real ? fill!(to, value) : copy!(to, spread(value, size(to)))
end

spread(value::AbstractArray, dims) =
    size(value) == dims ? value : Base.broadcast!(identity, Array{eltype(value)}(undef, dims), value)

"Puts the result of the outermost dot into an array."
function stored!(to::NDArray{T}, b::Broadcasted) where {T}
    value = evaluated(b)
    value isa Real && return fill!(to, value)
    size(value) == size(to) || (value = mx.broadcast_to(padded(value, ndims(to)), shape = size(to)))
    return copy!(to, value)
end

evaluated(x) = x
evaluated(x::Base.RefValue) = x[]
evaluated(b::Broadcasted) = applied(b.f, map(evaluated, b.args)...)

"With axes of size 1 behind, to a number of axes."
padded(x::NDArray, n) = ndims(x) >= n ? x : reshape(x, (size(x)..., ntuple(_ -> 1, n - ndims(x))...))

# Numbers among themselves, as in `a .* (2 .+ 3)`, are Julia's.
applied(f, numbers::Real...) = f(numbers...)
applied(f, x::NDArray) = getfield(mx, unary(f))(x)
applied(f, x::SymbolicNode) = getfield(mx, unary(f))(x)
applied(::Type{T}, x::NDArray) where {T<:DType} = cast(x, T)
applied(f, x, y, z, rest...) = applied(f, applied(f, x, y), z, rest...)
applied(f, a::Operand, b::Operand) = symbolic_or_refused(f, a, b)
applied(f, a::Real, b::Real) = f(a, b)
# `x .^ 2` comes as a call of this function.
applied(::typeof(Base.literal_pow), ::typeof(^), x, ::Val{P}) where {P} =
    P == 2 ? applied(abs2, x) : P == 1 ? x : applied(^, x, P)
applied(::typeof(Base.literal_pow), ::typeof(^), x::Real, ::Val{P}) where {P} = x^P

unary(f) = get(() -> no_operator(f), UNARY, f)
binary(f) = get(() -> no_operator(f), BINARY, f)
no_operator(f) = throw(MXError(:UNSUPPORTED, "there is no operator for $f. with dots"))
symbolic_or_refused(f, a, b) = haskey(BINARY, f) ? symbolic(f, a, b) : no_operator(f)

# The common ones are methods, which the compiler finds; all others go by the table.
for (f, number_op, both, right, left) in (
    (:+, true, "broadcast_add", :_plus_scalar, :_plus_scalar),
    (:-, true, "broadcast_sub", :_minus_scalar, :_rminus_scalar),
    (:*, true, "broadcast_mul", :_mul_scalar, :_mul_scalar),
    (:/, true, "broadcast_div", :_div_scalar, :_rdiv_scalar),
)
    number = number_of(both)
    @eval @inline applied(::typeof($f), a::NDArray{T,N}, b::NDArray{T,N}) where {T,N} =
        same_typed(OPS[$number], a, b)
    @eval applied(::typeof($f), a::NDArray, b::Real) = mx.$right(a, scalar = b)
    @eval applied(::typeof($f), a::Real, b::NDArray) = mx.$left(b, scalar = a)
end

function applied(f, a::NDArray, b::NDArray)
    operator = getfield(mx, binary(f)[1])
    n = max(ndims(a), ndims(b))
    a, b = promoted(padded(a, n), padded(b, n))
    return operator(a, b)
end
applied(f, a::NDArray, b::Real) = getfield(mx, binary(f)[2])(a, scalar = b)
applied(f, a::Real, b::NDArray) = getfield(mx, binary(f)[3])(b, scalar = a)
applied(f, a::NDArray, b::AbstractArray) = applied(f, a, NDArray(b))
applied(f, a::AbstractArray, b::NDArray) = applied(f, NDArray(a), b)
