// What the package gives, for TypeScript and for editors.

import * as T from './types';
import * as ndGen from './gen/nd';
import * as symGen from './gen/sym';
import * as kinds from './gen/registered';

export * from './types';

type Binary = {
    (lhs: T.NDArray, rhs: T.NDArray | number, options?: T.Out): T.NDArray;
    (lhs: number, rhs: T.NDArray, options?: T.Out): T.NDArray;
};
type SymbolBinary = {
    (lhs: T.Symbol, rhs: T.Symbol | number, options?: T.Named): T.Symbol;
    (lhs: number, rhs: T.Symbol, options?: T.Named): T.Symbol;
};
type BinaryName =
    | 'add'
    | 'subtract'
    | 'multiply'
    | 'divide'
    | 'true_divide'
    | 'modulo'
    | 'power'
    | 'maximum'
    | 'minimum'
    | 'equal'
    | 'not_equal'
    | 'greater'
    | 'greater_equal'
    | 'lesser'
    | 'lesser_equal'
    | 'logical_and'
    | 'logical_or'
    | 'logical_xor';

/** Things, alone or in nested arrays. */
type Tree<X> = X | readonly Tree<X>[];

interface Control<X> {
    /** Calls `body(row, states)` for each row of `data`; gives the outputs, stacked, and the last states. */
    foreach(
        body: (row: any, states: any) => [Tree<X>, Tree<X>],
        data: Tree<X>,
        initStates: Tree<X>,
        name?: string,
    ): [any, any];
    /** Calls `func(...loopVars)` as long as `cond(...loopVars)` is not zero. */
    while_loop(
        cond: (...vars: any[]) => X,
        func: (...vars: any[]) => [Tree<X> | null, Tree<X>],
        loopVars: Tree<X>,
        maxIterations: number,
        name?: string,
    ): [any, any];
    /** What `thenFunc()` gives if `pred` is not zero, else what `elseFunc()` gives. */
    cond(pred: X, thenFunc: () => Tree<X>, elseFunc: () => Tree<X>, name?: string): any;
}

type DrawOptions = T.ArrayOptions & T.Out & { shape?: T.Ints };

/** Random numbers of many distributions, whose parameters are numbers, or arrays of one shape. */
interface Distributions {
    uniform(low?: T.Operand, high?: T.Operand, options?: DrawOptions): T.NDArray;
    normal(loc?: T.Operand, scale?: T.Operand, options?: DrawOptions): T.NDArray;
    randn(...shape: number[]): T.NDArray;
    poisson(lam?: T.Operand, options?: DrawOptions): T.NDArray;
    exponential(scale?: number, options?: DrawOptions): T.NDArray;
    gamma(alpha?: T.Operand, beta?: T.Operand, options?: DrawOptions): T.NDArray;
    negative_binomial(k?: T.Operand, p?: T.Operand, options?: DrawOptions): T.NDArray;
    generalized_negative_binomial(mu?: T.Operand, alpha?: T.Operand, options?: DrawOptions): T.NDArray;
    randint(low: number, high: number, options?: DrawOptions): T.NDArray;
    multinomial(data: T.NDArray, attrs?: { shape?: T.Ints; get_prob?: boolean; dtype?: T.DType }): T.NDArray;
    shuffle(data: T.NDArray, options?: T.Out): T.NDArray;
}

interface Creation {
    /** An array of the elements of nested arrays, of a typed array, of a number or of another array. */
    array(
        source: T.Nested | T.TypedArray | T.NDArray,
        options?: T.DType | (T.ArrayOptions & { shape?: T.Ints }),
    ): T.NDArray;
    /** An array over a typed array's own memory, without a copy. */
    fromTypedArray(source: T.TypedArray, options?: { shape?: T.Ints; dtype?: T.DType }): T.NDArray;
    /** An array whose elements are not set. */
    empty(shape: T.Ints, options?: T.DType | T.ArrayOptions): T.NDArray;
    zeros(shape: T.Ints, options?: T.DType | (T.ArrayOptions & T.Out)): T.NDArray;
    ones(shape: T.Ints, options?: T.DType | (T.ArrayOptions & T.Out)): T.NDArray;
    full(shape: T.Ints, value: number, options?: T.DType | (T.ArrayOptions & T.Out)): T.NDArray;
    /** Numbers from `start` to before `stop` in equal steps. */
    arange(
        start: number,
        stop?: number | null | (T.ArrayOptions & { step?: number; repeat?: number }),
        options?: T.ArrayOptions & { step?: number; repeat?: number },
    ): T.NDArray;
    /** `num` numbers at equal distances. */
    linspace(
        start: number,
        stop: number,
        num: number,
        options?: T.ArrayOptions & { endpoint?: boolean },
    ): T.NDArray;
    /** Ones on a diagonal. */
    eye(
        N: number,
        M?: number | (T.ArrayOptions & { k?: number }),
        options?: T.ArrayOptions & { k?: number },
    ): T.NDArray;
    /** Joins arrays along an axis. */
    concatenate(arrays: readonly T.NDArray[], axis?: number): T.NDArray;
    /** Writes arrays to a file as MXNet does. */
    save(path: string, arrays: T.NDArray | readonly T.NDArray[] | T.Arrays): void;
    /** Reads the arrays of a file: an object of them by their names, or an array of them if they have none. */
    load(path: string): T.Arrays | T.NDArray[];
    /** Waits until everything asked so far is done, and throws what failed. */
    waitall(): void;
    NDArray: typeof T.NDArray;
    CachedOp: typeof T.CachedOp;
}

