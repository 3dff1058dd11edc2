#!/usr/bin/env python3
"""Tries regstore-deliver with jobs of a spool: tried until they are printed, and by one only.

    tests/deliver_jobs.py [--bin DIR] [TEST...]

Wherever it is killed, a job is printed whole in the end, in order, and what may have come out twice
says so. Ends with "N passed, N failed, N skipped"; exit status 1 if any failed or none ran.
"""

import fcntl
import os
import random
import shutil
import signal
import subprocess
import sys

from deliver_bench import BIG, BLOCK, DOCUMENTS, Server, Spool, free_room, give_room, read_all
from samba_rig import free_port, until
from services_bench import TIMEOUT, Lines, expect, run_tests

KILLS = 60 # of processes that print
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


def start_parent(bench, spool, name):
    """A process that starts a deliverer, tells its number, and waits."""
    code = ('import os, subprocess, sys\n'
            'child = subprocess.Popen(sys.argv[1:])\n'
            'print("child", child.pid, flush=True)\n'
            'child.wait()\n')
    parent = subprocess.Popen([sys.executable, '-c', code, bench.bin / 'regstore-deliver', '--job',
                               spool.path, name, KEEP], env=bench.environment,
                              stdout=subprocess.PIPE, stdin=subprocess.DEVNULL)
    lines = Lines(parent.stdout)
    return parent, lines, int(lines.wait(r'^child (\d+)$')[1])


def is_gone(pid):
    try:
        with open(f'/proc/{pid}/stat', encoding='ascii') as stat:
            return stat.read().rsplit(')', 1)[1].split()[0] == 'Z'
    except OSError:
        return True


def test_the_service_is_killed(bench):
    """A document is sent to its end, and nobody hears of it; the next is left to who comes."""
    place, spool = Place(bench), Spool(bench)
    name = spool.add(b'a', b'b')
    place.hold()
    parent, _, child = start_parent(bench, spool, name)
    place.wait_held()
    parent.kill()
    parent.stdout.close()
    parent.wait()
    assert not is_gone(child)
    place.let_go()
    until('it ends', lambda: is_gone(child))
    expect((place.names(), spool.state(name)), (['part 1'], 'printed 1/2'))
    last = spool.add(b'c')
    place.hold()
    parent, _, child = start_parent(bench, spool, last)
    place.wait_held()
    parent.kill()
    parent.stdout.close()
    parent.wait()
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


if __name__ == '__main__':
    sys.exit(run_tests(__doc__, globals()))
