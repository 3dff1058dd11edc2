#!/usr/bin/env python3
"""Runs the LPD service and looks at who prints its jobs: one deliverer after the other, and his ends.

    tests/lpd_deliverers.py [--bin DIR] [TEST...]

A command as a target tells which process has run it. One who has no job is kept for a second only, so where
he is needed he is stopped by a signal, and a test that comes too late for him begins again. Ends with
"N passed, N failed, N skipped".
"""

import os
import re
import signal
import socket
import sys
from pathlib import Path

from lpd_rig import add_printer, end_orphans, lpq, send_job
from lpdsvc_bench import (Gate, Lpd, deliverers, move_printer, pause, printer_key, remove, run_printing_test,
                          set_waiting, until_state)
from samba_rig import free_port, until
from services_bench import TIMEOUT, expect, run_tests

MOST = 64 # deliverers at a time
LONGEST = 86400000 # ms: the longest RetryPeriod that one is started with
READY = r'\ALaser is ready\nno entries\n\Z'


class Witness:
    """A command that keeps what is printed, and who has run it."""

    def __init__(self, bench, name='witness'):
        self.out, self.runners = bench.directory / f'{name}.out', bench.directory / f'{name}.runners'
        self.target = f'|echo $PPID >>{self.runners}; cat >>{self.out}'

    def content(self):
        return self.out.read_bytes()

    def who(self):
        """The process that printed each document."""
        return self.runners.read_text().split()


def only_deliverer(lpd):
    (found,) = deliverers(lpd.service.process.pid)
    return found


def stop(pid):
    """Gives whether he was still there."""
    try:
        os.kill(pid, signal.SIGSTOP)
        return True
    except ProcessLookupError:
        return False


def give_to_a_sleeper(lpd):
    """Prints jobs of the number 1 to the queue Laser until its deliverer is stopped when he has none, and
    has been given one of the number 2, whose name he has not read. Gives his process."""
    for _ in range(100):
        send_job(lpd.port, 'Laser', {'x': b'1'}, number=1)
        until_state(lpd, 'Laser', READY)
        found = [pid for pid in deliverers(lpd.service.process.pid) if stop(pid)]
        send_job(lpd.port, 'Laser', {'x': b'2'}, number=2)
        if found and 'Laser is ready and connecting to' in lpq(lpd.port, 'Laser'):
            return found[0]
        for pid in found:
            os.kill(pid, signal.SIGKILL) # he was leaving already
        lpd.until_empty()
    raise AssertionError('who has printed a job is given no other one')


def expect_no_news(log):
    news = [line for line in log if re.search('not printed yet|again', line)]
    expect(news, [])


# ---- Tests; a function test_NAME(bench) is one

def test_one_prints_the_jobs_of_a_queue(bench):
    witness = Witness(bench)
    add_printer(bench, 'Laser', witness.target, Status=1)
    lpd = Lpd(bench)
    for number in range(9):
        send_job(lpd.port, 'Laser', {'x': b'%d' % number})
    pause(bench, 'Laser', 0)
    lpd.until_empty()
    expect(witness.content(), b'012345678')
    expect(len(witness.who()), 9)
    expect(len(set(witness.who())), 1)
    until('he is not kept', lambda: not deliverers(lpd.service.process.pid))
    send_job(lpd.port, 'Laser', {'x': b'9'})
    lpd.until_empty()
    expect(len(set(witness.who())), 2)
    expect_no_news(lpd.service.end())


def test_another_target_has_another_one(bench):
    before, after = Witness(bench, 'before'), Witness(bench, 'after')
    add_printer(bench, 'Laser', before.target)
    lpd = Lpd(bench)
    send_job(lpd.port, 'Laser', {'x': b'one'})
    until_state(lpd, 'Laser', READY)
    move_printer(bench, 'Laser', after.target)
    until('the change is taken', lambda: 'applied' in set_waiting(bench, 'MaxConcurrentUsers', 99))
    send_job(lpd.port, 'Laser', {'x': b'two'})
    lpd.until_empty()
    expect((before.content(), after.content()), (b'one', b'two'))
    assert before.who() != after.who(), before.who()
    expect_no_news(lpd.service.end())


def test_who_has_no_job_is_killed(bench):
    """Also when he had been given one that he did not look at: that is no news, and nothing is marked."""
    witness = Witness(bench)
    add_printer(bench, 'Laser', witness.target)
    for numbers in ([signal.SIGKILL], [signal.SIGTERM, signal.SIGCONT]):
        lpd = Lpd(bench)
        pid = give_to_a_sleeper(lpd)
        for number in numbers:
            os.kill(pid, number)
        lpd.until_empty()
        expect_no_news(lpd.service.end())
        assert re.fullmatch(b'(12)+', witness.content()), witness.content()
        witness.out.unlink()


