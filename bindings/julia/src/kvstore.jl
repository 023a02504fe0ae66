# Stores of parameters, in which gradients are summed and parameters changed.

"""
    KVStore(:local)
    KVStore(:device)

Values by keys, which are all numbers or all names.
"""
mutable struct KVStore
    handle::Ptr{Cvoid}
    KVStore(handle::Ptr{Cvoid}) = finalizer(close, new(handle))
end
KVStore(name::Union{Symbol,AbstractString}) = KVStore(made(out -> mxr_kvstore_create(String(name), out)))
Base.close(x::KVStore) = freed!(x, mxr_kvstore_free)

key_text(key::Integer) = C_NULL
key_text(key) = String(key)
key_number(key::Integer) = Int64(key)
key_number(_) = Int64(0)

"Keeps a copy of a value under a new key."
init!(store::KVStore, key, value::NDArray) =
    GC.@preserve store value check(mxr_kvstore_init(live(store), key_text(key), key_number(key), live(value)))

"Sums values and changes the stored one by the sum."
function Base.push!(store::KVStore, key, values)
    arrays = several_arrays(values)
    GC.@preserve store arrays check(mxr_kvstore_push(
        live(store), key_text(key), key_number(key), handles_of(arrays), length(arrays)))
    return store
end

"Copies the stored value to arrays."
function pull!(store::KVStore, key, outs)
    arrays = several_arrays(outs)
    GC.@preserve store arrays check(mxr_kvstore_pull(
        live(store), key_text(key), key_number(key), handles_of(arrays), length(arrays)))
    return outs
end

"Updates stored values by an optimizer from now on, with new states."
set_optimizer!(store::KVStore, optimizer::Optimizer) =
    GC.@preserve store optimizer check(mxr_kvstore_set_optimizer(live(store), live(optimizer)))

const UPDATE = Ref(C_NULL)

# Called by the library on the thread that is inside a push.
function run_update(payload::Ptr{Cvoid}, text::Ptr{UInt8}, number::Int64, pushed::Ptr{Cvoid},
        stored::Ptr{Cvoid})
    try
        key = text == C_NULL ? Int(number) : Symbol(unsafe_string(text))
        lent(Int(UInt(payload)))(key, owned(mxr_array_retain(pushed)), owned(mxr_array_retain(stored)))
        return C_NULL
    catch error
        return thrown(error)
    end
end

"""
    set_updater!(f, store)

Calls `f(key, pushed, stored)` in each push, which changes the stored value by the sum of those pushed; without `f`
sums take its place. The function must not use the store.
"""
function set_updater!(f, store::KVStore)
    slot = lend(f)
    GC.@preserve store check(mxr_kvstore_set_update(live(store), UPDATE[], payload(slot), DROP[]))
    poll()
end
function set_updater!(::Nothing, store::KVStore)
    GC.@preserve store check(mxr_kvstore_set_update(live(store), C_NULL, C_NULL, C_NULL))
    poll()
end

function prepare_update()
    UPDATE[] = @cfunction(run_update, Ptr{Cvoid}, (Ptr{Cvoid}, Ptr{UInt8}, Int64, Ptr{Cvoid}, Ptr{Cvoid}))
    return nothing
end

"The name by which a store is made."
get_type(store::KVStore) = Symbol(GC.@preserve store taken(out -> mxr_kvstore_type(live(store), out)))
"The number of this worker, from 0, and how many there are."
function workers(store::KVStore)
    rank, n = Ref{Int64}(0), Ref{Int64}(0)
    GC.@preserve store check(mxr_kvstore_workers(live(store), rank, n))
    return (rank = Int(rank[]), num_workers = Int(n[]))
end

"Compression of what is pushed; see `mx.compression_2bit`."
struct Compression
    name::String
    attrs::Vector{mxr_attr_t}
end
create(::Type{Compression}, name, attrs) = Compression(name, mxr_attr_t[attrs...])
"Compresses what is pushed to a store `:device` from now on."
set_gradient_compression!(store::KVStore, c::Compression) =
    GC.@preserve store check(mxr_kvstore_set_compression(live(store), c.name, c.attrs, length(c.attrs)))

"The states of the optimizer as bytes."
get_states(store::KVStore) =
    GC.@preserve store taken_bytes((bytes, n) -> mxr_kvstore_optimizer_states(live(store), bytes, n))
set_states!(store::KVStore, bytes::Vector{UInt8}) =
    GC.@preserve store check(mxr_kvstore_set_optimizer_states(live(store), bytes, length(bytes)))
