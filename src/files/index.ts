// The public surface of somagpu/files: re-exports only. Bytes in, bytes out; where they come from is the host's affair.

export { type NpyArray, type NpyData, npzNames, readNpzArray, writeNpz } from './npz.ts';
