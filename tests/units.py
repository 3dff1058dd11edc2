#!/usr/bin/env python3
"""Checks the units that ship, and the files of sysusers.d and tmpfiles.d, without a running systemd.

    tests/units.py [--bin DIR] [TEST...]

What is checked is what "scons install" would install: templates are filled in with the directory
of the built programs. How exposed a service is, systemd-analyze tells by its own measure, from 0
(safest) to 10. Ends with "N passed, N failed, N skipped"; exit status 1 if any failed or none ran.
"""

import os
import re
import shutil
import socket
import stat
import subprocess
import sys
from functools import partial
from pathlib import Path

import samba_rig
from services_bench import TIMEOUT, Skip, expect, run_in_bench, run_tests

TOP = Path(__file__).resolve().parent.parent
SERVICES = TOP / 'services'
MOST_EXPOSED = 2.0
LPD_PARAMETERS = 'HKLM\\SYSTEM\\CurrentControlSet\\Services\\LPDSVC\\Parameters'
SUFFIXES = ('.service', '.socket', '.path')


class Bench:
    """A directory with the units as they are installed."""

    open_things = ()

    def __init__(self, bin_dir, directory):
        self.bin = bin_dir
        self.directory = directory
        self.units = directory / 'units'
        self.units.mkdir()
        for path in SERVICES.glob('*/*'):
            name = path.name.removesuffix('.in')
            if Path(name).suffix in SUFFIXES:
                text = path.read_text().replace('@bindir@', str(bin_dir))
                assert not re.search(r'@\w+@', text), f'{path} is not filled in'
                (self.units / name).write_text(text)

    def close(self):
        """Nothing runs in it."""

    def named(self, suffix):
        found = sorted(self.units.glob(f'*{suffix}'))
        assert found, f'no {suffix} at all'
        return found


def run(program, *arguments):
    """What a program of systemd says; skips where there is none."""
    if not shutil.which(program):
        raise Skip(f'{program} is not installed')
    return subprocess.run([program, *arguments], capture_output=True, text=True, timeout=TIMEOUT,
                          stdin=subprocess.DEVNULL, check=False)


def settings(path):
    """The assignments of a unit, lines that are continued joined."""
    text = re.sub(r'\\\n\s*', '', path.read_text())
    return dict(re.findall(r'^(\w+)=(.*)$', text, re.MULTILINE))


# ---- Tests; a function test_NAME(bench) is one

def test_systemd_takes_them(bench):
    done = run('systemd-analyze', 'verify', '--man=no', *map(str, sorted(bench.units.iterdir())))
    expect(done.stderr.strip(), '')
    expect(done.returncode, 0)


def test_systemd_says_what_it_does_not_take(bench):
    """That the test above can fail."""
    unit = bench.units / 'wrong.service'
    unit.write_text('[Service]\nExecStart=/nowhere/at/all\nFrobnicate=yes\n')
    done = run('systemd-analyze', 'verify', '--man=no', str(unit))
    assert 'Frobnicate' in done.stderr, done.stderr


def test_services_are_not_exposed(bench):
    for unit in bench.named('.service'):
        done = run('systemd-analyze', 'security', '--offline=true', str(unit))
        match = re.search(r'Overall exposure level for \S+: (\d+\.\d+)', done.stdout)
        assert match, done.stdout + done.stderr
        print(f'{unit.name}: {match[1]}')
        assert float(match[1]) <= MOST_EXPOSED, done.stdout


def test_programs_take_their_command_lines(bench):
    for unit in bench.named('.service'):
        words = settings(unit)['ExecStart'].split()
        if len(words) == 1:
            continue # nothing that could be wrong
        done = subprocess.run([*words, '--version'], capture_output=True, text=True,
                              timeout=TIMEOUT, stdin=subprocess.DEVNULL, check=False)
        expect((done.returncode, done.stderr), (0, ''))


