# Shapes and dtypes of a symbol's variables and outputs, from those of some.

"Runs `f` on what was inferred, and frees it."
function with_inferred(f, make)
    inferred = made(make)
    try
        return f(inferred)
    finally
        mxr_inferred_free(inferred)
    end
end

function inferred_shape(inferred, list, i)
    sizes, n = Ref{Ptr{Int64}}(C_NULL), Ref{Int32}(0)
    check(mxr_inferred_shape(inferred, list, i - 1, sizes, n))
    n[] < 0 && return nothing
    return Tuple(Int(unsafe_load(sizes[], k)) for k in n[]:-1:1)
end

function inferred_dtype(inferred, list, i)
    code = Ref{Int32}(0)
    check(mxr_inferred_dtype(inferred, list, i - 1, code))
    return code[] < 0 ? nothing : dtype_of(code[])
end

const LISTS = (MXR_LIST_ARGUMENTS, MXR_LIST_OUTPUTS, MXR_LIST_AUXILIARY_STATES)

# Each list's elements, or `nothing` three times if something does not follow and all of it has to.
function listed(node, inferred, element, partial)
    partial || mxr_inferred_complete(inferred) == 1 || return nothing, nothing, nothing
    return Tuple([element(inferred, list, i) for i in eachindex(list_of(node, list))] for list in LISTS)
end

"""
    infer_shape(node; partial = false, name = sizes...)

The sizes of the arguments, the outputs and the auxiliary states, in the order of their lists, in Julia's
order of axes. A size that is not known is 0 when given and -1 when found. If something does not follow,
`nothing` three times; with `partial`, what follows.
"""
function infer_shape(node::SymbolicNode; partial::Bool = false, known...)
    names = Texts(String.(collect(keys(known))))
    shapes = [Int64[d == 0 ? -1 : d for d in reversed(shape)] for shape in values(known)]
    make(out) = mxr_symbol_infer_shapes(live(node), names.pointers, reduce(vcat, shapes; init = Int64[]),
        Int32[length(s) for s in shapes], length(names), out)
    return GC.@preserve node names with_inferred(i -> listed(node, i, inferred_shape, partial), make)
end

"The dtypes of the arguments, the outputs and the auxiliary states, from those of some."
function infer_type(node::SymbolicNode; partial::Bool = false, known...)
    names, codes = Texts(String.(collect(keys(known)))), Int32[dtype_code(dtype(T)) for T in values(known)]
    make(out) = mxr_symbol_infer_dtypes(live(node), names.pointers, codes, length(names), out)
    return GC.@preserve node names with_inferred(i -> listed(node, i, inferred_dtype, partial), make)
end
