#!/usr/bin/env python3
"""Attacks a running spooler as strangers on the network would.

    tests/strangers.py [--bin DIR] [TEST...]

PDUs that are cut, late, out of order or lie about their lengths; crowds that connect and say
nothing; clients that do not read; print servers that do not answer; handshakes of smbd that are
none. After each attack a client that behaves must be served, and the service must end in order. It
needs no Samba. Ends with "N passed, N failed, N skipped"; exit status 1 if any failed or none ran.
"""

import os
import resource
import socket
import struct
import sys
import threading
from pathlib import Path

from pdus import (ACCESS_DENIED, HANDSHAKE, ADD, ALTER, BAD_STUB, BIND, BIND_ACK, BIND_NAK, CANCEL, CLOSE, ENUM,
                  FIRST, LAST, NDR32, ORPHANED, PROTOCOL_ERROR, REQUEST, SHUTDOWN,
                  UNKNOWN_INTERFACE, Wire, add_stub, bind, context, enum_result, enum_stub, fragments,
                  pdu, request)
from print_bench import (INSUFFICIENT_BUFFER, OK, PRINT, SPOOLER, null_pipes, resident_kib, share_printer, start_spooler)
from samba_rig import free_port, until
from services_bench import TIMEOUT, Bench, Skip, expect, run_tests

CROWD = 10000
MOST_CONNECTIONS = 1024
NT_ACCESS_DENIED = 0xc0000022
OTHER_FILES = 100 # of a service, beside its connections
MOST_GROWTH = 8 * 1024 # KiB that strangers may make a service hold
BYTES = (0, 1, 0x7f, 0x80, 0xff)


def start(bench, pipe=None):
    """A spooler with one printer announced; the service and its port."""
    port = free_port()
    bench.set_dword(PRINT, 'ListenPort', port)
    service = start_spooler(bench, port)
    expect(Wire(port).bound().call(ADD, add_stub('\\\\PEER\\one'))[0], 'response')
    return service, port


def check_served(port, count=1):
    """A client that behaves is served."""
    wire = Wire(port).bound()
    how, stub = wire.call(ENUM, enum_stub())
    expect(how, 'response')
    status, needed, _ = enum_result(stub)
    expect(status, INSUFFICIENT_BUFFER)
    how, stub = wire.call(ENUM, enum_stub(size=needed), call=2)
    expect((how, enum_result(stub)), ('response', (OK, needed, count)))
    wire.close()


def is_sanitized(service):
    """Whether its memory is a sanitizer's, of which nothing can be said."""
    return b'libasan' in Path(f'/proc/{service.process.pid}/maps').read_bytes()


def check_memory(service, before):
    grown = resident_kib(service.process.pid) - before
    assert is_sanitized(service) or grown < MOST_GROWTH, f'{grown} KiB more than before'


def ended(wire):
    """Says no more, and reads until the other end hangs up; what came by then, as kinds."""
    try:
        wire.socket.shutdown(socket.SHUT_WR)
    except OSError:
        pass
    kinds = []
    while answer := wire.answer():
        kinds.append(answer[0])
    wire.close()
    return kinds


def conversation():
    """What a client that behaves sends: (name, PDUs)."""
    return [('bind', [bind()]),
            ('enum', [request(ENUM, enum_stub(server='\\\\MASTER', size=40))]),
            ('add', [request(ADD, add_stub('\\\\PEER\\one', 'd', 'c'))]),
            ('close', [request(CLOSE, bytes(20))]),
            ('alter', [bind([context(1)], kind=ALTER)]),
            ('fragments', fragments(ADD, add_stub('\\\\PEER\\one', 'd', 'c'), 40))]


# ---- PDUs

def test_cut_at_every_byte(bench):
    """The client goes away in the middle of whatever it says."""
    service, port = start(bench)
    for name, pdus in conversation():
        whole = b''.join(pdus)
        for cut in range(len(whole)):
            wire = Wire(port)
            if name != 'bind':
                wire.bound()
            wire.send(whole[:cut])
            ended(wire)
    check_served(port)
    service.end()


