#!/usr/bin/env python3
"""Runs regstore-lanmanserver beside a real smbd that null sessions come to.

    tests/lanmanserver.py [--bin DIR] [TEST...]

Nothing sleeps to be lucky: regtool --wait tells when the service has answered, and what is to be
seen then at once is what counts. Ends with "N passed, N failed, N skipped"; exit status 1 if any
failed or none ran.
"""

import os
import re
import signal
import statistics
import sys
import time

from lanmanserver_bench import (DENIED, GONE, NO_SHARE, PARAMETERS, SHARES, applied, fake, null_shares,
                                number, open_rig, options_of, reaches, refused_and_mended, rejected, serve,
                                share, start)
from print_bench import COMPUTER
from samba_rig import until
from services_bench import expect, run_tests

FLIPS = 100


# ---- Null sessions on a real smbd


def test_null_sessions_follow_the_list(bench):
    """Refused, allowed, refused; and an open session loses the share."""
    rig, service = serve(bench)
    assert not reaches(rig)
    expect(applied(bench, *null_shares('--append', 'DATA')), '')
    assert reaches(rig)
    session = rig.session('DATA')
    bench.open_things.append(session)
    assert 'file' in session.do('ls')
    expect(applied(bench, *null_shares('--remove', 'DATA')), '')
    assert not reaches(rig)
    said = session.do('ls')
    assert DENIED in said or GONE in said, said
    service.end()


def test_unc_names_open_the_server_they_name(bench):
    rig, service = serve(bench, ('set', COMPUTER, 'ComputerName', 'SERVER2'))
    applied(bench, *null_shares('--append', '\\\\SERVER3\\DATA'))
    assert not reaches(rig)
    applied(bench, *null_shares('--append', '\\\\server2\\data'))
    assert reaches(rig)
    bench.regtool('set', COMPUTER, 'ComputerName', 'SERVER4') # nobody answers for the computer's name
    until('the share is closed', lambda: not reaches(rig))
    bench.regtool('set', COMPUTER, 'ComputerName', 'SERVER3')
    until('the share is open', lambda: reaches(rig))
    service.end()


def test_without_restriction_all_shares_are_open(bench):
    rig, service = serve(bench)
    applied(bench, *number('RestrictNullSessAccess', 0))
    assert reaches(rig)
    applied(bench, *number('RestrictNullSessAccess', 1))
    assert not reaches(rig)
    service.end()


def test_shares_come_and_go(bench):
    rig, service = serve(bench, null_shares('--append', 'MORE'))
    said = rig.smbclient('MORE')
    assert NO_SHARE in said.stdout, said.stdout
    applied(bench, *share('MORE', f'Path={rig.directory}/share'))
    session = rig.session('MORE')
    bench.open_things.append(session)
    assert 'file' in session.do('ls')
    applied(bench, 'delete', SHARES, '/v', 'MORE', '/f')
    assert 'file' not in session.do('ls')
    said = rig.smbclient('MORE')
    assert NO_SHARE in said.stdout, said.stdout
    service.end()


def test_only_shares_that_give_less_are_closed(bench):
    """Another share's session goes on."""
    rig, service = serve(bench, null_shares('--append', 'DATA'), null_shares('--append', 'MORE'))
    applied(bench, *share('MORE', f'Path={rig.directory}/share'))
    session = rig.session('MORE')
    bench.open_things.append(session)
    assert 'file' in session.do('ls')
    applied(bench, *null_shares('--remove', 'DATA'))
    assert not reaches(rig)
    assert 'file' in session.do('ls')
    applied(bench, *share('MORE', f'Path={rig.directory}/log'))
    assert 'file' not in session.do('ls')
    service.end()


