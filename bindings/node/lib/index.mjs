// The package: what `import` gives.

import mx from './index.js';

export default mx;
export const {
    CachedOp, Context, Executor, MXRError, NDArray, Plan, Predictor, Symbol, autograd, buildInfo, cpu,
    currentContext, gpu, init, initializer, library, loadCheckpoint, loadModel, loadParams, lrScheduler,
    memoryStats, memoryTrim, model, name, nd, numThreads, optimizer, plan, random, saveCheckpoint, saveModel,
    scope, sym, symbol, version, waitall,
} = mx;
