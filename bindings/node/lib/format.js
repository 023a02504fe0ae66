'use strict';
// Arrays as text.

/** Arrays of more elements show only the ends of their axes. */
const MOST = 1000;
/** So many at each end. */
const ENDS = 3;

/** The text of an array with these elements. */
function format(array, elements) {
    const shape = array.shape,
        short = elements.length > MOST;
    const texts = elements.map(text);
    const width = Math.max(0, ...shown(texts, shape, short).map((t) => t.length));
    const body = rows(
        texts.map((t) => t.padStart(width)),
        shape,
        0,
        0,
        short,
        '',
    );
    const size = shape.length > 0 ? shape.join('x') : 'scalar';
    return `${body}\n<NDArray ${size} ${array.dtype} @${array.context}>`;
}

/** The texts that will be seen. */
function shown(texts, shape, short) {
    if (!short) return texts;
    const n = shape[shape.length - 1] ?? 1;
    return texts.filter((_, i) => i % n < ENDS || i % n >= n - ENDS).slice(0, 10000);
}

function text(element) {
    if (typeof element !== 'number' || Number.isInteger(element)) return String(element);
    const digits = element.toPrecision(8);
    return String(Number(digits));
}

function rows(texts, shape, axis, start, short, indent) {
    if (axis === shape.length) return texts[start] ?? '';
    const n = shape[axis],
        step = shape.slice(axis + 1).reduce((a, b) => a * b, 1);
    const last = axis === shape.length - 1,
        parts = [];
    for (let i = 0; i < n; i++) {
        if (short && n > 2 * ENDS && i === ENDS) {
            parts.push('…');
            i = n - ENDS - 1;
            continue;
        }
        parts.push(rows(texts, shape, axis + 1, start + i * step, short, `${indent} `));
    }
    return `[${parts.join(last ? ', ' : `,\n${indent} `)}]`;
}

module.exports = { format };
