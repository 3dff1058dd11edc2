#!/usr/bin/env python3
"""Keeps three print servers busy for a minute, with real clients and settings that change.

    tests/soak_services.py [--bin DIR] [--seconds N] [--seed N]

Three spoolers announce to each other, the first of them also serves the pipe of a real smbd. All
the while their settings change every 200 ms, printers are shared and taken back, and clients list
the domain's printers: python3-samba and impacket over TCP, python3-samba through the file server.
Judged are, each as one test:

    calls    no call fails
    fresh    no answer shows a printer whose sharing ended longer ago than the decay period. The
             count begins when regtool was told that the spooler has taken that; GRACE is for the
             announcement that was under way just then, on a busy machine
    complete no answer lacks a printer that is shared all the time, once all were seen
    memory   resident memory grows by less than MOST_GROWTH from the end of the first quarter, the
             warm-up, to the end; both are the median of SAMPLES measurements
    files    no more files are open at the end than after the warm-up, clients aside

Ends with "N passed, N failed, N skipped"; exit status 1 if any failed or none ran.
"""

import argparse
import os
import random
import shutil
import statistics
import sys
import tempfile
import threading
import time
import traceback
from pathlib import Path

from print_bench import (INSUFFICIENT_BUFFER, OK, PRINT, Client, resident_kib, share_printer,
                         start_rig, start_spooler)
from samba_rig import free_port
from services_bench import TIMEOUT, Bench, Skip

SPOOLERS = 3
CHANGE_EVERY = 0.2
DECAY_PERIODS = (6000, 8000) # ms
GRACE = 2 # s
SAMPLES = 10
MOST_GROWTH = 512 # KiB
MOST_TRIES = 20 # of a client whose buffer became too small between its two calls


class Spooler:
    """One of the three, with a store of its own."""

    def __init__(self, directory, bin_dir, number):
        self.number = number
        self.name = f'SERVER{number}'
        home = directory / self.name
        home.mkdir()
        self.bench = Bench(bin_dir, home)
        self.port = free_port()
        self.taken_back = None # when its second printer ceased to be shared; None while it is
        self.service = None

    def start(self, ports, rig=None):
        peers = '\\0'.join(f'127.0.0.1:{port}' for port in ports if port != self.port)
        self.bench.regtool('add', PRINT, '/v', 'BrowseServers', '/t', 'REG_MULTI_SZ', '/d', peers, '/f')
        self.bench.set_dword(PRINT, 'NetPrinterDecayPeriod', DECAY_PERIODS[0])
        self.bench.set_dword(PRINT, 'ServerThreadTimeout', 500)
        share_printer(self.bench, 'Constant', 'constant')
        share_printer(self.bench, 'Sometimes', 'sometimes')
        self.service = start_spooler(self.bench, self.port, rig, self.name)

    def change(self, chance):
        """One change of its settings, of which the spooler tells that it has taken it."""
        what = chance.randrange(6)
        if what == 0:
            self.set('NetPrinterDecayPeriod', chance.choice(DECAY_PERIODS))
        elif what == 1:
            self.set('ServerThreadTimeout', chance.choice((300, 500, 1000, 2000)))
        elif what == 2:
            self.set('RefreshTimesPerDecayPeriod', chance.randint(2, 5))
        elif what == 3:
            key = f'{PRINT}\\Printers\\Constant'
            self.bench.regtool('add', key, '/v', 'Location', '/t', 'REG_SZ', '/d',
                               f'Room {chance.randrange(100)}', '/f', f'--wait={TIMEOUT}')
        elif self.taken_back:
            self.taken_back = None
            self.share(8)
        else:
            self.share(0)
            self.taken_back = time.monotonic()

    def set(self, value, number):
        self.bench.regtool('add', PRINT, '/v', value, '/t', 'REG_DWORD', '/d', str(number), '/f',
                           f'--wait={TIMEOUT}')

    def share(self, attributes):
        key = f'{PRINT}\\Printers\\Sometimes'
        if attributes:
            self.bench.regtool('add', key, '/v', 'Share Name', '/t', 'REG_SZ', '/d', 'sometimes', '/f')
        else:
            self.bench.regtool('delete', key, '/v', 'Share Name', '/f')
        self.bench.regtool('add', key, '/v', 'Attributes', '/t', 'REG_DWORD', '/d',
                           str(attributes), '/f', f'--wait={TIMEOUT}')

    def drain(self):
        """Reads its log, so that it never waits for a reader."""
        self.service.log.to_end()


class Findings:
    """What clients complain of, a few of each kind."""

    def __init__(self):
        self.calls = 0
        self.wrong = {'calls': [], 'fresh': [], 'complete': []}
        self.lock = threading.Lock()

    def add(self, kind, text):
        with self.lock:
            self.wrong[kind].append(text)


def constants():
    return {f'\\\\SERVER{number}\\constant' for number in range(SPOOLERS)}


def list_until_it_fits(client):
    """As Q161734's client: how much room, then with that; the list may grow between the two."""
    answer = client.enum()
    for _ in range(MOST_TRIES):
        if answer.get('status') != INSUFFICIENT_BUFFER:
            break
        answer = client.enum(size=answer['needed'])
    return answer


