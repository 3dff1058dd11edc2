"""What tests of the LPD service work with: the service, its printers, clients, and a print server.

The clients are rlpr and CUPS's lpd backend, which nobody here wrote (Debian packages rlpr and cups;
a test that needs one that is missing skips), and one of a few lines for what those never do. The
print server is a real smbd (tests/samba_rig.py), whose shares regstore-lanmanserver renders from a
store of its own; what comes out of its printer is kept, with the user who printed it.

A Samba that is reached as \\\\SERVER2 must be at SMB's own port, and its name must be known:
enter_own_network() starts a test program again in namespaces where both can be had. Needs
tests/services_bench.py. Nothing sleeps to be lucky: waits are for what is waited for.
"""

import ctypes
import fcntl
import os
import re
import shutil
import signal
import socket
import struct
import subprocess
import sys
import tempfile
import threading
from pathlib import Path

from print_bench import listens
from samba_rig import PIPES, SambaRig, free_port, until
from services_bench import TIMEOUT, Bench, Skip, expect

PROGRAM = 'regstore-lpdsvc'
PARAMETERS = 'HKLM\\SYSTEM\\CurrentControlSet\\Services\\LPDSVC\\Parameters'
PRINT = 'HKLM\\SYSTEM\\CurrentControlSet\\Control\\Print'
SERVER = 'HKLM\\SYSTEM\\CurrentControlSet\\Services\\LanmanServer'
COMPUTER = 'HKLM\\SYSTEM\\CurrentControlSet\\Control\\ComputerName\\ComputerName'
CUPS_BACKEND = '/usr/lib/cups/backend/lpd'
LONG = 10 * TIMEOUT # for what moves 100 MB or prints many jobs
INSIDE = 'REGSTORE_TEST_OWN_NETWORK'
SMB_PORT = 445

SIOCSIFFLAGS, IFF_UP_LOOPBACK = 0x8914, 0x49
PR_SET_CHILD_SUBREAPER = 36

# What smbd runs for each job: keeps it under a name that tells the order, beside who it was.
PRINT_COMMAND = '''#!/bin/sh
set -e
job=$PWD/$1 # smbd runs it where it spools
cd "$(dirname "$0")"
name=$(date +%s%N).$$
printf '%s\\n%s\\n' "$(id -un)" "$2" >"facts/$name"
mv "$job" "printed/$name"
'''
SAMBA_EXTRA = '''print command = {directory}/print.sh '%s' '%J'
lpq command = true
lprm command = true
lppause command = true
lpresume command = true
queuepause command = true
queueresume command = true
'''


# ---- A network of one's own

def enter_own_network():
    """Goes on in namespaces with a loopback of their own, in which unprivileged programs may have any
    port and the names SERVER1 and SERVER2 are this machine. Where that cannot be had, goes on as it
    is: require_own_network() tells."""
    if os.environ.get(INSIDE):
        bring_loopback_up()
        return
    if os.geteuid() != 0 or not shutil.which('unshare'):
        return
    script = ('printf "127.0.0.1 localhost SERVER1 SERVER2\\n" >"$HOSTS" && mount --bind "$HOSTS" /etc/hosts && '
              'rm "$HOSTS" && echo 0 >/proc/sys/net/ipv4/ip_unprivileged_port_start && exec "$@"')
    outside = ['unshare', '--mount', '--net', 'sh', '-c', script, 'sh']
    descriptor, hosts = tempfile.mkstemp()
    os.close(descriptor)
    os.chmod(hosts, 0o644)
    environment = {**os.environ, 'HOSTS': hosts}
    tried = subprocess.run([*outside, 'true'], env=environment, capture_output=True, check=False,
                           timeout=TIMEOUT)
    if tried.returncode == 0:
        os.execvpe('unshare', [*outside, sys.executable, *sys.argv], {**environment, INSIDE: '1'})


def bring_loopback_up():
    with socket.socket() as any_socket:
        fcntl.ioctl(any_socket, SIOCSIFFLAGS, struct.pack('16sh14x', b'lo', IFF_UP_LOOPBACK))


def require_own_network():
    if not os.environ.get(INSIDE):
        raise Skip('only root, where namespaces can be had, has SMB\'s own port and a name for itself')


