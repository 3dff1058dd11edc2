#!/usr/bin/env python3
"""What regtool waits for, nobody else waits for: no writer is kept out by our reader, our file or our
terminal, and a command that is ended in the middle leaves nothing half done.

    waiting.py [--bin DIR] [--seed N] [TEST...]

Each function test_NAME is a test. It lets regtool wait for the other end of a pipe or for a
terminal, sees that it does, and writes to the same store meanwhile. Ends with "N passed, N failed,
N skipped"; exit status 1 if any failed.
"""

import argparse
import fcntl
import os
import pty
import random
import shutil
import signal
import struct
import subprocess
import sys
import tempfile
import termios
import time
from pathlib import Path

PATIENCE = 30
MANY = 3000
HEAD = '<?xml version="1.0"?>\n<hive>\n<node name="r" root="1">\n'
TAIL = '</node>\n</hive>\n'


class Failure(Exception):
    """What a test did not see."""


class Place:
    """A directory with a store, and what is run in it."""

    def __init__(self, bin_dir, work, seed):
        self.work, self.bin = Path(work), bin_dir
        self.random = random.Random(seed)
        self.running = []
        self.temporary = self.work / 'tmp'
        self.temporary.mkdir()
        self.env = {'PATH': '/usr/bin:/bin', 'HOME': work, 'TMPDIR': str(self.temporary),
                    'REGSTORE': f'{work}/store', 'LC_ALL': 'C.UTF-8', 'TERM': 'xterm',
                    'NO_COLOR': '1',
                    # A program that counts what it reaches must not speak of that to a terminal.
                    **{name: text for name, text in os.environ.items()
                       if name == 'GCOV_ERROR_FILE'}}
        self.regtool('init')

    def regtool(self, *arguments, **options):
        return subprocess.run([self.bin / 'regtool', *arguments], env=self.env, check=True,
                              cwd=self.work, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                              text=True, timeout=PATIENCE, **options).stdout

    def start(self, *arguments, **streams):
        given = {'stdin': subprocess.DEVNULL, 'stdout': subprocess.DEVNULL, **streams}
        process = subprocess.Popen([self.bin / 'regtool', *arguments], env=self.env, cwd=self.work,
                                   **given)
        self.running.append(process)
        return process

    def write(self):
        """Another writer."""
        try:
            self.regtool('add', 'HKLM\\Other', '/v', 'n', '/d', str(self.random.random()), '/f')
        except subprocess.TimeoutExpired:
            raise Failure('another writer had to wait') from None

    def revision(self):
        return int(self.regtool('status').split('revision', 1)[1].split()[0].rstrip(','))

    def left(self):
        """Files that are not the store's."""
        return sorted(str(path.relative_to(self.work)) for path in self.work.rglob('*')
                      if path.is_file() and path.parts[len(self.work.parts)] != 'store')

    def close(self):
        for process in self.running:
            process.kill()
            process.wait()


def wait(condition, what):
    end = time.monotonic() + PATIENCE
    while not condition():
        if time.monotonic() > end:
            raise Failure(f'did not see {what}')
        time.sleep(0.01)


def held_by(pipe):
    """The bytes that wait in a pipe."""
    return struct.unpack('i', fcntl.ioctl(pipe, termios.FIONREAD, b'\0' * 4))[0]


def small_pipe():
    reader, writer = os.pipe()
    fcntl.fcntl(writer, fcntl.F_SETPIPE_SZ, 4096)
    return reader, writer


def is_full(pipe):
    """Nothing more fits: who writes waits."""
    return held_by(pipe) > 3000


def values(count, start=0):
    return ''.join(f'<value type="int32" key="value {start + i}" value="{i}"/>\n'
                   for i in range(count))


def dump(place, content):
    (place.work / 'dump.xml').write_text(HEAD + content + TAIL, encoding='ascii')


def read_all(pipe):
    with open(pipe, 'rb') as stream:
        return stream.read().decode()


def end(process, status):
    try:
        found = process.wait(PATIENCE)
    except subprocess.TimeoutExpired:
        raise Failure('it does not end') from None
    if found != status:
        raise Failure(f'exit status {found}, not {status}')


# ---- Who reads our output does not come on


def while_unread(place, status, wanted, *arguments):
    """Runs it with nobody reading, writes, and then reads."""
    reader, writer = small_pipe()
    process = place.start(*arguments, stdout=writer)
    os.close(writer)
    wait(lambda: is_full(reader), 'that it waits for its reader')
    place.write()
    shown = read_all(reader)
    end(process, status)
    if shown.count('\n') < wanted:
        raise Failure(f'{wanted} lines were not printed, but {shown.count(chr(10))}')


def test_plan(place):
    dump(place, values(MANY))
    for more in ((), ('--json',)):
        while_unread(place, 2, MANY, *more, 'import', '--plan', 'dump.xml', 'HKLM\\Dump')
    assert 'Dump' not in place.regtool('list', 'HKLM')


