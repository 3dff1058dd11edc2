#!/usr/bin/env python3
"""Tries regstore-deliver with jobs of a spool: tried until they are printed, and by one only.

    tests/deliver_jobs.py [--bin DIR] [TEST...]

Wherever it is killed, a job is printed whole in the end, in order, and what may have come out twice
says so. Ends with "N passed, N failed, N skipped"; exit status 1 if any failed or none ran.
"""

import fcntl
import os
import random
import resource
import shutil
import signal
import subprocess
import sys
import threading

from deliver_bench import (BIG, BLOCK, DOCUMENTS, KEEP, Place, Server, Spool, end_parent, free_room, give_room, is_gone,
                           read_all, start_parent)
from samba_rig import free_port, until
from services_bench import TIMEOUT, expect, run_tests

KILLS = 60 # of processes that print


def test_job(bench):
    """All documents, each copy of them, byte for byte and in order; then it is done."""
    place, spool = Place(bench), Spool(bench)
    name = spool.add(*DOCUMENTS, copies=2)
    process = spool.start(name, KEEP)
    expect(process.end(0), [f'printing {number}/6' for number in range(1, 7)])
    expect(place.names(), [f'part {number}' for number in (1, 1, 2, 2, 3, 3)])
    assert place.printed() == b''.join(document * 2 for document in DOCUMENTS)
    assert spool.is_done(name)
    expect(spool.add(), f'{2:08}')
    spool.start(f'{2:08}', KEEP).end(0)
    assert spool.is_done(f'{2:08}')


def test_facts_reach_the_command(bench):
    spool, out = Spool(bench), bench.directory / 'out'
    name = spool.add(b'x', names=['$(touch x) "; \'é'])
    spool.start(name, f'|printf "%s\\n" "$JOB_NAME" "$JOB_USER" "$JOB_HOST" "$JOB_TITLE" '
                f'"$JOB_QUEUE" "$JOB_NUMBER" > {out}').end(0)
    expect(out.read_text().splitlines(),
           ['$(touch x) "; \'é', 'jane', 'client1', 'report', 'laser', '42'])


def test_directory_names_are_of_the_job(bench):
    spool, directory = Spool(bench), bench.directory / 'out'
    directory.mkdir()
    spool.start(spool.add(b'a', b'b', names=['one.ps', '../two']), f'{directory}/').end(0)
    expect({path.name: path.read_bytes() for path in directory.iterdir()},
           {'20260725T172000Z-00000001.1-one.ps': b'a', '20260725T172000Z-00000001.2-_._two': b'b'})


def test_waits_for_the_target(bench):
    """One that is away is tried until it is there; each reason is told once."""
    spool, port = Spool(bench), free_port()
    process = spool.start(spool.add(BIG), f'socket://127.0.0.1:{port}', '--retry', '300')
    expect(process.lines.next(), 'waiting connection refused')
    server = Server(read_all, port)
    bench.open_things.append(server)
    assert server.next() == BIG
    expect(process.end(0), ['printing 1/1'])


def test_tries_at_once_when_told(bench):
    """SIGUSR1 ends a pause, which may be of a day."""
    spool, port = Spool(bench), free_port()
    name = spool.add(b'x')
    process = spool.start(name, f'socket://127.0.0.1:{port}', '--retry', '86400000')
    expect(process.lines.next(), 'waiting connection refused')
    server = Server(read_all, port)
    bench.open_things.append(server)
    def told():
        process.send(signal.SIGUSR1)
        return server.seen
    until('it is printed', told)
    expect(process.end(0), ['printing 1/1'])


def test_told_before_it_has_begun(bench):
    """SIGUSR1 ends nobody who has not looked at his job yet, nor one who is not waiting."""
    place, spool = Place(bench), Spool(bench)
    place.hold()
    process = spool.start(spool.add(b'x'), KEEP, preexec_fn=told_to_try)
    place.wait_held()
    process.send(signal.SIGUSR1)
    place.let_go()
    process.end(0)


