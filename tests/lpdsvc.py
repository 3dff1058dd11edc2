#!/usr/bin/env python3
"""Runs the LPD service with a client of the test's own: queues, their targets, and what clients may do.

    tests/lpdsvc.py [--bin DIR] [TEST...]

Each service has a store, a spool and a port of 127.0.0.1 of its own. What holds a job up in the
middle of its printing is a command that waits at a FIFO, so nothing sleeps to be lucky. Clients and a
print server that nobody here wrote are in other tests. Ends with "N passed, N failed, N skipped".
"""

import os
import re
import signal
import socket
import subprocess
import sys

from lpd_rig import (PARAMETERS, PRINT, PROGRAM, Refused, add_printer, ask, connect, end_orphans,
                     expect_zero, lpq, send_job, set_text)
from lpdsvc_bench import (Gate, Lpd, deliverers, move_printer, pause, printer_key, remove, resume, run_printing_test,
                          set_waiting, until_state)
from samba_rig import free_port, until
from services_bench import TIMEOUT, Skip, expect, run_tests

HEAD = 'Rank   Owner      Job  Files                                 Total Size\n'
RETRY = 250 # ms: the shortest RetryPeriod


# ---- Tests; a function test_NAME(bench) is one

def test_jobs_come_out_of_each_kind_of_target(bench):
    directory = bench.directory / 'jobs'
    directory.mkdir()
    port = free_port()
    add_printer(bench, 'File', str(bench.directory / 'file'))
    add_printer(bench, 'Directory', f'{directory}/')
    add_printer(bench, 'Command', f'|tr a-z A-Z >>{bench.directory}/command')
    add_printer(bench, 'Raw', f'socket://127.0.0.1:{port}')
    add_printer(bench, 'LPT', 'LPT1:')
    set_text(bench, f'{PRINT}\\DeviceMap\\LPT1', 'Target', str(bench.directory / 'lpt'))
    lpd = Lpd(bench)
    add_printer(bench, 'Other', f'lpd://127.0.0.1:{lpd.port}/Directory')
    until('the queue is there', lambda: 'unknown' not in lpq(lpd.port, 'Other'))
    with socket.create_server(('127.0.0.1', port)) as server:
        for name in ('File', 'directory', 'COMMAND', 'Raw', 'LPT', 'Other'):
            send_job(lpd.port, name, {'a.txt': b'content\0of ', 'b.txt': name.encode()})
        server.settimeout(TIMEOUT)
        raw = b''
        while raw != b'content\0of Raw':
            with server.accept()[0] as client:
                client.settimeout(TIMEOUT)
                while block := client.recv(65536):
                    raw += block
            assert b'content\0of Raw'.startswith(raw), raw
        lpd.until_empty()
    until('what was passed on is there', lambda: len(list(directory.iterdir())) == 4)
    expect((bench.directory / 'file').read_bytes(), b'content\0of File')
    expect((bench.directory / 'command').read_bytes(), b'CONTENT\0OF COMMAND')
    expect((bench.directory / 'lpt').read_bytes(), b'content\0of LPT')
    expect(sorted(path.read_bytes() for path in directory.iterdir()),
           [b'Other', b'content\0of ', b'content\0of ', b'directory'])
    lpd.service.end()


def test_a_queue_keeps_its_order(bench):
    gate = Gate(bench)
    add_printer(bench, 'Laser', gate.target)
    add_printer(bench, 'Other', str(bench.directory / 'other'))
    lpd = Lpd(bench)
    jobs = [f'<{number}>'.encode() for number in range(20)]
    send_job(lpd.port, 'Laser', {'first': b'first'})
    gate.until_begun()
    for number, content in enumerate(jobs):
        send_job(lpd.port, 'Laser', {'x': content}, number=number, data_first=number % 2 == 0)
    send_job(lpd.port, 'Other', {'x': b'not held up'})
    until('another queue is not held up', lambda: (bench.directory / 'other').exists())
    move_printer(bench, 'Laser', f'|cat >>{gate.out}')
    gate.open()
    lpd.until_empty()
    expect(gate.content(), b'first' + b''.join(jobs))
    lpd.service.end()


