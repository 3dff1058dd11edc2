#!/usr/bin/env python3
"""LPT ports: what "regtool lpt write" prints comes out where the device map says.

    tests/lpt.py [--bin DIR] [TEST...]

tests/cli/mode, net-use and lpt have the sentences of regtool, with a stand-in for what prints. Here
regstore-deliver prints: to files, commands, raw ports, queues, printers and a pseudo terminal, and
what regtool refuses is compared with what regstore-deliver does. Nothing sleeps. Ends with
"N passed, N failed, N skipped"; exit status 1 if any failed or none ran.
"""

import os
import re
import select
import socket
import subprocess
import sys
import termios
import time
import tty
from pathlib import Path

from services_bench import TIMEOUT, Skip, expect, run_tests

TOP = Path(__file__).resolve().parent.parent
MAP = 'HKLM\\SYSTEM\\CurrentControlSet\\Control\\Print\\DeviceMap'
PRINTERS = 'HKLM\\SYSTEM\\CurrentControlSet\\Control\\Print\\Printers'
MONITORS = 'HKLM\\SYSTEM\\CurrentControlSet\\Control\\Print\\Monitors'
LPD_KEY = 'HKLM\\SYSTEM\\CurrentControlSet\\Services\\LPDSVC\\Parameters'
# Every byte, and more than a pipe or a terminal takes at once.
DOCUMENT = bytes(range(256)) * 600


def environment(bench):
    """As a user has it: the programs in PATH, the store in REGSTORE."""
    return {**bench.environment, 'REGSTORE': str(bench.store),
            'PATH': f'{bench.bin}:{bench.environment.get("PATH", "/usr/bin:/bin")}'}


def start(bench, *words):
    return subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                            stderr=subprocess.PIPE, env=environment(bench))


def finish(process, document=None):
    """Exit status, standard output and standard error; the reader may leave early."""
    out, err = process.communicate(document, timeout=TIMEOUT)
    return process.returncode, out.decode(), err.decode()


def write(bench, port='LPT1', document=DOCUMENT):
    return finish(start(bench, 'regtool', 'lpt', 'write', port), document)


def mode(bench, *words):
    return finish(start(bench, 'regtool', 'mode', *words))


def reroute(bench, target, port='LPT1'):
    status, _, error = mode(bench, f'{port}:={target}')
    expect((status, error), (0, ''))


def make_laser(bench, target):
    bench.regtool('set', f'{PRINTERS}\\Laser', 'Port', str(target))
    bench.regtool('set', f'{PRINTERS}\\Laser', 'Share Name', 'LASERJET')


class Listener:
    """A raw port that takes one document."""

    def __init__(self):
        self.socket = socket.create_server(('127.0.0.1', 0))
        self.socket.settimeout(TIMEOUT)
        self.port = self.socket.getsockname()[1]

    def take(self):
        peer, _ = self.socket.accept()
        with peer:
            peer.settimeout(TIMEOUT)
            blocks = []
            while block := peer.recv(65536):
                blocks.append(block)
        self.socket.close()
        return b''.join(blocks)


class Line:
    """A pseudo terminal; name is what a program opens as its serial line."""

    def __init__(self):
        self.master, self.slave = os.openpty()
        tty.setraw(self.slave)
        self.name = os.ttyname(self.slave)

    def take(self, size):
        taken = b''
        deadline = time.monotonic() + TIMEOUT
        while len(taken) < size:
            if not select.select([self.master], [], [], max(0, deadline - time.monotonic()))[0]:
                raise AssertionError(f'{len(taken)} of {size} bytes came out of the line')
            taken += os.read(self.master, 65536)
        return taken

    def settings(self):
        return termios.tcgetattr(self.slave)

    def close(self):
        os.close(self.master)
        os.close(self.slave)


# ---- Where it comes out


def listen_port(bench):
    """A free port, where the LPD service is to listen."""
    with socket.create_server(('127.0.0.1', 0)) as probe:
        port = probe.getsockname()[1]
    bench.set_dword(LPD_KEY, 'ListenPort', port)
    return port


def start_lpd(bench):
    service = bench.start('regstore-lpdsvc', options=['--spool', str(bench.directory / 'spool')])
    service.log.wait('started with')
    return service


def test_nowhere(bench):
    expect(write(bench), (1, '', 'regstore-deliver: LPT1: is not rerouted\n'))


def test_file(bench):
    """Jobs are appended; the port's name may be written in all ways."""
    out = bench.directory / 'out.prn'
    reroute(bench, out)
    expect(write(bench), (0, '', ''))
    expect(write(bench, 'lpt1:', b'more'), (0, '', ''))
    expect(out.read_bytes(), DOCUMENT + b'more')


