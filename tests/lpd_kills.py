#!/usr/bin/env python3
"""Kills the LPD service while clients send and while jobs are printed, and counts what came out.

    tests/lpd_kills.py [--bin DIR] [--count N] [--deliverers N] [--clients N] [--seed N]

Clients send jobs of one or two documents, from 1 byte to 3 MB, to three queues: a directory, a
raw port, and a print share of a real smbd. The service is killed by SIGKILL and started again, N times
(300), at moments between its start and 150 ms later; half of the kills wait until it is listening.
Then, N times (30), it is a deliverer that is killed. A client that was not told that its job is taken
sends another one. When the spool is empty at the end, each document is looked for by the number in
it. Judged are, each as one test:

    printed  every document of a job that was acknowledged came out
    once     none came out twice while only the service was killed
    marked   what came out twice after a deliverer was killed has "printed again" in its name, where the
             target has names
    torn     none came out in part, except of a raw port and a deliverer that was killed
    order    in the directory, jobs that one client sent one after the other came out in that order

The seed is printed; the same one kills after the same times. Needs no Samba: without it, or without the
programs for it, there are two queues. Ends with "N passed, N failed, N skipped"; exit status 1 if
any failed or none ran.
"""

import argparse
import hashlib
import os
import random
import re
import shutil
import signal
import sys
import tempfile
import threading
import time
import traceback
from pathlib import Path

from lpd_rig import (Lpd, PrintServer, RawPrinter, Refused, add_printer, adopt_orphans, children_of,
                     deliverers_of, end_orphans, require_printing, send_job)
from services_bench import TIMEOUT, Bench, Skip

LATEST_KILL = 0.15 # s after the service was started
PAUSE = 0.02       # s of a client that was not served, or for which too much waits
MOST_WAITING = 100 # jobs; what receives is faster than what prints
BIGGEST = 3000000
AGAIN = re.compile('printed.again') # names of files have no blanks
HEAD = re.compile(rb'document (\d+)\.(\d+)\.(\d+) of (\d+) bytes ([0-9a-f]{64})\n')


def make_document(client, job, number, chance):
    """Bytes that tell who they are, and whether they are all there."""
    body = chance.randbytes(chance.choice((0, 1, 1000, 50000, 300000, BIGGEST)))
    return b'document %d.%d.%d of %d bytes %s\n' % (
        client, job, number, len(body), hashlib.sha256(body).hexdigest().encode()) + body


def read_document(content):
    """Which document it is; None if it is not a whole one."""
    head = HEAD.match(content)
    if not head:
        return None
    body = content[head.end():]
    whole = len(body) == int(head[4]) and hashlib.sha256(body).hexdigest().encode() == head[5]
    return tuple(int(head[i]) for i in (1, 2, 3)) if whole else None


class Client(threading.Thread):
    """Sends one job after the other, and keeps which of them were acknowledged."""

    def __init__(self, number, lpd, queues, seed, stop):
        super().__init__(daemon=True)
        self.number, self.lpd, self.queues, self.stop = number, lpd, queues, stop
        self.chance = random.Random(f'{seed}.{number}')
        self.acknowledged = {} # (client, job, document): queue
        self.problem = None

    def run(self):
        job = 0
        while not self.stop.is_set():
            if len(self.lpd.waiting()) > MOST_WAITING:
                self.stop.wait(PAUSE)
                continue
            job += 1
            queue = self.chance.choice(self.queues)
            names = [(self.number, job, i) for i in range(self.chance.choice((1, 1, 1, 2)))]
            documents = {'.'.join(map(str, name)): make_document(*name, self.chance) for name in names}
            try:
                send_job(self.lpd.port, queue, documents, self.chance.random() < 0.5, number=job % 1000)
            except (OSError, Refused) as problem:
                # It is being killed; what a service that runs refuses is told at the end.
                self.problem = problem
                self.stop.wait(PAUSE)
                continue
            self.acknowledged.update({name: queue for name in names})


