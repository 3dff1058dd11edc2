#!/usr/bin/env python3
"""Runs the services against scratch stores that regtool edits.

    tests/services.py [--bin DIR] [TEST...]

Each test has a store and a service manager's socket of its own. Nothing sleeps: a test waits for
lines of the service's log and for its messages to the manager, and fails after TIMEOUT seconds.
Ends with "N passed, N failed, N skipped"; exit status 1 if any failed or none ran.
"""

import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

from samba_rig import free_port
from services_bench import (TIMEOUT, Bench, Lines, Service, Skip, check_rows, expect,
                            run_tests)

TOP = Path(__file__).resolve().parent.parent
NOBODY = 65534

CONTROL = 'HKLM\\SYSTEM\\CurrentControlSet\\Control'
PRINT = CONTROL + '\\Print'
SERVER = 'HKLM\\SYSTEM\\CurrentControlSet\\Services\\LanmanServer\\Parameters'

LPDSVC = 'HKLM\\SYSTEM\\CurrentControlSet\\Services\\LPDSVC\\Parameters'

KEYS = {'regstore-spooler': PRINT, 'regstore-lanmanserver': SERVER}


# A hive that says only which control set is the current one.
SELECT_DUMP = '''<?xml version="1.0" encoding="utf-8"?>
<hive><node name="SYSTEM" root="1"><mtime>1996-08-24T00:00:00Z</mtime>
<node name="Select"><mtime>1996-08-24T00:00:00Z</mtime>
<value type="int32" key="Current" value="2"/></node></node></hive>
'''


def services(bench):
    """What regtool services tells, an object for each."""
    return [json.loads(line) for line in bench.regtool('--json', 'services').splitlines()]


# ---- Tests; a function test_NAME(bench) is one

def test_spooler_takes_a_change(bench):
    service = bench.start('regstore-spooler')
    service.log.wait(r'started with revision \d+\'s settings: all default, there is no key '
                     + re.escape(PRINT))
    bench.set_dword(PRINT, 'ServerThreadTimeout', 20000)
    revision = int(service.log.wait(r'applied revision (\d+), \d+ us after its commit: '
                                    r'the key exists now, '
                                    r'ServerThreadTimeout 36000 -> 20000 ms$')[1])
    bench.set_dword(PRINT, 'ServerThreadTimeout', 30000)
    match = service.log.wait(r'applied revision (\d+), \d+ us after its commit: '
                             r'ServerThreadTimeout 20000 -> 30000 ms$')
    expect(int(match[1]), revision + 1)
    expect(service.end(), ['regstore-spooler: ended'])


def test_lanmanserver_keeps_the_other_shares(bench):
    """KB Q121853: the shares that are there must stay."""
    bench.make_keys(KEYS.values())
    bench.regtool('add', SERVER, '/v', 'NullSessionShares', '/t', 'REG_MULTI_SZ',
                  '/d', 'COMCFG\\0DFS$', '/f')
    service = bench.start('regstore-lanmanserver')
    service.log.wait(r'started with .*: 1 set, 0 refused, 31 default$')
    bench.regtool('add', SERVER, '/v', 'NullSessionShares', '/t', 'REG_MULTI_SZ',
                  '--append', 'PRINTER')
    service.log.wait(r'applied revision \d+, .*: NullSessionShares \["COMCFG", "DFS\$"\] -> '
                     r'\["COMCFG", "DFS\$", "PRINTER"\]$')
    service.end()


def test_import_brings_the_settings(bench):
    service = bench.start('regstore-lanmanserver')
    service.log.wait('started with .*: all default, there is no key')
    bench.regtool('import', TOP / 'hives' / 'system.xml')
    service.log.wait('applied revision 1, .*: the key exists now, no setting changed$')
    rows = check_rows(bench.run('regstore-lanmanserver', '--store', bench.store, '--check').stdout)
    expect(rows['NullSessionShares'][0], 'set')
    expect(rows['NullSessionShares'][-1], '["COMCFG", "DFS$"]')
    service.end()


