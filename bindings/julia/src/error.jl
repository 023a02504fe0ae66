# Failures as exceptions.

"""
What libmxr, or this package, could not do.

# Fields
- `code`: the kind of failure, as `:SHAPE`, `:DTYPE`, `:INVALID_VALUE`, `:NOT_FOUND`, `:CLOSED`.
- `message`: operator, argument, what was expected and what came.
- `operator`, `argument`: what it is about, or empty.
"""
struct MXError <: Exception
    code::Symbol
    message::String
    operator::String
    argument::String
end
MXError(code::Symbol, message) = MXError(code, message, "", "")

Base.showerror(io::IO, error::MXError) = print(io, "MXError ", error.code, ": ", error.message)

"Throws what an `mxr_error_t *` says, if it is one."
@inline check(error::Ptr{Cvoid}) = error == C_NULL ? nothing : failed(error)

@noinline function failed(error)
    text(pointer) = pointer == C_NULL ? "" : unsafe_string(pointer)
    code, origin = mxr_error_code(error), mxr_error_origin(error)
    message = text(mxr_error_message(error))
    operator, argument = text(mxr_error_operator(error)), text(mxr_error_argument(error))
    mxr_error_free(error)
    thrown = origin == 0 ? nothing : take_thrown(origin)
    thrown === nothing || throw(thrown)
    name = 1 <= code <= length(ERROR_CODES) ? ERROR_CODES[code] : :INTERNAL
    throw(MXError(name, message, operator, argument))
end

@noinline refuse(code, argument, message) = throw(MXError(code, "$argument: $message", "", string(argument)))