def told_to_try():
    """For Popen: the signal is there, and is seen as soon as it is not blocked."""
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGUSR1})
    os.kill(os.getpid(), signal.SIGUSR1)


def test_ends_while_it_waits(bench):
    spool = Spool(bench)
    name = spool.add(b'x')
    process = spool.start(name, f'socket://127.0.0.1:{free_port()}')
    process.lines.wait('^waiting connection refused$')
    process.send(signal.SIGTERM)
    expect((process.process.wait(TIMEOUT), process.lines.to_end()), (1, []))
    expect(spool.state(name), 'printed 0/1')


def test_ends_between_documents(bench):
    """What is being sent is sent to its end, and the next one not begun."""
    place, spool = Place(bench), Spool(bench)
    name = spool.add(b'a', b'b')
    place.hold()
    process = spool.start(name, KEEP)
    place.wait_held()
    process.send(signal.SIGTERM)
    place.let_go()
    expect((process.process.wait(TIMEOUT), process.lines.to_end()), (1, ['printing 1/2']))
    expect((place.names(), spool.state(name)), (['part 1'], 'printed 1/2'))
    expect(spool.start(name, KEEP).end(0), ['printing 2/2'])
    expect((place.names(), place.printed()), (['part 1', 'part 2'], b'ab'))


def test_ends_after_the_last_document(bench):
    place, spool = Place(bench), Spool(bench)
    name = spool.add(b'a')
    place.hold()
    process = spool.start(name, KEEP)
    place.wait_held()
    process.send(signal.SIGTERM)
    place.let_go()
    process.end(0)
    assert spool.is_done(name)


def test_killed_while_it_sends(bench):
    """Nobody knows whether it came out: it is sent again, and says so wherever a name goes. The command
    does not go on beside the next one, nor take what it had for a document."""
    place, spool = Place(bench), Spool(bench)
    long = 'n' * 255
    name = spool.add(b'a', b'b', names=['first', long])
    place.hold()
    process = spool.start(name, KEEP)
    place.wait_held()
    expect(spool.state(name), 'printed 0/2 sending')
    process.kill()
    until('the command is at its end', lambda: not place.is_held())
    place.let_go()
    expect(spool.start(name, KEEP).end(0), ['again 1', 'printing 1/2', 'printing 2/2'])
    expect((place.names(), place.printed()), (['first (printed again)', long], b'ab'))


def test_a_long_name_keeps_the_mark(bench):
    """Each kind of target takes another length of a name: none takes the mark away."""
    place, spool, out = Place(bench), Spool(bench), bench.directory / 'out'
    out.mkdir()
    for target in KEEP, f'{out}/':
        spool.set_state(name := spool.add(b'x', names=['n' * 255]), 0, sending=True)
        spool.start(name, target).end(0)
    expect(place.names(), ['n' * 111 + ' (printed again)'])
    [document] = os.listdir(out)
    assert 'printed_again' in document, document


def test_killed_between_documents(bench):
    """What was printed is not printed again; what was not begun is not marked."""
    place, spool = Place(bench), Spool(bench)
    name = spool.add(b'a', b'b', b'c')
    spool.set_state(name, 1)
    expect(spool.start(name, KEEP).end(0), ['printing 2/3', 'printing 3/3'])
    expect((place.names(), place.printed()), (['part 2', 'part 3'], b'bc'))
    spool.set_state(done := spool.add(b'a'), 1)
    expect(spool.start(done, KEEP).end(0), [])
    assert spool.is_done(done)


def test_killed_while_it_waits(bench):
    """Nothing can have come out, so nothing is marked."""
    spool, port = Spool(bench), free_port()
    name = spool.add(b'x')
    process = spool.start(name, f'socket://127.0.0.1:{port}')
    process.lines.wait('^waiting')
    process.kill()
    out = bench.directory / 'out'
    expect(spool.start(name, out).end(0), ['printing 1/1'])


