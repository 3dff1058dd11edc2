#!/usr/bin/env python3
"""Measures the LPD service: one large job, small jobs beside cups-lpd's, and memory.

    tests/bench/lpd.py [--bin DIR] [--rounds N] [--seconds N] [--big BYTES] [--row NAME]... [--json]

Rows; a ratio is regstore's figure by the other one's:

    big       one job of 1 GB until it is acknowledged, beside copying as much through a loopback socket
              into a file on the same file system, by cat, with fsync. Seconds; the queue is paused
    small_1   jobs of 1 KiB a second, each acknowledged, from one client; beside the same client at
              cups-lpd, as systemd would start it for each connection, with a cupsd of its own that
              prints to /dev/null. Both print the jobs while they take others
    small_4   the same from four clients
    memory    resident memory of the service with jobs of 1 GB received, beside that with jobs of 1 MB,
              at its highest; the goal is the difference, in KiB
    deliverer the same of regstore-deliver, which sends them to a raw port

Figures are medians of the rounds. cups-lpd needs the Debian package cups, and root; rows that cannot be
measured are skipped. Exit status 1 if a goal is missed.
"""

import os
import re
import shutil
import socket
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from lpd_rig import (Lpd, add_printer, connect, control_file, deliverers_of, expect_zero, require_printing,
                     send_job)
from rows import Row, difference, parser_of, run
from samba_rig import free_port, until
from services_bench import TIMEOUT, Skip, in_bench

CUPS_LPD = '/usr/lib/cups/daemon/cups-lpd'
NEEDED = ('/usr/sbin/cupsd', CUPS_LPD, 'lpadmin', 'systemd-socket-activate')
BIG, MIB = 1000 * 1000 * 1000, 1024 * 1024
SMALL = 1024
PAUSED = 1 # PRINTER_STATUS_PAUSED
MOST_USERS = 1000
LONG = 30 * TIMEOUT
BLOCK = bytes(range(256)) * 4096
CUPS_FILES = '''ServerRoot {0}/etc
RequestRoot {0}/spool
CacheDir {0}/cache
StateDir {0}/run
TempDir {0}/tmp
AccessLog {0}/log/access
ErrorLog {0}/log/error
PageLog {0}/log/page
FileDevice Yes
User lp
Group lp
SystemGroup root
'''
CUPSD = '''Listen {0}/run/socket
LogLevel none
Browsing Off
DefaultAuthType None
PreserveJobHistory No
PreserveJobFiles No
MaxJobs 0
<Location />
Order allow,deny
Allow all
</Location>
<Policy default>
<Limit All>
Order deny,allow
</Limit>
</Policy>
'''


# ---- Clients

def send_blocks(client, size):
    """As fast as a socket takes them."""
    left = size
    while left >= len(BLOCK):
        client.sendall(BLOCK)
        left -= len(BLOCK)
    client.sendall(BLOCK[:left])


def send_big(port, queue, size):
    """Seconds until a job of so many bytes is acknowledged."""
    control, files = control_file(['big'])
    began = time.monotonic()
    with connect(port) as client:
        client.settimeout(LONG)
        client.sendall(b'\2%s\n' % queue.encode())
        expect_zero(client, 'queue')
        client.sendall(b'\2%d %s\n' % (len(control), b'cf' + files[0][2:]))
        expect_zero(client, 'control')
        client.sendall(control + b'\0')
        expect_zero(client, 'control')
        client.sendall(b'\3%d %s\n' % (size, files[0]))
        expect_zero(client, 'data')
        send_blocks(client, size)
        client.sendall(b'\0')
        expect_zero(client, 'data')
    return time.monotonic() - began


