// What one call of a small operator costs from Node, beside the same through the C ABI of the same library:
//
//   npm install target/dist/mxr-0.1.0.tgz && node benches/call_cost.js [--quick]
//
// Rounds of both alternate, so that what else the machine does weighs on both.
'use strict';

const { execFileSync } = require('node:child_process');
const fs = require('node:fs');
const os = require('node:os');
const path = require('node:path');
const mx = require('mxr');

const CALLS = process.argv.includes('--quick') ? 20000 : 100000;
const ROUNDS = 5;
const root = path.join(__dirname, '..');

/** Compiles call_cost.c over the library in use, which it looks for under its SONAME. */
function compile(folder) {
    const program = path.join(folder, 'call_cost');
    fs.symlinkSync(fs.realpathSync(mx.library()), path.join(folder, 'libmxr.so.0'));
    execFileSync(process.env.CC ?? 'cc', [
        path.join(root, 'benches/call_cost.c'),
        '-O2',
        `-I${path.join(root, 'include')}`,
        '-o',
        program,
        path.join(folder, 'libmxr.so.0'),
        `-Wl,-rpath,${folder}`,
    ]);
    return program;
}

/** The least nanoseconds that a call takes in a few rounds. */
function each(call, n) {
    let best = Infinity;
    for (let round = 0; round < 9; round++) {
        const start = process.hrtime.bigint();
        for (let i = 0; i < n; i++) call();
        best = Math.min(best, Number(process.hrtime.bigint() - start) / n);
    }
    return best;
}

const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'mxr-'));
const program = compile(folder);
const { broadcast_add: add } = mx.nd;
const [a, b, variable] = [1, 2, 3].map(() => mx.nd.array([1, 2, 3, 4]));
variable.attachGrad();
const cases = {
    'a + b, 4 elements': () => add(a, b),
    'a + b, 4 elements, closed at once': () => add(a, b).close(),
    'a + 1, 4 elements': () => a.add(1),
    'a + b, 4 elements, recorded': () => add(variable, b),
    'the shape of an array': () => a.shape,
};
const best = Object.fromEntries(['C', 'C, recorded', ...Object.keys(cases)].map((name) => [name, Infinity]));
const take = (name, ns) => {
    best[name] = Math.min(best[name], ns);
};
for (let round = 0; round < ROUNDS; round++) {
    const c = JSON.parse(execFileSync(program, [String(CALLS)], { encoding: 'utf8' }));
    take('C', c.ns);
    take('C, recorded', c.recorded_ns);
    for (const [name, call] of Object.entries(cases)) {
        const run = () => each(call, CALLS / 5);
        take(name, name.endsWith('recorded') ? mx.autograd.record(run) : run());
    }
}
fs.rmSync(folder, { recursive: true });
for (const [name, ns] of Object.entries(best)) {
    const more = ns - best[name.endsWith('recorded') ? 'C, recorded' : 'C'];
    console.log(JSON.stringify({ name, ns: Math.round(ns), more_than_c_ns: Math.round(more) }));
}