def test_a_hundred_flips(bench):
    """Each is in force when regtool --wait comes back, for an open session too."""
    rig, service = serve(bench)
    wrong, times = [], []
    for flip in range(FLIPS):
        on = flip % 2 == 0
        session = rig.session('DATA') if not on else None
        if session:
            assert 'file' in session.do('ls')
        begun = time.monotonic()
        applied(bench, *null_shares('--append' if on else '--remove', 'DATA'))
        times.append(time.monotonic() - begun)
        if reaches(rig) != on:
            wrong.append((flip, 'new session'))
        if session:
            if 'file' in session.do('ls'):
                wrong.append((flip, 'open session'))
            session.close()
    expect(wrong, [])
    print(f'{FLIPS} flips, from the start of regtool to its end: median '
          f'{statistics.median(times) * 1000:.0f} ms, longest {max(times) * 1000:.0f} ms')
    service.end()


def test_a_stopped_server_shares_nothing(bench):
    """Open sessions end, changes wait for the start, and then all is as the store says."""
    rig, service = serve(bench, null_shares('--append', 'DATA'))
    session = rig.session('DATA')
    bench.open_things.append(session)
    assert 'file' in session.do('ls')
    bench.regtool('net', 'stop', 'server')
    assert 'file' not in session.do('ls')
    assert not reaches(rig)
    applied(bench, *share('MORE', f'Path={rig.directory}/share'))
    assert not reaches(rig, 'MORE')
    bench.regtool('net', 'start', 'server')
    assert reaches(rig)
    assert not reaches(rig, 'MORE')
    applied(bench, *null_shares('--append', 'MORE'))
    assert reaches(rig, 'MORE')
    service.end()


# ---- What is written


def test_testparm_reads_what_is_meant(bench):
    """Every option comes back from Samba as it was meant, in the section that it was meant for."""
    rig = open_rig(bench, extra='[behind]\n    path = /tmp').start()
    for name, value in (('srvcomment', '100% pure; # a "real" one'), ('Hidden', None)):
        bench.regtool(*(number(name, 1) if value is None else
                        ('add', PARAMETERS, '/v', name, '/d', value, '/f')))
    for name, value in (('Announce', 720), ('autodisconnect', 7), ('EnableOplocks', 0),
                        ('EnableRaw', 0), ('MaxMpxCt', 33)):
        bench.regtool(*number(name, value))
    bench.regtool(*share('Data$', f'Path={rig.directory}/share', 'Remark=a; b # c  d ', 'MaxUses=5',
                         'Permissions=127', 'CSCFlags=48', 'Type=0'))
    bench.regtool(*share('Lj 4', 'Path=Laser Jet,LocalsplOnly', 'Type=1'))
    bench.regtool(*null_shares('--append', 'lj 4'))
    service = start(bench, rig)
    text = rig.testparm().stdout
    whole = options_of(text, 'global')
    for option, value in (('server string', '100% pure; # a "real" one'), ('browse list', 'No'),
                          ('multicast dns register', 'No'), ('lm announce', 'No'),
                          ('lm interval', '720'), ('deadtime', '7'), ('read raw', 'No'),
                          ('write raw', 'No'), ('max mux', '33'), ('oplocks', 'No'),
                          ('level2 oplocks', 'No')):
        expect((option, whole[option]), (option, value))
    data = options_of(text, 'Data$')
    for option, value in (('path', f'{rig.directory}/share'), ('comment', 'a; b # c d'),
                          ('max connections', '5'), ('read only', 'No'), ('browseable', 'No'),
                          ('csc policy', 'disable')):
        expect((option, data[option]), (option, value))
    assert 'guest ok' not in data, data
    printer = options_of(text, 'Lj 4')
    for option, value in (('printable', 'Yes'), ('printer name', 'Laser Jet'), ('guest ok', 'Yes')):
        expect((option, printer[option]), (option, value))
    service.end()


# What Samba might read more into; clients must see it as it is, with its blanks run together.
REMARKS = ('a;b#c=d [e]', '; a', '# a', '[global]', 'a\\b', '\\a', 'a "quoted" word', "'a'", '100%',
           '% a 5 % b', '$HOME ${A} $(B)', '`a`', 'a = b', '  two   words ', 'dr\u00fccken \U0001f5a8', 'yes', '<a>&amp;', '~',
           '!', 'a:b', '@a', '*', 'x' * 200)
