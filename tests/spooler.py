#!/usr/bin/env python3
"""Runs print spoolers that announce printers to each other, and asks them what they list.

    tests/spooler.py [--bin DIR] [TEST...]

Each spooler has a store and a port of 127.0.0.1 of its own. Time is moved, not waited for: all of
them have virtual_clock preloaded. What takes real time is asked for again until it is there, for
at most TIMEOUT seconds. Ends with "N passed, N failed, N skipped".
"""

import mmap
import os
import re
import socket
import struct
import subprocess
import sys
import time

import rpc_client
from pdus import HANDSHAKE, Wire
from rpc_client import ALREADY_EXISTS, Client
from samba_rig import free_port
from services_bench import TIMEOUT, Lines, Skip, expect, run_tests

PAUSE = 0.005  # between two questions
CONTROL = 'HKLM\\SYSTEM\\CurrentControlSet\\Control'
PRINT = CONTROL + '\\Print'
PARAMETERS = 'HKLM\\SYSTEM\\CurrentControlSet\\Services\\LanmanServer\\Parameters'
DECAY = 3_600_000
ROUND = DECAY // 2
NT_ACCESS_DENIED = 0xc0000022
CALL = 5_000  # ms that a conversation may take


def wait(condition, what):
    end = time.monotonic() + TIMEOUT
    while not condition():
        assert time.monotonic() < end, what()
        time.sleep(PAUSE)


class Clock:
    """The time of all processes that are started while it is there."""

    def __init__(self, bench):
        path = bench.directory / 'clock'
        path.write_bytes(bytes(8))
        with open(path, 'r+b') as file:
            self.map = mmap.mmap(file.fileno(), 8)
        preload = bench.bin.parent / 'lib' / 'tests' / 'virtual_clock.so'
        assert preload.exists(), f'{preload} is not built'
        bench.environment.update(VIRTUAL_CLOCK=str(path), LD_PRELOAD=str(preload))
        if 'asan' in bench.bin.parts:  # its runtime may come after the preloaded library
            bench.environment['ASAN_OPTIONS'] = 'verify_asan_link_order=0'

    def move(self, ms):
        now = struct.unpack('<q', self.map[:])[0]
        self.map[:] = struct.pack('<q', now + ms)


class Spooler:
    """A print server of its own: computer name, store, port."""

    def __init__(self, bench, name, port=None):
        self.bench, self.name = bench, name
        self.port = port or free_port()
        self.store = bench.directory / name
        self.service = None
        self.regtool('init')
        self.set(CONTROL + '\\ComputerName\\ComputerName', 'ComputerName', 'REG_SZ', name)
        self.set(PRINT, 'ListenPort', 'REG_DWORD', self.port)

    def regtool(self, *arguments):
        result = self.bench.run('regtool', '--store', self.store, *arguments)
        assert result.returncode == 0, f'regtool {arguments}: {result.stderr}'
        return result.stdout

    def set(self, key, name, kind, data):
        self.regtool('add', key, '/v', name, '/t', kind, '/d', str(data), '/f')

    def set_waiting(self, name, kind, data):
        """Sets one of its settings and waits until the service has answered."""
        return self.regtool('add', PRINT, '/v', name, '/t', kind, '/d', str(data), '/f', '--wait')

    def share(self, printer, share=None, **values):
        key = f'{PRINT}\\Printers\\{printer}'
        self.set(key, 'Share Name', 'REG_SZ', share or printer)
        for name, data in values.items():
            self.set(key, name.replace('_', ' '), 'REG_SZ', data)

    def tell(self, *peers):
        entries = [peer if isinstance(peer, str) else f'127.0.0.1:{peer.port}' for peer in peers]
        self.set(PRINT, 'BrowseServers', 'REG_MULTI_SZ', '\\0'.join(entries))

    def start(self, started=r'started with', options=()):
        self.service = self.bench.start('regstore-spooler', store=self.store, options=options)
        self.service.log.wait(started)
        return self

    def names(self):
        with Client(self.port) as client:
            return client.names()

    def expect_names(self, *names):
        last = []

        def listed():
            last[:] = self.names()
            return last == list(names)
        wait(listed, lambda: f'{self.name} lists {last}, not {names}')

    def end(self):
        return self.service.end()


