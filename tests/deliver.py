#!/usr/bin/env python3
"""Tries regstore-deliver with one document and each kind of target but print shares.

    tests/deliver.py [--bin DIR] [TEST...]

Every byte arrives, whatever it is and however many there are; what fails says why and whether
something may have come out: exit status 1 if not, 3 if so. Ends with "N passed, N failed, N
skipped"; exit status 1 if any failed or none ran.
"""

import ctypes
import fcntl
import mmap
import os
import pty
import re
import signal
import subprocess
import sys
import termios

import lpd_rig
from deliver_bench import (AWKWARD, BIG, DOCUMENTS, Deliverer, Server, blocked_by_lock, deliver,
                           deliver_file, free_room, read_all, reset)
from lpd_rig import add_printer
from samba_rig import free_port, until
from services_bench import TIMEOUT, Skip, expect, run_tests

LPDSVC = 'HKLM\\SYSTEM\\CurrentControlSet\\Services\\LPDSVC\\Parameters'
PRINT = 'HKLM\\SYSTEM\\CurrentControlSet\\Control\\Print'

# ---- Files


def test_file(bench):
    path = bench.directory / 'out.prn'
    whole = b''
    for document in (*DOCUMENTS, AWKWARD):
        deliver(bench, path, document=document)
        whole += document
        assert path.read_bytes() == whole


def test_file_gets_its_length_back(bench):
    """Where not all of it fits, nothing stays, so that it can be sent again."""
    path = bench.directory / 'out.prn'
    path.write_bytes(b'before')
    deliver(bench, path, document=BIG, status=1, reason='file too large',
            preexec_fn=free_room(1 << 20))
    expect(path.read_bytes(), b'before')


def test_file_of_two(bench):
    """What somebody else has appended meanwhile is not cut off, so a part stays."""
    path = bench.directory / 'out.prn'
    process = Deliverer(bench, path, preexec_fn=free_room(1 << 20))
    process.feed(b'begin')
    until('it is written', lambda: path.exists() and path.read_bytes() == b'begin')
    with open(path, 'ab') as other:
        other.write(b'other')
    try:
        process.feed(BIG)
    except BrokenPipeError:
        pass
    process.end(3, 'file too large')
    assert path.read_bytes().startswith(b'beginother')


def test_file_is_one_job_at_a_time(bench):
    path = bench.directory / 'out.prn'
    with open(path, 'ab') as other:
        fcntl.flock(other, fcntl.LOCK_EX)
        process = Deliverer(bench, path)
        process.feed(b'second')
        process.process.stdin.close()
        until('it waits', lambda: blocked_by_lock(process.pid))
        other.write(b'first, ')
    process.end(0)
    expect(path.read_bytes(), b'first, second')


def test_file_that_cannot_be(bench):
    deliver(bench, bench.directory / 'none' / 'out', status=1, reason='no such file or directory')
    deliver(bench, bench.directory / 'store', status=1, reason='is a directory')
    deliver(bench, '/dev/full', document=b'x', status=1, reason='no space left on device')


def test_file_behind_links(bench):
    """Those of root's or of the user's own lead on, from any directory."""
    out, link = bench.directory / 'out.prn', bench.directory / 'link'
    (bench.directory / 'part').mkdir()
    link.symlink_to('part/next')
    (bench.directory / 'part/next').symlink_to(out)
    for whole in b'x', b'xx':
        deliver(bench, link, document=b'x')
        expect(out.read_bytes(), whole)
    deliver(bench, '/dev/fd/3', document=b'x', status=1, reason='no such file')
    with open(out, 'wb') as other:
        deliver(bench, f'/dev/fd/{other.fileno()}', document=b'x', pass_fds=[other.fileno()])
    expect(out.read_bytes(), b'x')
    out.unlink()
    out.symlink_to(link)
    deliver(bench, link, document=b'x', status=1, reason='too many levels of symbolic links')
    out.unlink()
    out.symlink_to('n' * 250 + '/' + 'n' * 250)
    deliver(bench, link, document=b'x', status=1, reason='no such file')


