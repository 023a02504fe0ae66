# Devices, and what a task has set for its calls: device, recording, training.

"A device: `mx.cpu()` or `mx.gpu(0)`."
struct Context
    kind::Int32
    id::Int32
end

cpu(id::Integer = 0) = Context(MXR_CPU, id)
gpu(id::Integer = 0) = Context(MXR_GPU, id)
Base.show(io::IO, c::Context) = print(io, c.kind == MXR_CPU ? "cpu" : "gpu", "(", c.id, ")")

"What a task has set for its calls."
struct Scope
    flags::UInt32
    context::Context
    attrs::Dict{String,String}
    prefix::String
end
const NO_SCOPE = Scope(0, cpu(), Dict{String,String}(), "")

# Scopes that are open in any task: without one there is nothing to look up.
const OPEN_SCOPES = Threads.Atomic{Int}(0)

@inline scope() = OPEN_SCOPES[] == 0 ? NO_SCOPE : own_scope()

@noinline own_scope() = get(task_local_storage(), :mxr_scope, NO_SCOPE)::Scope

"Runs `f` with another scope, which the tasks that it starts do not have."
function with_scope(f, inner::Scope)
    Threads.atomic_add!(OPEN_SCOPES, 1)
    try
        return task_local_storage(f, :mxr_scope, inner)
    finally
        Threads.atomic_sub!(OPEN_SCOPES, 1)
    end
end

"""
    context(f, ctx)

Runs `f` with `ctx` as the device of new arrays. `context()` is the present one.
"""
function context(f, ctx::Context)
    outer = scope()
    return with_scope(f, Scope(outer.flags, ctx, outer.attrs, outer.prefix))
end
context() = scope().context

"The circumstances of a call as the library takes them."
@inline call_of(s::Scope) = mxr_call_t(sizeof(mxr_call_t), s.flags, s.context.kind, s.context.id)
