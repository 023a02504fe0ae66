'use strict';
// The example, on images of which anyone could tell the class, and what the README shows.

const assert = require('node:assert');
const { spawnSync } = require('node:child_process');
const fs = require('node:fs');
const os = require('node:os');
const path = require('node:path');
const { test } = require('node:test');
const { ROOT } = require('./cases.js');

/** An IDX file of bytes. */
function writeIdx(folder, name, shape, bytes) {
    const header = Buffer.alloc(4 + 4 * shape.length);
    header.set([0, 0, 8, shape.length]);
    shape.forEach((size, i) => header.writeUInt32BE(size, 4 + 4 * i));
    fs.writeFileSync(path.join(folder, name), Buffer.concat([header, bytes]));
}

/** Images with a bright bar, whose place is the digit. */
function writeBars(folder, part, n) {
    const pixels = Buffer.alloc(n * 784),
        digits = Buffer.from(Array.from({ length: n }, (_, i) => (i * 7) % 10));
    digits.forEach((digit, i) =>
        pixels.fill(255, i * 784 + (2 * digit + 4) * 28, i * 784 + (2 * digit + 6) * 28),
    );
    writeIdx(folder, `${part}-images-idx3-ubyte`, [n, 28, 28], pixels);
    writeIdx(folder, `${part}-labels-idx1-ubyte`, [n], digits);
}

test('the example learns where bars are', () => {
    const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'mxr-'));
    writeBars(folder, 'train', 640);
    writeBars(folder, 't10k', 50);
    const example = path.join(ROOT, 'examples/mnist_lenet/lenet.js');
    const { stdout, stderr } = spawnSync(process.execPath, [example, folder, '3'], { encoding: 'utf8' });
    fs.rmSync(folder, { recursive: true });
    assert.match(stdout, /^test accuracy: 1\.0000$/m, stdout + stderr);
});

test("the README's first model runs", () => {
    const readme = fs.readFileSync(path.join(ROOT, 'bindings/node/README.md'), 'utf8');
    const [, code] = /## A first model\n\n```js\n([\s\S]*?)```/.exec(readme);
    const source = code.replace("require('mxr')", `require(${JSON.stringify(require.resolve('mxr'))})`);
    const { stdout, stderr } = spawnSync(process.execPath, ['-e', source], { encoding: 'utf8' });
    assert.match(stdout, /\[\[(2|1\.99|2\.00)\d*\]\]/, stdout + stderr);
});
