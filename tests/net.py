#!/usr/bin/env python3
"""Services that are started and stopped by "regtool net": who may, whom regtool believes, systemd.

    tests/net.py [--bin DIR] [TEST...]

tests/cli/net has the sentences. Here are other users, processes that pass for a service, a store
that is replaced, and systemd: a systemctl of our own, which notes what it is told, in a mount
namespace where the store is the system's. Nothing sleeps: tests wait for lines of the service's log.
Ends with "N passed, N failed, N skipped"; exit status 1 if any failed or none ran.
"""

import json
import os
import shutil
import socket
import subprocess
import sys
from pathlib import Path

from services_bench import TIMEOUT, Bench, Skip, expect, run_tests

NOBODY = 65534
PROGRAM = 'regstore-spooler'
SETTING = ('HKLM\\SYSTEM\\CurrentControlSet\\Control\\Print', 'ServerThreadTimeout')

STARTED = 'The requested service has already been started.\n'
STOPPED = 'The Print Spooler service is not started.\n'
STARTS = ('The Print Spooler service is starting.\n'
          'The Print Spooler service was started successfully.\n')
STOPS = ('The Print Spooler service is stopping.\n'
         'The Print Spooler service was stopped successfully.\n')
STOPPING = 'The Print Spooler service is stopping.\n'
COULD_NOT = 'The Print Spooler service could not be stopped: '

# What it is told, and for which units it knows and runs, is in files beside it.
SYSTEMCTL = '''#!/bin/sh
here=${0%/*}
echo "$*" >>"$here/told"
shift_unit() { for unit; do :; done; }
shift_unit "$@"
case $1 in
cat) [ -e "$here/known/$unit" ] ;;
is-active) [ -e "$here/active/$unit" ] ;;
start) touch "$here/active/$unit" ;;
stop) rm "$here/active/$unit" ;;
*) exit 1 ;;
esac
'''
# The store's directory and a sign of systemd are put in their places for one command.
AS_SYSTEM = 'mount --bind "$1/lib" /var/lib && mount --bind "$1/run" /run && shift && exec "$@"'


def address(store, name):
    """Of a service's socket; services/common/control.h says how it is made."""
    status = os.stat(store)
    return f'\0regstore/{status.st_dev:x}-{status.st_ino:x}/{name}'


def net(bench, *words, prefix=(), environment=None, **options):
    """What regtool net says, with its exit status: 0 and standard output, else standard error."""
    done = subprocess.run([*prefix, bench.bin / 'regtool', 'net', *words], capture_output=True,
                          stdin=subprocess.DEVNULL, text=True, timeout=TIMEOUT, check=False,
                          env=environment or {**bench.environment, 'REGSTORE': str(bench.store)},
                          **options)
    return done.returncode, done.stdout, done.stderr


def start(bench, **options):
    service = bench.start(PROGRAM, **options)
    service.log.wait('started with')
    return service


def state(bench):
    line = json.loads(bench.regtool('--json', 'net', 'config', 'spooler').splitlines()[0])
    return line['state']


def let_nobody_read(bench):
    """As one of the store's group, which may not make files in its directories."""
    for path in (bench.directory, bench.store, bench.store / 'watches'):
        os.makedirs(path, exist_ok=True)
        os.chown(path, -1, NOBODY)
        os.chmod(path, 0o750)
    for path in bench.store.rglob('*'):
        if path.is_file():
            os.chown(path, -1, NOBODY)
            os.chmod(path, 0o660)


# ---- Tests; a function test_NAME(bench) is one

def test_others_may_only_ask(bench):
    if os.geteuid() != 0:
        raise Skip('only root can be somebody else')
    start(bench)
    let_nobody_read(bench)
    nobody = {'user': NOBODY, 'group': NOBODY, 'extra_groups': []}
    status, _, said = net(bench, 'stop', 'spooler', **nobody)
    expect((status, said), (2, COULD_NOT + "only root and the service's own user may do that.\n"))
    expect(net(bench, 'start', **nobody)[1].count('Print Spooler'), 1)
    expect(state(bench), 'running')


def test_an_impostor_is_not_believed(bench):
    """One who has the name before the service does."""
    with socket.socket(socket.AF_UNIX) as impostor:
        impostor.bind(address(bench.store, PROGRAM))
        impostor.listen()
        service = bench.start(PROGRAM)
        service.log.wait('cannot be commanded: Address already in use')
        status, _, said = net(bench, 'stop', 'spooler')
        expect((status, said), (2, COULD_NOT + 'another process has taken its socket.\n'))
        impostor.settimeout(0)
        peer = impostor.accept()[0]
        expect(peer.recv(100), b'') # not even the word was said to it
        peer.close()
    service.end()


def test_a_store_that_moves_takes_the_socket_along(bench):
    bench.regtool('set', *SETTING, '1', '/t', 'REG_DWORD')
    service = start(bench)
    other = bench.directory / 'other'
    shutil.copytree(bench.store, other)
    old = address(bench.store, PROGRAM)
    os.rename(bench.store, bench.directory / 'old')
    os.rename(other, bench.store)
    service.log.wait('read again because the store was replaced')
    expect(net(bench, 'stop', 'spooler'), (0, STOPS, ''))
    with socket.socket(socket.AF_UNIX) as probe:
        assert probe.connect_ex(old) != 0, 'the old name is still there'
    service.end()


