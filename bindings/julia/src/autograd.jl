# Automatic differentiation: scopes of a task, gradients, functions of the user's.

function flagged(f, set, clear)
    outer = scope()
    return with_scope(f, Scope((outer.flags & ~clear) | set, outer.context, outer.attrs, outer.prefix))
end

"""
    record(f, train_mode = true)

Runs `f` while calls are remembered for `backward!`; a model is being trained, unless `train_mode` is `false`.

    y = mx.record() do
        model(x)
    end
"""
record(f, train_mode::Bool = true) =
    flagged(f, MXR_CALL_RECORDING | (train_mode ? MXR_CALL_TRAINING : 0x0), MXR_CALL_TRAINING)
"Runs `f` without remembering calls."
pause(f, train_mode::Bool = false) =
    flagged(f, train_mode ? MXR_CALL_TRAINING : 0x0, MXR_CALL_RECORDING | MXR_CALL_TRAINING)
"Runs `f` as when a model is being trained: dropout drops."
train_mode(f) = flagged(f, MXR_CALL_TRAINING, 0x0)
"Runs `f` as when a model predicts."
predict_mode(f) = flagged(f, 0x0, MXR_CALL_TRAINING)
"Whether calls of this task are remembered."
is_recording() = scope().flags & MXR_CALL_RECORDING != 0
"Whether a model is being trained in this task."
is_training() = scope().flags & MXR_CALL_TRAINING != 0

"""
    @record expression

The expression's value, with calls remembered: `loss = mx.@record f(x)`.
"""
macro record(expression)
    return :(record(() -> $(esc(expression))))
end

const REQUESTS = Dict(:null => MXR_REQUEST_NULL, :nop => MXR_REQUEST_NULL, :write => MXR_REQUEST_WRITE,
    :inplace => MXR_REQUEST_IN_PLACE, :add => MXR_REQUEST_ADD)
request(name) = get(REQUESTS, Symbol(name)) do
    refuse(:INVALID_VALUE, :grad_req, "expected :write, :add or :null, got $name")
end

"""
    attach_grad!(x, grad_req = :write)

Makes `x` a variable: `backward!` leaves its gradient in `getgrad(x)`, written or, with `:add`, added.
"""
function attach_grad!(x::NDArray, grad_req = :write)
    mark_variables!([x], [zero(x)], grad_req)
    return x
end

"Makes arrays variables with the arrays for their gradients."
function mark_variables!(variables, gradients, grad_req = :write)
    length(variables) == length(gradients) || refuse(:INVALID_VALUE, :gradients,
        "expected $(length(variables)), one for each variable, got $(length(gradients))")
    vs, gs = Ptr{Cvoid}[live(v) for v in variables], Ptr{Cvoid}[live(g) for g in gradients]
    requests = fill(request(grad_req), length(vs))
    GC.@preserve variables gradients check(mxr_autograd_mark(vs, gs, requests, length(vs)))
end

"The gradient of a variable, or `nothing`."
function getgrad(x::NDArray)
    handle = GC.@preserve x made(out -> mxr_array_grad(live(x), out))
    return handle == C_NULL ? nothing : owned(handle)
end
const ∇ = getgrad

"Whether automatic differentiation knows the array."
is_recorded(x::NDArray) = GC.@preserve x mxr_array_is_recorded(live(x)) == 1

backward_flags(retain, create, train) = (retain ? MXR_BACKWARD_RETAIN_GRAPH : 0x0) |
    (create ? MXR_BACKWARD_CREATE_GRAPH : 0x0) | (train ? MXR_BACKWARD_TRAINING : 0x0)

several_arrays(x::NDArray) = NDArray[x]
several_arrays(xs) = collect(NDArray, xs)

# A list of head gradients as the library takes it, with NULL for ones.
function head_pointers(heads, grads)
    grads === nothing && return C_NULL
    grads = grads isa NDArray ? (grads,) : grads
    length(grads) == length(heads) ||
        refuse(:INVALID_VALUE, :head_grads, "expected $(length(heads)), got $(length(grads))")
    return Ptr{Cvoid}[g === nothing ? C_NULL : live(g) for g in grads]
end

