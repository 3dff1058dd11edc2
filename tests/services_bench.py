"""What tests/services.py works with: a service, its log, its manager, and a store that regtool edits.

Nothing sleeps: each wait is for a line or a message and fails after TIMEOUT seconds.
"""

import argparse
import os
import re
import select
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import traceback
from pathlib import Path

TIMEOUT = 60


class Skip(Exception):
    """The test cannot be made here."""


class Lines:
    """A stream of lines that comes out of a pipe, with a deadline for each wait."""

    def __init__(self, stream):
        self.fd = stream.fileno()
        self.rest = b''
        self.seen = []

    def next(self):
        """The next line; None at the end of the stream."""
        deadline = time.monotonic() + TIMEOUT
        while b'\n' not in self.rest:
            if not select.select([self.fd], [], [], max(0, deadline - time.monotonic()))[0]:
                raise AssertionError(f'no further line; the log so far: {self.seen}')
            block = os.read(self.fd, 65536)
            if not block:
                return None
            self.rest += block
        line, self.rest = self.rest.split(b'\n', 1)
        self.seen.append(line.decode('utf-8'))
        return self.seen[-1]

    def wait(self, pattern):
        """The match of the first line from here on that has the pattern."""
        while (line := self.next()) is not None:
            if match := re.search(pattern, line):
                return match
        raise AssertionError(f'no line matches "{pattern}"; the log: {self.seen}')

    def to_end(self):
        """The lines that are left until the stream ends."""
        start = len(self.seen)
        while self.next() is not None:
            pass
        return self.seen[start:]


class Manager:
    """The service manager's end of sd_notify(3)."""

    def __init__(self, name):
        self.name = name
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.socket.settimeout(TIMEOUT)
        self.socket.bind('\0' + name[1:] if name.startswith('@') else name)

    def next(self):
        """The next message as a dict of its fields."""
        text = self.socket.recv(65536).decode('utf-8')
        return dict(field.split('=', 1) for field in text.split('\n'))

    def close(self):
        self.socket.close()


class Service:
    """A running service."""

    def __init__(self, bench, program, store, manager, options, **popen):
        environment = dict(bench.environment)
        environment.pop('NOTIFY_SOCKET', None)
        environment.pop('JOURNAL_STREAM', None)
        if manager:
            environment['NOTIFY_SOCKET'] = manager.name
        self.process = subprocess.Popen([bench.bin / program, '--store', store, *options],
                                        stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                                        stderr=subprocess.PIPE, env=environment, **popen)
        self.log = Lines(self.process.stderr)

    def send(self, number):
        self.process.send_signal(number)

    def end(self, number=signal.SIGTERM):
        """Ends the service and gives what was left of its log."""
        self.send(number)
        rest = self.log.to_end()
        assert self.process.wait(TIMEOUT) == 0, f'exit {self.process.returncode}: {self.log.seen}'
        assert self.process.stdout.read() == b'', 'a service writes nothing on standard output'
        return rest

    def kill(self):
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()
        self.process.stdout.close()
        self.process.stderr.close()


