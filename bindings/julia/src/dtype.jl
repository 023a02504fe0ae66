# Dtypes: Julia's types by the codes of the C ABI.

"The upper half of a `Float32`, of which MXNet's models are made too."
primitive type BFloat16 <: AbstractFloat 16 end

BFloat16(x::BFloat16) = x
function BFloat16(x::Float32)
    bits = reinterpret(UInt32, x)
    isnan(x) && return reinterpret(BFloat16, ((bits >> 16) % UInt16) | 0x0040)
    # To the nearest, ties to even.
    return reinterpret(BFloat16, ((bits + 0x7fff + ((bits >> 16) & 1)) >> 16) % UInt16)
end
BFloat16(x::Real) = BFloat16(Float32(x))
Base.Float32(x::BFloat16) = reinterpret(Float32, UInt32(reinterpret(UInt16, x)) << 16)
Base.Float64(x::BFloat16) = Float64(Float32(x))
Base.Float16(x::BFloat16) = Float16(Float32(x))
Base.convert(::Type{BFloat16}, x::Real) = BFloat16(x)
Base.promote_rule(::Type{BFloat16}, ::Type{T}) where {T<:Union{Float32,Float64}} = T
Base.promote_rule(::Type{BFloat16}, ::Type{<:Integer}) = BFloat16
Base.promote_rule(::Type{BFloat16}, ::Type{Float16}) = Float32
for op in (:+, :-, :*, :/)
    @eval Base.$op(a::BFloat16, b::BFloat16) = BFloat16($op(Float32(a), Float32(b)))
end
for op in (:(==), :<, :<=)
    @eval Base.$op(a::BFloat16, b::BFloat16) = $op(Float32(a), Float32(b))
end
Base.:-(x::BFloat16) = BFloat16(-Float32(x))
Base.zero(::Type{BFloat16}) = reinterpret(BFloat16, 0x0000)
Base.one(::Type{BFloat16}) = reinterpret(BFloat16, 0x3f80)
Base.isnan(x::BFloat16) = isnan(Float32(x))
Base.isfinite(x::BFloat16) = isfinite(Float32(x))
Base.show(io::IO, x::BFloat16) = print(io, "BFloat16(", Float32(x), ")")

# Type, code and name.
const DTYPES = (
    (Float32, MXR_FLOAT32, "float32"), (Float64, MXR_FLOAT64, "float64"), (Float16, MXR_FLOAT16, "float16"),
    (BFloat16, MXR_BFLOAT16, "bfloat16"), (UInt8, MXR_UINT8, "uint8"), (Int32, MXR_INT32, "int32"),
    (Int8, MXR_INT8, "int8"), (Int64, MXR_INT64, "int64"), (Bool, MXR_BOOL, "bool"),
)

"Types that arrays may have."
const DType = Union{Float32,Float64,Float16,BFloat16,UInt8,Int32,Int8,Int64,Bool}

for (T, code, name) in DTYPES
    @eval dtype_code(::Type{$T}) = $code
    @eval dtype_name(::Type{$T}) = $name
end
dtype_code(T) = refuse(:DTYPE, :dtype, "expected one of $(join(first.(DTYPES), ", ")), got $T")
dtype_name(T) = (dtype_code(T); "")

"The type of a code."
function dtype_of(code::Integer)
    for (T, known, _) in DTYPES
        known == code && return T
    end
    throw(MXError(:DTYPE, "there is no Julia type for the dtype of code $code"))
end

"The type that a name or a type means."
dtype(T::Type) = (dtype_code(T); T)
function dtype(name::Union{AbstractString,Symbol})
    for (T, _, known) in DTYPES
        known == String(name) && return T
    end
    throw(MXError(:DTYPE, "there is no dtype $name"))
end
