'use strict';
// Attributes of operators and of other things that are made by name: from JavaScript's values to tagged ones, which
// are written into the memory shared with the addon, or to MXNet's texts.
//
// An attribute is described by an array: its id, and its type: a name, or the values of an enumeration.

const native = require('./native.js');
const { codeOf, nameOf } = require('./dtype.js');
const { Context } = require('./context.js');
const { wrongType, wrongValue } = require('./error.js');

// The forms of values, as in mxr.h.
const {
    ATTR_BOOL: BOOL,
    ATTR_INT: INT,
    ATTR_FLOAT: FLOAT,
    ATTR_STRING: STRING,
    ATTR_INTS: INTS,
    ATTR_FLOATS: FLOATS,
    ATTR_STRINGS: STRINGS,
    ATTR_NO_VALUE: NO_VALUE,
} = require('./gen/abi.js');

function integer(owner, name, value) {
    const number = typeof value === 'bigint' || typeof value === 'boolean' ? Number(value) : value;
    if (typeof number !== 'number') throw wrongType(name, 'an integer', value, owner);
    if (!Number.isSafeInteger(number)) throw wrongType(name, 'an integer', value, owner);
    return number;
}

function number(owner, name, value) {
    if (typeof value === 'number') return value;
    if (typeof value === 'bigint' || typeof value === 'boolean') return Number(value);
    throw wrongType(name, 'a number', value, owner);
}

function truth(owner, name, value) {
    if (typeof value === 'boolean') return value ? 1 : 0;
    if (value === 0 || value === 1) return value;
    throw wrongType(name, 'true or false', value, owner);
}

function text(owner, name, value) {
    if (typeof value === 'string') return value;
    if (value instanceof Context) return value.toString();
    throw wrongType(name, 'a string', value, owner);
}

function choice(owner, name, values, value) {
    const at = values.indexOf(value);
    if (at >= 0) return at;
    const expected = `one of '${values.join("', '")}'`;
    throw (typeof value === 'string' ? wrongValue : wrongType)(name, expected, value, owner);
}

/** The items of a list; one alone is a list of one. */
function items(owner, name, value, what) {
    if (Array.isArray(value)) return value;
    if (typeof value === 'number' || typeof value === 'bigint' || typeof value === 'string') return [value];
    if (ArrayBuffer.isView(value)) return Array.from(value);
    throw wrongType(name, what, value, owner);
}

/** The dtype that a value means, which may be an array's class: `Float32Array`. */
function dtype(owner, name, value) {
    try {
        return codeOf(value, name);
    } catch (error) {
        error.message = `${owner}: ${error.message}`;
        error.operator = owner;
        throw error;
    }
}

/**
 * Writes attributes into the shared memory.
 *
 * @param owner What has the attributes, for messages.
 * @param types The attributes by name.
 * @param given An object of values. What is undefined is not given, and means the library's default.
 * @param at Where to begin.
 * @returns The texts among the values, or undefined.
 */
function write(owner, types, given, at) {
    let memory = native.room(at + 64),
        count = 0,
        texts;
    const start = at++;
    for (const name in given) {
        const value = given[name],
            type = types[name];
        if (value === undefined) continue;
        if (type === undefined) throw unknown(owner, types, name);
        const kind = type[1];
        if (at + 8 > memory.length) memory = native.room(at + 8);
        memory[at++] = type[0];
        count++;
        if (value === null) {
            memory[at++] = NO_VALUE;
        } else if (typeof kind !== 'string') {
            memory[at++] = INT;
            memory[at++] = choice(owner, name, kind, value);
        } else if (kind === 'bool') {
            memory[at++] = BOOL;
            memory[at++] = truth(owner, name, value);
        } else if (kind === 'int') {
            memory[at++] = INT;
            memory[at++] = integer(owner, name, value);
        } else if (kind === 'float') {
            memory[at++] = FLOAT;
            memory[at++] = number(owner, name, value);
        } else if (kind === 'dtype') {
            memory[at++] = INT;
            memory[at++] = dtype(owner, name, value);
        } else if (kind === 'string') {
            memory[at++] = STRING;
            (texts ??= []).push(text(owner, name, value));
        } else if (kind === 'strings') {
            const list = items(owner, name, value, 'an array of strings');
            memory[at++] = STRINGS;
            memory[at++] = list.length;
            (texts ??= []).push(...list.map((item) => text(owner, name, item)));
        } else {
            const list = items(owner, name, value, 'an array of numbers'),
                whole = kind !== 'floats';
            memory = native.room(at + list.length + 8);
            memory[at++] = whole ? INTS : FLOATS;
            memory[at++] = list.length;
            for (const item of list) {
                if (whole) memory[at++] = item === null ? NaN : integer(owner, name, item);
                else memory[at++] = number(owner, name, item);
            }
        }
    }
    memory[start] = count;
    return texts;
}

/** MXNet's text for a value. */
function asText(owner, name, type, value) {
    if (value === null) return 'None';
    const kind = type === undefined ? 'any' : type[1];
    if (typeof kind !== 'string') return kind[choice(owner, name, kind, value)];
    switch (kind) {
        case 'bool':
            return truth(owner, name, value) ? 'True' : 'False';
        case 'int':
            return String(integer(owner, name, value));
        case 'float':
            return special(number(owner, name, value));
        case 'dtype':
            return nameOf(dtype(owner, name, value));
        case 'string':
            return text(owner, name, value);
        case 'strings':
            return tuple(items(owner, name, value, 'an array of strings').map((s) => `'${s}'`));
        case 'floats':
            return tuple(
                items(owner, name, value, 'an array of numbers').map((n) => special(number(owner, name, n))),
            );
        case 'any':
            return typeof value === 'string' ? value : special(value);
        default: {
            const list = items(owner, name, value, 'an array of integers');
            return tuple(list.map((item) => (item === null ? 'None' : String(integer(owner, name, item)))));
        }
    }
}

const tuple = (texts) => (texts.length === 1 ? `(${texts[0]},)` : `(${texts.join(', ')})`);
const special = (n) =>
    n === Infinity ? 'inf' : n === -Infinity ? '-inf' : Number.isNaN(n) ? 'nan' : String(n);

/** The error for an attribute that there is not, with the nearest name. */
function unknown(owner, types, name) {
    const near = Object.keys(types).find((known) => distance(known, name) <= Math.max(1, known.length / 4));
    const hint = near === undefined ? '' : `; did you mean '${near}'?`;
    const error = wrongValue(
        name,
        `one of the attributes ${Object.keys(types).join(', ') || '(there are none)'}`,
        name,
        owner,
    );
    error.message = `${owner}: there is no attribute '${name}'${hint}`;
    error.code = 'NotFound';
    return error;
}

/** How many letters must be changed to make one word of the other. */
function distance(a, b) {
    let row = Array.from({ length: b.length + 1 }, (_, j) => j);
    for (let i = 1; i <= a.length; i++) {
        const next = [i];
        for (let j = 1; j <= b.length; j++) {
            next.push(Math.min(row[j] + 1, next[j - 1] + 1, row[j - 1] + (a[i - 1] === b[j - 1] ? 0 : 1)));
        }
        row = next;
    }
    return row[b.length];
}

module.exports = { FLOAT, asText, unknown, write };
