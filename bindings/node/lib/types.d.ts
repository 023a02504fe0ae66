// Classes and types of the package. The operators are in gen/.

import type { ArrayMethods, SymbolMethods } from './gen/methods';

/** Types of elements. float16 and bfloat16 are kept as the bits of numbers, in a Uint16Array. */
export type DType =
    | 'float32'
    | 'float64'
    | 'float16'
    | 'bfloat16'
    | 'uint8'
    | 'int8'
    | 'int32'
    | 'int64'
    | 'bool';

/** Sizes or positions for axes; one alone is a list of one. */
export type Ints = number | readonly number[];
/** The same, some of which may lack. */
export type OptionalInts = number | readonly (number | null)[];

/** Typed arrays that elements are kept in: a BigInt64Array for int64, a Uint16Array for float16 and bfloat16. */
export type TypedArray =
    | Float32Array
    | Float64Array
    | Uint16Array
    | Uint8Array
    | Int8Array
    | Int32Array
    | BigInt64Array;

/** Numbers in nested arrays. */
export type Nested = number | bigint | boolean | readonly Nested[];

/** Where the result of a call goes; a new array if it is not said. */
export interface Out {
    out?: NDArray | readonly NDArray[];
}

/** The name of a symbol, which is found if it is not said, and attributes of its node. */
export interface Named {
    name?: string;
    attr?: Record<string, string>;
}

/** Inputs by their names. Those that are not given become variables. */
export type Inputs<Names extends string> = { [Name in Names]?: Symbol };

/** How an array is made. */
export interface ArrayOptions {
    dtype?: DType;
    ctx?: Context;
}

/** A key of one axis: a row, a range, a new axis, or all axes that are not indexed ('...'). */
export type Key =
    | number
    | string
    | null
    | readonly [number | null, number | null]
    | readonly [number | null, number | null, number];

/** A failure that mxr reports. */
export class MXRError extends Error {
    /** The kind of failure. */
    code:
        | 'InvalidValue'
        | 'InvalidType'
        | 'Shape'
        | 'DType'
        | 'Index'
        | 'NotFound'
        | 'Closed'
        | 'OutOfMemory'
        | 'Unsupported'
        | 'Io'
        | 'Format'
        | 'Timeout'
        | 'Autograd'
        | 'Version'
        | 'Device'
        | 'Internal'
        | 'Callback';
    /** The operator that failed. */
    operator?: string;
    /** The argument that the failure is about. */
    argument?: string;
}

/** Something that libmxr has. Its memory is given back when nothing refers to it any more, or when it is closed. */
export class Handle {
    /** Whether `close` was called. */
    readonly closed: boolean;
    /** Gives memory back at once. The object cannot be used afterwards; closing it again does nothing. */
    close(): void;
    [globalThis.Symbol.dispose](): void;
}

/** A device: main memory, or a CUDA device. */
export class Context {
    constructor(deviceType: 'cpu' | 'gpu', deviceId?: number);
    readonly deviceType: 'cpu' | 'gpu';
    readonly deviceId: number;
    /** Runs a function in which arrays without a device of their own are made on this one. */
    use<T>(run: () => T): T;
}

/** What the other side of arithmetic may be. */
export type Operand = NDArray | number;

