#!/usr/bin/env python3
"""regtool with every allocation failing in turn: an error in one line, and nothing changed.

    memory_tool.py BUILD [COMMAND [N]]       BUILD: the directory with bin/ and lib/

For each command the first allocation of the process fails, then the second, until the command ends
before its nth; once with only that one failing, and, for some of them, with all after it. Each time
regtool either does its work, or ends with status 1 and one line on standard error and leaves the
store and the files as they were. It never crashes.

One end is the C library's own: when a module is loaded that drags C++ in, as libxml2 does with ICU,
and there is no memory for C++'s unique symbols, the loader says "out of memory" and ends the
process with status 127. Nothing of ours runs then; that the store is as it was is tried there, too.
"find --regex" is not among the commands: glibc 2.36's regcomp() frees memory twice where its own
allocation fails, and aborts. So does its getpwuid(), by an assertion of its own: no command here
names the user who set a value.

Needs build/lib/tests/fail_memory.so. Ends with
"N passed, N failed, 0 skipped", counting commands in each of the two ways.
"""

import os
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

BUILD = Path(sys.argv[1]).resolve() if len(sys.argv) > 1 else Path('build').resolve()
SOME = 5  # all failing from there on: every fifth is enough
SHOWN = 3
MOST = 5000

LOADER = (127, 'out of memory\n')

DUMP = '''<hive><mtime>2010-02-02T13:42:52Z</mtime><node name="R" root="1">
<mtime>2010-02-02T13:42:52Z</mtime><value type="string" key="Text" value="text"/>
<value type="string-list" key="List"><string>one</string><string/></value>
<node name="Sub"><mtime>2010-02-02T13:42:52Z</mtime>
<value type="int32" key="Number" value="7"/></node></node></hive>
'''

COMMANDS = {  # name: arguments; STORE and FILES are replaced
    'query': ['query', 'HKLM\\T', '/s'],
    'query-json': ['--json', 'query', 'HKLM\\T', '/s'],
    'query-search': ['query', 'HKLM', '/s', '/f', 'text'],
    'query-wildcards': ['query', 'HKLM', '/s', '/f', 't?x*t', '/v', '*'],
    'find': ['find', 'text', 'HKLM'],
    'add-key': ['add', 'HKLM\\T\\New\\Key', '/f'],
    'add-value': ['add', 'HKLM\\T', '/v', 'Text', '/t', 'REG_SZ', '/d', 'new', '/f'],
    'add-32': ['add', 'HKLM\\SOFTWARE\\App', '/f', '/reg:32'],
    'add-list': ['add', 'HKLM\\T', '/v', 'List', '--append', 'four'],
    'delete-key': ['delete', 'HKLM\\T\\Sub', '/f'],
    'delete-value': ['delete', 'HKLM\\T', '/v', 'Text', '/f'],
    'import': ['import', 'FILES/dump.xml', 'HKLM\\U'],
    'copy': ['copy', 'HKLM\\T', 'HKLM\\U', '/s'],
    'compare': ['compare', 'HKLM\\T', 'HKLM\\T\\Sub', '/s', '/oa'],
    'diff': ['diff', 'HKLM\\T', 'HKLM\\T\\Sub'],
    'diff-file': ['diff', 'HKLM\\T', 'FILES/dump.xml'],
    'diff-reg': ['diff', 'HKLM\\T', 'HKLM\\T\\Sub', '--reg', '--utf8'],
    'plan': ['import', 'FILES/dump.xml', 'HKLM\\U', '--plan', '--json'],
    'export': ['export', 'HKLM\\T', 'FILES/out.xml', '/y'],
    'save': ['save', 'HKLM\\T', 'FILES/out.xml', '/y'],
    'import-hive': ['import', 'FILES/dump.hiv', 'HKLM\\U'],
    'restore': ['restore', 'HKLM\\T', 'FILES/dump.hiv'],
    'load': ['load', 'HKLM\\L', 'FILES/dump.hiv'],
    'load-list': ['load'],
    'unload': ['unload', 'HKLM\\M'],
    'status': ['status'],
    'backup': ['backup', 'FILES/new.mdb'],
    'restore-store': ['restore-store', 'FILES/backup.mdb', '/y'],
    'compact': ['compact'],
    'get': ['get', 'HKLM\\T', 'List'],
    'list': ['list', 'HKLM\\T', '-l'],
    'tree': ['tree', 'HKLM\\T', '--values'],
    'set': ['set', 'HKLM\\T', 'Text', 'new', '--json'],
    'rename': ['rename', 'HKLM\\T\\Sub', 'New', '--json'],
    'set-refused': ['set', 'HKLM\\T', 'Text', 'much too long'],
    'set-forced': ['set', 'HKLM\\T', 'Text', 'much too long', '--force'],
    'plan-ruled': ['import', 'FILES/dump.xml', 'HKLM\\T\\Late', '--plan'],
    'describe': ['describe', 'HKLM\\T\\Late'],
    'describe-json': ['--json', 'describe', 'HKLM\\T\\Late', '/v', 'Text'],
    'why': ['why', 'HKLM\\T\\Late', '/v', 'Text'],
    'check': ['check'],
    'check-json': ['--json', 'check', 'HKLM\\T'],
    'mode': ['--json', 'mode', 'LPT1:=Laser'],
    'mode-line': ['mode', 'COM1:9600,n,8,1'],
    'mode-end': ['mode', 'LPT2:=LPT2:'],
    'mode-list': ['mode'],
    'net-use': ['net', 'use', 'LPT1:', '\\\\server\\share', '/persistent:no', '--credentials', '/x'],
    'net-use-list': ['--json', 'net', 'use'],
    'net-use-end': ['net', 'use', '*', '/delete', '/y'],
    'rename-value': ['rename', 'HKLM\\T', '/v', 'Text', 'Letters'],
}