def test_a_service_that_may_only_read_is_commanded(bench):
    """It has no watch of a name, so the store does not name its process."""
    if os.geteuid() != 0:
        raise Skip('root could write all the same; another user is needed')
    let_nobody_read(bench)
    process = subprocess.Popen([bench.bin / PROGRAM, '--store', bench.store], text=True,
                               stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                               stderr=subprocess.PIPE, env=bench.environment, user=NOBODY,
                               group=NOBODY, extra_groups=[])
    try:
        while 'started with' not in (line := process.stderr.readline()):
            assert line, 'it has ended'
        nobody = {'user': NOBODY, 'group': NOBODY, 'extra_groups': []}
        expect(net(bench, 'stop', 'spooler', **nobody), (0, STOPS, ''))
        expect(net(bench, 'stop', 'spooler', **nobody)[::2], (2, STOPPED))
        expect(net(bench, 'start', 'spooler', **nobody), (0, STARTS, ''))
    finally:
        process.terminate()
        process.communicate(timeout=TIMEOUT)


def test_a_start_with_less_than_is_set_is_told(bench):
    """As at the start of the process, what can be done is done."""
    with socket.socket() as other:
        other.bind(('127.0.0.1', 0))
        other.listen()
        start(bench)
        expect(net(bench, 'stop', 'spooler'), (0, STOPS, ''))
        port = str(other.getsockname()[1])
        bench.regtool('set', SETTING[0], 'ListenPort', port, '/t', 'REG_DWORD')
        status, said, problem = net(bench, 'start', 'spooler')
        expect((status, said), (0, STARTS))
        assert problem.startswith('The Print Spooler service runs with less than its settings say: '
                                  ), problem
        assert port in problem, problem
    for number in ('0', port): # nobody has it any more
        bench.regtool('set', SETTING[0], 'ListenPort', number, '--wait=60')
    with socket.create_connection(('127.0.0.1', int(port)), TIMEOUT):
        pass


class System:
    """A bench whose store is the system's, and that has a systemctl, for commands run by net()."""

    def __init__(self, bench):
        self.bench = bench
        self.tools = bench.directory / 'tools'
        for path in ('lib', 'run/systemd/system', 'tools/known', 'tools/active'):
            (bench.directory / path).mkdir(parents=True)
        os.rename(bench.store, bench.directory / 'lib/regstore')
        bench.store = bench.directory / 'lib/regstore'
        (self.tools / 'systemctl').write_text(SYSTEMCTL)
        (self.tools / 'systemctl').chmod(0o755)
        self.prefix = ('unshare', '--mount', 'sh', '-c', AS_SYSTEM, 'sh', str(bench.directory))
        if os.geteuid() != 0 or not shutil.which('unshare'):
            raise Skip('only root can mount')
        tried = subprocess.run([*self.prefix, 'true'], capture_output=True, text=True, check=False,
                               timeout=TIMEOUT)
        if tried.returncode != 0:
            raise Skip(f'cannot mount: {tried.stderr.strip()}')

    def net(self, *words):
        environment = {**self.bench.environment,
                       'PATH': f'{self.tools}:{os.environ["PATH"]}'}
        return net(self.bench, *words, prefix=self.prefix, environment=environment)

    def know(self, unit, active):
        (self.tools / 'known' / unit).touch()
        if active:
            (self.tools / 'active' / unit).touch()

    def told(self):
        """What changes something, of what systemctl was told since the last look."""
        path = self.tools / 'told'
        lines = path.read_text().splitlines() if path.exists() else []
        path.write_text('')
        return [line for line in lines if not line.startswith(('cat ', 'is-active '))]


def test_systemd_starts_what_does_not_run(bench):
    system = System(bench)
    system.know(f'{PROGRAM}.service', active=False)
    expect(system.net('start', 'spooler'), (0, STARTS, ''))
    expect(system.told(), [f'start -- {PROGRAM}.service'])
    expect(system.net('start', 'server')[0], 2) # a unit that it does not know
    expect(system.told(), [])


def test_systemd_is_told_of_a_stop(bench):
    """The work is stopped first, so that nothing is left of it; then the unit and its socket."""
    system = System(bench)
    service = start(bench)
    system.know(f'{PROGRAM}.service', active=True)
    system.know(f'{PROGRAM}.socket', active=True)
    expect(system.net('stop', 'spooler'), (0, STOPS, ''))
    service.log.wait('stopped on request')
    expect(system.told(), [f'stop -- {PROGRAM}.socket', f'stop -- {PROGRAM}.service'])
    expect(system.net('stop', 'spooler')[::2], (2, STOPPED))
    # Its process is still there, so systemd is not asked for another one.
    expect(system.net('start', 'spooler'), (0, STARTS, ''))
    expect(system.told(), [])
    service.end()


def test_systemd_is_not_asked_about_another_store(bench):
    start(bench)
    system = System(bench)
    system.know(f'{PROGRAM}.service', active=True)
    bench.store = bench.directory / 'another'
    bench.regtool('init')
    environment = {**bench.environment, 'PATH': f'{system.tools}:{os.environ["PATH"]}',
                   'REGSTORE': str(bench.store)}
    status, _, said = net(bench, 'stop', 'spooler', prefix=system.prefix, environment=environment)
    expect((status, said), (2, STOPPED))
    expect(system.told(), [])


def test_systemd_that_fails_is_no_success(bench):
    system = System(bench)
    system.know(f'{PROGRAM}.service', active=False)
    shutil.rmtree(system.tools / 'active')
    status, _, said = system.net('start', 'spooler')
    expect(status, 2)
    assert said.endswith('The Print Spooler service could not be started.\n'), said


if __name__ == '__main__':
    sys.exit(run_tests(__doc__, dict(globals())))