def copy_big(directory, size):
    """Seconds of copying so many bytes through a socket to the disk: what no server can be faster than."""
    path = directory / 'copy'
    with socket.create_server(('127.0.0.1', 0)) as server:
        began = time.monotonic()
        client = socket.create_connection(server.getsockname())
        taken, _ = server.accept()
        with taken, client, open(path, 'wb') as file:
            copier = subprocess.Popen(['cat'], stdin=taken, stdout=file)
            send_blocks(client, size)
            client.shutdown(socket.SHUT_WR)
            assert copier.wait(LONG) == 0
            os.fsync(file.fileno())
        taken_time = time.monotonic() - began
    assert path.stat().st_size == size
    path.unlink()
    return taken_time


def small_jobs(port, queue, clients, seconds):
    """Jobs a second that were acknowledged."""
    counts, stop, problems = [0] * clients, threading.Event(), []

    def send(number):
        try:
            while not stop.is_set():
                send_job(port, queue, {'small': BLOCK[:SMALL]}, number=counts[number] % 1000)
                counts[number] += 1
        except Exception as problem: # it is told by who waits
            problems.append(problem)

    threads = [threading.Thread(target=send, args=(number,)) for number in range(clients)]
    began = time.monotonic()
    for thread in threads:
        thread.start()
    time.sleep(seconds)
    stop.set()
    for thread in threads:
        thread.join()
    if problems:
        raise problems[0]
    return sum(counts) / (time.monotonic() - began)


# ---- Servers

class Cups:
    """A cupsd of its own, and cups-lpd for each connection."""

    def __init__(self):
        missing = [name for name in NEEDED if not shutil.which(name)]
        if missing or os.geteuid() != 0:
            raise Skip(f'not installed: {", ".join(missing)}' if missing else 'cupsd needs root')
        self.directory = Path(tempfile.mkdtemp(prefix='cups-'))
        self.directory.chmod(0o755)
        for part in ('etc', 'spool', 'cache', 'run', 'tmp', 'log'):
            (self.directory / part).mkdir()
        for name, text in ('cups-files.conf', CUPS_FILES), ('cupsd.conf', CUPSD):
            (self.directory / 'etc' / name).write_text(text.format(self.directory))
        self.processes = []
        self.port = free_port()
        self.start()

    def spawn(self, *command):
        self.processes.append(subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                                               stderr=subprocess.DEVNULL))

    def start(self):
        address = f'{self.directory}/run/socket'
        self.spawn('/usr/sbin/cupsd', '-f', '-c', self.directory / 'etc/cupsd.conf', '-s',
                   self.directory / 'etc/cups-files.conf')
        until('cupsd is there', Path(address).exists)
        subprocess.run(['lpadmin', '-p', 'small', '-E', '-v', 'file:///dev/null', '-m', 'raw'], check=True,
                       env={**os.environ, 'CUPS_SERVER': address}, stderr=subprocess.DEVNULL, timeout=TIMEOUT)
        self.spawn('systemd-socket-activate', '-l', f'127.0.0.1:{self.port}', '-a', '--inetd', '-E',
                   f'CUPS_SERVER={address}', CUPS_LPD)
        until('cups-lpd is listened for', self.listens)
        send_job(self.port, 'small', {'small': b'the first one'})

    def listens(self):
        with socket.socket() as probe:
            return probe.connect_ex(('127.0.0.1', self.port)) == 0

    def close(self):
        for process in self.processes:
            process.terminate()
            process.wait(TIMEOUT)
        shutil.rmtree(self.directory)


def in_printing_bench(bin_dir, function):
    def printing(bench):
        require_printing(bench, 'regstore-lpdsvc')
        return function(bench)
    return in_bench(bin_dir, printing)


def start(bench, port, **numbers):
    add_printer(bench, 'small', port, **numbers)
    return Lpd(bench, MaxConcurrentUsers=MOST_USERS)


def peak_kib(pid):
    """The most memory of a process that was resident at a time."""
    text = Path(f'/proc/{pid}/status').read_text()
    return int(re.search(r'^VmHWM:\s+(\d+) kB', text, re.M)[1])


# ---- What is measured

