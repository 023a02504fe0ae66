# Prediction with a saved model.

"""
    Predictor("model.safetensors")
    Predictor("lenet-symbol.json", "lenet-0010.params")
    Predictor(node, params)

A model as a function of its data. Inputs that are not given, as labels are, are zeros.

    model = mx.Predictor("lenet.safetensors")
    scores = model(images)
"""
struct Predictor
    op::CachedOp
    params::Dict{Symbol,NDArray}
    "The variables that no parameter is for: data and labels."
    inputs::Vector{Symbol}
end

function Predictor(node::SymbolicNode, params; ctx::Context = context())
    plain(name) = Symbol(replace(string(name), r"^(arg|aux):" => ""))
    there(x) = context(x) == ctx ? x : copy(x; ctx = ctx)
    arrays = Dict{Symbol,NDArray}(plain(k) => there(v) for (k, v) in Base.pairs(params))
    return Predictor(CachedOp(node; ctx = ctx), arrays, [n for n in list_inputs(node) if !haskey(arrays, n)])
end
Predictor(symbol_file::AbstractString, params_file::AbstractString; keywords...) =
    Predictor(load(symbol_file, SymbolicNode), load(params_file, NDArray); keywords...)
function Predictor(model_file::AbstractString; keywords...)
    model = load_model(model_file)
    return Predictor(model.symbol, merge(model.arg_params, model.aux_params); keywords...)
end

"The outputs for the first input, which may be an array of Julia's."
function (model::Predictor)(data::AbstractArray)
    isempty(model.inputs) && refuse(:INVALID_VALUE, :data, "the model has no input")
    return model(; Dict(first(model.inputs) => data)...)
end
"The outputs for inputs by name."
function (model::Predictor)(; data...)
    all = copy(model.params)
    for (name, value) in data
        name in model.inputs || throw(MXError(:NOT_FOUND, "the model has no input $name", "", string(name)))
        all[name] = convert(NDArray, value)
    end
    length(data) < length(model.inputs) && add_zeros!(all, model)
    return pause(() -> called(model.op, [all[name] for name in model.op.inputs]))
end

"Zeros for inputs that are not given, of the sizes that follow."
function add_zeros!(all, model)
    node = model.op.symbol
    known = Dict(name => size(array) for (name, array) in all)
    shapes = infer_shape(node; known...)[1]
    shapes === nothing && refuse(:SHAPE, :data, "the sizes of $(join(model.inputs, ", ")) do not follow")
    for (name, shape) in zip(list_arguments(node), shapes)
        haskey(all, name) || (all[name] = zeros(shape))
    end
end
Base.show(io::IO, m::Predictor) = print(io, "mx.Predictor of ", join(m.inputs, ", "))