def test_switch_of_the_control_set_is_a_change(bench):
    """CurrentControlSet is a link: pointing it elsewhere changes every setting below it."""
    bench.regtool('import', TOP / 'hives' / 'system.xml')
    bench.set_dword('HKLM\\SYSTEM\\ControlSet002\\Control\\Print', 'ServerThreadTimeout', 5000)
    service = bench.start('regstore-spooler')
    service.log.wait('started with .*: 3 set, 0 refused, 10 default$')
    dump = bench.directory / 'select.xml'
    dump.write_text(SELECT_DUMP)
    bench.regtool('import', dump, 'HKLM\\SYSTEM')
    service.log.wait(r'applied revision \d+, .*: ServerThreadTimeout 36000 -> 5000 ms$')
    bench.set_dword('HKLM\\SYSTEM\\ControlSet001\\Control\\Print', 'ServerThreadTimeout', 1)
    bench.set_dword('HKLM\\SYSTEM\\ControlSet002\\Control\\Print', 'ServerThreadTimeout', 2)
    line = service.log.next()
    assert line.endswith(': ServerThreadTimeout 5000 -> 2 ms'), line
    service.end()


def test_bad_value_is_refused_and_mended(bench):
    bench.set_dword(PRINT, 'ServerThreadTimeout', 20000)
    service = bench.start('regstore-spooler')
    kept = service.log.wait(r'started with revision (\d+)\'s settings: 1 set, 0 refused')[1]
    bench.set_dword(PRINT, 'RefreshTimesPerDecayPeriod', 9)
    refused = service.log.wait(r'refused revision (\d+): RefreshTimesPerDecayPeriod: 9 is given, '
                               r'the rule says 1 to 5 \(Q161734\); keeping revision '
                               + kept + r'\'s settings$')[1]
    expect(int(refused), int(kept) + 1)
    bench.set_dword(PRINT, 'ServerThreadTimeout', 10000)
    service.log.wait(rf'refused revision {int(kept) + 2}: .*; keeping revision {kept}\'s')
    bench.set_dword(PRINT, 'RefreshTimesPerDecayPeriod', 5)
    service.log.wait(rf'applied revision {int(kept) + 3}, .*: all values are allowed again, '
                     r'ServerThreadTimeout 20000 -> 10000 ms, '
                     r'RefreshTimesPerDecayPeriod 2 -> 5$')
    service.end()


def test_store_that_is_away_is_said_once(bench):
    bench.make_keys(KEYS.values())
    service = bench.start('regstore-spooler')
    service.log.wait('started with')
    other = bench.directory / 'other'
    os.rename(bench.store, other)
    service.log.wait(r'cannot read .*: .*; keeping revision 2\'s settings of the store that was '
                     r'there before$')
    os.rename(other, bench.store)
    line = service.log.next()
    assert re.search(r': applied revision 2, read again because the store was replaced: '
                     r'no setting changed$', line), line
    bench.set_dword(PRINT, 'ServerThreadTimeout', 12000)
    line = service.log.next()
    assert 'after its commit: ServerThreadTimeout 36000 -> 12000 ms' in line, line
    service.end()


def make_other_store(bench, timeout):
    """A store that a backup may have been, of fewer revisions."""
    own, bench.store = bench.store, bench.directory / 'other'
    bench.regtool('init')
    bench.set_dword(PRINT, 'ServerThreadTimeout', timeout)
    other, bench.store = bench.store, own
    return other


REPLACED = r'applied revision 1, read again because the store was replaced: '


def test_restored_store_is_followed(bench):
    """An administrator puts a store from yesterday in the place of today's."""
    for timeout in (1, 2, 20000):
        bench.set_dword(PRINT, 'ServerThreadTimeout', timeout)
    other = make_other_store(bench, 5000)
    manager = bench.manager()
    service = bench.start('regstore-spooler', manager)
    service.log.wait('started with revision 3')
    expect(manager.next()['READY'], '1')
    os.rename(bench.store, bench.directory / 'old')
    os.rename(other, bench.store)
    service.log.wait(REPLACED + r'ServerThreadTimeout 20000 -> 5000 ms$')
    while 'was replaced' not in (message := manager.next()).get('STATUS', ''):
        pass
    expect(message['READY'], '1')
    bench.set_dword(PRINT, 'ServerThreadTimeout', 6000)
    service.log.wait(r'applied revision 2, \d+ us after its commit: ServerThreadTimeout '
                     r'5000 -> 6000 ms$')
    service.end()