def domain(bench, *names):
    """Spoolers that tell each other, each with a shared printer, all started; each was told of by
    those that came after it, and knows none of those before it. No conversation is under way that
    a move of the time could break off: who is not there yet refuses, and the others list."""
    spoolers = [Spooler(bench, name) for name in names]
    for spooler in spoolers:
        spooler.share('Laser', f'P{spooler.name}', Printer_Driver='Driver', Location='Room 1',
                      Description='words')
        spooler.tell(*(other for other in spoolers if other is not spooler))
    for number, spooler in enumerate(spoolers):
        spooler.start()
        for _ in spoolers[number + 1:]:
            spooler.service.log.wait('cannot announce printers')
        for earlier in range(number):
            spoolers[earlier].expect_names(*everyones(spoolers[earlier:number + 1]))
    return spoolers


def everyones(spoolers):
    return sorted(f'\\\\{spooler.name}\\P{spooler.name}' for spooler in spoolers)


class Silent:
    """A peer that accepts and never says a word."""

    def __init__(self, bench):
        self.socket = socket.create_server(('127.0.0.1', 0))
        self.port = self.socket.getsockname()[1]
        bench.open_things.append(self)

    def accept(self):
        self.socket.settimeout(TIMEOUT)
        return self.socket.accept()[0]

    def close(self):
        self.socket.close()


class Slow(Silent):
    """A peer that takes its time for each announcement."""

    def serve(self, clock, ms):
        """One conversation; gives how many printers it was told of."""
        told = 0
        with self.accept() as connection:
            connection.settimeout(TIMEOUT)
            while (message := self.next(connection)) and message[2] == rpc_client.BIND:
                self.say(connection, rpc_client.BIND_ACK, struct.pack(
                    '<HHIHHIHH', 5840, 5840, 1, 0, 0, 1, 0, 0)
                    + rpc_client.NDR[0].bytes_le + struct.pack('<I', rpc_client.NDR[1]))
            while message:
                told += 1
                clock.move(ms)
                self.say(connection, rpc_client.RESPONSE, bytes(28) + struct.pack(
                    '<I', ALREADY_EXISTS), message[12:16])
                message = self.next(connection)
        return told

    @staticmethod
    def next(connection):
        """A whole message, of one fragment; None at the end."""
        data = b''
        try:
            while len(data) < 16 or len(data) < struct.unpack_from('<H', data, 8)[0]:
                if not (block := connection.recv(4096)):
                    return None
                data += block
        except ConnectionError:
            return None
        return data

    @staticmethod
    def say(connection, kind, body, call=bytes(4)):
        try:
            connection.sendall(struct.pack('<BBBB4sHH', 5, 0, kind, 3, rpc_client.LITTLE_ENDIAN,
                                           16 + len(body), 0) + call + body)
        except ConnectionError:
            pass


# ---- Tests; a function test_NAME(bench) is one

def test_three_list_all_within_one_round(bench):
    clock = Clock(bench)
    spoolers = domain(bench, 'ALPHA', 'BETA', 'GAMMA')
    # Who was called before he was there is called again in the next round.
    clock.move(ROUND)
    for spooler in spoolers:
        spooler.expect_names(*everyones(spoolers))
    with Client(spoolers[0].port) as client:
        expect(client.printers()[2], (8, '\\\\GAMMA\\PGAMMA,Driver,Room 1', '\\\\GAMMA\\PGAMMA',
                                      'words'))
    for spooler in spoolers:
        spooler.end()


