// Files that are larger than memory, in Node: re-exports only.

export { type NpzEntry, packNpz } from './pack.ts';
export { openRows, type Rows } from './rows.ts';
export { Spool } from './spool.ts';