def test_queues_tell_their_state(bench):
    gate = Gate(bench)
    add_printer(bench, 'Laser', gate.target)
    set_text(bench, printer_key('Laser'), 'Share Name', 'LASER2')
    lpd = Lpd(bench)
    expect(lpq(lpd.port, 'laser'), 'Laser is ready\nno entries\n')
    expect(lpq(lpd.port, 'nowhere'), 'unknown printer: "nowhere"\n')
    send_job(lpd.port, 'Laser2', {'report.ps': b'1234', 'b': b'5'}, number=17)
    send_job(lpd.port, 'Laser', {'letter': b'12'}, number=18, user='eve')
    gate.until_begun()
    first = 'active tester     17   report.ps, b                          5 bytes\n'
    second = '1st    eve        18   letter                                2 bytes\n'
    expect(lpq(lpd.port, 'Laser'), f'Laser is ready and printing\n{HEAD}{first}{second}')
    expect(ask(lpd.port, b'\3Laser eve\n'), f'Laser is ready and printing\n{HEAD}{second}')
    expect(ask(lpd.port, b'\3Laser 17 x\n'), f'Laser is ready and printing\n{HEAD}{first}')
    expect(ask(lpd.port, b'\3Laser bob\n'), 'Laser is ready and printing\nno entries\n')
    expect(lpq(lpd.port, 'Laser', long=True), '''Laser is ready and printing

tester: active                           [job 017bench]
        report.ps                        4 bytes
        b                                1 bytes

eve: 1st                                 [job 018bench]
        letter                           2 bytes
''')
    pause(bench, 'Laser')
    until_state(lpd, 'Laser', r'\ALaser is paused\nRank')
    gate.open_each(2)
    until_state(lpd, 'Laser', r'\ALaser is paused\nRank.*\n1st +eve')
    pause(bench, 'Laser', 0)
    gate.until_begun(3)
    gate.open()
    lpd.until_empty()
    lpd.service.end()


def test_a_target_that_is_away_is_tried_again(bench):
    port = free_port()
    add_printer(bench, 'Raw', f'socket://127.0.0.1:{port}')
    lpd = Lpd(bench, RetryPeriod=RETRY)
    send_job(lpd.port, 'Raw', {'x': b'at last'})
    until_state(lpd, 'Raw', rf'\Awaiting for socket://127\.0\.0\.1:{port}: .*refused')
    with socket.create_server(('127.0.0.1', port)) as server:
        server.settimeout(TIMEOUT)
        with server.accept()[0] as client:
            expect(client.makefile('rb').read(), b'at last')
        lpd.until_empty()
    # Its deliverer may still have to end.
    until_state(lpd, 'Raw', r'\ARaw is ready\nno entries\n\Z')
    lpd.service.end()


def test_a_target_s_words_are_one_line_of_text(bench):
    """What a command says is told to people, in the state and in the log, without what moves a cursor."""
    add_printer(bench, 'Laser', "|printf 'no\\033[2Jpaper\\rhere\\n' >&2; exit 75")
    lpd = Lpd(bench)
    send_job(lpd.port, 'Laser', {'x': b'x'})
    until_state(lpd, 'Laser', r'no.*paper.*here')
    told = lpd.service.log.wait('no.*paper.*here').string + lpq(lpd.port, 'Laser')
    assert '\033' not in told and '\r' not in told, repr(told)
    lpd.service.end()


def test_a_client_ends_a_pause(bench):
    """With the longest pause that there is, only a request can be what ends it."""
    port = free_port()
    add_printer(bench, 'Raw', f'socket://127.0.0.1:{port}')
    lpd = Lpd(bench, RetryPeriod=0xffffffff)
    send_job(lpd.port, 'Raw', {'x': b'now'})
    until_state(lpd, 'Raw', r'\Awaiting for socket:')
    with socket.create_server(('127.0.0.1', port)) as server:
        server.settimeout(TIMEOUT)
        expect(resume(lpd, 'raw'), b'\0')
        with server.accept()[0] as client:
            expect(client.makefile('rb').read(), b'now')
    lpd.until_empty()
    lpd.service.end()


