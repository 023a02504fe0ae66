// The same from CommonJS.

import mx = require('mxr');

const a: mx.NDArray = mx.nd.arange(4).reshape(2, 2);
const total: number = a.sum().item();
if (total !== 6 || !(a instanceof mx.NDArray)) throw new Error(`got ${total}`);
console.log('typed');
