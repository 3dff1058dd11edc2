"""A small client of the print system's RPC interface over TCP, for tests that need no Samba.

It speaks connection-oriented RPC as C706 and [MS-RPCE] have it: one bind, calls one after another,
answers in any number of fragments. What is listed is taken apart as [MS-RPRN] 2.2.2.9.2 says.
"""

import socket
import struct
import uuid

TIMEOUT = 60
NDR = (uuid.UUID('8a885d04-1ceb-11c9-9fe8-08002b104860'), 2)
SPOOLSS = (uuid.UUID('12345678-1234-abcd-ef00-0123456789ab'), 1)
REQUEST, RESPONSE, FAULT, BIND, BIND_ACK = 0, 2, 3, 11, 12
FIRST, LAST = 1, 2
HEADER = struct.Struct('<BBBB4sHHI')
LITTLE_ENDIAN = b'\x10\0\0\0'
FRAGMENT = 5000

ENUM_LOCAL, ENUM_NAME, ENUM_NETWORK = 2, 8, 0x40
INSUFFICIENT_BUFFER, ALREADY_EXISTS = 122, 1802


class Fault(Exception):
    """The server answered a call with a fault; its status is the argument."""


class Client:
    """A connection that is bound to an interface."""

    def __init__(self, port, address='127.0.0.1', interface=SPOOLSS):
        self.socket = socket.create_connection((address, port), TIMEOUT)
        self.call_id = 0
        syntaxes = b''.join(name.bytes_le + struct.pack('<I', version)
                            for name, version in (interface, NDR))
        self.send(BIND, struct.pack('<HHIBBHHBB', 5840, 5840, 0, 1, 0, 0, 0, 1, 0) + syntaxes)
        kind, _, body = self.receive()
        size = struct.unpack_from('<H', body, 8)[0]
        at = (10 + size + 3) // 4 * 4
        if kind != BIND_ACK or struct.unpack_from('<BBHH', body, at)[2]:
            raise AssertionError(f'the bind is refused: {kind} {body.hex()}')

    def close(self):
        self.socket.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def send(self, kind, body, flags=FIRST | LAST):
        self.socket.sendall(HEADER.pack(5, 0, kind, flags, LITTLE_ENDIAN, HEADER.size + len(body),
                                        0, self.call_id) + body)

    def read(self, size):
        data = b''
        while len(data) < size:
            block = self.socket.recv(size - len(data))
            if not block:
                raise ConnectionError('the server has closed the connection')
            data += block
        return data

    def receive(self):
        """One PDU: its kind, its flags, and what stands after the common header."""
        _, _, kind, flags, _, size, _, _ = HEADER.unpack(self.read(HEADER.size))
        return kind, flags, self.read(size - HEADER.size)

    def call(self, opnum, stub):
        """The answer's bytes."""
        self.call_id += 1
        for at in range(0, max(len(stub), 1), FRAGMENT):
            flags = (FIRST if at == 0 else 0) | (LAST if at + FRAGMENT >= len(stub) else 0)
            self.send(REQUEST, struct.pack('<IHH', len(stub) - at, 0, opnum)
                      + stub[at:at + FRAGMENT], flags)
        answer = b''
        while True:
            kind, flags, body = self.receive()
            if kind == FAULT:
                raise Fault(struct.unpack_from('<I', body, 8)[0])
            assert kind == RESPONSE, kind
            answer += body[8:]
            if flags & LAST:
                return answer

    # ---- The calls of spoolss

    def add_printer(self, name, description='', comment='', flags=0x18):
        """Announces a printer; gives the handle's bytes and the error."""
        stub = pointer(1) + text('\\\\SERVER') + struct.pack('<IIII', 1, 1, 1, flags)
        stub += pointer(2) + pointer(3) + pointer(4) + text(description) + text(name)
        stub += text(comment) + bytes(16)
        answer = self.call(5, stub)
        return answer[:20], struct.unpack_from('<I', answer, 20)[0]

    def enum_printers(self, flags, size, level=1, name=None):
        """One call: the buffer, needed, returned, and the error."""
        stub = struct.pack('<I', flags)
        stub += pointer(1) + text(name) if name is not None else pointer(0)
        stub += struct.pack('<I', level)
        stub += pointer(2) + struct.pack('<I', size) + bytes((size + 3) // 4 * 4) if size else pointer(0)
        answer = self.call(0, stub + struct.pack('<I', size))
        buffer, at = b'', 4
        if struct.unpack_from('<I', answer)[0]:
            length = struct.unpack_from('<I', answer, 4)[0]
            buffer, at = answer[8:8 + length], 8 + (length + 3) // 4 * 4
        return (buffer, *struct.unpack_from('<III', answer, at))

    def printers(self, flags=ENUM_NETWORK, name=None):
        """What is listed at level 1, as tuples of flags, description, name and comment."""
        size = 0
        while True:
            buffer, needed, returned, error = self.enum_printers(flags, size, 1, name)
            if error != INSUFFICIENT_BUFFER:
                assert error == 0, error
                return [info_1(buffer, 16 * row) for row in range(returned)]
            size = needed

    def names(self, flags=ENUM_NETWORK):
        return [row[2] for row in self.printers(flags)]


def pointer(referent):
    return struct.pack('<I', 0x20000 + 4 * referent if referent else 0)


def text(value):
    units = (value + '\0').encode('utf-16-le')
    count = len(units) // 2
    return struct.pack('<III', count, 0, count) + units + bytes(-len(units) % 4)


def info_1(buffer, start):
    flags, *offsets = struct.unpack_from('<IIII', buffer, start)
    found = []
    for offset in offsets:
        end = at = start + offset
        while buffer[end:end + 2] != b'\0\0':
            end += 2
        found.append(buffer[at:end].decode('utf-16-le'))
    return (flags, *found)
