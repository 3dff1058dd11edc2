#!/usr/bin/env python3
"""Tries regstore-deliver --more: one process that prints many jobs, and who gives them.

    tests/deliver_more.py [--bin DIR] [TEST...]

A job is told as done when it is, and can be had by others; whatever goes wrong is about the job that
was given last. Ends with "N passed, N failed, N skipped"; exit status 1 if any failed or none ran.
"""

import fcntl
import os
import signal
import struct
import subprocess
import sys

from deliver_bench import KEEP, Place, Server, Spool, end_parent, is_gone, read_all, start_parent
from samba_rig import free_port, until
from services_bench import TIMEOUT, expect, run_tests


def claim_is_free(directory):
    with open(directory / 'state', 'r+b') as state:
        try:
            fcntl.fcntl(state, fcntl.F_OFD_SETLK, struct.pack('hhqqi4x', fcntl.F_WRLCK, os.SEEK_SET, 0, 0, 0))
        except BlockingIOError:
            return False
    return True


def count_descriptors(process):
    return len(os.listdir(f'/proc/{process.pid}/fd'))


def test_jobs(bench):
    """Each is printed and given back before it is told; whoever prints it keeps nothing of the last one."""
    place, spool = Place(bench), Spool(bench)
    jobs = [spool.add(b'%d' % number, names=[f'{number}']) for number in range(20)]
    process = spool.start(jobs[0], KEEP, '--more')
    for number, name in enumerate(jobs):
        if number > 0:
            process.feed(f'{name}\n'.encode())
        expect([process.lines.next(), process.lines.next()], ['printing 1/1', f'done {name}'])
        assert spool.is_done(name) and claim_is_free(spool.path / 'done' / name)
        until('it waits', lambda: is_waiting(process))
        descriptors = count_descriptors(process)
        expect(descriptors, descriptors if number == 0 else before)
        before = descriptors
    expect(process.end(0), [])
    expect(place.names(), [f'{number}' for number in range(20)])


def is_waiting(process):
    """For its standard input: read() is the system call 0 here."""
    with open(f'/proc/{process.pid}/syscall', encoding='ascii') as call:
        return call.read().startswith('0 0x0 ')


def test_names_at_once(bench):
    """All that was given is printed before the end of the input counts."""
    place, spool = Place(bench), Spool(bench)
    jobs = [spool.add(b'a', b'b', copies=2), spool.add(), spool.add(b'c')]
    process = spool.start(jobs[0], KEEP, '--more')
    process.feed(''.join(f'{name}\n' for name in jobs[1:]).encode())
    expect(process.end(0), ['printing 1/4', 'printing 2/4', 'printing 3/4', 'printing 4/4', f'done {jobs[0]}',
                            f'done {jobs[1]}', 'printing 1/1', f'done {jobs[2]}'])
    expect(place.printed(), b'aabbc')


def test_begins_anew(bench):
    """What one job has been through is not told of the next."""
    spool, port = Spool(bench), free_port()
    first, second = spool.add(b'x'), spool.add(b'y')
    spool.set_state(first, 0, sending=True)
    server = Server(read_all, port)
    bench.open_things.append(server)
    process = spool.start(first, f'socket://127.0.0.1:{port}', '--more')
    expect([process.lines.next() for _ in range(3)], ['again 1', 'printing 1/1', f'done {first}'])
    process.feed(f'{second}\n'.encode())
    expect([process.lines.next() for _ in range(2)], ['printing 1/1', f'done {second}'])
    process.end(0)
    expect([server.next(), server.next(2)], [b'x', b'y'])


def test_names_that_are_none(bench):
    place, spool = Place(bench), Spool(bench)
    for text in b'\n', b'../jobs/00000001\n', b'0' * 15 + b'1\n', b'1' * 100_000, b'x\n', b'00000001\0\n', b'00000001':
        name = spool.add(b'x')
        process = spool.start(name, KEEP, '--more')
        process.feed(text[:65536])
        expect(process.end(1, "a job's name is its number"), ['printing 1/1', f'done {name}'])
    name = spool.add(b'x')
    process = spool.start(name, KEEP, '--more')
    process.feed(b'00000077\n')
    process.end(1, 'job 00000077: no such file or directory')
    expect(len(place.names()), 8)


