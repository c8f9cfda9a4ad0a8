// What the viewer's core knows of a volume, wherever its voxels come from. Nothing here, nor in what imports it, needs JupyterLab.

export type PlaneName = 'axial' | 'coronal' | 'sagittal';

export interface Plane {
  slices: number;
  rows: number;
  cols: number;
  /** mm along slice, row, column */
  spacing: number[];
  letters: { left?: string; right?: string; top?: string; bottom?: string };
  /** 4x4: slice, row, column of the hung stack to RAS+ mm */
  affine: number[][];
}

export interface Range {
  name: string;
  low: number;
  high: number;
}

/** A structure of the mask. */
export interface Label {
  value: number;
  name: string;
  /** #RRGGBB */
  colour: string;
}

/** A volume before it has a voxel. */
export interface Scan {
  title: string;
  shape: number[];
  spacing: number[];
  times: number;
  /** what the fourth axis is */
  dimension: { name: string; unit: string; values: (number | string)[] } | null;
  unit: string;
  /** do we know how it lies in the patient? and where? */
  placed: boolean;
  located: boolean;
  orientation: string;
  note: string;
  /** by how much the volume for 3D is shrunk along slice, row, column */
  factors: number[];
  /** 4x4: slice, row, column as stored to RAS+ mm */
  affine: number[][];
  planes: Partial<Record<PlaneName, Plane>>;
  windows: Range[];
  /** mm (rows, columns) that a view shows at zoom 1, where several are to be of one scale */
  /** RAS+ mm in the middle of the views at first, where several are to show the same */
  centre?: [number, number, number];
  fit?: Partial<Record<PlaneName, [number, number]>>;
}

export type Values = Uint8Array | Int16Array | Uint16Array | Float32Array;

/** One slice: every stored value, and what lies on top. */
export interface Slice {
  rows: number;
  cols: number;
  channels: number;
  values: Values;
  /** label numbers */
  mask?: Uint8Array | Uint16Array;
  /** ten-thousandths, rounded down */
  prob?: Uint16Array;
  /** a second picture on the same grid, to compare with */
  other?: Values;
  /** made of a shrunk volume, to be shown until the slice itself is there */
  coarse?: boolean;
}

/** A volume for 3D: NIfTI. */
export interface Solid {
  kind: 'image' | 'mask' | 'prob';
  name: string;
  data: ArrayBuffer;
}

/** NiiVue, as far as it is needed here. */
export type Engine = typeof import('@niivue/niivue');

/** Where slices come from. */
export interface Source {
  /** grows when what is shown must be asked for again */
  readonly version: number;
  get(plane: PlaneName, i: number, time: number): Promise<Slice>;
  /** is it here? */
  has(plane: PlaneName, i: number, time: number): boolean;
  /** something to look at until `get` answers */
  meanwhile?(plane: PlaneName, i: number, time: number): Slice | undefined;
  /** what to draw in 3D */
  solids(stop: AbortSignal): Promise<Solid[]>;
  engine(): Promise<Engine>;
  dispose(): void;
}

/** Translation, as JupyterLab's TranslationBundle has it. */
export interface Words {
  __(text: string, ...values: (string | number)[]): string;
}

export const ENGLISH: Words = { __: (text, ...values) => text.replace(/%(\d)/g, (_, n) => String(values[Number(n) - 1])) };
