#!/usr/bin/env python3
"""Attacks a running LPD service as strangers on the network would.

    tests/lpd_strangers.py [--bin DIR] [--seed N] [TEST...]

Control files that lie in every line, names of files and queues that are paths, sizes that cannot be,
clients that stop in the middle, crowds beyond MaxConcurrentUsers, clients that do not read, and
conversations with bytes changed at random; the seed of those is printed when one fails. After each
attack nothing is left in the spool but the jobs that were acknowledged, a client that behaves is
served, and the service ends in order. Ends with "N passed, N failed, N skipped".
"""

import os
import random
import resource
import socket
import struct
import sys
import time
from pathlib import Path

from lpd_rig import (PARAMETERS, Lpd, add_printer, ask, connect, control_file, lpq,
                     require_printing, send_job)
from print_bench import resident_kib
from samba_rig import until
from services_bench import TIMEOUT, expect, run_tests

MOST_GROWTH = 8 * 1024 # KiB that strangers may make a service hold
MEBIBYTE = 1 << 20
SEED = [time.time_ns() % 1_000_000]
YES, NO = b'\0', b'\1'
PAUSED = 1 # of a printer: its jobs stay where they can be counted


def start(bench, **parameters):
    require_printing(bench)
    add_printer(bench, 'lp', str(bench.directory / 'out'), Status=PAUSED)
    return Lpd(bench, **parameters)


def end(lpd):
    """Ends the service, in order; what it has said."""
    lpd.close()
    return lpd.reader.lines()


def spooled(lpd, what='jobs'):
    return [path.name for path in (lpd.spool / what).iterdir()]


def check_served(lpd, jobs=0):
    """Nothing is left but so many jobs, and one more is taken."""
    until('nothing is being received', lambda: not spooled(lpd, 'incoming'))
    expect(len(spooled(lpd)), jobs)
    send_job(lpd.port, 'lp', {'a title': b'good'})
    expect(len(spooled(lpd)), jobs + 1)
    assert 'a title' in lpq(lpd.port, 'lp'), lpq(lpd.port, 'lp')


def is_sanitized(lpd):
    """Whether its memory is a sanitizer's, of which nothing can be said."""
    return b'libasan' in Path(f'/proc/{lpd.service.process.pid}/maps').read_bytes()


def memory(lpd):
    return resident_kib(lpd.service.process.pid)


def check_memory(lpd, before):
    grown = memory(lpd) - before
    assert is_sanitized(lpd) or grown < MOST_GROWTH, f'{grown} KiB more than before'


def file(code, name, content, size=None):
    """A sub-command and its file."""
    return b'%c%d %s\n' % (code, len(content) if size is None else size, name) + content + b'\0'


def job(number=1, content=b'content', data_first=False):
    """A whole conversation, in its parts."""
    control, names = control_file(['a title'], number=number)
    parts = [file(2, b'cf' + names[0][2:], control), file(3, names[0], content)]
    return [b'\2lp\n', *(reversed(parts) if data_first else parts)]


def answers_to(port, sent):
    """All that is answered to these bytes, after which the client sends no more."""
    with connect(port) as client:
        try:
            client.sendall(sent)
            client.shutdown(socket.SHUT_WR)
        except OSError:
            pass # what it has said already counts
        answer = b''
        try:
            while block := client.recv(65536):
                answer += block
        except ConnectionResetError:
            pass
        return answer


def check_refused(lpd, *sent, after=b'\2lp\n'):
    """The last of what is said after "receive job" is answered with no."""
    answer = answers_to(lpd.port, after + b''.join(sent))
    assert answer.endswith((NO, b'\2')) and answer[:-1].strip(YES) == b'', (sent, answer)


# ---- Conversations

def test_cut_at_every_byte(bench):
    """The client goes away in the middle of whatever it says, with a good-bye and without."""
    lpd = start(bench)
    for data_first in (False, True):
        whole = b''.join(job(data_first=data_first))
        for cut in range(len(whole) - 1): # without its last byte, the zero, it is complete
            with connect(lpd.port) as client:
                client.sendall(whole[:cut])
                if cut % 2:
                    client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack('ii', 1, 0))
    check_served(lpd)
    end(lpd)