def test_a_queue_that_leads_nowhere_waits(bench):
    out = bench.directory / 'out'
    add_printer(bench, 'Laser', 'LPT1:')
    add_printer(bench, 'Share', '\\\\127.0.0.1\\Printer')
    lpd = Lpd(bench)
    send_job(lpd.port, 'Laser', {'x': b'here'})
    lpd.service.log.wait('job 00000001 of "tester" for "Laser" is waiting: .*LPT1.*not rerouted')
    send_job(lpd.port, 'Share', {'x': b'there'})
    until_state(lpd, 'Laser', r'\Awaiting: .*LPT1.*not rerouted')
    until_state(lpd, 'Share', r'\Awaiting.*(NullSession|credentials)')
    set_text(bench, f'{PRINT}\\DeviceMap\\LPT1', 'Target', str(out))
    until('the job is printed', lambda: out.exists() and out.read_bytes() == b'here')
    expect(remove(lpd, 'Share', 'tester', 1), 'job 1 is being dequeued\n')
    lpd.until_empty()
    lpd.service.end()


# ---- Removing

def test_jobs_are_removed_by_their_owners(bench):
    gate = Gate(bench)
    add_printer(bench, 'Laser', gate.target, Status=1)
    lpd = Lpd(bench)
    for number, user in enumerate(('bob', 'eve', 'bob', 'eve', 'bob'), 1):
        send_job(lpd.port, 'Laser', {'x': b'%d' % number}, number=number, user=user)
    numbers = lambda: re.findall(r'^\w+ +\w+ +(\d+) ', lpq(lpd.port, 'Laser'), re.MULTILINE)
    expect(remove(lpd, 'Laser', 'eve', 1), 'job 1 is not yours\n')
    expect(remove(lpd, 'Laser', 'bob', 7), 'no job of yours is meant\n')
    expect(remove(lpd, 'Laser', 'bob', 1, source='127.0.0.2'), 'job 1 is not yours\n')
    expect(remove(lpd, 'Laser', 'root', 1, source='127.0.0.2'), 'job 1 is not yours\n')
    expect(remove(lpd, 'nowhere', 'root', 1), 'unknown printer: "nowhere"\n')
    expect(numbers(), ['1', '2', '3', '4', '5'])
    expect(remove(lpd, 'laser', 'bob', 3), 'job 3 dequeued\n')
    expect(remove(lpd, 'Laser', 'eve', 'eve'), 'job 2 dequeued\njob 4 dequeued\n')
    expect(numbers(), ['1', '5'])
    expect(remove(lpd, 'Laser', 'bob'), 'job 1 dequeued\n') # the first one
    expect(len(lpd.waiting()), 1)
    expect(remove(lpd, 'Laser', 'root', 'bob'), 'job 5 dequeued\n')
    expect(lpd.waiting(), [])
    lpd.service.end()


def test_a_queue_s_name_may_have_blanks(bench):
    """Whoever asks for its state or removes a job says the name in one line with users and numbers."""
    for name in 'HP', 'HP LaserJet 4':
        add_printer(bench, name, '/dev/null', Status=1)
    lpd = Lpd(bench)
    for number, user in (1, 'bob'), (2, 'eve'):
        send_job(lpd.port, 'HP LaserJet 4', {'x': b'1'}, number=number, user=user)
    assert lpq(lpd.port, 'hp laserjet 4').startswith('HP LaserJet 4 is paused\nRank')
    expect(ask(lpd.port, b'\3HP LaserJet 4 eve\n').count('bytes'), 1)
    expect(ask(lpd.port, b'\3HP LaserJet\n'), 'HP is paused\nno entries\n')
    expect(ask(lpd.port, b'\3HP Laser Jet\n'), 'HP is paused\nno entries\n')
    expect(ask(lpd.port, b'\3H P\n'), 'unknown printer: "H"\n')
    expect(remove(lpd, 'HP LaserJet 4', 'eve', 2), 'job 2 dequeued\n')
    expect(len(lpd.waiting()), 1)
    lpd.service.end()