/** An n-dimensional array. Calls return before they are done: what shows elements waits. */
export interface NDArray extends ArrayMethods {}
export class NDArray extends Handle {
    private constructor();
    /** The sizes of the axes. Waits where only running tells them. */
    readonly shape: number[];
    /** The number of axes. */
    readonly ndim: number;
    /** The number of elements. */
    readonly size: number;
    /** The number of rows of the first axis. */
    readonly length: number;
    readonly dtype: DType;
    readonly context: Context;
    /** The gradient that `backward` leaves, or null. */
    readonly grad: NDArray | null;
    /** The array with its axes in reverse order. */
    readonly T: NDArray;
    /** The elements as a typed array, when they are computed. */
    data(): Promise<TypedArray>;
    /** Waits, and copies the elements to a typed array. The event loop stands still meanwhile. */
    dataSync(): TypedArray;
    /** The elements as numbers in nested arrays, when they are computed. */
    toArray(): Promise<any>;
    /** The same now. The event loop stands still meanwhile. */
    toArraySync(): any;
    /** The only element. */
    item(): number;
    /** Waits, and gives a typed array over the elements themselves: what is written to it is in the array. */
    view(): TypedArray;
    /** Waits until the elements are computed, without stopping the event loop. Fails if computing them failed. */
    wait(): Promise<this>;
    /** Waits until the elements are computed, at most so many milliseconds. The event loop stands still meanwhile. */
    waitToRead(milliseconds?: number): this;
    /** Sets all elements. */
    assign(value: Nested | TypedArray | NDArray): this;
    /** The same elements, of which autograd does not know where they come from. */
    detach(): NDArray;
    /** The same elements in another shape, sharing memory. One size may be -1. */
    reshape(...shape: number[] | [readonly number[]]): NDArray;
    transpose(...axes: number[] | [readonly number[]]): NDArray;
    astype(dtype: DType): NDArray;
    /** Row `index` of the first axis, without that axis, sharing memory. */
    at(index: number): NDArray;
    /** The rows `begin` to before `end` of the first axis, sharing memory. */
    rows(begin: number, end?: number): NDArray;
    /** The elements that keys name: a view where they lie together in memory, else a copy. */
    get(...keys: Key[] | [NDArray]): NDArray;
    /** Sets the elements that keys name. */
    set(keys: readonly Key[], value: Nested | NDArray): this;
    /** Copies to another array, which it gives, or to a new one on another device. */
    copyTo(other: NDArray | Context): NDArray;
    /** This array, if it is on a device, else a copy there. */
    asInContext(ctx: Context): NDArray;
    /** Whether another array has the same shape, dtype and elements. Waits. */
    equals(other: NDArray): boolean;
    /** Gives the array a gradient, of zeros. */
    attachGrad(gradReq?: GradReq): this;
    /** Leaves the gradients of the sum of this array in the gradients of the variables. */
    backward(headGrad?: NDArray, options?: BackwardOptions): void;
    toJSON(): any;
    [globalThis.Symbol.iterator](): Generator<NDArray>;
    add(other: Operand, options?: Out): NDArray;
    plus(other: Operand, options?: Out): NDArray;
    sub(other: Operand, options?: Out): NDArray;
    minus(other: Operand, options?: Out): NDArray;
    subtract(other: Operand, options?: Out): NDArray;
    mul(other: Operand, options?: Out): NDArray;
    times(other: Operand, options?: Out): NDArray;
    multiply(other: Operand, options?: Out): NDArray;
    div(other: Operand, options?: Out): NDArray;
    divide(other: Operand, options?: Out): NDArray;
    mod(other: Operand, options?: Out): NDArray;
    modulo(other: Operand, options?: Out): NDArray;
    pow(other: Operand, options?: Out): NDArray;
    power(other: Operand, options?: Out): NDArray;
    maximum(other: Operand, options?: Out): NDArray;
    minimum(other: Operand, options?: Out): NDArray;
    equal(other: Operand, options?: Out): NDArray;
    not_equal(other: Operand, options?: Out): NDArray;
    greater(other: Operand, options?: Out): NDArray;
    greater_equal(other: Operand, options?: Out): NDArray;
    lesser(other: Operand, options?: Out): NDArray;
    lesser_equal(other: Operand, options?: Out): NDArray;
    logical_and(other: Operand, options?: Out): NDArray;
    logical_or(other: Operand, options?: Out): NDArray;
    logical_xor(other: Operand, options?: Out): NDArray;
    neg(options?: Out): NDArray;
}

/** Arrays by the names of variables. */
export type Arrays = Record<string, NDArray>;
/** What to do with a gradient: 'write' it, 'add' it, or not compute it ('null'). */
export type GradReq = 'write' | 'add' | 'null';

export interface BackwardOptions {
    /** Keep the graph for another backward. */
    retainGraph?: boolean;
    trainMode?: boolean;
}

/** What was inferred of a symbol: of each name of its lists, null if it does not follow. */
export interface Inferred<T> {
    arguments: (T | null)[];
    outputs: (T | null)[];
    auxiliaryStates: (T | null)[];
    complete: boolean;
}