def test_split_at_every_byte(bench):
    """The answers are the same in whatever pieces a job comes, and so is the job."""
    lpd = start(bench)
    whole = b''.join(job() + job(2, data_first=True)[1:])
    wanted = answers_to(lpd.port, whole)
    expect(wanted, YES * 9)
    for cut in range(1, len(whole), 5):
        with connect(lpd.port) as client:
            client.sendall(whole[:cut])
            client.sendall(whole[cut:])
            client.shutdown(socket.SHUT_WR)
            expect(client.makefile('rb').read(), wanted)
    with connect(lpd.port) as client:
        for position in range(len(whole)):
            client.send(whole[position:position + 1])
        client.shutdown(socket.SHUT_WR)
        expect(client.makefile('rb').read(), wanted)
    jobs = spooled(lpd)
    expect(len(jobs), 2 * (2 + len(range(1, len(whole), 5))))
    for each in jobs:
        expect((lpd.spool / 'jobs' / each / '1').read_bytes(), b'content')
    check_served(lpd, len(jobs))
    end(lpd)


def test_bytes_changed_at_random(bench):
    """Whatever a conversation becomes, it is a job that was acknowledged, or nothing. Nothing is printed:
    one that asks for that by chance would leave spares where jobs are received."""
    lpd = start(bench, AllowPrinterResume=0)
    before = memory(lpd)
    chance = random.Random(SEED[0])
    try:
        for _ in range(1000):
            said = bytearray(b''.join(job(chance.randrange(1000), data_first=chance.random() < 0.5)))
            for _ in range(chance.randrange(1, 6)):
                position = chance.randrange(len(said))
                kind = chance.randrange(4)
                if kind == 0:
                    del said[position]
                elif kind == 1:
                    said.insert(position, chance.choice((0, 1, 2, 3, 10, 32, 47, 48, 57, 255)))
                else:
                    said[position] = chance.randrange(256)
            answers_to(lpd.port, bytes(said))
        until('nothing is being received', lambda: not spooled(lpd, 'incoming'))
        for each in spooled(lpd):
            expect({path.name for path in (lpd.spool / 'jobs' / each).iterdir()} >= {'facts', '1'}, True)
        check_memory(lpd, before)
        check_served(lpd, len(spooled(lpd)))
        end(lpd)
    except BaseException:
        print(f'lpd_strangers: --seed {SEED[0]}')
        raise


# ---- Lies

CONTROL_LIES = {
    'nothing': b'',
    'no file': b'Hh\nPp\nJj\n',
    'a path': b'Hh\nf/etc/passwd\n',
    'a path above': b'Hh\nfdfA001../../../etc/passwd\n',
    'two dots': b'Hh\nfdfA001..\n',
    'a file not sent': b'Hh\nfdfB001h\n',
    'another control file': b'Hh\nfcfA001h\n',
    'a path to remove': b'Hh\nfdfA001h\nU/etc/passwd\n',
    'a zero': b'Hh\0h\nfdfA001h\n',
    'a long line': b'J' + b'x' * 1100 + b'\nfdfA001h\n',
    'a line of 64 KB': b'H' + b'x' * 65400 + b'\nfdfA001h\n',
    'many copies': b'fdfA001h\n' * 101,
    'many files': b''.join(b'fdfA%03dh\n' % number for number in range(60)),
    'two formats': b'fdfA001h\nldfA001h\n',
    'no format': b'zdfA001h\n',
}


def test_control_files_that_lie(bench):
    lpd = start(bench)
    data = file(3, b'dfA001h', b'content')
    for name, control in CONTROL_LIES.items():
        answer = answers_to(lpd.port, b'\2lp\n' + data + file(2, b'cfA001h', control))
        expect((name, answer), (name, YES * 4 + NO))
        first = answers_to(lpd.port, b'\2lp\n' + file(2, b'cfA001h', control) + data)
        assert first.startswith(YES * 2) and NO in first, (name, first)
    check_served(lpd)
    assert len(end(lpd)) < 40


def test_texts_that_lie(bench):
    """What a person reads of a job is text, whatever the client called itself."""
    lpd = start(bench)
    control = (b'H\x1b]0;owned\x07' + b'h' * 300 + b'\nP\xff\xfe\x9b31m' +
               '\u202eevil\u2069\u200b\u200f\ufeff\U000e0041'.encode() + b'\nJ' + b'\r\x08\xc3\xa4\xed\xa0\x80' * 40 +
               b'\nfdfA001h\nN../../../../etc/passwd\n')
    expect(answers_to(lpd.port, b'\2lp\n' + file(2, b'cfA001h', control) + file(3, b'dfA001h', b'x')), YES * 5)
    for code in (3, 4):
        state = ask(lpd.port, b'%clp\n' % code) # decodes it, strictly
        assert all(character == '\n' or character.isprintable() for character in state), state
    check_served(lpd, 1)
    end(lpd)