def test_removing_may_be_forbidden(bench):
    add_printer(bench, 'Laser', '/dev/null', Status=1)
    lpd = Lpd(bench)
    send_job(lpd.port, 'Laser', {'x': b'x'})
    assert 'applied' in set_waiting(bench, 'AllowJobRemoval', 0)
    expect(remove(lpd, 'Laser', 'root', 1), 'jobs cannot be removed here\n')
    expect(len(lpd.waiting()), 1)
    assert 'applied' in set_waiting(bench, 'AllowJobRemoval', 1)
    expect(remove(lpd, 'Laser', 'root', 1), 'job 1 dequeued\n')
    lpd.service.end()


def test_the_job_in_hand_is_removed_if_it_only_waits(bench):
    gate = Gate(bench)
    add_printer(bench, 'Raw', f'socket://127.0.0.1:{free_port()}')
    add_printer(bench, 'Laser', gate.target)
    lpd = Lpd(bench)
    send_job(lpd.port, 'Raw', {'x': b'x'}, number=1)
    send_job(lpd.port, 'Laser', {'x': b'x'}, number=2)
    gate.until_begun()
    expect(remove(lpd, 'Laser', 'tester', 2), 'job 2 is being printed\n')
    until_state(lpd, 'Raw', r'\Awaiting for')
    expect(remove(lpd, 'Raw', 'tester'), 'job 1 is being dequeued\n')
    until_state(lpd, 'Raw', r'\ARaw is ready\nno entries')
    expect(len(lpd.waiting()), 1)
    gate.open()
    lpd.until_empty()
    expect(gate.content(), b'x')
    lpd.service.end()


# ---- Pausing

def test_a_paused_queue_takes_jobs_and_waits(bench):
    out = bench.directory / 'out'
    add_printer(bench, 'Laser', str(out), Status=1)
    lpd = Lpd(bench)
    send_job(lpd.port, 'Laser', {'x': b'one '})
    expect(lpq(lpd.port, 'Laser').split('\n')[0], 'Laser is paused')
    assert resume(lpd, 'nowhere') != b'\0'
    assert 'applied' in set_waiting(bench, 'AllowPrinterResume', 0)
    assert resume(lpd, 'Laser') != b'\0'
    expect(lpq(lpd.port, 'Laser').split('\n')[0], 'Laser is paused')
    assert 'applied' in set_waiting(bench, 'AllowPrinterResume', 1)
    expect(resume(lpd, 'Laser'), b'\0')
    lpd.until_empty()
    # It stays so until the registry says something new.
    send_job(lpd.port, 'Laser', {'x': b'two '})
    lpd.until_empty()
    pause(bench, 'Laser', 3)
    until_state(lpd, 'Laser', r'\ALaser is paused')
    send_job(lpd.port, 'Laser', {'x': b'three'})
    until_state(lpd, 'Laser', r'\ALaser is paused\nRank')
    pause(bench, 'Laser', 2)
    lpd.until_empty()
    expect(out.read_bytes(), b'one two three')
    lpd.service.end()


# ---- Settings and printers that change

def test_settings_are_live(bench):
    add_printer(bench, 'Laser', '/dev/null')
    lpd = Lpd(bench)
    assert 'applied' in set_waiting(bench, 'MaxConcurrentUsers', 1)
    with connect(lpd.port) as first:
        first.sendall(b'\2Laser\n')
        expect_zero(first, 'queue')
        with connect(lpd.port) as second:
            assert second.recv(1) != b'\0'
        assert 'applied' in set_waiting(bench, 'MaxConcurrentUsers', 2)
        with connect(lpd.port) as second:
            second.sendall(b'\2Laser\n')
            expect_zero(second, 'queue')
    old, port = lpd.port, free_port()
    assert 'applied' in set_waiting(bench, 'ListenPort', port)
    send_job(port, 'Laser', {'x': b'x'})
    try:
        connect(old).close()
        raise AssertionError('it listens where it did')
    except ConnectionRefusedError:
        pass
    with socket.create_server(('127.0.0.1', 0)) as taken:
        result = bench.run('regtool', '--store', bench.store, 'add', PARAMETERS, '/v', 'ListenPort', '/t',
                           'REG_DWORD', '/d', str(taken.getsockname()[1]), '/f', '--wait')
        assert 'rejected' in result.stdout + result.stderr, result
    send_job(port, 'Laser', {'x': b'x'})
    assert 'applied' in set_waiting(bench, 'ListenPort', port)
    assert 'applied' in set_waiting(bench, 'RestrictSourcePorts', 1)
    try:
        send_job(port, 'Laser', {'x': b'x'})
        raise AssertionError('any source port is served')
    except (Refused, ConnectionError):
        pass
    lpd.service.end()


