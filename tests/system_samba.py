#!/usr/bin/env python3
"""The services beside a system's Samba: smbd is root, in its own places, and they are nobody.

    tests/system_samba.py [--bin DIR]

What systemd would do is done by hand, by what the units and tmpfiles.conf say: directories, sockets,
who runs as whom. All of it is in namespaces of its own: /run, /var/lib and Samba's other places are
new ones there, and nothing is left when it ends. tests/samba_rig.py has an unprivileged Samba, for
all the rest. Needs root, unshare(1) and the packages samba and smbclient; else it is skipped.
Ends with "N passed, N failed, N skipped"; exit status 1 if any failed.
"""

import argparse
import os
import re
import shutil
import socket
import subprocess
import sys
import traceback
from pathlib import Path

import samba_rig
from services_bench import TIMEOUT, Skip, expect

TOP = Path(__file__).resolve().parent.parent
UNITS = TOP / 'services'
NOBODY = {'user': 65534, 'group': 65534, 'extra_groups': []}
NEW = ('/run', '/var/lib', '/etc/samba', '/var/log/samba', '/var/cache/samba')
PRINTER = 'HKLM\\SYSTEM\\CurrentControlSet\\Control\\Print\\Printers\\Laser'
SERVER = 'HKLM\\SYSTEM\\CurrentControlSet\\Services\\LanmanServer'
COPY = Path('/var/lib/regstore-smbd/shares.conf')
DENIED = 'NT_STATUS_ACCESS_DENIED'
ENUMERATE = 'enumprinters 1 \\\\SYSTEM 64'

CONFIGURATION = '''[global]
    netbios name = SYSTEM
    interfaces = 127.0.0.1
    bind interfaces only = yes
    smb ports = {port}
    disable netbios = yes
    load printers = no
    printing = bsd
    printcap name = /dev/null
    rpc start on demand helpers = no
    include = /var/lib/regstore-smbd/shares.conf
'''


def check():
    """Says why this cannot be tried here."""
    if os.geteuid() != 0 or not shutil.which('unshare'):
        raise Skip('only root can mount')
    samba_rig.require('systemd-tmpfiles')
    tried = subprocess.run(['unshare', '--mount', '--pid', '--fork', 'mount', '-t', 'tmpfs', 'none',
                            '/run'], capture_output=True, text=True, check=False, timeout=TIMEOUT)
    if tried.returncode:
        raise Skip(f'cannot mount: {tried.stderr.strip()}')


def setting(unit, name):
    return re.search(f'^{name}=(.*)$', unit.read_text(), re.MULTILINE)[1]


class System:
    """A machine with a Samba, in this process's namespaces."""

    def __init__(self, bin_dir):
        self.bin = bin_dir
        self.port = samba_rig.free_port()
        self.environment = {'PATH': f'{bin_dir}:{samba_rig.SEARCHED}', 'REGSTORE': '/var/lib/store/s'}
        for place in NEW:
            subprocess.run(['mount', '-t', 'tmpfs', '-o', 'mode=755', 'none', place], check=True)
        Path('/var/lib/samba/private').mkdir(parents=True)
        Path('/etc/samba/smb.conf').write_text(CONFIGURATION.format(port=self.port))
        subprocess.run(['systemd-tmpfiles', '--create', '--prefix=/run/samba',
                        UNITS / 'tmpfiles.conf'], check=True, timeout=TIMEOUT)
        Path('/var/lib/store').mkdir()
        os.chown('/var/lib/store', NOBODY['user'], NOBODY['group'])
        COPY.parent.mkdir(mode=0o755)
        self.regtool('init')

    def regtool(self, *words, **options):
        """As the store's owner."""
        return subprocess.run(['regtool', *words], env=self.environment, check=True, text=True,
                              stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, timeout=TIMEOUT,
                              **{**NOBODY, **options}).stdout

    def start(self, program, unit, user, *words):
        """A program with the socket that its unit describes, and with a log to be waited for."""
        path = Path(setting(unit, 'ListenStream'))
        path.parent.mkdir(mode=int(setting(unit, 'DirectoryMode'), 8), parents=True, exist_ok=True)
        name = setting(unit, 'FileDescriptorName')
        with socket.socket(socket.AF_UNIX) as listener:
            listener.bind(str(path))
            os.chmod(path, int(setting(unit, 'SocketMode'), 8))
            listener.listen()
            script = (f'export LISTEN_PID=$$ LISTEN_FDS=1 LISTEN_FDNAMES={name}; exec "$@" '
                      f'3<&{listener.fileno()}')
            return subprocess.Popen(['bash', '-c', script, 'bash', self.bin / program, *words],
                                    env=self.environment, stdin=subprocess.DEVNULL, text=True,
                                    stderr=subprocess.PIPE, pass_fds=[listener.fileno()], **user)

    def start_samba(self):
        for program in (samba_rig.program('smbd'), samba_rig.DCERPCD):
            pipes = samba_rig.PIPES if program == samba_rig.DCERPCD else ()
            words = [Path(program).with_name(name) for name in pipes]
            subprocess.Popen([program, '-F', '--no-process-group', *words], env=self.environment,
                             stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                             stderr=subprocess.DEVNULL)
        samba_rig.until('smbd answers', lambda: self.rpcclient('lsaquery').returncode == 0)

    def smbclient_command(self, share):
        """A null session; this and the next are what samba_rig.Session asks for."""
        return ('smbclient', '-N', '-p', str(self.port), f'//127.0.0.1/{share}')

    def popen_options(self):
        return {'env': self.environment}

    def look(self):
        """What a null session sees of the share that the tests have."""
        return subprocess.run([*self.smbclient_command('DATA'), '-c', 'ls'], env=self.environment, text=True,
                              stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, timeout=TIMEOUT,
                              stderr=subprocess.STDOUT, check=False).stdout

    def rpcclient(self, command):
        """A null session."""
        return subprocess.run(['rpcclient', '-N', '-U', '%', '-p', str(self.port), '-c', command,
                               '127.0.0.1'], env=self.environment, stdin=subprocess.DEVNULL,
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                              timeout=TIMEOUT, check=False)


