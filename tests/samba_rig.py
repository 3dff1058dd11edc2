"""A Samba of one's own: smbd and samba-dcerpcd, wholly unprivileged, in a scratch directory.

The file server listens on a free high port of 127.0.0.1 and keeps everything it has below
the rig's directory. Its pipes are served by samba-dcerpcd, started with a list that leaves out
spoolss: whoever wants to serve that pipe listens on the socket that pipe('spoolss') names. The
configuration ends with "include = FILE", for a service that writes FILE. As root, all of Samba
runs as nobody; what is to reach its sockets and to send it messages must run as that user, too:
give popen_options() to subprocess, and own() what it is to write.

Needs the Debian packages samba, smbclient and samba-common-bin; require() skips without them.
Nothing sleeps to be lucky: start() tries until a client is answered, for at most TIMEOUT seconds.
"""

import os
import pwd
import re
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from pathlib import Path

from services_bench import TIMEOUT, Skip

DCERPCD = '/usr/libexec/samba/samba-dcerpcd'
PROGRAMS = ('smbd', 'smbclient', 'smbcontrol', 'testparm', 'rpcclient', DCERPCD)
PIPES = ('rpcd_lsad', 'rpcd_classic', 'rpcd_winreg') # all that is needed but spoolss
SEARCHED = '/usr/sbin:/usr/bin:/sbin:/bin'
ANSWER_PAUSE = 0.01 # between two tries of a client; Samba has no way to say that it is ready
MAX_SOCKET_PATH = 107

CONFIGURATION = '''[global]
    netbios name = {name}
    workgroup = RIGS
    server role = standalone server
    interfaces = 127.0.0.1
    bind interfaces only = yes
    smb ports = {port}
    disable netbios = yes
    guest account = {account}
    private dir = {directory}/private
    passdb backend = tdbsam:{directory}/private/passdb.tdb
    state directory = {directory}/state
    cache directory = {directory}/cache
    lock directory = {directory}/lock
    pid directory = {directory}/pid
    ncalrpc dir = {directory}/ncalrpc
    usershare max shares = 0
    log file = {directory}/log/%m
    max log size = 0
    load printers = {load_printers}
    printing = bsd
    printcap name = {printcap}
    rpc start on demand helpers = no
{extra}    include = {include}
'''


def program(name):
    """Where a program of Samba's is; None where it is not installed."""
    return shutil.which(name, path=SEARCHED)


def require(*more):
    """Skips the test that asks if Samba, or another program, is not to be had."""
    for name in (*PROGRAMS, *more):
        if not program(name):
            raise Skip(f'{Path(name).name} is not installed')


def require_clients(*modules):
    """Skips if Debian's own Python has not these modules; gives that Python."""
    python = '/usr/bin/python3'
    done = subprocess.run([python, '-c', f'import {", ".join(modules)}'], capture_output=True,
                          stdin=subprocess.DEVNULL, timeout=TIMEOUT, check=False)
    if done.returncode:
        raise Skip(f'{python} cannot import {" and ".join(modules)}')
    return python


def free_port():
    """A port of 127.0.0.1 that nobody has at this moment."""
    with socket.socket() as probe:
        probe.bind(('127.0.0.1', 0))
        return probe.getsockname()[1]


def until(what, true, patience=TIMEOUT):
    """Waits until something is true, and gives it."""
    deadline = time.monotonic() + patience
    while not (result := true()):
        assert time.monotonic() < deadline, f'{what}: not within {patience} s'
        time.sleep(ANSWER_PAUSE)
    return result


class Session:
    """A null session that smbclient holds open, command for command."""

    MARK = 'end-of-answer'

    def __init__(self, rig, share):
        # What it says would else stay in its buffer until it ends. It waits for each line in
        # select(2), so a line must not come together with the one before it: a pipe of packets.
        out, self.lines = os.pipe2(os.O_DIRECT | os.O_CLOEXEC)
        self.process = subprocess.Popen(('stdbuf', '-o0', *rig.smbclient_command(share)), stdin=out,
                                        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                                        **rig.popen_options())
        os.close(out)

    def do(self, command):
        """What smbclient says to a command; if it has ended, what it said until then."""
        for line in (command, f'!echo {self.MARK}'):
            try:
                os.write(self.lines, f'{line}\n'.encode())
            except BrokenPipeError:
                pass
        said = []
        for line in self.process.stdout:
            if line.strip() == self.MARK:
                break
            said.append(line)
        return ''.join(said)

    def close(self):
        os.close(self.lines)
        self.process.stdout.read()
        self.process.stdout.close()
        return self.process.wait(TIMEOUT)

    kill = close