def require_printing(bench, *programs):
    """Skips where these programs are not built: libsmbclient's headers may be missing."""
    for name in ('regstore-deliver', 'regstore-deliver-smb', *programs):
        if not (bench.bin / name).exists():
            raise Skip(f'{name} is not built')


# ---- Programs that outlive those who started them

def adopt_orphans():
    """From now on, what the service leaves behind when it is killed becomes this process's child."""
    if ctypes.CDLL(None, use_errno=True).prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0) != 0:
        raise OSError(ctypes.get_errno(), 'prctl')


def children_of(pid):
    """The processes that one has started, and that still run."""
    found = []
    for name in filter(str.isdigit, os.listdir('/proc')): # glob() stumbles over those that end meanwhile
        try:
            fields = Path(f'/proc/{name}/stat').read_text().rsplit(')', 1)[1].split()
        except (FileNotFoundError, ProcessLookupError):
            continue
        if int(fields[1]) == pid and fields[0] != 'Z':
            found.append(int(name))
    return found


def program_of(pid):
    try:
        return Path(os.readlink(f'/proc/{pid}/exe')).name
    except (FileNotFoundError, ProcessLookupError, PermissionError):
        return ''


def is_deliverer(pid):
    return program_of(pid).startswith('regstore-deliver')


def deliverers_of(pid):
    return [child for child in children_of(pid) if is_deliverer(child)]


def end_orphans():
    """Ends the deliverers that are this process's children."""
    for pid in deliverers_of(os.getpid()):
        os.kill(pid, signal.SIGKILL)
        os.waitpid(pid, 0)


# ---- Printers and the service

def set_text(bench, key, name, text):
    bench.regtool('add', key, '/v', name, '/t', 'REG_SZ', '/d', text, '/f')


def add_printer(bench, name, port, **numbers):
    """A printer of the registry, and so a queue."""
    key = f'{PRINT}\\Printers\\{name}'
    set_text(bench, key, 'Name', name)
    set_text(bench, key, 'Port', port)
    for value, number in numbers.items():
        bench.set_dword(key, value, number)
    return key


class Reader(threading.Thread):
    """Takes what a service says from when it has started, so that the pipe is never full: of many jobs
    there are many lines."""

    def __init__(self, service):
        super().__init__(daemon=True)
        self.service, self.said = service, b''
        self.start()

    def run(self):
        while block := os.read(self.service.log.fd, 65536):
            self.said += block

    def lines(self):
        """All of them, at the service's end."""
        self.join(TIMEOUT)
        log = self.service.log
        log.seen += (log.rest + self.said).decode('utf-8', 'replace').splitlines()
        log.rest, self.said = b'', b''
        return log.seen


class Lpd:
    """The service, which can be killed and started again over the same spool."""

    def __init__(self, bench, options=(), **parameters):
        adopt_orphans()
        self.bench, self.options = bench, options
        self.spool = bench.directory / 'spool'
        self.port = free_port()
        self.service = self.reader = None
        bench.set_dword(PARAMETERS, 'ListenPort', self.port)
        for name, number in parameters.items():
            bench.set_dword(PARAMETERS, name, number)
        self.start()

    def start(self, wait=True):
        self.service = self.bench.start(PROGRAM, options=('--spool', self.spool, *self.options))
        if wait:
            self.service.log.wait('started with')
            until('the service listens', lambda: listens(self.port))
        self.reader = Reader(self.service)
        if self in self.bench.open_things:
            self.bench.open_things.remove(self)
        self.bench.open_things.append(self) # behind its service, and so ended before that is killed
        return self

    def kill(self):
        """SIGKILL, and what the service said until then."""
        self.service.send(signal.SIGKILL)
        said = self.reader.lines()
        self.service.kill()
        self.bench.open_things.remove(self.service)
        return said

    def close(self):
        """Ends the service, as its manager would, and looks at what it said. Who is sending a document
        goes on without it, and is waited for, which is why it was adopted: the spool is his, too."""
        if self.service.process.poll() is None:
            self.service.send(signal.SIGTERM)
        self.reader.lines()
        status = self.service.process.wait(TIMEOUT)
        expect((status, self.service.log.seen[-1:] if status else ''), (0, ''))
        until('deliverers have ended', lambda: not deliverers_of(os.getpid()))

    def waiting(self):
        """The jobs that are in the spool."""
        return sorted(path.name for path in (self.spool / 'jobs').iterdir())

    def until_empty(self):
        """Waits until nothing is left in the spool."""
        def state():
            return '; '.join(sorted({lpq(self.port, name) for name in self.queues()}))
        try:
            until('the spool is empty', lambda: not self.waiting(), LONG)
        except AssertionError as problem:
            raise AssertionError(f'{problem}: {state()}') from None

    def queues(self):
        return re.findall(r'Printers\\([^\\\s]+)', self.bench.regtool('query', f'{PRINT}\\Printers'))


