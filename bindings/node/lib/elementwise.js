'use strict';
// Arithmetic and comparison as functions of arrays and numbers, which broadcast, and as methods of arrays.

const { isPlain } = require('./op.js');
const { NDArray } = require('./ndarray.js');
const { MxSymbol } = require('./symbol_base.js');
const { wrongType } = require('./error.js');
const nd = require('./gen/nd.js');
const ops = require('./gen/ops.js');
const sym = require('./gen/sym.js');

/** Functions: their names, and the operators for two arrays, array and number, and number and array. */
const FUNCTIONS = [
    ['add', 'broadcast_add', '_plus_scalar', '_plus_scalar', (a, b) => a + b],
    ['subtract', 'broadcast_sub', '_minus_scalar', '_rminus_scalar', (a, b) => a - b],
    ['multiply', 'broadcast_mul', '_mul_scalar', '_mul_scalar', (a, b) => a * b],
    ['divide', 'broadcast_div', '_div_scalar', '_rdiv_scalar', (a, b) => a / b],
    ['modulo', 'broadcast_mod', '_mod_scalar', '_rmod_scalar', (a, b) => a - b * Math.floor(a / b)],
    ['power', 'broadcast_power', '_power_scalar', '_rpower_scalar', (a, b) => a ** b],
    ['maximum', 'broadcast_maximum', '_maximum_scalar', '_maximum_scalar', Math.max],
    ['minimum', 'broadcast_minimum', '_minimum_scalar', '_minimum_scalar', Math.min],
    ['equal', 'broadcast_equal', '_equal_scalar', '_equal_scalar', (a, b) => +(a === b)],
    ['not_equal', 'broadcast_not_equal', '_not_equal_scalar', '_not_equal_scalar', (a, b) => +(a !== b)],
    ['greater', 'broadcast_greater', '_greater_scalar', '_lesser_scalar', (a, b) => +(a > b)],
    [
        'greater_equal',
        'broadcast_greater_equal',
        '_greater_equal_scalar',
        '_lesser_equal_scalar',
        (a, b) => +(a >= b),
    ],
    ['lesser', 'broadcast_lesser', '_lesser_scalar', '_greater_scalar', (a, b) => +(a < b)],
    [
        'lesser_equal',
        'broadcast_lesser_equal',
        '_lesser_equal_scalar',
        '_greater_equal_scalar',
        (a, b) => +(a <= b),
    ],
    [
        'logical_and',
        'broadcast_logical_and',
        '_logical_and_scalar',
        '_logical_and_scalar',
        (a, b) => +(!!a && !!b),
    ],
    [
        'logical_or',
        'broadcast_logical_or',
        '_logical_or_scalar',
        '_logical_or_scalar',
        (a, b) => +(!!a || !!b),
    ],
    [
        'logical_xor',
        'broadcast_logical_xor',
        '_logical_xor_scalar',
        '_logical_xor_scalar',
        (a, b) => +(!a !== !b),
    ],
];

/** Methods with other names than their functions. */
const METHODS = {
    add: ['add', 'plus'],
    subtract: ['sub', 'minus', 'subtract'],
    multiply: ['mul', 'times', 'multiply'],
    divide: ['div', 'divide'],
    modulo: ['mod', 'modulo'],
    power: ['pow', 'power'],
};

const find = (module, name) => (name.startsWith('_') ? module._internal : module.op)[name];

/** A function of two things of a class, of which one may be a number. */
function binary(Class, module, [name, arrays, scalar, reflected, plain]) {
    const [both, left, right] = [arrays, scalar, reflected].map((operator) => find(module, operator));
    const what = Class === NDArray ? 'an NDArray' : 'a Symbol';
    return (lhs, rhs, attrs) => {
        if (lhs instanceof Class) {
            if (rhs instanceof Class) return both(lhs, rhs, attrs);
            if (typeof rhs !== 'number') throw wrongType('rhs', `${what} or a number`, rhs, name);
            if (attrs === undefined && Class === NDArray) return ops[scalar].callNumber(lhs, rhs);
            return left(lhs, { ...attrs, scalar: rhs });
        }
        if (typeof lhs !== 'number') throw wrongType('lhs', `${what} or a number`, lhs, name);
        if (rhs instanceof Class) return right(rhs, { ...attrs, scalar: lhs });
        if (typeof rhs !== 'number') throw wrongType('rhs', `${what} or a number`, rhs, name);
        return plain(lhs, rhs);
    };
}

const onArrays = {},
    onSymbols = {};

for (const [Class, module, functions] of [
    [NDArray, nd, onArrays],
    [MxSymbol, sym, onSymbols],
]) {
    for (const description of FUNCTIONS) {
        const [name] = description;
        const fun = binary(Class, module, description);
        Object.defineProperty(fun, 'name', { value: name });
        functions[name] = fun;
        for (const method of METHODS[name] ?? [name]) {
            method_(Class, method, function (other, attrs) {
                return fun(this, other, attrs);
            });
        }
    }
    functions.true_divide = functions.divide;
    method_(Class, 'neg', function (attrs) {
        return module.op.negative(this, attrs);
    });
    method_(Class, 'astype', function (dtype) {
        return module.op.cast(this, { dtype });
    });
}
onSymbols.pow = onSymbols.power;

/** Adds a method to a class. */
function method_(Class, name, value) {
    Object.defineProperty(value, 'name', { value: name });
    Object.defineProperty(Class.prototype, name, { value, configurable: true, writable: true });
}

/** Makes operators that take an array first methods of a class, if it has none of that name. */
function fluent(Class, module) {
    for (const name of module.methods) {
        if (name in Class.prototype) continue;
        const fun = module.op[name];
        method_(Class, name, function (...rest) {
            return fun(this, ...rest);
        });
    }
}

method_(NDArray, 'reshapeBy', function (attrs) {
    return nd.op.reshape(this, attrs);
});
method_(MxSymbol, 'reshape', function (...shape) {
    const attrs = shape.length === 1 && isPlain(shape[0]) ? shape[0] : { shape: shape.flat() };
    return sym.op.reshape(this, attrs);
});
for (const [Class, module] of [
    [NDArray, nd],
    [MxSymbol, sym],
]) {
    method_(Class, 'transpose', function (...axes) {
        if (axes.length === 1 && isPlain(axes[0])) return module.op.transpose(this, axes[0]);
        return module.op.transpose(this, axes.length > 0 ? { axes: axes.flat() } : undefined);
    });
    fluent(Class, module);
}
Object.defineProperty(NDArray.prototype, 'T', {
    get() {
        return this.transpose();
    },
    configurable: true,
});

module.exports = { onArrays, onSymbols };