def test_names_that_lie(bench):
    lpd = start(bench)
    for name in (b'/etc/passwd', b'dfA001/../../x', b'dfA001..', b'../jobs/1', b'dfAhost', b'df', b'',
                 b'dfA001\x1b[2J', b'dfA001' + b'h' * 300, b'cfA001h', b'1', b'facts', b'claim'):
        check_refused(lpd, b'\0037 %s\n' % name)
    for name in (b'/etc/passwd', b'cfA001/x', b'dfA001h', b'cfA', b'state'):
        check_refused(lpd, b'\0027 %s\n' % name)
    check_refused(lpd, b'\0037 dfA0\0001h\n')
    check_refused(lpd, b'\0037 dfA001' + b'h' * 65536)
    expect(sorted(spooled(lpd, '.')), sorted(set(spooled(lpd, '.')) | {'incoming', 'jobs'}))
    check_served(lpd)
    end(lpd)


def test_sizes_that_lie(bench):
    lpd = start(bench)
    before = memory(lpd)
    for size in (b'-1', b'+7', b'0x7', b'', b' ', b'7.0', b'1e9', b'9223372036854775809',
                 b'18446744073709551616', b'9' * 900, b'-9223372036854775808', b'\xd9\xa7'):
        check_refused(lpd, b'\3%s dfA001h\n' % size)
        check_refused(lpd, b'\2%s cfA001h\n' % size)
    for size in (65537, 4294967295, 1 << 62, 1 << 63):
        check_refused(lpd, b'\2%d cfA001h\n' % size)
    for size in (0, 6, 8, 1 << 40): # less and more than what comes
        answers = answers_to(lpd.port, b'\2lp\n' + file(3, b'dfA001h', b'content', size) +
                             file(2, b'cfA001h', b'fdfA001h\n'))
        assert answers.startswith(YES * 2), (size, answers)
        expect(spooled(lpd), [])
    check_memory(lpd, before)
    check_served(lpd)
    end(lpd)


def test_sizes_that_are_not_known(bench):
    """Windows and CUPS announce what no disk has; then the file ends with the connection."""
    lpd = start(bench)
    for number, size in enumerate((0, 4294967295, 999999999999, 125899906843000, 1 << 63)):
        expect(answers_to(lpd.port, b'\2lp\n' + file(2, b'cfA001h', b'fdfA001h\n') +
                          b'\3%d dfA001h\nas much as there is' % size), YES * 5)
        newest = max(spooled(lpd))
        expect((lpd.spool / 'jobs' / newest / '1').read_bytes(), b'as much as there is')
        expect(len(spooled(lpd)), number + 1)
    check_served(lpd, 5)
    end(lpd)


def test_queues_that_lie(bench):
    """Queue names that look like paths of the registry or of files are names of no queue."""
    lpd = start(bench)
    names = [b'', b' ', b'nobody', b'..', b'.', b'../lp', b'lp/../lp', b'lp\\', b'\\lp', b'Printers\\lp',
             b'lp\\PrinterDriverData', b'HKLM\\SYSTEM\\CurrentControlSet\\Control\\Print\\Printers\\lp',
             b'HKEY_LOCAL_MACHINE\\SYSTEM', b'/HKLM/SYSTEM', b'*', b'%s%n', b'\xff\xfe', b'\xed\xa0\x80',
             b'\x1b[2J', b'q' * 1000, 'ℓp'.encode(), b'|sh', b'$(id)']
    for name in names:
        check_refused(lpd, after=b'\2%s\n' % name)
        expect(answers_to(lpd.port, b'\1%s\n' % name)[-1:], NO)
        for code in (3, 4, 5):
            ask(lpd.port, b'%c%s root\n' % (code, name)).encode() # an answer, and it is text
    for line in (b'\6lp\n', b'\n', b'GET / HTTP/1.0\r\n\r\n', b'\x16\x03\x01\x02\x00\x01\n', b'\2l\0p\n',
                 b'\2' + b'q' * 1024 + b'\n', b'\2' + b'q' * 65536):
        expect(answers_to(lpd.port, line)[-1:], NO)
    check_served(lpd)
    said = end(lpd)
    assert len(said) < 40, said
    assert all(character.isprintable() and character != '\ufffd' for line in said for character in line), said


# ---- Crowds

def raise_limit(count):
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(count, hard), hard))


