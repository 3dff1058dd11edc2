#!/usr/bin/python3
"""A client of the print system's RPC interface, made of a library that nobody here wrote.

    tests/print_client.py samba|impacket tcp|pipe ADDRESS PORT

Reads one call a line from standard input, as JSON, and writes one answer a line; the connection
stays open between them. "pipe" is spoolss through a file server's null session. A client of
tests/clients.py, which runs it with Debian's own Python, as that is where both libraries are.

    {"do": "enum", "flags": 64, "server": "\\\\\\\\NAME", "level": 1, "size": 804}
        {"status": 0, "needed": N, "count": N, "printers": [[FLAGS, DESCRIPTION, NAME, COMMENT]...],
         "raw": "HEX of the buffer", "stub": bytes of the call}
    {"do": "repeat", the same without size, "seconds": N}: asks for the size, then again and again
        {"calls": N, "seconds": N, "count": N}
    {"do": "add", "server": S, "level": 1, "printer": [FLAGS, DESCRIPTION, NAME, COMMENT]}
        {"status": 1802, "handle": "HEX"}
    {"do": "close", "handle": "HEX"}
        {"status": 6, "handle": "HEX"}
    {"do": "raw", "opnum": N, "stub": "HEX"}
        {"stub": "HEX"}

A fault, or a connection that is refused, is {"fault": "what the library says"}. The first line that
is written says how the bind went: {} or such a fault.
"""

import json
import struct
import sys
import time

SYSTEM_UUID = ('12345678-1234-abcd-ef00-0123456789ab', '1.0')
HANDLE_SIZE = 20
INFO_SIZES = {1: 16, 2: 84} # of a PRINTER_INFO without its strings


def wide_string(text, referent):
    """What NDR makes of a unique wide string: its pointer, and what that points to."""
    data = (text + '\0').encode('utf-16-le')
    count = len(data) // 2
    body = struct.pack('<III', count, 0, count) + data
    return struct.pack('<I', referent), body + b'\0' * (-len(body) % 4)


def add_stub(server, level, printer):
    """RpcAddPrinter's arguments with a PRINTER_INFO_1, and neither DEVMODE nor security."""
    pointer, text = wide_string(server, 0x20000)
    flags, *texts = printer
    parts = [wide_string(each, 0x20008 + 4 * number) for number, each in enumerate(texts)]
    return (pointer + text + struct.pack('<III', level, level, 0x20004) + struct.pack('<I', flags) +
            b''.join(each for each, _ in parts) + b''.join(each for _, each in parts) +
            struct.pack('<IIII', 0, 0, 0, 0))


def enum_stub(flags, server, level, size):
    """RpcEnumPrinters' arguments."""
    pointer, text = wide_string(server, 0x20000)
    return (struct.pack('<I', flags) + pointer + text + struct.pack('<III', level, 0x20004, size) +
            b'\0' * (size + -size % 4) + struct.pack('<I', size))


def info_1(raw, count):
    """The PRINTER_INFO_1 structures that a buffer of EnumPrinters begins with; each one's offsets count
    from its own first byte."""
    def text(start):
        end = start
        while raw[end:end + 2] != b'\0\0':
            end += 2
        return raw[start:end].decode('utf-16-le')
    found = []
    for number in range(count):
        flags, *offsets = struct.unpack_from('<IIII', raw, 16 * number)
        found.append([flags] + [text(16 * number + offset) for offset in offsets])
    return found


class Samba:
    """python3-samba: Samba's own client library."""

    def __init__(self, transport, address, port):
        from samba.credentials import Credentials
        from samba.dcerpc import spoolss
        from samba.ndr import ndr_pack_in, ndr_unpack
        from samba.param import LoadParm
        self.spoolss, self.pack, self.unpack = spoolss, ndr_pack_in, ndr_unpack
        parameters = LoadParm(filename_for_non_global_lp='/dev/null')
        credentials = Credentials()
        credentials.set_anonymous()
        binding = f'ncacn_ip_tcp:{address}[{port}]'
        if transport == 'pipe':
            parameters.set('smb ports', str(port))
            binding = f'ncacn_np:{address}[\\pipe\\spoolss]'
        self.interface = spoolss.spoolss(binding, parameters, credentials)

    def raw(self, opnum, stub):
        return self.interface.request(opnum, stub)

    def enum(self, flags, server, level, size):
        """Packed and unpacked by the library, but not by its own EnumPrinters(): in Samba 4.17 that ends
        in a segmentation fault when it unpacks what any server, Samba's too, has answered."""
        call = self.spoolss.EnumPrinters()
        call.in_flags, call.in_server, call.in_level = flags, server, level
        call.in_buffer, call.in_offered = (b'\0' * size if size else None), size
        stub = self.pack(call)
        answer = self.raw(0, stub)
        raw = answer[8:8 + size] if size else b''
        needed, count, status = struct.unpack('<III', answer[-12:])
        return {'status': status, 'needed': needed, 'count': count, 'stub': len(stub),
                'raw': raw.hex(), 'printers': self.printers(level, raw, 0 if status else count)}

    def printers(self, level, raw, count):
        kind = self.spoolss.PrinterInfo1 if level == 1 else self.spoolss.PrinterInfo2
        size = INFO_SIZES[level]
        found = [self.unpack(kind, raw[size * number:], allow_remaining=True) for number in range(count)]
        if level == 1:
            return [[each.flags, each.description, each.name, each.comment] for each in found]
        return [[each.attributes, each.sharename, each.printername, each.comment] for each in found]