def test_with_a_damaged_one(bench):
    """It ends, about that one; what follows is left to others."""
    place, spool = Place(bench), Spool(bench)
    jobs = [spool.add(b'a'), spool.add(b'b'), spool.add(b'c')]
    spool.put(spool.job(jobs[1]) / '1', b'B')
    process = spool.start(jobs[0], KEEP, '--more')
    process.feed(''.join(f'{name}\n' for name in jobs[1:]).encode())
    expect(process.end(4, 'document 1: is damaged'), ['printing 1/1', f'done {jobs[0]}'])
    expect((spool.state(jobs[1]), spool.state(jobs[2])), ('printed 0/1', 'printed 0/1'))
    place.hold()
    other = spool.start(jobs[2], KEEP)
    place.wait_held()
    process = spool.start(first := spool.add(), KEEP, '--more')
    process.feed(f'{jobs[2]}\n'.encode())
    expect(process.end(1, f'job {jobs[2]} is printed by another process'), [f'done {first}'])
    place.let_go()
    other.end(0)


def test_ends_while_it_waits(bench):
    """For a name, or after a document: what is done is told before."""
    place, spool = Place(bench), Spool(bench)
    process = spool.start(name := spool.add(b'x'), KEEP, '--more')
    process.lines.wait(f'^done {name}$')
    process.send(signal.SIGTERM)
    expect((process.process.wait(TIMEOUT), process.lines.to_end()), (1, []))
    place.hold()
    process = spool.start(name := spool.add(b'x'), KEEP, '--more')
    place.wait_held()
    process.send(signal.SIGTERM)
    place.let_go()
    expect((process.process.wait(TIMEOUT), process.lines.to_end()), (1, ['printing 1/1', f'done {name}']))
    assert spool.is_done(name)
    expect(process.process.stderr.read(), b'')


def test_ends_with_the_service(bench):
    """Also where the input does not end."""
    Place(bench)
    spool = Spool(bench)
    parent, lines, child = start_parent(bench, spool, name := spool.add(b'x'), '--more')
    lines.wait(f'^done {name}$')
    assert not is_gone(child)
    end_parent(parent)
    until('it ends', lambda: is_gone(child))
    parent.stdin.close()


def test_is_heard(bench):
    """That a job is done is not lost in a pipe that is full; if nobody is there, nobody gives jobs."""
    spool, out = Spool(bench), bench.directory / 'out'
    for reads in True, False:
        reader, writer = os.pipe()
        os.set_blocking(writer, False)
        filled = 0
        try:
            while True:
                filled += os.write(writer, b'x' * 4096)
        except BlockingIOError:
            pass
        os.set_blocking(writer, True)
        name = spool.add(b'x')
        process = subprocess.Popen([bench.bin / 'regstore-deliver', '--more', '--job', spool.path, name, out],
                                   stdin=subprocess.PIPE, stdout=writer)
        os.close(writer)
        until('it is done', lambda: spool.is_done(name))
        assert process.poll() is None
        if reads:
            process.stdin.close()
            with open(reader, 'rb') as lines:
                expect(lines.read()[filled:], f'done {name}\n'.encode())
            expect(process.wait(TIMEOUT), 0)
        else:
            os.close(reader)
            expect(process.wait(TIMEOUT), 0)
            process.stdin.close()
    done = subprocess.run([bench.bin / 'regstore-deliver', '--more', out], stdin=subprocess.DEVNULL,
                          capture_output=True, check=False, timeout=TIMEOUT)
    expect((done.returncode, done.stderr), (2, b'regstore-deliver: --more needs --job\n'))


if __name__ == '__main__':
    sys.exit(run_tests(__doc__, globals()))
