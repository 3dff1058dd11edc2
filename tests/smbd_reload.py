#!/usr/bin/env python3
"""regstore-smbd-reload, root's helper beside a system's smbd: what it takes and what it does.

    tests/smbd_reload.py [--bin DIR] [TEST...]

Its paths are fixed, as it is root's. So it runs in a mount namespace in which its directory is a
scratch one and smbcontrol a program of ours, which notes what it is told. Needs root, unshare(1) and
an installed smbcontrol to mount over; else all is skipped. tests/lanmanserver.py has a real smbd.
Ends with "N passed, N failed, N skipped"; exit status 1 if any failed or none ran.
"""

import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import traceback
from pathlib import Path

from services_bench import TIMEOUT, Skip, expect, run_tests

PROGRAM = 'regstore-smbd-reload'
HOME = 'regstore-smbd'
SMBCONTROL = '''#!/bin/sh
here={directory}
[ "$1 $2 $3" = '--configfile /etc/samba/smb.conf --timeout' ] || exit 1
shift 4
echo "$*" >>$here/told
env >$here/environment
[ ! -e $here/gone ] || {{ echo "Can't find pid for destination 'smbd'" >&2; exit 1; }}
[ ! -e $here/fails ]
'''
# Then the descriptor that came with it becomes 3, as systemd hands it over.
RUN = ('mount --bind "$1/lib" /var/lib && mount --bind "$1/smbcontrol" /usr/bin/smbcontrol && '
       'mount --bind "$1/etc" /etc/samba && '
       'export LISTEN_PID=$$ LISTEN_FDS=1 LISTEN_FDNAMES=handover EVIL=1 && exec "$2" 3<&"$3"')

BEFORE = ('[global]\n\tdeadtime = 15\n'
          '[data]\n\tpath = /srv/data\n\tread only = no\n\tguest ok = yes\n'
          '[two words]\n\tpath = /srv/two\n\tguest ok = yes\n[global]\n')
AFTER = '[global]\n\tdeadtime = 15\n[data]\n\tpath = /srv/data\n\tguest ok = no\n[global]\n'


class Bench:
    """The helper, and what it finds and leaves."""

    def __init__(self, bin_dir, directory):
        self.directory = directory
        self.program = bin_dir / PROGRAM
        self.home = directory / 'lib' / HOME
        self.copy = self.home / 'shares.conf'
        self.home.mkdir(parents=True)
        (directory / 'lib' / 'samba').mkdir() # testparm misses it
        (directory / 'etc').mkdir()
        self.conf = directory / 'etc' / 'smb.conf'
        self.conf.write_text('[global]\ninclude = /var/lib/regstore-smbd/shares.conf\n')
        control = directory / 'smbcontrol'
        control.write_text(SMBCONTROL.format(directory=directory))
        control.chmod(0o755)
        if os.geteuid() != 0 or not shutil.which('unshare'):
            raise Skip('only root can mount')
        if not os.path.exists('/usr/bin/smbcontrol'):
            raise Skip('smbcontrol is not installed')
        self.listener = socket.socket(socket.AF_UNIX)
        self.listener.bind(str(directory / 'socket'))
        self.listener.listen()
        self.process = subprocess.Popen(
            ['unshare', '--mount', 'bash', '-c', RUN, 'bash', directory, self.program,
             str(self.listener.fileno())], stdin=subprocess.DEVNULL, stderr=subprocess.PIPE,
            text=True, pass_fds=[self.listener.fileno()])

    def call(self, text, end=True):
        """What it answers to a text."""
        with socket.socket(socket.AF_UNIX) as caller:
            caller.settimeout(TIMEOUT)
            caller.connect(str(self.directory / 'socket'))
            try:
                caller.sendall(text.encode() if isinstance(text, str) else text)
                if end:
                    caller.shutdown(socket.SHUT_WR)
            except BrokenPipeError:
                pass # it has heard enough
            answer = b''
            while part := caller.recv(4096):
                answer += part
            return answer.decode()

    def told(self):
        """What smbcontrol was told since the last look."""
        path = self.directory / 'told'
        lines = path.read_text().splitlines() if path.exists() else []
        path.unlink(missing_ok=True)
        return lines

    def close(self):
        self.listener.close()
        self.process.send_signal(signal.SIGTERM)
        self.process.communicate(timeout=TIMEOUT)


# ---- Tests; a function test_NAME(bench) is one

def test_a_text_is_put_in_place_and_read(bench):
    expect(bench.call(BEFORE), 'ok\n')
    expect(bench.copy.read_text(), BEFORE)
    expect(bench.copy.stat().st_mode & 0o777, 0o644)
    expect(bench.told(), ['smbd reload-config', 'smbd ping'])
    environment = (bench.directory / 'environment').read_text()
    assert 'EVIL' not in environment and 'LISTEN' not in environment, environment
    expect(sorted(os.listdir(bench.home)), ['shares.conf', 'shares.conf.lock'])