def enumerate_all(client, who, spoolers, findings, over):
    """A client's minute."""
    complete = False
    while not over.is_set():
        ended = [(f'\\\\{each.name}\\sometimes'.lower(), each.taken_back) for each in spoolers]
        asked = time.monotonic()
        answer = list_until_it_fits(client)
        findings.calls += 1
        if answer.get('status') != OK:
            findings.add('calls', f'{who}: {answer}')
            if 'fault' in answer:
                return
            continue
        names = {name.lower() for _, _, name, _ in answer['printers']}
        for name, since in ended:
            if since and name in names and asked - since > max(DECAY_PERIODS) / 1000 + GRACE:
                findings.add('fresh', f'{who}: {name}, {asked - since:.1f} s after it was taken back')
        wanted = {name.lower() for name in constants()}
        complete = complete or wanted <= names
        if complete and not wanted <= names:
            findings.add('complete', f'{who}: without {sorted(wanted - names)}')
    if not complete:
        findings.add('complete', f'{who}: never saw all of {sorted(constants())}')


def measured(spoolers):
    """Each one's memory and number of open files; medians of several."""
    memory = [[resident_kib(each.service.process.pid) for each in spoolers] for _ in range(SAMPLES)
              if not time.sleep(0.1)]
    files = [len(os.listdir(f'/proc/{each.service.process.pid}/fd')) for each in spoolers]
    return [statistics.median(row) for row in zip(*memory)], files


def soak(spoolers, clients, seconds, chance):
    """Runs it all; the findings, and what was measured after the warm-up and at the end."""
    findings, over = Findings(), threading.Event()
    threads = [threading.Thread(target=enumerate_all, args=(client, who, spoolers, findings, over))
               for who, client in clients]
    threads += [threading.Thread(target=each.drain) for each in spoolers]
    for each in threads:
        each.start()
    start = time.monotonic()
    warm = None
    changes = 0
    try:
        while (now := time.monotonic() - start) < seconds:
            if warm is None and now > seconds / 4:
                warm = measured(spoolers)
            chance.choice(spoolers).change(chance)
            changes += 1
            over.wait(max(0, CHANGE_EVERY * changes - (time.monotonic() - start)))
        last = measured(spoolers)
    finally:
        over.set()
        for each in threads[:len(clients)]:
            each.join(TIMEOUT)
        for each in spoolers:
            each.service.process.terminate()
            each.service.process.wait(TIMEOUT)
        for each in threads[len(clients):]:
            each.join(TIMEOUT)
    print(f'{changes} changes, {findings.calls} lists by {len(clients)} clients in {seconds} s')
    return findings, warm, last


def judge(findings, warm, last):
    """The tests' results as {name: problem or ''}."""
    results = {kind: '; '.join(wrong[:3]) + (f' ... {len(wrong)} in all' if wrong[3:] else '')
               for kind, wrong in findings.wrong.items()}
    grown = [end - begin for begin, end in zip(warm[0], last[0])]
    print('memory: ' + ', '.join(f'{begin:g} -> {end:g} KiB' for begin, end in zip(warm[0], last[0])))
    results['memory'] = '' if max(grown) < MOST_GROWTH else f'{max(grown)} KiB more'
    results['files'] = '' if all(end <= begin + 2 for begin, end in zip(warm[1], last[1])) else (
        f'{warm[1]} files open, then {last[1]}')
    return results


def run(directory, arguments):
    root = Bench(arguments.bin.resolve(), directory / 'root')
    spoolers = [Spooler(directory, arguments.bin.resolve(), number) for number in range(SPOOLERS)]
    try:
        rig = start_rig(root)
        directory.chmod(0o755)
        ports = [each.port for each in spoolers]
        for each in spoolers:
            each.start(ports, rig if each.number == 0 else None)
        clients = [(f'{library} at {each.name}', Client(root, library, each.port))
                   for each in spoolers for library in ('samba', 'impacket')]
        clients += [(f'samba through smbd {number}', Client(root, 'samba', rig.port, 'pipe'))
                    for number in range(2)]
        unbound = [f'{who}: {client.bound}' for who, client in clients if client.bound]
        assert not unbound, unbound
        return judge(*soak(spoolers, clients, arguments.seconds, random.Random(arguments.seed)))
    finally:
        for each in [root, *(spooler.bench for spooler in spoolers)]:
            each.close()


def main():
    parser = argparse.ArgumentParser(description=__doc__.split('\n', maxsplit=1)[0])
    parser.add_argument('--bin', default='build/bin', type=Path, metavar='DIR')
    parser.add_argument('--seconds', default=60, type=int, metavar='N')
    parser.add_argument('--seed', default=random.randrange(1 << 30), type=int, metavar='N')
    arguments = parser.parse_args()
    counts = {'passed': 0, 'failed': 0, 'skipped': 0}
    directory = Path(tempfile.mkdtemp(prefix='soak-'))
    (directory / 'root').mkdir()
    try:
        for name, problem in run(directory, arguments).items():
            counts['failed' if problem else 'passed'] += 1
            if problem:
                print(f'failed: {name}, with --seed {arguments.seed}: {problem}')
    except Skip as reason:
        print(f'skipped: {reason}')
        counts['skipped'] += 1
    except Exception:  # whatever it was, it is told and counted
        traceback.print_exc(file=sys.stdout)
        print(f'failed, with --seed {arguments.seed}')
        counts['failed'] += 1
    finally:
        shutil.rmtree(directory)
    print(', '.join(f'{count} {what}' for what, count in counts.items()))
    return 1 if counts['failed'] else 0


if __name__ == '__main__':
    sys.exit(main())
