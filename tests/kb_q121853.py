#!/usr/bin/env python3
"""The story of KB Q121853, typed with regtool at a real file server.

    tests/kb_q121853.py [--bin DIR]

A service of another computer runs without a user's name and password, and so reaches no share. The
article lets it in: in the server's registry, the share's name goes onto a new line of
NullSessionShares, and the server is stopped and started. Its six steps are typed here as an
administrator would type them, at a shell with regtool in its PATH; after each one it is tried what a
null session reaches. The file server is an unprivileged smbd (tests/samba_rig.py). What the article
is about is there, too: Server1, an LPD whose port is redirected to Server2's printer.
Ends with "N passed, N failed, N skipped"; exit status 1 if any failed or none ran.
"""

import os
import re
import subprocess
import sys
import time

from lpd_rig import (SMB_PORT, Lpd, PrintServer, add_printer, enter_own_network, lpq, require_own_network,
                     require_printing, require_rlpr, rlpr, rlpr_prints)
from print_bench import start_rig
from samba_rig import until
from services_bench import TIMEOUT, expect, run_tests

SERVICES = 'HKLM\\SYSTEM\\CurrentControlSet\\Services\\LanmanServer'
PARAMETERS = SERVICES + '\\Parameters'
REFUSED = 'NT_STATUS_ACCESS_DENIED'


class Administrator:
    """Who types commands, and what he sees."""

    def __init__(self, bench):
        self.environment = {**bench.environment, 'REGSTORE': str(bench.store),
                            'PATH': f'{bench.bin}:{os.environ["PATH"]}',
                            'KEY': PARAMETERS, 'SHARES': SERVICES + '\\Shares'}

    def types(self, command):
        """What a command shows; it must go well."""
        done = subprocess.run(['sh', '-c', command], env=self.environment, text=True, check=False,
                              stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT, timeout=TIMEOUT)
        print(f'  $ {command}\n' + re.sub(r'(?m)^', '    ', done.stdout.rstrip('\n')))
        expect((command, done.returncode), (command, 0))
        return done.stdout


def start_server(bench):
    """The file server, two shares, the list as a real NT 4.0 has it, and the service."""
    rig = start_rig(bench, name='SERVER2')
    (rig.directory / 'share' / 'report.txt').write_text('printed\n')
    admin = Administrator(bench)
    for share in 'Printer', 'Private':
        admin.types(f'regtool add "$SHARES" /v {share} /t REG_MULTI_SZ '
                    f"/d 'Path={rig.directory}/share\\0Remark={share}\\0Type=0' /f")
    admin.types('regtool add "$KEY" /v NullSessionShares /t REG_MULTI_SZ /d \'COMCFG\\0DFS$\' /f')
    admin.types("regtool add 'HKLM\\SYSTEM\\CurrentControlSet\\Control\\ComputerName\\ComputerName' "
                '/v ComputerName /t REG_SZ /d SERVER2 /f')
    service = bench.start_beside(rig, 'regstore-lanmanserver', (
        '--include', rig.include, '--smb-conf', rig.configuration))
    service.log.wait('started with')
    admin.types(f'regtool add "$KEY" /v srvcomment /t REG_SZ /d "A server" /f --wait={TIMEOUT}')
    return rig, admin, service


def reaches(rig, share):
    """Whether a null session reads the share's file."""
    done = rig.smbclient(share, 'get report.txt -')
    if done.returncode == 0 and 'printed' in done.stdout:
        return True
    assert REFUSED in done.stdout or 'BAD_NETWORK_NAME' in done.stdout, done.stdout
    return False


