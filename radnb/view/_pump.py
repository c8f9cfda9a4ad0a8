"""Hear the buttons of a widget while a cell runs.

A kernel handles one message after the other, and a running cell is one of them. JupyterLab from 4.4 with ipykernel from 7 sends clicks to a second thread; with all
other pairs they wait in the main thread's queue. `Pump` looks into that queue between two batches: what is meant for its own widgets, or asks what the kernel can
say without leaving the cell, is answered, and all else (the next cells) goes back in its order."""
import inspect, threading, time
import zmq

#: Questions that change nothing. A page that is opened again asks them before it shows anything.
ASKS = ('kernel_info_request','comm_info_request')

def _stream(kernel):
    "Where messages for the main thread arrive."
    thread = getattr(kernel, 'shell_channel_thread', None)
    if thread is None: return kernel.shell_stream
    return thread.manager.get_shell_channel_to_subshell_pair(None).to_stream

class Pump:
    "Call it between two batches: the messages to `widgets` that wait are handled, the others keep their place."
    def __init__(self, kernel, widgets, every=.1):
        self.kernel,self.widgets,self.every,self.last = kernel,set(widgets),every,0.

    def __call__(self):
        if threading.current_thread() is not threading.main_thread() or time.monotonic()-self.last < self.every: return
        self.last,stream,others = time.monotonic(), _stream(self.kernel), []
        try: self._look(stream, others)
        finally:                                                                     # whatever happens meanwhile, Ctrl-C too
            for frames in others: stream._run_callback(stream._recv_callback, frames)   # as if they arrived now
            stream._update_handler(stream._state)                                    # what came since then rings no bell: ZeroMQ's is rung once, and was heard here

    def _look(self, stream, others):
        "Handle what may be handled now; append what has to wait to `others`."
        while True:
            try: frames = stream.socket.recv_multipart(zmq.NOBLOCK, copy=False)
            except zmq.Again: return
            others.append(frames)
            if self._handle(frames): others.pop()

    def _handle(self, frames):
        "Handle a message that may be handled now; False for one that has to wait."
        kernel,session = self.kernel, self.kernel.session
        if len(frames) < 2: return False                                             # the kernel's word to itself
        _,parts = session.feed_identities(frames, copy=False)
        header,content = (session.unpack(parts[i].bytes) for i in (1, 4))            # signature, header, parent, metadata, content
        kind,comm = header['msg_type'], content.get('comm_id')
        if kind=='comm_msg' and comm in self.widgets:
            kernel.comm_manager.get_comm(comm).handle_msg(session.deserialize(parts, copy=False))
        elif kind in ASKS or self._is_control(kind, content): self._dispatch(frames)
        else: return False
        return True

    def _is_control(self, kind, content):
        "The page asks for the state of its widgets."
        if kind=='comm_open': return content.get('target_name')=='jupyter.widget.control'
        comm = self.kernel.comm_manager.comms.get(content.get('comm_id')) if kind in ('comm_msg','comm_close') else None
        return getattr(comm, 'target_name', None)=='jupyter.widget.control'

    def _dispatch(self, frames):
        "As the kernel would, without leaving the cell; the cell stays the parent of what it writes."
        kernel,session = self.kernel, self.kernel.session
        out,ident,parent = _answers(kernel), kernel._parent_ident['shell'], kernel.get_parent('shell')
        idents,parts = session.feed_identities(frames, copy=False)
        msg = session.deserialize(parts, copy=False)
        try:
            kernel.set_parent(idents, msg, channel='shell')
            kernel._publish_status('busy', 'shell')
            _finish(kernel.shell_handlers[msg['header']['msg_type']](out, idents, msg))
            kernel._publish_status('idle', 'shell')
        finally: kernel.set_parent(ident, parent, channel='shell')
        if hasattr(out, 'flush'): out.flush(zmq.POLLOUT)

def _answers(kernel):
    "Where answers of the main thread go."
    thread = getattr(kernel, 'shell_channel_thread', None)
    return kernel.shell_stream if thread is None else thread.manager.get_subshell_to_shell_channel_socket(None)

def _finish(handler):
    "Run a handler to its end: these never wait for anything."
    if not inspect.iscoroutine(handler): return
    try: handler.send(None)
    except StopIteration: return
    handler.close()
    raise RuntimeError('A question to the kernel that waits for something')
