# Training of a symbol over epochs: the loop is Julia's, each step of it the library's.

"""
What is told of batches and epochs; see `mx.Speedometer` and so on. A function of epoch, batch and metric
serves as well.
"""
mutable struct Callback
    handle::Ptr{Cvoid}
    given::NamedTuple
    Callback(handle::Ptr{Cvoid}, given) = finalizer(close, new(handle, given))
end
Base.close(x::Callback) = freed!(x, mxr_callback_free)
function create(::Type{Callback}, name, attrs, given)
    values = mxr_attr_t[attrs...]
    return Callback(made(out -> mxr_callback_create(name, values, length(values), out)), given)
end

"""
    FeedForward(node; context = mx.cpu(), data_names = [:data], label_names = [:softmax_label], fixed = [])

A symbol that is trained by `fit`. `context` may be several devices, among which batches are divided.
"""
mutable struct FeedForward
    handle::Ptr{Cvoid}
    FeedForward(handle::Ptr{Cvoid}) = finalizer(close, new(handle))
end
Base.close(x::FeedForward) = freed!(x, mxr_module_free)

"The options of a module as the library takes them, and what keeps them for a call."
function module_options(ctx, data_names, label_names, fixed, states)
    lists = map(names -> Texts([String(n) for n in names]), (data_names, label_names, fixed, states))
    devices = ctx isa Context ? [ctx] : collect(Context, ctx)
    kinds, ids = Int32[d.kind for d in devices], Int32[d.id for d in devices]
    start(list) = pointer(list.pointers)
    view = mxr_module_options_t(sizeof(mxr_module_options_t), length(lists[1]), map(start, lists)...,
        map(length, lists[2:4])..., length(devices), pointer(kinds), pointer(ids))
    return Ref(view), (lists, kinds, ids)
end

function FeedForward(node::SymbolicNode; context = cpu(), data_names = (:data,),
        label_names = (:softmax_label,), fixed = (), states = ())
    options, keep = module_options(context, data_names, label_names, fixed, states)
    return FeedForward(GC.@preserve node keep made(out -> mxr_module_create(live(node), options, out)))
end
"The model of a checkpoint; with `states` the next optimizer goes on from those that were saved."
function FeedForward(prefix::AbstractString, epoch::Integer; context = cpu(), data_names = (:data,),
        label_names = (:softmax_label,), states::Bool = false)
    options, keep = module_options(context, data_names, label_names, (), ())
    return FeedForward(GC.@preserve keep made(out -> mxr_module_load(prefix, epoch, states, options, out)))
end

"Descriptions as the library takes them, and what keeps them."
function raw_descs(descs)
    names, dims = Texts([String(d.name) for d in descs]), [reversed(d.shape) for d in descs]
    raw = mxr_desc_t[mxr_desc_t(name, C_NULL, pointer(s), length(s), dtype_code(d.dtype))
        for (d, name, s) in zip(descs, names.pointers, dims)]
    return raw, (names, dims)
end

state(model) = (s = Ref{Int32}(0); GC.@preserve(model, check(mxr_module_state(live(model), s))); s[])
is_bound(model::FeedForward) = state(model) & MXR_MODULE_BOUND != 0

"Makes executors for the batches of an iterator, or for `DataDesc`s of data and labels."
bind!(model::FeedForward, iter::DataIter; keywords...) =
    bind!(model, provide_data(iter), provide_label(iter); keywords...)
function bind!(model::FeedForward, data, labels; training::Bool = true, inputs_need_grad::Bool = false,
        grad_req = :write)
    (ds, keep), (ls, keep_too) = raw_descs(data), raw_descs(labels)
    flags = (training ? MXR_BIND_TRAINING : 0x0) | (inputs_need_grad ? MXR_BIND_INPUT_GRADIENTS : 0x0)
    GC.@preserve model keep keep_too check(mxr_module_bind(
        live(model), ds, length(ds), ls, length(ls), flags, request(grad_req), C_NULL))
    return model
end