def test_restored_data_file_is_followed(bench):
    """Only data.mdb is another one, in the same directory."""
    bench.set_dword(PRINT, 'ServerThreadTimeout', 20000)
    bench.set_dword(PRINT, 'BeepEnabled', 1)
    other = make_other_store(bench, 5000)
    service = bench.start('regstore-spooler')
    service.log.wait('started with revision 2')
    os.rename(other / 'data.mdb', bench.store / 'data.mdb')
    service.log.wait(REPLACED + r'ServerThreadTimeout 20000 -> 5000 ms, BeepEnabled 1 -> 0 \(default\)$')
    bench.set_dword(PRINT, 'ServerThreadTimeout', 6000)
    service.log.wait(r'applied revision 2, .*: ServerThreadTimeout 5000 -> 6000 ms$')
    service.end()


def test_restore_store_and_compact_are_followed(bench):
    bench.set_dword(PRINT, 'ServerThreadTimeout', 20000)
    bench.regtool('backup', bench.directory / 'copy')
    service = bench.start('regstore-spooler')
    service.log.wait('started with revision 1')
    for verb, revision in ((('restore-store', bench.directory / 'copy', '/y'), 2), (('compact',), 2)):
        bench.regtool(*verb)
        service.log.wait(f'applied revision {revision}, read again because the store was replaced')
    service.end()


def test_restart_is_needed_in_another_store_too(bench):
    """What is new in a store that took the place of another is not new to the service."""
    bench.set_dword(SERVER, 'Size', 1)
    service = bench.start('regstore-lanmanserver')
    service.log.wait('started with revision 1')
    bench.set_dword(SERVER, 'Size', 2)
    service.log.wait('applied revision 2')
    bench.regtool('compact')
    service.log.wait('read again because the store was replaced')
    (told,) = services(bench)
    expect((told['restart_since'], told['answer'], told['reason']), (2, 'restart', 'Size'))
    bench.set_dword(SERVER, 'Size', 1)
    service.log.wait('no restart is needed any more$')
    (told,) = services(bench)
    expect((told['restart_since'], told['answer'], told['reason']), (None, 'applied', ''))
    service.end()


def test_rules_are_waited_for(bench):
    service = bench.start('regstore-spooler')
    service.log.wait('started with')
    rule = 'HKRS\\Rules\\HKLM\\SYSTEM\\CurrentControlSet\\Control\\Print'
    said = bench.regtool('set', rule, 'BeepEnabled', r'type=REG_DWORD\0default=1', '/t',
                         'REG_MULTI_SZ', f'--wait={TIMEOUT}')
    expect(said, 'regstore-spooler applied revision 1\n')
    expect(service.log.next().split(': ', 2)[2], 'BeepEnabled 0 -> 1 (default)')
    said = bench.regtool('set', rule, 'Unknown', 'type=REG_SZ', '/t', 'REG_MULTI_SZ',
                         f'--wait={TIMEOUT}')
    expect(said, 'regstore-spooler applied revision 2\n')
    expect(service.end(), ['regstore-spooler: ended'])


def answers_to(bench, *arguments):
    """What each service says of a change, by name."""
    result = bench.run('regtool', '--store', bench.store, '--json', *arguments, f'--wait={TIMEOUT}')
    lines = [json.loads(line) for line in result.stdout.splitlines()]
    return result.returncode, {line['service']: line['answer'] for line in lines if 'service' in line}