def test_directory(bench):
    """The document's name is that of its file."""
    place = bench.directory / 'jobs'
    place.mkdir()
    document = bench.directory / 'a letter.prn'
    document.write_bytes(DOCUMENT)
    reroute(bench, f'{place}/')
    expect(finish(start(bench, 'regtool', 'lpt', 'write', 'LPT1', document)), (0, '', ''))
    made = list(place.iterdir())
    expect(len(made), 1)
    assert 'letter' in made[0].name, made
    expect(made[0].read_bytes(), DOCUMENT)


def test_command(bench):
    out = bench.directory / 'out.prn'
    reroute(bench, f'|cat >{out}')
    expect(write(bench), (0, '', ''))
    expect(out.read_bytes(), DOCUMENT)
    reroute(bench, '|cat >/dev/null; exit 7')
    status, _, error = write(bench)
    assert status in (1, 3) and re.fullmatch('regstore-deliver: .*7.*\n', error), (status, error)


def test_raw_port(bench):
    listener = Listener()
    reroute(bench, f'socket://127.0.0.1:{listener.port}')
    writer = start(bench, 'regtool', 'lpt', 'write', 'LPT1')
    writer.stdin.write(DOCUMENT)
    writer.stdin.close()
    writer.stdin = None
    taken = listener.take()
    expect(finish(writer), (0, '', ''))
    expect(taken, DOCUMENT)
    status, _, error = write(bench)
    expect(status, 1)
    assert 'refused' in error, error


def test_port_of_a_monitor(bench):
    """A port of NT's TCP/IP monitor, by its name."""
    listener = Listener()
    port = f'{MONITORS}\\Standard TCP/IP Port\\Ports\\IP_127.0.0.1'
    bench.regtool('set', port, 'HostName', '127.0.0.1')
    bench.set_dword(port, 'Protocol', 1)
    bench.set_dword(port, 'PortNumber', listener.port)
    reroute(bench, 'IP_127.0.0.1')
    writer = start(bench, 'regtool', 'lpt', 'write', 'LPT1')
    writer.stdin.write(DOCUMENT)
    writer.stdin.close()
    writer.stdin = None
    expect(listener.take(), DOCUMENT)
    expect(finish(writer), (0, '', ''))


def test_printer(bench):
    """One of our printers, by its name or its share's: the job goes into its queue, and is refused
    where there is no LPD service."""
    out = bench.directory / 'out.prn'
    make_laser(bench, out)
    reroute(bench, 'laser')
    port = listen_port(bench)
    status, _, error = write(bench)
    expect((status, error), (1, f'regstore-deliver: lpd://127.0.0.1:{port}/Laser: '
                             'connection refused\n'))
    service = start_lpd(bench)
    expect(write(bench, document=b'one'), (0, '', ''))
    service.log.wait('for "Laser" is printed')
    reroute(bench, 'LASERJET')
    expect(write(bench, document=b'two'), (0, '', ''))
    service.log.wait('for "Laser" is printed')
    expect(out.read_bytes(), b'onetwo')
    service.end()


def test_printer_of_a_port(bench):
    """A chain: LPT1 is a printer, whose port is LPT2, which is a file; and one that never ends."""
    out = bench.directory / 'out.prn'
    make_laser(bench, 'LPT2:')
    reroute(bench, 'Laser')
    reroute(bench, out, 'LPT2')
    listen_port(bench)
    service = start_lpd(bench)
    expect(write(bench), (0, '', ''))
    service.log.wait('for "Laser" is printed')
    expect(out.read_bytes(), DOCUMENT)
    reroute(bench, 'Laser', 'LPT2')
    expect(write(bench), (0, '', ''))
    service.log.wait('circle')
    service.end()


def test_line(bench):
    """Q134992: MODE LPT1:=COM1: works here."""
    line = Line()
    try:
        expect(mode(bench, f'COM1:={line.name}')[0], 0)
        expect(mode(bench, 'COM1:4800,e,7,2')[0], 0)
        _, said, _ = mode(bench, 'LPT1:')
        assert said.endswith('    Printer output is not being rerouted.\n'), said
        reroute(bench, 'COM1:')
        _, said, _ = mode(bench, 'LPT1:')
        assert said.endswith('    Printer output is being rerouted to COM1:\n'), said
        document = bytes(range(32, 127)) * 400
        writer = start(bench, 'regtool', 'lpt', 'write', 'LPT1')
        writer.stdin.write(document)
        writer.stdin.flush()
        expect(line.take(len(document)), document)
        flags, speed = line.settings()[2], line.settings()[5]
        expect(speed, termios.B4800)
        assert flags & termios.CSTOPB, flags
        expect(finish(writer, b'end'), (0, '', ''))
        expect(line.take(3), b'end')
    finally:
        line.close()


