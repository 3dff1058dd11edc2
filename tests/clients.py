#!/usr/bin/env python3
"""Tries the spooler with RPC clients that nobody here wrote: python3-samba, impacket, rpcclient.

    tests/clients.py [--bin DIR] [TEST...]

They bind, announce printers and list them over TCP; and through a real, unprivileged smbd whose
pipe the spooler serves. The numbers of KB Q161734's network trace are the oracle for the packing:
cbBuf 804, needed 460, 3 returned, the first structure's offsets 0x2DA, 0x2B4 and 0x2B2.
Needs the Debian packages samba, smbclient, python3-samba and python3-impacket; skips without.
Ends with "N passed, N failed, N skipped"; exit status 1 if any failed or none ran.
"""

import re
import struct
import sys
from functools import partial

from pdus import ADD, Wire, add_stub
from print_bench import (ALREADY_EXISTS, ANNOUNCED, INSUFFICIENT_BUFFER, INVALID_HANDLE, LOCAL,
                         MODULES, NETWORK, NO_HANDLE, OK, SERVER, Client, null_pipes,
                         share_printer, start_rig, start_spooler)
from samba_rig import free_port, until
from services_bench import expect, run_tests

TRACE_BUFFER, TRACE_NEEDED = 804, 460
LONG = 60 # characters of a text, of which 10,000 printers may have three each
TRACE_OFFSETS = (8, 0x2DA, 0x2B4, 0x2B2)
# Three printers of that size: the first has the lengths of the trace's first (36, 18, 0 characters,
# each with its end), the others have what is left of the 412 bytes of text.
TRACE_PRINTERS = [('\\\\NTSERVER\\Printer', 'NTSERVER\\Printer,HP LaserJet 4,Room'.ljust(36, '1'), ''),
                  ('\\\\NTSERVER\\Printer2', 'NTSERVER\\Printer2,HP LaserJet 4,'.ljust(50, '2'), 'yes'),
                  ('\\\\NTSERVER\\Printer3', 'NTSERVER\\Printer3,HP LaserJet 4,'.ljust(49, '3'), 'yes')]


def spooler_and_client(bench, library):
    port = free_port()
    service = start_spooler(bench, port)
    client = Client(bench, library, port)
    expect(client.bound, {})
    return service, client


def listed(client, **arguments):
    """What a client lists, as {name: (description, comment)}; all flags must be the trace's."""
    answer = client.list(**arguments)
    expect(answer.get('status'), OK)
    expect({flags for flags, *_ in answer['printers']} - {8}, set())
    return {name: (description, comment) for _, description, name, comment in answer['printers']}


def check_trace(client):
    """Announces the three printers, and compares what is listed with the trace."""
    for name, description, comment in TRACE_PRINTERS:
        expect(client.add(name, description, comment, ANNOUNCED),
               {'status': ALREADY_EXISTS, 'handle': NO_HANDLE})
    for room in 0, 1, 47, TRACE_NEEDED - 1:
        answer = client.enum(size=room)
        expect((answer['status'], answer['needed'], answer['count']),
               (INSUFFICIENT_BUFFER, TRACE_NEEDED, 0))
    for room in TRACE_NEEDED, TRACE_BUFFER, 70000:
        answer = client.enum(size=room)
        expect((answer['status'], answer['needed'], answer['count']), (OK, TRACE_NEEDED, 3))
        expect({tuple(each) for each in answer['printers']},
               {(8, description, name, comment) for name, description, comment in TRACE_PRINTERS})
        raw = bytes.fromhex(answer['raw'])
        expect(len(raw), room)
        check_packing(raw, answer['printers'])
    raw = bytes.fromhex(client.enum(size=TRACE_BUFFER)['raw'])
    expect(struct.unpack_from('<IIII', raw), TRACE_OFFSETS)


def check_packing(raw, printers):
    """Strings go downwards from the end of the buffer: description, name, comment, and no gap."""
    end = len(raw)
    for number, (flags, *texts) in enumerate(printers):
        found = struct.unpack_from('<IIII', raw, 16 * number)
        expect(found[0], flags)
        for offset, text in zip(found[1:], texts):
            data = (text + '\0').encode('utf-16-le')
            end -= len(data)
            expect(16 * number + offset, end)
            expect(raw[end:end + len(data)], data)


def each_trace_of_the_article(bench, library):
    """The announcement, the buffer that is too small, and the one that the trace shows."""
    service, client = spooler_and_client(bench, library)
    check_trace(client)
    service.end()