def wait_for(service, text):
    while text not in (line := service.stderr.readline()):
        assert line, f'{service.args} has ended'


# ---- Tests, one after the other on one machine

def test_spooler_serves_smbds_pipe(system):
    """smbd's directory is root's alone, and so is the socket; who serves it is nobody."""
    system.regtool('set', PRINTER, 'Share Name', 'LASER')
    system.regtool('set', 'HKLM\\SYSTEM\\CurrentControlSet\\Control\\ComputerName\\ComputerName',
                   'ComputerName', 'SYSTEM')
    system.spooler = system.start('regstore-spooler', UNITS / 'spooler/regstore-spooler.socket', NOBODY)
    wait_for(system.spooler, 'started with')
    pipe = Path(setting(UNITS / 'spooler/regstore-spooler.socket', 'ListenStream'))
    expect(oct(pipe.parent.stat().st_mode & 0o777), '0o700')
    listed = system.rpcclient(ENUMERATE)
    assert '\\\\SYSTEM\\LASER' in listed.stdout, listed.stdout


def test_spooler_follows_null_sessions(system):
    """The pipe that smbd hands over is one that null sessions may be kept from."""
    key = 'HKLM\\SYSTEM\\CurrentControlSet\\Services\\LanmanServer\\Parameters'
    system.regtool('set', key, 'NullSessionPipes', 'COMNAP', '/t', 'REG_MULTI_SZ', '--wait=60')
    refused = system.rpcclient(ENUMERATE)
    assert 'ACCESS_DENIED' in refused.stdout.upper(), refused.stdout
    system.regtool('delete', key, '/v', 'NullSessionPipes', '/f', '--wait=60')
    listed = system.rpcclient(ENUMERATE)
    assert '\\\\SYSTEM\\LASER' in listed.stdout, listed.stdout


def test_server_opens_and_closes_shares(system):
    """It is nobody and writes nothing that smbd reads; root's helper takes what it hands over."""
    share = Path('/var/lib/data')
    share.mkdir(mode=0o755)
    (share / 'a file').touch()
    system.regtool('set', f'{SERVER}\\Shares', 'DATA', f'Path={share}', '/t', 'REG_MULTI_SZ')
    unit = UNITS / 'lanmanserver/regstore-smbd-reload.socket'
    system.helper = system.start('regstore-smbd-reload', unit, {})
    path = setting(unit, 'ListenStream')
    os.chown(path, 0, NOBODY['group']) # the service is in the unit's group
    system.server = subprocess.Popen([system.bin / 'regstore-lanmanserver', '--handover', path],
                              env=system.environment, stdin=subprocess.DEVNULL, text=True,
                              stderr=subprocess.PIPE, **NOBODY)
    wait_for(system.server, 'started with')
    samba_rig.until('the share is closed', lambda: DENIED in system.look())
    expect((COPY.stat().st_uid, oct(COPY.stat().st_mode & 0o777)), (0, '0o644'))
    add = ('add', f'{SERVER}\\Parameters', '/v', 'NullSessionShares', '/t', 'REG_MULTI_SZ')
    for _ in range(5):
        system.regtool(*add, '--append', 'DATA', '--wait=60')
        assert 'a file' in (seen := system.look()), seen
        # A session that is open loses it, too.
        session = samba_rig.Session(system, 'DATA')
        assert 'a file' in (seen := session.do('ls')), seen
        system.regtool(*add, '--remove', 'DATA', '--wait=60')
        assert DENIED in (seen := system.look()), seen
        assert 'a file' not in (seen := session.do('ls')), seen
        session.close()
    system.regtool(*add, '--append', 'DATA', '--wait=60')


def test_stopped_server_shares_nothing(system):
    said = system.regtool('net', 'stop', 'server')
    assert 'was stopped successfully' in said, said
    expect('DATA' in COPY.read_text(), False)
    assert 'a file' not in (seen := system.look()), seen
    system.regtool('net', 'start', 'server')
    assert 'a file' in (seen := system.look()), seen


def run_test(name, test, system):
    """0 if it has passed, 1 if it has failed."""
    try:
        test(system)
        return 0
    except Exception: # whatever it is, the other tests run
        print(f'FAILED: {name}')
        traceback.print_exc(file=sys.stdout)
        return 1


def run(bin_dir):
    """The inner one of the two processes."""
    counts = [0, 0]
    system = System(bin_dir)
    try:
        system.start_samba()
        for name, test in list(globals().items()):
            if name.startswith('test_'):
                counts[run_test(name, test, system)] += 1
    finally:
        print(f'{counts[0]} passed, {counts[1]} failed, 0 skipped', flush=True)
    return 1 if counts[1] else 0


def main():
    parser = argparse.ArgumentParser(description=__doc__.split('\n', maxsplit=1)[0])
    parser.add_argument('--bin', default='build/bin', type=Path, metavar='DIR')
    parser.add_argument('--inside', action='store_true', help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.inside:
        return run(arguments.bin.resolve())
    try:
        check()
    except Skip as why:
        print(f'skipped: {why}')
        print('0 passed, 0 failed, 1 skipped')
        return 0
    return subprocess.run(['unshare', '--mount', '--pid', '--fork', '--kill-child', '--mount-proc',
                           sys.executable, __file__, '--inside', '--bin', arguments.bin],
                          check=False).returncode


if __name__ == '__main__':
    sys.exit(main())
