# Attributes of operators and the like, as they cross to the library.

struct Absent end
"Stands for an attribute that is not given: the library's default."
const absent = Absent()
Base.show(io::IO, ::Absent) = print(io, "default")

const NO_INT = typemin(Int64)

@inline raw(id, tag, integer = 0, number = 0.0, data = C_NULL) =
    mxr_attr_t(UInt32(id), tag, Int64(integer), Float64(number), Ptr{Cvoid}(data))

"The value of an attribute; the caller keeps what it points to."
@inline attr(id, ::Absent) = raw(id, MXR_ATTR_NONE)
@inline attr(id, ::Nothing) = raw(id, MXR_ATTR_NO_VALUE)
@inline attr(id, v::Bool) = raw(id, MXR_ATTR_BOOL, v)
@inline attr(id, v::Integer) = raw(id, MXR_ATTR_INT, v)
@inline attr(id, v::Real) = raw(id, MXR_ATTR_FLOAT, 0, v)
@inline attr(id, v::Type) = raw(id, MXR_ATTR_INT, dtype_code(v))
attr(id, v::String) = raw(id, MXR_ATTR_STRING, sizeof(v), 0.0, pointer(v))
attr(id, v::Vector{Int64}) = raw(id, MXR_ATTR_INTS, length(v), 0.0, pointer(v))
attr(id, v::Vector{Float64}) = raw(id, MXR_ATTR_FLOATS, length(v), 0.0, pointer(v))
function attr(id, v::Symbol)
    text = Base.unsafe_convert(Ptr{UInt8}, v)
    # Symbols stay for ever.
    return raw(id, MXR_ATTR_STRING, ccall(:strlen, Csize_t, (Ptr{UInt8},), text), 0.0, text)
end
attr(id, v) = throw(MXError(:INVALID_TYPE,
    "expected a number, a truth value, a text, a dtype or a tuple of numbers, got $(typeof(v))"))

"Texts as the library takes them, with what keeps them."
struct Texts
    texts::Vector{String}
    pointers::Vector{Ptr{UInt8}}
end
function Texts(texts)
    kept = String[String(t) for t in texts]
    for text in kept
        '\0' in text && throw(MXError(:INVALID_VALUE, "a text must not contain a zero byte"))
    end
    return Texts(kept, Ptr{UInt8}[pointer(t) for t in kept])
end
Base.length(t::Texts) = length(t.texts)
attr(id, v::Texts) = raw(id, MXR_ATTR_STRINGS, length(v), 0.0, pointer(v.pointers))

const List = Union{Tuple,AbstractVector}

integer(::Nothing) = NO_INT
integer(v::Integer) = Int64(v)
integer(v) = throw(MXError(:INVALID_TYPE, "expected integers, got $(typeof(v))"))

"Numbers, one for each axis, in the library's order of axes."
reversed(v::List) = Int64[integer(v[i]) for i in lastindex(v):-1:firstindex(v)]
reversed(v) = v
"Numbers that do not stand for axes."
kept(v::List) = Int64[integer(i) for i in v]
kept(v) = v
"Pairs of numbers, one for each axis, in the library's order of axes."
function pairs(v::List)
    out = reversed(v)
    isodd(length(out)) && return out
    return Int64[out[i + (isodd(i) ? 1 : -1)] for i in eachindex(out)]
end
pairs(v) = v
floats(v::List) = Float64[Float64(x) for x in v]
floats(v) = v
texts(v::List) = Texts(v)
texts(v) = v

# MXNet's texts for values, as symbols have them.
text_of(v::Bool) = v ? "True" : "False"
text_of(v::Integer) = string(v)
text_of(v::Real) = string(Float64(v))
text_of(v::Union{AbstractString,Symbol}) = String(v)
text_of(::Nothing) = "None"
text_of(v::Type) = dtype_name(v)
text_of(v::Texts) = tuple_text(v.texts)
text_of(v::Vector) = tuple_text([x == NO_INT ? "None" : text_of(x) for x in v])
text_of(v::Tuple) = tuple_text([text_of(x) for x in v])
text_of(v) = throw(MXError(:INVALID_TYPE, "no attribute has a value of type $(typeof(v))"))

tuple_text(parts) = "(" * join(parts, ", ") * (length(parts) == 1 ? ",)" : ")")

"A text, which a device has too."
text(v::Context) = string(v)
text(v::AbstractString) = String(v)
text(v) = v