def test_file_behind_a_link_of_others(bench):
    """Whoever may write in the directory does not choose what the service writes to."""
    if os.geteuid() != 0:
        raise Skip('only root can make a link that belongs to another user')
    secret, link = bench.directory / 'secret', bench.directory / 'link'
    secret.write_bytes(b'secret')
    for target in secret, bench.directory / 'new':
        link.symlink_to(target)
        os.chown(link, 65534, 65534, follow_symlinks=False)
        first = bench.directory / f'to-{target.name}'
        first.symlink_to('link')
        for path in link, first:
            deliver(bench, path, document=b'x', status=1,
                    reason=': it is a symbolic link of another user\'s, which is not followed\n')
        link.unlink()
    expect((secret.read_bytes(), (bench.directory / 'new').exists()), (b'secret', False))


def test_directory_behind_links(bench):
    jobs, link = bench.directory / 'jobs', bench.directory / 'link'
    jobs.mkdir()
    link.symlink_to('next//')
    (bench.directory / 'next').symlink_to(jobs)
    for path in link, jobs:
        deliver(bench, f'{path}//', document=b'x')
    expect(len(list(jobs.iterdir())), 2)
    if os.geteuid() != 0:
        raise Skip('only root can make a link that belongs to another user')
    for path in link, bench.directory / 'next':
        os.chown(path, 65534, 65534, follow_symlinks=False)
        deliver(bench, f'{link}/', document=b'x', status=1,
                reason=': it is a symbolic link of another user\'s, which is not followed\n')
        os.chown(path, 0, 0, follow_symlinks=False)
    jobs.rename(bench.directory / 'other')
    deliver(bench, f'{link}/', document=b'x', status=1, reason='no such file')
    jobs.write_bytes(b'')
    deliver(bench, f'{link}/', document=b'x', status=1, reason='not a directory')


def test_fifo(bench):
    path = bench.directory / 'fifo'
    os.mkfifo(path)
    deliver(bench, path, document=b'x', status=1, reason='no such device or address')
    reader = os.open(path, os.O_RDONLY | os.O_NONBLOCK)
    deliver(bench, path, document=AWKWARD)
    expect(os.read(reader, 65536), AWKWARD)
    os.close(reader)


# ---- Terminal lines


def read_exactly(fd, size):
    got = b''
    while len(got) < size:
        got += os.read(fd, size - len(got))
    return got


def test_line(bench):
    """Bytes pass as they are, at the speed that was asked for, and the line is then as before."""
    master, slave = pty.openpty()
    before = termios.tcgetattr(slave)
    process = Deliverer(bench, '--line', '19200,n,8,1', os.ttyname(slave))
    process.feed(AWKWARD)
    expect(read_exactly(master, len(AWKWARD)), AWKWARD)
    during = termios.tcgetattr(slave)
    expect(during[5], termios.B19200)
    expect((during[1] & termios.OPOST, during[2] & termios.CLOCAL), (0, termios.CLOCAL))
    process.end(0)
    expect(termios.tcgetattr(slave), before)
    deliver(bench, os.ttyname(slave), document=b'a\nb')
    expect(read_exactly(master, 3), b'a\nb')
    deliver(bench, '--line', '9600,x,8,1', os.ttyname(slave), status=2, reason='parity')
    os.close(master)
    os.close(slave)


# ---- Directories


def test_directory(bench):
    directory = bench.directory / 'jobs'
    directory.mkdir()
    for document in DOCUMENTS:
        deliver(bench, '--name', 'a', f'{directory}/', document=document)
    expect(sorted(len(path.read_bytes()) for path in directory.iterdir()),
           [len(document) for document in DOCUMENTS])
    assert BIG in [path.read_bytes() for path in directory.iterdir()]


def test_directory_with_hostile_names(bench):
    directory = bench.directory / 'jobs'
    directory.mkdir()
    names = ('../../x', '/etc/x', '.', '..', '', 'a\nb', '\x1b[31m', 'é' * 300, '-rf')
    for name in names:
        deliver(bench, '--name', name, f'{directory}/', document=b'x')
    made = [path.name for path in directory.iterdir()]
    expect(len(made), len(names))
    for name in made:
        assert re.fullmatch(r'\d{8}T\d{6}Z-[\w.-]+', name, re.A), name
    expect(sorted(path.name for path in bench.directory.iterdir()), ['jobs', 'store'])


