'use strict';
// Calls of operators, on arrays and on symbols, of which the generated functions are made.

const native = require('./native.js');
const { FLOAT, asText, unknown, write } = require('./attrs.js');
const { MXRError, wrongType } = require('./error.js');
const { scopes } = require('./handle.js');
const { NDArray } = require('./ndarray.js');
const { MxSymbol } = require('./symbol_base.js');
const naming = require('./name.js');

/** Stands for an input that lacks. */
const LACKS = -2;

/** An operator of the schema. */
class Operator {
    /**
     * @param name Its name.
     * @param breaking, revision What its calls were written for.
     * @param inputs The names of its inputs.
     * @param variadic Whether it takes an array of inputs.
     * @param attrs Its attributes: ids and types.
     */
    constructor(name, breaking, revision, inputs, variadic, attrs) {
        Object.assign(this, { name, breaking, revision, inputs, variadic, attrs });
        /** Its number in calls, once it was asked for. */
        this.id = -1;
    }

    /** Finds it in the library, and checks its version. */
    find() {
        this.id = native.operator(this.name, this.breaking, this.revision);
        return this.id;
    }

    /** Calls it on arrays. */
    call(inputs, attrs) {
        const memory = native.memory,
            n = inputs.length;
        if (attrs !== undefined || n > 64) return this.callWith(inputs, attrs);
        for (let i = 0; i < n; i++) {
            const input = inputs[i];
            if (!(input instanceof NDArray)) return this.callWith(inputs, attrs);
            memory[2 + i] = input._slot;
        }
        memory[0] = this.id < 0 ? this.find() : this.id;
        memory[1] = n;
        memory[2 + n] = 0;
        memory[3 + n] = 0;
        return finish(new NDArray(), undefined);
    }

    /** Calls it on an array, with a number for its attribute `scalar`. */
    callNumber(input, number) {
        const memory = native.memory;
        memory[0] = this.id < 0 ? this.find() : this.id;
        memory[1] = 1;
        memory[2] = input._slot;
        memory[3] = 0;
        memory[4] = 1;
        memory[5] = this.attrs.scalar[0];
        memory[6] = FLOAT;
        memory[7] = number;
        return finish(new NDArray(), undefined);
    }

    /** Calls it on any number of arrays. */
    callAll(inputs, attrs) {
        if (Array.isArray(inputs)) return this.callWith(inputs, attrs);
        if (attrs === undefined && isPlain(inputs)) return this.callWith([], inputs);
        throw wrongType(this.inputs[0], 'an array of NDArrays', inputs, this.name);
    }

    /** Calls it on arrays, some of which may lack or be among the attributes, with attributes. */
    callWith(given, attrs) {
        const { inputs, rest, out } = this.sort(given, attrs, NDArray, 'an NDArray');
        const outs = out === undefined ? [] : Array.isArray(out) ? out : [out];
        let memory = native.room(inputs.length + outs.length + 8),
            at = 0;
        memory[at++] = this.id < 0 ? this.find() : this.id;
        memory[at++] = inputs.length;
        for (const input of inputs) memory[at++] = input === null ? LACKS : input._slot;
        memory[at++] = outs.length;
        for (const array of outs) {
            if (!(array instanceof NDArray)) throw wrongType('out', 'an NDArray', array, this.name);
            memory[at++] = array._slot;
        }
        const texts = write(this.name, this.attrs, rest, at);
        if (outs.length === 0) return finish(new NDArray(), texts);
        const n = native.invoke(undefined, texts);
        if (n > outs.length) {
            const more = Array.from({ length: n - outs.length }, (_, i) => native.memory[outs.length + i]);
            return [...outs, ...more.map((slot) => new NDArray(slot))];
        }
        return out;
    }