# ---- Clients

def connect(port):
    client = socket.create_connection(('127.0.0.1', port), timeout=TIMEOUT)
    client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return client


def ask(port, request):
    """All that is answered to one line."""
    with connect(port) as client:
        client.sendall(request)
        answer = b''
        while block := client.recv(65536):
            answer += block
    return answer.decode('utf-8')


def lpq(port, queue, long=False):
    return ask(port, (b'\4' if long else b'\3') + queue.encode() + b'\n')


class Refused(Exception):
    """The server answered something else than 0."""


def expect_zero(client, what):
    answer = client.recv(1)
    if not answer:
        raise ConnectionError(f'the server ends the connection: {what}')
    if answer != b'\0':
        raise Refused(f'{what}: {answer!r}')


def send_file(client, kind, name, content, size=None):
    client.sendall(b'%c%d %s\n' % (kind, len(content) if size is None else size, name))
    expect_zero(client, f'header of {name}')
    client.sendall(content)
    client.sendall(b'\0')
    expect_zero(client, f'content of {name}')


def control_file(names, user='tester', host='bench', number=1):
    """The text that goes with documents of these names, and the names of their files."""
    files = [f'df{chr(ord("A") + i)}{number:03}{host}' for i in range(len(names))]
    lines = [f'H{host}', f'P{user}', f'J{names[0]}']
    for name, file in zip(names, files):
        lines += [f'l{file}', f'U{file}', f'N{name}']
    return ('\n'.join(lines) + '\n').encode(), [file.encode() for file in files]


def send_job(port, queue, documents, data_first=False, number=1, user='tester'):
    """Sends one job, a dict of contents by names; when this returns, it is acknowledged."""
    control, files = control_file(list(documents), user, number=number)
    parts = [(3, file, content) for file, content in zip(files, documents.values())]
    order = [*parts, (2, b'cf' + files[0][2:], control)]
    if not data_first:
        order = order[-1:] + order[:-1]
    with connect(port) as client:
        client.sendall(b'\2%s\n' % queue.encode())
        expect_zero(client, f'queue {queue}')
        for kind, name, content in order:
            send_file(client, kind, name, content)


def require_rlpr():
    if not shutil.which('rlpr'):
        raise Skip('rlpr is not installed')


def require_cups():
    if not os.access(CUPS_BACKEND, os.X_OK):
        raise Skip(f'{CUPS_BACKEND} cannot be run: package cups is not installed, or this is not root')


def run_client(command, **options):
    # CUPS's backend does not end by SIGTERM while it waits, and logs bytes that are no UTF-8.
    return subprocess.run(['timeout', '-k', '1', str(LONG), *command], text=True, check=False,
                          errors='replace', stdin=subprocess.DEVNULL, capture_output=True, **options)


def rlpr(program, port, queue, *words, **options):
    """rlpr, rlpq or rlprm."""
    return run_client([program, '-N', f'--port={port}', '-H127.0.0.1', f'-P{queue}', *words], **options)


def rlpr_prints(port, queue, *words, **options):
    done = rlpr('rlpr', port, queue, *words, **options)
    expect((done.returncode, done.stderr if done.returncode else ''), (0, ''))


def cups(port, queue, file, options='', copies=1, user='someone', title='A title'):
    """CUPS's backend, as cupsd runs it."""
    uri = f'lpd://127.0.0.1:{port}/{queue}?reserve=none{options}'
    return run_client([CUPS_BACKEND, '7', user, title, str(copies), '', str(file)],
                      env={**os.environ, 'DEVICE_URI': uri})