def test_losses(place):
    dump(place, ''.join(f'<node name="{i}"></node>\n' for i in range(MANY)))  # without a time
    for more in ((), ('--json',)):
        while_unread(place, 0, MANY, *more, 'import', '--verbose', 'dump.xml', 'HKLM\\Dump')
    while_unread(place, 0, MANY, 'restore', '--verbose', 'HKLM\\Dump', 'dump.xml')
    while_unread(place, 2, MANY, 'import', '--plan', '--verbose', 'dump.xml', 'HKLM\\New')


def test_refused(place):
    """Nobody reads why a change is refused."""
    (place.work / 'none').write_text('no dump\n', encoding='ascii')
    dump(place, values(1))
    place.write()
    for name in ('a.hiv', 'b.hiv', 'c.hiv'):
        place.regtool('save', 'HKLM\\Other', name)
    place.regtool('load', 'HKLM\\LoadedA', 'a.hiv')
    place.regtool('load', 'HKLM\\LoadedB', 'b.hiv')
    (place.work / 'b.hiv').write_text('no hive\n', encoding='ascii')
    for arguments in (('import', 'none'), ('restore', 'HKLM\\A', 'none'),
                      ('import', '--plan', 'none'), ('restore', 'HKLM', 'none'),
                      ('delete', 'HKLM\\A', '/f'), ('rename', 'HKLM\\A', 'B'),
                      ('set', 'HKLM\\A', 'x', 'y', '--type', 'REG_DWORD'),
                      ('load', 'HKLM\\A', 'none'), ('load', 'HKLM\\A', 'dump.xml'),
                      ('load', 'HKLM\\A', 'a.hiv'), ('load', 'HKLM\\LoadedA', 'c.hiv'),
                      ('load', 'HKLM\\Other', 'c.hiv'), ('load', 'HKRS\\A', 'c.hiv'),
                      ('unload', 'HKLM\\A'), ('unload', 'HKLM\\Other'),
                      ('unload', 'HKLM\\LoadedB', '--write')):
        reader, writer = small_pipe()
        os.write(writer, b'x' * 4096)
        process = place.start(*arguments, stderr=writer)
        os.close(writer)
        where = Path(f'/proc/{process.pid}/syscall')
        wait(lambda: where.read_text(encoding='ascii').split()[1:2] == ['0x2'],
             'that it waits to say why')
        try:
            place.write()
        except Failure as problem:
            raise Failure(f'{" ".join(arguments)}: {problem}') from None
        assert 'regtool: ' in read_all(reader)
        end(process, 1)


def test_progress(place):
    """A stopped terminal takes no line that says how far it is."""
    dump(place, values(300_000))
    for stopped in (False, True):
        terminal, ours = pty.openpty()
        if stopped:
            termios.tcflow(ours, termios.TCOOFF)
        process = place.start('import', 'dump.xml', f'HKLM\\{stopped}', stderr=ours)
        os.close(ours)
        end(process, 0)
        if not stopped and b'importing: ' not in os.read(terminal, 4096):
            raise Failure('nothing was shown at all')
        os.close(terminal)


# ---- Who writes our input does not come on


def while_unwritten(place, feed, process, status):
    """Writes a dump in parts, and to the store after each."""
    place.write()
    for part in (HEAD, values(MANY), values(MANY, MANY), TAIL):
        feed.write(part.encode())
        feed.flush()
        wait(lambda: held_by(feed) == 0, 'that it reads')
        place.write()
    feed.close()
    end(process, status)


# The status that it ends with, and what stands before and after the file.
WAYS_IN = ((2, ('import', '--plan'), ('HKLM\\Dump',)), (0, ('import',), ('HKLM\\Dump',)),
           (0, ('restore', 'HKLM\\Dump'), ()))


def test_fifo(place):
    os.mkfifo(place.work / 'fifo')
    for status, verb, more in WAYS_IN:
        process = place.start(*verb, 'fifo', *more)
        with open(place.work / 'fifo', 'wb') as feed:
            while_unwritten(place, feed, process, status)
    assert 'value 5999' in place.regtool('list', 'HKLM\\Dump')
    assert not place.left(), place.left()


def test_standard_input(place):
    for status, verb, more in WAYS_IN:
        process = place.start(*verb, '-', *more, stdin=subprocess.PIPE)
        while_unwritten(place, process.stdin, process, status)
    assert 'value 5999' in place.regtool('list', 'HKLM\\Dump')
    assert not place.left(), place.left()


def test_place_in_error(place):
    """What came through a pipe is named as it was, with its line."""
    for more in ((), ('/y',)):
        process = place.start('import', '-', *more, stdin=subprocess.PIPE, stderr=subprocess.PIPE)
        told = process.communicate(b'<?xml version="1.0"?>\n<hive>\n<nonsense/>\n</hive>\n')[1]
        assert told.startswith(b'regtool: standard input:3: '), told
        end(process, 1)