def test_a_port_that_changes_leaves_the_job_in_hand(bench):
    gate, out = Gate(bench), bench.directory / 'out'
    add_printer(bench, 'Laser', gate.target)
    lpd = Lpd(bench)
    send_job(lpd.port, 'Laser', {'a': b'old ', 'b': b'target'})
    send_job(lpd.port, 'Laser', {'x': b'new target'})
    gate.until_begun()
    move_printer(bench, 'Laser', str(out))
    gate.open_each(2)
    lpd.until_empty()
    expect((gate.content(), out.read_bytes()), (b'old target', b'new target'))
    lpd.service.end()


def test_a_port_that_changes_takes_the_job_that_waits(bench):
    out = bench.directory / 'out'
    add_printer(bench, 'Raw', f'socket://127.0.0.1:{free_port()}')
    lpd = Lpd(bench, RetryPeriod=86400000)
    send_job(lpd.port, 'Raw', {'x': b'x'})
    until_state(lpd, 'Raw', r'\Awaiting for socket')
    move_printer(bench, 'Raw', str(out))
    lpd.until_empty()
    expect(out.read_bytes(), b'x')
    lpd.service.end()


def test_jobs_wait_for_a_printer_that_is_gone(bench):
    out = bench.directory / 'out'
    add_printer(bench, 'Laser', str(out), Status=1)
    lpd = Lpd(bench)
    send_job(lpd.port, 'Laser', {'x': b'x'})
    bench.regtool('delete', printer_key('Laser'), '/f')
    until_state(lpd, 'Laser', r'\ALaser is gone; its jobs wait until it is back\nRank')
    try:
        send_job(lpd.port, 'Laser', {'x': b'y'})
        raise AssertionError('a printer that is gone takes jobs')
    except (Refused, ConnectionError):
        pass
    lpd.service.end()
    lpd.start()
    until_state(lpd, 'Laser', r'\ALaser is gone')
    add_printer(bench, 'LASER', str(out))
    lpd.until_empty()
    expect(out.read_bytes(), b'x')
    lpd.service.end()


# ---- The service's end, and its begin

def test_jobs_outlive_the_service(bench):
    out = bench.directory / 'out'
    add_printer(bench, 'Laser', str(out), Status=1)
    lpd = Lpd(bench)
    for number in range(5):
        send_job(lpd.port, 'Laser', {'x': b'%d' % number})
    lpd.service.end()
    lpd.start()
    send_job(lpd.port, 'Laser', {'x': b'5'})
    lpd.kill()
    pause(bench, 'Laser', 0)
    lpd.start()
    lpd.until_empty()
    expect(out.read_bytes(), b'012345')
    lpd.service.end()


def test_a_document_on_its_way_outlives_the_service(bench):
    """Also one that is killed; the next service waits for it, and it comes out once."""
    for end in (lambda lpd: lpd.kill(), lambda lpd: lpd.service.end()):
        gate = Gate(bench, f'gate{id(end)}')
        add_printer(bench, 'Laser', gate.target)
        lpd = Lpd(bench)
        send_job(lpd.port, 'Laser', {'x': b'once'})
        gate.until_begun()
        end(lpd)
        lpd.start()
        send_job(lpd.port, 'Laser', {'x': b' more'})
        until_state(lpd, 'Laser', r'printing\nRank.*\nactive .*\n1st ')
        gate.open()
        gate.until_begun(2)
        gate.open()
        lpd.until_empty()
        expect(gate.content(), b'once more')
        log = lpd.service.end()
        assert not [line for line in log if 'again' in line], log