def big(arguments, found):
    def both(bench):
        lpd = start(bench, '/dev/null', Status=PAUSED)
        for number in range(arguments.rounds):
            times = {}
            for name in ('own', 'other') if number % 2 else ('other', 'own'):
                os.sync() # what others have written is not waited for by whoever comes first
                times[name] = (send_big(lpd.port, 'small', arguments.big) if name == 'own' else
                               copy_big(bench.directory, arguments.big))
                # Both write to memory that the kernel has just freed. The job would keep its own, and the
                # next one get pages that a virtual machine has never had, at half the speed.
                for path in (lpd.spool / 'jobs').glob('*/1'):
                    path.unlink()
            found['big'].append((times['own'], times['other']))
    in_printing_bench(arguments.bin, both)


def small(arguments, found, wanted):
    """Each measurement begins with nothing that waits to be printed."""
    def own(clients):
        def jobs(bench):
            return small_jobs(start(bench, '/dev/null').port, 'small', clients, arguments.seconds)
        return in_printing_bench(arguments.bin, jobs)

    def other(clients):
        cups = Cups()
        try:
            return small_jobs(cups.port, 'small', clients, arguments.seconds)
        finally:
            cups.close()

    for _ in range(arguments.rounds):
        for name in wanted:
            found[name].append((own(int(name[-1])), other(int(name[-1]))))


class Drain:
    """A raw port that throws away what comes, and tells how much it was."""

    def __init__(self):
        self.server = socket.create_server(('127.0.0.1', 0))
        self.port = self.server.getsockname()[1]
        self.count, self.begun, self.go = 0, threading.Event(), threading.Event()
        threading.Thread(target=self.run, daemon=True).start()

    def run(self):
        client, _ = self.server.accept()
        room = bytearray(MIB)
        while size := client.recv_into(room):
            self.count += size
            if self.count > self.held_at:
                self.begun.set()
                self.go.wait(TIMEOUT)
        client.close()


def peaks(bench, size):
    """The most memory of the service and of the deliverer, with one job of that size."""
    drain = Drain()
    drain.held_at = size // 2
    lpd = start(bench, f'socket://127.0.0.1:{drain.port}')
    send_big(lpd.port, 'small', size)
    assert drain.begun.wait(LONG)
    deliverer, = deliverers_of(lpd.service.process.pid)
    found = peak_kib(lpd.service.process.pid), peak_kib(deliverer)
    drain.go.set()
    lpd.until_empty()
    assert drain.count == size
    return found


def memory(arguments, found, wanted):
    for _ in range(arguments.rounds):
        small_peaks = in_printing_bench(arguments.bin, lambda bench: peaks(bench, MIB))
        big_peaks = in_printing_bench(arguments.bin, lambda bench: peaks(bench, arguments.big))
        for name, own, other in zip(('memory', 'deliverer'), big_peaks, small_peaks):
            if name in wanted:
                found[name].append((own, other))


# ---- The rows

ROWS = {'big': Row('s', 'at most', 1.2), 'small_1': Row('jobs/s', 'at least', 5),
        'small_4': Row('jobs/s', 'at least', 5), 'memory': Row('KiB', 'at most', 512, difference),
        'deliverer': Row('KiB', 'at most', 512, difference)}


def measure(arguments, wanted):
    """Rounds of figures by row; a reason, where it cannot be measured."""
    found = {name: [] for name in wanted}
    groups = ((('big',), lambda names: big(arguments, found)),
              (('small_1', 'small_4'), lambda names: small(arguments, found, names)),
              (('memory', 'deliverer'), lambda names: memory(arguments, found, names)))
    for names, function in groups:
        if names := [name for name in names if name in wanted]:
            try:
                function(names)
            except Skip as reason:
                found.update({name: str(reason) for name in names})
    return found


def main():
    parser = parser_of(__doc__, ROWS)
    parser.add_argument('--big', default=BIG, type=int, metavar='BYTES', help='what a large job has')
    return run(parser.parse_args(), ROWS, measure)


if __name__ == '__main__':
    sys.exit(main())