/** Operators, creation and arithmetic on arrays. */
export const nd: typeof ndGen.op &
    Record<BinaryName, Binary> &
    Creation & {
        contrib: typeof ndGen.contrib & Control<T.NDArray>;
        linalg: typeof ndGen.linalg;
        image: typeof ndGen.image;
        sparse: typeof ndGen.sparse;
        random: typeof ndGen.random & Distributions;
        _internal: typeof ndGen._internal;
    };

export interface VariableOptions {
    attr?: Record<string, string>;
    shape?: readonly number[];
    dtype?: T.DType;
    /** The text of an initializer. */
    init?: string;
    lr_mult?: number;
    wd_mult?: number;
}

/** Operators and composition of symbols. */
export const sym: typeof symGen.op &
    Record<BinaryName | 'pow', SymbolBinary> & {
        Variable(name: string, options?: VariableOptions): T.Symbol;
        var(name: string, options?: VariableOptions): T.Symbol;
        Group(symbols: readonly T.Symbol[]): T.Symbol;
        /** Reads a `-symbol.json` file of any version of MXNet. */
        load(path: string): T.Symbol;
        loadJSON(json: string): T.Symbol;
        zeros(shape: T.Ints, options?: T.Named & { dtype?: T.DType }): T.Symbol;
        ones(shape: T.Ints, options?: T.Named & { dtype?: T.DType }): T.Symbol;
        full(shape: T.Ints, value: number, options?: T.Named & { dtype?: T.DType }): T.Symbol;
        Symbol: typeof T.Symbol;
        contrib: typeof symGen.contrib & Control<T.Symbol>;
        linalg: typeof symGen.linalg;
        image: typeof symGen.image;
        sparse: typeof symGen.sparse;
        random: typeof symGen.random;
        _internal: typeof symGen._internal;
    };
export const symbol: typeof sym;

/** Automatic differentiation. */
export namespace autograd {
    /** Runs a function whose operations are recorded; they train unless `trainMode` is false. */
    function record<R>(run: () => R, trainMode?: boolean): R;
    /** Runs a function whose operations are not recorded. */
    function pause<R>(run: () => R, trainMode?: boolean): R;
    /** Runs a function whose operations train. */
    function trainMode<R>(run: () => R): R;
    /** Runs a function whose operations predict. */
    function predictMode<R>(run: () => R): R;
    function isRecording(): boolean;
    function isTraining(): boolean;
    /** Makes arrays variables, whose gradients `backward` leaves in `gradients`. */
    function markVariables(
        variables: T.NDArray | readonly T.NDArray[],
        gradients: T.NDArray | readonly T.NDArray[],
        gradReqs?: T.GradReq | readonly T.GradReq[],
    ): void;
    /** Leaves the gradients of the sum of all heads in the gradients of the variables. */
    function backward(
        heads: T.NDArray | readonly T.NDArray[],
        headGrads?: T.NDArray | readonly (T.NDArray | null)[] | null,
        options?: T.BackwardOptions,
    ): void;
    interface GradOptions extends T.BackwardOptions {
        /** Record the computation of the gradients, so that they can be differentiated. */
        createGraph?: boolean;
    }
    /** What was recorded, as a symbol with an output for each array. */
    function getSymbol(heads: T.NDArray | readonly T.NDArray[]): T.Symbol;
    /** The gradients of the sum of all heads with respect to variables. */
    function grad(
        heads: T.NDArray | readonly T.NDArray[],
        variables: T.NDArray,
        headGrads?: T.NDArray | readonly (T.NDArray | null)[] | null,
        options?: GradOptions,
    ): T.NDArray;
    function grad(
        heads: T.NDArray | readonly T.NDArray[],
        variables: readonly T.NDArray[],
        headGrads?: T.NDArray | readonly (T.NDArray | null)[] | null,
        options?: GradOptions,
    ): T.NDArray[];
    /** A function with a gradient of one's own. */
    abstract class Function {
        abstract forward(...inputs: T.NDArray[]): T.NDArray | T.NDArray[];
        abstract backward(...outputGrads: T.NDArray[]): T.NDArray | T.NDArray[];
        call<R extends T.NDArray | T.NDArray[] = T.NDArray>(...inputs: T.NDArray[]): R;
    }
}