def test_split_at_every_byte(bench):
    """All that belongs together comes in two pieces, and a byte at a time: the answers are the same."""
    service, port = start(bench)
    said = b''.join(each for _, pdus in conversation() for each in pdus)
    wire = Wire(port)
    wire.send(said)
    whole = ended(wire)
    expect(len(whole), len(conversation()))
    for cut in range(1, len(said), 7):
        wire = Wire(port)
        wire.send(said[:cut])
        wire.send(said[cut:])
        expect(ended(wire), whole)
    wire = Wire(port)
    wire.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    for position in range(len(said)):
        wire.send(said[position:position + 1])
    expect(ended(wire), whole)
    check_served(port)
    service.end()


def test_every_byte_lies(bench):
    """Each byte of each PDU is something else: lengths, counts, offsets, flags, versions."""
    service, port = start(bench)
    before = resident_kib(service.process.pid)
    for name, pdus in conversation():
        if name == 'close':
            continue
        whole = b''.join(pdus)
        for position in range(len(whole)):
            for byte in BYTES:
                if whole[position] == byte:
                    continue
                wire = Wire(port)
                if name != 'bind':
                    wire.bound()
                wire.send(whole[:position] + bytes([byte]) + whole[position + 1:])
                ended(wire)
    check_memory(service, before)
    how, _ = Wire(port).bound().call(ENUM, enum_stub())
    expect(how, 'response')
    service.end()


def test_lengths_lie(bench):
    """The 32-bit words of the arguments say what cannot be: a fault or a refusal, never a crash."""
    service, port = start(bench)
    before = resident_kib(service.process.pid)
    for opnum, stub in ((ENUM, enum_stub(server='\\\\M', size=40)), (ADD, add_stub('\\\\P\\one'))):
        wire = Wire(port).bound()
        for position in range(0, len(stub) - 3, 4):
            for word in (0, 1, 0x7fffffff, 0x80000000, 0xfffffffe, 0xffffffff, len(stub)):
                bent = stub[:position] + struct.pack('<I', word) + stub[position + 4:]
                how, _ = wire.call(opnum, bent)
                if how == 'gone':
                    wire = Wire(port).bound()
        for length in range(len(stub)):
            how, _ = wire.call(opnum, stub[:length])
            if how == 'gone':
                wire = Wire(port).bound()
    check_memory(service, before)
    expect(Wire(port).bound().call(ENUM, enum_stub())[0], 'response')
    service.end()


def test_huge_buffer_is_not_made(bench):
    """A client that claims to have room for 4 GiB is not believed at once."""
    service, port = start(bench)
    before = resident_kib(service.process.pid)
    wire = Wire(port).bound()
    for size in (1 << 24, 1 << 28, 0x7fffffff, 0xffffffff):
        stub = enum_stub()[:-8] + struct.pack('<II', 0, size)
        how, _ = wire.call(ENUM, stub)
        if how == 'gone':
            wire = Wire(port).bound()
    check_memory(service, before)
    check_served(port)
    service.end()


# ---- Fragments

def refused(port, *sent):
    """What is sent gets a fault, or the connection ends; nothing in it is answered as a call."""
    wire = Wire(port).bound()
    for each in sent:
        wire.send(each)
    kinds = ended(wire)
    assert 2 not in kinds, f'{kinds}: a call was answered'


def test_fragments_out_of_order(bench):
    service, port = start(bench)
    first, middle, *_, last = fragments(ADD, add_stub('\\\\PEER\\two'), 40)
    other = fragments(ADD, add_stub('\\\\PEER\\two'), 40, call=2)
    refused(port, middle, first, last)
    refused(port, last)
    refused(port, first, first, last)
    refused(port, first, other[1], last)
    refused(port, first, request(ENUM, bytes(40), flags=0), last)
    refused(port, first, request(ADD, bytes(40), flags=0, number=7), last)
    refused(port, first, bind(), last)
    refused(port, request(ENUM, enum_stub(), number=9))
    check_served(port)
    service.end()


def test_call_that_is_given_up(bench):
    """ORPHANED ends a call of which not all has come; the next one is answered."""
    service, port = start(bench)
    first = fragments(ADD, add_stub('\\\\PEER\\two'), 40)[0]
    wire = Wire(port).bound()
    for kind in CANCEL, ORPHANED:
        wire.send(pdu(kind, b'', call=1))
    wire.send(first)
    wire.send(pdu(ORPHANED, b'', call=1))
    wire.send(request(ENUM, enum_stub(), call=2))
    how, _ = wire.result()
    assert how in ('response', 'gone'), how
    check_served(port)
    service.end()