def test_all_who_read_a_key_are_waited_for(bench):
    """Each service reads keys beside its own: a change there is answered by all whom it concerns."""
    bench.set_dword(LPDSVC, 'ListenPort', free_port())
    options = {'regstore-lpdsvc': ('--spool', bench.directory / 'spool')}
    for program in ('regstore-spooler', 'regstore-lanmanserver', 'regstore-lpdsvc'):
        bench.start(program, options=options.get(program, ())).log.wait('started with')
    spooler, server, lpdsvc = ({f'regstore-{name}': 'applied'} for name in ('spooler', 'lanmanserver', 'lpdsvc'))
    for key, name, value, wanted in (
            (f'{PRINT}\\Printers\\Laser', 'Port', '/dev/null', spooler | server | lpdsvc),
            (f'{PRINT}\\DeviceMap\\LPT1', 'Target', '/dev/null', spooler | lpdsvc),
            (f'{PRINT}\\Monitors\\Local Port', 'Driver', 'localmon.dll', spooler | lpdsvc),
            (f'{CONTROL}\\ComputerName\\ComputerName', 'ComputerName', 'OTHER', spooler | server),
            (SERVER, 'srvcomment', 'Files', spooler | server),
            (LPDSVC, 'Comment', 'none', lpdsvc)):
        expect(answers_to(bench, 'set', key, name, value), (0, wanted))
    # One refusal is a refusal, and who refuses a value is no reason for the others not to take it.
    expect(answers_to(bench, 'set', SERVER, 'Size', '9', '/t', 'REG_DWORD'),
           (3, spooler | {'regstore-lanmanserver': 'rejected'}))


def test_restored_store_with_a_bad_value_is_refused(bench):
    bench.set_dword(PRINT, 'ServerThreadTimeout', 20000)
    bench.set_dword(PRINT, 'ServerThreadTimeout', 30000)
    other = make_other_store(bench, 5000)
    bench.run('regtool', '--store', other, 'add', PRINT, '/v', 'BeepEnabled', '/t', 'REG_DWORD',
              '/d', '2', '/f')
    service = bench.start('regstore-spooler')
    service.log.wait('started with revision 2')
    os.rename(bench.store, bench.directory / 'old')
    os.rename(other, bench.store)
    service.log.wait(r'refused revision 2: BeepEnabled: 2 is given, .*; keeping revision 2\'s settings '
                     r'of the store that was there before$')
    bench.set_dword(PRINT, 'BeepEnabled', 1)
    service.log.wait(r'applied revision 3, .*: all values are allowed again, ServerThreadTimeout '
                     r'30000 -> 5000 ms')
    service.end()


def test_zero_never_reaches_the_divisor(bench):
    bench.set_dword(PRINT, 'ServerThreadTimeout', 20000)
    service = bench.start('regstore-spooler')
    service.log.wait('started with')
    bench.set_dword(PRINT, 'RefreshTimesPerDecayPeriod', 0)
    service.log.wait(r'refused revision \d+: RefreshTimesPerDecayPeriod: 0 is given, '
                     r'the rule says 1 to 5 ')
    service.end()


def test_wrong_type_is_refused(bench):
    bench.make_keys(KEYS.values())
    service = bench.start('regstore-lanmanserver')
    service.log.wait('started with')
    bench.regtool('add', SERVER, '/v', 'SizReqBuf', '/t', 'REG_SZ', '/d', '4356', '/f')
    service.log.wait(r'refused revision \d+: SizReqBuf: a REG_SZ is given, the rule says REG_DWORD '
                     r'\(Q161734\); keeping')
    bench.regtool('delete', SERVER, '/v', 'SizReqBuf', '/f')
    service.log.wait(r'applied revision \d+, .*: all values are allowed again, no setting changed$')
    service.end()


def test_comes_up_with_a_bad_value(bench):
    bench.set_dword(PRINT, 'RefreshTimesPerDecayPeriod', 9)
    bench.set_dword(PRINT, 'ServerThreadTimeout', 20000)
    manager = bench.manager()
    service = bench.start('regstore-spooler', manager)
    service.log.wait(r'RefreshTimesPerDecayPeriod: 9 is given, the rule says 1 to 5 \(Q161734\); '
                     r'starting with the default instead: 2$')
    service.log.wait(r'started with .*: 1 set, 1 refused, 11 default$')
    expect(manager.next()['READY'], '1')
    service.end()


