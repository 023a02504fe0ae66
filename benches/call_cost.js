// What one call of a small operator costs from Node: a + b on 4 elements, as call_cost.c measures it from C.
//
//   npm install target/dist/mxr-0.1.0.tgz && node benches/call_cost.js [CALLS]
'use strict';

const mx = require('mxr');

const ROUNDS = 9;
const calls = Math.ceil(Number(process.argv[2] ?? 300000) / ROUNDS);

/** The least nanoseconds that a call takes in a few rounds. */
function each(call) {
    let best = Infinity;
    for (let round = 0; round < ROUNDS; round++) {
        const start = process.hrtime.bigint();
        for (let i = 0; i < calls; i++) call();
        best = Math.min(best, Number(process.hrtime.bigint() - start) / calls);
    }
    return Math.round(best);
}

const { broadcast_add: add } = mx.nd;
const [a, b, variable] = [1, 2, 3].map(() => mx.nd.array([1, 2, 3, 4]));
variable.attachGrad();
const cost = {
    ns: each(() => a.add(b)),
    function_ns: each(() => add(a, b)),
    closed_ns: each(() => a.add(b).close()),
    recorded_ns: mx.autograd.record(() => each(() => variable.add(b))),
};
console.log(JSON.stringify({ name: 'a + b, 4 elements, Node', ...cost }));
