"""DCE/RPC's bytes, by hand: PDUs as a stranger may send them, right or wrong.

Builds the few kinds that a client of the print system needs (C706 chapter 12), sends them over TCP
or, framed, over the socket that smbd hands named pipes to, and cuts what comes back into PDUs.
Everything is little endian. It is not a client: nothing is checked, and all can be bent.
"""

import socket
import struct
import uuid
from pathlib import Path

from services_bench import TIMEOUT

REQUEST, RESPONSE, FAULT = 0, 2, 3
BIND, BIND_ACK, BIND_NAK, ALTER, ALTER_ACK = 11, 12, 13, 14, 15
SHUTDOWN, CANCEL, ORPHANED = 17, 18, 19
FIRST, LAST = 1, 2

SPOOLSS = ('12345678-1234-abcd-ef00-0123456789ab', 1)
NDR32 = ('8a885d04-1ceb-11c9-9fe8-08002b104860', 2)

OPNUM_RANGE, UNKNOWN_INTERFACE, PROTOCOL_ERROR = 0x1c010002, 0x1c010003, 0x1c01000b
BAD_STUB, ACCESS_DENIED = 0x6f7, 5
ENUM, ADD, CLOSE = 0, 5, 29
FRAGMENT = 4000 # bytes of arguments in a PDU; a server takes a little more

# What smbd of Samba 4.17.12 sent before the first byte of a null session's pipe; recorded on the
# socket of tests/samba_rig.py's smbd, which ran as nobody.
HANDSHAKE = Path(__file__).with_name('npam_anonymous.bin').read_bytes()


def pdu(kind, body, flags=FIRST | LAST, call=1, authentication=0, length=None):
    """A PDU; its length may lie."""
    size = 16 + len(body) if length is None else length
    return struct.pack('<BBBBIHHI', 5, 0, kind, flags, 0x10, size & 0xffff, authentication,
                       call) + body


def syntax(name):
    return uuid.UUID(name[0]).bytes_le + struct.pack('<I', name[1])


def context(number, interface=SPOOLSS, transfers=(NDR32,)):
    return struct.pack('<HBB', number, len(transfers), 0) + syntax(interface) + b''.join(
        map(syntax, transfers))


def bind(contexts=None, kind=BIND, largest=4280, call=1):
    contexts = contexts or [context(0)]
    body = struct.pack('<HHIBBH', largest, largest, 0, len(contexts), 0, 0) + b''.join(contexts)
    return pdu(kind, body, call=call)


def request(opnum, stub, flags=FIRST | LAST, call=1, number=0):
    return pdu(REQUEST, struct.pack('<IHH', len(stub), number, opnum) + stub, flags, call)


def fragments(opnum, stub, size, call=1):
    """A request in fragments of so many bytes of arguments."""
    parts = [stub[start:start + size] for start in range(0, len(stub), size)] or [b'']
    last = len(parts) - 1
    return [request(opnum, part, (FIRST if number == 0 else 0) | (LAST if number == last else 0),
                    call) for number, part in enumerate(parts)]


def string(text, referent):
    """A unique wide string; None is a null pointer."""
    if text is None:
        return struct.pack('<I', 0)
    data = (text + '\0').encode('utf-16-le')
    count = len(data) // 2
    return struct.pack('<IIII', referent, count, 0, count) + data + b'\0' * (-len(data) % 4)


def enum_stub(flags=0x40, server=None, level=1, size=0):
    head = struct.pack('<I', flags) + string(server, 0x20000) + struct.pack('<I', level)
    if not size:
        return head + struct.pack('<II', 0, 0)
    return head + struct.pack('<II', 0x20004, size) + b'\0' * (size + -size % 4) + struct.pack(
        '<I', size)


def add_stub(name, description='', comment='', flags=0x18, server='\\\\MASTER', level=1):
    """RpcAddPrinter's arguments: an announcement."""
    strings = [string(text, 0x20010 + 4 * number)
               for number, text in enumerate((description, name, comment))]
    return (string(server, 0x20000) + struct.pack('<IIII', level, level, 0x20004, flags) +
            b''.join(each[:4] for each in strings) + b''.join(each[4:] for each in strings) +
            struct.pack('<IIII', 0, 0, 0, 0))


class Wire:
    """A connection, and the PDUs that come out of it."""

    def __init__(self, port=None, path=None, handshake=None, timeout=TIMEOUT):
        self.framed = path is not None
        self.socket = socket.socket(socket.AF_UNIX if path else socket.AF_INET)
        self.socket.settimeout(timeout)
        self.socket.connect(str(path) if path else ('127.0.0.1', port))
        self.granted = None
        if handshake:
            self.socket.sendall(handshake)
            self.granted = self.handshake_status()

    def handshake_status(self):
        """The NTSTATUS that the answer to a handshake ends with; None if there is no answer."""
        length = self.take(4)
        answer = self.take(struct.unpack('>I', length)[0]) if length else None
        return struct.unpack('<I', answer[-4:])[0] if answer else None

    def take(self, size):
        """So many bytes; None if the other end is gone before."""
        found = bytearray()
        while len(found) < size:
            try:
                block = self.socket.recv(size - len(found))
            except ConnectionError:
                return None
            if not block:
                return None
            found += block
        return bytes(found)

    def send(self, data):
        """Sends bytes; that the other end has hung up shows when an answer is read."""
        if self.framed:
            data = struct.pack('<H', len(data)) + data
        try:
            self.socket.sendall(data)
        except ConnectionError:
            pass

    def answer(self):
        """The next PDU as (kind, flags, call, body); None if the other end hangs up instead."""
        if self.framed and not self.take(2):
            return None
        head = self.take(16)
        if not head:
            return None
        _, _, kind, flags, _, size, _, call = struct.unpack('<BBBBIHHI', head)
        body = self.take(size - 16)
        return None if body is None else (kind, flags, call, body)

    def bound(self):
        """Binds; itself."""
        self.send(bind())
        answer = self.answer()
        assert answer and answer[0] == BIND_ACK, f'the answer to a bind is {answer}'
        return self

    def call(self, opnum, stub, call=1):
        """One call: ('response', stub), ('fault', status) or ('gone', None)."""
        for each in fragments(opnum, stub, FRAGMENT, call):
            self.send(each)
        return self.result()

    def result(self):
        stub = b''
        while answer := self.answer():
            kind, flags, _, body = answer
            if kind == FAULT:
                return 'fault', struct.unpack_from('<I', body, 8)[0]
            assert kind == RESPONSE, answer
            stub += body[8:]
            if flags & LAST:
                return 'response', stub
        return 'gone', None

    def close(self):
        self.socket.close()


def enum_result(stub):
    """What an EnumPrinters answered: (status, needed, count)."""
    needed, count, status = struct.unpack('<III', stub[-12:])
    return status, needed, count