def test_who_is_gone_is_forgotten(bench):
    clock = Clock(bench)
    alpha, beta, gamma = spoolers = domain(bench, 'ALPHA', 'BETA', 'GAMMA')
    clock.move(ROUND)
    for spooler in spoolers:
        spooler.expect_names(*everyones(spoolers))
    beta.end()
    clock.move(ROUND - 1000)
    alpha.expect_names(*everyones(spoolers))
    clock.move(1000)  # a round of those who are left
    alpha.service.log.wait('cannot announce printers to "127.0.0.1" port '
                           f'{beta.port}: .*; trying again each round')
    gamma.service.log.wait(f'cannot announce .* port {beta.port}')
    clock.move(ROUND)
    for spooler in (alpha, gamma):
        spooler.expect_names(*everyones((alpha, gamma)))
    beta.start()
    for spooler in (alpha, gamma):
        spooler.expect_names(*everyones(spoolers))
    clock.move(ROUND)
    alpha.service.log.wait(f'printers are announced to "127.0.0.1" port {beta.port} again')
    beta.expect_names(*everyones(spoolers))
    alpha.end()


def test_a_new_share_is_announced_at_once(bench):
    Clock(bench)  # which is not moved
    alpha, beta = Spooler(bench, 'ALPHA'), Spooler(bench, 'BETA')
    beta.start()
    alpha.tell(beta)
    alpha.start()
    beta.expect_names()
    alpha.share('One')
    beta.expect_names('\\\\ALPHA\\One')
    alpha.share('Two')
    beta.expect_names('\\\\ALPHA\\One', '\\\\ALPHA\\Two')
    alpha.regtool('delete', f'{PRINT}\\Printers\\One', '/f')
    alpha.service.log.wait('applied revision')
    alpha.expect_names('\\\\ALPHA\\Two')


def test_a_new_peer_is_called_at_once(bench):
    Clock(bench)
    alpha, beta, gamma = (Spooler(bench, name) for name in ('ALPHA', 'BETA', 'GAMMA'))
    alpha.share('One')
    alpha.tell(beta)
    for spooler in (alpha, beta, gamma):
        spooler.start()
    alpha.tell(gamma)
    gamma.expect_names('\\\\ALPHA\\One')


def test_the_server_thread_is_disabled_live(bench):
    clock = Clock(bench)
    alpha, beta = domain(bench, 'ALPHA', 'BETA')
    clock.move(ROUND)
    beta.expect_names('\\\\ALPHA\\PALPHA', '\\\\BETA\\PBETA')
    alpha.set_waiting('DisableServerThread', 'REG_DWORD', 1)
    clock.move(DECAY)
    beta.expect_names('\\\\BETA\\PBETA')
    alpha.set_waiting('DisableServerThread', 'REG_DWORD', 0)
    beta.expect_names('\\\\ALPHA\\PALPHA', '\\\\BETA\\PBETA')


def test_another_period_works_on_the_waiting(bench):
    """Both ends: the round comes sooner, and the old goes sooner."""
    clock = Clock(bench)
    alpha, beta = domain(bench, 'ALPHA', 'BETA')
    clock.move(ROUND)
    beta.expect_names('\\\\ALPHA\\PALPHA', '\\\\BETA\\PBETA')
    clock.move(100_000)
    beta.set_waiting('NetPrinterDecayPeriod', 'REG_DWORD', 100_000)
    beta.expect_names('\\\\BETA\\PBETA')
    alpha.set_waiting('NetPrinterDecayPeriod', 'REG_DWORD', 100_000)
    beta.expect_names('\\\\ALPHA\\PALPHA', '\\\\BETA\\PBETA')
    alpha.set_waiting('ServerThreadTimeout', 'REG_DWORD', 99_000)
    alpha.end()


def test_a_silent_peer_costs_five_seconds_and_a_line(bench):
    clock = Clock(bench)
    alpha, beta = Spooler(bench, 'ALPHA'), Spooler(bench, 'BETA')
    beta.start()
    silent = Silent(bench)
    nobody = free_port()
    alpha.share('One')
    alpha.tell(silent, f'127.0.0.1:{nobody}', beta)
    alpha.start()
    beta.expect_names('\\\\ALPHA\\One')
    alpha.service.log.wait(f'cannot announce printers to "127.0.0.1" port {nobody}: ')
    for _ in range(3):
        with silent.accept() as connection:
            connection.settimeout(TIMEOUT)
            while connection.recv(4096):  # the bind, and then the end
                clock.move(CALL)
        clock.move(ROUND)
    rest = alpha.end()
    for port in (silent.port, nobody):
        lines = [line for line in alpha.service.log.seen if f'port {port}: ' in line]
        expect(len(lines), 1)
    expect(rest[-1], 'regstore-spooler: ended')