class Torture:
    """The service, its queues, and what came out of them."""

    def __init__(self, bench, arguments):
        require_printing(bench, 'regstore-lpdsvc')
        self.bench, self.arguments = bench, arguments
        self.chance = random.Random(arguments.seed)
        self.out = bench.directory / 'out'
        self.out.mkdir()
        self.raw = RawPrinter(bench)
        add_printer(bench, 'Files', f'{self.out}/')
        add_printer(bench, 'Raw', f'socket://127.0.0.1:{self.raw.port}')
        self.queues = ['Files', 'Raw']
        self.server = None
        try:
            self.server = PrintServer(bench, null_shares=('Printer',))
            add_printer(bench, 'Share', self.server.unc(), NullSession=1)
            self.queues.append('Share')
            self.queues += ['Files', 'Raw'] * 6 # smbd takes a session of its own for each job, and its time
        except Skip as reason:
            print(f'without a share: {reason}')
        self.log = []
        self.known = children_of(os.getpid())
        self.lpd = Lpd(bench, MaxConcurrentUsers=1000)
        self.stop = threading.Event()
        self.clients = [Client(number, self.lpd, self.queues, arguments.seed, self.stop)
                        for number in range(arguments.clients)]

    # ---- Killing

    def kill_service(self):
        time.sleep(self.chance.random() * LATEST_KILL)
        self.log += self.lpd.kill()
        self.lpd.start(wait=self.chance.random() < 0.5)

    def deliverers(self):
        return deliverers_of(os.getpid()) + deliverers_of(self.lpd.service.process.pid)

    def kill_deliverer(self):
        """Whichever prints just now, at some moment of its life."""
        time.sleep(self.chance.random() * LATEST_KILL)
        deadline = time.monotonic() + TIMEOUT
        while time.monotonic() < deadline:
            if found := self.deliverers():
                try:
                    os.kill(self.chance.choice(found), signal.SIGKILL)
                    return
                except ProcessLookupError:
                    continue
        raise AssertionError('nothing is being printed any more')

    def reap(self):
        """Deliverers whose service was killed are this process's; the others have their parents."""
        service = self.lpd.service.process.pid
        try:
            while (found := os.waitid(os.P_ALL, 0, os.WEXITED | os.WNOHANG | os.WNOWAIT)) is not None:
                if found.si_pid in self.known or found.si_pid == service:
                    return
                os.waitpid(found.si_pid, 0)
        except ChildProcessError:
            return

    def run(self):
        for client in self.clients:
            client.start()
        for _ in range(self.arguments.count):
            self.kill_service()
            self.reap()
        self.only_service = self.settle()
        return self

    def settle(self):
        """Lets clients come to an end and jobs come out; gives what came out."""
        self.stop.set()
        for client in self.clients:
            client.join(TIMEOUT)
            assert not client.is_alive(), f'client {client.number} hangs: {client.problem}'
        self.log += self.lpd.kill() # one that was ready for a long time, and one that has nothing to do
        self.lpd.start()
        self.lpd.until_empty()
        self.reap()
        return self.came_out()

    def came_out(self):
        """(queue, name, content) of all that came out."""
        found = [('Files', path.name, path.read_bytes()) for path in self.out.iterdir()]
        found += [('Raw', '', content) for content in self.raw.printed if content]
        if self.server:
            found += [('Share', each.title, each.content) for each in self.server.printed()]
        return found

    def acknowledged(self):
        return {name: queue for client in self.clients for name, queue in client.acknowledged.items()}


# ---- What is judged

def by_document(found):
    """Whole documents: (queue, number): the names that they came out with."""
    seen = {}
    for queue, name, content in found:
        if document := read_document(content):
            seen.setdefault((queue, document), []).append(name)
    return seen


def judge_printed(torture, found):
    seen = by_document(found)
    acknowledged = torture.acknowledged()
    missing = [f'{queue} {document}' for document, queue in acknowledged.items() if (queue, document) not in seen]
    assert acknowledged, 'no job at all was acknowledged'
    assert not missing, f'{len(missing)} of {len(acknowledged)} never came out: {missing[:10]}'
    return f'{len(acknowledged)} acknowledged documents, {len(found)} came out'


def judge_once(torture, found):
    twice = {key: names for key, names in by_document(found).items() if len(names) > 1}
    assert not twice, f'{len(twice)} came out twice: {list(twice.items())[:10]}'
    return 'none twice'


def judge_torn(torture, found):
    torn = [f'{queue} {name!r}: {len(content)} bytes, {content[:60]!r}' for queue, name, content in found
            if read_document(content) is None]
    assert not torn, f'{len(torn)} are torn: {torn[:10]}'
    return 'none torn'