"Gives the parameters their first values: those given, others by the initializer."
function init_params!(model::FeedForward, initializer = nothing; args = nothing, aux = nothing,
        allow_missing::Bool = false, allow_extra::Bool = false, force::Bool = false)
    named(params) = params === nothing ? (Texts(String[]), NDArray[], -1) :
        (Texts([String(k) for k in keys(params)]), collect(NDArray, values(params)), length(params))
    (arg_names, arg_arrays, num_args), (aux_names, aux_arrays, num_aux) = named(args), named(aux)
    flags = (allow_missing ? MXR_ALLOW_MISSING : 0x0) | (allow_extra ? MXR_ALLOW_EXTRA : 0x0) |
        (force ? MXR_FORCE : 0x0)
    fill, done = initializer === nothing ? C_NULL : live(initializer), Ref{Int32}(0)
    GC.@preserve model initializer arg_names arg_arrays aux_names aux_arrays check(mxr_module_init_params(
        live(model), fill, arg_names.pointers, handles_of(arg_arrays), num_args, aux_names.pointers,
        handles_of(aux_arrays), num_aux, flags, done))
    return done[] == 1
end

"Takes an optimizer, which divides gradients by the batch size unless it was given a `rescale_grad`."
function init_optimizer!(model::FeedForward, optimizer::Optimizer; kvstore = nothing, force::Bool = false)
    name, store = kvstore isa KVStore ? (C_NULL, live(kvstore)) :
        (kvstore === nothing ? C_NULL : String(kvstore), C_NULL)
    done = Ref{Int32}(0)
    flags = MXR_RESCALE | (force ? MXR_FORCE : 0x0)
    GC.@preserve model optimizer kvstore check(mxr_module_init_optimizer(
        live(model), live(optimizer), name, store, flags, done))
    return done[] == 1
end

"Copies of the parameters: arguments and auxiliary states by name."
function get_params(model::FeedForward)
    part(list) = taken_list(made(out -> mxr_module_params(live(model), list, out)))
    as_dict(list) = list isa Dict ? list : Dict{Symbol,NDArray}()
    return GC.@preserve model (as_dict(part(MXR_LIST_ARGUMENTS)), as_dict(part(MXR_LIST_AUXILIARY_STATES)))
end

"The symbol of a model."
get_symbol(model::FeedForward) = GC.@preserve model new_symbol(out -> mxr_module_symbol(live(model), out))

# Steps of a batch.
function forward(model::FeedForward, b::Batch; is_train::Bool)
    GC.@preserve model b check(mxr_module_forward(live(model), handles_of(b.data), length(b.data),
        handles_of(b.label), length(b.label), is_train))
end
function backward!(model::FeedForward)
    GC.@preserve model check(mxr_module_backward(live(model), C_NULL, 0))
    poll()
end
update!(model::FeedForward) = GC.@preserve model check(mxr_module_update(live(model)))
function update_metric!(model::FeedForward, metric::Metric, b::Batch)
    GC.@preserve model metric b check(mxr_module_update_metric(
        live(model), live(metric), handles_of(b.label), length(b.label)))
end
"The outputs of the last batch, of all devices as one."
function get_outputs(model::FeedForward)
    n = length(list_outputs(get_symbol(model)))
    output(i) = owned(made(out -> mxr_module_output(live(model), i - 1, out)))
    return GC.@preserve model NDArray[output(i) for i in 1:n]
end

"""
    save_checkpoint(prefix, epoch, model; states = false)

Writes symbol and parameters, and with `states` those of the optimizer.
"""
save_checkpoint(prefix, epoch::Integer, model::FeedForward; states::Bool = false) =
    GC.@preserve model check(mxr_module_save_checkpoint(live(model), prefix, epoch, states))

listed_callbacks(f::Union{Callback,Function}) = (f,)
listed_callbacks(fs) = fs