def test_directory_shows_whole_documents(bench):
    """One that is killed in the middle leaves nothing to be taken for a document."""
    directory = bench.directory / 'jobs'
    directory.mkdir()
    process = Deliverer(bench, f'{directory}/')
    process.feed(BIG)
    process.feed(BIG)
    process.kill()
    expect(list(directory.iterdir()), [])
    deliver(bench, f'{directory}/', document=BIG, status=1, reason='file too large',
            preexec_fn=free_room(1 << 20))
    expect(list(directory.iterdir()), [])
    deliver(bench, f'{bench.directory}/none/', status=1, reason='no such file or directory')


# ---- Commands


def test_command(bench):
    out = bench.directory / 'out'
    for document in (*DOCUMENTS, AWKWARD):
        deliver(bench, f'|cat > {out}', document=document)
        assert out.read_bytes() == document


def test_command_knows_the_job(bench):
    """What a client calls its job is data, never a part of the command."""
    out, evil = bench.directory / 'out', '"; touch hacked; $(touch hacked) `touch hacked` \'x'
    deliver(bench, '--name', evil, '--user', '$(touch hacked)',
            f'|printf "%s|%s|%s" "$JOB_NAME" "$JOB_USER" "$JOB_NUMBER" > {out}',
            cwd=bench.directory)
    assert re.fullmatch(re.escape(f'{evil}|$(touch hacked)|') + r'\d{1,3}', out.read_text())
    assert not (bench.directory / 'hacked').exists()


def test_command_fails(bench):
    for command, status, reason in (
            ('echo first >&2; echo; echo "no paper" >&2; exit 4', 3, 'no paper'),
            ('exit 4', 3, 'the command ended with status 4'),
            ('kill -9 $$', 3, 'the command was killed by signal 9'),
            ('echo away >&2; exit 75', 1, 'away'),
            ('no-such-command', 1, 'not found'),
            ("printf 'a\\033[31mb\\n' >&2; exit 1", 3, 'a?[31mb'),
            ("printf 'a\\342\\200\\256\\377\\303\\251\\n' >&2; exit 1", 3, 'a??é')):
        deliver(bench, f'|{command}', document=BIG, status=status, reason=f': {reason}\n')


def test_command_says_much_at_its_end(bench):
    """The reason is the last line, also where more than that is still in the pipe."""
    process = Deliverer(bench, '|cat > /dev/null; kill -STOP $PPID; seq 10000 >&2; echo "no paper" >&2; exit 1')
    process.process.stdin.close()
    until('the command has ended',
          lambda: is_stopped(process.pid) and not lpd_rig.children_of(process.pid))
    process.send(signal.SIGCONT)
    process.end(3, 'exit 1: no paper')


def is_stopped(pid):
    with open(f'/proc/{pid}/stat', encoding='utf-8') as stat:
        return stat.read().rsplit(')', 1)[1].split()[0] == 'T'


def test_command_that_does_not_read(bench):
    """It has said that it is content; and one that talks all the time keeps nobody."""
    deliver(bench, '|head -c 10 > /dev/null', document=BIG)
    deliver(bench, '|exit 0', document=BIG)
    deliver(bench, '|yes | head -c 1000000 >&2; cat > /dev/null', document=BIG)
    deliver(bench, '|(sleep 1000 > /dev/null & echo $! > pid); cat > /dev/null', document=BIG,
            cwd=bench.directory)
    os.kill(int((bench.directory / 'pid').read_text()), signal.SIGKILL)


def test_command_has_nothing_of_ours(bench):
    out = bench.directory / 'out'
    deliver(bench, f'|ls /proc/self/fd > {out}; grep Sig[BI] /proc/self/status >> {out}')
    lines = out.read_text().split('\n')
    expect([line for line in lines if re.fullmatch(r'\d+', line)], ['0', '1', '2', '3'])
    blocked = [int(line.split()[1], 16) for line in lines if line.startswith('SigBlk')]
    ignored = [int(line.split()[1], 16) for line in lines if line.startswith('SigIgn')]
    expect((blocked, ignored[0] & (1 << (signal.SIGPIPE - 1))), ([0], 0))


# ---- Raw ports