def test_killed_anywhere(bench):
    """Whenever it is killed, each document comes out whole, once; or more often, and says so."""
    seed = random.randrange(1 << 32)
    dice, spool, out = random.Random(seed), Spool(bench), bench.directory / 'out'
    out.mkdir()
    print(f'seed {seed}') # of the delays; which step they meet is up to the machine
    kills = 0
    while kills < KILLS:
        documents = [dice.randbytes(dice.choice((0, 1, 100_000, 2_000_000))) for _ in range(3)]
        name = spool.add(*documents, names=['a', 'b', 'c'])
        longest = 0
        while not spool.is_done(name):
            longest += 0.01 # so that a slow machine comes to an end, too
            process = spool.start(name, f'{out}/')
            try:
                process.process.wait(dice.uniform(0, longest))
            except subprocess.TimeoutExpired:
                kills += 1
            process.kill()
            bench.open_things.remove(process)
        made = sorted(out.glob(f'*-{name}.*'))
        for number, letter in enumerate('abc'):
            mine = [path for path in made if f'{name}.{number + 1}-{letter}' in path.name]
            unmarked = [path for path in mine if 'printed_again' not in path.name]
            assert mine and len(unmarked) <= 1, f'seed {seed}: {made}'
            assert all(path.read_bytes() == documents[number] for path in mine), f'seed {seed}'
        shutil.rmtree(out)
        out.mkdir()


def test_target_that_breaks(bench):
    """A target that does not confirm has it again, with the mark, until it does."""
    place, spool = Place(bench), Spool(bench)
    (place.path / 'broken').touch()
    name = spool.add(b'x')
    process = spool.start(name, f'|if test -e "$PLACE/broken"; then echo paper jam >&2; exit 1; fi;'
                          f'{KEEP[1:]}', '--retry', '20')
    expect([process.lines.next() for _ in range(4)],
           ['printing 1/1', 'waiting paper jam', 'again 1', 'printing 1/1'])
    (place.path / 'broken').unlink()
    process.end(0)
    expect(place.names(), ['part 1 (printed again)'])


def test_target_that_refuses(bench):
    """What it has not taken is no second one."""
    spool, out = Spool(bench), bench.directory / 'out'
    name = spool.add(BIG)
    process = spool.start(name, out, preexec_fn=free_room(1 << 20))
    expect([process.lines.next() for _ in range(2)], ['printing 1/1', 'waiting file too large'])
    until('it is taken back', lambda: spool.state(name) == 'printed 0/1')
    expect(out.read_bytes(), b'')
    process.kill()
    expect(spool.start(name, out).end(0)[-1], 'printing 1/1')


def test_file_in_use(bench):
    spool, out = Spool(bench), bench.directory / 'out'
    with open(out, 'ab') as other:
        fcntl.flock(other, fcntl.LOCK_EX)
        process = spool.start(spool.add(b'second'), out)
        expect(process.lines.next(), 'waiting another job is being written to it')
        other.write(b'first, ')
    process.send(signal.SIGUSR1)
    process.end(0)
    expect(out.read_bytes(), b'first, second')


def test_claimed_by_another(bench):
    """Only one prints it; the claim ends with whoever has it, however that ends."""
    place, spool = Place(bench), Spool(bench)
    name = spool.add(b'x')
    place.hold()
    first = spool.start(name, KEEP)
    place.wait_held()
    spool.start(name, KEEP).end(1, 'is printed by another process')
    place.let_go()
    first.end(0)
    spool.start(name, KEEP).end(1, 'no such file or directory')
    expect(place.names(), ['part 1'])


def test_the_service_is_killed(bench):
    """A document is sent to its end, and nobody hears of it; the next is left to who comes."""
    place, spool = Place(bench), Spool(bench)
    name = spool.add(b'a', b'b')
    place.hold()
    parent, _, child = start_parent(bench, spool, name)
    place.wait_held()
    end_parent(parent)
    assert not is_gone(child)
    place.let_go()
    until('it ends', lambda: is_gone(child))
    expect((place.names(), spool.state(name)), (['part 1'], 'printed 1/2'))
    last = spool.add(b'c')
    place.hold()
    parent, _, child = start_parent(bench, spool, last)
    place.wait_held()
    end_parent(parent)
    place.let_go()
    until('it is done', lambda: spool.is_done(last))


