"""What the tests of regstore-deliver work with: documents, jobs of a spool, servers that record.

Nothing sleeps: each wait is for a line, a file or a lock and fails after TIMEOUT seconds.
"""

import os
import random
import resource
import signal
import socket
import struct
import subprocess
import sys
import threading
import zlib
from pathlib import Path

from samba_rig import until
from services_bench import TIMEOUT, Lines, expect

PROGRAM = 'regstore-deliver'
SEED = 7
# Nothing, one byte, and more than any buffer on the way.
DOCUMENTS = (b'', b'x', random.Random(SEED).randbytes(3_000_000))
BIG = DOCUMENTS[-1]
# Of a terminal and of a shell: all that somebody might change on the way.
AWKWARD = bytes(range(256)) * 3 + b'\r\n\n\r\t\x1b%-12345X@PJL\r\n$(touch here)\0'


class Deliverer:
    """A running regstore-deliver, whose standard input and lines the test has."""

    def __init__(self, bench, *arguments, **popen):
        self.process = subprocess.Popen([bench.bin / PROGRAM, *map(str, arguments)],
                                        stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                        stderr=subprocess.PIPE, env=bench.environment, **popen)
        self.pid = self.process.pid
        self.lines = Lines(self.process.stdout)
        self.said = b''
        bench.open_things.append(self)

    def feed(self, document):
        self.process.stdin.write(document)
        self.process.stdin.flush()

    def end(self, status, reason=None):
        """It ends by itself, or has ended, with this status; the reason is a part of what it says."""
        if not self.process.stdin.closed:
            try:
                self.process.stdin.close()
            except BrokenPipeError:
                pass
        self.said = self.process.stderr.read()
        assert self.process.wait(TIMEOUT) == status, f'{self.process.returncode}, {self.said!r}'
        check_reason(status, self.said, reason)
        return self.lines.to_end()

    def send(self, number):
        self.process.send_signal(number)

    def kill(self):
        """Without a chance to do anything."""
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()
        for stream in (self.process.stdin, self.process.stdout, self.process.stderr):
            try:
                stream.close()
            except BrokenPipeError:
                pass

    close = kill


def check_reason(status, said, reason):
    """One line, the program's name in front; nothing if it is printed."""
    assert b'Sanitizer' not in said and b'runtime error' not in said, said.decode(errors='replace')
    if status <= 0:
        expect(said, b'')
        return
    text = said.decode()
    assert text.startswith('regstore-deliver: ') and text.count('\n') == 1, text
    assert reason and reason in text, f'"{reason}" is not in {text!r}'


def deliver(bench, *arguments, document=b'', status=0, reason=None, **options):
    """Prints a document, from a pipe."""
    result = subprocess.run([bench.bin / PROGRAM, *map(str, arguments)], input=document,
                            capture_output=True, timeout=TIMEOUT, env=bench.environment,
                            check=False, **options)
    assert result.returncode == status, f'{arguments}: {result.returncode}, {result.stderr!r}'
    check_reason(status, result.stderr, reason)
    expect(result.stdout, b'')


def deliver_file(bench, path, *arguments):
    """Prints a document from a file, whose size is known."""
    with open(path, 'rb') as file:
        result = subprocess.run([bench.bin / PROGRAM, *map(str, arguments)], stdin=file,
                                capture_output=True, timeout=TIMEOUT, env=bench.environment,
                                check=False)
    expect((result.returncode, result.stderr), (0, b''))


# ---- Servers


class Server:
    """Takes one connection after the other and hands each to a function, in a thread."""

    def __init__(self, serve, port=0, host='127.0.0.1'):
        self.serve = serve
        self.seen = [] # of each connection what serve gave
        family = socket.AF_INET6 if ':' in host else socket.AF_INET
        self.listener = socket.create_server((host, port), family=family)
        self.port = self.listener.getsockname()[1]
        self.thread = threading.Thread(target=self.run, daemon=True)
        self.thread.start()

    def run(self):
        while True:
            try:
                connection, _ = self.listener.accept()
            except OSError:
                return
            with connection:
                connection.settimeout(TIMEOUT)
                try:
                    self.seen.append(self.serve(connection))
                except OSError as error:
                    self.seen.append(error)

    def next(self, count=1):
        """What was seen of connection number count."""
        until('the server sees it', lambda: len(self.seen) >= count)
        return self.seen[count - 1]

    def close(self):
        self.listener.shutdown(socket.SHUT_RDWR)
        self.listener.close()
        self.thread.join(TIMEOUT)

    kill = close


def read_all(connection):
    blocks = []
    while block := connection.recv(1 << 20):
        blocks.append(block)
    return b''.join(blocks)


def reset(connection):
    """The other side sees that its bytes are not wanted."""
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack('ii', 1, 0))


# ---- The spool


SUMMED = 65536 # bytes of the largest document whose sum is written down
BLOCK = 4096 # bytes, of which a state has two


