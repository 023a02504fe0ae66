# Every operator by its public function, on arrays, on views and on symbols, against the oracle's numbers:
# `julia conformance.jl CASES QUIRKS [OPERATOR]`. The lines of CASES are described in xtask/src/cases.rs.

using MXR

include("gen/keywords.jl")

struct Tensor
    dtype::Int
    dims::Vector{Int}
    values::Vector{Float64}
    input::Int
end

mutable struct Case
    name::String
    dtypes::Vector{Int}
    training::Bool
    tolerance::Float64
    precision::Float64
    attrs::Vector{Pair{Int,Any}}
    inputs::Vector{Tensor}
    error::String
    outputs::Vector{Tensor}
    gradients::Vector{Tensor}
    states::Vector{Tensor}
end
Case(name) = Case(name, [], false, 1, 1e-10, [], [], "", [], [], [])

# Reading.
byte(code) = string(Char(parse(Int, code[2:3], base = 16)))
text(word) = word == "%" ? "" : replace(word, r"%[0-9a-f]{2}" => byte)
utf8(word) = String(UInt8[UInt8(c) for c in text(word)])
number(word) = something(tryparse(Float64, word), NaN)

function tensor(words; dtype = -1, input = -1)
    n = parse(Int, words[1])
    return Tensor(dtype, parse.(Int, words[2:n+1]), number.(words[n+2:end]), input)
end

function value(form, words)
    form == "no_value" && return nothing
    form == "bool" && return words[1] == "1"
    form == "int" && return parse(Int, words[1])
    form == "float" && return number(words[1])
    form == "string" && return utf8(words[1])
    rest = words[2:end]
    form == "ints" && return Any[i == typemin(Int) ? nothing : i for i in parse.(Int, rest)]
    return form == "floats" ? number.(rest) : utf8.(rest)
end

function add_line!(c::Case, kind, words)
    if kind == "dtypes"
        c.dtypes = parse.(Int, words[2:end])
    elseif kind == "settings"
        c.training, c.tolerance, c.precision = words[1] == "1", number(words[2]), number(words[3])
    elseif kind == "attr"
        push!(c.attrs, parse(Int, words[1]) => value(words[2], words[3:end]))
    elseif kind == "input"
        push!(c.inputs, tensor(words[2:end]; dtype = parse(Int, words[1])))
    elseif kind == "error"
        c.error = words[1]
    elseif kind == "output"
        push!(c.outputs, tensor(words))
    elseif kind == "gradient"
        push!(c.gradients, tensor(words))
    elseif kind == "state"
        push!(c.states, tensor(words[2:end]; input = parse(Int, words[1]) + 1))
    else
        error("there is no line $kind")
    end
end

# Arrays. Elements wrap as they do in memory.
element(T::Type{<:Integer}, v) = isfinite(v) ? (trunc(Int64, v) % T) : zero(T)
element(::Type{Bool}, v) = v != 0
element(T::Type{<:AbstractFloat}, v) = T(v)
const FLOATS = Union{Float64,Float32,Float16,mx.BFloat16}

function make(t::Tensor, dtype, view)
    T = MXR.dtype_of(t.dtype < 0 ? dtype : t.dtype)
    a = reshape(T[element(T, v) for v in t.values], reverse(t.dims)...)
    view || return NDArray(a)
    # The third of four rows of another. An index of a single axis gives an element, no view.
    other = fill(element(T, 77.0), size(a))
    ndims(a) == 0 && return reshape(NDArray(T[other[], other[], a[], other[]])[3:3], ())
    whole = NDArray(cat(other, other, a, other; dims = ndims(a) + 1))
    return whole[ntuple(_ -> :, ndims(a))..., 3]
end

const PATTERN = (0.5, -1.0, 1.5, 0.25, -0.75)
function head(y::NDArray, i)
    values = [element(eltype(y), PATTERN[(i+j)%5+1]) for j in 0:length(y)-1]
    return NDArray(reshape(values, size(y)...))
end

# Calls.
function call(name, c::Case, inputs)
    known = KEYWORDS[name]
    keywords = map(c.attrs) do (id, v)
        keyword, order = get(known, id, (:no_such_attribute, MXR.kept))
        # Integers of a list are in the library's order of axes here, and in Julia's there.
        ints = v isa Vector{Any} && order !== MXR.floats
        keyword => ints ? Tuple(i == MXR.NO_INT ? nothing : i for i in order(v)) : v
    end
    f = getfield(mx, name == "where" ? :where_ : Symbol(name))
    eltype(inputs) == SymbolicNode && isempty(inputs) && return f(SymbolicNode; keywords...)
    return f(inputs...; keywords...)
end

function call_symbol(name, c, inputs)
    names = [Symbol(:in, i) for i in eachindex(inputs)]
    node = call(name, c, SymbolicNode[mx.Variable(n) for n in names])
    op = mx.CachedOp(node)
    return op(; (n => x for (n, x) in zip(names, inputs) if n in mx.list_inputs(node))...)
end

vector(y::NDArray) = NDArray[y]
vector(ys) = ys