def test_a_slow_peer_is_told_all_within_a_minute(bench):
    """It answers, so it is not down; but it may not take for ever, either."""
    clock = Clock(bench)
    alpha = Spooler(bench, 'ALPHA')
    slow = Slow(bench)
    for number in range(18):
        alpha.share(f'P{number}')
    alpha.tell(slow)
    alpha.start()
    expect(slow.serve(clock, 3_000), 18)
    clock.move(ROUND)
    told = slow.serve(clock, 4_000)
    assert 15 <= told < 18, told
    alpha.service.log.wait(f'cannot announce printers to "127.0.0.1" port {slow.port}: not all was '
                           'told within 60000 ms; trying again each round')
    alpha.end()


def test_the_port_moves_live(bench):
    alpha = Spooler(bench, 'ALPHA').start()
    first, second = alpha.port, free_port()
    with Client(first) as client:
        alpha.set_waiting('ListenPort', 'REG_DWORD', second)
        expect(client.names(), [])  # who is connected stays so
    alpha.port = second
    expect(alpha.names(), [])
    try:
        Client(first)
    except ConnectionRefusedError:
        pass
    else:
        raise AssertionError('the old port is still open')
    alpha.end()


def test_a_port_in_use_is_refused(bench):
    alpha = Spooler(bench, 'ALPHA').start()
    with socket.create_server(('127.0.0.1', 0)) as other:
        taken = other.getsockname()[1]
        alpha.set(PRINT, 'ListenPort', 'REG_DWORD', taken)
        alpha.service.log.wait(rf'refused revision \d+: .*{taken}.*; keeping revision')
        expect(alpha.names(), [])
        alpha.share('One')  # nothing of a refused state is taken
        alpha.service.log.wait('refused revision')
        expect(alpha.names(), [])
    alpha.set(PRINT, 'ListenPort', 'REG_DWORD', alpha.port)
    alpha.service.log.wait('applied revision')
    expect(alpha.names(), ['\\\\ALPHA\\One'])
    alpha.end()


def test_a_start_does_what_can_be_done(bench):
    alpha = Spooler(bench, 'ALPHA')
    alpha.share('One')
    alpha.tell('no such:port')
    alpha.start(r'cannot take revision \d+\'s settings: BrowseServers: "no such:port" is neither '
                'HOST nor HOST:PORT')
    expect(alpha.names(), ['\\\\ALPHA\\One'])
    alpha.tell()
    alpha.service.log.wait('applied revision')
    alpha.end()


def test_a_wrong_printer_is_told(bench):
    alpha = Spooler(bench, 'ALPHA').start()
    alpha.share('One')
    alpha.service.log.wait('applied revision')
    alpha.expect_names('\\\\ALPHA\\One')
    alpha.set(f'{PRINT}\\Printers\\Two', 'Attributes', 'REG_SZ', 'x')
    alpha.service.log.wait('applied revision .*; printer "Two" is left out: "Attributes" is no '
                           'REG_DWORD$')
    alpha.share('Three')
    alpha.expect_names('\\\\ALPHA\\One', '\\\\ALPHA\\Three')
    assert 'printer "Two" is left out' in alpha.regtool('services')
    alpha.end()


def test_the_list_is_bounded(bench):
    alpha = Spooler(bench, 'ALPHA')
    alpha.set(PRINT, 'MaxNetworkPrinters', 'REG_DWORD', 2)
    alpha.start()
    with Client(alpha.port) as client:
        expect(client.add_printer('\\\\S\\A'), (bytes(20), ALREADY_EXISTS))
        expect(client.add_printer('\\\\S\\B'), (bytes(20), ALREADY_EXISTS))
        expect(client.add_printer('\\\\S\\C')[1], 14)
        expect(client.add_printer('\\\\S\\D')[1], 14)
        expect(client.names(), ['\\\\S\\A', '\\\\S\\B'])
    lines = [line for line in alpha.end() if 'is not taken into the list' in line]
    expect(len(lines), 1)


