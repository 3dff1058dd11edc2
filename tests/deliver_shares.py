#!/usr/bin/env python3
"""Tries regstore-deliver with a real smbd's print share.

    tests/deliver_shares.py [--bin DIR] [TEST...]

As a null session and with a credentials file, byte for byte; what is refused, what is away, and what
comes out when the one or the other is killed in the middle. Needs the Debian packages samba and
smbclient; skips without. Ends with "N passed, N failed, N skipped"; exit status 1 if any failed or
none ran.
"""

import os
import subprocess
import sys

from deliver_bench import AWKWARD, BIG, DOCUMENTS, Deliverer, Spool, deliver
from samba_rig import PIPES, SambaRig, free_port, program, until
from services_bench import expect, run_tests

SHARE = '''[Printer]
    path = {spool}
    printable = yes
    guest ok = {guest}
    use client driver = yes
    print command = {command} %s '%J' '%U'
    lpq command = /bin/true
    lprm command = /bin/true
'''
# Each job becomes a file that only then has its name; what is beside tells its name and its user.
COMMAND = '''#!/bin/sh
cp "$1" '{out}/part' && rm "$1" && cd '{out}' || exit 1
number=$(ls | grep -c '^job')
printf '%s\\n' "$2|$3|$(id -un)" > "told$number"
mv part "job$number"
'''
USER, PASSWORD = 'printuser', 'it is = a "secret" '


class Printer:
    """smbd with one print share; its jobs come out as files."""

    def __init__(self, bench, guest='yes'):
        self.rig = SambaRig('SERVER2', 'map to guest = Bad User\n', pipes=(*PIPES, 'rpcd_spoolss'))
        bench.open_things.append(self.rig)
        bench.directory.chmod(0o755)
        self.out = self.rig.directory / 'out'
        self.command = self.rig.directory / 'print'
        for part in self.out, self.rig.directory / 'spool':
            part.mkdir()
            self.rig.own(part)
        self.command.write_text(COMMAND.format(out=self.out))
        self.command.chmod(0o755)
        self.set_guest(guest)
        self.rig.start()
        self.share = f'\\\\127.0.0.1@{self.rig.port}\\Printer'

    def set_guest(self, guest):
        """Who may print; what smbd serves already stays."""
        self.rig.include.write_text(SHARE.format(
            spool=self.rig.directory / 'spool', guest=guest, command=self.command))
        self.rig.own(self.rig.include)
        if self.rig.smbd:
            expect(self.rig.smbcontrol('smbd', 'reload-config').returncode, 0)

    def add_user(self):
        """A user with a password, who is the account that smbd runs as."""
        account = self.rig.account.pw_name
        mapped = self.rig.directory / 'users'
        mapped.write_text(f'{account} = {USER}\n')
        self.rig.own(mapped)
        self.rig.extra += f'    username map = {mapped}\n'
        self.rig.restart()
        done = self.rig.run(program('pdbedit'), '-s', self.rig.configuration, '-a', '-t', '-u',
                            account, input=f'{PASSWORD}\n{PASSWORD}\n')
        assert done.returncode == 0, f'pdbedit: {done.stdout}'

    def job(self, number=0):
        """What job number has printed."""
        path = self.out / f'job{number}'
        until(f'job {number} comes out', path.exists)
        return path.read_bytes()

    def told(self, number=0):
        return (self.out / f'told{number}').read_text().rstrip('\n').split('|')

    def count(self):
        return len([path for path in self.out.iterdir() if path.name.startswith('job')])


def test_null_session(bench):
    """As user nobody, byte for byte; a document without bytes is none to smbd."""
    printer = Printer(bench)
    deliver(bench, '--null-session', printer.share)
    for number, document in enumerate((*DOCUMENTS[1:], AWKWARD)):
        deliver(bench, '--null-session', '--name', f'report {number}', printer.share,
                document=document)
        assert printer.job(number) == document
        expect(printer.told(number)[2], printer.rig.account.pw_name)
    expect(printer.count(), 3)


def test_awkward_names(bench):
    """Whatever a document is called, it is printed, and nothing else is touched."""
    printer = Printer(bench)
    for number, name in enumerate((
            'a/b\\c:d*e?f"g<h>i|j', '..', 'é€😀 %41 #?&', '-x', 'x' * 255, 'not\udcff utf-8\udc80')):
        deliver(bench, '--null-session', '--name', name, printer.share, document=b'x')
        expect(printer.job(number), b'x')


def test_refused(bench):
    printer = Printer(bench, guest='no')
    deliver(bench, '--null-session', printer.share, document=b'x', status=1,
            reason='access denied')
    deliver(bench, '--null-session', f'{printer.share}x', document=b'x', status=1,
            reason='no such share')
    deliver(bench, printer.share, document=b'x', status=1,
            reason='neither a null session nor a credentials file')
    expect(printer.count(), 0)


def test_away(bench):
    for host, reason in ((f'127.0.0.1@{free_port()}', 'connection refused'),
                         ('no-such-host.invalid', 'the host is not found')):
        deliver(bench, '--null-session', f'\\\\{host}\\Printer', document=b'x', status=1,
                reason=reason)


def test_job_waits_until_it_may(bench):
    """The reason is what a person sees in the queue's state."""
    printer, spool = Printer(bench, guest='no'), Spool(bench)
    process = spool.start(spool.add(BIG, b'y'), printer.share, '--null-session')
    expect(process.lines.next(), 'waiting access denied')
    printer.set_guest('yes')
    expect(process.end(0), ['printing 1/2', 'printing 2/2'])
    assert (printer.job(0), printer.job(1)) == (BIG, b'y')


