#!/usr/bin/env python3
"""Prints to the LPD service with rlpr and CUPS's lpd backend; jobs come out of a real smbd.

    tests/lpd_clients.py [--bin DIR]

Both clients are other people's. Where jobs come out, they are compared byte for byte: smbd's print
command tells as whom it ran, a directory keeps each document as a file, and a raw port is one of the
test's own. tests/lpd_rig.py has the rig and says what it needs; what cannot be had is skipped.
Ends with "N passed, N failed, N skipped"; exit status 1 if any failed or none ran.
"""

import hashlib
import os
import socket
import sys

from lpd_rig import (PARAMETERS, PRINT, Lpd, PrintServer, RawPrinter, Refused, add_printer, control_file, cups,
                     cups_prints, expect_zero, lpq, require_cups, require_printing, require_rlpr, rlpr, rlpr_prints,
                     send_file, send_job, set_text)
from samba_rig import until
from services_bench import TIMEOUT, expect, run_tests

BIG = 100 * 1000 * 1000
PAUSED = 1 # PRINTER_STATUS_PAUSED


def digest(content):
    return len(content), hashlib.sha256(content).hexdigest()


def make_file(bench, name, content):
    path = bench.directory / name
    path.write_bytes(content)
    return path


def start_directory(bench, queue='Files', **parameters):
    """The service, and a queue whose documents become files."""
    require_printing(bench, 'regstore-lpdsvc')
    out = bench.directory / 'out'
    out.mkdir()
    add_printer(bench, queue, f'{out}/')
    return Lpd(bench, **parameters), out


def contents(directory):
    return sorted(path.read_bytes() for path in directory.iterdir())


def prints_to_share(bench, prints):
    """Jobs of 1 byte, 0 bytes and 100 MB come out of smbd's printer as nobody, byte for byte. One of 0
    bytes is taken and sent; smbd itself prints nothing then."""
    require_printing(bench, 'regstore-lpdsvc')
    server = PrintServer(bench, null_shares=('Printer',))
    add_printer(bench, 'Laser', server.unc(), NullSession=1)
    lpd = Lpd(bench)
    for content in (b'x', b'', os.urandom(BIG)):
        prints(lpd.port, 'Laser', make_file(bench, 'document', content))
        lpd.until_empty()
        if content:
            printed, = server.until_printed(1)
            expect((printed.user, digest(printed.content)), (server.rig.account.pw_name, digest(content)))
            server.forget()
        else:
            expect(server.printed(), [])


def test_rlpr_to_a_share(bench):
    require_rlpr()
    prints_to_share(bench, rlpr_prints)


def test_cups_to_a_share(bench):
    require_cups()
    prints_to_share(bench, cups_prints)


def test_rlpr_to_a_directory(bench):
    """0 bytes are a document, too; several files, copies, other orders."""
    require_rlpr()
    lpd, out = start_directory(bench)
    empty, byte = make_file(bench, 'empty', b''), make_file(bench, 'byte', b'1')
    lines = make_file(bench, 'lines', b'a\nb\n')
    rlpr_prints(lpd.port, 'Files', empty, byte, lines)
    rlpr_prints(lpd.port, 'files', '--send-data-first', byte)
    rlpr_prints(lpd.port, 'FILES', '--windows', '-l', empty, lines)
    rlpr_prints(lpd.port, 'Files', '-#3', lines)
    lpd.until_empty()
    expect(contents(out), sorted([b'', b'1', b'a\nb\n', b'1', b'', b'a\nb\n', *[b'a\nb\n'] * 3]))


def test_cups_to_a_directory(bench):
    require_cups()
    lpd, out = start_directory(bench)
    empty, lines = make_file(bench, 'empty', b''), make_file(bench, 'lines', b'a\nb\n')
    cups_prints(lpd.port, 'Files', empty)
    cups_prints(lpd.port, 'Files', lines, '&order=data,control')
    cups_prints(lpd.port, 'Files', lines, '&banner=on&format=o')
    cups_prints(lpd.port, 'Files', lines, '&manual_copies=off', copies=2)
    cups_prints(lpd.port, 'Files', lines, copies=2) # sends the bytes twice in one document
    lpd.until_empty()
    expect(contents(out), sorted([b'', *[b'a\nb\n'] * 4, b'a\nb\na\nb\n']))