def test_nobody_reads_its_lines(bench):
    """A pipe that is full keeps it from nothing."""
    spool, out = Spool(bench), bench.directory / 'out'
    reader, writer = os.pipe()
    os.set_blocking(writer, False)
    try:
        while True:
            os.write(writer, b'x' * 4096)
    except BlockingIOError:
        pass
    os.set_blocking(writer, True)
    done = subprocess.run([bench.bin / 'regstore-deliver', '--job', spool.path, spool.add(b'x'),
                           out], stdin=subprocess.DEVNULL, stdout=writer, timeout=TIMEOUT,
                          check=False)
    os.close(reader)
    os.close(writer)
    expect((done.returncode, out.read_bytes()), (0, b'x'))


def test_damaged(bench):
    """What is not as it was received is not printed, nor what was planted."""
    spool, out = Spool(bench), bench.directory / 'out'
    name = spool.add(b'abc')
    spool.put(spool.job(name) / '1', b'ab')
    spool.start(name, out).end(4, '1')
    (spool.job(name) / '1').unlink()
    spool.start(name, out).end(4, 'o such file')
    (spool.job(name) / '1').symlink_to('/etc/passwd')
    spool.start(name, out).end(4, '1')
    spool.put(spool.job(other := spool.add(b'abc')) / 'state', b'printed 1\n')
    spool.start(other, out).end(4, 'state: is damaged')
    spool.totals[other] = 2
    spool.set_state(other, 0)
    spool.start(other, out).end(4, 'state: is not of these documents')
    spool.put_facts(third := spool.add(b'abc'), 'regstore job 2\n')
    spool.start(third, out).end(4, 'facts: is damaged')
    spool.put(spool.job(fourth := spool.add(b'abc')) / '1', b'abd')
    spool.start(fourth, out).end(4, 'document 1: is damaged')
    (spool.path / 'jobs' / '00000099').symlink_to(spool.job(spool.add(b'x')))
    for link in '00000099', '../jobs/00000004', '', '00000077':
        spool.start(link, out).end(1, 'job')
    assert not out.exists() or out.read_bytes() == b''


def test_damaged_in_the_middle(bench):
    """A document that is cut, or that the disk does not give, is not sent again and again. Who repairs
    it and puts it back has it marked."""
    spool, server = Spool(bench), Server(read_all)
    bench.open_things.append(server)
    name = spool.add(BIG * 4)
    held = threading.Event()
    def begin_only(connection):
        connection.recv(1)
        held.wait(TIMEOUT)
        return read_all(connection)
    slow = Server(begin_only)
    bench.open_things.append(slow)
    process = spool.start(name, f'socket://127.0.0.1:{slow.port}')
    process.lines.wait('^printing 1/1$')
    os.truncate(spool.job(name) / '1', len(BIG))
    held.set()
    expect(process.end(4, 'size is not what it was; a part of it may have come out'), [])
    expect(spool.state(name), 'printed 0/1 sending')
    spool.put(spool.job(name) / '1', BIG * 4)
    expect(spool.start(name, f'socket://127.0.0.1:{server.port}').end(0), ['again 1', 'printing 1/1'])
    assert server.next() == BIG * 4


def test_state_is_missing(bench):
    """It cannot be claimed, and only a person can help."""
    spool, out = Spool(bench), bench.directory / 'out'
    (spool.job(name := spool.add(b'x')) / 'state').unlink()
    spool.start(name, out).end(4, f'job {name}')
    (spool.job(name) / 'state').symlink_to('facts')
    spool.start(name, out).end(4, f'job {name}')
    assert not out.exists()