class Bench:
    """What one test works with."""

    def __init__(self, bin_dir, directory):
        self.bin = bin_dir
        self.directory = directory
        self.store = directory / 'store'
        self.environment = {name: value for name, value in os.environ.items()
                            if name not in ('REGSTORE', 'XDG_STATE_HOME')}
        self.open_things = []
        self.regtool('init')

    def run(self, program, *arguments, **options):
        if 'input' not in options:
            options['stdin'] = subprocess.DEVNULL
        return subprocess.run([self.bin / program, *arguments], capture_output=True, text=True,
                              timeout=TIMEOUT, env=self.environment, check=False, **options)

    def regtool(self, *arguments):
        result = self.run('regtool', '--store', self.store, *arguments)
        assert result.returncode == 0, f'regtool {arguments}: {result.stderr}'
        return result.stdout

    def set_dword(self, key, name, number):
        self.regtool('add', key, '/v', name, '/t', 'REG_DWORD', '/d', str(number), '/f')

    def make_keys(self, keys):
        for key in keys:
            self.regtool('add', key, '/f')

    def manager(self, name=None):
        self.open_things.append(Manager(name or str(self.directory / 'notify')))
        return self.open_things[-1]

    def start_beside(self, rig, program, options=()):
        """Starts a service as the user that a rig's Samba runs as (tests/samba_rig.py), who then is in
        the group that may read the store, as the units have it."""
        if os.geteuid() == 0:
            self.directory.chmod(0o755)
            for path in (self.store, *self.store.rglob('*')):
                os.chown(path, 0, rig.account.pw_gid)
        return self.start(program, options=options, **rig.popen_options())

    def start(self, program, manager=None, store=None, options=(), **popen):
        service = Service(self, program, store or self.store, manager, options, **popen)
        self.open_things.append(service)
        return service

    def close(self):
        for thing in reversed(self.open_things):
            if isinstance(thing, Service):
                thing.kill()
                reports = [line for line in thing.log.seen
                           if 'Sanitizer' in line or 'runtime error' in line]
                assert not reports, reports
            else:
                thing.close()


def expect(actual, wanted):
    assert actual == wanted, f'{actual!r} is not {wanted!r}'


def check_rows(output):
    """The rows of --check by name: origin, allowed, applies, source, value."""
    lines = output.split('\n')
    rows = {}
    for line in lines[lines.index('') + 2:]:
        if line:
            name, origin, allowed, applies, source, value = re.split(r'  +', line, maxsplit=5)
            rows[name] = (origin, allowed, applies, source, value)
    return rows


def run_in_bench(name, test, bin_dir, make=Bench):
    """Runs one test with a bench of its own, and says how it went."""
    directory = Path(tempfile.mkdtemp(prefix='regstore-services-'))
    bench = None
    try:
        bench = make(bin_dir, directory)
        test(bench)
        bench.close()
        bench = None
    except Skip as reason:
        print(f'skipped: {name}: {reason}')
        return 'skipped'
    except Exception:  # whatever it was, the other tests still run
        print(f'failed: {name}')
        traceback.print_exc(file=sys.stdout)
        return 'failed'
    finally:
        if bench:
            for thing in list(reversed(bench.open_things)):
                thing.kill() if hasattr(thing, 'kill') else thing.close()
        # What a failed test has left running may still write there.
        shutil.rmtree(directory, ignore_errors=bench is not None)
    return 'passed'


def in_bench(bin_dir, function):
    """What a function gives that has a bench of its own, which is where TMPDIR says."""
    directory = Path(tempfile.mkdtemp(prefix='bench-'))
    bench = Bench(bin_dir, directory)
    try:
        return function(bench)
    finally:
        bench.close()
        shutil.rmtree(directory)


def run_tests(doc, names, run_test=run_in_bench):
    """A test program's main: runs those of its names that begin with test_, or those asked for."""
    parser = argparse.ArgumentParser(description=doc.split('\n', maxsplit=1)[0])
    parser.add_argument('--bin', default='build/bin', type=Path, metavar='DIR',
                        help='where the built programs are')
    parser.add_argument('tests', nargs='*', metavar='TEST')
    arguments = parser.parse_args()
    tests = {name[len('test_'):]: test for name, test in names.items()
             if name.startswith('test_')}
    if unknown := set(arguments.tests) - set(tests):
        parser.error(f'no such test: {", ".join(sorted(unknown))}')
    counts = {'passed': 0, 'failed': 0, 'skipped': 0}
    for name in arguments.tests or tests:
        counts[run_test(name, tests[name], arguments.bin.resolve())] += 1
    print(', '.join(f'{count} {what}' for what, count in counts.items()))
    # Where all of it is skipped, nothing is wrong; that nothing at all passes, tests/run counts.
    return 1 if counts['failed'] or not any(counts.values()) else 0
