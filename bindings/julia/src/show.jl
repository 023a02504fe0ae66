# Printing: as Julia prints arrays, after a line that says what it is and where.

function Base.summary(io::IO, x::NDArray)
    sizes = ndims(x) == 0 ? "0-dimensional" : join(size(x), "×") * (ndims(x) == 1 ? "-element" : "")
    print(io, sizes, " mx.NDArray{", eltype(x), ",", ndims(x), "} @ ", context(x))
end

function Base.show(io::IO, ::MIME"text/plain", x::NDArray)
    isopen(x) || return print(io, "mx.NDArray{", eltype(x), ",", ndims(x), "}, closed")
    summary(io, x)
    isempty(x) && return nothing
    println(io, ":")
    Base.print_array(IOContext(io, :typeinfo => eltype(x)), Array(x))
end

function Base.show(io::IO, x::NDArray)
    isopen(x) ? print(io, "NDArray(", Array(x), ")") :
        print(io, "NDArray{", eltype(x), ",", ndims(x), "}, closed")
end