    /**
     * Tells inputs from attributes: the last argument may have inputs too, by their names, and stand where inputs
     * that lack would.
     */
    sort(given, attrs, Class, expected) {
        const inputs = [];
        let rest = attrs;
        for (let i = 0; i < given.length; i++) {
            const input = given[i];
            if (input === undefined || input === null) inputs.push(null);
            else if (input instanceof Class) inputs.push(input);
            else if (rest === undefined && !this.variadic && isPlain(input)) {
                rest = input;
                break;
            } else
                throw wrongType(
                    this.inputs[Math.min(i, this.inputs.length - 1)] ?? `${i}`,
                    expected,
                    input,
                    this.name,
                );
        }
        if (rest instanceof Class) {
            const n = this.inputs.length;
            throw new MXRError(
                'InvalidValue',
                `${this.name}: expected ${n} ${n === 1 ? 'input' : 'inputs'}, got more`,
                this.name,
            );
        }
        if (rest !== undefined && rest !== null && !isPlain(rest)) {
            throw wrongType('attrs', 'an object of attributes', rest, this.name);
        }
        let out;
        for (const name in rest) {
            if (this.attrs[name] !== undefined) continue;
            const at = this.inputs.indexOf(name);
            if (name !== 'out' && at < 0) continue;
            const { [name]: value, ...others } = rest;
            rest = others;
            if (at < 0) out = value ?? undefined;
            else if (this.variadic) inputs.push(...value);
            else this.put(inputs, at, value, Class, expected);
        }
        while (inputs.length > 0 && inputs[inputs.length - 1] === null) inputs.pop();
        return { inputs, rest: rest ?? {}, out };
    }

    /** Puts an input that was given by its name into its place. */
    put(inputs, at, value, Class, expected) {
        if (value === undefined || value === null) return;
        if (!(value instanceof Class)) throw wrongType(this.inputs[at], expected, value, this.name);
        if (inputs[at]) {
            throw new MXRError(
                'InvalidType',
                `${this.name}: argument '${this.inputs[at]}' is given twice`,
                this.name,
                this.inputs[at],
            );
        }
        while (inputs.length < at) inputs.push(null);
        inputs[at] = value;
    }

    /** Calls it on symbols: a node of a graph, which `hint` names if no name is given. */
    compose(hint, given, attrs) {
        if (this.variadic && given.length === 1 && Array.isArray(given[0])) [given] = given;
        const { inputs, rest } = this.sort(given, attrs, MxSymbol, 'a Symbol');
        const { name, attr, ...values } = rest;
        const keys = [],
            texts = [];
        for (const key in values) {
            if (values[key] === undefined) continue;
            const type = this.attrs[key];
            if (type === undefined && !key.startsWith('__')) throw unknown(this.name, this.attrs, key);
            keys.push(key);
            texts.push(asText(this.name, key, type, values[key]));
        }
        for (const [key, value] of Object.entries({ ...naming.attributes(), ...attr })) {
            keys.push(key);
            texts.push(asText(this.name, key, undefined, value));
        }
        const symbols = [],
            names = [];
        inputs.forEach((input, i) => {
            if (input === null) return;
            symbols.push(input._slot);
            names.push(this.variadic ? null : this.inputs[i]);
        });
        const id = this.id < 0 ? this.find() : this.id;
        return new MxSymbol(native.symbolCall(id, naming.next(name, hint), keys, texts, symbols, names));
    }
}

/** Makes the call whose arguments are in the shared memory; the first output becomes `first`. */
function finish(first, texts) {
    const n = native.invoke(first, texts),
        memory = native.memory;
    first._slot = memory[0];
    if (scopes.length > 0) scopes[scopes.length - 1].push(first);
    if (n === 1) return first;
    const slots = Array.from({ length: n - 1 }, (_, i) => memory[i + 1]);
    return [first, ...slots.map((slot) => new NDArray(slot))];
}

/** Whether a value is an object that only has properties. */
function isPlain(value) {
    if (value === null || typeof value !== 'object') return false;
    const prototype = Object.getPrototypeOf(value);
    return prototype === Object.prototype || prototype === null;
}

const op = (...description) => new Operator(...description);

module.exports = { Operator, isPlain, op };
