# Training: what optimizers, schedules and initializers do.

"Fills a parameter by its name: a weight as the initializer does, a bias with zeros, a gamma with ones."
function init!(initializer::Initializer, name, x::NDArray)
    GC.@preserve initializer x check(mxr_initializer_apply(live(initializer), String(name), C_NULL, live(x)))
    return x
end
"Fills an array, whatever it is."
function Base.fill!(x::NDArray, initializer::Initializer)
    GC.@preserve initializer x check(mxr_initializer_fill(live(initializer), live(x)))
    return x
end
(initializer::Initializer)(name, x::NDArray) = init!(initializer, name, x)
"The initializer that a text of MXNet's means, as model files have it."
parse_initializer(text::AbstractString) = Initializer(made(out -> mxr_initializer_parse(text, out)))

"The learning rate when some parameter has had so many updates, and none more."
function get_lr(schedule::LRScheduler, num_update::Integer)
    lr = Ref(0.0)
    GC.@preserve schedule check(mxr_lr_scheduler_value(live(schedule), num_update, lr))
    return lr[]
end
(schedule::LRScheduler)(num_update::Integer) = get_lr(schedule, num_update)

"The learning rate now."
function get_lr(optimizer::Optimizer)
    lr = Ref(0.0)
    GC.@preserve optimizer check(mxr_optimizer_learning_rate(live(optimizer), lr))
    return lr[]
end
set_lr!(optimizer::Optimizer, lr::Real) =
    GC.@preserve optimizer check(mxr_optimizer_set_learning_rate(live(optimizer), lr))

"Names of parameters, from number 1. Those that end neither in `_weight` nor in `_gamma` do not decay."
function set_names!(optimizer::Optimizer, names)
    texts, numbers = Texts([String(n) for n in names]), collect(Int64, 1:length(names))
    GC.@preserve optimizer texts check(mxr_optimizer_set_names(
        live(optimizer), numbers, texts.pointers, length(texts)))
    return optimizer
end
"Sets the factors of a parameter's learning rate and decay."
set_mult!(optimizer::Optimizer, index::Integer; lr_mult::Real = 1, wd_mult::Real = 1) =
    GC.@preserve optimizer check(mxr_optimizer_set_mult(live(optimizer), index, lr_mult, wd_mult))

"""
    Updater(optimizer)

An optimizer with the states of the parameters that it has seen.
"""
mutable struct Updater
    handle::Ptr{Cvoid}
    optimizer::Optimizer
    Updater(optimizer::Optimizer) = finalizer(close, new(
        GC.@preserve(optimizer, made(out -> mxr_updater_create(live(optimizer), out))), optimizer))
end
Base.close(x::Updater) = freed!(x, mxr_updater_free)
const getupdater = Updater

"""
    update!(updater, index, weight, gradient)

Changes a weight by its gradient; its state is made with the first call of that number.
"""
function update!(updater::Updater, index::Integer, weight::NDArray, gradient::NDArray)
    GC.@preserve updater weight gradient check(mxr_updater_update(
        live(updater), index, live(gradient), live(weight)))
    return weight
end
"Changes variables by their gradients, numbered from 1."
update!(updater::Updater, weights) =
    Base.foreach(((i, w),) -> update!(updater, i, w, getgrad(w)), enumerate(weights))
(updater::Updater)(index::Integer, gradient::NDArray, weight::NDArray) =
    update!(updater, index, weight, gradient)

"All states and counts as bytes."
function get_states(updater::Updater)
    return GC.@preserve updater taken_bytes((bytes, n) -> mxr_updater_to_bytes(live(updater), bytes, n))
end
"Bytes that the library gave, which are freed here."
function taken_bytes(f)
    bytes, n = Ref{Ptr{UInt8}}(C_NULL), Ref{UInt64}(0)
    check(f(bytes, n))
    out = copy(unsafe_wrap(Array, bytes[], n[]))
    mxr_bytes_free(bytes[], n[])
    return out
end
"Replaces all states and counts by those that `get_states` gave."
set_states!(updater::Updater, bytes::Vector{UInt8}) =
    GC.@preserve updater check(mxr_updater_set_bytes(live(updater), bytes, length(bytes)))
