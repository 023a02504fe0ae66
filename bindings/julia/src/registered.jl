# Initializers, learning-rate schedules and optimizers, which the generated constructors make.

"Fills new parameters; see the constructors `mx.XavierInitializer` and so on."
mutable struct Initializer
    handle::Ptr{Cvoid}
    Initializer(handle::Ptr{Cvoid}) = finalizer(close, new(handle))
end
Base.close(x::Initializer) = freed!(x, mxr_initializer_free)

"A learning rate that depends on the number of updates; see `mx.FactorScheduler` and so on."
mutable struct LRScheduler
    handle::Ptr{Cvoid}
    LRScheduler(handle::Ptr{Cvoid}) = finalizer(close, new(handle))
end
Base.close(x::LRScheduler) = freed!(x, mxr_lr_scheduler_free)

"Changes parameters by their gradients; see `mx.SGD` and so on."
mutable struct Optimizer
    handle::Ptr{Cvoid}
    Optimizer(handle::Ptr{Cvoid}) = finalizer(close, new(handle))
end
Base.close(x::Optimizer) = freed!(x, mxr_optimizer_free)

# How the constructors make objects; the caller keeps what attributes point to.
create(::Type{Initializer}, name, attrs) = created(Initializer, mxr_initializer_create, name, attrs)
create(::Type{LRScheduler}, name, attrs) = created(LRScheduler, mxr_lr_scheduler_create, name, attrs)
create(::Type{Optimizer}, name, attrs, ::Nothing) =
    created(Optimizer, mxr_optimizer_create, name, attrs, C_NULL)
create(::Type{Optimizer}, name, attrs, schedule::LRScheduler) =
    GC.@preserve schedule created(Optimizer, mxr_optimizer_create, name, attrs, live(schedule))

function created(T, f, name, attrs, more...)
    values = mxr_attr_t[attrs...]
    return T(made(out -> f(name, values, length(values), more..., out)))
end