def cups_prints(*words, **options):
    done = cups(*words, **options)
    assert done.returncode == 0, done.stderr


# ---- Where jobs come out

class Printed:
    """One job that came out of smbd's printer."""

    def __init__(self, directory, name):
        self.user, self.title = (directory / 'facts' / name).read_text(errors='replace').split('\n')[:2]
        self.path = directory / 'printed' / name
        self.content = self.path.read_bytes()


class RawPrinter:
    """A network printer, port 9100's kind; it can be held, so that a document stays on its way."""

    def __init__(self, bench):
        self.server = socket.create_server(('127.0.0.1', 0))
        self.port = self.server.getsockname()[1]
        self.printed, self.begun = [], threading.Event()
        self.go = threading.Event()
        self.go.set()
        self.thread = threading.Thread(target=self.run, daemon=True)
        self.thread.start()
        bench.open_things.append(self)

    def run(self):
        while True:
            try:
                client, _ = self.server.accept()
            except OSError:
                return
            with client:
                content = b''
                while block := client.recv(65536):
                    content += block
                    self.begun.set()
                    self.go.wait(TIMEOUT)
            self.printed.append(content)

    def close(self):
        self.go.set()
        self.server.shutdown(socket.SHUT_RDWR)
        self.server.close()
        self.thread.join(TIMEOUT)

    kill = close


class PrintServer:
    """SERVER2: smbd, and the shares that regstore-lanmanserver makes from a store of SERVER2's own."""

    def __init__(self, bench, port=None, null_shares=('COMCFG', 'DFS$'), shares=('Printer',)):
        directory = bench.directory / 'server2'
        directory.mkdir()
        self.bench = Bench(bench.bin, directory)
        self.rig = None
        bench.open_things.append(self)
        if os.geteuid() == 0:
            bench.directory.chmod(0o711)
        self.rig = SambaRig(name='SERVER2', pipes=(*PIPES, 'rpcd_spoolss')) # through which smbd prints
        self.rig.port = port
        self.make_printer()
        for share in shares:
            self.bench.regtool('add', f'{SERVER}\\Shares', '/v', share, '/t', 'REG_MULTI_SZ', '/d',
                               f'Path={self.rig.directory}/spool\\0Remark={share}\\0Type=1', '/f')
        self.bench.regtool('add', f'{SERVER}\\Parameters', '/v', 'NullSessionShares', '/t', 'REG_MULTI_SZ',
                           '/d', '\\0'.join(null_shares), '/f')
        set_text(self.bench, COMPUTER, 'ComputerName', 'SERVER2')
        self.rig.start()
        self.port = self.rig.port
        self.service = self.bench.start_beside(self.rig, 'regstore-lanmanserver', (
            '--include', self.rig.include, '--smb-conf', self.rig.configuration))
        self.service.log.wait('started with')
        until('the share is there', lambda: f'[{shares[0]}]' in self.rig.include.read_text())

    def make_printer(self):
        for part in ('spool', 'facts', 'printed'):
            (self.rig.directory / part).mkdir()
        script = self.rig.directory / 'print.sh'
        script.write_text(PRINT_COMMAND)
        script.chmod(0o755)
        self.rig.extra = ''.join(f'    {line}\n' for line in
                                 SAMBA_EXTRA.replace('{directory}', str(self.rig.directory)).splitlines())
        self.rig.own(self.rig.directory)

    def unc(self, share='Printer'):
        """The share's name for a client of this machine."""
        return f'\\\\127.0.0.1@{self.port}\\{share}'

    def printed(self):
        """All that came out, in its order."""
        names = sorted(path.name for path in (self.rig.directory / 'printed').iterdir())
        return [Printed(self.rig.directory, name) for name in names]

    def until_printed(self, count):
        until(f'{count} jobs came out of smbd', lambda: len(self.printed()) >= count, LONG)
        found = self.printed()
        expect(len(found), count)
        return found

    def forget(self):
        """What came out until now is looked at no more."""
        for printed in self.printed():
            printed.path.unlink()

    def close(self):
        self.bench.close()
        if self.rig:
            self.rig.close()

    kill = close
