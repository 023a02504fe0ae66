# Symbols that are called like operators.

"""
    CachedOp(node; keep_memory = false, budget, passes...)

A symbol as a function of arrays for all its variables, in the order of `list_inputs` or by name. It is
compiled for each combination of sizes and types when it first comes; while recording, a call is one
operation.
"""
mutable struct CachedOp
    handle::Ptr{Cvoid}
    symbol::SymbolicNode
    inputs::Vector{Symbol}
    num_outputs::Int
    function CachedOp(node::SymbolicNode; keep_memory::Bool = false, options...)
        plan = plan_options(; options...)
        handle = GC.@preserve node made(out -> mxr_cached_op_new(live(node), keep_memory, plan, out))
        return finalizer(close, new(handle, node, list_inputs(node), length(node)))
    end
end
Base.close(x::CachedOp) = freed!(x, mxr_cached_op_free)
Base.isopen(x::CachedOp) = x.handle != C_NULL
Base.show(io::IO, x::CachedOp) = print(io, "mx.CachedOp of ", join(x.inputs, ", "))

(op::CachedOp)(x::NDArray, rest::NDArray...) = called(op, NDArray[x, rest...])

function called(op::CachedOp, arrays)
    outputs, call = fill(C_NULL, op.num_outputs), call_ref()
    GC.@preserve op arrays check(mxr_cached_op_call(
        live(op), Ptr{Cvoid}[live(a) for a in arrays], length(arrays), call, outputs))
    results = NDArray[owned(handle) for handle in outputs]
    return length(results) == 1 ? results[1] : results
end
function (op::CachedOp)(; arrays...)
    unknown = setdiff(keys(arrays), op.inputs)
    isempty(unknown) || throw(MXError(:NOT_FOUND, "the symbol has no variable $(first(unknown))"))
    return called(op, in_order(values(arrays), op.inputs, :arrays))
end

"""
    run(node; name = array...)

Runs the operators of a symbol one by one, without compiling it; while recording, each is remembered.
"""
function Base.run(node::SymbolicNode; arrays...)
    names, given = Texts(String.(collect(keys(arrays)))), collect(NDArray, values(arrays))
    outputs, call = fill(C_NULL, length(node)), call_ref()
    handles = Ptr{Cvoid}[live(a) for a in given]
    GC.@preserve node names given check(mxr_symbol_run(
        live(node), names.pointers, handles, length(handles), call, outputs))
    return NDArray[owned(handle) for handle in outputs]
end
