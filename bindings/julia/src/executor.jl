# Symbols bound to arrays.

"""
A symbol bound to arrays, made by `bind` and `simple_bind`. Outputs and gradients are arrays that every run
overwrites. A symbol with operators whose shapes only running shows has no outputs before the first run, and new ones
after each.

# Fields
- `arg_arrays`, `grad_arrays`, `aux_arrays`, `outputs`: vectors, with `nothing` where no gradient was asked
  for.
- `arg_dict`, `grad_dict`, `aux_dict`, `output_dict`: the same by name.
"""
mutable struct Executor
    handle::Ptr{Cvoid}
    symbol::SymbolicNode
    arg_arrays::Vector{NDArray}
    grad_arrays::Vector{Union{NDArray,Nothing}}
    aux_arrays::Vector{NDArray}
    outputs::Vector{NDArray}
    arg_dict::Dict{Symbol,NDArray}
    grad_dict::Dict{Symbol,NDArray}
    aux_dict::Dict{Symbol,NDArray}
    output_dict::Dict{Symbol,NDArray}
    requests::Any
    planned::Bool
end

"Of a handle that the caller owns. `requests` are those by name and that for other arguments."
function Executor(handle::Ptr{Cvoid}, symbol::SymbolicNode, requests)
    array(list, i) = array_of(handle, list, i)
    function gradient(i)
        found = made(out -> mxr_executor_gradient(handle, i - 1, out))
        return found == C_NULL ? nothing : owned(found)
    end
    arguments, states = list_arguments(symbol), list_auxiliary_states(symbol)
    args = NDArray[array(MXR_LIST_ARGUMENTS, i) for i in eachindex(arguments)]
    grads = Union{NDArray,Nothing}[gradient(i) for i in eachindex(arguments)]
    aux = NDArray[array(MXR_LIST_AUXILIARY_STATES, i) for i in eachindex(states)]
    given = Dict{Symbol,NDArray}(n => g for (n, g) in zip(arguments, grads) if g !== nothing)
    named(names, arrays) = Dict{Symbol,NDArray}(zip(names, arrays))
    executor = Executor(handle, symbol, args, grads, aux, NDArray[], named(arguments, args), given,
        named(states, aux), Dict{Symbol,NDArray}(), requests, true)
    finalizer(close, executor)
    try
        read_outputs!(executor)
    catch error
        error isa MXError && error.code == :SHAPE || rethrow()
        executor.planned = false
    end
    return executor
end

array_of(handle, list, i) = owned(made(out -> mxr_executor_array(handle, list, i - 1, out)))

"Reads the outputs, which are others after each run of a symbol without a plan."
function read_outputs!(x::Executor)
    names = list_outputs(x.symbol)
    x.outputs = NDArray[array_of(live(x), MXR_LIST_OUTPUTS, i) for i in eachindex(names)]
    x.output_dict = Dict{Symbol,NDArray}(zip(names, x.outputs))
    return x.outputs
end
Base.close(x::Executor) = freed!(x, mxr_executor_free)
Base.isopen(x::Executor) = x.handle != C_NULL
Base.show(io::IO, x::Executor) = print(io, "mx.Executor of ", join(list_outputs(x.symbol), ", "))

"Requests by name, and that for other arguments, from one, a list or a dictionary."
requests_of(grad_req::Union{Symbol,AbstractString}, names) = (Dict{Symbol,Symbol}(), Symbol(grad_req))
function requests_of(grad_req::Union{Tuple,AbstractVector}, names)
    length(grad_req) == length(names) ||
        refuse(:INVALID_VALUE, :grad_req,
            "expected $(length(names)), one for each argument, got $(length(grad_req))")
    return Dict(zip(names, grad_req)), :null
end
requests_of(grad_req, names) = (Dict(Symbol(k) => v for (k, v) in Base.pairs(grad_req)), :null)

"Arrays in the order of names, from a vector or a dictionary."
function in_order(values::Union{AbstractDict,NamedTuple}, names, what)
    return map(names) do name
        get(values, name) do
            refuse(:INVALID_VALUE, what, "the array of $name is missing")
        end
    end
end
function in_order(values, names, what)
    length(values) == length(names) ||
        refuse(:INVALID_VALUE, what, "expected $(length(names)) arrays, got $(length(values))")
    return collect(values)
end
optional(values::Union{AbstractDict,NamedTuple}, names, _) = [get(values, name, nothing) for name in names]
optional(values, names, what) = isempty(values) ? fill(nothing, length(names)) : in_order(values, names, what)

shared_handle(::Nothing) = C_NULL
shared_handle(executor::Executor) = live(executor)

"""
    bind(node, [ctx,] args; args_grad, grad_req = :write, aux_states, shared, budget, passes)

An executor over arrays for all arguments, in the order of `list_arguments` or by name.

# Keywords
- `args_grad`: the arrays for gradients, with none for arguments that have none.
- `grad_req`: what to do with gradients: `:write`, `:add`, `:null`; one for all, or by name.
- `aux_states`: the arrays of the auxiliary states.
- `shared`: an executor that never runs at the same time, whose memory is shared.
- `budget`: bytes that activations may take, or `:least`.
- `passes`: as `(fuse = false,)`.
"""
function bind(node::SymbolicNode, ctx::Context, args; args_grad = NDArray[], grad_req = :write,
        aux_states = NDArray[], shared = nothing, budget = nothing, passes = NamedTuple())
    names, states, inputs = list_arguments(node), list_auxiliary_states(node), list_inputs(node)
    arrays = Dict{Symbol,NDArray}(zip(names, in_order(args, names, :args)))
    merge!(arrays, Dict{Symbol,NDArray}(zip(states, in_order(aux_states, states, :aux_states))))
    gradients = Dict{Symbol,Any}(zip(names, optional(args_grad, names, :args_grad)))
    by_name, others = requests_of(grad_req, names)
    wanted = Int32[n in states ? MXR_REQUEST_NULL : request(get(by_name, n, others)) for n in inputs]
    ordered = [arrays[n] for n in inputs]
    found = [get(gradients, n, nothing) for n in inputs]
    options = plan_options(; ctx = ctx, budget = budget, passes...)
    make(out) = mxr_executor_bind(live(node), Ptr{Cvoid}[live(a) for a in ordered],
        Ptr{Cvoid}[g === nothing ? C_NULL : live(g) for g in found], wanted, length(inputs),
        shared_handle(shared), options, out)
    handle = GC.@preserve node ordered found shared made(make)
    return Executor(handle, node, (by_name, others))