LEFT_OUT = ('%h', '50%-off', '%%', 'a\\', '"a"', '%$(HOME)', '%S%u', 'a\tb')


def test_clients_see_remarks_as_they_are(bench):
    """Through smbd, which puts its variables in; what it would change is left out and told."""
    rig = open_rig(bench).start()
    for place, remark in enumerate((*REMARKS, *LEFT_OUT)):
        bench.regtool(*share(f'S{place}', 'Path=/srv', f'Remark={remark}'))
    service = start(bench, rig)
    listed = rig.run('smbclient', '--configfile', rig.configuration, '-N', '-g', '-p', str(rig.port),
                     '-L', '//127.0.0.1').stdout
    seen = dict(re.findall(r'^Disk\|(S\d+)\|(.*)$', listed, re.M))
    expect(len(seen), len(REMARKS) + len(LEFT_OUT))
    for place, remark in enumerate(REMARKS):
        expect((remark, seen[f'S{place}']), (remark, ' '.join(remark.split())))
    said = applied(bench, *number('MaxMpxCt', 20))
    for place, remark in enumerate(LEFT_OUT, len(REMARKS)):
        expect((remark, seen[f'S{place}']), (remark, ''))
        assert f'Remark of share "S{place}" left out' in said, said
    service.end()


NAMES = ('the data', "a'b", '@a', '~a', '!a', 'a&b', 'a(b)', 'a.b', '$a', 'A$', 'dr\u00fccken', 'global2', 'n' * 80)


def test_odd_names_are_served_and_closed(bench):
    """Every name that the service takes is one that clients reach and that smbcontrol closes."""
    rig, service = serve(bench, number('RestrictNullSessAccess', 0))
    for name in NAMES[:-1]:
        bench.regtool(*share(name, f'Path={rig.directory}/share'))
    expect(applied(bench, *share(NAMES[-1], f'Path={rig.directory}/share')), '')
    sessions = [rig.session(name) for name in NAMES]
    bench.open_things += sessions
    for name, session in zip(NAMES, sessions):
        assert 'file' in session.do('ls'), name
    applied(bench, *number('RestrictNullSessAccess', 1))
    for name, session in zip(NAMES, sessions):
        assert 'file' not in session.do('ls'), name
        assert not reaches(rig, name), name
    service.end()


def test_the_include_may_stand_anywhere(bench):
    """Lines behind it are still those of [global], as the file ends there."""
    rig = open_rig(bench).start()
    bench.regtool(*share('DATA', f'Path={rig.directory}/share'))
    text = rig.configuration.read_text()
    rig.configuration.write_text(text + '    max log size = 77\n[own]\n    path = /tmp\n')
    service = start(bench, rig)
    text = rig.testparm().stdout
    expect(options_of(text, 'global')['max log size'], '77')
    assert 'max log size' not in options_of(text, 'DATA')
    expect(options_of(text, 'own'), {'path': '/tmp'})
    service.end()


def test_what_has_no_effect_is_said(bench):
    rig, service = serve(bench)
    expect(applied(bench, *number('SizReqBuf', 8192)),
           'SizReqBuf: kept, without effect on Samba: it takes requests of any size into buffers of '
           'their size')
    expect(applied(bench, *number('autodisconnect', 5)), '')
    said = applied(bench, *share('NETLOGON', 'Path=C:\\WINNT', 'Type=0'))
    expect(said, 'share "NETLOGON" left out: Path: it is no path of Unix')
    service.end()


def test_options_are_checked(bench):
    """Without --include, and with one that cannot be: said at the start."""
    service = bench.start('regstore-lanmanserver')
    service.log.wait('without --include no Samba goes by the settings$')
    service.log.wait('started with')
    service.end()
    for options, problem in ((('--include', 'x'), 'it is no path of Unix'),
                             (('--include', '/a', '--smb-conf', '/a'), 'it is smb.conf itself')):
        result = bench.run('regstore-lanmanserver', '--store', bench.store, *options)
        expect((result.returncode, result.stdout), (1, ''))
        assert problem in result.stderr, result.stderr


# ---- Nothing to do, and things that fail