class Queue:
    """Our LPD, with the printer Laser as a queue, and where its jobs come out."""

    def __init__(self, bench, port=None):
        self.port = listen_port(bench)
        self.out = bench.directory / 'queue.prn'
        make_laser(bench, port or self.out)
        self.service = start_lpd(bench)

    def take(self):
        """What has come out when the service says that the job is printed."""
        self.service.log.wait('is printed$')
        self.service.end()
        return self.out.read_bytes()


def test_queue(bench):
    """A port that is the queue of an LPD."""
    queue = Queue(bench)
    reroute(bench, f'lpd://127.0.0.1:{queue.port}/LASERJET')
    expect(write(bench), (0, '', ''))
    expect(queue.take(), DOCUMENT)


def test_queue_of_a_port(bench):
    """A queue whose printer is at a port: a job waits there until the port is rerouted."""
    queue = Queue(bench, 'LPT2:')
    reroute(bench, f'lpd://127.0.0.1:{queue.port}/Laser')
    expect(write(bench), (0, '', ''))
    reroute(bench, queue.out, 'LPT2')
    expect(queue.take(), DOCUMENT)


def test_share_is_away(bench):
    """The error of a share that is not there is one line, and is that of the command."""
    if not (bench.bin / 'regstore-deliver-smb').exists():
        raise Skip('the programs were built without an SMB client')
    with socket.create_server(('127.0.0.1', 0)) as probe:
        port = probe.getsockname()[1]
    status, _, _ = finish(start(bench, 'regtool', 'net', 'use', 'LPT1:',
                                f'\\\\127.0.0.1@{port}\\printer'))
    expect(status, 0)
    status, out, error = write(bench)
    expect((status, out), (1, ''))
    assert re.fullmatch('regstore-deliver: .*\n', error), error


# ---- Changes


def test_change_while_a_job_is_written(bench):
    """The job ends where it began; the next one goes to the new target. So does undo."""
    first, second = bench.directory / 'first', bench.directory / 'second'
    begun = bench.directory / 'begun'
    os.mkfifo(begun)
    reroute(bench, f'|echo begun >{begun}; cat >{first}')
    writer = start(bench, 'regtool', 'lpt', 'write', 'LPT1')
    writer.stdin.write(b'begun ')
    writer.stdin.flush()
    expect(begun.read_text(), 'begun\n')
    reroute(bench, second)
    expect(write(bench, document=b'next'), (0, '', ''))
    expect(finish(writer, b'and ended'), (0, '', ''))
    expect(first.read_bytes(), b'begun and ended')
    expect(second.read_bytes(), b'next')
    reroute(bench, bench.directory / 'third')
    bench.regtool('undo', '--last')
    expect(write(bench, document=b', again'), (0, '', ''))
    expect(second.read_bytes(), b'next, again')


def test_mapping_of_a_boot(bench):
    """Who prints and regtool agree on what is over with a boot."""
    out = bench.directory / 'out.prn'
    reroute(bench, out)
    with open('/proc/sys/kernel/random/boot_id', encoding='ascii') as file:
        bench.regtool('set', f'{MAP}\\LPT1', 'BootId', file.read().strip())
    expect(write(bench, document=b'now'), (0, '', ''))
    bench.regtool('set', f'{MAP}\\LPT1', 'BootId', '00000000-0000-0000-0000-000000000000')
    expect(write(bench)[0], 1)
    assert 'is not being rerouted' in mode(bench, 'LPT1:')[1]
    expect(out.read_bytes(), b'now')


# ---- Programs of other systems


def test_as_others_call_it(bench):
    """The words that the manual page gives for Wine, dosemu and DOSBox-X, run as these do it."""
    text = (TOP / 'regtool/regtool.1').read_text(encoding='utf-8')
    out = bench.directory / 'out.prn'
    reroute(bench, out)
    wine = re.search(r'^"LPT1:"="\|(.*)"$', text, re.M).group(1)
    dosemu = re.search(r'^\$_lpt1 = "(.*)"$', text, re.M).group(1)
    for command in (wine, dosemu):
        expect(finish(start(bench, 'sh', '-c', command), b'by a pipe;'), (0, '', ''))
    script = bench.directory / 'lpt1'
    script.write_text(re.search(r'^#!/bin/sh\nexec .*\n', text, re.M).group())
    script.chmod(0o755)
    job = bench.directory / 'Parallel Port Stream_000.prt'
    job.write_bytes(b'by a file')
    expect(finish(start(bench, 'sh', '-c', f'{script} "{job}"')), (0, '', ''))
    expect(out.read_bytes(), b'by a pipe;by a pipe;by a file')