def test_who_only_waits_ends_with_the_service(bench):
    add_printer(bench, 'Raw', f'socket://127.0.0.1:{free_port()}')
    lpd = Lpd(bench, RetryPeriod=86400000)
    send_job(lpd.port, 'Raw', {'x': b'x'})
    until_state(lpd, 'Raw', r'\Awaiting for')
    (deliverer,) = deliverers(lpd.service.process.pid)
    try:
        lpd.kill()
        until('the deliverer has ended', lambda: os.waitpid(deliverer, os.WNOHANG)[0] == deliverer)
    finally:
        end_orphans()


def test_a_document_that_was_torn_is_marked(bench):
    out = bench.directory / 'out'
    gate = Gate(bench)
    out.mkdir()
    add_printer(bench, 'Laser', gate.target)
    lpd = Lpd(bench)
    send_job(lpd.port, 'Laser', {'report': b'x'})
    gate.until_begun()
    (deliverer,) = deliverers(lpd.service.process.pid)
    move_printer(bench, 'Laser', f'{out}/')
    os.kill(deliverer, signal.SIGKILL)
    lpd.service.log.wait('is not printed yet: regstore-deliver was killed')
    lpd.service.log.wait('was interrupted: document 1 is printed again, and marked')
    lpd.until_empty()
    (path,) = out.iterdir()
    assert 'again' in path.name, path.name
    lpd.service.end()


def test_a_spool_that_cannot_be_used(bench):
    out = bench.directory / 'out'
    add_printer(bench, 'Laser', str(out))
    (bench.directory / 'spool').write_text('in the way')
    lpd = Lpd(bench)
    assert 'no jobs are taken: ' in lpd.service.log.seen[-1], lpd.service.log.seen
    expect(lpq(lpd.port, 'Laser'), 'Laser is ready\nno entries\n')
    try:
        send_job(lpd.port, 'Laser', {'x': b'x'})
        raise AssertionError('a job is taken')
    except (Refused, ConnectionError):
        pass
    (bench.directory / 'spool').unlink()
    lpd.service.send(signal.SIGHUP)
    until('the spool is there', (lpd.spool / 'jobs').is_dir)
    lpd.service.log.wait('revision')
    send_job(lpd.port, 'Laser', {'x': b'x'})
    lpd.until_empty()
    expect(out.read_bytes(), b'x')
    lpd.service.end()


def test_one_has_the_spool(bench):
    add_printer(bench, 'Laser', '/dev/null')
    lpd = Lpd(bench)
    second = bench.start(PROGRAM, options=('--name', 'second', '--spool', lpd.spool))
    second.log.wait('no jobs are taken: ')
    send_job(lpd.port, 'Laser', {'x': b'x'})
    lpd.until_empty()
    second.end()
    lpd.service.end()


def test_a_full_disk_refuses_the_job(bench):
    spool, out = bench.directory / 'spool', bench.directory / 'out'
    spool.mkdir()
    mounted = subprocess.run(['mount', '-t', 'tmpfs', '-o', 'size=4m,mode=700', 'tmpfs', spool], check=False,
                             capture_output=True)
    if mounted.returncode:
        raise Skip('only root can mount a small disk')
    try:
        add_printer(bench, 'Laser', str(out))
        lpd = Lpd(bench)
        try:
            send_job(lpd.port, 'Laser', {'x': bytes(8 << 20)})
            raise AssertionError('more is taken than the disk has')
        except (Refused, ConnectionError):
            pass
        until('what was refused is gone', lambda: not list((spool / 'incoming').iterdir()))
        send_job(lpd.port, 'Laser', {'x': b'small'})
        lpd.until_empty()
        expect(out.read_bytes(), b'small')
        lpd.service.end()
    finally:
        subprocess.run(['umount', '-l', spool], check=True)


# ---- Commands, and the service manager's socket