/** Outputs of a graph of operators. Symbols never change. */
export interface Symbol extends SymbolMethods {}
export class Symbol extends Handle {
    private constructor();
    /** The name of the node; null for a group of several. */
    readonly name: string | null;
    /** The number of outputs. */
    readonly length: number;
    listArguments(): string[];
    listOutputs(): string[];
    listAuxiliaryStates(): string[];
    listInputs(): string[];
    /** One output, by its number or its name. */
    get(index: number | string): Symbol;
    getInternals(): Symbol;
    getChildren(): Symbol | null;
    /** A copy in which variables are replaced by other symbols. */
    compose(inputs: Record<string, Symbol>, options?: { name?: string }): Symbol;
    attr(key: string): string | null;
    listAttr(): Record<string, string>;
    attrDict(): Record<string, Record<string, string>>;
    /** The same symbol with more attributes on its node. */
    withAttrs(attrs: Record<string, string>): Symbol;
    inferShape(known: Record<string, readonly number[]>): Inferred<number[]>;
    inferType(known: Record<string, DType>): Inferred<DType>;
    /** The graph as JSON, as MXNet 1.9.1 writes it. */
    toJSONText(options?: { removeAmpCast?: boolean }): string;
    /** Writes that to a file. */
    save(path: string, options?: { removeAmpCast?: boolean }): void;
    debugStr(): string;
    /** Runs the operators one by one on arrays, by name, without compiling. */
    run(arrays: Arrays): NDArray[];
    /** Binds to arrays. */
    bind(args: readonly NDArray[] | Arrays, options?: BindOptions): Executor;
    /** Binds to new arrays of zeros, whose shapes follow from those that are given. */
    simpleBind(shapes: Record<string, readonly number[]>, options?: SimpleBindOptions): Executor;
    reshape(...shape: number[] | [readonly number[]]): Symbol;
    transpose(...axes: number[] | [readonly number[]]): Symbol;
    astype(dtype: DType): Symbol;
    [globalThis.Symbol.iterator](): Generator<Symbol>;
    add(other: Symbol | number): Symbol;
    sub(other: Symbol | number): Symbol;
    mul(other: Symbol | number): Symbol;
    div(other: Symbol | number): Symbol;
    mod(other: Symbol | number): Symbol;
    pow(other: Symbol | number): Symbol;
    maximum(other: Symbol | number): Symbol;
    minimum(other: Symbol | number): Symbol;
    equal(other: Symbol | number): Symbol;
    not_equal(other: Symbol | number): Symbol;
    greater(other: Symbol | number): Symbol;
    greater_equal(other: Symbol | number): Symbol;
    lesser(other: Symbol | number): Symbol;
    lesser_equal(other: Symbol | number): Symbol;
    neg(): Symbol;
}

/** How a symbol is compiled. */
export interface PlanOptions {
    ctx?: Context;
    /** Bytes that activations and workspaces may take; results are computed again instead of being kept. */
    budget?: number | 'least' | null;
    fuse?: boolean;
    simplify?: boolean;
    fold?: boolean;
    algorithms?: boolean;
    share?: boolean;
    /** Whether cheap operators may be repeated in the backward pass instead of keeping their results. */
    repeat?: boolean;
    mirror?: boolean;
    keepPasses?: boolean;
}

export type GradReqs = GradReq | readonly GradReq[] | Record<string, GradReq>;

export interface BindOptions extends PlanOptions {
    argsGrad?: readonly (NDArray | null)[] | Arrays | null;
    gradReq?: GradReqs;
    auxStates?: readonly NDArray[] | Arrays;
    sharedExec?: Executor | null;
}

export interface SimpleBindOptions extends PlanOptions {
    gradReq?: GradReqs;
    dtypes?: Record<string, DType>;
    sharedExec?: Executor | null;
}

/** A compiled symbol: what it takes and does, known without running it. Sizes are in bytes. */
export class Plan extends Handle {
    private constructor();
    readonly peakBytes: number;
    readonly parameterBytes: number;
    readonly unplannedBytes: number;
    readonly arenaBytes: number;
    readonly workspaceBytes: number;
    readonly flops: number;
    readonly againFlops: number;
    readonly steps: number;
    /** What was applied that changes rounding. */
    readonly choices: string[];
    passes(): { name: string; text: string; dot: string }[];
}