def test_a_job_that_was_just_given_is_removed(bench):
    witness = Witness(bench)
    add_printer(bench, 'Laser', witness.target)
    lpd = Lpd(bench)
    pid = give_to_a_sleeper(lpd)
    send_job(lpd.port, 'Laser', {'x': b'3'}, number=3)
    before = witness.content()
    expect(remove(lpd, 'Laser', 'tester', 2), 'job 2 is being dequeued\n')
    os.kill(pid, signal.SIGCONT)
    lpd.until_empty()
    expect(witness.content(), before + b'3')
    expect_no_news(lpd.service.end())


def test_who_has_no_job_ends_with_the_service(bench):
    """Also one who was given a job: the next service prints that."""
    witness = Witness(bench)
    add_printer(bench, 'Laser', witness.target)
    lpd = Lpd(bench)
    try:
        pid = give_to_a_sleeper(lpd)
        before = witness.content()
        lpd.kill()
        os.kill(pid, signal.SIGCONT)
        until('he has ended', lambda: os.waitpid(pid, os.WNOHANG)[0] == pid)
        lpd.start()
        lpd.until_empty()
        expect(witness.content(), before + b'2')
        lpd.service.end()
    finally:
        end_orphans()


def test_a_paused_queue_lets_him_go(bench):
    witness = Witness(bench)
    add_printer(bench, 'Laser', witness.target)
    lpd = Lpd(bench)
    send_job(lpd.port, 'Laser', {'x': b'one'})
    until_state(lpd, 'Laser', READY)
    pause(bench, 'Laser')
    until_state(lpd, 'Laser', r'\ALaser is paused')
    send_job(lpd.port, 'Laser', {'x': b'two'})
    until('he is gone', lambda: not deliverers(lpd.service.process.pid))
    expect(witness.content(), b'one')
    bench.regtool('delete', printer_key('Laser'), '/f')
    until_state(lpd, 'Laser', r'\ALaser is gone')
    add_printer(bench, 'Laser', witness.target)
    lpd.until_empty()
    expect(witness.content(), b'onetwo')
    expect_no_news(lpd.service.end())


def hold_damaged(bench, *contents):
    """Jobs of these contents, of which the one that is 'damaged' becomes so before any is printed."""
    out = bench.directory / 'out'
    add_printer(bench, 'Laser', str(out), Status=1)
    lpd = Lpd(bench)
    for content in contents:
        send_job(lpd.port, 'Laser', {'x': content})
    (lpd.spool / 'jobs' / lpd.waiting()[contents.index(b'damaged')] / '1').write_bytes(b'dam')
    pause(bench, 'Laser', 0)
    lpd.service.log.wait('was moved to held')
    lpd.until_empty()
    expect(out.read_bytes(), b''.join(content for content in contents if content != b'damaged'))
    expect(len(list((lpd.spool / 'held').iterdir())), 1)
    lpd.service.end()


def test_a_damaged_job_is_held(bench):
    hold_damaged(bench, b'damaged', b'whole')


def test_a_damaged_job_among_others_is_held(bench):
    hold_damaged(bench, b'one ', b'damaged', b'two')


def test_a_later_document_that_was_torn_is_marked(bench):
    gate, out = Gate(bench), bench.directory / 'out'
    out.mkdir()
    add_printer(bench, 'Laser', gate.target)
    lpd = Lpd(bench)
    for name in ('whole', 'torn', 'untouched'):
        send_job(lpd.port, 'Laser', {name: b'x'})
    gate.until_begun()
    pid = only_deliverer(lpd)
    gate.open()
    gate.until_begun(2)
    expect(only_deliverer(lpd), pid)
    until_state(lpd, 'Laser', r'printing\nRank.*\nactive .* torn ')
    move_printer(bench, 'Laser', f'{out}/')
    os.kill(pid, signal.SIGKILL)
    lpd.service.log.wait('job 00000002 .* is not printed yet: regstore-deliver was killed')
    lpd.service.log.wait('job 00000002 .* was interrupted: document 1 is printed again, and marked')
    lpd.until_empty()
    expect(sorted('again' in path.name for path in out.iterdir()), [False, True])
    lpd.service.end()


def test_a_new_retry_period_reaches_who_waits(bench):
    add_printer(bench, 'Laser', f'socket://127.0.0.1:{free_port()}')
    lpd = Lpd(bench, RetryPeriod=LONGEST)
    send_job(lpd.port, 'Laser', {'x': b'x'})
    until_state(lpd, 'Laser', r'\Awaiting for socket')
    retry = lambda pid: Path(f'/proc/{pid}/cmdline').read_bytes().split(b'--retry\0')[-1].split(b'\0')[0]
    expect(retry(only_deliverer(lpd)), b'%d' % LONGEST)
    assert 'applied' in set_waiting(bench, 'RetryPeriod', 250)

    def is_another():
        found = deliverers(lpd.service.process.pid)
        return len(found) == 1 and retry(found[0]) == b'250'
    until('another one waits', is_another)
    until_state(lpd, 'Laser', r'\Awaiting for socket')
    lpd.service.end()


