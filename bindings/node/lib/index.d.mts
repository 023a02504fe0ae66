// The types of what `import` gives.

import * as mx from './index.js';

export * from './index.js';
export default mx;
