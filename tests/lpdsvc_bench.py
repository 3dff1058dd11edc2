"""What tests/lpdsvc.py and tests/lpd_deliverers.py work with, beside tests/lpd_rig.py: a target that waits, and
requests."""

import os
import re
import signal
import socket

import lpd_rig
from lpd_rig import (PARAMETERS, PRINT, PROGRAM, ask, children_of, connect, lpq, program_of, require_printing,
                     set_text)
from samba_rig import until
from services_bench import TIMEOUT, run_in_bench


class Lpd(lpd_rig.Lpd):
    """The service, whose log the test itself reads, line by line."""

    def start(self, wait=True):
        self.service = self.bench.start(PROGRAM, options=('--spool', self.spool, *self.options))
        if wait:
            self.service.log.wait('started with')
        return self

    def kill(self):
        self.service.send(signal.SIGKILL)
        said = self.service.log.to_end()
        self.service.kill()
        self.bench.open_things.remove(self.service)
        return said


class Gate:
    """A command as a target, which tells when it has a document and then waits to be let on."""

    def __init__(self, bench, name='gate'):
        self.fifo = bench.directory / f'{name}.fifo'
        self.began = bench.directory / f'{name}.began'
        self.out = bench.directory / f'{name}.out'
        os.mkfifo(self.fifo)
        bench.open_things.append(self)
        self.target = f'|cat >>{self.out}; echo x >>{self.began}; read go <{self.fifo}'

    def until_begun(self, count=1):
        until('the command has the document', lambda: self.count() >= count)

    def count(self):
        return len(self.began.read_text().split()) if self.began.exists() else 0

    def open(self):
        with open(self.fifo, 'w', encoding='ascii') as fifo:
            fifo.write('go\n')

    def open_each(self, count):
        """Lets on as many documents, one after the other."""
        for number in range(1, count + 1):
            self.until_begun(number)
            self.open()

    def close(self):
        """A test that has failed leaves no command behind."""
        fifo = os.open(self.fifo, os.O_RDWR)
        os.write(fifo, b'go\n')
        os.close(fifo)

    def content(self):
        return self.out.read_bytes() if self.out.exists() else b''


def printer_key(name):
    return f'{PRINT}\\Printers\\{name}'


def move_printer(bench, name, port):
    set_text(bench, printer_key(name), 'Port', port)


def pause(bench, name, status=1):
    bench.set_dword(printer_key(name), 'Status', status)


def set_waiting(bench, name, number):
    """Sets one of the service's settings and waits until it has answered."""
    return bench.regtool('add', PARAMETERS, '/v', name, '/t', 'REG_DWORD', '/d', str(number), '/f', '--wait')


def until_state(lpd, queue, pattern):
    last = []

    def reached():
        last[:] = [lpq(lpd.port, queue)]
        return re.search(pattern, last[0])
    try:
        return until(f'{queue} is in the state "{pattern}"', reached)
    except AssertionError as problem:
        raise AssertionError(f'{problem}; it is {last[0]!r}') from None


def remove(lpd, queue, agent, *items, source=None):
    """What is answered to a request to remove jobs; source is the address that it comes from."""
    line = ' '.join([queue, agent, *map(str, items)]).encode()
    if source is None:
        return ask(lpd.port, b'\5' + line + b'\n')
    with socket.create_connection(('127.0.0.1', lpd.port), timeout=TIMEOUT,
                                  source_address=(source, 0)) as client:
        client.sendall(b'\5' + line + b'\n')
        return client.makefile('rb').read().decode()


def resume(lpd, queue):
    """What is answered to a request to print waiting jobs."""
    with connect(lpd.port) as client:
        client.sendall(b'\1' + queue.encode() + b'\n')
        return client.recv(10)


def deliverers(pid):
    return [child for child in children_of(pid) if program_of(child).startswith('regstore-deliver')]


def run_printing_test(name, test, bin_dir):
    def require_and_run(bench):
        require_printing(bench, PROGRAM)
        test(bench)
    return run_in_bench(name, require_and_run, bin_dir)