def judge_order(torture, found):
    last = {}
    documents = [((torture.out / name).stat().st_mtime_ns, read_document(content))
                 for queue, name, content in found if queue == 'Files']
    # Where the clock cannot tell them apart, they are taken to be in order.
    for _, document in sorted(each for each in documents if each[1]):
        assert document > last.get(document[0], (0,)), f'{document} came out after {last[document[0]]}'
        last[document[0]] = document
    return f'{len(documents)} in order'


def judge_marked(torture, found):
    """All but the first of those that came out twice; only the raw port has no names."""
    unmarked = [f'{queue} {document}: {names}' for (queue, document), names in by_document(found).items()
                if queue != 'Raw' and sum(not AGAIN.search(name) for name in names) > 1]
    assert not unmarked, f'{len(unmarked)} came out twice without a mark: {unmarked[:10]}'
    marked = sum(bool(AGAIN.search(name)) for _, name, _ in found)
    return f'{marked} marked as printed again'


def judge_torn_by_deliverers(torture, found):
    """A killed deliverer leaves nothing by halves where a document comes out as a whole."""
    return judge_torn(torture, [each for each in found if each[0] == 'Files'])


def judge(name, function, torture, found):
    try:
        print(f'ok: {name}: {function(torture, found)}')
        return True
    except Exception: # whatever it was, the others are judged
        print(f'failed: {name}; seed {torture.arguments.seed}')
        traceback.print_exc(file=sys.stdout)
        return False


def torture_services(bench, arguments):
    """How many of the tests have passed and failed."""
    torture = Torture(bench, arguments).run()
    results = [judge(name, function, torture, torture.only_service) for name, function in (
        ('printed', judge_printed), ('once', judge_once), ('torn', judge_torn), ('order', judge_order))]
    print(f'{arguments.count} kills of the service, {torture.arguments.clients} clients')
    if arguments.deliverers:
        results += torture_deliverers(torture, arguments)
    return results.count(True), results.count(False)


def torture_deliverers(torture, arguments):
    torture.stop.clear()
    torture.clients += (more := [Client(100 + number, torture.lpd, torture.queues, arguments.seed, torture.stop)
                                 for number in range(arguments.clients)])
    for client in more:
        client.start()
    for _ in range(arguments.deliverers):
        torture.kill_deliverer()
        torture.reap()
    found = torture.settle()
    print(f'{arguments.deliverers} kills of deliverers')
    return [judge(name, function, torture, found) for name, function in (
        ('printed_by_deliverers', judge_printed), ('marked', judge_marked),
        ('torn_by_deliverers', judge_torn_by_deliverers))]


def main():
    parser = argparse.ArgumentParser(description=__doc__.split('\n', maxsplit=1)[0])
    parser.add_argument('--bin', default='build/bin', type=Path, metavar='DIR')
    parser.add_argument('--count', default=300, type=int, metavar='N', help='kills of the service')
    parser.add_argument('--deliverers', default=30, type=int, metavar='N', help='kills of deliverers')
    parser.add_argument('--clients', default=4, type=int, metavar='N')
    parser.add_argument('--seed', default=random.randrange(1 << 32), type=int, metavar='N')
    arguments = parser.parse_args()
    print(f'seed {arguments.seed}', flush=True)
    adopt_orphans()
    directory = Path(tempfile.mkdtemp(prefix='regstore-lpd-kills-'))
    bench = Bench(arguments.bin.resolve(), directory)
    passed, failed, skipped = 0, 0, 0
    try:
        passed, failed = torture_services(bench, arguments)
        bench.close()
        bench = None
    except Skip as reason:
        print(f'skipped: {reason}')
        skipped = 1
    except Exception: # what was in the way is told, and counted
        traceback.print_exc(file=sys.stdout)
        failed += 1
    finally:
        for thing in list(reversed(bench.open_things if bench else ())):
            thing.kill() if hasattr(thing, 'kill') else thing.close()
        end_orphans()
        shutil.rmtree(directory)
    print(f'{passed} passed, {failed} failed, {skipped} skipped')
    return 1 if failed or not passed + skipped else 0


if __name__ == '__main__':
    sys.exit(main())