def test_net_stops_and_starts_it(bench):
    gate, out = Gate(bench), bench.directory / 'out'
    add_printer(bench, 'Laser', gate.target)
    add_printer(bench, 'Raw', f'socket://127.0.0.1:{free_port()}')
    lpd = Lpd(bench)
    send_job(lpd.port, 'Laser', {'x': b'in hand'})
    send_job(lpd.port, 'Laser', {'x': b'next'})
    send_job(lpd.port, 'Raw', {'x': b'x'})
    gate.until_begun()
    until_state(lpd, 'Raw', r'\Awaiting for')
    assert 'TCP/IP Print Server service was stopped' in bench.regtool('net', 'stop', 'LPDSVC')
    try:
        connect(lpd.port).close()
        raise AssertionError('it listens')
    except ConnectionRefusedError:
        pass
    until('who waited has ended', lambda: len(deliverers(lpd.service.process.pid)) == 1)
    move_printer(bench, 'Laser', str(out))
    gate.open()
    until('what was in hand is printed', lambda: len(lpd.waiting()) == 2)
    until('nobody prints', lambda: not deliverers(lpd.service.process.pid))
    expect((gate.content(), out.exists()), (b'in hand', False))
    bench.regtool('net', 'start', 'lpdsvc')
    until('the next one is printed', lambda: out.exists() and out.read_bytes() == b'next')
    lpd.service.end()


def test_the_manager_hands_a_socket_over(bench):
    out = bench.directory / 'out'
    add_printer(bench, 'Laser', str(out))
    bench.set_dword(PARAMETERS, 'ListenPort', 0)
    with socket.create_server(('127.0.0.1', 0)) as listener:
        port = listener.getsockname()[1]
        script = bench.directory / PROGRAM
        script.write_text(f'#!/bin/bash\nexport LISTEN_PID=$$ LISTEN_FDS=1 LISTEN_FDNAMES=lpd\n'
                          f'exec {bench.bin}/{PROGRAM} "$@" 3<&{listener.fileno()}\n')
        script.chmod(0o755)
        service = bench.start(script, options=('--spool', bench.directory / 'spool'),
                              pass_fds=[listener.fileno()])
    service.log.wait('started with')
    send_job(port, 'Laser', {'x': b'one '})
    bench.regtool('net', 'stop', 'lpdsvc')
    with connect(port) as client:
        assert client.recv(1) != b'\0'
    bench.regtool('net', 'start', 'lpdsvc')
    send_job(port, 'Laser', {'x': b'two'})
    until('both are printed', lambda: out.exists() and out.read_bytes() == b'one two')
    service.end()


def test_many_queues_that_are_away_leave_room_for_others(bench):
    """More than are printed at a time."""
    port, out = free_port(), bench.directory / 'out'
    patch = bench.directory / 'printers.reg'
    lines = ['Windows Registry Editor Version 5.00']
    for number in range(70):
        lines += ['', f'[HKEY_LOCAL_MACHINE{printer_key(f"Away{number}")[4:]}]',
                  f'"Port"="socket://127.0.0.1:{port}"']
    patch.write_text('\r\n'.join(lines) + '\r\n')
    bench.regtool('import', patch)
    add_printer(bench, 'Laser', str(out))
    lpd = Lpd(bench)
    for number in range(70):
        send_job(lpd.port, f'Away{number}', {'x': b'x'})
    send_job(lpd.port, 'Laser', {'x': b'here'})
    until('the queue that can be printed is', lambda: out.exists() and out.read_bytes() == b'here')
    assert len(deliverers(lpd.service.process.pid)) <= 64
    lpd.service.end()


def test_check_tells_the_settings(bench):
    bench.set_dword(PARAMETERS, 'MaxConcurrentUsers', 7)
    done = bench.run(PROGRAM, '--store', bench.store, '--check')
    expect(done.returncode, 0)
    assert re.search(r'MaxConcurrentUsers +set .* 7$', done.stdout, re.MULTILINE), done.stdout
    assert re.search(r'ListenPort +default +0-65535 .* 5150$', done.stdout, re.MULTILINE), done.stdout
    assert not (bench.directory / 'spool').exists()


if __name__ == '__main__':
    sys.exit(run_tests(__doc__, dict(globals()), run_printing_test))