def stamp(path):
    info = os.stat(path)
    return info.st_ino, info.st_mtime_ns


def test_the_same_text_is_left_alone(bench):
    rig, service = serve(bench)
    applied(bench, *null_shares('--append', 'DATA'))
    before = stamp(rig.include)
    applied(bench, *number('AnnDelta', 5))
    expect(stamp(rig.include), before)
    service.end()
    service = start(bench, rig)
    expect(stamp(rig.include), before)
    applied(bench, *null_shares('--append', 'OTHER'))
    expect(stamp(rig.include), before)
    expect(sorted(os.listdir(rig.include.parent)),
           ['shares.conf', 'shares.conf.last', 'shares.conf.lock'])
    service.end()


def test_the_last_one_is_kept(bench):
    rig, service = serve(bench)
    before = rig.include.read_text()
    applied(bench, *null_shares('--append', 'DATA'))
    last = rig.include.with_name('shares.conf.last')
    expect(last.read_text(), before)
    assert rig.include.read_text() != before
    service.end()


def test_testparm_refuses(bench):
    rig = open_rig(bench).start()
    bench.regtool(*share('DATA', f'Path={rig.directory}/share'))
    program = fake(bench, rig, 'testparm', 'exec /usr/bin/testparm "$@"')
    service = start(bench, rig)
    program.write_text('#!/bin/sh\necho Load smb config files >&2\necho no such luck >&2\nexit 1\n')
    refused_and_mended(bench, rig, 'testparm: no such luck', program.unlink)
    program.write_text('#!/bin/sh\nkill -9 $$\n')
    program.chmod(0o755)
    expect(rejected(bench, *null_shares('--remove', 'DATA')), 'testparm: it failed')
    assert reaches(rig)
    service.end()


def test_programs_are_missing(bench):
    """Neither testparm nor smbcontrol is on the PATH."""
    rig = open_rig(bench).start()
    bench.regtool(*share('DATA', f'Path={rig.directory}/share'))
    directory = bench.directory / 'programs'
    directory.mkdir()
    path, bench.environment['PATH'] = bench.environment['PATH'], str(directory)
    service = start(bench, rig, settled=False)
    service.log.wait('cannot take revision .*: cannot run testparm: No such file or directory$')
    (directory / 'testparm').symlink_to('/usr/bin/testparm')
    refused_and_mended(bench, rig, 'cannot run smbcontrol: No such file or directory',
                       lambda: (directory / 'smbcontrol').symlink_to('/usr/bin/smbcontrol'))
    bench.environment['PATH'] = path
    service.end()


def test_the_directory_is_read_only(bench):
    rig, service = serve(bench)
    rig.include.parent.chmod(0o555)
    refused_and_mended(bench, rig, 'cannot make .*/shares.conf.new: Permission denied',
                       lambda: rig.include.parent.chmod(0o755))
    service.end()


def test_everybody_may_write_there(bench):
    """smbd does as root what the file says, so nobody else may write it."""
    rig, service = serve(bench)
    rig.include.parent.chmod(0o757)
    refused_and_mended(bench, rig, 'the directory of .*/shares.conf can be written to by everybody',
                       lambda: rig.include.parent.chmod(0o755))
    service.end()


def test_files_of_other_kinds_are_in_the_way(bench):
    rig, service = serve(bench)
    victim = bench.directory / 'victim'
    victim.write_text('mine\n')
    rig.own(victim)
    kept = rig.include.read_text()
    for make in (lambda path: path.symlink_to(victim), lambda path: path.mkdir(), os.mkfifo):
        rig.include.unlink()
        make(rig.include)
        expect(rejected(bench, *null_shares('--append', 'DATA')), f'cannot read {rig.include}: it is no file')
        rig.include.rmdir() if rig.include.is_dir() and not rig.include.is_symlink() else rig.include.unlink()
        rig.include.write_text(kept)
        rig.own(rig.include)
        applied(bench, *null_shares('--remove', 'DATA'))
    for suffix in ('.new', '.check', '.old'):
        rig.include.with_name('shares.conf' + suffix).symlink_to(victim)
        applied(bench, *null_shares('--append', 'DATA'))
        applied(bench, *null_shares('--remove', 'DATA'))
    untold = rig.include.with_name('shares.conf.close')
    untold.symlink_to(victim)
    expect(rejected(bench, *null_shares('--append', 'DATA')), f'cannot read {untold}: it is no file')
    expect(victim.read_text(), 'mine\n')
    service.end()