def test_call_without_end(bench):
    """Fragments that never end: refused before they are much."""
    service, port = start(bench)
    before = resident_kib(service.process.pid)
    wires = [Wire(port).bound() for _ in range(4)]
    piece = bytes(4000)
    for wire in wires:
        wire.send(request(ADD, piece, flags=FIRST))
        for _ in range(6000):
            wire.send(request(ADD, piece, flags=0))
        assert 2 not in ended(wire)
    check_served(port)
    check_memory(service, before)
    service.end()


def test_calls_without_a_bind(bench):
    service, port = start(bench)
    wire = Wire(port)
    wire.send(request(ADD, add_stub('\\\\PEER\\two')))
    assert 2 not in ended(wire)
    check_served(port)
    service.end()


def test_binds_that_cannot_be(bench):
    """What is not the print system's interface in NDR is refused in the answer to the bind."""
    service, port = start(bench)
    unknown = ('00000000-1111-2222-3333-444444444444', 1)
    wire = Wire(port)
    wire.send(bind([context(0, unknown), context(1, transfers=(unknown,)), context(2)]))
    kind, _, _, body = wire.answer()
    expect(kind, BIND_ACK)
    where = 10 + struct.unpack_from('<H', body, 8)[0]
    results = body[where + -where % 4 + 4:]
    expect([struct.unpack_from('<HH', results, 24 * number) for number in range(3)],
           [(2, 1), (2, 2), (0, 0)])
    expect(wire.call(ENUM, enum_stub())[0], 'fault')
    wire.close()
    wire = Wire(port)
    wire.send(bind([context(number) for number in range(200)]))
    ended(wire)
    for body in (pdu(BIND, bind()[16:] + bytes(16), authentication=8), pdu(77, b''), b'GET / HTTP/1.0\r\n\r\n',
                 b'\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03' + bytes(100), bytes(5000)):
        wire = Wire(port)
        wire.send(body)
        kinds = ended(wire)
        assert set(kinds) <= {BIND_NAK, 3}, kinds
    check_served(port)
    service.end()


# ---- Crowds

