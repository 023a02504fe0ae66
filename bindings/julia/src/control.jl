# Loops and branches, over arrays and over symbols.
#
# Over symbols a function of the user's composes the body in a scope of its own, `__subgraph_name__`; the
# library cuts out what was composed there and makes inputs of whatever else it reads.

const SUBGRAPH = "__subgraph_name__"
# How arrays and symbols may be nested.
const Nested = Union{Tuple,AbstractVector}

is_leaf(x) = x isa NDArray || x isa SymbolicNode
flat(x, what = :outputs) = is_leaf(x) ? Any[x] :
    x isa Nested ? reduce(vcat, (flat(part, what) for part in x); init = Any[]) :
    refuse(:INVALID_TYPE, what, "expected arrays or symbols in tuples or vectors, got $(typeof(x))")
form(x) = is_leaf(x) ? nothing : [form(part) for part in x]
"What an iterator gives, nested as a form says."
nested(parts::Base.Iterators.Stateful, f) =
    f === nothing ? popfirst!(parts) : [nested(parts, part) for part in f]
nested(parts, f) = nested(Base.Iterators.Stateful(parts), f)
arguments(parts, f) = f === nothing ? [nested(parts, f)] : nested(parts, f)

"Whether all are symbols; all must be of one kind."
function are_symbols(values)
    symbols = count(v -> v isa SymbolicNode, values)
    symbols in (0, length(values)) || throw(MXError(:INVALID_TYPE, "expected arrays or symbols, got both"))
    return symbols > 0
end

function same_form(got, want, what)
    got == want || refuse(:INVALID_VALUE, what, "expected them nested as those that were given")
end

"The arrays of all rows, stacked, with zeros for missing rows."
function stacked(rows, missing = 0)
    length(Set(length.(rows))) <= 1 || refuse(:INVALID_VALUE, :outputs, "expected as many in each step")
    isempty(rows) && return NDArray[]
    return NDArray[mx.stack((row[i] for row in rows)..., (mx.zeros_like(rows[1][i]) for _ in 1:missing)...)
        for i in eachindex(rows[1])]
end

"A scope that is like no other."
function subgraph(name)
    outer = get(scope().attrs, SUBGRAPH, "")
    return node_name(nothing, isempty(outer) ? name : "$outer\$$name")
end
in_subgraph(f, name) = attr_scope(f; Symbol(SUBGRAPH) => name)

"Variables of the present scope that stand for symbols."
function stand_ins(symbols)
    taken = Set{String}()
    return map(symbols) do node
        i = 0
        while "$(get_name(node))-$i" in taken
            i += 1
        end
        push!(taken, "$(get_name(node))-$i")
        Variable("$(get_name(node))-$i")
    end
end

"A body as the library takes it, and what keeps it for a call."
function body_of(name, variables, outputs)
    vs, os = Ptr{Cvoid}[live(v) for v in variables], Ptr{Cvoid}[live(o) for o in outputs]
    text = Texts([name])
    view = mxr_body_t(
        sizeof(mxr_body_t), length(vs), text.pointers[1], pointer(vs), pointer(os), length(os), 0)
    return Ref(view), (vs, os, text, variables, outputs)
end

"The outputs of the symbol of a loop or a branch, of which `f` makes the handle from a name and attributes."
function control_node(f, hint)
    attrs = collect(user_attrs(nothing))
    keys, values = Texts(first.(attrs)), Texts(last.(attrs))
    node = GC.@preserve keys values new_symbol(
        out -> f(node_name(nothing, hint), keys.pointers, values.pointers, length(attrs), out))
    return [node[i] for i in 1:length(node)]
end

handles(symbols) = Ptr{Cvoid}[live(s) for s in symbols]

"""
    foreach(body, data, init_states)

Calls `body(row, states)` for each row of `data`, along its last axis; it gives outputs and the states for the
next row. The result is the outputs of all rows, stacked, and the last states. Of symbols it makes a symbol
that does this.
"""
function foreach(body, data, init_states)
    rows, states = flat(data, :data), flat(init_states, :init_states)
    are_symbols([rows; states]) && return symbolic_foreach(body, data, init_states, rows, states)
    lengths = Set(size(x, ndims(x)) for x in rows)
    length(lengths) == 1 && !(0 in lengths) ||
        refuse(:INVALID_VALUE, :data, "expected arrays with as many rows, got $(sort!(collect(lengths)))")
    now, outs, done = init_states, nothing, Vector{Any}[]
    for i in 1:first(lengths)
        outs, now = body(nested((row(x, i) for x in rows), form(data)), now)
        same_form(form(now), form(init_states), :states)
        push!(done, flat(outs))
    end
    return nested(stacked(done), form(outs)), now