def test_smb_conf_does_not_include_it(bench):
    rig, service = serve(bench)
    text = rig.configuration.read_text()
    rig.configuration.write_text(text.replace('include =', '# include ='))
    refused_and_mended(bench, rig, f'.*/smb.conf has no line "include = {rig.include}"',
                       lambda: rig.configuration.write_text(text.replace('include =', 'IN clude=')))
    service.end()


def test_the_disk_is_full(bench):
    """A limit on the size of files does to the service what a full disk does; its answers are short."""
    rig = open_rig(bench).start()
    bench.regtool(*share('DATA', f'Path={rig.directory}/share'))
    service = start(bench, rig)
    pid = service.process.pid
    for name in range(30):
        bench.regtool(*share(f'S{name}', 'Path=/srv', 'Remark=' + 'x' * 1000))
    applied(bench, *number('MaxMpxCt', 20))

    def limit(size):
        expect(rig.run('prlimit', '--pid', str(pid), f'--fsize={size}:').returncode, 0)

    limit(20000)
    refused_and_mended(bench, rig, 'cannot write .*/shares.conf.new: File too large',
                       lambda: limit('unlimited'))
    service.end()


# ---- smbd comes and goes


def test_smbd_does_not_run(bench):
    rig = open_rig(bench)
    rig.write_configuration()
    bench.regtool(*share('DATA', f'Path={rig.directory}/share'))
    service = start(bench, rig)
    expect(applied(bench, *null_shares('--append', 'DATA')), 'smbd does not run')
    rig.start()
    assert reaches(rig)
    expect(applied(bench, *null_shares('--remove', 'DATA')), '')
    assert not reaches(rig)
    service.end()


def test_smbd_is_killed_and_comes_back(bench):
    rig, service = serve(bench)
    applied(bench, *null_shares('--append', 'DATA'))
    rig.kill_smbd()
    expect(applied(bench, *null_shares('--remove', 'DATA')), 'smbd does not run')
    rig.restart()
    assert not reaches(rig)
    applied(bench, *null_shares('--append', 'DATA'))
    assert reaches(rig)
    service.end()


def test_the_helper_is_not_there(bench):
    """A system's smbd, and nobody who may tell it; root's helper has tests of its own."""
    socket = bench.directory / 'socket'
    service = bench.start('regstore-lanmanserver', options=('--handover', socket))
    service.log.wait('cannot take revision .*: cannot reach regstore-smbd-reload at .*: No such file')
    reason = rejected(bench, *number('MaxMpxCt', 20))
    expect(reason, f'cannot reach regstore-smbd-reload at {socket}: No such file or directory')
    service.end()


def test_smbcontrol_fails(bench):
    """The file goes back, and smbd reads it again."""
    rig = open_rig(bench).start()
    bench.regtool(*share('DATA', f'Path={rig.directory}/share'))
    program = fake(bench, rig, 'smbcontrol', 'exec /usr/bin/smbcontrol "$@"')
    service = start(bench, rig)
    program.write_text('#!/bin/sh\n[ "$6" = ping ] && exec /usr/bin/smbcontrol "$@"\n'
                       'echo out of luck >&2\nexit 1\n')
    refused_and_mended(bench, rig, 'smbcontrol: out of luck', program.unlink)
    program.write_text('#!/bin/sh\n[ "$6" != close-share ] && exec /usr/bin/smbcontrol "$@"\n'
                       'echo not this one >&2\nexit 1\n')
    program.chmod(0o755)
    expect(rejected(bench, *null_shares('--remove', 'DATA')), 'smbcontrol: not this one')
    assert reaches(rig)
    program.write_text('#!/bin/sh\n[ "$6" != ping ] && exec /usr/bin/smbcontrol "$@"\n'
                       'echo No replies received >&2\nexit 1\n')
    expect(applied(bench, *number('MaxMpxCt', 21)), 'smbd was told, but does not answer')
    assert not reaches(rig)
    service.end()