/** A symbol bound to arrays. */
export class Executor extends Handle {
    private constructor();
    readonly symbol: Symbol;
    readonly argArrays: NDArray[];
    readonly gradArrays: (NDArray | null)[];
    readonly auxArrays: NDArray[];
    readonly outputs: NDArray[];
    readonly argDict: Arrays;
    readonly gradDict: Record<string, NDArray | null>;
    readonly auxDict: Arrays;
    /** Computes the outputs, after copying arrays to the arguments of their names. */
    forward(isTrain?: boolean, data?: Record<string, Nested | TypedArray | NDArray>): NDArray[];
    /** Computes the gradients after `forward(true)`; outputs of losses need no gradient. */
    backward(outGrads?: NDArray | readonly NDArray[]): void;
    /** Copies arrays to the variables of their names. */
    copyParamsFrom(argParams: Arrays, auxParams?: Arrays, options?: { allowExtra?: boolean }): void;
    /** An executor for other shapes of some arguments. */
    reshape(shapes: Record<string, readonly number[]>, options?: { allowUpSizing?: boolean }): Executor;
    plan(isTrain?: boolean): Plan;
    /** Shows every output of every operator of forward passes; null ends it. */
    setMonitorCallback(callback: ((name: string, array: NDArray) => void) | null): void;
}

/** A symbol that is called like an operator; compiled for each combination of input types when it first comes. */
export class CachedOp extends Handle {
    constructor(symbol: Symbol, options?: PlanOptions & { keepMemory?: boolean });
    /** Calls it on arrays for all variables, in the order of `listInputs`. Recorded as one operation. */
    call<R extends NDArray | NDArray[] = NDArray>(...inputs: readonly (NDArray | readonly NDArray[])[]): R;
}

/** A saved model that predicts. */
export class Predictor {
    constructor(symbol: Symbol, params: Arrays, options?: { ctx?: Context });
    /** Reads mxr's file, or MXNet's two: the symbol's and the parameters'. */
    static load(file: string, params?: string, options?: { ctx?: Context }): Predictor;
    readonly symbol: Symbol;
    /** The variables that no parameter is for: data and labels. */
    readonly inputs: string[];
    /** The output, or the outputs, for the model's first input, or for inputs by name. */
    predict<R extends NDArray | NDArray[] = NDArray>(data: NDArray | Arrays): R;
}

/** A learning rate that depends on the number of updates. Optimizers may share one. */
export class LRScheduler extends Handle {
    /** The learning rate when some parameter has had so many updates, and none more. */
    value(numUpdate: number): number;
    /** The learning rate to start from, after the warm-up. */
    baseLr: number;
}

/** Fills new parameters. */
export class Initializer extends Handle {
    /** The initializer that MXNet's text means: a name, or `["xavier", {"magnitude": 2}]`. */
    static parse(text: string): Initializer;
    /** Fills a parameter by its name: a weight as the initializer does, a bias with zeros, a gamma with ones. */
    apply(name: string, array: NDArray, own?: string | null): void;
    /** Fills an array, whatever it is. */
    fill(array: NDArray): void;
}

export interface OptimizerOptions {
    /** Says the learning rate by the number of updates. */
    lr_scheduler?: LRScheduler | null;
    /** Names of parameters from number 0. */
    paramNames?: readonly string[];
}

/** An optimizer: changes weights by their gradients, with states that it keeps. */
export class Optimizer extends Handle {
    constructor(attrs?: Record<string, unknown> & OptimizerOptions);
    /** Changes a weight by its gradient; its state is made with the first call. */
    update(index: number, weight: NDArray, grad: NDArray): void;
    /** Changes attributes; what was counted stays. */
    set(attrs: Record<string, unknown>): void;
    /** The learning rate now, without factors of parameters. */
    learningRate: number;
    /** The largest number of updates that any parameter has had. */
    readonly numUpdate: number;
    /** Counts an update of a parameter, and says how many there are now: for an optimizer of one's own. */
    count(index: number): number;
    setNames(names: readonly string[]): void;
    setLrMult(factors: Record<string, number>): void;
    setWdMult(factors: Record<string, number>): void;
    setMult(index: number, lrMult: number, wdMult: number): void;
    /** The learning rate and the decay of a parameter now. */
    rates(index: number): { lr: number; wd: number };
    /** The arrays of a parameter's state; null if it has none yet. */
    state(index: number): NDArray[] | null;
    setState(index: number, arrays: readonly NDArray[]): void;
    /** All states and counts. */
    saveStates(): Uint8Array;
    loadStates(bytes: Uint8Array): void;
}