def test_socket(bench):
    server = Server(read_all)
    bench.open_things.append(server)
    for count, document in enumerate((*DOCUMENTS, AWKWARD), 1):
        deliver(bench, f'socket://127.0.0.1:{server.port}', document=document)
        assert server.next(count) == document


def test_socket_fails(bench):
    def reset_early(connection):
        got = connection.recv(1000)
        reset(connection)
        return got
    server = Server(reset_early)
    bench.open_things.append(server)
    deliver(bench, f'socket://127.0.0.1:{server.port}', document=BIG, status=3, reason='re')
    deliver(bench, f'socket://127.0.0.1:{free_port()}', document=b'x', status=1,
            reason='connection refused')
    deliver(bench, 'socket://no-such-host.invalid', document=b'x', status=1,
            reason='the host is not found')


def test_ipv6_address(bench):
    """Raw, and of a share as far as the first words of SMB, which the server does not answer."""
    def take_greeting(connection):
        return connection.recv(8)[4:]
    try:
        servers = [Server(serve, host='::1') for serve in (read_all, take_greeting)]
    except OSError as error:
        raise Skip(f'no IPv6: {error}') from error
    bench.open_things += servers
    deliver(bench, f'socket://[::1]:{servers[0].port}', document=AWKWARD)
    expect(servers[0].next(), AWKWARD)
    deliver(bench, '--null-session', f'\\\\[::1]@{servers[1].port}\\p', document=b'x', status=1,
            reason='connection')
    expect(servers[1].next(), b'\xfeSMB')


# ---- Another LPD


class Lpd:
    """A line printer daemon that takes one job and answers 0, but to one of its four questions."""

    def __init__(self, bench, refuse=None, close=None, answer=b'\1'):
        self.refuse, self.close, self.answer = refuse, close, answer
        self.server = Server(self.serve)
        self.target = f'lpd://127.0.0.1:{self.server.port}/que'
        bench.open_things.append(self.server)

    def say(self, connection, step):
        if step == self.close:
            reset(connection)
            raise ConnectionResetError
        connection.sendall(self.answer if step == self.refuse else b'\0')

    def serve(self, connection):
        with connection.makefile('rb') as file:
            return self.take(connection, file)

    def take(self, connection, file):
        seen = [file.readline()]
        self.say(connection, 'queue')
        for step in 'control', 'data':
            line = file.readline()
            if not line:
                return seen
            seen.append(line)
            self.say(connection, f'{step} file')
            seen.append(file.read(int(line[1:].split()[0])))
            seen.append(file.read(1))
            self.say(connection, step)
        seen.append(file.read())
        return seen


def test_lpd(bench):
    """The size of a document is known, from a file and from a pipe."""
    path = bench.directory / 'document'
    for document in (*DOCUMENTS, AWKWARD):
        lpd = Lpd(bench)
        path.write_bytes(document)
        deliver(bench, '--name', 'my report', '--user', 'jane', lpd.target, document=document)
        deliver_file(bench, path, '--format', 'o', lpd.target)
        for count, letter in (1, 'l'), (2, 'o'):
            queue, control_line, control, end, data_line, data, data_end, rest = \
                lpd.server.next(count)
            expect((queue, end, data_end, rest), (b'\2que\n', b'\0', b'\0', b''))
            name = re.fullmatch(rb'\x02%d cf(A\d{3}[\w.-]+)\n' % len(control), control_line)[1]
            expect(data_line, b'\3%d df%s\n' % (len(document), name))
            assert data == document
            lines = control.decode().split('\n')
            assert f'{letter}df{name.decode()}' in lines and f'Udf{name.decode()}' in lines, lines
            if count == 1:
                assert 'Pjane' in lines and 'Nmy report' in lines, lines