def test_the_name_of_the_computer_is_followed(bench):
    alpha = Spooler(bench, 'ALPHA')
    alpha.share('One')
    alpha.start()
    alpha.set(CONTROL + '\\ComputerName\\ComputerName', 'ComputerName', 'REG_SZ', 'OMEGA')
    alpha.expect_names('\\\\OMEGA\\One')
    alpha.end()


def test_a_stopped_spooler_serves_nobody(bench):
    alpha = Spooler(bench, 'ALPHA')
    alpha.share('One')
    alpha.start()
    with Client(alpha.port) as client:
        client.add_printer('\\\\S\\A')
    alpha.regtool('net', 'stop', 'spooler')
    try:
        alpha.names()
    except ConnectionRefusedError:
        pass
    else:
        raise AssertionError('it serves though it was stopped')
    alpha.regtool('net', 'start', 'spooler')
    alpha.expect_names('\\\\ALPHA\\One')
    alpha.end()


def test_a_stopped_spooler_refuses_the_pipe(bench):
    """The service manager's socket goes on taking connections."""
    path = bench.directory / 'pipe'
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(path))
        listener.listen()
        alpha = Spooler(bench, 'ALPHA')
        # exec keeps the number of the shell's process, which the variable has to name
        process = subprocess.Popen(
            ['sh', '-c', 'LISTEN_PID=$$ exec "$0" "$@"', bench.bin / 'regstore-spooler', '--store',
             alpha.store], env={**bench.environment, 'LISTEN_FDS': '1', 'LISTEN_FDNAMES': 'spoolss'},
            stdin=subprocess.DEVNULL, stderr=subprocess.PIPE, pass_fds=(3,),
            preexec_fn=lambda: os.dup2(listener.fileno(), 3))
    try:
        Lines(process.stderr).wait('started with')
        expect(Wire(path=path, handshake=HANDSHAKE).granted, 0)
        alpha.regtool('net', 'stop', 'spooler')
        expect(Wire(path=path, handshake=HANDSHAKE).granted, NT_ACCESS_DENIED)
        alpha.regtool('net', 'start', 'spooler')
        expect(Wire(path=path, handshake=HANDSHAKE).granted, 0)
        process.terminate()
        expect(process.wait(TIMEOUT), 0)
    finally:
        process.kill()
        process.wait()
        process.stderr.close()


def test_a_pipe_that_failed_is_tried_again(bench):
    """No setting is refused because of it, and the answer says that it is missing."""
    path = bench.directory / 'later' / 'pipe'
    alpha = Spooler(bench, 'ALPHA').start(options=('--pipe', path))
    alpha.service.log.wait('cannot listen at the socket .*: No such file or directory')
    said = alpha.set_waiting('ServerThreadTimeout', 'REG_DWORD', 10000)
    assert 'applied' in said and 'cannot listen at the socket' in said, said
    path.parent.mkdir()
    said = alpha.set_waiting('ServerThreadTimeout', 'REG_DWORD', 20000)
    assert 'applied' in said and 'cannot listen' not in said, said
    expect(Wire(path=path, handshake=HANDSHAKE).granted, 0)
    alpha.end()


def test_memory_with_ten_thousand_printers(bench):
    """The whole process stays within 8 MiB."""
    if 'asan' in bench.bin.parts:
        raise Skip('sanitizers take memory of their own')
    alpha = Spooler(bench, 'ALPHA').start()
    with Client(alpha.port) as client:
        for number in range(10_000):
            name = f'\\\\SERVER{number % 100:03}\\Printer{number:05}'
            client.add_printer(name, f'{name},HP LaserJet 4/4M,Room 17', 'third floor')
        before = memory(alpha.service.process.pid)
        expect(len(client.names()), 10_000)
        after = memory(alpha.service.process.pid)
    print(f'memory: {before} KiB with 10,000 printers, {after} KiB after they were listed')
    assert before < 8192, before
    assert after < 8192, after
    alpha.end()


def memory(pid):
    with open(f'/proc/{pid}/status', encoding='ascii') as status:
        return int(re.search(r'VmRSS:\s+(\d+) kB', status.read())[1])


if __name__ == '__main__':
    sys.exit(run_tests(__doc__, globals()))
