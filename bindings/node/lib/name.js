'use strict';
// Names of symbols that were not given one, and attributes that all symbols of a scope get.

const { wrongType } = require('./error.js');

let counter = new Map(),
    prefix = '',
    attrs = {};

/** The given name, or the next one for a hint: `exp0`, `exp1`. */
function next(name, hint) {
    if (name !== undefined && name !== null) {
        if (typeof name !== 'string') throw wrongType('name', 'a string', name);
        return prefix + name;
    }
    const n = counter.get(hint) ?? 0;
    counter.set(hint, n + 1);
    return `${prefix}${hint}${n}`;
}

/** Runs a function in which names begin with a prefix, and are counted from 0. */
function withPrefix(text, run) {
    const before = [counter, prefix];
    [counter, prefix] = [new Map(), text];
    try {
        return run();
    } finally {
        [counter, prefix] = before;
    }
}

/** Runs a function in which all symbols get some attributes. */
function withAttributes(given, run) {
    const before = attrs;
    attrs = { ...attrs, ...given };
    try {
        return run();
    } finally {
        attrs = before;
    }
}

module.exports = { attributes: () => attrs, next, withAttributes, withPrefix };