def test_key_deleted_and_made_again(bench):
    bench.set_dword(PRINT, 'ServerThreadTimeout', 20000)
    service = bench.start('regstore-spooler')
    service.log.wait('started with')
    bench.regtool('delete', PRINT, '/f')
    service.log.wait(r'applied revision \d+, .*: the key is gone, '
                     r'ServerThreadTimeout 20000 -> 36000 ms \(default\)$')
    bench.set_dword(PRINT, 'ServerThreadTimeout', 7)
    service.log.wait(r'applied revision \d+, .*: the key exists now, '
                     r'ServerThreadTimeout 36000 -> 7 ms$')
    bench.regtool('delete', CONTROL, '/f')  # a key above it
    service.log.wait(r'applied revision \d+, .*: the key is gone, ')
    service.end()


def test_quick_changes_end_in_the_last_state(bench):
    bench.set_dword(PRINT, 'ServerThreadTimeout', 1000)
    service = bench.start('regstore-spooler')
    first = int(service.log.wait(r'started with revision (\d+)\'s')[1])
    for number in range(1, 101):
        bench.set_dword(PRINT, 'ServerThreadTimeout', 1000 + number)
    match = service.log.wait(rf'applied revision {first + 100}, .* -> (\d+) ms$')
    expect(match[1], '1100')
    revisions = [int(found[1]) for line in service.log.seen
                 if (found := re.search(r'applied revision (\d+)', line))]
    expect(revisions, sorted(set(revisions)))
    expect(service.end(), ['regstore-spooler: ended'])


def test_changes_while_it_sleeps_are_taken_together(bench):
    bench.set_dword(PRINT, 'ServerThreadTimeout', 1000)
    service = bench.start('regstore-spooler')
    first = int(service.log.wait(r'started with revision (\d+)\'s')[1])
    service.send(signal.SIGSTOP)
    os.waitid(os.P_PID, service.process.pid, os.WSTOPPED)
    for number in range(1, 11):
        bench.set_dword(PRINT, 'ServerThreadTimeout', 1000 + number)
    service.send(signal.SIGCONT)
    match = service.log.wait('applied revision .*')
    assert re.match(rf'applied revision {first + 10}, \d+ us after its commit, with 9 before it: '
                    r'ServerThreadTimeout 1000 -> 1010 ms$', match[0]), match[0]
    expect(service.end(), ['regstore-spooler: ended'])


def test_storm_is_few_reloads(bench):
    """The first change at once, what follows within the window together, and the last state."""
    bench.set_dword(PRINT, 'ServerThreadTimeout', 1000)
    service = bench.start('regstore-spooler', options=['--window', '2000'])
    first = int(service.log.wait(r'started with revision (\d+)\'s')[1])
    script = ''.join(f'set {PRINT} ServerThreadTimeout {number} /t REG_DWORD\n'
                     for number in range(2001, 2501))
    bench.run('regtool', '--store', bench.store, 'shell', input=script)
    match = service.log.wait(rf'applied revision {first + 500}, .* -> (\d+) ms$')
    expect(match[1], '2500')
    reloads = [line for line in service.log.seen if 'applied revision' in line]
    assert len(reloads) < 50, len(reloads)
    assert re.search(rf'applied revision {first + 1}, \d+ us after', reloads[0]), reloads[0]
    expect(service.end(), ['regstore-spooler: ended'])


def test_other_changes_are_not_reported(bench):
    bench.make_keys(KEYS.values())
    service = bench.start('regstore-lanmanserver')
    service.log.wait('started with')
    bench.set_dword('HKLM\\SOFTWARE\\Other', 'Announce', 1)
    bench.set_dword(SERVER, 'Announce', 720)
    line = service.log.next()
    assert re.search(r'applied revision \d+, .*: Announce 240 -> 720 s$', line), line
    service.end()


def test_unknown_value_shows_that_nothing_changed(bench):
    """A slip in a name is told by the line, not by silence."""
    bench.make_keys(KEYS.values())
    service = bench.start('regstore-spooler')
    service.log.wait('started with')
    bench.set_dword(PRINT, 'ServerThreadTimout', 5)
    service.log.wait(r'applied revision \d+, \d+ us after its commit: no setting changed$')
    service.end()


def test_hangup_reads_again(bench):
    bench.set_dword(PRINT, 'ServerThreadTimeout', 20000)
    service = bench.start('regstore-spooler')
    revision = service.log.wait(r'started with revision (\d+)\'s')[1]
    service.send(signal.SIGHUP)
    service.log.wait(rf'applied revision {revision}, read again on request: no setting changed$')
    service.end()