def test_six_steps(bench):
    """Steps 1-3 find the value, 4 and 5 change it, 6 restarts the server."""
    rig, admin, service = start_server(bench)
    expect((reaches(rig, 'Printer'), reaches(rig, 'Private')), (False, False))
    # 1 and 2: start the registry editor, go to the key
    assert 'NullSessionShares' in admin.types('regtool query "$KEY"')
    # 3: open the value
    seen = admin.types('regtool query "$KEY" /v NullSessionShares')
    assert 'COMCFG' in seen and 'DFS$' in seen and 'Printer' not in seen, seen
    # 4: the share's name on a new line
    admin.types(f'regtool add "$KEY" /v NullSessionShares /t REG_MULTI_SZ --append Printer --wait={TIMEOUT}')
    # 5: close the editor, having seen that the other lines have stayed
    seen = admin.types('regtool query "$KEY" /v NullSessionShares')
    assert 'COMCFG' in seen and 'DFS$' in seen and 'Printer' in seen, seen
    # Nobody needs step 6: it is live.
    expect((reaches(rig, 'Printer'), reaches(rig, 'Private')), (True, False))
    # 6: stop and start the server
    said = admin.types('regtool net stop server')
    assert 'The Server service was stopped successfully.' in said, said
    expect((reaches(rig, 'Printer'), reaches(rig, 'Private')), (False, False))
    said = admin.types('regtool net start server')
    assert 'The Server service was started successfully.' in said, said
    expect((reaches(rig, 'Printer'), reaches(rig, 'Private')), (True, False))
    service.end()


def test_unc_name(bench):
    """The article's other spelling: \\\\SERVER2\\Printer on SERVER2."""
    rig, admin, service = start_server(bench)
    for entry, allowed in (('\\\\SERVER3\\Printer', False), ('\\\\SERVER2\\Printer', True)):
        admin.types(f"regtool add \"$KEY\" /v NullSessionShares /t REG_MULTI_SZ --append '{entry}' "
                    f'--wait={TIMEOUT}')
        expect((entry, reaches(rig, 'Printer')), (entry, allowed))
    admin.types("regtool add \"$KEY\" /v NullSessionShares /t REG_MULTI_SZ --remove '\\\\SERVER2\\Printer' "
                f'--wait={TIMEOUT}')
    expect(reaches(rig, 'Printer'), False)
    service.end()


def test_stopped_server_takes_the_list_with_it(bench):
    """What is changed while the server is stopped holds from its start on."""
    rig, admin, service = start_server(bench)
    admin.types('regtool net stop server')
    admin.types(f'regtool add "$KEY" /v NullSessionShares /t REG_MULTI_SZ --append Printer --wait={TIMEOUT}')
    expect(reaches(rig, 'Printer'), False)
    admin.types('regtool net start server')
    expect((reaches(rig, 'Printer'), reaches(rig, 'Private')), (True, False))
    service.end()


def test_server1_redirects_to_server2(bench):
    """A job that a client sent to Server1 waits for Server2, until Server2's list names the share."""
    require_own_network()
    require_printing(bench, 'regstore-lpdsvc')
    require_rlpr()
    server2 = PrintServer(bench, SMB_PORT)
    add_printer(bench, 'Laser', '\\\\SERVER2\\Printer', NullSession=1)
    server1 = Lpd(bench)
    (bench.directory / 'report.txt').write_bytes(b'the report\n')
    rlpr_prints(server1.port, 'Laser', 'report.txt', cwd=bench.directory)
    waits = 'waiting for \\\\SERVER2\\Printer: access denied'
    until('the queue says what it waits for', lambda: waits in lpq(server1.port, 'Laser'))
    seen = rlpr('rlpq', server1.port, 'Laser').stdout
    assert waits in seen and 'report.txt' in seen, seen
    expect(server2.printed(), [])
    Administrator(server2.bench).types("regtool add \"$KEY\" /v NullSessionShares /t REG_MULTI_SZ --append "
                                       "'\\\\SERVER2\\Printer'")
    began = time.monotonic()
    printed, = server2.until_printed(1)
    print(f'  printed {time.monotonic() - began:.2f} s after regtool had ended')
    expect((printed.user, printed.content), (server2.rig.account.pw_name, b'the report\n'))
    until('the queue is empty', lambda: 'no entries' in lpq(server1.port, 'Laser'))
    expect(server1.waiting(), [])


if __name__ == '__main__':
    enter_own_network()
    sys.exit(run_tests(__doc__, globals()))