class Impacket:
    """impacket, which is written in Python from the specification alone."""

    def __init__(self, transport, address, port):
        from impacket.dcerpc.v5 import rprn
        from impacket.dcerpc.v5.ndr import NULL
        from impacket.dcerpc.v5.transport import DCERPCTransportFactory
        self.rprn, self.null = rprn, NULL
        if transport == 'pipe':
            way = DCERPCTransportFactory(f'ncacn_np:{address}[\\pipe\\spoolss]')
            way.set_dport(port)
            way.set_credentials('', '')
        else:
            way = DCERPCTransportFactory(f'ncacn_ip_tcp:{address}[{port}]')
        self.connection = way.get_dce_rpc()
        self.connection.connect()
        self.connection.bind(rprn.MSRPC_UUID_RPRN)

    def raw(self, opnum, stub):
        self.connection.call(opnum, stub)
        return self.connection.recv()

    def enum(self, flags, server, level, size):
        call = self.rprn.RpcEnumPrinters()
        call['Flags'], call['Name'], call['Level'] = flags, server + '\0', level
        call['pPrinterEnum'] = b'\0' * size if size else self.null
        call['cbBuf'] = size
        stub = len(call.getData())
        answer = self.connection.request(call, checkError=False)
        raw = b''.join(answer['pPrinterEnum']) if size else b''
        status, count = answer['ErrorCode'], answer['pcReturned']
        return {'status': status, 'needed': answer['pcbNeeded'], 'count': count, 'raw': raw.hex(),
                'printers': info_1(raw, count) if level == 1 and status == 0 else [], 'stub': stub}


def repeat(client, call):
    """The same list as often as it comes within some seconds; of the answers only the end is read."""
    arguments = (call['flags'], call['server'], call['level'])
    needed = client.enum(*arguments, 0)['needed']
    stub = enum_stub(*arguments, needed)
    calls, start = 0, time.monotonic()
    while (lasted := time.monotonic() - start) < call['seconds'] or not calls:
        count, status = struct.unpack('<II', client.raw(0, stub)[-8:])
        assert status == 0, f'status {status}'
        calls += 1
    return {'calls': calls, 'seconds': lasted, 'count': count}


def do_call(client, call):
    """One call, as the opening of this file says."""
    if call['do'] == 'repeat':
        return repeat(client, call)
    if call['do'] == 'enum':
        return client.enum(call['flags'], call['server'], call['level'], call['size'])
    if call['do'] == 'raw':
        return {'stub': client.raw(call['opnum'], bytes.fromhex(call['stub'])).hex()}
    if call['do'] == 'close':
        answer = client.raw(29, bytes.fromhex(call['handle']))
    else:
        answer = client.raw(5, add_stub(call['server'], call['level'], call['printer']))
    return {'status': struct.unpack('<I', answer[HANDLE_SIZE:])[0],
            'handle': answer[:HANDLE_SIZE].hex()}


def answer_with(function, *arguments):
    """Writes what a function gives, or what it raises; the libraries have no common exception."""
    result = None
    try:
        result = function(*arguments)
        answer = result if isinstance(result, dict) else {}
    except Exception as problem:
        answer = {'fault': f'{type(problem).__name__}: {problem}'}
    print(json.dumps(answer), flush=True)
    return result


def main():
    library, transport, address, port = sys.argv[1:]
    kind = {'samba': Samba, 'impacket': Impacket}[library]
    client = answer_with(kind, transport, address, int(port))
    if client:
        for line in sys.stdin:
            answer_with(do_call, client, json.loads(line))


if __name__ == '__main__':
    main()
