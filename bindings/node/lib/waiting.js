'use strict';
// Waiting without stopping the event loop: one thread of Node's pool waits for all arrays that are waited for.

const native = require('./native.js');

/** How long that thread waits before it looks whether other arrays came, in milliseconds. */
const TURN = 20;

/** What is waited for: arrays, and what to do then. */
let queue = [];
let busy = false;

async function turn() {
    busy = true;
    while (queue.length > 0) {
        const now = queue;
        let done;
        try {
            done = await native.arraysWait(
                now.map((entry) => entry.array._slot),
                TURN,
            );
        } catch (error) {
            // An array was closed meanwhile: those that can be waited for still are.
            queue = queue.filter((entry) => !(entry.array.closed && (entry.reject(error), true)));
            if (queue.length === now.length) queue.splice(0).forEach((entry) => entry.reject(error));
            continue;
        }
        const over = new Set(done.map(([i]) => now[i]));
        queue = queue.filter((entry) => !over.has(entry));
        for (const [i, error] of done) {
            if (error === null) now[i].resolve();
            else now[i].reject(error);
        }
    }
    busy = false;
}

/** Resolves when an array is computed. */
function wait(array) {
    return new Promise((resolve, reject) => {
        queue.push({ array, resolve, reject });
        if (!busy) turn();
    });
}

module.exports = { wait };
