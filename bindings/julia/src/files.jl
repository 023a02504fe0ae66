# Files: arrays, symbols, MXNet's checkpoints, and mxr's own that hold a whole model.

"""
    save(path, arrays)

Writes arrays as `mx.nd.save` does: one, a vector, or a dictionary with their names. Of a symbol, MXNet's
JSON. An existing file is replaced only by a whole one.
"""
save(path::AbstractString, x::NDArray) = save_list(path, nothing, [x])
save(path::AbstractString, arrays::AbstractVector{<:NDArray}) = save_list(path, nothing, arrays)
save(path::AbstractString, arrays::AbstractDict) =
    save_list(path, Texts(String.(collect(keys(arrays)))), collect(NDArray, values(arrays)))
save(path::AbstractString, node::SymbolicNode) = GC.@preserve node check(mxr_symbol_save(live(node), path))

function save_list(path, names, arrays)
    Base.foreach(wait, arrays)
    GC.@preserve arrays names check(mxr_list_save(path, names === nothing ? C_NULL : pointer(names.pointers),
        Ptr{Cvoid}[live(a) for a in arrays], length(arrays)))
end

"""
    load(path, mx.NDArray)
    load(path, mx.SymbolicNode)

The arrays of a file, as a dictionary if they have names and a vector if not; or a symbol of any version of
MXNet's.
"""
load(path::AbstractString, ::Type{NDArray}) = taken_list(made(out -> mxr_list_load(path, out)))
load(path::AbstractString, ::Type{SymbolicNode}) = new_symbol(out -> mxr_symbol_load(path, out))

"The arrays of a list, which is freed."
function taken_list(list)
    n = mxr_list_len(list)
    arrays = NDArray[owned(made(out -> mxr_list_array(list, i - 1, out))) for i in 1:n]
    names = [mxr_list_name(list, i - 1) for i in 1:n]
    out = n > 0 && all(name -> name != C_NULL, names) ?
        Dict{Symbol,NDArray}(Symbol(unsafe_string(name)) => a for (name, a) in zip(names, arrays)) : arrays
    mxr_list_free(list)
    return out
end

"Arrays whose names begin with `arg:` and `aux:`, apart."
function parted(arrays, path)
    parts = (arg = Dict{Symbol,NDArray}(), aux = Dict{Symbol,NDArray}())
    for (key, array) in arrays
        kind, name = Symbol(first(split(string(key), ':'))), join(split(string(key), ':')[2:end], ':')
        haskey(parts, kind) && !isempty(name) ||
            throw(MXError(:FORMAT, "$path: expected names as arg:weight, got $key"))
        parts[kind][Symbol(name)] = array
    end
    return parts.arg, parts.aux
end
joined(args, aux) = merge(Dict{String,NDArray}("arg:$k" => v for (k, v) in Base.pairs(args)),
    Dict{String,NDArray}("aux:$k" => v for (k, v) in Base.pairs(aux)))
params_file(prefix, epoch) = string(prefix, "-", lpad(epoch, 4, '0'), ".params")

"Writes `prefix-symbol.json` and `prefix-NNNN.params`, NNNN being the epoch."
function save_checkpoint(prefix, epoch::Integer, node::SymbolicNode, args, aux = Dict{Symbol,NDArray}())
    save("$prefix-symbol.json", node)
    save(params_file(prefix, epoch), joined(args, aux))
end

"Reads what `save_checkpoint` of mxr or MXNet wrote: symbol, arguments, auxiliary states."
function load_checkpoint(prefix, epoch::Integer)
    path = params_file(prefix, epoch)
    arrays = load(path, NDArray)
    arrays isa Dict || isempty(arrays) ||
        throw(MXError(:FORMAT, "$path: expected arrays with names, as arg:weight"))
    return (load("$prefix-symbol.json", SymbolicNode), parted(arrays isa Dict ? arrays : Dict(), path)...)
end

"What a user gives to a model: `shape` in Julia's order, -1 for any size, `nothing` for any shape."
struct Input
    name::Symbol
    shape::Union{Nothing,Tuple{Vararg{Int}}}
    dtype::DataType
    label::Bool
end
Input(name, shape = nothing; dtype = Float32, label::Bool = false) = Input(Symbol(name), shape, dtype, label)

"What a model file holds."
struct Model
    symbol::SymbolicNode
    arg_params::Dict{Symbol,NDArray}
    aux_params::Dict{Symbol,NDArray}
    inputs::Vector{Input}
    metadata::Dict{String,String}
end
Base.show(io::IO, m::Model) = print(io, "mx.Model of ", join((i.name for i in m.inputs), ", "))

"""
    save_model(path, node, args, aux = Dict(); inputs = [], metadata = Dict())

Writes a model to one file, which any reader of safetensors opens and which mxr maps. Arguments without an
array are its inputs, of which `inputs` may say more; `metadata` are the user's own texts.
"""
function save_model(path, node::SymbolicNode, args, aux = Dict{Symbol,NDArray}(); inputs = Input[],
        metadata = Dict{String,String}())
    arrays = joined(args, aux)
    Base.foreach(wait, values(arrays))
    names, handles = Texts(keys(arrays)), Ptr{Cvoid}[live(a) for a in values(arrays)]
    input_names = Texts([String(i.name) for i in inputs])
    dims = [i.shape === nothing ? Int64[] : reversed(i.shape) for i in inputs]
    structs = [Ref(mxr_input_t(sizeof(mxr_input_t), dtype_code(i.dtype), i.label,
        i.shape === nothing ? -1 : length(i.shape), pointer(d), name))
        for (i, d, name) in zip(inputs, dims, input_names.pointers)]
    pointers = Ptr{Cvoid}[pointer_from_objref(s) for s in structs]
    texts, values_ = Texts(keys(metadata)), Texts(values(metadata))
    GC.@preserve arrays names input_names dims structs texts values_ node check(mxr_model_save(
        path, live(node), names.pointers, handles, length(handles), pointers, length(pointers),
        texts.pointers, values_.pointers, length(texts)))
end

"""
    load_model(path; copy = false)

Opens a model file. Its arrays stay in the file until they are written to, which never changes it; with `copy`
it is read at once.
"""
function load_model(path; copy::Bool = false)
    handle = made(out -> mxr_model_load(path, copy ? MXR_MODEL_COPY : 0x0, out))
    try
        arrays = taken_list(made(out -> mxr_model_arrays(handle, out)))
        args, aux = parted(arrays isa Dict ? arrays : Dict(), path)
        inputs = [model_input(handle, i) for i in 1:mxr_model_num_inputs(handle)]
        texts = taken_texts(out -> mxr_model_texts(handle, out))
        metadata = Dict(texts[i] => texts[i + 1] for i in 1:2:length(texts))
        return Model(new_symbol(out -> mxr_model_symbol(handle, out)), args, aux, inputs, metadata)
    finally
        mxr_model_free(handle)
    end
end

function model_input(handle, i)
    input = Ref(mxr_input_t(sizeof(mxr_input_t), 0, 0, 0, C_NULL, C_NULL))
    check(mxr_model_input(handle, i - 1, input))
    r = input[]
    shape = r.ndim < 0 ? nothing : Tuple(Int(unsafe_load(r.dims, k)) for k in r.ndim:-1:1)
    return Input(Symbol(unsafe_string(r.name)), shape, dtype_of(r.dtype), r.is_label != 0)
end
