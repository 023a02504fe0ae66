'use strict';
// Loops and branches: on arrays a loop of JavaScript's, on symbols a node with the bodies as graphs in it.
//
// What is given may be one thing, or arrays in arrays of them; what comes back is nested alike.

const native = require('./native.js');
const { MXRError, wrongType, wrongValue } = require('./error.js');
const { NDArray } = require('./ndarray.js');
const { MxSymbol } = require('./symbol_base.js');
const { Variable } = require('./symbol.js');
const naming = require('./name.js');
const nd = require('./gen/nd.js');

const SCOPE = '__subgraph_name__';

/** The things in nested arrays, one after the other. */
function flat(nested, Class, what) {
    if (Array.isArray(nested)) return nested.flatMap((part) => flat(part, Class, what));
    if (!(nested instanceof Class))
        throw wrongType(what, `${Class === NDArray ? 'NDArrays' : 'Symbols'}`, nested);
    return [nested];
}

/** Things taken from the front of a list, nested as others are. */
const like = (list, nested) =>
    Array.isArray(nested) ? nested.map((part) => like(list, part)) : list.shift();

/** How things are nested. */
const form = (nested) => (Array.isArray(nested) ? nested.map(form) : null);
const alike = (a, b) => JSON.stringify(form(a)) === JSON.stringify(form(b));

/** The arrays of all rows, stacked, with zeros for missing rows. */
function stacked(rows, missing = 0) {
    if (rows.some((row) => row.length !== rows[0].length)) {
        throw wrongValue(
            'outputs',
            'as many in each step',
            rows.map((row) => row.length),
        );
    }
    return (rows[0] ?? []).map((first, i) => {
        const zeros = Array.from({ length: missing }, () => nd.op.zeros_like(first));
        return nd.op.stack([...rows.map((row) => row[i]), ...zeros]);
    });
}

/** Calls `body(row, states)` for each row of `data`; gives the outputs, stacked, and the last states. */
function foreach(body, data, initStates) {
    const arrays = flat(data, NDArray, 'data'),
        lengths = new Set(arrays.map((array) => array.shape[0]));
    const [length] = lengths;
    if (lengths.size !== 1 || !length) throw wrongValue('data', 'arrays with as many rows', [...lengths]);
    let states = initStates,
        outputs;
    const rows = [];
    for (let i = 0; i < length; i++) {
        [outputs, states] = body(
            like(
                arrays.map((array) => array.at(i)),
                data,
            ),
            states,
        );
        if (!alike(states, initStates))
            throw wrongValue('states', 'what is nested as initStates', form(states));
        rows.push(flat(outputs, NDArray, 'outputs'));
    }
    return [like(stacked(rows), outputs), states];
}

/** Calls `func(...loopVars)` as long as `cond(...loopVars)` is not zero, at most `maxIterations` times. */
function while_loop(cond, func, loopVars, maxIterations) {
    const most = steps(maxIterations),
        one = !Array.isArray(loopVars);
    let values = one ? [loopVars] : loopVars,
        outputs = [];
    const n = flat(values, NDArray, 'loopVars').length,
        rows = [];
    if (n === 0) throw wrongValue('loopVars', 'at least one NDArray', loopVars);
    while (rows.length < most && cond(...values).item()) {
        const [made, next] = func(...values);
        outputs = made ?? [];
        values = Array.isArray(next) ? next : [next];
        const got = flat(values, NDArray, 'loopVars').length;
        if (got !== n) throw wrongValue('loopVars', `${n} from func`, got);
        rows.push(flat(outputs, NDArray, 'outputs'));
    }
    return [like(stacked(rows, most - rows.length), outputs), one ? values[0] : values];
}

/** What `thenFunc()` gives if `pred` is not zero, else what `elseFunc()` gives. */
const cond = (pred, thenFunc, elseFunc) => (pred.item() ? thenFunc() : elseFunc());

function steps(maxIterations) {
    if (Number.isInteger(maxIterations) && maxIterations > 0) return maxIterations;
    throw wrongValue('maxIterations', 'a number of steps', maxIterations);
}

const counters = new Map();

/** A scope for a body that is like no other. */
function scope(name) {
    const outer = naming.attributes()[SCOPE];
    const full = outer ? `${outer}$${name}` : name;
    const n = counters.get(full) ?? 0;
    counters.set(full, n + 1);
    return `${full}${n}`;
}