def test_lpd_names_each_document_anew(bench):
    """Two jobs to which their client gave one number, of documents that are printed twice: a daemon that
    overwrites what has the same name would lose some."""
    other = Lpd(bench)
    add_printer(bench, 'Other', other.target)
    lpd = lpd_rig.Lpd(bench)
    control = b'Hbench\nPtester\n' + b''.join(b'ldf%c007bench\n' % letter for letter in b'AABB')
    for _ in range(2):
        with lpd_rig.connect(lpd.port) as client:
            client.sendall(b'\2Other\n')
            lpd_rig.expect_zero(client, 'queue')
            for kind, name, content in (2, b'cfA007bench', control), (3, b'dfA007bench', b'a'), \
                                       (3, b'dfB007bench', b'b'):
                lpd_rig.send_file(client, kind, name, content)
    lpd.until_empty()
    conversations = [other.server.next(count) for count in range(1, 9)]
    expect([seen[5] for seen in conversations], [b'a', b'a', b'b', b'b'] * 2)
    names = [re.fullmatch(rb'\x02\d+ cf(A\d{3}[\w.-]+)\n', seen[1])[1] for seen in conversations]
    for seen, name in zip(conversations, names):
        assert seen[4].endswith(b' df%s\n' % name) and b'\nldf%s\nUdf%s\n' % (name, name) in seen[2], seen
    expect(sorted(int(name[1:4]) for name in names), sorted((1, 383, 765, 147, 2, 384, 766, 148)))


def test_lpd_of_ours(bench):
    """The service's own; a document without bytes, whose size is RFC 1179's word for no size, too."""
    out = bench.directory / 'out'
    out.mkdir()
    add_printer(bench, 'Files', f'{out}/')
    lpd = lpd_rig.Lpd(bench)
    for count, document in enumerate((*DOCUMENTS, AWKWARD), 1):
        deliver(bench, '--name', 'x', f'lpd://127.0.0.1:{lpd.port}/files', document=document)
        lpd.until_empty()
        made = list(out.iterdir())
        expect(len(made), count)
        assert document in [path.read_bytes() for path in made]


def test_lpd_that_reads_to_the_end(bench):
    """A daemon to which no size means all until the connection's end is not waited for."""
    def serve(connection):
        file = connection.makefile('rb')
        with file:
            for _ in range(2):
                line = file.readline()
                connection.sendall(b'\0')
            file.read(int(line[1:].split()[0]) + 1)
            connection.sendall(b'\0')
            file.readline()
            connection.sendall(b'\0')
            rest = file.read()
            connection.sendall(b'\0')
        return rest
    server = Server(serve)
    bench.open_things.append(server)
    deliver(bench, f'lpd://127.0.0.1:{server.port}/que')
    expect(server.next(), b'\0')


def test_lpd_refuses(bench):
    for step in 'queue', 'control file', 'control', 'data file', 'data':
        lpd = Lpd(bench, refuse=step, answer=b'\2')
        deliver(bench, lpd.target, document=b'x' * 1000, status=1,
                reason='the daemon refuses it, with 2')


def test_lpd_is_lost(bench):
    """Before the data nothing can have come out."""
    for step in 'queue', 'control file', 'control', 'data file':
        lpd = Lpd(bench, close=step)
        deliver(bench, lpd.target, document=BIG, status=1, reason='connection')
    lpd = Lpd(bench, close='data')
    deliver(bench, lpd.target, document=BIG, status=3, reason='connection')
    deliver(bench, f'lpd://127.0.0.1:{free_port()}/que', document=BIG, status=1,
            reason='connection refused')


def test_lpd_without_room(bench):
    """A document of unknown size needs a place to be measured in, and that may be full."""
    lpd = Lpd(bench)
    deliver(bench, lpd.target, document=BIG, status=1, reason='file too large',
            preexec_fn=free_room(1 << 20))
    bench.environment['TMPDIR'] = str(bench.directory / 'none')
    deliver(bench, lpd.target, document=BIG, status=1, reason='cannot make a temporary file')
    expect(lpd.server.seen, [])


def test_lpd_with_hostile_names(bench):
    """What ends a line ends it nowhere else."""
    lpd = Lpd(bench)
    deliver(bench, '--name', 'x\nldfA001evil\nU/etc/passwd', '--user', 'a\nProot\u202e\x9bé', lpd.target,
            document=b'x')
    lines = lpd.server.next()[2].decode().split('\n')
    expect([line[:1] for line in lines], list('HPJlUN') + [''])
    expect(lines[1], 'Pa?Proot??é')


# ---- Ports of the store, and the command line