class SambaRig:
    """One Samba. start() it; stop() and start() again as often as wanted; close() at the end."""

    def __init__(self, name='RIG', extra='', printcap=None, pipes=PIPES):
        require()
        self.name = name
        self.pipes = pipes
        self.account = pwd.getpwnam('nobody') if os.getuid() == 0 else pwd.getpwuid(os.getuid())
        self.directory = Path(tempfile.mkdtemp(prefix='rig-'))
        self.include = self.directory / 'include' / 'shares.conf'
        self.configuration = self.directory / 'smb.conf'
        self.extra = ''.join(f'    {line}\n' for line in extra.splitlines())
        self.printcap = printcap
        self.port = None
        self.smbd = self.dcerpcd = None
        for part in ('private', 'state', 'cache', 'lock', 'pid', 'log', 'ncalrpc', 'include',
                     'share'):
            (self.directory / part).mkdir()
        (self.directory / 'ncalrpc').chmod(0o755)
        self.pipe('').mkdir(mode=0o700)
        self.include.write_text('')
        self.own(self.directory)
        if len(str(self.pipe('spoolss'))) > MAX_SOCKET_PATH:
            self.close()
            raise Skip(f'{self.directory} is too long for the name of a socket')

    # ---- Who runs it

    def popen_options(self):
        """What subprocess needs to run something as the user that Samba runs as."""
        if os.getuid() != 0:
            return {}
        return {'user': self.account.pw_uid, 'group': self.account.pw_gid, 'extra_groups': []}

    def own(self, path):
        """Gives a file or a tree to the user that Samba runs as."""
        if os.getuid() == 0:
            for each in (Path(path), *Path(path).rglob('*')):
                os.chown(each, self.account.pw_uid, self.account.pw_gid, follow_symlinks=False)

    def pipe(self, name):
        """The socket that smbd connects to for a named pipe."""
        return self.directory / 'ncalrpc' / 'np' / name

    # ---- Its life

    def write_configuration(self):
        self.port = self.port or free_port()
        self.configuration.write_text(CONFIGURATION.format(
            name=self.name, port=self.port, account=self.account.pw_name, directory=self.directory,
            load_printers='yes' if self.printcap else 'no', printcap=self.printcap or '/dev/null',
            extra=self.extra, include=self.include))
        self.own(self.configuration)

    def spawn(self, log, *command):
        with open(self.directory / 'log' / log, 'ab') as output:
            return subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=output,
                                    stderr=subprocess.STDOUT, start_new_session=True,
                                    **self.popen_options())

    def start(self):
        """Starts both programs and waits until they answer."""
        self.write_configuration()
        common = ('-F', '--no-process-group', '--configfile', self.configuration,
                  '-l', self.directory / 'log')
        self.smbd = self.spawn('out.smbd', program('smbd'), *common)
        self.dcerpcd = self.spawn('out.dcerpcd', DCERPCD, *common, *(
            str(Path(DCERPCD).with_name(name)) for name in self.pipes))
        until('smbd answers', self.answers)
        return self

    def answers(self):
        """Whether smbd and samba-dcerpcd take a session and a call; False if not yet."""
        for process, log in ((self.smbd, 'out.smbd'), (self.dcerpcd, 'out.dcerpcd')):
            if process.poll() is not None:
                text = (self.directory / 'log' / log).read_text(errors='replace')
                raise AssertionError(f'{process.args[0]} ended with {process.returncode}: {text}')
        with socket.socket() as probe:
            if probe.connect_ex(('127.0.0.1', self.port)):
                return False
        if self.smbcontrol('smbd', 'ping').returncode:
            return False
        if 'rpcd_lsad' not in self.pipes:
            return True
        return self.rpcclient('lsaquery').returncode == 0

    def stop(self, number=signal.SIGTERM):
        """Ends both and all that they started."""
        for process in (self.smbd, self.dcerpcd):
            if process:
                end_session(process, number)
        self.smbd = self.dcerpcd = None

    def kill_smbd(self):
        """smbd dies at once, with all its sessions; samba-dcerpcd stays."""
        end_session(self.smbd, signal.SIGKILL)
        self.smbd = None

    def restart(self):
        """The same Samba again, on the same port."""
        self.stop()
        return self.start()

    def close(self):
        self.stop()
        shutil.rmtree(self.directory)

    kill = close

    # ---- Its clients

    def run(self, *command, **options):
        """Runs a client as Samba's user; its output is one text."""
        if 'input' not in options:
            options['stdin'] = subprocess.DEVNULL
        return subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                              errors='replace', timeout=TIMEOUT, check=False,
                              cwd=self.directory / 'share', **self.popen_options(), **options)

    def smbclient_command(self, share):
        return (program('smbclient'), '--configfile', self.configuration, '-N', '-p',
                str(self.port), f'//127.0.0.1/{share}')

    def smbclient(self, share, command='ls'):
        """A null session that does one thing on a share."""
        return self.run(*self.smbclient_command(share), '-c', command)

    def session(self, share):
        """A null session that stays open."""
        return Session(self, share)

    def shares(self):
        """The names that a null session sees in the list of shares."""
        listed = self.run(program('smbclient'), '--configfile', self.configuration, '-N', '-g',
                          '-p', str(self.port), '-L', '//127.0.0.1').stdout
        return re.findall(r'^(?:Disk|Printer|IPC)\|([^|]*)\|', listed, re.M)

    def rpcclient(self, command):
        return self.run(program('rpcclient'), '--configfile', self.configuration, '-N', '-U', '%',
                        '-p', str(self.port), '-c', command, '127.0.0.1')

    def smbcontrol(self, *arguments):
        return self.run(program('smbcontrol'), '--configfile', self.configuration, '-t', '5',
                        *arguments)

    def testparm(self):
        return self.run(program('testparm'), '-s', '--suppress-prompt', self.configuration)


def end_session(process, number):
    """Ends a process that leads a session, then what is left of that."""
    if process.poll() is None:
        process.send_signal(number)
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            pass
    try:
        os.killpg(process.pid, signal.SIGKILL)
    except ProcessLookupError:
        pass
    process.wait()