def test_from_where_it_stands(place):
    """Of a file that is standard input, what comes before its position is not read."""
    path = place.work / 'dump.xml'
    path.write_text('not for us\n' + HEAD + values(3) + TAIL, encoding='ascii')
    with open(path, 'rb') as file:
        os.lseek(file.fileno(), len('not for us\n'), os.SEEK_SET)
        end(place.start('import', '-', 'HKLM\\Dump', stdin=file), 0)
    assert 'value 2' in place.regtool('list', 'HKLM\\Dump')


def test_no_room_to_keep(place):
    """Where the pipe's bytes do not fit, one line says so."""
    limited = f'ulimit -f 1; exec {place.bin}/regtool import - HKLM'
    process = subprocess.run(['sh', '-c', limited], env=place.env, check=False,
                             input=(HEAD + values(MANY)).encode(), stderr=subprocess.PIPE)
    assert process.returncode == 1
    told = process.stderr
    assert told.startswith(b'regtool: standard input: cannot be kept in '), told
    assert told.count(b'\n') == 1, told
    place.env['TMPDIR'] = '/nowhere'
    process = place.start('import', '-', stdin=subprocess.PIPE, stderr=subprocess.PIPE)
    told = process.communicate(HEAD.encode())[1]
    assert told.startswith(b'regtool: /nowhere: cannot make a temporary file: '), told


# ---- Ended in the middle


def test_ended_while_reading(place):
    """A signal before the dump is read: nothing happened, nothing is left."""
    before = place.revision()
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGKILL):
        for _, verb, more in WAYS_IN:
            process = place.start(*verb, '-', *more, stdin=subprocess.PIPE)
            process.stdin.write((HEAD + values(MANY)).encode())
            process.stdin.flush()
            wait(lambda: held_by(process.stdin) == 0, 'that it reads')
            process.send_signal(number)
            end(process, -number)
            process.stdin.close()
    assert place.revision() == before
    assert not place.left(), place.left()


def ended_at_random(place, look, *arguments):
    """Runs it again and again, each time ended a little later; look() is told whether it was done."""
    for attempt in range(40):
        process = place.start(*arguments)
        time.sleep(place.random.random() * (attempt + 1) / 400)
        process.send_signal(place.random.choice((signal.SIGINT, signal.SIGTERM)))
        process.wait(PATIENCE)
        place.write()
        look(process.returncode == 0)


def test_ended_while_writing(place):
    """A signal at any moment of an export, a backup or an import: all or nothing."""
    dump(place, values(20_000))
    place.regtool('import', 'dump.xml', 'HKLM\\Dump')
    whole = place.regtool('list', 'HKLM\\Dump').count('value ')
    target = place.work / 'target'

    def exported(done):
        if done or target.exists():
            text = target.read_text(encoding='utf-8')
            assert text.count('<value ') == whole and text.rstrip().endswith('</hive>')
            target.unlink()
        assert place.left() == ['dump.xml'], place.left()

    def backed_up(done):
        if done or target.exists():
            assert target.read_bytes()
            place.regtool('--store', 'copy', 'restore-store', 'target', '/y')
            assert place.regtool('--store', 'copy', 'list', 'HKLM\\Dump').count('value ') == whole
            shutil.rmtree(place.work / 'copy')
            target.unlink()
        assert place.left() == ['dump.xml'], place.left()

    def imported(done):
        listed = place.regtool('list', 'HKLM')
        found = 'New' in listed and place.regtool('list', 'HKLM\\New').count('value ')
        assert found == whole or (not found and not done), found
        if found:
            place.regtool('delete', 'HKLM\\New', '/f')

    ended_at_random(place, exported, 'export', 'HKLM\\Dump', 'target', '--format', 'xml')
    ended_at_random(place, backed_up, 'backup', 'target')
    ended_at_random(place, imported, 'import', 'dump.xml', 'HKLM\\New')
    assert 'no damage' in place.regtool('check', '--store')


# ---- The run


def run_test(name, test, bin_dir, seed):
    """Whether it passed."""
    with tempfile.TemporaryDirectory(prefix='regtool-waiting.') as work:
        place = Place(bin_dir, work, seed)
        try:
            test(place)
        except (Failure, AssertionError, OSError, subprocess.SubprocessError) as problem:
            print(f'FAILED: {name} (seed {seed}): {type(problem).__name__}: {problem}')
            return False
        finally:
            place.close()
    return True


def main():
    parser = argparse.ArgumentParser(description='Let regtool wait, and look who waits with it.')
    parser.add_argument('--bin', type=Path, default=Path('build/bin'))
    parser.add_argument('--seed', type=int, default=random.randrange(1 << 32))
    parser.add_argument('tests', nargs='*')
    args = parser.parse_args()
    tests = {name.removeprefix('test_'): test for name, test in globals().items()
             if name.startswith('test_')}
    chosen = args.tests or list(tests)
    failed = sum(not run_test(name, tests[name], args.bin.resolve(), args.seed) for name in chosen)
    print(f'{len(chosen) - failed} passed, {failed} failed, 0 skipped')
    return 1 if failed else 0


if __name__ == '__main__':
    sys.exit(main())
