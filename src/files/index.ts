// The public surface of somagpu/files: re-exports only. Bytes in, bytes out; where they come from is the host's affair.

export { csvHead, csvRows } from './csv.ts';
export { decodeNpy as readNpy, type NpyType } from './npy.ts';
export {
  type NpyArray,
  type NpyData,
  type NpzValue,
  npzBlob,
  npzNames,
  readNpzArray,
  readNpzText,
  writeNpz,
} from './npz.ts';