# ---- What is refused


def refused_by(bench, target):
    """Whether regtool, and whether who prints, calls this no target; the map is written past regtool's
    own judgement."""
    status, _, error = mode(bench, f'LPT1:={target}')
    by_mode = status != 0
    if by_mode:
        expect(error.count('\n'), 1)
    bench.regtool('set', f'{MAP}\\LPT1', 'Target', target)
    _, _, error = write(bench, document=b'')
    return by_mode, 'is no target' in error or 'is no port' in error or 'no printer' in error


def test_same_grammar(bench):
    """What mode refuses, who prints refuses; what is right, neither does."""
    away = '127.0.0.1:1'
    right = [f'{bench.directory}/x', f'{bench.directory}/', '|cat >/dev/null', '|  true',
             f'socket://{away}', f'SOCKET://{away}', 'socket://[::1]:1', f'lpd://{away}/q',
             f'lpd://{away}/a queue', '\\\\127.0.0.1@1\\x', '\\\\127.0.0.1@1\\a share']
    wrong = ['\\\\', '\\\\server', '\\\\server\\', '\\\\\\share', '\\\\server\\share\\more', '\\share',
             '|', '|  ', 'http://host', 'a\\b', 'a/b', '\\\\server/share',
             '\\\\ser ver\\x', '\\\\server\\a:b', '//server/share']
    # These are who prints' to judge.
    left = ['socket://', 'socket://host:0', 'lpd://host', 'lpd://host/']
    wanted = {target: (False, False) for target in right}
    wanted |= {target: (True, True) for target in wrong}
    wanted |= {target: (False, True) for target in left}
    expect({target: refused_by(bench, target) for target in wanted}, wanted)


def test_same_lines(bench):
    """The lines that mode takes are those that who prints takes."""
    rates = ('50', '75', '110', '134', '150', '200', '300', '600', '1200', '1800', '2400', '4800',
             '9600', '19200', '38400', '57600', '115200', '230400', '460800', '921600')
    right = [*rates, '96', '19', '9600,n,8,1', '1200,E,7', '115200,o,5,1.5', '9600,s,8,2,p', '9600,m']
    wrong = ['9601', '1', '9600,x', '9600,n,9', '9600,n,8,3', '9600,n,8,1,q', '9600,n,8,1,p,p', 'x']
    line = Line()
    try:
        expect(mode(bench, f'COM1:={line.name}')[0], 0)
        reroute(bench, 'COM1:')
        for text in right:
            expect((text, mode(bench, f'COM1:{text}')[0]), (text, 0))
            expect((text, write(bench, document=b'.')), (text, (0, '', '')))
            expect(line.take(1), b'.')
        for text in wrong:
            expect((text, mode(bench, f'COM1:{text}')[0]), (text, 1))
            bench.regtool('set', f'{MAP}\\COM1', 'Mode', text)
            expect((text, write(bench, document=b'')[0]), (text, 1))
    finally:
        line.close()


def test_names_of_files(bench):
    """A file may be called whatever a file may be called; the document's name is then a text."""
    place = bench.directory / 'jobs'
    place.mkdir()
    reroute(bench, f'{place}/')
    names = (b'-x', b'--job', b'a\nb', b'\xff\xfe', b'...', b'%s', b'n' * 255)
    for number, name in enumerate(names, 1):
        file = os.fsencode(bench.directory) + b'/' + name
        with open(file, 'wb') as document:
            document.write(name)
        done = finish(start(bench, 'regtool', 'lpt', 'write', 'LPT1', file))
        expect((name, done), (name, (0, '', '')))
        expect(len(list(place.iterdir())), number)
    made = [os.fsencode(path.name) for path in place.iterdir()]
    for name in made:
        name.decode('utf-8')
        assert not re.search(rb'[\x00-\x1f/]', name), made


def test_no_document(bench):
    """Standard input that is closed, and a document that is gone before it is opened."""
    reroute(bench, bench.directory / 'out.prn')
    status, _, error = finish(start(bench, 'sh', '-c', 'regtool lpt write LPT1 <&-'))
    expect((status, error), (0, ''))
    status, _, error = finish(start(bench, 'regtool', 'lpt', 'write', 'LPT1', '/none'))
    expect(status, 1)


if __name__ == '__main__':
    sys.exit(run_tests(__doc__, dict(globals())))
