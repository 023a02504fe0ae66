"""
mxr for Julia: arrays, operators, automatic differentiation, symbols and training over the engine libmxr.

Everything is in `mx`, under the names that MXNet.jl's users know: `mx.NDArray`, `mx.zeros`, `mx.Convolution`.
"""
module MXR

import Libdl
import LinearAlgebra
import Random

export mx, NDArray, SymbolicNode, MXError

include("gen/abi.jl")
include("library.jl")
include("error.jl")
include("dtype.jl")
include("context.jl")
include("lent.jl")
include("ndarray.jl")
include("memory.jl")
include("attrs.jl")
include("invoke.jl")
include("gen/table.jl")
include("wait.jl")
include("symbol.jl")
include("compose.jl")
include("registered.jl")
include("metric.jl")
include("data.jl")
include("create.jl")
include("copy.jl")
include("arithmetic.jl")
include("broadcast.jl")
include("reduce.jl")
include("indexing.jl")
include("show.jl")
include("autograd.jl")
include("random.jl")
include("infer.jl")
include("plan.jl")
include("executor.jl")
include("cached_op.jl")
include("control.jl")
include("files.jl")
include("predictor.jl")
include("training.jl")
include("kvstore.jl")
include("fit.jl")
include("named.jl")
include("interchange.jl")
include("mx.jl")

function __init__()
    load_library()
    prepare_finalizers()
    prepare_lent()
    prepare_autograd()
    prepare_monitor()
    prepare_update()
end

end
