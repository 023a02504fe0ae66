# Calls of operators on symbols, of which the generated functions are made; variables, names, attributes of
# scopes.

# How many symbols were named after what made them.
const COUNTERS = Dict{String,Int}()
const COUNTERS_LOCK = ReentrantLock()

"The name that was given, or the next of its kind, as `exp0`."
function node_name(given, hint)
    given === nothing || return scope().prefix * String(given)
    number = lock(COUNTERS_LOCK) do
        n = get(COUNTERS, hint, 0)
        COUNTERS[hint] = n + 1
        n
    end
    return string(scope().prefix, hint, number)
end

"""
    name_prefix(f, prefix)

Runs `f`; the names of symbols made in it begin with `prefix`.
"""
function name_prefix(f, prefix)
    outer = scope()
    return with_scope(f, Scope(outer.flags, outer.context, outer.attrs, outer.prefix * String(prefix)))
end

"""
    attr_scope(f; attrs...)

Runs `f`; symbols made in it have these attributes.
"""
function attr_scope(f; attrs...)
    outer = scope()
    inner = merge(outer.attrs, Dict{String,String}(String(k) => text_of(v) for (k, v) in attrs))
    return with_scope(f, Scope(outer.flags, outer.context, inner, outer.prefix))
end

"Attributes of the user's and of the scope, as pairs of texts."
function user_attrs(attrs)
    own = attrs === nothing ? () : Base.pairs(attrs)
    return merge(scope().attrs, Dict{String,String}(String(k) => text_of(v) for (k, v) in own))
end

"""
The symbol of a call. `positional` are symbols by position; `named`, the operator's parameters with symbols or
`nothing`; `attrs`, its attributes.
"""
function symbol(op::Operator, positional, named, attrs, name, more)
    @nospecialize
    symbols = SymbolicNode[positional...]
    names = Union{Nothing,String}[nothing for _ in symbols]
    for (i, (key, value)) in enumerate(named)
        value === nothing && continue
        value isa SymbolicNode || throw(MXError(:INVALID_TYPE,
            "$key: expected a SymbolicNode, got $(typeof(value))", op.name, key))
        i <= length(positional) && throw(MXError(:INVALID_VALUE, "$key: given twice", op.name, key))
        push!(symbols, value)
        push!(names, key)
    end
    texts = Pair{String,String}[]
    for (key, value) in attrs
        value isa Absent || push!(texts, key => text_of(value))
    end
    append!(texts, user_attrs(more))
    return call_symbol(op, node_name(name, lowercase(op.name)), texts, symbols, names)
end

function call_symbol(op, name, attrs, symbols, names)
    keys, values = Texts(first.(attrs)), Texts(last.(attrs))
    handles = Ptr{Cvoid}[live(s) for s in symbols]
    pointers = Ptr{UInt8}[n === nothing ? C_NULL : pointer(n) for n in names]
    return GC.@preserve symbols names keys values new_symbol(out -> mxr_symbol_call(
        handle(op), name, keys.pointers, values.pointers, length(attrs), handles, pointers, length(handles),
        out))
end

"""
    Variable(name; shape, dtype, init, lr_mult, wd_mult, attrs)

A symbol that stands for an array. What else is given is kept in the graph: its shape and dtype, a text for
its initializer, factors of its learning rate and decay, attributes of the user's.
"""
function Variable(name::Union{Symbol,AbstractString}; shape = nothing, attrs = nothing, known...)
    texts = user_attrs(attrs)
    shape === nothing || (texts["__shape__"] = text_of(reversed(shape)))
    for (key, value) in known
        key in (:dtype, :init, :lr_mult, :wd_mult) ||
            throw(MXError(:NOT_FOUND, "a variable has no attribute $key; see the keyword attrs"))
        texts["__$(key)__"] = key === :dtype ? string(dtype_code(dtype(value))) : text_of(value)
    end
    keys, values = Texts(Base.keys(texts)), Texts(Base.values(texts))
    return GC.@preserve keys values new_symbol(out -> mxr_symbol_variable(
        String(name), keys.pointers, values.pointers, length(keys), out))
end

"""
    @var x
    @var x y z

Variables named after what they are assigned to. Gives the variable, or a tuple of them.
"""
macro var(names::Symbol...)
    assigned = [:($(esc(n)) = Variable($(QuoteNode(n)))) for n in names]
    return length(names) == 1 ? assigned[1] : Expr(:tuple, assigned...)
end

"All outputs of several symbols as one."
function Group(nodes::SymbolicNode...)
    handles = Ptr{Cvoid}[live(n) for n in nodes]
    return GC.@preserve nodes new_symbol(out -> mxr_symbol_group(handles, length(handles), out))
end

"""
    @chain x => mx.f(a = 1) => mx.g(b = 2)

`mx.g(mx.f(x, a = 1), b = 2)`: what comes before an arrow is the first argument of the call behind it.
"""
macro chain(expression)
    return esc(chained(expression))
end

chained(expression) = expression
function chained(expression::Expr)
    Meta.isexpr(expression, :call) && expression.args[1] === :(=>) || return expression
    steps = Any[]
    # Arrows group to the right.
    while Meta.isexpr(expression, :call) && expression.args[1] === :(=>)
        push!(steps, expression.args[2])
        expression = expression.args[3]
    end
    push!(steps, expression)
    return foldl(steps) do before, call
        Meta.isexpr(call, :call) || throw(ArgumentError("@chain: expected a call after =>, got $call"))
        parameters = filter(a -> Meta.isexpr(a, :parameters), call.args)
        rest = filter(a -> !Meta.isexpr(a, :parameters), call.args[2:end])
        Expr(:call, call.args[1], parameters..., before, rest...)
    end
end
