#!/usr/bin/env python3
"""Measures the print server beside Samba's, and what a change of its settings costs.

    tests/bench/services.py [--bin DIR] [--rounds N] [--seconds N] [--row NAME]... [--json]

Rows; a ratio is regstore's figure by the other one's:

    enum_socket  EnumPrinters, level 1, of 1,000 printers, on the socket that smbd hands pipes to, by a
                 client that costs next to nothing (spoolss_load): regstore-spooler with so many
                 cached printers, and Samba's own spoolss with as many local ones. Calls a second
    enum_tcp     the same call by python3-samba: to regstore-spooler over TCP, to Samba's through smbd
    enum_smbd    the same by python3-samba, both through smbd
    memory       resident memory of regstore-spooler with 10,000 cached printers, in KiB; the goal is
                 a number, not a ratio
    change       commit of a setting until the spooler's server thread lives by it, in us, beside the
                 same of a service that has nothing to do but to read again

Figures are medians of the rounds. Needs Samba (tests/samba_rig.py); rows that cannot be measured
are skipped. Exit status 1 if a goal is missed.
"""

import json
import statistics
import subprocess
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from pdus import ADD, ENUM, HANDSHAKE, Wire, add_stub, enum_result, enum_stub
from print_bench import (LOCAL, NETWORK, PRINT, SERVER, Client, resident_kib, start_rig, start_spooler)
from rows import Row, own, parser_of, run
from samba_rig import free_port
from services_bench import Skip, in_bench

PRINTERS, MANY_PRINTERS = 1000, 10000
MOST_MEMORY = 8 * 1024
CHANGES = 101 # of a round
AT_ONCE = ('--window', '0') # a change is not waited for others to be taken together
SAMBA_PIPES = ('rpcd_lsad', 'rpcd_classic', 'rpcd_winreg', 'rpcd_spoolss')


def announce(port, count):
    """Fills the spooler's cache; names and texts are as long as those of Samba's printers."""
    wire = Wire(port).bound()
    for number in range(count):
        how, _ = wire.call(ADD, add_stub(f'\\\\PEER\\printer{number}',
                                         f'\\\\PEER\\printer{number},,Printer number {number} of the office',
                                         f'Printer number {number} of the office'))
        assert how == 'response', how
    expect_count(wire, count)
    wire.close()


def expect_count(wire, count):
    needed = enum_result(wire.call(ENUM, enum_stub())[1])[1]
    found = enum_result(wire.call(ENUM, enum_stub(size=needed))[1])
    assert found == (0, needed, count), found


class Contest:
    """regstore-spooler and Samba's spoolss, each behind a file server of its own."""

    def __init__(self, bench, seconds):
        self.bench, self.seconds = bench, seconds
        self.handshake = bench.directory / 'handshake'
        self.handshake.write_bytes(HANDSHAKE)
        self.port = free_port()
        self.own = start_rig(bench)
        start_spooler(bench, self.port, self.own)
        announce(self.port, PRINTERS)
        self.samba = self.start_samba()

    def start_samba(self):
        rig = start_rig(self.bench, name='PEER', pipes=SAMBA_PIPES)
        rig.include.write_text(''.join(
            f'[printer{number}]\n printable = yes\n path = {rig.directory}/share\n guest ok = yes\n'
            f' comment = Printer number {number} of the office\n' for number in range(PRINTERS)))
        rig.restart()
        return rig

    def load(self, rig, flags):
        """Calls a second of the raw client at a rig's socket."""
        done = subprocess.run([self.bench.bin / 'spoolss_load', str(self.seconds), str(flags), '\\\\PEER',
                               'pipe', rig.pipe('spoolss'), self.handshake], capture_output=True, text=True,
                              check=False)
        assert done.returncode == 0, done.stderr
        told = json.loads(done.stdout)
        assert told['count'] == PRINTERS, told
        return told['calls'] / told['seconds']

    def by_python(self, port, transport, flags):
        """Calls a second of python3-samba."""
        client = Client(self.bench, 'samba', port, transport)
        assert client.bound == {}, client.bound
        told = client.call('repeat', flags=flags, server='\\\\PEER', level=1, seconds=self.seconds)
        assert told.get('count') == PRINTERS, told
        return told['calls'] / told['seconds']

    def enum_socket(self):
        return self.load(self.own, NETWORK), self.load(self.samba, LOCAL)

    def enum_tcp(self):
        return (self.by_python(self.port, 'tcp', NETWORK),
                self.by_python(self.samba.port, 'pipe', LOCAL))

    def enum_smbd(self):
        return (self.by_python(self.own.port, 'pipe', NETWORK),
                self.by_python(self.samba.port, 'pipe', LOCAL))


def memory(bench):
    """KiB that are resident once 10,000 printers have been announced and listed."""
    port = free_port()
    service = start_spooler(bench, port)
    announce(port, MANY_PRINTERS)
    return resident_kib(service.process.pid)


def change_times(bench, service, key, name):
    """us from the commits of changes until the service has taken them."""
    times = []
    for number in range(CHANGES):
        bench.set_dword(key, name, 20000 + number)
        match = service.log.wait(r'applied revision \d+, (\d+) us after its commit')
        times.append(int(match[1]))
    return statistics.median(times)


def change(bench):
    spooler = start_spooler(bench, free_port(), options=AT_ONCE)
    plain = bench.start('regstore-lanmanserver', options=AT_ONCE)
    plain.log.wait('started with')
    return (change_times(bench, spooler, PRINT, 'ServerThreadTimeout'),
            change_times(bench, plain, SERVER, 'AnnDelta'))


# ---- The rows

ROWS = {'enum_socket': Row('calls/s', 'at least', 1), 'enum_tcp': Row('calls/s', 'at least', 1),
        'enum_smbd': Row('calls/s', 'at least', 1), 'memory': Row('KiB', 'at most', MOST_MEMORY, own),
        'change': Row('us', 'at most', 2)}


def measure(arguments, wanted):
    """Rounds of figures by row; a reason, where it cannot be measured."""
    found = {name: [] for name in wanted}

    def contest(bench):
        both = Contest(bench, arguments.seconds)
        for _ in range(arguments.rounds):
            for name in wanted:
                if name.startswith('enum') and isinstance(found[name], list):
                    try:
                        found[name].append(getattr(both, name)())
                    except AssertionError as problem: # Samba's clients wait only so long for Samba
                        found[name] = f'no answer: {problem}'
    try:
        if any(name.startswith('enum') for name in wanted):
            in_bench(arguments.bin, contest)
    except Skip as reason:
        found.update({name: str(reason) for name in wanted if name.startswith('enum')})
    for _ in range(arguments.rounds):
        if 'memory' in wanted:
            found['memory'].append((in_bench(arguments.bin, memory), None))
        if 'change' in wanted:
            found['change'].append(in_bench(arguments.bin, change))
    return found


if __name__ == '__main__':
    sys.exit(run(parser_of(__doc__, ROWS).parse_args(), ROWS, measure))
