'use strict';
// Random numbers: the seed, and numbers of many distributions. Parameters of a distribution are numbers, or arrays of
// one shape: then `shape` is what is drawn for each of their elements.

const native = require('./native.js');
const { deviceOf } = require('./context.js');
const { wrongType } = require('./error.js');
const { NDArray } = require('./ndarray.js');
const nd = require('./gen/nd.js');

/** Seeds the random numbers of a device, or of all. Equal seeds give equal numbers, on every machine. */
function seed(state, ctx) {
    if (typeof state !== 'bigint' && !Number.isSafeInteger(state))
        throw wrongType('state', 'an integer', state);
    const [kind, id] = ctx === undefined ? [0, 0] : deviceOf(ctx);
    native.seed(BigInt.asUintN(64, BigInt(state)), kind, id);
}

/** Draws by `_random_name` for numbers, by `_sample_name` for arrays. */
function draw(name, params, { shape, ctx, ...rest } = {}) {
    const values = Object.values(params),
        arrays = values.filter((value) => value instanceof NDArray);
    if (arrays.length > 0) {
        if (arrays.length < values.length) {
            throw wrongType(
                name,
                `${Object.keys(params).join(' and ')} to be all arrays or all numbers`,
                values,
            );
        }
        return nd._internal[`_sample_${name}`](...values, { shape, ...rest });
    }
    const size = shape ?? (rest.out === undefined ? [1] : undefined);
    return nd._internal[`_random_${name}`]({ ...params, shape: size, ctx: ctx?.toString(), ...rest });
}

const uniform = (low = 0, high = 1, options) => draw('uniform', { low, high }, options);
const normal = (loc = 0, scale = 1, options) => draw('normal', { loc, scale }, options);
const randn = (...shape) => normal(0, 1, { shape: shape.flat() });
const poisson = (lam = 1, options) => draw('poisson', { lam }, options);
const exponential = (scale = 1, options) => draw('exponential', { lam: 1 / scale }, options);
const gamma = (alpha = 1, beta = 1, options) => draw('gamma', { alpha, beta }, options);
const negative_binomial = (k = 1, p = 1, options) => draw('negative_binomial', { k, p }, options);
const generalized_negative_binomial = (mu = 1, alpha = 1, options) =>
    draw('generalized_negative_binomial', { mu, alpha }, options);
const randint = (low, high, options) => draw('randint', { low, high }, options);
const multinomial = (data, attrs) => nd._internal._sample_multinomial(data, attrs);
const shuffle = (data, attrs) => nd._internal._shuffle(data, attrs);

module.exports = {
    exponential,
    gamma,
    generalized_negative_binomial,
    multinomial,
    negative_binomial,
    normal,
    poisson,
    randint,
    randn,
    seed,
    shuffle,
    uniform,
};