def test_order_of_a_queue(bench):
    """Jobs come out in the order in which they were acknowledged."""
    require_printing(bench, 'regstore-lpdsvc')
    require_rlpr()
    out = bench.directory / 'out.prn'
    add_printer(bench, 'Laser', str(out))
    lpd = Lpd(bench)
    numbers = [f'{number}\n'.encode() for number in range(30)]
    for content in numbers:
        rlpr_prints(lpd.port, 'Laser', make_file(bench, 'document', content))
    lpd.until_empty()
    expect(out.read_bytes(), b''.join(numbers))


def test_unknown_queue(bench):
    """The clients are told, and nothing is kept."""
    require_rlpr()
    lpd, _ = start_directory(bench)
    document = make_file(bench, 'document', b'x')
    for queue in ('none', 'Files\\Port', '..', 'HKLM'):
        expect(rlpr('rlpr', lpd.port, queue, document).returncode, 1)
    expect(lpd.waiting(), [])


def test_cups_is_refused(bench):
    require_cups()
    lpd, _ = start_directory(bench)
    document = make_file(bench, 'document', b'x')
    assert cups(lpd.port, 'none', document).returncode != 0


def test_queue_state_and_removal(bench):
    """A paused queue keeps its jobs; rlpq shows them, rlprm removes them unless that is forbidden."""
    require_rlpr()
    lpd, out = start_directory(bench, AllowJobRemoval=0)
    printer = f'{PRINT}\\Printers\\Files'
    bench.regtool('add', printer, '/v', 'Status', '/t', 'REG_DWORD', '/d', str(PAUSED), '/f', f'--wait={TIMEOUT}')
    for name in ('first', 'second', 'third'):
        make_file(bench, name, name.encode())
        rlpr_prints(lpd.port, 'Files', name, cwd=bench.directory)
    for words in (), ('-l',):
        seen = rlpr('rlpq', lpd.port, 'Files', *words).stdout
        assert 'paused' in seen and [name for name in ('first', 'second', 'third') if name not in seen] == [], seen
    number = next(line.split()[2] for line in lpq(lpd.port, 'Files').splitlines() if 'second' in line)
    refused = rlpr('rlprm', lpd.port, 'Files', number)
    expect(len(lpd.waiting()), 3)
    bench.regtool('add', PARAMETERS, '/v', 'AllowJobRemoval', '/t', 'REG_DWORD', '/d', '1', '/f', f'--wait={TIMEOUT}')
    rlpr('rlprm', lpd.port, 'Files', number)
    until('the job is gone', lambda: len(lpd.waiting()) == 2)
    assert refused.stdout or refused.stderr, 'a removal that is refused says nothing'
    bench.set_dword(printer, 'Status', 0)
    lpd.until_empty()
    expect(contents(out), [b'first', b'third'])


def test_reserved_ports(bench):
    """Only where it is configured do clients have to come from RFC 1179's ports."""
    require_rlpr()
    lpd, out = start_directory(bench, RestrictSourcePorts=1)
    document = make_file(bench, 'document', b'x')
    assert rlpr('rlpr', lpd.port, 'Files', document).returncode != 0
    if os.geteuid() == 0: # 721 to 731 are root's
        send_from(lpd.port, 721)
        lpd.until_empty()
        expect(contents(out), [b'reserved'])


def send_from(port, source):
    """A job from one of the reserved ports, by the first of them that is free."""
    for number in range(source, 732):
        with socket.socket() as client:
            client.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            client.settimeout(TIMEOUT)
            try:
                client.bind(('127.0.0.1', number))
                client.connect(('127.0.0.1', port))
            except OSError:
                continue
            control, files = control_file(['reserved'])
            client.sendall(b'\2Files\n')
            expect_zero(client, 'queue')
            send_file(client, 2, b'cf' + files[0][2:], control)
            send_file(client, 3, files[0], b'reserved')
            return
    raise AssertionError('none of the ports 721 to 731 is free')


