# The module that users see: operators and whatever else is public, under MXNet's names.

"""
Everything of mxr: arrays, operators, symbols, training. `?mx.NDArray` is a start; every operator has its
help.
"""
baremodule mx

import Base
import Base: GC, nothing, =>
import ..MXR
import ..MXR: MXError, NDArray, SymbolicNode, BFloat16
# Arrays.
import ..MXR: Context, cpu, gpu, context, empty, zeros, ones, full, eye, arange, share, unsafe_array,
    to_dlpack, from_dlpack, detach, scalar, add!, sub!, mul!, div!, wait_to_write, wait_all, pending, memory,
    trim_memory
import Base: copy!, push!, wait
# Random numbers.
import ..MXR: seed!, rand, randn
# Automatic differentiation.
import ..MXR: record, pause, train_mode, predict_mode, is_recording, is_training, attach_grad!,
    mark_variables!, getgrad, ∇, is_recorded, backward!, backward, grad, custom, get_symbol, @record
# Symbols.
import ..MXR: Variable, @var, Group, @chain, name_prefix, attr_scope, list_arguments, list_outputs,
    list_auxiliary_states, list_inputs, get_internals, get_children, get_name, get_attr, set_attr, list_attr,
    list_all_attr, to_json, from_json, debug_str, infer_shape, infer_type, plan, Plan
import ..MXR: Executor, bind, simple_bind, forward, copy_params_from, set_monitor_callback, CachedOp
import ..MXR: foreach, while_loop, cond
# Files.
import ..MXR: save, load, save_checkpoint, load_checkpoint, save_model, load_model, Input, Model, Predictor
# Training.
import ..MXR: Optimizer, LRScheduler, Initializer, Updater, getupdater, update!, get_states, set_states!,
    get_lr, set_lr!, set_names!, set_mult!, init!, parse_initializer
import ..MXR: Metric, reset!, get_global, DataIter, Batch, DataDesc, provide_data, provide_label,
    get_batch_size, KVStore, pull!, set_optimizer!, set_updater!, get_type, workers, Compression, set_gradient_compression!
import ..MXR: FeedForward, Callback, fit, score, predict, bind!, init_params!, init_optimizer!, get_params,
    get_symbol, update_metric!, get_outputs
# The library.
import ..MXR: version, build_info, library, num_threads, shutdown

Base.include(mx, "gen/ops.jl")
Base.include(mx, "gen/registered.jl")

# Names of MXNet.jl's.
const ADAM = Adam
const ACE = CrossEntropy
const ArrayDataProvider = NDArrayIter
const CSVProvider = CSVIter
const MNISTProvider = MNISTIter

end
