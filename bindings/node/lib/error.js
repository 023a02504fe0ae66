'use strict';
// The exception that mxr throws.

/** Kinds of failures, by their codes in the C interface from 1. */
const CODES = [
    'InvalidValue',
    'InvalidType',
    'Shape',
    'DType',
    'Index',
    'NotFound',
    'Closed',
    'OutOfMemory',
    'Unsupported',
    'Io',
    'Format',
    'Timeout',
    'Autograd',
    'Version',
    'Device',
    'Internal',
    'Callback',
];

class MXRError extends Error {
    constructor(code, message, operator = null, argument = null) {
        super(message);
        this.code = typeof code === 'number' ? (CODES[code - 1] ?? 'Internal') : code;
        if (operator !== null) this.operator = operator;
        if (argument !== null) this.argument = argument;
    }
}
Object.defineProperty(MXRError.prototype, 'name', { value: 'MXRError', configurable: true, writable: true });

/** What a message says of a value. */
function show(value) {
    if (typeof value === 'string') return JSON.stringify(value);
    if (typeof value === 'bigint') return `${value}n`;
    if (value === null || typeof value !== 'object') return String(value);
    const name = value.constructor?.name ?? 'an object';
    return Array.isArray(value) && value.length < 20 ? `[${value.map(show).join(', ')}]` : name;
}

/** The error for an argument that is of the wrong kind. */
function wrongType(argument, expected, got, operator = null) {
    const at = operator === null ? '' : `${operator}: `;
    return new MXRError(
        'InvalidType',
        `${at}argument '${argument}': expected ${expected}, got ${show(got)}`,
        operator,
        argument,
    );
}

/** The error for an argument that has a wrong value. */
function wrongValue(argument, expected, got, operator = null) {
    const at = operator === null ? '' : `${operator}: `;
    return new MXRError(
        'InvalidValue',
        `${at}argument '${argument}': expected ${expected}, got ${show(got)}`,
        operator,
        argument,
    );
}

module.exports = { MXRError, show, wrongType, wrongValue };
