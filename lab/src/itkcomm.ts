// A kernel comm as the kind of connection that imjoy-core talks through (its src/connection.js shows what it calls).
import type { Kernel, KernelMessage } from '@jupyterlab/services';

/** What travels: JSON, with places for binary parts. */
type Message = { type: string; peer_id?: string; __buffer_paths__?: Path[] } & Record<string, unknown>;
type Path = (string | number)[];
type Handler = ((message: Message) => void) & { ___event_run_once?: boolean };

/** Binary parts of `value` taken out into `buffers`, and where they were into `paths`. */
export function takeOut(value: unknown, path: Path, paths: Path[], buffers: ArrayBuffer[]): unknown {
  if (value instanceof ArrayBuffer || ArrayBuffer.isView(value)) {
    paths.push(path);
    buffers.push(value instanceof ArrayBuffer ? value : (value.buffer.slice(value.byteOffset, value.byteOffset + value.byteLength) as ArrayBuffer));
    return null;
  }
  if (Array.isArray(value)) return value.map((v, i) => takeOut(v, [...path, i], paths, buffers));
  if (value?.constructor !== Object) return value;
  return Object.fromEntries(Object.entries(value).map(([k, v]) => [k, takeOut(v, [...path, k], paths, buffers)]));
}

/** Binary parts put back where they were. */
export function putBack(message: Message, paths: Path[], buffers: (ArrayBuffer | ArrayBufferView)[]): void {
  paths.forEach((path, i) => {
    let at = message as Record<string | number, unknown>;
    for (const key of path.slice(0, -1)) at = at[key] as typeof at;
    const part = buffers[i];
    at[path[path.length - 1]] = part instanceof ArrayBuffer ? part : part.buffer.slice(part.byteOffset, part.byteOffset + part.byteLength);
  });
}

export class CommConnection {
  private comm: Kernel.IComm;
  private handlers = new Map<string, Handler[]>();
  private peer?: string;

  constructor(kernel: Kernel.IKernelConnection) {
    this.comm = kernel.createComm('imjoy_rpc');
    // itkwidgets' futures belong to the kernel's main thread; in a subshell, answers would come on another
    this.comm.commsOverSubshells = 'disabled' as Kernel.IComm['commsOverSubshells'];
    this.comm.onMsg = message => this.receive(message);
    this.comm.open({});
  }

  private receive({ content, buffers }: KernelMessage.ICommMsgMsg): void {
    const { __buffer_paths__, ...message } = content.data as Message;
    putBack(message as Message, __buffer_paths__ ?? [], (buffers ?? []) as (ArrayBuffer | ArrayBufferView)[]);
    if (message.type === 'error') console.error(message.message);
    if (message.peer_id) this.peer = message.peer_id as string;
    this.fire(message.type as string, message as Message);
  }

  emit(message: Message): void {
    if (this.comm.isDisposed) return; // the kernel is gone
    const paths: Path[] = [];
    const buffers: ArrayBuffer[] = [];
    const data = takeOut({ ...message, peer_id: this.peer }, [], paths, buffers) as Message;
    data.__buffer_paths__ = paths;
    this.comm.send(data as never, undefined, buffers);
  }

  on(event: string, handler: Handler): void {
    this.handlers.set(event, [...(this.handlers.get(event) ?? []), handler]);
  }

  once(event: string, handler: Handler): void {
    this.on(event, Object.assign((m: Message) => handler(m), { ___event_run_once: true }));
  }

  off(event?: string, handler?: Handler): void {
    if (!event) return this.handlers.clear();
    this.handlers.set(event, handler ? (this.handlers.get(event) ?? []).filter(h => h !== handler) : []);
  }

  private fire(event: string, message: Message): void {
    for (const handler of this.handlers.get(event) ?? []) {
      if (handler.___event_run_once) this.off(event, handler);
      handler(message);
    }
  }

  connect(): void {} // the comm is open already

  disconnect(): void {
    if (!this.comm.isDisposed) this.comm.close();
  }

  /** imjoy-core calls it by this name on connections that it made itself. */
  _fire(event: string, message: Message): void {
    this.fire(event, message);
  }
}