/** Random numbers: the seed, and distributions. */
export const random: Distributions & {
    /** Seeds the random numbers of a device, or of all. Equal seeds give equal numbers, on every machine. */
    seed(state: number | bigint, ctx?: T.Context): void;
};

type Create<X> = (name: string, attrs?: Record<string, unknown>) => X;
/** Optimizers. */
export const optimizer: typeof kinds.optimizers & {
    Optimizer: typeof T.Optimizer;
    create: Create<T.Optimizer>;
};
/** Learning-rate schedules. */
export const lrScheduler: typeof kinds.lr_schedulers & {
    LRScheduler: typeof T.LRScheduler;
    create: Create<T.LRScheduler>;
};
/** Initializers. */
export const init: typeof kinds.initializers & {
    Initializer: typeof T.Initializer;
    create: Create<T.Initializer>;
    /** What the name of a parameter says that it is: 'weight', 'bias', 'gamma', …; null if it does not say. */
    roleOf(name: string): string | null;
};
export const initializer: typeof init;
/** Metrics. */
export const metric: typeof kinds.metrics & { Metric: typeof T.Metric; create: Create<T.Metric> };
/** Data iterators. */
export const io: typeof kinds.data_iters & { DataIter: typeof T.DataIter; create: Create<T.DataIter> };
/** What is told of batches and epochs. */
export const callback: typeof kinds.callbacks & { Callback: typeof T.Callback; create: Create<T.Callback> };
/** Stores of values that several devices share. */
export const kvstore: { KVStore: typeof T.KVStore; create(name?: 'local' | 'device'): T.KVStore };
export const kv: typeof kvstore;
export const mod: { Module: typeof T.Module };

export interface ModelInput {
    name: string;
    /** null if it may be any; -1 for an axis of any size. */
    shape?: readonly number[] | null;
    dtype?: T.DType;
    /** True for what only training needs. */
    label?: boolean;
}

export interface Checkpoint {
    symbol: T.Symbol;
    argParams: T.Arrays;
    auxParams: T.Arrays;
}

export interface Model extends Checkpoint {
    inputs: ModelInput[];
    metadata: Record<string, string>;
}

/** Writes a model to one file, which any reader of safetensors opens and which mxr maps. */
export function saveModel(
    path: string,
    symbol: T.Symbol,
    argParams?: T.Arrays,
    auxParams?: T.Arrays,
    options?: { inputs?: readonly ModelInput[]; metadata?: Record<string, string> },
): void;
/** Opens a model file; with `copy` it is read at once, else its arrays stay in the file until they are written to. */
export function loadModel(path: string, options?: { copy?: boolean }): Model;
/** Writes `prefix-symbol.json` and `prefix-NNNN.params`. A symbol that is null is not written. */
export function saveCheckpoint(
    prefix: string,
    epoch: number,
    symbol: T.Symbol | null,
    argParams: T.Arrays,
    auxParams: T.Arrays,
    options?: { removeAmpCast?: boolean },
): void;
/** Reads what `saveCheckpoint` or MXNet wrote. A prefix that is a file is one of `saveModel`. */
export function loadCheckpoint(prefix: string, epoch?: number): Checkpoint;
/** The arrays of a checkpoint. */
export function loadParams(prefix: string, epoch: number): Omit<Checkpoint, 'symbol'>;
export const model: {
    saveModel: typeof saveModel;
    loadModel: typeof loadModel;
    saveCheckpoint: typeof saveCheckpoint;
    loadCheckpoint: typeof loadCheckpoint;
    loadParams: typeof loadParams;
};

/** Compiles a symbol, without running it or taking memory. */
export function plan(
    symbol: T.Symbol,
    shapes: Record<string, readonly number[]>,
    options?: T.PlanOptions & { grad?: boolean | T.GradReqs; dtypes?: Record<string, T.DType> },
): T.Plan;

/**
 * Runs a function, and closes all arrays and other objects of mxr's that were made in it, but for those that it
 * returns: alone, in arrays, or in plain objects.
 */
export function scope<R>(run: () => R): R;

/** Names and attributes of symbols that are made in a function. */
export const name: {
    withPrefix<R>(prefix: string, run: () => R): R;
    withAttributes<R>(attrs: Record<string, string>, run: () => R): R;
};

export function cpu(deviceId?: number): T.Context;
export function gpu(deviceId?: number): T.Context;
export function currentContext(): T.Context;
/** Waits until everything asked so far is done, and throws what failed. */
export function waitall(): void;
/** Bytes of main memory in use, kept for later use, and the largest use so far. */
export function memoryStats(): { inUse: number; kept: number; peak: number };
/** Returns memory that is kept for later use to the system. */
export function memoryTrim(): void;
/** Threads that one operation may use. */
export function numThreads(): number;
/** The version of libmxr. */
export const version: string;
/** How libmxr was built. */
export function buildInfo(): string;
/** The file that libmxr was loaded from. */
export function library(): string;