def write_credentials(bench, text=None, name='printing', mode=0o600):
    path = bench.directory / name
    path.write_text(text or f'# for the printer\nusername = {USER}\npassword = {PASSWORD}\n')
    path.chmod(mode)
    return path


def test_credentials(bench):
    """With the password of the file, which may have spaces and an =; a wrong one is refused."""
    printer = Printer(bench, guest='no')
    printer.add_user()
    good = write_credentials(bench)
    deliver(bench, '--credentials', good, printer.share, document=BIG)
    assert printer.job() == BIG
    wrong = write_credentials(bench, f'username={USER}\npassword=wrong\n', 'wrong')
    deliver(bench, '--credentials', wrong, printer.share, document=b'x', status=1,
            reason='access denied')
    deliver(bench, '--null-session', printer.share, document=b'x', status=1,
            reason='access denied')
    expect(printer.count(), 1)


def test_credentials_of_the_service_manager(bench):
    """What systemd has put into its directory, in place of a file that only root may read."""
    printer = Printer(bench, guest='no')
    printer.add_user()
    write_credentials(bench, name='printing_server2')
    bench.environment['CREDENTIALS_DIRECTORY'] = str(bench.directory)
    deliver(bench, '--credentials', '/etc/regstore/printing/server2', printer.share, document=b'x')
    expect(printer.job(), b'x')
    deliver(bench, '--credentials', '/etc/regstore/printing/none', printer.share, document=b'x',
            status=1, reason='"/etc/regstore/printing/none": no such file')


def test_credentials_that_are_refused(bench):
    """A password that others may know is not used, and one that is wrongly written is told."""
    share = f'\\\\127.0.0.1@{free_port()}\\Printer'
    def refused(path, reason):
        deliver(bench, '--credentials', path, share, document=b'x', status=1, reason=reason)
    for mode in 0o640, 0o604, 0o620, 0o601:
        refused(write_credentials(bench, mode=mode), 'others can read or change it')
    refused(bench.directory / 'none', 'no such file')
    refused(bench.directory, 'not a file')
    for text, reason in (('username = a\nfoo = b\n', 'line 2 is none of'),
                         ('password = b\n', 'it names no user'), ('username\n', 'line 1 has no ='),
                         ('username = ' + 'x' * 300, 'line 1 is too long'),
                         ('x' * 2000, 'line 1 is too long')):
        refused(write_credentials(bench, text), reason)
    if os.geteuid() == 0:
        path = write_credentials(bench)
        os.chown(path, 65534, 65534)
        refused(path, 'it belongs to another user')


def test_killed_in_the_middle(bench):
    """smbd prints what it has when the connection ends: so a part comes out, and the whole again."""
    printer, spool = Printer(bench), Spool(bench)
    process = Deliverer(bench, '--null-session', printer.share)
    process.feed(BIG)
    process.feed(BIG)
    process.kill()
    until('a part comes out', lambda: printer.count() == 1)
    assert (BIG + BIG).startswith(printer.job(0))
    name = spool.add(BIG, names=['torn'])
    spool.set_state(name, 0, sending=True)
    expect(spool.start(name, printer.share, '--null-session').end(0), ['again 1', 'printing 1/1'])
    assert printer.job(1) == BIG
    assert printer.told(1)[0].endswith('torn (printed again)'), printer.told(1)


def test_more_jobs(bench):
    """The other program prints the next ones, too."""
    printer, spool = Printer(bench), Spool(bench)
    first, second = spool.add(BIG, names=['one']), spool.add(b'x', names=['two'])
    process = spool.start(first, printer.share, '--null-session', '--more')
    expect([process.lines.next(), process.lines.next()], ['printing 1/1', f'done {first}'])
    process.feed(f'{second}\n'.encode())
    expect(process.end(0), ['printing 1/1', f'done {second}'])
    assert (printer.job(0), printer.job(1)) == (BIG, b'x')


def test_server_dies_in_the_middle(bench):
    printer = Printer(bench)
    process = Deliverer(bench, '--null-session', printer.share)
    process.feed(BIG)
    process.feed(BIG)
    printer.rig.kill_smbd()
    try:
        process.feed(BIG)
    except BrokenPipeError:
        pass
    process.end(3, 'connection')


def test_home_is_not_read(bench):
    """What a user's own file for smbclient says is of no concern."""
    printer = Printer(bench)
    (bench.directory / '.smb').mkdir()
    (bench.directory / '.smb' / 'smb.conf').write_text('[global]\nclient max protocol = NT1\n')
    bench.environment['HOME'] = str(bench.directory)
    deliver(bench, '--null-session', printer.share, document=b'x')
    expect(printer.job(), b'x')


def test_only_one_program_links_it(bench):
    """The other runs without the library."""
    linked = {name: subprocess.run(['readelf', '-d', bench.bin / name], capture_output=True,
                                   text=True, check=True).stdout
              for name in ('regstore-deliver', 'regstore-deliver-smb')}
    expect({name: 'libsmbclient' in text for name, text in linked.items()},
           {'regstore-deliver': False, 'regstore-deliver-smb': True})


if __name__ == '__main__':
    sys.exit(run_tests(__doc__, globals()))