class Spool:
    """A spool directory as regstore-lpdsvc has it."""

    def __init__(self, bench):
        self.bench = bench
        self.path = bench.directory / 'spool'
        self.last = 0
        self.totals = {}
        for part in ('', 'jobs', 'done'):
            (self.path / part).mkdir(mode=0o700, exist_ok=True)

    def add(self, *documents, copies=1, names=None):
        """A job of these documents; gives its name."""
        self.last += 1
        name = f'{self.last:08}'
        directory = self.path / 'jobs' / name
        directory.mkdir(mode=0o700)
        lines = ['regstore job 2', f'job {name}', 'queue laser', 'address 127.0.0.1', 'host client1',
                 'user jane', 'title report', 'number 42', 'time 1785000000']
        for number, document in enumerate(documents, 1):
            called = names[number - 1] if names else f'part {number}'
            total = f'{zlib.crc32(document):08x}' if len(document) <= SUMMED else '-'
            lines.append(f'document l {copies} {len(document)} {total} {called}')
            self.put(directory / str(number), document)
        self.put_facts(name, ''.join(line + '\n' for line in lines))
        self.totals[name] = len(documents) * copies
        self.set_state(name, 0)
        return name

    def put_facts(self, name, text):
        """These, with the sum at their end."""
        self.put(self.job(name) / 'facts', f'{text}end {zlib.crc32(text.encode()):08x}\n'.encode())

    def put(self, path, content):
        path.write_bytes(content)
        path.chmod(0o600)

    def job(self, name):
        return self.path / 'jobs' / name

    def blocks(self, name):
        """The texts of its state's two blocks; '' for one that was not used yet."""
        text = (self.job(name) / 'state').read_text()
        return [text[at:at + BLOCK].strip() for at in (0, BLOCK)]

    def state(self, name):
        """What was written last: 'printed 1/2' or 'printed 1/2 sending'."""
        words = max((block.split() for block in self.blocks(name) if block), key=lambda words: int(words[2]))
        return ' '.join(words[3:-1])

    def block(self, name, written, printed, sending=False):
        """One as it is written for the writing of this number."""
        text = f'job {name} {written} printed {printed}/{self.totals[name]} {"sending " * sending}'
        return f'{text}{zlib.crc32(text.encode()):08x}\n'.encode().ljust(BLOCK - 1) + b'\n'

    def set_state(self, name, printed, sending=False):
        self.put(self.job(name) / 'state', self.block(name, 0, printed, sending) + b'\n'.rjust(BLOCK))

    def is_done(self, name):
        return (self.path / 'done' / name / 'facts').exists() and not self.job(name).exists()

    def start(self, name, target, *options, **popen):
        return Deliverer(self.bench, *options, '--job', self.path, name, target, **popen)


# A command that keeps each document with its name, and waits in it if there is a file "hold".
KEEP = ('|cat > "$PLACE/$$"; while test -e "$PLACE/hold"; do read -r _ < "$PLACE/gate"; done; '
        'printf "%s\\n" "$JOB_NAME" >> "$PLACE/names"; cat "$PLACE/$$" >> "$PLACE/printed"; '
        'rm "$PLACE/$$"')


class Place:
    """Where KEEP prints to; hold() keeps it within a document until let_go()."""

    def __init__(self, bench):
        self.path = bench.directory / 'place'
        self.path.mkdir()
        bench.environment['PLACE'] = str(self.path)
        os.mkfifo(self.path / 'gate')
        self.gate = None

    def hold(self):
        (self.path / 'hold').touch()

    def wait_held(self):
        """Until a command waits there; whoever opens the gate for writing finds its reader."""
        def reader():
            try:
                self.gate = os.open(self.path / 'gate', os.O_WRONLY | os.O_NONBLOCK)
            except OSError:
                return False
            return True
        until('the command waits', reader)

    def let_go(self):
        (self.path / 'hold').unlink()
        os.close(self.gate)

    def is_held(self):
        """Whether a command still waits there, which takes a line as a reason to look again."""
        try:
            return os.write(self.gate, b'\n') > 0
        except BrokenPipeError:
            return False

    def names(self):
        path = self.path / 'names'
        return path.read_text().splitlines() if path.exists() else []

    def printed(self):
        return (self.path / 'printed').read_bytes()


def start_parent(bench, spool, name, *options):
    """A process that starts a deliverer, tells its number, and waits. Both have the standard input."""
    code = ('import os, subprocess, sys\n'
            'child = subprocess.Popen(sys.argv[1:])\n'
            'print("child", child.pid, flush=True)\n'
            'child.wait()\n')
    parent = subprocess.Popen([sys.executable, '-c', code, bench.bin / 'regstore-deliver', *options, '--job',
                               spool.path, name, KEEP], env=bench.environment,
                              stdout=subprocess.PIPE, stdin=subprocess.PIPE)
    lines = Lines(parent.stdout)
    bench.open_things.append(LeftBehind(parent.pid))
    child = int(lines.wait(r'^child (\d+)$')[1])
    bench.open_things.append(LeftBehind(child))
    return parent, lines, child


class LeftBehind:
    """A process that must not outlive a test that fails."""

    def __init__(self, pid):
        self.pidfd = os.pidfd_open(pid)

    def kill(self):
        try:
            signal.pidfd_send_signal(self.pidfd, signal.SIGKILL)
        except ProcessLookupError:
            pass
        os.close(self.pidfd)

    close = kill


def end_parent(parent):
    """What it was given to read from stays there."""
    parent.kill()
    parent.stdout.close()
    parent.wait()


def is_gone(pid):
    try:
        with open(f'/proc/{pid}/stat', encoding='ascii') as stat:
            return stat.read().rsplit(')', 1)[1].split()[0] == 'Z'
    except OSError:
        return True


def blocked_by_lock(pid):
    """Whether a process waits for a lock that another one has."""
    return any('->' in line and f' {pid} ' in line
               for line in Path('/proc/locks').read_text().splitlines())


def free_room(limit):
    """For Popen: no file that the process writes becomes longer, until give_room()."""
    return lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (limit, resource.RLIM_INFINITY))


def give_room(process, limit=resource.RLIM_INFINITY):
    """Ends what free_room() does, or begins it in the middle."""
    resource.prlimit(process.pid, resource.RLIMIT_FSIZE, (limit, resource.RLIM_INFINITY))