def test_ends_on_both_signals(bench):
    for number in signal.SIGTERM, signal.SIGINT:
        for program in KEYS:
            service = bench.start(program)
            service.log.wait('started with')
            expect(service.end(number), [f'{program}: ended'])


def test_manager_hears_each_step(bench):
    for name in str(bench.directory / 'notify'), f'@regstore-services-{os.getpid()}':
        manager = bench.manager(name)
        service = bench.start('regstore-spooler', manager)
        message = manager.next()
        expect(message['READY'], '1')
        assert message['STATUS'].startswith('started with revision'), message
        before = time.clock_gettime_ns(time.CLOCK_MONOTONIC) // 1000
        service.send(signal.SIGHUP)
        message = manager.next()
        expect(message['RELOADING'], '1')
        after = time.clock_gettime_ns(time.CLOCK_MONOTONIC) // 1000
        assert before <= int(message['MONOTONIC_USEC']) <= after, (before, message, after)
        message = manager.next()
        expect(message['READY'], '1')
        assert 'read again on request' in message['STATUS'], message
        bench.set_dword(PRINT, 'RefreshTimesPerDecayPeriod', 9)
        expect(manager.next()['RELOADING'], '1')
        message = manager.next()
        expect(message['READY'], '1')
        assert message['STATUS'].startswith('refused revision'), message
        service.end()
        expect(manager.next(), {'STOPPING': '1'})
        bench.regtool('delete', PRINT, '/va', '/f')


def test_missing_manager_is_said_once(bench):
    manager = bench.manager()
    os.unlink(manager.name)
    service = bench.start('regstore-spooler', manager)
    service.log.wait(r'cannot notify .*: No such file or directory$')
    service.send(signal.SIGHUP)
    service.log.wait('read again on request')
    rest = service.end()
    expect(rest, ['regstore-spooler: ended'])


def test_journal_gets_priorities(bench):
    """Standard error is the journal's stream if $JOURNAL_STREAM names it."""
    ours, theirs = socket.socketpair()
    with ours, theirs:
        status = os.fstat(theirs.fileno())
        environment = dict(bench.environment, JOURNAL_STREAM=f'{status.st_dev}:{status.st_ino}')
        process = subprocess.Popen([bench.bin / 'regstore-spooler', '--store', bench.store],
                                   stdin=subprocess.DEVNULL, stderr=theirs, env=environment)
        try:
            theirs.close()
            line = Lines(ours).next()
            assert line.startswith('<6>started with revision'), line
        finally:
            process.terminate()
            expect(process.wait(TIMEOUT), 0)


def test_log_reader_may_go(bench):
    """Nobody reads the log any more: the service goes on."""
    manager = bench.manager()
    reader, writer = os.pipe()
    environment = dict(bench.environment, NOTIFY_SOCKET=manager.name)
    process = subprocess.Popen([bench.bin / 'regstore-spooler', '--store', bench.store],
                               stdin=subprocess.DEVNULL, stderr=writer, env=environment)
    os.close(writer)
    try:
        expect(manager.next()['READY'], '1')
        os.close(reader)
        bench.set_dword(PRINT, 'ServerThreadTimeout', 20000)
        expect(manager.next()['RELOADING'], '1')
        expect(manager.next()['READY'], '1')
    finally:
        process.terminate()
        expect(process.wait(TIMEOUT), 0)


def test_closed_descriptors_do_not_become_the_store(bench):
    manager = bench.manager()
    for program in KEYS:
        process = subprocess.Popen(
            ['sh', '-c', 'exec "$0" --store "$1" <&- >&- 2>&-', bench.bin / program, bench.store],
            env=dict(bench.environment, NOTIFY_SOCKET=manager.name))
        while 'READY' not in manager.next():
            pass
        process.terminate()
        expect(process.wait(TIMEOUT), 0)
        while 'STOPPING' not in manager.next():
            pass
    bench.regtool('query', 'HKLM')