def test_another_port_while_a_job_is_sent(bench):
    """That job ends where it began, the next goes to the new target; none comes out twice."""
    require_printing(bench, 'regstore-lpdsvc')
    raw = RawPrinter(bench)
    out = bench.directory / 'out.prn'
    printer = add_printer(bench, 'Laser', f'socket://127.0.0.1:{raw.port}')
    lpd = Lpd(bench)
    raw.go.clear()
    big = os.urandom(20 * 1000 * 1000) # more than sockets hold
    send_job(lpd.port, 'Laser', {'big': big})
    send_job(lpd.port, 'Laser', {'next': b'the next job'})
    assert raw.begun.wait(TIMEOUT)
    set_text(bench, printer, 'Port', str(out))
    bench.regtool('add', printer, '/v', 'Comment', '/t', 'REG_SZ', '/d', 'moved', '/f', f'--wait={TIMEOUT}')
    raw.go.set()
    lpd.until_empty()
    expect([digest(each) for each in raw.printed], [digest(big)])
    expect(out.read_bytes(), b'the next job')


def test_another_port_while_a_job_waits(bench):
    """A job whose target is away goes to the new one at once."""
    require_printing(bench, 'regstore-lpdsvc')
    out = bench.directory / 'out.prn'
    with socket.create_server(('127.0.0.1', 0)) as taken:
        nobody = taken.getsockname()[1]
    printer = add_printer(bench, 'Laser', f'socket://127.0.0.1:{nobody}')
    lpd = Lpd(bench)
    send_job(lpd.port, 'Laser', {'document': b'moved'})
    until('the queue says what it waits for', lambda: 'waiting for socket://' in lpq(lpd.port, 'Laser'))
    set_text(bench, printer, 'Port', str(out))
    lpd.until_empty()
    expect(out.read_bytes(), b'moved')


def test_lpt_port_of_a_printer(bench):
    """A queue whose port is LPT1: goes where NET USE leads."""
    require_printing(bench, 'regstore-lpdsvc')
    server = PrintServer(bench, null_shares=('Printer',))
    bench.regtool('net', 'use', 'LPT1:', server.unc())
    add_printer(bench, 'Laser', 'LPT1:', NullSession=1)
    lpd = Lpd(bench)
    send_job(lpd.port, 'Laser', {'document': b'by LPT1'})
    expect(server.until_printed(1)[0].content, b'by LPT1')
    lpd.until_empty()


def test_to_another_lpd(bench):
    """A queue that leads to another queue of the same service, which leads to a file."""
    lpd, out = start_directory(bench)
    add_printer(bench, 'Relay', f'lpd://127.0.0.1:{lpd.port}/Files')
    bench.regtool('add', PARAMETERS, '/v', 'MaxConcurrentUsers', '/t', 'REG_DWORD', '/d', '64', '/f',
                  f'--wait={TIMEOUT}')
    send_job(lpd.port, 'Relay', {'one': b'1', 'two': b'22', 'empty': b''})
    until('all came out', lambda: len(contents(out)) == 3)
    lpd.until_empty()
    expect(contents(out), [b'', b'1', b'22'])


def test_more_users_than_allowed(bench):
    """One too many is told so."""
    lpd, _ = start_directory(bench, MaxConcurrentUsers=1)
    with socket.create_connection(('127.0.0.1', lpd.port), timeout=TIMEOUT) as first:
        first.sendall(b'\2Files\n')
        expect(first.recv(1), b'\0')
        try:
            send_job(lpd.port, 'Files', {'document': b'x'})
            raise AssertionError('the second client was served')
        except (Refused, ConnectionError):
            pass
    expect(lpd.waiting(), [])


if __name__ == '__main__':
    sys.exit(run_tests(__doc__, globals()))