function run_case(name, c::Case, dtype, view, symbolic)
    inputs = NDArray[make(t, dtype, view) for t in c.inputs]
    wanted = !isempty(c.gradients)
    variables = [wanted && eltype(x) <: FLOATS for x in inputs]
    foreach(i -> mx.attach_grad!(inputs[i]), findall(variables))
    f() = vector(symbolic ? call_symbol(name, c, inputs) : call(name, c, inputs))
    outputs = wanted ? mx.record(f, c.training) : c.training ? mx.train_mode(f) : f()
    foreach(wait, outputs)
    heads = [head(y, i - 1) for (i, y) in enumerate(outputs)]
    wanted && mx.backward!(outputs, heads; train_mode = c.training)
    return inputs, outputs, variables
end

const EPSILONS = Dict{DataType,Float64}(Float32 => 1e-5, Float16 => 4e-3, mx.BFloat16 => 3e-2)
epsilon(T, precision) = T == Float64 ? precision : get(EPSILONS, T, 0.0)

"What is wrong with an array, or nothing."
function difference(c, expected, x)
    sizes = Tuple(reverse(expected.dims))
    size(x) == sizes || return "expected sizes $sizes, got $(size(x))"
    T = eltype(x)
    want, got = Float64[element(T, v) for v in expected.values], Float64.(vec(Array(x)))
    T <: FLOATS && (want = expected.values)
    scale = reduce(max, abs.(filter(isfinite, want)); init = 0.0)
    for (i, (w, v)) in enumerate(zip(want, got))
        close = abs(v - w) <= epsilon(T, c.precision) * c.tolerance * (abs(w) + 0.2scale + 1e-3)
        close || v == w || isnan(v) && isnan(w) || return "element $i: expected $w, got $v"
    end
end

function differences(c, (inputs, outputs, variables))
    found = String[]
    check(what, expected, x) = (d = difference(c, expected, x); d === nothing || push!(found, "$what: $d"))
    isempty(c.outputs) || length(c.outputs) == length(outputs) || return ["got $(length(outputs)) outputs"]
    foreach(i -> check("output $i", c.outputs[i], outputs[i]), eachindex(c.outputs))
    for (i, gradient) in enumerate(c.gradients)
        variables[i] && check("gradient $i", gradient, mx.getgrad(inputs[i]))
    end
    foreach(s -> check("state $(s.input)", s, inputs[s.input]), c.states)
    return found
end

# What Julia itself says of a call that no method is for, by the word for it in quirks.json.
const USED = Set{String}()
quirk(e) = e isa MethodError ? "no method" : e isa UndefKeywordError ? "missing keyword" : nothing
plain(code) = uppercase(replace(string(code), "_" => ""))

"What is wrong with a run of a case."
function wrong(name, c, dtype, view, symbolic, quirks)
    never = symbolic && "$name on symbols" in quirks
    try
        found = run_case(name, c, dtype, view, symbolic)
        never && return ["passes, but quirks.json lists it"]
        return isempty(c.error) ? differences(c, found) : ["expected $(c.error), got a result"]
    catch e
        never && return String[]
        if quirk(e) in quirks && !isempty(c.error)
            push!(USED, quirk(e))
            return String[]
        end
        right = e isa MXError && plain(e.code) == plain(c.error) && !isempty(e.operator)
        return right ? String[] : [sprint(showerror, e)]
    end
end

"All dtypes if everything is to run, else one of a family."
function dtypes(c, full)
    few = filter(d -> full || d in (MXR.MXR_FLOAT32, MXR.MXR_FLOAT64, MXR.MXR_INT32), c.dtypes)
    return isempty(few) ? c.dtypes[1:min(1, end)] : few
end

"Whether all cases of an operator pass."
function passes(name, cases, quirks, full)
    ok = !isempty(cases)
    ok || println("    no cases")
    ways = ((false, false), (true, false), (false, true))
    for c in cases, dtype in dtypes(c, full), (view, symbolic) in ways
        isempty(c.error) || !(view || symbolic) || continue
        for why in wrong(name, c, dtype, view, symbolic, quirks)
            how = view ? ", on views" : symbolic ? ", on symbols" : ""
            println("    '$(c.name)', dtype $dtype$how: $why")
            ok = false
        end
    end
    return ok
end

function main(cases_file, quirks_file, only = nothing)
    quirks = [String(m[1]) for m in eachmatch(r"\"([^\"]+)\"\s*:", read(quirks_file, String))]
    cases, name = Dict{String,Vector{Case}}(), ""
    for line in eachline(cases_file)
        words = split(line)
        if words[1] == "operator"
            name = utf8(words[2])
            cases[name] = Case[]
        elseif words[1] == "case"
            push!(cases[name], Case(utf8(words[2])))
        elseif words[1] != "end"
            add_line!(cases[name][end], words[1], words[2:end])
        end
    end
    counts = Dict(true => 0, false => 0)
    full = get(ENV, "MXR_TEST_FULL", "") == "1"
    for name in sort!(collect(keys(KEYWORDS)))
        only in (nothing, name) || continue
        ok = passes(name, get(cases, name, Case[]), quirks, full)
        ok || println("FAILED $name")
        counts[ok] += 1
    end
    for why in (only === nothing ? ("no method", "missing keyword") : ())
        counts[(why in quirks) == (why in USED)] += 1
    end
    println("$(counts[true]) passed, $(counts[false]) failed")
    return counts[false] == 0
end

exit(main(ARGS...) ? 0 : 1)