end

function symbolic_foreach(body, data, init_states, rows, states)
    name = subgraph("foreach")
    variables, outs, new = in_subgraph(name) do
        variables = stand_ins([rows; states])
        given = Base.Iterators.Stateful(variables)
        outs, new = body(nested(given, form(data)), nested(given, form(init_states)))
        variables, outs, new
    end
    same_form(form(new), form(init_states), :states)
    view, keep = body_of(name, variables, [flat(outs); flat(new)])
    made = GC.@preserve rows states keep control_node("_foreach") do node, keys, values, n, out
        mxr_symbol_foreach(node, keys, values, n, handles(rows), length(rows), handles(states),
            length(states), view, out)
    end
    parts = Base.Iterators.Stateful(made)
    return nested(parts, form(outs)), nested(parts, form(init_states))
end

"""
    while_loop(cond, func, loop_vars; max_iterations)

Calls `func(loop_vars...)`, which gives outputs and the variables for the next step, as long as
`cond(loop_vars...)` is not zero. The result is the outputs, stacked, with zeros for steps that are not taken,
and the last variables.
"""
function while_loop(cond, func, loop_vars; max_iterations::Integer)
    vars = flat(loop_vars, :loop_vars)
    isempty(vars) && refuse(:INVALID_VALUE, :loop_vars, "expected at least one")
    are_symbols(vars) && return symbolic_while(cond, func, loop_vars, vars, max_iterations)
    now, outs, done = arguments(vars, form(loop_vars)), Any[], Vector{Any}[]
    while length(done) < max_iterations && scalar(cond(now...)) != 0
        outs, new = func(now...)
        outs = outs === nothing ? Any[] : outs
        now = is_leaf(new) ? Any[new] : collect(Any, new)
        length(flat(now)) == length(vars) ||
            refuse(:INVALID_VALUE, :loop_vars, "expected $(length(vars)), got $(length(flat(now)))")
        push!(done, flat(outs))
    end
    return nested(stacked(done, max_iterations - length(done)), form(outs)), is_leaf(loop_vars) ? now[1] : now
end

function symbolic_while(cond, func, loop_vars, vars, max_iterations)
    tests, steps = subgraph("while_loop_cond"), subgraph("while_loop_func")
    tested, test = in_subgraph(tests) do
        tested = stand_ins(vars)
        tested, cond(arguments(tested, form(loop_vars))...)
    end
    variables, outs, new = in_subgraph(steps) do
        variables = stand_ins(vars)
        outs, new = func(arguments(variables, form(loop_vars))...)
        variables, outs === nothing ? Any[] : outs, new
    end
    length(flat(new)) == length(vars) ||
        refuse(:INVALID_VALUE, :loop_vars, "expected $(length(vars)), got $(length(flat(new)))")
    test_view, test_keep = body_of(tests, tested, [test])
    step_view, step_keep = body_of(steps, variables, [flat(outs); flat(new)])
    made = GC.@preserve vars test_keep step_keep control_node("_while_loop") do node, keys, values, n, out
        mxr_symbol_while_loop(node, keys, values, n, handles(vars), length(vars), test_view, step_view,
            max_iterations, out)
    end
    parts = Base.Iterators.Stateful(made)
    return nested(parts, form(outs)), nested(parts, form(loop_vars))
end

"""
    cond(pred, then, otherwise)

What `then()` gives if `pred`, of one element, is not zero, else what `otherwise()` gives. Of a symbol it
makes one that runs only one of both.
"""
cond(pred::NDArray, then, otherwise) = scalar(pred) != 0 ? then() : otherwise()
function cond(pred::SymbolicNode, then, otherwise)
    names = [subgraph("cond_$word") for word in ("pred", "then", "else")]
    branches = [in_subgraph(f, name) for (f, name) in zip((then, otherwise), names[2:3])]
    same_form(form(branches[2]), form(branches[1]), :otherwise)
    outputs = [[pred], flat(branches[1]), flat(branches[2])]
    bodies = [body_of(name, SymbolicNode[], outs) for (name, outs) in zip(names, outputs)]
    made = GC.@preserve bodies control_node("_cond") do node, keys, values, n, out
        mxr_symbol_cond(node, keys, values, n, bodies[1][1], bodies[2][1], bodies[3][1], out)
    end
    return nested(made, form(branches[1]))
end
