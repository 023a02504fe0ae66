'use strict';
// The class of symbols; symbol.js adds what they can do.

const { Handle } = require('./handle.js');

/** Outputs of a graph of operators. Symbols never change. */
class MxSymbol extends Handle {}
Object.defineProperty(MxSymbol, 'name', { value: 'Symbol' });

module.exports = { MxSymbol };