/** What a metric may be made with besides its attributes. */
export interface MetricOptions {
    /** Of `CustomMetric`: a function of a label and a prediction that gives a value, or a sum and a count. */
    feval?: (label: NDArray, pred: NDArray) => number | readonly [number, number];
}

/** A metric with what it has summed up. */
export class Metric extends Handle {
    /** Takes in a batch: as many labels as predictions, in arrays, or in objects by their names. */
    update(labels: NDArray | readonly NDArray[] | Arrays, preds: NDArray | readonly NDArray[] | Arrays): void;
    /** Adds a metric to a `CompositeEvalMetric`. */
    push(metric: Metric): void;
    /** Adds a sum and a count that were found otherwise. */
    add(sum: number, count: number): void;
    /** Forgets everything; with `local` all but what `get({ global: true })` tells. */
    reset(options?: { local?: boolean }): void;
    /** The values by their names since the last reset. Waits. */
    get(options?: { global?: boolean }): Record<string, number>;
}

/** A name with a shape and a dtype. */
export interface DataDesc {
    name: string;
    shape: readonly number[];
    dtype?: DType;
    layout?: string;
}

/** A batch of data and labels. */
export interface Batch {
    data: NDArray[];
    label: NDArray[];
    /** How many examples, the last ones, only fill the batch up. */
    pad: number;
    /** The numbers of the examples in their source. */
    index: number[];
}

export type Source = NDArray | TypedArray | Nested;

/** What a data iterator reads from besides its attributes. */
export interface DataIterOptions {
    data?: Source | readonly NDArray[] | Record<string, Source>;
    label?: Source | readonly NDArray[] | Record<string, Source>;
    iters?: readonly DataIter[];
}

/** Goes through batches. A loop over it is an epoch, after which it begins anew. */
export class DataIter extends Handle {
    readonly provideData: DataDesc[];
    readonly provideLabel: DataDesc[];
    readonly batchSize: number;
    /** The next batch, or null at the end of the epoch. */
    next(): Batch | null;
    /** Begins the next epoch; with `hard` as if nothing had been read. */
    reset(options?: { hard?: boolean }): void;
    [globalThis.Symbol.iterator](): Generator<Batch>;
}

/** A store of values that several devices share. Keys are numbers or texts. */
export class KVStore extends Handle {
    private constructor();
    readonly type: string;
    readonly rank: number;
    readonly numWorkers: number;
    /** Keeps a copy of a value under a new key. */
    init(key: string | number, value: NDArray): void;
    /** Sums values, one of each device, and changes the stored one by the sum, which else takes its place. */
    push(key: string | number, value: NDArray | readonly NDArray[]): void;
    /** Copies the stored value to arrays. */
    pull(key: string | number, out: NDArray | readonly NDArray[]): void;
    pushpull(
        key: string | number,
        value: NDArray | readonly NDArray[],
        out?: NDArray | readonly NDArray[],
    ): void;
    broadcast(key: string | number, value: NDArray, out: NDArray | readonly NDArray[]): void;
    /** Updates stored values by an optimizer from now on, with new states. */
    setOptimizer(optimizer: Optimizer): void;
    /** Updates stored values by a function from now on; null lets sums take their place. */
    setUpdater(update: ((key: string | number, pushed: NDArray, stored: NDArray) => void) | null): void;
    /** Compresses what is pushed to a store `device` from now on. */
    setGradientCompression(compression: { type: '2bit'; threshold?: number }): void;
    saveOptimizerStates(): Uint8Array;
    loadOptimizerStates(states: Uint8Array): void;
}

/** What callbacks are told; epoch and batch from 0. */
export interface Told {
    epoch: number;
    batch?: number;
    metric?: Metric | null;
    module?: Module | null;
}

/** A callback of the library: says something, or asks for something to be done. */
export class Callback extends Handle {
    tell(told: Told): void;
}
export type Callbacks = Callback | ((told: Told) => void) | readonly (Callback | ((told: Told) => void))[];