def each_refresh_adds_nothing(bench, library):
    service, client = spooler_and_client(bench, library)
    for _ in range(3):
        client.add('\\\\OTHER\\laser', 'OTHER\\laser,Driver,Here', 'first')
    expect(listed(client), {'\\\\OTHER\\laser': ('OTHER\\laser,Driver,Here', 'first')})
    client.add('\\\\other\\LASER', 'OTHER\\laser,Driver,There', 'second')
    (name, texts), = listed(client).items()
    expect(name.lower(), '\\\\other\\laser')
    expect(texts, ('OTHER\\laser,Driver,There', 'second'))
    service.end()


def each_local_printers(bench, library):
    """A shared one is announced and listed; one that is not shared is only local."""
    share_printer(bench, 'Laser', 'laser', Location='Room 1', Description='best')
    share_printer(bench, 'Private')
    service, client = spooler_and_client(bench, library)
    names = ' '.join(listed(client))
    assert re.search(r'\\\\NTSERVER\\laser\b', names, re.I), names
    assert 'rivate' not in names, names
    for level in 1, 2:
        answer = client.list(flags=LOCAL, level=level)
        expect((answer['status'], answer['count']), (OK, 2))
        if level == 1 or library == 'samba':
            text = ' '.join(str(part) for each in answer['printers'] for part in each)
            assert 'Laser' in text and 'Private' in text, text
    service.end()


def each_other_calls_are_refused(bench, library):
    """Refused by the fault that is for it, and the connection goes on."""
    service, client = spooler_and_client(bench, library)
    for opnum in 1, 4, 6, 28, 30, 69, 70, 200, 0xffff:
        fault = client.call('raw', opnum=opnum, stub='00' * 64).get('fault', '')
        assert re.search(r'nca_s_op_rng_error|procedure number is out of range', fault), (opnum, fault)
    for stub in '', '00', '00' * 11:
        fault = client.call('raw', opnum=5, stub=stub).get('fault', '')
        assert re.search(r'bad_stub_data|stub received bad data', fault), (stub, fault)
    expect(client.call('close', handle=NO_HANDLE), {'status': INVALID_HANDLE, 'handle': NO_HANDLE})
    expect(client.call('close', handle='5a' * 20)['status'], INVALID_HANDLE)
    expect(listed(client), {})
    service.end()


def each_thousand_printers(bench, library):
    """More than a fragment, in both directions."""
    service, client = spooler_and_client(bench, library)
    wanted = {f'\\\\PEER{number % 7}\\printer{number}': (f'PEER,Driver {number},Room', 'x' * (number % 50))
              for number in range(1000)}
    for name, (description, comment) in wanted.items():
        expect(client.add(name, description, comment)['status'], ALREADY_EXISTS)
    expect(listed(client), wanted)
    service.end()


def announce_many(port, count, text):
    """Announcements made by hand, as libraries take a minute for so many."""
    wire = Wire(port).bound()
    for number in range(count):
        name = f'\\\\PEER\\{number:05}'
        expect(wire.call(ADD, add_stub(name + text[len(name):], text, text))[0], 'response')
    wire.close()


def test_as_many_printers_as_are_kept(bench):
    """MaxNetworkPrinters' default of them with long texts: clients send and get many megabytes."""
    port = free_port()
    rig = start_rig(bench)
    service = start_spooler(bench, port, rig)
    announce_many(port, 10000, 'x' * LONG)
    for client in Client(bench, 'samba', port), Client(bench, 'samba', rig.port, 'pipe'):
        answer = client.list()
        expect((answer.get('status'), answer.get('count'), answer.get('needed')),
               (OK, 10000, 10000 * (16 + 3 * 2 * (LONG + 1))))
        expect(len({name for _, _, name, _ in answer['printers']}), 10000)
    service.end()


def test_two_libraries_see_the_same(bench):
    port = free_port()
    service = start_spooler(bench, port)
    clients = [Client(bench, library, port) for library in MODULES]
    clients[0].add('\\\\A\\one', 'd', 'c')
    clients[1].add('\\\\B\\two', '\u65e5\u672c\u8a9e \U0001f5a8', '\xe9')
    seen = [client.list() for client in clients]
    expect(seen[0]['raw'], seen[1]['raw'])
    expect(listed(clients[0]), {'\\\\A\\one': ('d', 'c'),
                                '\\\\B\\two': ('\u65e5\u672c\u8a9e \U0001f5a8', '\xe9')})
    service.end()


