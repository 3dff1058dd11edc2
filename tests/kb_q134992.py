#!/usr/bin/env python3
"""The story of KB Q134992, typed with regtool: MODE, a serial line, a print share, NET USE.

    tests/kb_q134992.py [--bin DIR]

In the article MODE LPT1:=COM1: does not reroute a printer's output, and NET USE LPT1: is the way
to do it. Here both do. COM1 is a pseudo-terminal, whose other end is read; \\\\SERVER2\\Printer is the
print share of a real smbd (tests/lpd_rig.py), reached by its name in a network of the test's own.
Where that cannot be had, the tests that need it are skipped.
Ends with "N passed, N failed, N skipped"; exit status 1 if any failed or none ran.
"""

import os
import pty
import subprocess
import sys
import threading
import tty

from lpd_rig import (SMB_PORT, Lpd, PrintServer, add_printer, enter_own_network, require_own_network,
                     require_printing)
from samba_rig import until
from services_bench import TIMEOUT, expect, run_tests

NOT_REROUTED = 'Printer output is not being rerouted.'
EVERY_BYTE = bytes(range(256)) * 300 # also those that a terminal would change; more than its buffer holds


class Line:
    """The other end of COM1: what comes out of the wire."""

    def __init__(self, bench):
        self.outside, inside = pty.openpty()
        tty.setraw(inside)
        self.device = os.ttyname(inside)
        self.inside = inside # held open, so that the line does not hang up between two jobs
        self.heard = b''
        self.reader = threading.Thread(target=self.read, daemon=True)
        self.reader.start()
        bench.open_things.append(self)

    def read(self):
        try:
            while block := os.read(self.outside, 65536):
                self.heard += block
        except OSError:
            return # both ends are closed

    def until_heard(self, content):
        until(f'{len(content)} bytes came out of the line', lambda: len(self.heard) >= len(content))
        assert self.heard == content, f'other bytes came out: {self.heard[:100]!r}...'

    def close(self):
        os.close(self.inside)
        self.reader.join(TIMEOUT)
        os.close(self.outside)

    kill = close


def write(bench, content, port='LPT1'):
    """A program prints to LPT1; what regtool says."""
    done = subprocess.run([bench.bin / 'regtool', '--store', bench.store, 'lpt', 'write', port],
                          input=content, capture_output=True, timeout=TIMEOUT, env=bench.environment, check=False)
    return done.returncode, done.stderr.decode()


def start_line(bench):
    line = Line(bench)
    bench.regtool('mode', f'COM1:={line.device}')
    bench.regtool('mode', 'COM1:9600,n,8,1')
    return line


def test_mode_says_that_nothing_is_rerouted(bench):
    """The article's words; and nothing is printed where nothing leads."""
    said = bench.regtool('mode', 'LPT1:')
    expect([line.strip() for line in said.splitlines() if line.strip()],
           ['Status for device LPT1:', '-' * len('Status for device LPT1:'), NOT_REROUTED])
    status, why = write(bench, b'lost?')
    assert status != 0 and 'LPT1' in why and 'not rerouted' in why, (status, why)


def test_mode_moves_bytes(bench):
    """MODE LPT1:=COM1: works, byte for byte, until it is taken back."""
    require_printing(bench)
    line = start_line(bench)
    bench.regtool('mode', 'LPT1:=COM1:')
    assert 'COM1:' in bench.regtool('mode', 'LPT1:') and NOT_REROUTED not in bench.regtool('mode', 'LPT1:')
    expect(write(bench, EVERY_BYTE), (0, ''))
    line.until_heard(EVERY_BYTE)
    expect(write(bench, b'', 'lpt1:'), (0, ''))
    expect(write(bench, b'a second job', 'lpt1:'), (0, ''))
    line.until_heard(EVERY_BYTE + b'a second job')
    bench.regtool('mode', 'LPT1:=LPT1:')
    assert NOT_REROUTED in bench.regtool('mode', 'LPT1:')
    expect(write(bench, b'x')[0] != 0, True)
    expect(line.heard, EVERY_BYTE + b'a second job')