def raise_limit(count):
    """Makes room for so many files, or skips."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if hard != resource.RLIM_INFINITY and hard < count:
        if os.geteuid() != 0:
            raise Skip(f'only {hard} files may be open')
        hard = count
    resource.setrlimit(resource.RLIMIT_NOFILE, (count, hard))
    return soft, hard


def open_files(service):
    return len(os.listdir(f'/proc/{service.process.pid}/fd'))


def test_crowd_of_half_open_connections(bench):
    """10,000 connections that say nothing, or half of something: few are kept, and those who work
    are served while the crowd comes, and after."""
    service, port = start(bench)
    old = raise_limit(CROWD + 500)
    crowd = []
    try:
        worker = Wire(port).bound()
        before = resident_kib(service.process.pid)
        for number in range(CROWD):
            crowd.append(socket.create_connection(('127.0.0.1', port), TIMEOUT))
            half = bind()[:number % 30]
            if half:
                try:
                    crowd[-1].send(half)
                except ConnectionError:
                    pass
            if number % 250 == 0:
                expect(worker.call(ENUM, enum_stub())[0], 'response')
        check_served(port)
        expect(worker.call(ENUM, enum_stub())[0], 'response')
        assert open_files(service) <= MOST_CONNECTIONS + OTHER_FILES, open_files(service)
        check_memory(service, before)
    finally:
        for each in crowd:
            each.close()
        resource.setrlimit(resource.RLIMIT_NOFILE, old)
    until('the crowd is gone', lambda: open_files(service) < OTHER_FILES)
    check_served(port)
    service.end()


def test_without_files(bench):
    """A service that may open few files goes on when there are no more."""
    port = free_port()
    bench.set_dword(PRINT, 'ListenPort', port)
    service = start_spooler(bench, port)
    resource.prlimit(service.process.pid, resource.RLIMIT_NOFILE, (64, 64))
    crowd = [socket.create_connection(('127.0.0.1', port), TIMEOUT) for _ in range(200)]
    # They are still there, and make room for who comes after them, who need not wait for that.
    expect(Wire(port).bound().call(ENUM, enum_stub())[0], 'response')
    bench.set_dword(PRINT, 'ServerThreadTimeout', 40000)
    service.log.wait('ServerThreadTimeout 36000 -> 40000 ms')
    for each in crowd:
        each.close()
    service.end()
    assert not [line for line in service.log.seen if 'cannot be accepted' in line]


def test_client_that_does_not_read(bench):
    """Answers that nobody takes are not made without end."""
    service, port = start(bench)
    wire = Wire(port).bound()
    for number in range(1000):
        wire.call(ADD, add_stub(f'\\\\PEER\\printer{number}', 'd' * 30, 'c' * 30))
    needed = enum_result(wire.call(ENUM, enum_stub())[1])[1]
    before = resident_kib(service.process.pid)
    deaf = [Wire(port).bound() for _ in range(4)]
    call = b''.join(fragments(ENUM, enum_stub(size=needed), 4000))
    for each in deaf:
        each.socket.setblocking(False)
        sent = 0
        try:
            for _ in range(200):
                sent += each.socket.send(call)
        except BlockingIOError:
            pass
        assert sent > 0
    expect(wire.call(ENUM, enum_stub(size=needed))[0], 'response')
    check_memory(service, before + 4 * (1024 + 3 * needed // 1024))
    for each in deaf:
        each.close()
    check_served(port, 1001)
    service.end()


def test_more_printers_than_are_kept(bench):
    """Strangers who announce without end fill the cache as far as the setting says."""
    bench.set_dword(PRINT, 'MaxNetworkPrinters', 500)
    service, port = start(bench)
    wire = Wire(port).bound()
    for number in range(3000):
        how, _ = wire.call(ADD, add_stub(f'\\\\EVIL{number}\\x'))
        expect(how, 'response')
    check_served(port, 500)
    service.end()


# ---- Other print servers

class Peer:
    """Another print server, which does with each connection what a function says."""

    def __init__(self, bench, behave):
        self.behave = behave
        self.listener = socket.create_server(('127.0.0.1', 0))
        self.port = self.listener.getsockname()[1]
        self.called = threading.Event()
        self.over = threading.Event()
        self.thread = threading.Thread(target=self.run, daemon=True)
        self.thread.start()
        bench.open_things.append(self)

    def run(self):
        while not self.over.is_set():
            try:
                connection, _ = self.listener.accept()
            except OSError:
                return
            self.called.set()
            connection.settimeout(TIMEOUT)
            try:
                self.behave(connection, self.over)
            except OSError:
                pass
            connection.close()

    def close(self):
        self.over.set()
        self.listener.shutdown(socket.SHUT_RDWR)
        self.listener.close()
        self.thread.join(TIMEOUT)


def silent(connection, over):
    """Takes all, and says nothing."""
    connection.settimeout(0.1)
    while not over.is_set():
        try:
            if not connection.recv(65536):
                return
        except TimeoutError:
            pass


def saying(data):
    def behave(connection, over):
        connection.recv(65536)
        connection.sendall(data)
        silent(connection, over)
    return behave


def endless(connection, over):
    """Says zeros until nobody listens."""
    connection.recv(65536)
    while not over.is_set():
        connection.sendall(bytes(65536))


def hanging_up(connection, over):
    connection.recv(1)


HOSTILE_PEERS = [silent, endless, hanging_up, saying(b'\0'), saying(pdu(BIND_NAK, bytes(4))),
                 saying(pdu(BIND_ACK, bytes(8))), saying(pdu(BIND_ACK, b'', length=0xffff)),
                 saying(pdu(SHUTDOWN, b'')), saying(pdu(2, bytes(8))), saying(os.urandom(3000))]


def test_print_servers_that_misbehave(bench):
    """Each costs a bounded time, and none the others their announcement."""
    good_port, port = free_port(), free_port()
    directory = bench.directory / 'good'
    directory.mkdir()
    other = Bench(bench.bin, directory)
    bench.open_things.append(other)
    master = start_spooler(other, good_port, name='MASTER')
    peers = [Peer(bench, behave) for behave in HOSTILE_PEERS]
    names = [f'127.0.0.1:{peer.port}' for peer in peers] + [f'127.0.0.1:{free_port()}', 'no.such.host.invalid:9',
                                                            f'127.0.0.1:{good_port}']
    bench.regtool('add', PRINT, '/v', 'BrowseServers', '/t', 'REG_MULTI_SZ', '/d', '\\0'.join(names), '/f')
    share_printer(bench, 'Laser', 'laser')
    service = start_spooler(bench, port)
    def announced():
        wire = Wire(good_port).bound()
        _, stub = wire.call(ENUM, enum_stub())
        wire.close()
        return enum_result(stub)[1] > 0
    until('the good one is told', announced)
    for peer in peers:
        assert peer.called.wait(TIMEOUT), 'a print server was left out'
    check_served(port, 1)
    master.end()
    service.end()


# ---- The socket that smbd hands pipes to

def start_pipe(bench):
    path = bench.directory / 'spoolss'
    bench.set_dword(PRINT, 'ListenPort', 0)
    service = bench.start(SPOOLER, options=('--pipe', path))
    service.log.wait('started with')
    until('the pipe is there', path.exists)
    return service, path, HANDSHAKE


def check_pipe(path, handshake):
    wire = Wire(path=path, handshake=handshake)
    expect(wire.granted, 0)
    expect(wire.bound().call(ENUM, enum_stub())[0], 'response')
    wire.close()


def test_levels_of_other_releases(bench):
    """Only the levels that are known are taken; of the others the log says which came."""
    service, path, handshake = start_pipe(bench)
    for level in 0, 1, 4, 5, 8, 9, 0xffffffff:
        bent = handshake[:8] + struct.pack('<II', level, level) + handshake[16:]
        granted = Wire(path=path, handshake=bent).granted
        assert granted != 0, f'level {level} was taken'
    check_pipe(path, handshake)
    log = '\n'.join(service.log.seen + service.end())
    assert 'level' in log, log


def test_handshake_cut_and_bent(bench):
    """A token that does not parse is refused, wherever it is wrong."""
    service, path, handshake = start_pipe(bench)
    for cut in range(len(handshake)):
        wire = Wire(path=path)
        wire.socket.sendall(handshake[:cut])
        wire.socket.shutdown(socket.SHUT_WR)
        while wire.socket.recv(65536):
            pass
        wire.close()
    for cut in range(12, len(handshake) - 1):
        shorter = struct.pack('>I', cut - 4) + handshake[4:cut]
        assert Wire(path=path, handshake=shorter).granted != 0, f'{cut} bytes are enough'
    for position in range(len(handshake)):
        for byte in BYTES:
            bent = handshake[:position] + bytes([byte]) + handshake[position + 1:]
            wire = Wire(path=path)
            wire.socket.sendall(bent)
            wire.socket.shutdown(socket.SHUT_WR)
            wire.handshake_status()
            wire.close()
    for length in 0, 3, 1 << 20, 0xffffffff:
        wire = Wire(path=path)
        wire.socket.sendall(struct.pack('>I', length) + handshake[4:])
        wire.socket.shutdown(socket.SHUT_WR)
        assert wire.handshake_status() != 0
    check_pipe(path, handshake)
    service.end()


def test_null_session_that_may_not(bench):
    """smbd is told why: access is denied. A pipe that is open gets the same as a fault."""
    service, path, handshake = start_pipe(bench)
    wire = Wire(path=path, handshake=handshake).bound()
    null_pipes(bench, 'COMNAP')
    until('null sessions are refused', lambda: Wire(path=path, handshake=handshake).granted != 0)
    expect(Wire(path=path, handshake=handshake).granted, NT_ACCESS_DENIED)
    expect(wire.call(ENUM, enum_stub()), ('fault', ACCESS_DENIED))
    null_pipes(bench, 'COMNAP', 'SPOOLSS')
    until('null sessions are taken', lambda: Wire(path=path, handshake=handshake).granted == 0)
    service.end()


def test_frames_of_the_pipe(bench):
    """The length before each PDU lies, or is not the PDU's own."""
    service, path, handshake = start_pipe(bench)
    whole = bind()
    for frame in (b'\0\0', b'\1\0\5', struct.pack('<H', 8) + whole[:8] + struct.pack('<H', len(whole) - 8) + whole[8:],
                  struct.pack('<H', len(whole) + 9) + whole + bytes(9), b'\xff\xff' + whole):
        wire = Wire(path=path, handshake=handshake)
        expect(wire.granted, 0)
        wire.socket.sendall(frame)
        ended(wire)
    check_pipe(path, handshake)
    service.end()


if __name__ == '__main__':
    sys.exit(run_tests(__doc__, globals()))