def test_port(bench):
    """LPT1 of the device map and a target are ports; a printer is the queue of the LPD service."""
    out = bench.directory / 'out'
    lpd = Lpd(bench)
    bench.regtool('add', f'{PRINT}\\DeviceMap\\LPT1', '/v', 'Target', '/d', f'|cat >> {out}', '/f')
    bench.regtool('add', f'{PRINT}\\Printers\\Laser', '/v', 'Port', '/d', f'{out}', '/f')
    bench.set_dword(LPDSVC, 'ListenPort', lpd.server.port)
    for port in 'LPT1', 'lpt1:', f'{out}':
        deliver(bench, '--store', bench.store, '--port', port, document=b'x')
    expect(out.read_bytes(), b'xxx')
    deliver(bench, '--store', bench.store, '--port', 'laser', document=b'x')
    expect(lpd.server.next()[0], b'\2Laser\n')
    deliver(bench, '--store', bench.store, '--port', 'LPT2', status=1, reason='LPT2')
    deliver(bench, '--store', bench.directory / 'none', '--port', 'LPT2', status=1,
            reason='cannot open the store')


def test_arguments(bench):
    for arguments, reason in (
            ((), 'a target is missing'), (('/a', '/b'), 'too many arguments'),
            (('LPT1',), 'is no target'), (('--nothing', '/a'), '--nothing'),
            (('--port', 'LPT1', '/a'), 'too many arguments'), (('--job', '/s', '1'), 'missing'),
            (('--job', '/s', '--port', 'LPT1'), 'exclude'), (('--format', 'lo', '/a'), 'a letter'),
            (('--retry', '0', '/a'), '--retry'), (('--retry', '1x', '/a'), '--retry'),
            (('--null-session', '--credentials', '/f', '\\\\s\\p'), 'exclude'),
            (('--name',), '--name')):
        deliver(bench, *arguments, status=2, reason=reason)


def test_input_that_cannot_be_read(bench):
    """Nothing of it is printed."""
    out = bench.directory / 'out'
    directory = os.open(bench.directory, os.O_RDONLY)
    with subprocess.Popen([bench.bin / 'regstore-deliver', out], stdin=directory,
                          stderr=subprocess.PIPE) as process:
        said = process.stderr.read()
    os.close(directory)
    expect((process.returncode, said, out.read_bytes()),
           (4, f'regstore-deliver: {out}: cannot read the document: is a directory\n'.encode(), b''))


def test_input_that_breaks(bench):
    """The disk fails in the middle: what can be taken back is, and the rest is told of."""
    server, out = Server(read_all), bench.directory / 'out'
    bench.open_things.append(server)
    with open(bench.directory / 'short', 'w+b') as file, open('/proc/self/mem', 'rb', buffering=0) as memory:
        file.write(BIG)
        file.flush()
        page = mmap.PAGESIZE
        mapped = mmap.mmap(file.fileno(), 2 * page, access=mmap.ACCESS_COPY)
        os.ftruncate(file.fileno(), page) # behind it there is nothing to be read: EIO
        place = ctypes.c_char.from_buffer(mapped)
        for target, told in ((out, ''), (f'socket://127.0.0.1:{server.port}', '; a part of it may have come out')):
            memory.seek(ctypes.addressof(place))
            done = subprocess.run([bench.bin / 'regstore-deliver', target], stdin=memory, stderr=subprocess.PIPE,
                                  check=False, timeout=TIMEOUT)
            expect((done.returncode, done.stderr.decode()),
                   (4, f'regstore-deliver: {target}: cannot read the document: input/output error{told}\n'))
        del place
    expect((out.read_bytes(), type(server.next())), (b'', ConnectionResetError)) # so it knows, too


def test_memory(bench):
    """It does not depend on the document's size."""
    if 'asan' in str(bench.bin):
        raise Skip('with a sanitizer memory is not the program\'s own')
    process = Deliverer(bench, '/dev/null')
    for _ in range(40):
        process.feed(BIG)
    status = open(f'/proc/{process.pid}/status', encoding='ascii').read()
    peak = int(re.search(r'VmHWM:\s+(\d+) kB', status)[1])
    process.end(0)
    assert peak < 12 * 1024, f'{peak} KiB'


if __name__ == '__main__':
    sys.exit(run_tests(__doc__, globals()))