def test_the_article(bench):
    """The whole of it: not rerouted; MODE; NET USE in its place; the table; /DELETE."""
    require_own_network()
    require_printing(bench)
    server = PrintServer(bench, SMB_PORT, null_shares=('Printer',))
    line = start_line(bench)
    assert NOT_REROUTED in bench.regtool('mode', 'LPT1:')
    bench.regtool('mode', 'LPT1:=COM1:')
    expect(write(bench, b'to the line'), (0, ''))
    line.until_heard(b'to the line')
    bench.regtool('mode', 'LPT1:=LPT1:')
    bench.regtool('net', 'use', 'LPT1:', '\\\\SERVER2\\Printer')
    assert '\\\\SERVER2\\Printer' in bench.regtool('net', 'use')
    assert '\\\\SERVER2\\Printer' in bench.regtool('mode', 'LPT1:')
    expect(write(bench, EVERY_BYTE), (0, ''))
    printed, = server.until_printed(1)
    expect((printed.content == EVERY_BYTE, printed.user), (True, server.rig.account.pw_name))
    bench.regtool('net', 'use', 'LPT1:', '/delete')
    assert NOT_REROUTED in bench.regtool('mode', 'LPT1:')
    expect(write(bench, b'x')[0] != 0, True)
    expect(line.heard, b'to the line')


def test_closed_share_says_so(bench):
    """A share that is not open to null sessions: the job is refused with the reason."""
    require_own_network()
    require_printing(bench)
    server = PrintServer(bench, SMB_PORT)
    bench.regtool('net', 'use', 'LPT1:', '\\\\SERVER2\\Printer')
    status, why = write(bench, b'secret')
    expect(status, 1)
    assert 'access denied' in why, why
    expect(server.printed(), [])


def test_net_use_while_a_job_is_written(bench):
    """That job ends where it began, the next goes to the new target."""
    require_own_network()
    require_printing(bench)
    server = PrintServer(bench, SMB_PORT, null_shares=('Printer',))
    line = start_line(bench)
    bench.regtool('mode', 'LPT1:=COM1:')
    writer = subprocess.Popen([bench.bin / 'regtool', '--store', bench.store, 'lpt', 'write', 'LPT1'],
                              stdin=subprocess.PIPE, env=bench.environment)
    writer.stdin.write(b'first half, ' + bytes(100000))
    writer.stdin.flush()
    until('the job has begun to come out', lambda: line.heard)
    bench.regtool('mode', 'LPT1:=LPT1:')
    bench.regtool('net', 'use', 'LPT1:', '\\\\SERVER2\\Printer')
    expect(write(bench, b'the next job'), (0, ''))
    expect(server.until_printed(1)[0].content, b'the next job')
    writer.stdin.write(b'second half')
    writer.stdin.close()
    expect(writer.wait(TIMEOUT), 0)
    line.until_heard(b'first half, ' + bytes(100000) + b'second half')
    expect(len(server.printed()), 1)


def test_a_printer_of_ours(bench):
    """LPT1 is rerouted to a printer: a job joins its queue, and comes out where its Port says then."""
    require_printing(bench, 'regstore-lpdsvc')
    out = bench.directory / 'out.prn'
    printer = add_printer(bench, 'Laser', str(out))
    bench.regtool('mode', 'LPT1:=Laser')
    status, why = write(bench, b'nobody serves the queue')
    assert status == 1 and 'connection refused' in why, (status, why)
    lpd = Lpd(bench)
    expect(write(bench, b'through a printer'), (0, ''))
    lpd.until_empty()
    expect(out.read_bytes(), b'through a printer')
    bench.regtool('add', printer, '/v', 'Port', '/t', 'REG_SZ', '/d', f'{out}2', '/f', f'--wait={TIMEOUT}')
    expect(write(bench, b'elsewhere'), (0, ''))
    lpd.until_empty()
    expect((bench.directory / 'out.prn2').read_bytes(), b'elsewhere')


if __name__ == '__main__':
    enter_own_network()
    sys.exit(run_tests(__doc__, globals()))
