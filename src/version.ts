// The package's version, from its one place.

import { version as own } from '../package.json';

// Its type by name: the declarations of a published package cannot point to its package.json.
export const version: string = own;
