// Requests to the server's routes below /radnb, and what comes back.
import { URLExt } from '@jupyterlab/coreutils';
import { ServerConnection } from '@jupyterlab/services';
import { Signal } from '@lumino/signaling';
import type { Label, Scan, Slice } from './types';

/** How `load_series` finds a volume again: a file or folder, or a row of the folder's series table. */
export interface Code {
  load?: string;
  kind?: 'nifti' | 'itk' | 'seg';
  part?: string;
  folder?: string;
  uid?: string;
  nth?: number;
}

/** One volume that can be opened. */
export interface Entry {
  id: string;
  kind: 'dicom' | 'nifti' | 'itk' | 'seg';
  title: string;
  folder: string;
  /** its first file */
  file: string;
  n_files: number;
  shape: number[] | null;
  spacing: number[] | null;
  orientation?: string | null;
  verdict?: string | null;
  action?: string | null;
  part?: string;
  code: Code;
  PatientID?: string | null;
  PatientSex?: string | null;
  PatientAge?: string | null;
  StudyInstanceUID?: string | null;
  StudyDate?: string | null;
  Modality?: string | null;
  Manufacturer?: string | null;
}

export interface Listing {
  path: string;
  folder: string;
  single: boolean;
  entries: Entry[];
  /** what is wrong with the file asked for, or which files of the folder are in no volume */
  note: string;
  remedy: string;
  /** a segmentation that was asked for: `selected` is the volume on which it was drawn */
  mask: string | null;
  selected: string | null;
  at: number;
}

/** Headers that are still being read. */
export interface Progress {
  done: number;
  total: number;
}

/** A volume as the server describes it. */
export interface Meta extends Scan {
  id: string;
  modality: string | null;
  verdict: string | null;
  stored: string;
  mb: number;
  code: Code;
  /** of the segmentation asked for, or of the volume itself where it is one */
  labels: (Label & { ml: number })[];
  /** what is to be said of the segmentation */
  mask_note: string;
  /** RAS+ mm: where most of it is seen */
  mask_at: [number, number, number] | null;
  masks: MaskFile[];
}

/** A segmentation drawn on a volume. */
export interface MaskFile {
  path: string;
  title: string;
}

export interface HeaderRow {
  tag: string;
  keyword: string;
  vr: string;
  value: string;
  depth: number;
}

export interface Header {
  file: string;
  i: number;
  n: number;
  rows: HeaderRow[];
}

/** What the server says is wrong, and what to do about it. */
export class Trouble extends Error {
  constructor(
    what: string,
    readonly remedy = '',
    readonly kind = ''
  ) {
    super(what);
  }
}

export type Query = Record<string, string | number | undefined>;

const MISSING = 'The part of radnb that runs in the Jupyter server does not answer';
const REMEDY = 'restart JupyterLab; if that does not help, run in a terminal: jupyter server extension enable radnb.lab';

async function request(route: string, query: Query, signal?: AbortSignal): Promise<Response> {
  const settings = ServerConnection.makeSettings();
  const given = Object.entries(query).filter(([, v]) => v !== undefined && v !== '');
  const url = URLExt.join(settings.baseUrl, 'radnb', route) + '?' + new URLSearchParams(given.map(([k, v]) => [k, String(v)]));
  const response = await ServerConnection.makeRequest(url, { signal }, settings);
  if (response.ok) return response;
  const said = await response.json().catch(() => ({}));
  if (response.status === 404 && !said.error) throw new Trouble(MISSING, REMEDY, 'NotRunning');
  throw new Trouble(said.what ?? said.message ?? `${response.status} ${response.statusText}`, said.remedy ?? '', said.error ?? '');
}

export interface Job extends Progress {
  path: string;
}

/** Told whenever headers of a path begin to be read. */
export const started = new Signal<object, string>({});

/** What the server is reading, for whichever window. */
export const jobs = async () => (await json<{ jobs: Job[] }>('jobs', {})).jobs;

/** Have the reading of a path's headers ended; whoever waits for them hears of it. */
export async function stopJob(path: string): Promise<void> {
  const settings = ServerConnection.makeSettings();
  await ServerConnection.makeRequest(`${URLExt.join(settings.baseUrl, 'radnb', 'jobs')}?${new URLSearchParams({ path })}`, { method: 'DELETE' }, settings);
}

async function json<T>(route: string, query: Query): Promise<T> {
  return (await request(route, query)).json();
}

/** What lies at a path; `tell` hears how many headers have been read while they are. */
export async function list(path: string, tell: (p: Progress) => void = () => undefined): Promise<Listing> {
  started.emit(path);
  for (;;) {
    const response = await request('series', { path });
    const found = await response.json();
    if (response.status !== 202) return found;
    tell(found);
  }
}

export const header = (query: Query) => json<Header>('header', query);
export const meta = (query: Query) => json<Meta>('meta', query);
export const template = (name: string) => json<object>('template', { name });

export async function volume(query: Query, signal?: AbortSignal): Promise<ArrayBuffer> {
  return (await request('volume', query, signal)).arrayBuffer();
}

const ARRAYS = { uint8: Uint8Array, int16: Int16Array, uint16: Uint16Array, float32: Float32Array };

export async function slice(query: Query, signal?: AbortSignal): Promise<Slice> {
  const response = await request('slice', query, signal);
  const { rows, cols, channels, type } = JSON.parse(response.headers.get('X-Radnb-Slice')!);
  return { rows, cols, channels, values: new ARRAYS[type as keyof typeof ARRAYS](await response.arrayBuffer()) };
}

// Thumbnails: a few at a time, in the order in which they are wanted

const pictures = new Map<string, Promise<string>>();
const waiting: (() => void)[] = [];
let busy = 0;

async function turn<T>(work: () => Promise<T>): Promise<T> {
  if (busy >= 3) await new Promise<void>(go => waiting.push(go));
  busy++;
  try {
    return await work();
  } finally {
    busy--;
    waiting.shift()?.();
  }
}

/** The URL of an entry's thumbnail. */
export function thumbnail(path: string, series: string): Promise<string> {
  let made = pictures.get(series);
  if (!made) {
    made = turn(async () => URL.createObjectURL(await (await request('thumbnail', { path, series, size: 112 })).blob()));
    pictures.set(series, made);
    if (pictures.size > 500) {
      const [oldest, url] = pictures.entries().next().value!;
      pictures.delete(oldest);
      url.then(URL.revokeObjectURL, () => undefined);
    }
  }
  return made;
}
