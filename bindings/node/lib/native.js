'use strict';
// The addon, and libmxr, which it finds: the one that MXR_LIBRARY names, one that the process has already, or the
// package's own.

const path = require('node:path');
const { MXRError } = require('./error.js');

const folder = path.join(__dirname, '..', 'native', `${process.platform}-${process.arch}`);

function open() {
    try {
        return require(path.join(folder, 'mxr.node'));
    } catch (error) {
        if (error.code !== 'MODULE_NOT_FOUND') throw error;
        throw new MXRError(
            'Unsupported',
            `mxr has no addon for ${process.platform} on ${process.arch} (${folder})`,
        );
    }
}

const native = open();
const make = (code, message, operator, argument) => new MXRError(code, message, operator, argument);

/** The file that libmxr was loaded from. */
native.file = native.load(process.env.MXR_LIBRARY ?? null, path.join(folder, 'libmxr.so'), make);

/** The memory through which arguments of calls go to the addon. */
native.memory = new Float64Array(1024);
native.scratch(native.memory);

/** Makes that memory large enough for so many numbers, and gives it. */
native.room = (n) => {
    if (n > native.memory.length) {
        const larger = new Float64Array(2 * n);
        larger.set(native.memory);
        native.memory = larger;
        native.scratch(larger);
    }
    return native.memory;
};

module.exports = native;