# ---- Through a file server

def printers_of(output):
    """The names that rpcclient's enumprinters shows."""
    return sorted(re.findall(r'^\s*name:\[(.*)\]$', output, re.M))


def test_rpcclient_lists_what_peers_announced(bench):
    rig = start_rig(bench)
    port = free_port()
    service = start_spooler(bench, port, rig)
    peer = Client(bench, 'impacket', port)
    peer.add('\\\\PEER\\one', 'PEER\\one,Driver,Room', 'comment')
    peer.add('\\\\PEER\\two')
    shown = rig.rpcclient(f"enumprinters 1 '\\\\{rig.name}' {NETWORK}")
    expect(printers_of(shown.stdout), ['\\\\PEER\\one', '\\\\PEER\\two'])
    assert 'description:[PEER\\one,Driver,Room]' in shown.stdout, shown.stdout
    expect(shown.returncode, 0)
    service.end()


def each_trace_through_smbd(bench, library):
    """The same bytes when a file server stands before the spooler."""
    rig = start_rig(bench)
    service = start_spooler(bench, None, rig)
    client = Client(bench, library, rig.port, 'pipe')
    expect(client.bound, {})
    check_trace(client)
    service.end()


def allowed(bench, rig):
    """Whether a new null session's pipe is answered."""
    client = Client(bench, 'samba', rig.port, 'pipe')
    fine = client.bound == {} and client.enum().get('status') == OK
    client.close()
    bench.open_things.remove(client)
    return fine


def check_gate(bench, rig, opened, closed):
    """Null sessions are let in and kept out while the service runs, on pipes that are open, too."""
    closed()
    service = start_spooler(bench, None, rig)
    assert not allowed(bench, rig), 'refused at the start'
    for _ in range(3):
        opened()
        until('a null session is let in', lambda: allowed(bench, rig))
        client = Client(bench, 'samba', rig.port, 'pipe')
        expect(client.enum()['status'], OK)
        closed()
        until('the open pipe is refused', lambda: 'fault' in client.enum())
        assert 'access' in client.enum()['fault'].lower() and not allowed(bench, rig)
        shown = rig.rpcclient(f"enumprinters 1 '\\\\{rig.name}' {NETWORK}").stdout
        assert 'ACCESS_DENIED' in shown, shown
        opened()
        until('the open pipe is answered again', lambda: client.enum().get('status') == OK)
        assert allowed(bench, rig)
    service.end()


def test_null_session_pipes_is_live(bench):
    """NullSessionPipes with SPOOLSS in it and without."""
    rig = start_rig(bench)
    check_gate(bench, rig, lambda: null_pipes(bench, 'COMNAP', 'spoolss', 'LOCATOR'),
               lambda: null_pipes(bench, 'COMNAP', 'LOCATOR'))


def test_restrict_null_sess_access_is_live(bench):
    """RestrictNullSessAccess 0 opens every pipe."""
    rig = start_rig(bench)
    null_pipes(bench, 'COMNAP')
    check_gate(bench, rig, lambda: bench.set_dword(SERVER, 'RestrictNullSessAccess', 0),
               lambda: bench.set_dword(SERVER, 'RestrictNullSessAccess', 1))


def test_file_server_killed_and_started_again(bench):
    rig = start_rig(bench)
    service = start_spooler(bench, None, rig)
    for kill in (rig.kill_smbd, rig.stop):
        client = Client(bench, 'samba', rig.port, 'pipe')
        expect(client.enum()['status'], OK)
        kill()
        assert 'fault' in client.enum(), 'smbd is dead'
        rig.restart()
        until('the pipe is served again', lambda: allowed(bench, rig))
    service.end()


def test_spooler_started_after_its_clients(bench):
    """A file server that runs longer than its spooler reaches the next one, too."""
    rig = start_rig(bench)
    for _ in range(2):
        assert not allowed(bench, rig), 'nobody serves the pipe'
        service = start_spooler(bench, None, rig)
        assert allowed(bench, rig)
        service.end()


# ---- The run; a function each_NAME(bench, library) is a test with each of the libraries

for each, function in [pair for pair in globals().items() if pair[0].startswith('each_')]:
    for library in MODULES:
        globals()[f'test_{each[len("each_"):]}_{library}'] = partial(function, library=library)

if __name__ == '__main__':
    sys.exit(run_tests(__doc__, globals()))
