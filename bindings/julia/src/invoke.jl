# Calls of operators on arrays, of which the generated functions are made.

"An operator of the version that the functions were generated for; it is looked up when it is first called."
mutable struct Operator
    name::String
    breaking::UInt32
    revision::UInt32
    handle::Ptr{Cvoid}
end
Operator(name, breaking, revision) = Operator(name, breaking, revision, C_NULL)

@inline function handle(op::Operator)
    found = op.handle
    return found == C_NULL ? find!(op) : found
end

@noinline function find!(op::Operator)
    found = made(out -> mxr_op_find(op.name, out))
    breaking, revision = Ref{UInt32}(0), Ref{UInt32}(0)
    check(mxr_op_version(found, breaking, revision))
    check_version(op, breaking[], revision[])
    op.handle = found
    return found
end

function check_version(op, breaking, revision)
    breaking == op.breaking && revision >= op.revision && return nothing
    name(b, r) = "$(Int(b)).$(Int(r))"
    throw(MXError(:VERSION, "$(library()) has the operator $(op.name) in version " *
        "$(name(breaking, revision)), and this package needs $(name(op.breaking, op.revision)); the first " *
        "number must be equal, the second no smaller", op.name, ""))
end

"The handles of the inputs that there are, in order."
@inline given() = ()
@inline given(x::NDArray, rest...) = (live(x), given(rest...)...)
@inline given(::Nothing, rest...) = given(rest...)
given(x, rest...) = throw(MXError(:INVALID_TYPE, "expected an NDArray, got $(typeof(x))"))

"The handles of any number of inputs."
gathered(arrays::NDArray...) = Ptr{Cvoid}[live(x) for x in arrays]

# Lists as C has them: their address, of something that the caller keeps, and their length.
@inline boxed(list::Tuple) = Ref(list)
@inline boxed(list::Vector) = list
@inline start(list::Base.RefValue) = address(list)
@inline start(list::Vector) = pointer(list)

"The result of a call that has one. What inputs and attributes point to is kept by the caller."
@inline function single(op::Operator, inputs, attrs, out)
    return out === nothing ? owned(result(op, inputs, attrs, C_NULL)) : into(op, inputs, attrs, out)
end

@inline function result(op::Operator, inputs, attrs, out::Ptr{Cvoid})
    ins, values = boxed(inputs), boxed(attrs)
    results, n = Ref(out), Ref{Int32}(1)
    s = scope()
    GC.@preserve ins values begin
        if s === NO_SCOPE
            check(mxr_op_invoke(handle(op), start(ins), length(inputs) % Int32, start(values),
                length(attrs) % Int32, results, n, C_NULL, C_NULL))
        else
            check(mxr_op_invoke(handle(op), start(ins), length(inputs) % Int32, start(values),
                length(attrs) % Int32, results, n, C_NULL, Ref(call_of(s))))
        end
    end
    return results[]
end

function into(op, inputs, attrs, out::NDArray)
    GC.@preserve out result(op, inputs, attrs, live(out))
    return out
end
into(op, inputs, attrs, out) =
    throw(MXError(:INVALID_TYPE, "out: expected an NDArray, got $(typeof(out))", op.name, "out"))

"All results of a call that may have several: an array if it is one, else a vector of arrays."
function several(op::Operator, inputs, attrs, out)
    ins, values = boxed(inputs), boxed(attrs)
    n, call = Ref{Int32}(0), Ref(call_of(scope()))
    given = out === nothing ? NDArray[] : out isa NDArray ? NDArray[out] : collect(NDArray, out)
    GC.@preserve ins values given begin
        check(mxr_op_num_outputs(handle(op), start(values), length(attrs), n))
        results = fill(C_NULL, n[])
        length(given) > n[] && throw(MXError(:INVALID_VALUE,
            "out: expected at most $(n[]) arrays, got $(length(given))", op.name, "out"))
        for (i, array) in enumerate(given)
            results[i] = live(array)
        end
        check(mxr_op_invoke(handle(op), start(ins), length(inputs), start(values), length(attrs), results, n,
            C_NULL, call))
    end
    arrays = NDArray[i <= length(given) ? given[i] : owned(results[i]) for i in eachindex(results)]
    return length(arrays) == 1 ? arrays[1] : arrays
end