def test_missing_store_is_one_line(bench):
    missing = bench.directory / 'missing'
    for program in KEYS:
        for options in [], ['--check']:
            result = bench.run(program, '--store', missing, *options)
            expect(result.returncode, 1)
            expect(result.stdout, '')
            assert re.fullmatch(rf'{program}: [^\n]*{re.escape(str(missing))}[^\n]*\n',
                                result.stderr), result.stderr
        assert not missing.exists(), 'a service makes no store'


def test_store_that_may_not_be_read_is_one_line(bench):
    if os.geteuid() != 0:
        raise Skip('needs root to become another user')
    os.chmod(bench.directory, 0o755)
    result = bench.run('regstore-spooler', '--store', bench.store, user=NOBODY, group=NOBODY,
                       extra_groups=[])
    expect(result.returncode, 1)
    assert re.fullmatch(r'regstore-spooler: [^\n]+\n', result.stderr), result.stderr


def test_reader_of_the_group_follows(bench):
    """As the units run it: another user, in the group that may read the store."""
    if os.geteuid() != 0:
        raise Skip('needs root to become another user')
    os.chmod(bench.directory, 0o755)
    for path in [bench.store, *bench.store.rglob('*')]:
        os.chown(path, 0, NOBODY)
    manager = bench.manager()
    os.chmod(manager.name, 0o777)
    process = subprocess.Popen(['setpriv', '--reuid', str(NOBODY - 1), '--regid', str(NOBODY - 1),
                                '--groups', str(NOBODY), bench.bin / 'regstore-spooler',
                                '--store', bench.store],
                               stdin=subprocess.DEVNULL, stderr=subprocess.PIPE,
                               env=dict(bench.environment, NOTIFY_SOCKET=manager.name))
    log = Lines(process.stderr)
    try:
        log.wait('started with')
        bench.set_dword(PRINT, 'ServerThreadTimeout', 20000)
        log.wait('ServerThreadTimeout 36000 -> 20000 ms$')
    finally:
        process.terminate()
        status = process.wait(TIMEOUT)
        process.stderr.close()
    expect(status, 0)


def test_check_agrees_with_the_service(bench):
    bench.set_dword(PRINT, 'ServerThreadTimeout', 20000)
    result = bench.run('regstore-spooler', '--store', bench.store, '--check')
    expect((result.returncode, result.stderr), (0, ''))
    assert result.stdout.startswith(f'{PRINT}, revision '), result.stdout
    rows = check_rows(result.stdout)
    expect(rows['ServerThreadTimeout'], ('set', 'any number', 'live', 'Q161734', '20000 ms'))
    expect(rows['DisableServerThread'], ('default', '0-1', 'live', 'Q161734', '0'))
    bench.set_dword(PRINT, 'RefreshTimesPerDecayPeriod', 9)
    result = bench.run('regstore-spooler', '--store', bench.store, '--check')
    expect(result.returncode, 1)
    expect(result.stderr,
           'regstore-spooler: RefreshTimesPerDecayPeriod: 9 is given, the rule says 1 to 5 (Q161734)\n')
    expect(check_rows(result.stdout)['RefreshTimesPerDecayPeriod'][0], 'refused')


def test_wrong_command_lines(bench):
    for program in KEYS:
        for arguments in ['--nonsense'], ['here'], ['--store'], ['--window', '-1']:
            result = bench.run(program, *arguments)
            expect((result.returncode, result.stdout), (1, ''))
            assert re.fullmatch(rf'{program}: [^\n]+; see {program} --help\n', result.stderr)
        result = bench.run(program, '--store', bench.store, '--name', 'a/b')
        expect((result.returncode, result.stderr),
               (1, f'{program}: "a/b" cannot be the name of a watch\n'))
        result = bench.run(program, '--help')
        expect((result.returncode, result.stderr), (0, ''))
        for option in '--store', '--name', '--window', '--check', '--help', '--version':
            assert option in result.stdout, option
        result = bench.run(program, '--version')
        assert re.fullmatch(rf'{program} \d+\.\d+\.\d+\n', result.stdout), result.stdout


# ---- The run

if __name__ == '__main__':
    sys.exit(run_tests(__doc__, globals()))