"Tells a callback of a batch or an epoch, and does what it asks for."
function tell(callback::Callback, epoch, batch, metric, model)
    due, seconds = Ref{Int32}(0), time()
    GC.@preserve callback check(mxr_callback_due(live(callback), epoch, batch, seconds, due))
    due[] == 0 && return nothing
    values = metric === nothing ? Pair{Symbol,Float64}[] : get(metric)
    names, actions = Texts([String(first(v)) for v in values]), Ref{Int32}(0)
    text = GC.@preserve callback names taken(out -> mxr_callback_call(live(callback), epoch, batch, seconds,
        names.pointers, Float64[last(v) for v in values], length(values), out, actions))
    text === nothing || (endswith(text, '\r') ? print(text) : println(text))
    flush(stdout)
    actions[] & MXR_CALLBACK_RESET_METRIC != 0 && metric !== nothing && reset!(metric; local_only = true)
    if actions[] & MXR_CALLBACK_SAVE != 0
        given = callback.given
        save_checkpoint(given.prefix, epoch + 1, model; states = given.save_optimizer_states === true)
    end
    return nothing
end
tell(f, epoch, batch, metric, model) = f(epoch + 1, batch + 1, metric)

a_metric(metric::Metric) = metric
a_metric(name) = Metric(name)

"""
    fit(model, optimizer, data; n_epoch, eval_data, eval_metric = "acc", initializer, args, aux,
        kvstore = :local, batch_end = (), epoch_end = (), eval_end = (), begin_epoch = 1)

Trains a model over the batches of an iterator. Prints the metric of each epoch, and that of `eval_data`.

    net = mx.FeedForward(node)
    mx.fit(net, mx.SGD(learning_rate = 0.1), mx.NDArrayIter(x, y, batch_size = 64); n_epoch = 2,
        batch_end = mx.Speedometer(batch_size = 64))

# Keywords
- `initializer`: fills parameters that `args` and `aux` do not give; uniform within 0.01 of zero.
- `batch_end`, `epoch_end`, `eval_end`: callbacks, or functions of epoch, batch and metric.
"""
function fit(model::FeedForward, optimizer::Optimizer, data; n_epoch::Integer, eval_data = nothing,
        eval_metric = "acc", initializer = mx.UniformInitializer(scale = 0.01), args = nothing, aux = nothing,
        kvstore = :local, batch_end = (), epoch_end = (), eval_end = (), begin_epoch::Integer = 1)
    metric = a_metric(eval_metric)
    is_bound(model) || bind!(model, data)
    init_params!(model, initializer; args = args, aux = aux, allow_missing = args !== nothing)
    init_optimizer!(model, optimizer; kvstore = kvstore)
    for epoch in begin_epoch-1:begin_epoch+n_epoch-2
        start = time()
        reset!(metric)
        for (i, b) in enumerate(data)
            forward(model, b; is_train = true)
            backward!(model)
            update!(model)
            update_metric!(model, metric, b)
            Base.foreach(c -> tell(c, epoch, i - 1, metric, model), listed_callbacks(batch_end))
        end
        said(kind, values) = println("epoch ", epoch + 1, ": ", kind, " ",
            join(("$name $(round(value, digits = 4))" for (name, value) in values), ", "))
        said("training", get_global(metric))
        println("epoch ", epoch + 1, ": ", round(time() - start, digits = 1), " s")
        Base.foreach(c -> tell(c, epoch, 0, metric, model), listed_callbacks(epoch_end))
        if eval_data !== nothing
            said("validation", score(model, eval_data, metric))
            Base.foreach(c -> tell(c, epoch, 0, metric, model), listed_callbacks(eval_end))
        end
    end
    return model
end

"The values of a metric over the batches of an iterator."
function score(model::FeedForward, data, eval_metric = "acc")
    metric = a_metric(eval_metric)
    is_bound(model) || bind!(model, data; training = false)
    reset!(metric)
    for b in data
        forward(model, b; is_train = false)
        update_metric!(model, metric, b)
    end
    return get_global(metric)
end

"The outputs for all examples of an iterator; several if the model has several."
function predict(model::FeedForward, data)
    is_bound(model) || bind!(model, data; training = false)
    parts = Vector{NDArray}[]
    for b in data
        forward(model, b; is_train = false)
        # The next batch overwrites them.
        push!(parts, [copy(rows(y, 1:size(y, ndims(y))-b.pad)) for y in get_outputs(model)])
    end
    isempty(parts) && refuse(:INVALID_VALUE, :data, "expected at least one batch")
    outputs = [cat((p[i] for p in parts)...; dims = ndims(parts[1][i])) for i in eachindex(parts[1])]
    return length(outputs) == 1 ? outputs[1] : outputs
end