def test_what_was_not_told_outlives_a_refusal(bench):
    """A list that an earlier service has left is there until smbd has been told."""
    rig = open_rig(bench).start()
    bench.regtool(*share('DATA', f'Path={rig.directory}/share'))
    program = fake(bench, rig, 'smbcontrol', 'echo out of luck >&2\nexit 1')
    untold = rig.include.with_name('shares.conf.close')
    untold.write_text('DATA\n')
    rig.own(untold)
    service = start(bench, rig, settled=False)
    service.log.wait('cannot take revision .*: smbcontrol: out of luck$')
    expect(untold.read_text(), 'DATA\n')
    program.unlink()
    applied(bench, *null_shares('--append', 'DATA'))
    assert not untold.exists()
    assert reaches(rig)
    service.end()


def test_killed_between_the_file_and_smbd(bench):
    """The next one tells smbd what the one before could not."""
    rig = open_rig(bench).start()
    bench.regtool(*share('DATA', f'Path={rig.directory}/share'))
    bench.regtool(*null_shares('--append', 'DATA'))
    program = fake(bench, rig, 'smbcontrol', 'exec /usr/bin/smbcontrol "$@"')
    service = start(bench, rig)
    assert reaches(rig)
    session = rig.session('DATA')
    bench.open_things.append(session)
    assert 'file' in session.do('ls')
    marker = bench.directory / 'fakes' / 'marker'
    program.write_text(f'#!/bin/sh\necho > {marker}\nexec sleep 1000\n')
    bench.regtool(*null_shares('--remove', 'DATA'))
    until('smbcontrol runs', marker.exists)
    service.send(signal.SIGKILL)
    service.process.wait()
    assert 'file' in session.do('ls')
    program.unlink()
    service = start(bench, rig)
    until('smbd was told', lambda: not rig.include.with_name('shares.conf.close').exists())
    assert not reaches(rig)
    assert 'file' not in session.do('ls')
    service.end()


def test_changes_are_gathered_while_one_is_under_way(bench):
    rig = open_rig(bench).start()
    bench.regtool(*share('DATA', f'Path={rig.directory}/share'))
    program = fake(bench, rig, 'testparm', 'exec /usr/bin/testparm "$@"')
    service = start(bench, rig)
    marker, go = (bench.directory / 'fakes' / name for name in ('marker', 'go'))
    os.mkfifo(go)
    rig.own(go)
    program.write_text(f'#!/bin/sh\necho > {marker}\nread word < {go}\n'
                       'exec /usr/bin/testparm "$@"\n')
    bench.regtool(*null_shares('--append', 'DATA'))
    until('testparm runs', marker.exists)
    program.unlink()
    for _ in range(3):
        bench.regtool(*null_shares('--remove', 'DATA'))
        bench.regtool(*null_shares('--append', 'DATA'))
    go.write_text('on\n')
    expect(applied(bench, *number('MaxMpxCt', 20)), '')
    assert reaches(rig)
    service.log.wait('with [0-9]+ before it')
    service.end()


# ---- Beside a Samba of another user's


def test_beside_another_user_s_samba(bench):
    """smbcontrol says so, and nothing is changed."""
    rig = open_rig(bench).start()
    bench.regtool(*share('DATA', f'Path={rig.directory}/share'))
    program = fake(bench, rig, 'smbcontrol', 'exec /usr/bin/smbcontrol "$@"')
    service = start(bench, rig)
    program.write_text('#!/bin/sh\necho "Could not init messaging context, not root?" >&2\nexit 1\n')
    refused_and_mended(bench, rig, 'smbcontrol: Could not init messaging context, not root\\?',
                       program.unlink)
    service.end()


if __name__ == '__main__':
    sys.exit(run_tests(__doc__, globals()))