export interface ModuleOptions {
    dataNames?: readonly string[];
    labelNames?: readonly string[];
    fixedParamNames?: readonly string[];
    stateNames?: readonly string[];
    /** A device, or several among which batches are divided. */
    ctx?: Context | readonly Context[];
}

export interface InitParamsOptions {
    initializer?: Initializer | string | null;
    argParams?: Arrays | null;
    auxParams?: Arrays | null;
    allowMissing?: boolean;
    allowExtra?: boolean;
    force?: boolean;
}

export interface FitOptions {
    numEpoch: number;
    beginEpoch?: number;
    evalData?: Iterable<Batch> | null;
    evalMetric?: Metric | string | readonly (Metric | string)[];
    optimizer?: Optimizer | string;
    /** The attributes of an optimizer that is named. */
    optimizerParams?: Record<string, unknown> & OptimizerOptions;
    kvstore?: KVStore | string | null;
    initializer?: Initializer | string;
    argParams?: Arrays | null;
    auxParams?: Arrays | null;
    allowMissing?: boolean;
    batchEnd?: Callbacks;
    epochEnd?: Callbacks;
    evalEnd?: Callbacks;
    /** Where lines go; the console if it is not said. */
    log?: (line: string) => void;
}

/** A symbol that is trained and predicts. */
export class Module extends Handle {
    constructor(symbol: Symbol, options?: ModuleOptions);
    /** The module of a checkpoint; with `states` the next optimizer goes on from those that were saved. */
    static load(prefix: string, epoch: number, options?: ModuleOptions & { states?: boolean }): Module;
    readonly binded: boolean;
    readonly paramsInitialized: boolean;
    readonly optimizerInitialized: boolean;
    readonly symbol: Symbol;
    readonly dataNames: string[];
    readonly labelNames: string[];
    readonly paramNames: string[];
    readonly dataShapes: DataDesc[];
    readonly labelShapes: DataDesc[];
    /** Makes executors for the batches of an iterator, or for descriptions of data and labels. */
    bind(
        data: DataIter | readonly DataDesc[],
        labels?: readonly DataDesc[],
        options?: {
            forTraining?: boolean;
            inputsNeedGrad?: boolean;
            gradReq?: GradReq;
            sharedModule?: Module | null;
        },
    ): this;
    reshape(data: readonly DataDesc[], labels?: readonly DataDesc[]): void;
    /** Gives parameters their first values. Says whether anything was done. */
    initParams(options?: InitParamsOptions): boolean;
    setParams(
        argParams: Arrays,
        auxParams?: Arrays,
        options?: { allowMissing?: boolean; allowExtra?: boolean },
    ): void;
    /** Copies of the parameters by their names. */
    getParams(): { argParams: Arrays; auxParams: Arrays };
    initOptimizer(options?: {
        optimizer?: Optimizer | string;
        optimizerParams?: Record<string, unknown> & OptimizerOptions;
        kvstore?: KVStore | string | null;
        force?: boolean;
    }): boolean;
    forward(batch: { data: readonly NDArray[]; label?: readonly NDArray[] }, isTrain?: boolean | null): void;
    backward(outGrads?: readonly NDArray[]): void;
    /** Changes the parameters by their gradients. */
    update(): void;
    /** The outputs of the last batch, which the next overwrites. */
    getOutputs(): NDArray[];
    getInputGrads(): NDArray[];
    updateMetric(metric: Metric, labels: readonly NDArray[]): void;
    saveOptimizerStates(): Uint8Array;
    loadOptimizerStates(states: Uint8Array): void;
    saveCheckpoint(prefix: string, epoch: number, options?: { states?: boolean }): void;
    /** Trains over the batches of an iterator. After each epoch it prints the metric, and that of `evalData`. */
    fit(trainData: Iterable<Batch> & Partial<DataIter>, options: FitOptions): this;
    /** The values of a metric over the batches of an iterator. */
    score(
        evalData: Iterable<Batch>,
        evalMetric?: Metric | string | readonly (Metric | string)[],
    ): Record<string, number>;
    /** The outputs for all examples of an iterator. */
    predict<R extends NDArray | NDArray[] = NDArray>(evalData: Iterable<Batch>): R;
}