def regtool(store, *arguments, env=None):
    return subprocess.run([BUILD / 'bin/regtool', '--store', store, *arguments], text=True,
                          stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, errors='replace',
                          stderr=subprocess.PIPE, env={**os.environ, **(env or {})}, check=False)


def rule(key, name, *fields):
    """What sets the rule of a text."""
    return ['add', f'HKRS\\Rules\\{key}', '/v', name, '/t', 'REG_MULTI_SZ', '/d',
            '\\0'.join(['type=REG_SZ', *fields])]


class Place:
    """A directory with a store and files, made anew for each try."""

    def __init__(self, top):
        self.top, self.fixture = Path(top) / 'place', Path(top) / 'fixture'
        self.report = Path(top) / 'report'
        (self.fixture / 'files').mkdir(parents=True)
        (self.fixture / 'files/dump.xml').write_text(DUMP, encoding='utf-8')
        (self.fixture / 'files/out.xml').write_text('old', encoding='utf-8')
        dump, hive = self.fixture / 'files/dump.xml', self.fixture / 'files/dump.hiv'
        for arguments in (['init'], ['import', dump, 'HKLM\\T'], ['save', 'HKLM\\T', hive],
                          ['load', 'HKLM\\M', hive],
                          rule('HKLM\\T', 'Text', 'max-length=8', 'default=x', 'text=a text'),
                          rule('HKLM\\T', 'Lists', 'text=none'),
                          rule('HKLM\\T\\Late', 'Text', 'applies=restart', 'default=x'),
                          ['add', 'HKLM\\SYSTEM\\CurrentControlSet\\Control\\Print\\Printers\\A',
                           '/v', 'Share Name', '/d', 'Laser'],
                          ['mode', 'COM1:=/dev/ttyS0'], ['mode', 'LPT2:=\\\\server\\share'],
                          ['backup', self.fixture / 'files/backup.mdb']):
            made = regtool(self.fixture / 'store', *arguments)
            if made.returncode:
                sys.exit(f'{made.stderr}0 passed, 1 failed, 0 skipped')

    def renew(self):
        shutil.rmtree(self.top, ignore_errors=True)
        shutil.copytree(self.fixture, self.top)

    def content(self):
        listed = regtool(self.top / 'store', '--json', 'query', 'HKLM', '/s')
        assert listed.returncode == 0, listed.stderr
        files = {path.name: path.read_bytes() for path in (self.top / 'files').iterdir()}
        return listed.stdout, files

    def run(self, command, env=None):
        arguments = [part.replace('FILES', str(self.top / 'files')) for part in COMMANDS[command]]
        return regtool(self.top / 'store', *arguments, env=env)


def one_line(text):
    return text.startswith('regtool: ') and text.endswith('\n') and text.count('\n') == 1


def without_map(text):
    """The map is smaller in a process in which the first one could not be had."""
    return re.sub(r'may grow to .*', '', text)


def judge(result, before, after, expected):
    """What is wrong with one run; None if nothing is."""
    if result.returncode == expected.returncode:
        return (None if without_map(result.stdout) == without_map(expected.stdout) else
                'succeeded with another output')
    if (result.returncode, result.stderr) != LOADER:
        if result.returncode != 1:
            return f'ended with {result.returncode}'
        if not one_line(result.stderr):
            return f'not one line: {result.stderr!r}'
    return None if after == before else 'changed what is stored'


def allocations(place):
    """How many a run made, None if it did not come to its end."""
    return int(place.report.read_text(encoding='ascii')) if place.report.exists() else None


def try_command(place, command, together, only=None):
    """All faults of one command in one way; the number of problems."""
    place.renew()
    before = place.content()
    expected = place.run(command)
    problems, number = 0, only or 1
    while number < MOST:
        place.renew()
        place.report.unlink(missing_ok=True)
        result = place.run(command, {'FAIL_MEMORY': f'{number}{"+" if together else ""}',
                                     'FAIL_MEMORY_REPORT': str(place.report),
                                     'LD_PRELOAD': str(BUILD / 'lib/tests/fail_memory.so'),
                                     'MALLOC_PERTURB_': '165'})
        counted = allocations(place)
        after = place.content() if result.returncode else None
        problem = judge(result, before, after, expected)
        if problem:
            problems += 1
            if problems <= SHOWN:
                print(f'FAILED: {command}: allocation {number}{" and all after" * together}: '
                      f'{problem}')
        if only:
            print(result.stdout, result.stderr, f'status {result.returncode}, {counted} in all')
        if only or (counted is not None and counted < number):
            return problems
        number += SOME if together else 1
    print(f'FAILED: {command}: there is no end of it')
    return problems + 1


def main():
    chosen = sys.argv[2:3] or list(COMMANDS)
    only = int(sys.argv[3]) if len(sys.argv) > 3 else None
    passed = failed = 0
    with tempfile.TemporaryDirectory() as top:
        place = Place(top)
        for command in chosen:
            for together in (False, True):
                problems = try_command(place, command, together, only)
                passed += not problems
                failed += bool(problems)
    print(f'{passed} passed, {failed} failed, 0 skipped')
    return 1 if failed or not passed else 0


if __name__ == '__main__':
    sys.exit(main())
