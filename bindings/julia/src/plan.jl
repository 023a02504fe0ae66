# How symbols are compiled, and what that takes.

const PLAN_FLAGS = (fuse = MXR_PLAN_NO_FUSION, simplify = MXR_PLAN_NO_SIMPLIFICATION,
    fold = MXR_PLAN_NO_FOLDING, algorithms = MXR_PLAN_NO_ALGORITHMS, share = MXR_PLAN_NO_SHARING,
    repeat = MXR_PLAN_NO_REPEATING)

"Flags, budget and device of a plan. `budget` is a number of bytes, `:least` or `nothing`."
function plan_options(; ctx::Context = context(), budget = nothing, training::Bool = false,
        mirror::Bool = false, keep_passes::Bool = false, passes...)
    flags = (training ? MXR_PLAN_TRAINING : 0x0) | (mirror ? MXR_PLAN_MIRROR : 0x0) |
        (keep_passes ? MXR_PLAN_KEEP_PASSES : 0x0)
    for (name, on) in passes
        haskey(PLAN_FLAGS, name) || throw(MXError(:NOT_FOUND, "there is no option $name of a plan"))
        on || (flags |= PLAN_FLAGS[name])
    end
    bytes = budget === nothing ? 0 : budget in (:least, "least") ? MXR_BUDGET_LEAST : Int64(budget)
    return Ref(mxr_plan_options_t(sizeof(mxr_plan_options_t), flags, bytes, ctx.kind, ctx.id))
end

"What is known of a symbol's variables, and what keeps it for a call."
struct Known
    view::Base.RefValue{mxr_known_t}
    keep::Vector{Any}
end

"From sizes in Julia's order, types and requests, each by name, and the request for all other arguments."
function Known(shapes, types, requests, others)
    named(list) = Texts(String.(collect(keys(list))))
    shape_names, type_names, request_names = named(shapes), named(types), named(requests)
    dims = [Int64[d <= 0 ? -1 : d for d in reversed(s)] for s in values(shapes)]
    pointers, axes = Ptr{Int64}[pointer(d) for d in dims], Int32[length(d) for d in dims]
    codes = Int32[dtype_code(dtype(T)) for T in values(types)]
    wanted = Int32[request(r) for r in values(requests)]
    view = mxr_known_t(sizeof(mxr_known_t), length(dims), pointer(shape_names.pointers), pointer(pointers),
        pointer(axes), pointer(type_names.pointers), pointer(codes), length(codes), length(wanted),
        pointer(request_names.pointers), pointer(wanted), request(others))
    return Known(Ref(view), Any[shape_names, type_names, request_names, dims, pointers, axes, codes, wanted])
end

"""
What a compiled symbol takes and does.

# Fields
- `peak_bytes`: activations, their gradients and workspaces at their peak, outputs included.
- `parameter_bytes`: parameters and other variables, and the gradients that are asked for.
- `unplanned_bytes`: `peak_bytes` if every value had memory of its own.
- `arena_bytes`, `workspace_bytes`: the memory that activations share, and the largest workspace of an
  operator.
- `flops`, `again_flops`: floating-point operations, and those of them that are repeated to save memory.
- `steps`: kernel calls.
- `choices`: what was applied that changes rounding.
- `text`: all of it, with every call.
"""
struct Plan
    peak_bytes::Int
    parameter_bytes::Int
    unplanned_bytes::Int
    arena_bytes::Int
    workspace_bytes::Int
    flops::Int
    again_flops::Int
    steps::Int
    choices::Vector{String}
    text::String
end

"Of a handle, which is freed."
function Plan(handle::Ptr{Cvoid})
    try
        report = Ref(mxr_plan_report_t(sizeof(mxr_plan_report_t), 0, 0, 0, 0, 0, 0, 0, 0, 0))
        check(mxr_plan_report(handle, report))
        r = report[]
        choices = taken_texts(out -> mxr_plan_choices(handle, out))
        text = taken(out -> mxr_plan_text(handle, out))
        return Plan(r.peak_bytes, r.parameter_bytes, r.unplanned_bytes, r.arena_bytes, r.workspace_bytes,
            r.flops, r.again_flops, r.steps, choices, something(text, ""))
    finally
        mxr_plan_free(handle)
    end
end
Base.show(io::IO, p::Plan) = print(io, "mx.Plan of ", p.steps, " steps, ", p.peak_bytes, " bytes at the peak")
Base.show(io::IO, ::MIME"text/plain", p::Plan) = print(io, p.text)

"""
    plan(node; grad = true, budget = nothing, types = (;), name = sizes...)

What a symbol takes when it is compiled, without running it: for training, with gradients of all arguments
whose sizes are not given, or with `grad = false` for prediction. `budget` is a number of bytes that
activations may take, or `:least`.
"""
function plan(node::SymbolicNode; grad::Bool = true, budget = nothing, types = NamedTuple(),
        passes = NamedTuple(), shapes...)
    requests = grad ? Dict(name => :null for name in keys(shapes)) : Dict{Symbol,Symbol}()
    known = Known(shapes, types, requests, grad ? :write : :null)
    options = plan_options(; budget = budget, training = grad, passes...)
    return Plan(GC.@preserve node known made(out -> mxr_plan_new(live(node), known.view, options, out)))
end