"""
    backward!(heads, head_grads = nothing; retain_graph = false, train_mode = true)

Leaves the gradients of the sum of `heads`, each weighted by its head gradient, in those of the variables.
"""
function backward!(heads, head_grads = nothing; retain_graph::Bool = false, train_mode::Bool = true)
    all = several_arrays(heads)
    hs, gs = Ptr{Cvoid}[live(h) for h in all], head_pointers(all, head_grads)
    GC.@preserve all head_grads check(mxr_autograd_backward(
        hs, gs, length(hs), backward_flags(retain_graph, false, train_mode)))
    poll()
end
const backward = backward!

"""
    grad(heads, variables, head_grads = nothing; retain_graph = create_graph, create_graph = false)

The gradients with respect to `variables` as new arrays; with `create_graph` they can be differentiated again.
"""
function grad(heads, variables, head_grads = nothing; create_graph::Bool = false,
        retain_graph::Bool = create_graph, train_mode::Bool = true)
    hs, vs = several_arrays(heads), several_arrays(variables)
    found = fill(C_NULL, length(vs))
    weights = head_pointers(hs, head_grads)
    GC.@preserve hs vs head_grads check(mxr_autograd_grad(
        Ptr{Cvoid}[live(h) for h in hs], weights, length(hs), Ptr{Cvoid}[live(v) for v in vs], length(vs),
        backward_flags(retain_graph, create_graph, train_mode), found))
    poll()
    gradients = NDArray[owned(handle) for handle in found]
    return variables isa NDArray ? gradients[1] : gradients
end

"""
    get_symbol(heads)

What was recorded, as a symbol with an output for each array. Its variables are `var0`, `var1`, … for arrays with
gradients, and `null2`, … for others.
"""
function get_symbol(heads)
    hs = several_arrays(heads)
    return GC.@preserve hs SymbolicNode(made(out -> mxr_autograd_symbol(handles_of(hs), length(hs), out)))
end

"Gives back what the library has finished with."
poll() = (mxr_events_poll(); nothing)

# Functions of the user's.
const BACKWARD = Ref(C_NULL)

# Called by the library on the thread that is inside backward.
function run_backward(payload::Ptr{Cvoid}, grads::Ptr{Ptr{Cvoid}}, n::Int32, out::Ptr{Ptr{Cvoid}},
        wanted::Int32)
    try
        f = lent(Int(UInt(payload)))
        given = [owned(mxr_array_retain(unsafe_load(grads, i))) for i in 1:n]
        results = f(given...)
        results = results isa NDArray ? (results,) : results
        length(results) == wanted ||
            refuse(:INVALID_VALUE, :backward,
                "expected $wanted gradients, one for each input, got $(length(results))")
        for (i, gradient) in enumerate(results)
            gradient isa NDArray ||
                refuse(:INVALID_TYPE, :backward, "expected NDArrays, got $(typeof(gradient))")
            unsafe_store!(out, mxr_array_retain(live(gradient)), i)
        end
        return C_NULL
    catch error
        return thrown(error)
    end
end

"The library's error that stands for an exception of the user's, until it comes back."
function thrown(error)
    kept = error isa Exception ? error : ErrorException(string(error))
    return mxr_error_new(MXR_ERROR_CALLBACK, sprint(showerror, kept), lend(kept))
end

"""
    custom(forward, backward, inputs...)

Calls `forward(inputs...)` without remembering what it calls. In its stead `backward(output_grads...)`, which
gives a gradient for each input, is what `backward!` runs.
"""
function custom(forward, backward, inputs::NDArray...)
    outputs = pause(() -> forward(inputs...), is_training())
    is_recording() || return outputs
    training = is_training()
    results = map(detach, outputs isa NDArray ? (outputs,) : Tuple(outputs))
    slot = lend((grads...) -> pause(() -> backward(grads...), training))
    ins, outs = Ptr{Cvoid}[live(x) for x in inputs], Ptr{Cvoid}[live(y) for y in results]
    GC.@preserve inputs results check(mxr_autograd_record_custom(
        "custom", ins, length(ins), outs, length(outs), BACKWARD[], payload(slot), DROP[]))
    return outputs isa NDArray ? results[1] : results
end

function prepare_autograd()
    BACKWARD[] = @cfunction(
        run_backward, Ptr{Cvoid}, (Ptr{Cvoid}, Ptr{Ptr{Cvoid}}, Int32, Ptr{Ptr{Cvoid}}, Int32))
    return nothing
end