/** The symbols of one output in nested arrays. */
const parts = (nested, what) => flat(nested, MxSymbol, what).flatMap((symbol) => [...symbol]);
/** How they are nested, where a symbol of several outputs is an array. */
const nesting = (nested) =>
    Array.isArray(nested)
        ? nested.map(nesting)
        : nested.length === 1
          ? null
          : Array.from({ length: nested.length }, () => null);

/** Variables of the present scope that stand for symbols. */
function variables(symbols) {
    const taken = new Set();
    return symbols.map((symbol) => {
        let i = 0;
        while (taken.has(`${symbol.name}-${i}`)) i++;
        taken.add(`${symbol.name}-${i}`);
        return Variable(`${symbol.name}-${i}`);
    });
}

const slots = (symbols) => symbols.map((symbol) => symbol._slot);

/** A body: its scope, its variables, and what it makes of them. */
function body(name, outside, run) {
    const label = scope(name);
    return naming.withAttributes({ [SCOPE]: label }, () => {
        const inside = variables(outside),
            made = run(inside);
        return { made, args: (outputs) => [label, slots(inside), slots(outputs)] };
    });
}

/** A symbol that runs a body, which is called once, for each row of symbols. */
function symbolForeach(step, data, initStates, name = 'foreach') {
    const rows = parts(data, 'data'),
        states = parts(initStates, 'initStates');
    const {
        made: [outputs, next],
        args,
    } = body(name, [...rows, ...states], (inside) => {
        const given = [...inside];
        return step(like(given, nesting(data)), like(given, nesting(initStates)));
    });
    const outs = parts(outputs, 'outputs'),
        news = parts(next, 'states');
    if (news.length !== states.length)
        throw wrongValue('states', `${states.length} from the body`, news.length);
    const attrs = naming.attributes();
    const slot = native.foreach(
        naming.next(null, '_foreach'),
        Object.keys(attrs),
        Object.values(attrs),
        slots(rows),
        slots(states),
        ...args([...outs, ...news]),
    );
    const all = [...new MxSymbol(slot)];
    return [like(all, nesting(outputs)), like(all, nesting(initStates))];
}

/** A symbol that runs a body on its own results as long as a condition holds. Both functions are called once. */
function symbolWhileLoop(test, func, loopVars, maxIterations, name = 'while_loop') {
    const most = steps(maxIterations),
        states = parts(loopVars, 'loopVars'),
        shape = nesting(loopVars);
    if (states.length === 0) throw wrongValue('loopVars', 'at least one Symbol', loopVars);
    const call = (run) => (inside) => run(...(shape === null ? inside : like([...inside], shape)));
    const tested = body(`${name}_cond`, states, call(test));
    const {
        made: [outputs, next],
        args,
    } = body(`${name}_func`, states, call(func));
    const outs = parts(outputs ?? [], 'outputs'),
        news = parts(next ?? [], 'loopVars');
    if (news.length !== states.length)
        throw wrongValue('loopVars', `${states.length} from func`, news.length);
    const slot = native.whileLoop(
        naming.next(null, '_while_loop'),
        slots(states),
        most,
        ...tested.args(flat(tested.made, MxSymbol, 'cond')),
        ...args([...outs, ...news]),
    );
    const all = [...new MxSymbol(slot)];
    return [like(all, nesting(outputs ?? [])), like(all, shape)];
}

/** A symbol that is one of two, of which only that one is run. */
function symbolCond(pred, thenFunc, elseFunc, name = 'cond') {
    const test = scope(`${name}_pred`);
    const branches = [
        ['then', thenFunc],
        ['else', elseFunc],
    ].map(([word, run]) => body(`${name}_${word}`, [], run));
    const [then, otherwise] = branches.map(({ made }) => parts(made, 'outputs'));
    if (then.length !== otherwise.length) {
        throw new MXRError(
            'InvalidValue',
            `thenFunc, elseFunc: expected as many outputs, got ${then.length} and ` + `${otherwise.length}`,
        );
    }
    const slot = native.cond(
        naming.next(null, '_cond'),
        test,
        [],
        slots(flat(pred, MxSymbol, 'pred')),
        ...branches[0].args(then),
        ...branches[1].args(otherwise),
    );
    return like([...new MxSymbol(slot)], nesting(branches[0].made));
}

module.exports = {
    onArrays: { cond, foreach, while_loop },
    onSymbols: { cond: symbolCond, foreach: symbolForeach, while_loop: symbolWhileLoop },
};