def test_another_in_its_place(bench):
    """A directory is used again: whoever comes for the job that it was of leaves it alone."""
    place, spool = Place(bench), Spool(bench)
    name = spool.add(b'x')
    spool.job(name).rename(spool.job('00000009'))
    spool.start('00000009', KEEP).end(1, 'job 00000009 is gone')
    spool.job('00000009').rename(spool.job(name))
    spool.start(name, KEEP).end(0)
    expect(place.names(), ['part 1'])


DESCRIPTORS = 7 # standard ones, the spool, jobs/, the job, its claim
MOST_DESCRIPTORS = resource.getrlimit(resource.RLIMIT_NOFILE)[1]


def few_descriptors(count):
    """For Popen: so many are all that the process can have, until give_descriptors()."""
    return lambda: resource.setrlimit(resource.RLIMIT_NOFILE, (count, MOST_DESCRIPTORS))


def give_descriptors(process):
    resource.prlimit(process.pid, resource.RLIMIT_NOFILE, (64, MOST_DESCRIPTORS))
    process.send(signal.SIGUSR1)


def test_too_few_descriptors(bench):
    """Nothing is wrong with the job then: it is read when it can be."""
    place, spool = Place(bench), Spool(bench)
    name = spool.add(b'x')
    process = spool.start(name, KEEP, preexec_fn=few_descriptors(DESCRIPTORS))
    process.lines.wait('^waiting facts: Too many open files$')
    give_descriptors(process)
    expect(process.end(0), ['printing 1/1'])
    expect(place.names(), ['part 1'])


def test_removed_while_it_comes(bench):
    """It has the job's directory already, and all in it is right: what was removed is not printed."""
    place, spool = Place(bench), Spool(bench)
    name = spool.add(b'x')
    process = spool.start(name, KEEP, preexec_fn=few_descriptors(DESCRIPTORS))
    process.lines.wait('^waiting ')
    spool.job(name).rename(spool.path / 'removed')
    give_descriptors(process)
    process.end(1, f'job {name} is gone')
    expect(place.names(), [])


def test_state_cannot_be_written(bench):
    """A disk below the spool that takes nothing keeps a document back, rather than print it without a
    trace."""
    place, spool = Place(bench), Spool(bench)
    name = spool.add(b'x')
    process = spool.start(name, KEEP, preexec_fn=free_room(BLOCK))
    process.lines.wait('^waiting .*')
    expect(place.names(), [])
    give_room(process)
    process.send(signal.SIGUSR1)
    process.end(0)
    expect(place.names(), ['part 1'])


def test_printed_cannot_be_written(bench):
    """It is tried until the disk takes it; an end in the meantime has the document come again, with the
    mark."""
    place, spool = Place(bench), Spool(bench)
    for ends in False, True:
        name = spool.add(b'x')
        place.hold()
        process = spool.start(name, KEEP)
        place.wait_held()
        give_room(process, 0)
        place.let_go()
        expect(process.lines.wait('^waiting state: .*')[0], 'waiting state: File too large')
        if not ends:
            give_room(process)
            process.send(signal.SIGUSR1)
            process.end(0)
            continue
        process.send(signal.SIGTERM)
        expect(process.process.wait(TIMEOUT), 1)
        expect(spool.state(name), 'printed 0/1 sending')
        expect(spool.start(name, KEEP).end(0), ['again 1', 'printing 1/1'])
    expect(place.names(), ['part 1', 'part 1', 'part 1 (printed again)'])


def test_torn_state(bench):
    """A block that a loss of power tore was perhaps to say that a document is sent."""
    place, spool = Place(bench), Spool(bench)
    name = spool.add(b'a', b'b')
    spool.put(spool.job(name) / 'state', b'torn'.ljust(BLOCK) + spool.block(name, 1, 1))
    expect(spool.start(name, KEEP).end(0), ['again 2', 'printing 2/2'])
    expect(place.names(), ['part 2 (printed again)'])


if __name__ == '__main__':
    sys.exit(run_tests(__doc__, globals()))
