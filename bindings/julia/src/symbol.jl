# Symbols: outputs of graphs of operators. They never change.

"""
    SymbolicNode

Outputs of a graph of operators, made of `mx.Variable`s by the operators' functions. `node[i]` is one of them.
"""
mutable struct SymbolicNode
    handle::Ptr{Cvoid}
    function SymbolicNode(handle::Ptr{Cvoid})
        return finalizer(close, new(handle))
    end
end

# Objects of the library's but arrays, with the functions that give them back.
function freed!(x, free)
    handle = x.handle
    x.handle = C_NULL
    free(handle)
    return nothing
end
Base.close(x::SymbolicNode) = freed!(x, mxr_symbol_free)
Base.isopen(x::SymbolicNode) = x.handle != C_NULL

new_symbol(f) = SymbolicNode(made(f))

"A text that the library gave, which is freed here; `nothing` for none."
function taken(f)
    text = Ref{Ptr{UInt8}}(C_NULL)
    check(f(text))
    text[] == C_NULL && return nothing
    out = unsafe_string(text[])
    mxr_string_free(text[])
    return out
end

"The texts of a list that the library gave, which is freed here."
function taken_texts(f)
    list = made(f)
    out = String[unsafe_string(mxr_texts_get(list, i - 1)) for i in 1:mxr_texts_len(list)]
    mxr_texts_free(list)
    return out
end

function list_of(node::SymbolicNode, which)
    names = GC.@preserve node taken_texts(out -> mxr_symbol_list(live(node), which, out))
    return Symbol[Symbol(name) for name in names]
end

"The names of the variables that no operator changes: data, weights, labels."
list_arguments(node::SymbolicNode) = list_of(node, MXR_LIST_ARGUMENTS)
"The names of the outputs."
list_outputs(node::SymbolicNode) = list_of(node, MXR_LIST_OUTPUTS)
"The names of the variables that an operator changes, as the moving mean of a batch normalisation."
list_auxiliary_states(node::SymbolicNode) = list_of(node, MXR_LIST_AUXILIARY_STATES)
"The names of all variables."
list_inputs(node::SymbolicNode) = list_of(node, MXR_LIST_INPUTS)

"All visible outputs of all nodes."
get_internals(node::SymbolicNode) = GC.@preserve node new_symbol(out -> mxr_symbol_internals(live(node), out))
"The inputs of the nodes of which the outputs are, or `nothing`."
function get_children(node::SymbolicNode)
    children = GC.@preserve node new_symbol(out -> mxr_symbol_children(live(node), out))
    return length(children) == 0 ? nothing : children
end

Base.length(node::SymbolicNode) = length(list_outputs(node))
Base.lastindex(node::SymbolicNode) = length(node)
Base.firstindex(::SymbolicNode) = 1
Base.iterate(node::SymbolicNode, i = 1) = i > length(node) ? nothing : (node[i], i + 1)
Base.eltype(::Type{SymbolicNode}) = SymbolicNode
Base.getindex(node::SymbolicNode, i::Integer) =
    GC.@preserve node new_symbol(out -> mxr_symbol_output(live(node), i - 1, out))
Base.getindex(node::SymbolicNode, name::Union{Symbol,AbstractString}) =
    GC.@preserve node new_symbol(out -> mxr_symbol_output_named(live(node), String(name), out))

"The name of a symbol's node, or `nothing` for a group of several."
function get_name(node::SymbolicNode)
    name = GC.@preserve node taken(out -> mxr_symbol_name(live(node), out))
    return name === nothing ? nothing : Symbol(name)
end

"An attribute of a symbol's node, or `nothing`."
get_attr(node::SymbolicNode, key) =
    GC.@preserve node taken(out -> mxr_symbol_attr(live(node), String(key), out))

"The attributes of a symbol's node by name."
function list_attr(node::SymbolicNode)
    all = GC.@preserve node taken_texts(out -> mxr_symbol_attrs(live(node), 0, out))
    return Dict(Symbol(all[i + 1]) => all[i + 2] for i in 1:3:length(all))
end
"The attributes of all nodes by `node_attribute`, as MXNet names them."
function list_all_attr(node::SymbolicNode)
    all = GC.@preserve node taken_texts(out -> mxr_symbol_attrs(live(node), 1, out))
    return Dict(Symbol(all[i], "_", all[i + 1]) => all[i + 2] for i in 1:3:length(all))
end

"""
The same symbol with more attributes on its node. Symbols that were composed with `node` before keep it as it
was.
"""
function set_attr(node::SymbolicNode; attrs...)
    keys, values = Texts(String.(collect(Base.keys(attrs)))), Texts([text_of(v) for v in Base.values(attrs)])
    return GC.@preserve node keys values new_symbol(out -> mxr_symbol_with_attrs(
        live(node), pointer(keys.pointers), pointer(values.pointers), length(keys), out))
end

"The graph as MXNet's JSON."
to_json(node::SymbolicNode) = GC.@preserve node taken(out -> mxr_symbol_to_json(live(node), out))
"The symbol that a JSON text of any version of MXNet describes."
from_json(json::AbstractString) = new_symbol(out -> mxr_symbol_from_json(json, out))

"Outputs, variables and operators with their inputs and attributes."
debug_str(node::SymbolicNode) = GC.@preserve node taken(out -> mxr_symbol_text(live(node), out))

function Base.show(io::IO, node::SymbolicNode)
    isopen(node) || return print(io, "mx.SymbolicNode, closed")
    name = get_name(node)
    print(io, "mx.SymbolicNode ", name === nothing ? join(list_outputs(node), ", ") : name)
end

"Symbols by name: `node(x = other)` is a copy in which the variable `x` is `other`."
function (node::SymbolicNode)(; name = nothing, inputs...)
    names, symbols = Texts(String.(collect(keys(inputs)))), collect(SymbolicNode, values(inputs))
    handles = Ptr{Cvoid}[live(s) for s in symbols]
    return GC.@preserve node names symbols new_symbol(out -> mxr_symbol_compose(
        live(node), name === nothing ? C_NULL : String(name), handles, names.pointers, length(handles), out))
end