def test_a_queue_is_printing_from_the_first_byte_on(bench):
    """Until then it is connecting, and the job can be removed."""
    with socket.create_server(('127.0.0.1', 0)) as server:
        server.settimeout(TIMEOUT)
        target = f'lpd://127.0.0.1:{server.getsockname()[1]}/q'
        add_printer(bench, 'Laser', target)
        lpd = Lpd(bench)
        send_job(lpd.port, 'Laser', {'x': b'x'})
        with server.accept()[0] as client:
            client.settimeout(TIMEOUT)
            expect(client.recv(1), b'\2')
            expect(lpq(lpd.port, 'Laser').split('\n')[:1], [f'Laser is ready and connecting to {target}'])
            assert re.search(r'^1st +tester ', lpq(lpd.port, 'Laser'), re.MULTILINE), lpq(lpd.port, 'Laser')
            expect(remove(lpd, 'Laser', 'tester', 1), 'job 1 is being dequeued\n')
            until_state(lpd, 'Laser', READY)
    expect(lpd.waiting(), [])
    expect_no_news(lpd.service.end())


def add_printers(bench, names, target):
    """Many at once."""
    patch = bench.directory / 'printers.reg'
    lines = ['Windows Registry Editor Version 5.00']
    port = target.replace('\\', '\\\\').replace('"', '\\"')
    for name in names:
        lines += ['', f'[HKEY_LOCAL_MACHINE{printer_key(name)[4:]}]', f'"Port"="{port}"']
    patch.write_text('\r\n'.join(lines) + '\r\n')
    bench.regtool('import', patch)


def test_many_queues_have_few_deliverers(bench):
    """Those who have printed all jobs of a queue make room for others."""
    witness = Witness(bench)
    names = [f'Laser{number}' for number in range(MOST + 20)]
    add_printers(bench, names, witness.target)
    lpd = Lpd(bench)
    for turn in range(2):
        for name in names:
            send_job(lpd.port, name, {'x': b'%d' % turn})
            assert len(deliverers(lpd.service.process.pid)) <= MOST
    lpd.until_empty()
    expect(sorted(witness.content()), sorted(b'0' * len(names) + b'1' * len(names)))
    expect_no_news(lpd.service.end())


def test_who_has_no_job_gives_way_before_who_waits(bench):
    """The place of one who waits would not be needed: he has it still when the job is printed."""
    out = bench.directory / 'out'
    away = [f'Away{number}' for number in range(MOST - 1)]
    add_printers(bench, away, f'socket://127.0.0.1:{free_port()}')
    add_printer(bench, 'Laser', '/dev/null')
    add_printer(bench, 'Other', str(out))
    lpd = Lpd(bench)
    for name in away:
        send_job(lpd.port, name, {'x': b'x'})
    for name in away:
        until_state(lpd, name, r'\Awaiting for socket.*refused')
    send_job(lpd.port, 'Laser', {'x': b'x'})
    until_state(lpd, 'Laser', READY)
    send_job(lpd.port, 'Other', {'x': b'here'})
    until('the job is printed', lambda: out.exists() and out.read_bytes() == b'here')
    expect([name for name in away if 'other queues' in lpq(lpd.port, name)], [])
    lpd.service.end()


def test_a_busy_queue_leaves_its_place_to_others(bench):
    """Where all places are taken, who has printed a job is not given the next one."""
    gate, out = Gate(bench), bench.directory / 'out'
    names = [f'Held{number}' for number in range(MOST - 1)]
    with socket.create_server(('127.0.0.1', 0), backlog=MOST) as server: # which takes all, and says nothing
        server.settimeout(TIMEOUT)
        add_printers(bench, names, f'socket://127.0.0.1:{server.getsockname()[1]}')
        add_printer(bench, 'Laser', gate.target)
        add_printer(bench, 'Other', str(out))
        lpd = Lpd(bench)
        for name in names:
            send_job(lpd.port, name, {'x': b'x'})
        for name in names:
            until_state(lpd, name, 'printing')
        for _ in range(5):
            send_job(lpd.port, 'Laser', {'x': b'x'})
        gate.until_begun()
        send_job(lpd.port, 'Other', {'x': b'here'})
        until_state(lpd, 'Other', r'\Awaiting for .*: other queues are being printed')
        gate.open_each(4)
        gate.until_begun(5)
        expect(out.exists() and out.read_bytes(), b'here')
        gate.open()
        for _ in names:
            with server.accept()[0] as client:
                expect(client.makefile('rb').read(), b'x')
        lpd.until_empty()
    expect_no_news(lpd.service.end())


if __name__ == '__main__':
    sys.exit(run_tests(__doc__, dict(globals()), run_printing_test))