end
bind(node::SymbolicNode, args; keywords...) = bind(node, context(), args; keywords...)

"""
    simple_bind(node[, ctx]; grad_req = :write, types = (;), shared, budget, passes, name = sizes...)

An executor over new arrays of zeros, whose sizes and types follow from those given.
"""
function simple_bind(node::SymbolicNode, ctx::Context = context(); grad_req = :write, types = NamedTuple(),
        shared = nothing, budget = nothing, passes = NamedTuple(), shapes...)
    requests = requests_of(grad_req, list_arguments(node))
    known = Known(shapes, types, requests...)
    options = plan_options(; ctx = ctx, budget = budget, passes...)
    handle = GC.@preserve node known shared made(
        out -> mxr_executor_simple_bind(live(node), known.view, shared_handle(shared), options, out))
    return Executor(handle, node, requests)
end

"""
    forward(executor; is_train = false, name = array...)

Computes `executor.outputs`, after copying arrays to the arguments of their names.
"""
function forward(executor::Executor; is_train::Bool = false, inputs...)
    for (name, value) in inputs
        target = get(executor.arg_dict, name) do
            throw(MXError(:NOT_FOUND, "the symbol has no argument $name", "", string(name)))
        end
        size(value) == size(target) ||
            refuse(:SHAPE, name, "expected sizes $(size(target)), got $(size(value)); see reshape")
        copy!(target, value)
    end
    GC.@preserve executor check(mxr_executor_forward(live(executor), is_train))
    return executor.planned ? executor.outputs : GC.@preserve executor read_outputs!(executor)
end

"Computes the gradients after `forward(executor; is_train = true)`; outputs of losses need none of theirs."
function backward!(executor::Executor, out_grads = NDArray[])
    names = list_outputs(executor.symbol)
    grads = out_grads isa NDArray ? [out_grads] :
        out_grads isa AbstractDict ? in_order(out_grads, names, :out_grads) : out_grads
    handles = Ptr{Cvoid}[live(g) for g in grads]
    GC.@preserve executor grads check(mxr_executor_backward(live(executor), handles, length(handles)))
    poll()
end

"Copies arrays to the arguments and auxiliary states of their names."
function copy_params_from(executor::Executor, args, aux = Dict{Symbol,NDArray}();
        allow_extra_params::Bool = false)
    both = ((args, executor.arg_dict), (aux, executor.aux_dict))
    for (params, known) in both, (name, value) in Base.pairs(params)
        if haskey(known, name)
            copy!(known[name], value)
        elseif !allow_extra_params
            throw(MXError(:NOT_FOUND, "the symbol has no variable $name", "", string(name)))
        end
    end
    return executor
end

"""
    reshape(executor; allow_up_sizing = false, name = sizes...)

An executor of the same symbol for other sizes. Arrays whose sizes stay are shared, as is the memory for
activations; one may grow only with `allow_up_sizing`.
"""
function Base.reshape(executor::Executor; allow_up_sizing::Bool = false, shapes...)
    types = Dict(name => eltype(array) for (name, array) in executor.arg_dict)
    known = Known(shapes, types, executor.requests...)
    handle = GC.@preserve executor known made(
        out -> mxr_executor_reshape(live(executor), known.view, allow_up_sizing, out))
    return Executor(handle, executor.symbol, executor.requests)
end

"The plan for prediction, or for training."
plan(executor::Executor; training::Bool = false) =
    Plan(GC.@preserve executor made(out -> mxr_executor_plan(live(executor), training, out)))

const MONITOR = Ref(C_NULL)

# Called by the library on the thread that is inside forward. What it throws ends here.
function run_monitor(payload::Ptr{Cvoid}, name::Ptr{UInt8}, array::Ptr{Cvoid})
    try
        lent(Int(UInt(payload)))(Symbol(unsafe_string(name)), owned(mxr_array_retain(array)))
    catch error
        @error "a monitor failed" exception = (error, catch_backtrace())
    end
    return nothing
end

"Calls `f(name, array)` for every output of every operator in forward passes; `nothing` ends it."
function set_monitor_callback(executor::Executor, f)
    if f === nothing
        GC.@preserve executor check(mxr_executor_set_monitor(live(executor), C_NULL, C_NULL, C_NULL))
    else
        slot = lend(f)
        GC.@preserve executor check(
            mxr_executor_set_monitor(live(executor), MONITOR[], payload(slot), DROP[]))
    end
    poll()
end

function prepare_monitor()
    MONITOR[] = @cfunction(run_monitor, Cvoid, (Ptr{Cvoid}, Ptr{UInt8}, Ptr{Cvoid}))
    return nothing
end