def test_what_gives_less_is_closed(bench):
    bench.call(BEFORE)
    bench.told()
    expect(bench.call(AFTER), 'ok\n')
    expect(bench.told(), ['smbd reload-config', 'smbd close-share data',
                          'smbd close-share two words', 'smbd ping'])
    expect(bench.call(AFTER), 'ok\n')
    expect(bench.told(), [])


def test_what_fails_leaves_the_copy(bench):
    """testparm judges before anything is done; and if smbd cannot be told, the text goes back."""
    bench.call(BEFORE)
    bench.told()
    kept = bench.conf.read_text()
    bench.conf.write_text(kept + 'no option\n[x\n')
    answer = bench.call(AFTER)
    assert answer.startswith('error testparm: '), answer
    expect(bench.told(), [])
    bench.conf.write_text('[global]\n')
    expect(bench.call(AFTER), 'error /etc/samba/smb.conf has no line '
                              '"include = /var/lib/regstore-smbd/shares.conf"\n')
    expect(bench.copy.read_text(), BEFORE)
    bench.conf.write_text(kept)
    (bench.directory / 'fails').touch()
    expect(bench.call(AFTER), 'error smbcontrol: it failed\n')
    expect(bench.copy.read_text(), BEFORE)
    (bench.directory / 'fails').unlink()
    expect(bench.call(AFTER), 'ok\n')
    expect(bench.copy.read_text(), AFTER)


def test_many_shares_are_closed_at_once(bench):
    many = ''.join(f'[share {number}]\n\tpath = /srv\n' for number in range(101))
    bench.call(many + '[global]\n')
    bench.told()
    expect(bench.call('[global]\n'), 'ok\n')
    expect(bench.told(), ['smbd reload-config', 'smbd close-share *', 'smbd ping'])


def test_what_is_not_the_services_is_refused(bench):
    bench.call(BEFORE)
    bench.told()
    why = {'[data]\n\troot preexec = /bin/sh\n[global]\n':
           'line 2: its option is not one that the service sets',
           '[data]\n': 'line 1: the text does not end in [global]',
           '': 'line 0: the text does not end in [global]',
           '[global]\n\tserver string = a\\\n': 'line 2: it ends with a backslash'}
    for text, reason in why.items():
        expect(bench.call(text), f'error {PROGRAM} does not take {reason}\n')
    expect(bench.call('#' * (1024 * 1024 + 1)), 'error the text is too long\n')
    expect(bench.copy.read_text(), BEFORE)
    expect(bench.told(), [])


def test_a_smbd_that_is_gone_is_told(bench):
    (bench.directory / 'gone').touch()
    expect(bench.call(BEFORE), 'ok smbd does not run\n')
    expect(bench.copy.read_text(), BEFORE)


def test_a_copy_that_cannot_be_made_is_told(bench):
    bench.call(BEFORE)
    bench.told()
    (bench.home / 'shares.conf.new').mkdir()
    answer = bench.call(AFTER)
    assert answer.startswith('error cannot make /var/lib/regstore-smbd/shares.conf.new: '), answer
    expect(bench.copy.read_text(), BEFORE)
    expect(bench.told(), [])


def test_a_link_in_its_place_is_not_followed(bench):
    """Nobody but root could make one; all the same nothing is written through it."""
    victim = bench.directory / 'victim'
    victim.write_text('precious')
    (bench.home / 'shares.conf.new').symlink_to(victim)
    expect(bench.call(BEFORE), 'ok\n')
    expect(victim.read_text(), 'precious')
    assert not bench.copy.is_symlink()


def test_callers_are_served_one_after_the_other(bench):
    with socket.socket(socket.AF_UNIX) as silent:
        silent.connect(str(bench.directory / 'socket'))
        silent.close()
    expect(bench.call(BEFORE), 'ok\n')


def test_it_takes_no_arguments_and_no_other_start(bench):
    for words in ([], ['x']):
        done = subprocess.run([bench.program, *words], capture_output=True, text=True,
                              stdin=subprocess.DEVNULL, timeout=TIMEOUT, check=False)
        expect(done.returncode, 1)
        expect(done.stderr, f'{PROGRAM}: takes no arguments; {PROGRAM}.socket starts it when it is '
                            'needed\n')
    expect(bench.call(BEFORE), 'ok\n')


def run_test(name, test, bin_dir):
    directory = Path(tempfile.mkdtemp(prefix='smbd_reload.'))
    bench = None
    try:
        bench = Bench(bin_dir, directory)
        test(bench)
        return 'passed'
    except Skip as why:
        print(f'skipped: {name}: {why}')
        return 'skipped'
    except Exception: # whatever it is, the other tests run
        print(f'FAILED: {name}')
        traceback.print_exc(file=sys.stdout)
        return 'failed'
    finally:
        if bench:
            bench.close()
        shutil.rmtree(directory)


if __name__ == '__main__':
    sys.exit(run_tests(__doc__, dict(globals()), run_test))
