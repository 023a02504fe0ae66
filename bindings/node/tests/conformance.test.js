'use strict';
// Every operator against the numbers that all languages share, by its public functions: on arrays, on views of others,
// and on symbols that are compiled. MXR_OPERATOR names the only one to run.

const assert = require('node:assert');
const { test } = require('node:test');
const mx = require('mxr');
const { OPERATORS, QUIRKS, array, cases, compare, dtypes, find, head } = require('./cases.js');

const used = new Set();

/** Calls an operator's function on symbols, and the compiled symbol on arrays. */
function onSymbols(name, inputs, attrs, variadic) {
    const variables = inputs.map((_, i) => mx.sym.Variable(`in${i}`));
    const symbol = find(mx.sym, name)(...(variadic ? [variables] : variables), attrs);
    const byName = Object.fromEntries(inputs.map((input, i) => [`in${i}`, input]));
    return new mx.CachedOp(symbol).call(symbol.listInputs().map((each) => byName[each]));
}

/** Runs a case; gives inputs, outputs, and which inputs have gradients. */
function run(op, kase, { dtype, view, symbolic }) {
    const inputs = kase.inputs.map((spec) => array(spec, dtype, view));
    const variadic = op.inputs.some((input) => input.variadic),
        wants = Boolean(kase.gradients);
    const variables = inputs.map((input) => wants && /float/.test(input.dtype));
    inputs.forEach((input, i) => variables[i] && input.attachGrad());
    const call = () =>
        symbolic
            ? onSymbols(op.name, inputs, kase.attrs, variadic)
            : find(mx.nd, op.name)(...(variadic ? [inputs] : inputs), kase.attrs);
    const scope = wants ? mx.autograd.record : mx.autograd.pause;
    const outputs = [scope(call, kase.training)].flat();
    outputs.forEach((output) => output.waitToRead());
    if (wants) mx.autograd.backward(outputs, outputs.map(head), { trainMode: kase.training });
    return { inputs, outputs, variables };
}

/** How the results of a case differ from the expected ones. */
function differences(kase, { inputs, outputs, variables }) {
    const pairs = [];
    if (kase.outputs) {
        if (kase.outputs.length !== outputs.length)
            return [`expected ${kase.outputs.length} outputs, got ${outputs.length}`];
        kase.outputs.forEach((expected, i) => pairs.push([`output ${i}`, expected, outputs[i]]));
    }
    inputs.forEach(
        (input, i) => variables[i] && pairs.push([`gradient ${i}`, kase.gradients[i], input.grad]),
    );
    for (const [i, expected] of Object.entries(kase.states ?? {}))
        pairs.push([`state ${i}`, expected, inputs[i]]);
    const precision = kase.computed_in === 'float32' ? 1e-5 : 1e-10;
    const found = pairs.map(([what, expected, got]) => [
        what,
        compare(expected, got, precision, kase.tolerance),
    ]);
    return found.filter(([, difference]) => difference).map(([what, difference]) => `${what}: ${difference}`);
}

/** What is wrong with a case in one way of running it. */
function failures(op, kase, way) {
    try {
        const ran = run(op, kase, way);
        return kase.error ? [`expected the error ${kase.error}, got a result`] : differences(kase, ran);
    } catch (error) {
        if (!(error instanceof mx.MXRError)) throw error;
        if (error.code === kase.error && error.operator) return [];
        return [`${error.code} of ${error.operator}: ${error.message}`];
    }
}

/** A case that fails in the way that quirks.json says is right, and one that does not is wrong. */
function judged(op, kase, way, found) {
    const key = [kase.name, way.symbolic ? `${op.name} on symbols` : ''].find((each) => each in QUIRKS);
    if (key === undefined) return found;
    used.add(key);
    return found.length > 0 ? [] : [`passes, but quirks.json lists it (${key})`];
}

const only = process.env.MXR_OPERATOR;
for (const op of OPERATORS.filter(({ name }) => !only || name === only)) {
    test(`${op.name} gives the expected numbers`, () => {
        const wrong = [],
            all = cases(op.name);
        for (const kase of all) {
            const ways = dtypes(op, kase).flatMap((dtype) =>
                [{ dtype }].concat(
                    kase.error
                        ? []
                        : [
                              { dtype, view: true },
                              { dtype, symbolic: true },
                          ],
                ),
            );
            for (const way of ways) {
                const found = mx.scope(() => judged(op, kase, way, failures(op, kase, way)));
                wrong.push(...found.map((text) => `'${kase.name}' ${JSON.stringify(way)}: ${text}`));
            }
        }
        assert.ok(all.length > 0, 'there are no cases');
        assert.deepStrictEqual(wrong, []);
    });
}

if (only === undefined) {
    test('every quirk is one of a case', () => {
        assert.deepStrictEqual(
            Object.keys(QUIRKS).filter((key) => key !== '//' && !used.has(key)),
            [],
        );
    });
}
