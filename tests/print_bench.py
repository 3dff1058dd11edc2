"""What tests of the spooler with real clients work with: spoolers, their printers, and clients.

A client is a process of tests/print_client.py, with a library that nobody here wrote. Needs
tests/services_bench.py and, for what goes through a file server, tests/samba_rig.py.
"""

import json
import socket
import subprocess
from pathlib import Path

from samba_rig import SambaRig, free_port, require_clients, until
from services_bench import TIMEOUT, Lines

SPOOLER = 'regstore-spooler'
PRINT = 'HKLM\\SYSTEM\\CurrentControlSet\\Control\\Print'
SERVER = 'HKLM\\SYSTEM\\CurrentControlSet\\Services\\LanmanServer\\Parameters'
COMPUTER = 'HKLM\\SYSTEM\\CurrentControlSet\\Control\\ComputerName\\ComputerName'

LOCAL, NAME, REMOTE, NETWORK = 2, 8, 0x10, 0x40
OK, INVALID_PARAMETER, INSUFFICIENT_BUFFER, INVALID_LEVEL = 0, 87, 122, 124
ALREADY_EXISTS, INVALID_HANDLE = 1802, 6
NO_HANDLE = '00' * 20
ANNOUNCED = 0x18
MODULES = {'samba': 'samba.dcerpc.spoolss', 'impacket': 'impacket.dcerpc.v5.rprn'}


class Client:
    """A library's connection to a spooler."""

    def __init__(self, bench, library, port, transport='tcp'):
        python = require_clients(MODULES[library])
        script = Path(__file__).with_name('print_client.py')
        with open(bench.directory / 'clients.log', 'ab') as log: # a bind that is refused is told there
            self.process = subprocess.Popen([python, script, library, transport, '127.0.0.1', str(port)],
                                            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=log,
                                            text=True)
        bench.open_things.append(self)
        self.lines = Lines(self.process.stdout)
        self.bound = self.next()

    def next(self):
        line = self.lines.next()
        assert line is not None, f'the client ended with {self.process.wait(TIMEOUT)}'
        return json.loads(line)

    def call(self, what, **arguments):
        self.process.stdin.write(json.dumps({'do': what, **arguments}) + '\n')
        self.process.stdin.flush()
        return self.next()

    def enum(self, size=0, flags=NETWORK, level=1, server='\\\\NTSERVER'):
        return self.call('enum', flags=flags, server=server, level=level, size=size)

    def add(self, name, description='', comment='', flags=ANNOUNCED):
        return self.call('add', server='\\\\NTSERVER', level=1,
                         printer=[flags, description, name, comment])

    def list(self, **arguments):
        """As real clients do it: asks how much room is needed, then again with so much."""
        asked = self.enum(**arguments)
        if asked.get('status') != INSUFFICIENT_BUFFER:
            return asked
        return self.enum(size=asked['needed'], **arguments)

    def close(self):
        self.process.stdin.close()
        self.process.stdout.close()
        self.process.terminate() # it may be waiting for an answer
        self.process.wait(TIMEOUT)


def share_printer(bench, name, share=None, **texts):
    """A local printer, as a hive has it; without a share it is not shared."""
    key = f'{PRINT}\\Printers\\{name}'
    values = {'Name': name, 'Port': 'LPT1:', 'Printer Driver': 'HP LaserJet 4',
              **({'Share Name': share} if share else {}), **texts}
    for value, text in values.items():
        bench.regtool('add', key, '/v', value, '/t', 'REG_SZ', '/d', text, '/f')
    bench.set_dword(key, 'Attributes', 8 if share else 0)


def start_spooler(bench, port=None, rig=None, name='NTSERVER', options=()):
    """A spooler that listens on a port, and on the pipe of a rig's file server."""
    bench.regtool('add', COMPUTER, '/v', 'ComputerName', '/t', 'REG_SZ', '/d', name, '/f')
    bench.set_dword(PRINT, 'ListenPort', port or 0)
    if rig:
        service = bench.start_beside(rig, SPOOLER, ('--pipe', rig.pipe('spoolss'), *options))
    else:
        service = bench.start(SPOOLER, options=options)
    service.log.wait(r'started with')
    if port:
        until(f'port {port} is listened at', lambda: listens(port))
    if rig:
        until('the pipe is there', rig.pipe('spoolss').exists)
    return service


def listens(port):
    with socket.socket() as probe:
        return probe.connect_ex(('127.0.0.1', port)) == 0


def start_rig(bench, **options):
    rig = SambaRig(**options)
    bench.open_things.append(rig)
    return rig.start()


def null_pipes(bench, *pipes):
    bench.regtool('add', SERVER, '/v', 'NullSessionPipes', '/t', 'REG_MULTI_SZ', '/d',
                  '\\0'.join(pipes), '/f')


def resident_kib(pid):
    """How much memory of a process is resident."""
    for line in Path(f'/proc/{pid}/status').read_text().splitlines():
        if line.startswith('VmRSS:'):
            return int(line.split()[1])
    raise AssertionError(f'process {pid} has no VmRSS')
