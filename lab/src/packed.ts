// A whole volume in memory, and any plane of it.
import { index, physical, Point } from './geometry';
import type { Plane, Solid, Values } from './types';

const ARRAYS = { uint8: Uint8Array, int16: Int16Array, uint16: Uint16Array, float32: Float32Array };
export type TypeName = keyof typeof ARRAYS;

/** Voxels as they were stored: slices, rows, columns (time first, colour last); value = number * slope + inter. */
export interface Packed {
  shape: Point;
  times: number;
  channels: number;
  type: TypeName;
  slope: number;
  inter: number;
  /** by how much it is shrunk along slice, row, column */
  factors: Point;
  /** 4x4 of the shrunk grid */
  affine: number[][];
  values: Values;
}

/** What Python sends: the same, with gzipped bytes. */
export type Wrapped = Omit<Packed, 'values'> & { data: DataView };

export const bytes = (d: DataView) => new Uint8Array(d.buffer, d.byteOffset, d.byteLength);

export function typed(type: TypeName, d: Uint8Array): Values {
  const aligned = d.byteOffset % 4 ? d.slice() : d;
  const Kind = ARRAYS[type];
  return new Kind(aligned.buffer as ArrayBuffer, aligned.byteOffset, aligned.byteLength / Kind.BYTES_PER_ELEMENT);
}

export async function unwrap(w: Wrapped): Promise<Packed> {
  const stream = new Blob([bytes(w.data) as BlobPart]).stream().pipeThrough(new DecompressionStream('gzip'));
  return { ...w, values: typed(w.type, new Uint8Array(await new Response(stream).arrayBuffer())) };
}

/** Where the steps along one axis of a hung stack lead in the stored array: an offset for each step. */
interface Way {
  /** stored axis */
  axis: number;
  sign: number;
}

/** Axis by axis: hanging swaps and flips axes, nothing else. */
function ways(stored: number[][], hung: Plane): { ways: Way[]; first: Point } {
  const first = index(stored, physical(hung.affine, [0, 0, 0]));
  const found = [0, 1, 2].map(a => {
    const unit = [0, 0, 0] as Point;
    unit[a] = 1;
    const step = index(stored, physical(hung.affine, unit)).map((v, i) => v - first[i]);
    const axis = step.map(Math.abs).indexOf(Math.max(...step.map(Math.abs)));
    return { axis, sign: Math.sign(step[axis]) };
  });
  return { ways: found, first: first.map(Math.round) as Point };
}

/** Slice `k` of a plane, with as many rows and columns as the volume as stored has, also if `p` is shrunk. */
export function reslice(p: Packed, stored: number[][], plane: Plane, k: number, time: number): Values {
  const { ways: [slices, rows, cols], first } = ways(stored, plane); // prettier-ignore
  const strides = [p.shape[1] * p.shape[2], p.shape[2], 1];
  const offset = ({ axis, sign }: Way, n: number) => {
    const i = Math.floor((first[axis] + sign * n) / p.factors[axis]);
    return Math.min(Math.max(i, 0), p.shape[axis] - 1) * strides[axis];
  };
  const start = (time % p.times) * p.shape[0] * strides[0] + offset(slices, k);
  const across = Int32Array.from({ length: plane.cols }, (_, j) => offset(cols, j));
  const out = new (p.slope === 1 && p.inter === 0 ? ARRAYS[p.type] : Float32Array)(plane.rows * plane.cols * p.channels) as Values;
  for (let i = 0, q = 0; i < plane.rows; i++) {
    const row = start + offset(rows, i);
    if (p.channels === 1) for (let j = 0; j < plane.cols; j++) out[q++] = p.values[row + across[j]];
    else for (let j = 0; j < plane.cols; j++) for (let c = 0; c < p.channels; c++) out[q++] = p.values[(row + across[j]) * p.channels + c];
  }
  if (out instanceof Float32Array && (p.slope !== 1 || p.inter !== 0)) for (let q = 0; q < out.length; q++) out[q] = out[q] === NOTHING ? NaN : out[q] * p.slope + p.inter;
  return out;
}

/** Stands for NaN where fractions are packed in 16 bits. */
const NOTHING = -32768;

const NIFTI = { uint8: [2, 8], int16: [4, 16], uint16: [512, 16], float32: [16, 32] };

/** The volume as a NIfTI-1 file, whose order of axes (columns, rows, slices) the values already have. */
export function nifti(p: Packed, kind: Solid['kind']): Solid {
  const header = new DataView(new ArrayBuffer(352));
  const rgb = p.channels === 3;
  const [code, bits] = rgb ? [128, 24] : NIFTI[p.type];
  const mm = (c: number) => Math.hypot(p.affine[0][c], p.affine[1][c], p.affine[2][c]);
  header.setInt32(0, 348, true);
  [p.times > 1 ? 4 : 3, p.shape[2], p.shape[1], p.shape[0], p.times, 1, 1, 1].forEach((n, i) => header.setInt16(40 + 2 * i, n, true));
  header.setInt16(70, code, true);
  header.setInt16(72, bits, true);
  [1, mm(2), mm(1), mm(0), 1].forEach((v, i) => header.setFloat32(76 + 4 * i, v, true));
  header.setFloat32(108, 352, true);
  header.setFloat32(112, kind === 'prob' ? 1e-4 : p.slope, true);
  header.setFloat32(116, p.inter, true);
  header.setUint8(123, 2); // mm
  header.setInt16(254, 1, true); // sform: the scanner's
  for (let r = 0; r < 3; r++) [2, 1, 0, 3].forEach((c, i) => header.setFloat32(280 + 16 * r + 4 * i, p.affine[r][c], true));
  [110, 43, 49, 0].forEach((b, i) => header.setUint8(344 + i, b));
  const data = new Uint8Array(352 + p.values.byteLength);
  data.set(new Uint8Array(header.buffer));
  data.set(new Uint8Array(p.values.buffer, p.values.byteOffset, p.values.byteLength), 352);
  return { kind, name: `${kind}.nii`, data: data.buffer };
}