def test_a_crowd_beyond_the_limit(bench):
    """1,000 clients more than MaxConcurrentUsers are told so, and those inside are served on."""
    lpd = start(bench, MaxConcurrentUsers=20)
    raise_limit(1200)
    inside = [connect(lpd.port) for _ in range(20)]
    for client in inside:
        client.sendall(b'\2lp\n')
        expect(client.recv(1), YES)
    before = memory(lpd)
    crowd = [connect(lpd.port) for _ in range(1000)]
    for client in crowd:
        expect(client.recv(10), NO)
        expect(client.recv(10), b'')
        client.close()
    check_memory(lpd, before)
    for number, client in enumerate(inside):
        client.sendall(b''.join(job(number)[1:]))
        client.shutdown(socket.SHUT_WR)
        expect(client.makefile('rb').read(), YES * 4)
        client.close()
    until('they have gone', lambda: answers_to(lpd.port, b'\2lp\n') == YES)
    check_served(lpd, 20)
    expect(len([line for line in end(lpd) if 'is turned away' in line]), 1)


def test_limits_follow_the_registry(bench):
    lpd = start(bench, MaxConcurrentUsers=1)
    with connect(lpd.port) as inside:
        inside.sendall(b'\2lp\n')
        expect(inside.recv(1), YES)
        expect(answers_to(lpd.port, b'\2lp\n'), NO)
        bench.regtool('add', PARAMETERS, '/v', 'MaxConcurrentUsers', '/t', 'REG_DWORD', '/d', '2', '/f',
                      '--wait')
        expect(answers_to(lpd.port, b'\2lp\n'), YES)
        bench.regtool('add', PARAMETERS, '/v', 'RestrictSourcePorts', '/t', 'REG_DWORD', '/d', '1', '/f',
                      '--wait')
        expect(answers_to(lpd.port, b'\2lp\n'), NO)
        bench.regtool('add', PARAMETERS, '/v', 'RestrictSourcePorts', '/t', 'REG_DWORD', '/d', '0', '/f',
                      '--wait')
    until('it has gone', lambda: answers_to(lpd.port, b'\2lp\n') == YES)
    check_served(lpd)
    end(lpd)


def test_clients_that_do_not_read(bench):
    """States that nobody takes are not made without end, and hold nobody up."""
    lpd = start(bench)
    for number in range(300):
        send_job(lpd.port, 'lp', {'x' * 200: b'content'}, number=number)
    before = memory(lpd)
    deaf = []
    for _ in range(50):
        deaf.append(connect(lpd.port))
        deaf[-1].sendall(b'\4lp\n')
    flood = connect(lpd.port) # sub-commands without end, whose answers are not taken
    flood.setblocking(False)
    flood.send(b'\2lp\n')
    sent = 0
    try:
        for _ in range(100_000):
            sent += flood.send(b'\1\n' * 1000)
    except BlockingIOError:
        pass
    check_memory(lpd, before)
    check_served(lpd, 300)
    for client in (*deaf, flood):
        client.close()
    end(lpd)


def test_memory_does_not_depend_on_the_job(bench):
    lpd = start(bench)
    before = memory(lpd)
    block = os.urandom(MEBIBYTE)
    count = 200
    control, names = control_file(['large'])
    with connect(lpd.port) as client:
        client.sendall(b'\2lp\n' + file(2, b'cf' + names[0][2:], control) +
                       b'\3%d %s\n' % (count * MEBIBYTE, names[0]))
        for _ in range(count):
            client.sendall(block)
        check_memory(lpd, before)
        client.sendall(b'\0')
        client.shutdown(socket.SHUT_WR)
        expect(client.makefile('rb').read(), YES * 5)
    check_memory(lpd, before)
    expect((lpd.spool / 'jobs' / spooled(lpd)[0] / '1').stat().st_size, count * MEBIBYTE)
    check_served(lpd, 1)
    end(lpd)


def test_slow_clients_do_not_hold_up_others(bench):
    """A client in the middle of each place of a conversation, and others are served meanwhile."""
    lpd = start(bench)
    whole = b''.join(job())
    halted = []
    for cut in range(0, len(whole), 3):
        halted.append(connect(lpd.port))
        halted[-1].sendall(whole[:cut])
    send_job(lpd.port, 'lp', {'a title': b'good'})
    expect(len(spooled(lpd)), 1)
    for client, cut in zip(halted, range(0, len(whole), 3)): # and they can still go on
        client.sendall(whole[cut:])
        client.shutdown(socket.SHUT_WR)
        expect(client.makefile('rb').read(), YES * 5)
        client.close()
    check_served(lpd, 1 + len(halted))
    end(lpd)


def take_seed():
    """--seed N, which run_tests() does not know."""
    if '--seed' in sys.argv:
        at = sys.argv.index('--seed')
        SEED[0] = int(sys.argv[at + 1])
        del sys.argv[at:at + 2]


if __name__ == '__main__':
    take_seed()
    sys.exit(run_tests(__doc__, globals()))
