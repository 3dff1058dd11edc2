"""What tests/lanmanserver.py works with: the service beside a real smbd, changes that it answers, and
programs that stand in for Samba's.
"""

import os
import re

from samba_rig import SambaRig
from services_bench import TIMEOUT, expect

SERVICE = 'HKLM\\SYSTEM\\CurrentControlSet\\Services\\LanmanServer'
PARAMETERS = SERVICE + '\\Parameters'
SHARES = SERVICE + '\\Shares'
DENIED = 'NT_STATUS_ACCESS_DENIED'
NO_SHARE = 'NT_STATUS_BAD_NETWORK_NAME'
GONE = 'NT_STATUS_NETWORK_NAME_DELETED'


def open_rig(bench, **options):
    rig = SambaRig(**options)
    bench.open_things.append(rig)
    (rig.directory / 'share' / 'file').write_text('text\n')
    rig.own(rig.directory / 'share')
    return rig


def start(bench, rig, settled=True):
    """The service; settled: once what the store has at the start is in force."""
    service = bench.start_beside(rig, 'regstore-lanmanserver',
                                 ('--include', rig.include, '--smb-conf', rig.configuration,
                                  '--window', '0'))
    service.log.wait('started with')
    if settled:
        status, said = change(bench, *number('AlertSched', service.process.pid % 60000 + 1))
        assert status == 0, said
    return service


def change(bench, *arguments):
    """What the service says to a change that regtool makes: its exit status and its output."""
    result = bench.run('regtool', '--store', bench.store, *arguments, f'--wait={TIMEOUT}')
    return result.returncode, result.stdout + result.stderr


def applied(bench, *arguments):
    """The same for one that is applied; gives what the service adds to that."""
    status, said = change(bench, *arguments)
    match = re.fullmatch(r'(?s).*regstore-lanmanserver applied revision \d+(?:: ([^\n]*))?\n', said)
    assert status == 0 and match, (status, said)
    return match[1] or ''


def rejected(bench, *arguments):
    """The same for one that is rejected; gives the reason."""
    status, said = change(bench, *arguments)
    match = re.search(r'regstore-lanmanserver rejected revision \d+'
                      r'(?:, as it did what was there before)?: ([^\n]*)', said)
    assert status != 0 and match, (status, said)
    return match[1]


def share(name, *strings):
    return ('add', SHARES, '/v', name, '/t', 'REG_MULTI_SZ', '/d', '\\0'.join(strings), '/f')


def null_shares(switch, name):
    return ('add', PARAMETERS, '/v', 'NullSessionShares', '/t', 'REG_MULTI_SZ', switch, name)


def number(name, value):
    return ('add', PARAMETERS, '/v', name, '/t', 'REG_DWORD', '/d', str(value), '/f')


def options_of(text, section):
    """The options of a section of smb.conf, as testparm writes it."""
    found = re.search(rf'^\[{re.escape(section)}\]\n((?:\t.*\n)*)', text, re.M)
    if not found:
        return None
    lines = [line.strip().partition(' =') for line in found[1].splitlines()]
    return {option: value.strip() for option, _, value in lines}


def serve(bench, *more):
    """A running Samba and service with a share DATA that no null session may reach."""
    rig = open_rig(bench).start()
    bench.regtool(*share('DATA', f'Path={rig.directory}/share', 'Remark=The data'))
    for each in more:
        bench.regtool(*each)
    return rig, start(bench, rig)


def reaches(rig, name='DATA'):
    """Whether a null session does; anything but yes and no is an error."""
    said = rig.smbclient(name)
    assert (said.returncode == 0) != (DENIED in said.stdout or NO_SHARE in said.stdout), said.stdout
    return said.returncode == 0


def fake(bench, rig, name, text):
    """A program of that name that the service finds before the real one."""
    directory = bench.directory / 'fakes'
    directory.mkdir(exist_ok=True)
    (directory / name).write_text(f'#!/bin/sh\n{text}\n')
    (directory / name).chmod(0o755)
    if str(directory) not in bench.environment['PATH']:
        bench.environment['PATH'] = f'{directory}:{bench.environment["PATH"]}'
    rig.own(directory)
    return directory / name


def refused_and_mended(bench, rig, reason, mend):
    """A change is refused, nothing is left of it but what smbd could not be told; after the mending
    the next one is taken."""
    before = rig.include.read_text()
    files = set(os.listdir(rig.include.parent))
    said = rejected(bench, *null_shares('--append', 'DATA'))
    assert re.fullmatch(reason, said), said
    expect(rig.include.read_text(), before)
    left = {'shares.conf.last'} | ({'shares.conf.close'} if 'smbcontrol' in reason else set())
    assert set(os.listdir(rig.include.parent)) <= files | left
    assert not reaches(rig)
    mend()
    applied(bench, *null_shares('--append', 'MORE'))
    assert reaches(rig)
    assert not rig.include.with_name('shares.conf.close').exists()