def test_sockets_have_names_that_their_service_knows(bench):
    """A service closes a socket of the manager's that it has no use for, and says so."""
    store = bench.directory / 'store'
    subprocess.run([bench.bin / 'regtool', '--store', store, 'init'], check=True, timeout=TIMEOUT,
                   stdout=subprocess.DEVNULL)
    subprocess.run([bench.bin / 'regtool', '--store', store, 'add', LPD_PARAMETERS, '/v', 'ListenPort', '/t',
                    'REG_DWORD', '/d', '0', '/f'], check=True, timeout=TIMEOUT, stdout=subprocess.DEVNULL)
    for unit in bench.named('.socket'):
        program = bench.bin / unit.with_suffix('').name
        if unit.with_suffix('.service').read_text().count('--store') == 0:
            continue # it is no service on a store; tests/smbd_reload.py has it
        # Nothing of the test's is where the unit keeps the service's own.
        spool = f' --spool {bench.directory}/spool' * ('--spool' in settings(unit.with_suffix('.service'))['ExecStart'])
        with socket.socket(socket.AF_UNIX) as listener:
            listener.bind(str(bench.directory / unit.name))
            listener.listen()
            script = (f'export LISTEN_PID=$$ LISTEN_FDS=1 LISTEN_FDNAMES={settings(unit)["FileDescriptorName"]};'
                      f' exec "$0" --store "$1"{spool} 3<&{listener.fileno()}')
            service = subprocess.Popen(['bash', '-c', script, program, store], text=True,
                                       stderr=subprocess.PIPE, stdin=subprocess.DEVNULL,
                                       pass_fds=[listener.fileno()])
        log = ''
        while 'started with' not in log:
            line = service.stderr.readline()
            assert line, f'it has ended: {log}'
            log += line
        service.terminate()
        service.communicate(timeout=TIMEOUT)
        assert 'closing' not in log, log


def test_the_manual_has_the_lines_that_were_tried(bench):
    """What an administrator writes for Samba is what tests/samba_rig.py runs with."""
    del bench
    manual = (SERVICES / 'spooler' / 'regstore-spooler.8').read_text()
    (line,) = [line for line in samba_rig.CONFIGURATION.splitlines() if 'rpc start' in line]
    assert f'\n{line.strip()}\n' in manual, line
    command = re.search(r'ExecStart=(.*?)\n\n', manual, re.DOTALL)[1].replace('\\e\n', ' ').split()
    expect(command[:3], [samba_rig.DCERPCD, '-F', '--no-process-group'])
    expect(command[3:], [str(Path(samba_rig.DCERPCD).with_name(name)) for name in samba_rig.PIPES])


def test_the_manual_names_the_file_that_the_helper_makes(bench):
    del bench
    header = (SERVICES / 'lanmanserver' / 'handover.h').read_text()
    socket_path, copy = (re.search(f'#define {name} "(.*)"', header)[1]
                         for name in ('HANDOVER_SOCKET', 'HANDOVER_COPY'))
    manual = (SERVICES / 'lanmanserver' / 'regstore-lanmanserver.8').read_text()
    assert f'\ninclude = {copy}\n' in manual
    unit = SERVICES / 'lanmanserver' / 'regstore-lanmanserver.service.in'
    assert settings(unit)['ExecStart'].endswith(f'--handover {socket_path}')
    expect(settings(unit.with_name('regstore-smbd-reload.socket'))['ListenStream'], socket_path)


def test_users_and_directories_are_made(bench):
    if os.geteuid() != 0:
        raise Skip('only root can make what belongs to others')
    root = bench.directory / 'root'
    (root / 'etc').mkdir(parents=True)
    for program, name in (('systemd-sysusers', 'sysusers'), ('systemd-tmpfiles', 'tmpfiles')):
        create = () if name == 'sysusers' else ('--create',)
        done = run(program, *create, f'--root={root}', str(SERVICES / f'{name}.conf'))
        expect(done.returncode, 0)
        assert 'line' not in done.stderr, done.stderr
    groups = dict(line.split(':')[::2] for line in (root / 'etc/group').read_text().splitlines())
    store = (root / 'var/lib/regstore').stat()
    expect((stat.S_IMODE(store.st_mode), store.st_uid, str(store.st_gid)),
           (0o2750, 0, groups['regstore']))
    for path, mode in (('run/samba/ncalrpc', 0o755), ('run/samba/ncalrpc/np', 0o700),
                       ('etc/regstore/printing', 0o700), ('var/spool/regstore-lpd', 0o700)):
        expect(stat.S_IMODE((root / path).stat().st_mode), mode)
    users = {line.split(':')[0]: line.split(':')[2] for line in
             (root / 'etc/passwd').read_text().splitlines()}
    expect(str((root / 'var/spool/regstore-lpd').stat().st_uid), users['regstore-lpd'])
    assert re.search(r'^regstore:.*:regstore-lpd$', (root / 'etc/group').read_text(), re.MULTILINE)


def test_the_manual_has_the_directory_of_passwords(bench):
    """What the unit hands over is where tmpfiles.d makes it, and where the manual page says."""
    del bench
    unit = SERVICES / 'lpdsvc' / 'regstore-lpdsvc.service.in'
    directory = settings(unit)['LoadCredential'].removeprefix('printing:')
    assert f'\nd {directory} 0700 root root -\n' in (SERVICES / 'tmpfiles.conf').read_text()
    assert f'\n.It Pa {directory}\n' in (SERVICES / 'lpdsvc' / 'regstore-lpdsvc.8').read_text()


if __name__ == '__main__':
    sys.exit(run_tests(__doc__, dict(globals()), partial(run_in_bench, make=Bench)))
