#!/usr/bin/env python3
"""The rules that ship, hives/rules/*.xml: against real hives, the services, and broken ones.

    tests/rules.py [--bin DIR] [TEST...]

Each function test_NAME(bench) is a test, with a store of its own. Those that need real hives are
skipped where ../shared/corpus is not there. Ends with "N passed, N failed, N skipped"; exit status 1
if any failed or none ran.
"""

import json
import lzma
import re
import socket
import subprocess
import sys
import xml.etree.ElementTree as ElementTree
from pathlib import Path

from services_bench import Bench, Skip, check_rows, expect, run_tests

TOP = Path(__file__).resolve().parent.parent
RULES = sorted((TOP / 'hives' / 'rules').glob('*.xml'))
FACTS = TOP.parent / 'shared' / 'facts' / 'settings.md'
HIVES = TOP.parent / 'shared' / 'corpus' / 'hives'
BASE = 'HKEY_REGSTORE\\Rules\\'
PAGES = {'regstore-spooler': 'services/spooler/regstore-spooler.8',
         'regstore-lanmanserver': 'services/lanmanserver/regstore-lanmanserver.8',
         'regstore-lpdsvc': 'services/lpdsvc/regstore-lpdsvc.8'}
PROGRAMS = tuple(PAGES)

# What no hive of the corpus has, and the article whose spelling the rule follows: first keys, then
# values.
IN_NO_HIVE = {
    'Monitors\\LPR Port': 'Q121786',
    'Services\\LPDSVC': 'Q121786',
    'DisableServerThread': 'Q161734',
    'ServerThreadTimeout': 'Q161734',
    'NetPrinterDecayPeriod': 'Q161734',
    'RefreshTimesPerDecayPeriod': 'Q161734',
    'FastPrintWaitTimeout': 'Q161734',
    'FastPrintThrottleTimeout': 'Q161734',
    'PrintSwitch': 'Q121786',
    'Printer Name': 'Q128934',
    'SizReqBuf': 'Q161734',
    'Announce': 'Q102967',
    'AnnDelta': 'Q102967',
    'srvcomment': 'Q307765',
    'Hidden': 'Q102967',
    'AlertSched': 'Q102967',
    'ErrorThreshold': 'Q102967',
    'DiskSpaceThreshold': 'Q102967',
    'EnableFCBopens': 'Q102967',
    'EnableOplocks': 'Q102967',
    'EnableRaw': 'Q102967',
    'EnableSoftCompat': 'Q102967',
    'EnableOplockForceClose': 'Q102967',
    'InitConnTable': 'Q102967',
    'InitFileTable': 'Q102967',
    'InitSearchTable': 'Q102967',
    'InitSessTable': 'Q102967',
    'LinkInfoValidTime': 'Q102967',
    'MaxLinkDelay': 'Q102967',
    'MaxKeepSearch': 'Q102967',
    'MaxMpxCt': 'Q102967',
    'MaxWorkItems': 'Q102967',
    'InitWorkItems': 'Q102967',
    'MaxWorkItemIdleTime': 'Q102967',
    'MaxFreeConnections': 'Q102967',
    'AllowJobRemoval': 'Q121786',
    'AllowPrinterResume': 'Q121786',
    'MaxConcurrentUsers': 'Q121786',
}


# ---- What ships


def rules_below(node, path):
    for value in node.findall('value'):
        strings = [string.text or '' for string in value.findall('string')][:-1]
        yield path, value.get('key'), [tuple(string.split('=', 1)) for string in strings]
    for below in node.findall('node'):
        yield from rules_below(below, path + '\\' + below.get('name'))


def shipped():
    """(path, name, [(field, text)]) of each rule."""
    for file in RULES:
        root = ElementTree.parse(file).getroot().find('node')
        yield from rules_below(root, root.get('name').removeprefix(BASE))


def of_windows():
    """Those that are about Windows' settings, and not about the store's own or a service's."""
    return [(path, name, dict(fields)) for path, name, fields in shipped()
            if path.startswith('HKLM\\') and dict(fields)['source'] != 'regstore']


def import_rules(bench):
    for file in RULES:
        bench.regtool('import', file)


# ---- Real hives


def hive_names(wanted):
    """What the corpus has of the keys whose folded paths are wanted: (path, folded name) -> name,
    and the folded path of each key that it has -> the spellings of the last component."""
    if not HIVES.is_dir():
        raise Skip('no ../shared/corpus')
    values, keys = {}, {}
    for hive in 'win7-system', 'nt4-system':
        with lzma.open(HIVES / f'{hive}.canon.xz', 'rt', encoding='utf-8', errors='replace',
                       newline='\n') as lines:
            for line in lines:
                kind, path, name = (line.rstrip('\n') + '\t').split('\t')[:3]
                folded = path.lower().replace('controlset001\\', 'currentcontrolset\\', 1)
                if kind == 'V' and folded in wanted:
                    values[folded, name.lower()] = name
                elif kind == 'K':
                    keys.setdefault(folded, set()).add(path.rsplit('\\', 1)[-1])
    return values, keys


def hive_path(path):
    return path.removeprefix('HKLM\\SYSTEM\\').lower()


def test_names_are_those_of_real_hives(bench):
    """The hive's spelling wins; what occurs in no hive is in the list, with its article."""
    rules = of_windows()
    values, _ = hive_names({hive_path(path) for path, _, _ in rules})
    missing = {}
    for path, name, fields in rules:
        found = values.get((hive_path(path), name.lower()))
        if found is None:
            missing[name] = fields['source']
        else:
            expect(name, found)
    expect(missing, {name: article for name, article in IN_NO_HIVE.items() if '\\' not in name})


def test_keys_are_those_of_real_hives(bench):
    _, keys = hive_names(set())
    missing = set()
    for path in {path for path, _, _ in of_windows()}:
        names = path.split('\\')
        for depth in range(4, len(names) + 1):
            found = keys.get(hive_path('\\'.join(names[:depth])))
            if found is None:
                missing.add('\\'.join(names[depth - 2:depth]))
                break
            assert names[depth - 1] in found, (path, found)
    expect(missing, {name for name in IN_NO_HIVE if '\\' in name})


def import_hive(bench, name, *more):
    hive = bench.directory / f'{name}.hive'
    with lzma.open(HIVES / f'{name}.hive.xz') as packed:
        hive.write_bytes(packed.read())
    bench.regtool('import', hive, 'HKLM\\SYSTEM', *more)


def test_real_hives_are_as_the_rules_say(bench):
    """What real servers have set is allowed: the hives come in, and the services take them."""
    if not HIVES.is_dir():
        raise Skip('no ../shared/corpus')
    import_rules(bench)
    for hive in 'nt4-system', 'win7-system':
        import_hive(bench, hive)
        for program in PROGRAMS:
            result = bench.run(program, '--store', bench.store, '--check')
            expect((result.returncode, result.stderr), (0, ''))
        bench.regtool('delete', 'HKLM\\SYSTEM', '/f')


def test_only_slips_of_the_hand_are_listed(bench):
    """A real hive has many values that no rule knows, and none of them looks like a typo."""
    if not HIVES.is_dir():
        raise Skip('no ../shared/corpus')
    import_rules(bench)
    import_hive(bench, 'win7-system')
    for name, kind in ('Type', 'REG_DWORD'), ('Start', 'REG_DWORD'), ('Group', 'REG_SZ'):
        bench.regtool('add', 'HKRS\\Rules\\HKLM\\SYSTEM\\CurrentControlSet\\services\\*', '/v', name,
                      '/t', 'REG_MULTI_SZ', '/d', f'type={kind}', '/f')
    lines = bench.regtool('check').splitlines()
    expect(len(lines), 1)
    others = re.fullmatch(r'no values are against the rules; no warnings; no possible typos; '
                          r'(\d+) other values that no rule knows \(--unknown lists them\)', lines[0])
    assert int(others[1]) > 1000, lines
    expect(len(bench.regtool('check', '--unknown').splitlines()), int(others[1]) + 1)
    bench.regtool('set', 'HKLM\\SYSTEM\\CurrentControlSet\\services\\Spooler', 'Strat', '2')
    line, _ = bench.regtool('check').splitlines()
    assert line.endswith('services\\Spooler: value "Strat": no rule knows it, did you mean "Start"?')


def test_a_list_is_written_line_by_line(bench):
    """A line at a time reaches standard error, not a letter: lists of thousands are no work."""
    bench.regtool('add', 'HKRS\\Rules\\HKLM\\Many\\*', '/v', 'V', '/t', 'REG_MULTI_SZ',
                  '/d', 'type=REG_DWORD\\0max=5', '/f')
    file = bench.directory / 'many.reg'
    file.write_text('REGEDIT4\n\n' + ''.join(
        f'[HKEY_LOCAL_MACHINE\\Many\\{number}]\n"V"=dword:9\n\n' for number in range(20)))
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    with ours, subprocess.Popen([bench.bin / 'regtool', '--store', bench.store, 'import', file],
                                stdout=subprocess.DEVNULL, stderr=theirs) as process:
        theirs.close()
        written = []
        while packet := ours.recv(65536):
            written.append(packet)
    expect(process.returncode, 1)
    assert all(packet.endswith(b'\n') for packet in written), written[:9]
    expect(b''.join(written).count(b'\n'), 21)


# ---- The table of what is documented


def documented():
    """(folded path, name, type and range, default) of each setting in the table of facts."""
    if not FACTS.exists():
        raise Skip('no ../shared/facts')
    path = None
    for line in FACTS.read_text().splitlines():
        if line.startswith('## '):
            path = re.match(r'## (\S+)', line)[1] if line.startswith('## HKLM') else None
        elif path and line.startswith('| ') and not line.startswith('| Value'):
            names, kind, default = [cell.strip() for cell in line.split('|')[1:4]]
            below, _, last = names.rpartition(': ')
            key = path + '\\' + below.replace('(port)', '*') if below else path
            for number, name in enumerate(last.split(', ')):
                name, *bounds = name.split()
                each = default.split(', ')
                yield (key.lower(), name, ' '.join([kind, *bounds]),
                       each[number] if len(each) == len(last.split(', ')) else default)


def test_what_is_documented_has_a_rule(bench):
    """Every setting of the table, with its type, its range and, where one is given, its default."""
    rules = {(path.lower(), name.lower()): fields for path, name, fields in of_windows()}
    found = 0
    for path, name, kind, default in documented():
        fields = rules[path, name.lower()]
        expect(fields['type'], kind.split()[0].rstrip(','))
        if bounds := re.search(r' (\d+)-(\d+)', kind):
            expect((fields.get('min'), fields.get('max')), bounds.groups())
        if fields['type'] == 'REG_DWORD' and (number := re.match(r'[\d,]+', default)):
            expect(fields.get('default'), number[0].replace(',', ''))
        found += 1
    assert found > 40, found


# ---- The files themselves


def test_each_rule_tells_a_person(bench):
    """Each has a text, a source, and when it applies; a number of something has its unit."""
    seen = set()
    for path, name, fields in shipped():
        where = path, name
        assert where not in seen, where
        seen.add(where)
        said = dict(fields)
        expect(fields[0][0], 'type')
        expect([field for field, _ in fields][-2:], ['source', 'text'])
        assert said['text'].endswith('.') and said['applies'], where
        assert path.startswith('HKRS') or re.match('Q|regstore$', said['source']), where
    assert len(seen) > 40


def test_disagreements_are_named(bench):
    """Where articles disagree, the text names the other."""
    texts = {name: fields['text'] for _, name, fields in of_windows()}
    for name, other in (('ServerThreadTimeout', '600,000'), ('NetPrinterDecayPeriod', '70 minutes'),
                        ('SizReqBuf', 'Q136150'), ('SizReqBuf', 'Q320829'), ('Announce', 'Q102469'),
                        ('autodisconnect', 'Q102967'), ('srvcomment', 'Q102967'),
                        ('IrpStackSize', 'Q102967'), ('IrpStackSize', 'Q307765'),
                        ('RefreshTimesPerDecayPeriod', 'Q227908')):
        assert other in texts[name], name


def test_import_in_any_order(bench):
    """Rules before the settings and after them, and a second time, which changes nothing."""
    bench.regtool('import', TOP / 'hives' / 'system.xml')
    import_rules(bench)
    for file in RULES:
        assert 'nothing changed' in bench.regtool('import', file), file
    assert 'nothing changed' in bench.regtool('import', TOP / 'hives' / 'system.xml')
    bench.regtool('delete', 'HKLM\\SYSTEM', '/f')
    bench.regtool('import', TOP / 'hives' / 'system.xml')
    bench.regtool('check', '--store')


# ---- One truth


def rows_of(bench, program):
    return check_rows(bench.run(program, '--store', bench.store, '--check').stdout)


def test_built_in_rules_are_those_that_ship(bench):
    """A service says the same with the rules in the store as without them."""
    built_in = {program: rows_of(bench, program) for program in PROGRAMS}
    import_rules(bench)
    for program in PROGRAMS:
        stored = rows_of(bench, program)
        expect(list(stored), list(built_in[program]))
        for name, row in stored.items():
            expect(row[0], 'rule')
            expect(row[1:], built_in[program][name][1:])


def test_rules_and_settings_are_the_same(bench):
    """A service reads each value of its key that has a rule, and no other."""
    for program in PROGRAMS:
        result = bench.run(program, '--store', bench.store, '--check')
        key = result.stdout.split(',', 1)[0]
        expect(sorted(check_rows(result.stdout)),
               sorted(name for path, name, _ in shipped() if path == key))


def test_defaults_are_allowed(bench):
    for program in PROGRAMS:
        rows = check_rows(bench.run(program, '--store', bench.store, '--check').stdout)
        names = [name.lower() for name in rows]
        expect(len(names), len(set(names)))
        for name, (_, allowed, _, source, value) in rows.items():
            assert re.fullmatch(r'Q\d{6}|regstore', source), name
            if bounds := re.match(r'(\d+)-(\d+)', allowed):
                if value != 'chosen by the service':
                    assert int(bounds[1]) <= int(value.split()[0]) <= int(bounds[2]), name


def manual_settings(page):
    """The settings that a manual page lists, and the first sentence on each."""
    text = (TOP / page).read_text().split('.Sh SETTINGS')[1].split('.Sh ')[0]
    for entry in text.split('.It Va ')[1:]:
        name, rest = entry.split('\n', 1)
        yield name, rest.replace('\n', ' ').split(').', 1)[0] + ')'


def test_manual_lists_every_setting(bench):
    for program, page in PAGES.items():
        rows = check_rows(bench.run(program, '--store', bench.store, '--check').stdout)
        listed = dict(manual_settings(page))
        expect(list(listed), list(rows))
        for name, (_, allowed, applies, source, value) in rows.items():
            end = f', {applies} ({source})'
            if allowed.startswith('REG_'):
                assert listed[name].startswith(allowed + ', default ') and \
                    listed[name].endswith(end), (name, listed[name])
            elif value == 'chosen by the service':
                expect(listed[name],
                       f'REG_DWORD, {allowed}, {value} while it is not set{end}')
            else:
                expect(listed[name], f'REG_DWORD, {allowed}, default {value}{end}')


def test_a_default_in_the_store_is_the_service_s(bench):
    import_rules(bench)
    key = 'HKLM\\SYSTEM\\CurrentControlSet\\Control\\Print'
    bench.regtool('add', f'HKRS\\Rules\\{key}', '/v', 'ServerThreadTimeout', '/t', 'REG_MULTI_SZ',
                  '/d', 'type=REG_DWORD\\0default=600000\\0unit=ms\\0source=here', '/f')
    expect(rows_of(bench, 'regstore-spooler')['ServerThreadTimeout'],
           ('rule', 'any number', 'live', 'here', '600000 ms'))


def test_rules_come_to_a_running_service(bench):
    """A default changes with its rule; rules that say the same are not spoken of."""
    key = 'HKLM\\SYSTEM\\CurrentControlSet\\Control\\Print'
    service = bench.start('regstore-spooler')
    service.log.wait('started with')
    import_rules(bench)
    bench.regtool('add', f'HKRS\\Rules\\{key}', '/v', 'ServerThreadTimeout', '/t', 'REG_MULTI_SZ',
                  '/d', 'type=REG_DWORD\\0default=600000\\0unit=ms', '/f')
    line = service.log.next()
    assert line.endswith(': ServerThreadTimeout 36000 -> 600000 ms (default)'), line
    assert f'applied revision {revision(bench)}, ' in line, line
    service.end()


# ---- Broken ones

DUMP = '''<?xml version="1.0" encoding="UTF-8"?>
<hive regstore="1">
<node name="HKEY_REGSTORE\\Rules\\HKLM\\SOFTWARE\\Test" root="1"><mtime>2026-11-21T00:00:00Z</mtime>
 <value type="string-list" key="Good">
  <string>type=REG_DWORD</string>
  <string></string>
 </value>
 {broken}
</node>
</hive>
'''


def rule_element(*fields):
    strings = ''.join(f'<string>{field}</string>' for field in (*fields, ''))
    return f'<value type="string-list" key="Broken">{strings}</value>'


BROKEN = {
    rule_element('min=1'): 'no type=',
    rule_element('type=REG_WORD'): 'REG_WORD',
    rule_element('type=REG_DWORD', 'color=red'): 'color=red',
    rule_element('type=REG_DWORD', 'min=1', 'min=2'): 'min',
    rule_element('type=REG_DWORD', 'min=9', 'max=1'): 'min=9',
    rule_element('type=REG_DWORD', 'max=4', 'default=5'): 'default',
    rule_element('type=REG_DWORD', 'enum=1', 'default=5'): 'default',
    rule_element('type=REG_DWORD', 'max=4', 'enum=5'): 'enum=5',
    rule_element('type=REG_SZ', 'max=4'): 'max',
    rule_element('type=REG_DWORD', 'applies=soon'): 'applies=soon',
    rule_element('type=REG_DWORD', 'required=no'): 'required=no',
    rule_element('type=REG_DWORD', 'warning=why'): 'warn',
    '<value type="string" key="Broken" value="type=REG_DWORD"/>': 'REG_MULTI_SZ',
    '<value type="int32" key="Broken" value="4"/>': 'REG_MULTI_SZ',
}


def revision(bench):
    return json.loads(bench.regtool('--json', 'status'))['revision']


def test_a_broken_rule_is_not_imported(bench):
    """Nothing of the file is, the good rules beside it neither, and one line names it."""
    file = bench.directory / 'broken.xml'
    before = revision(bench)
    for broken, told in BROKEN.items():
        file.write_text(DUMP.format(broken=broken))
        result = bench.run('regtool', '--store', bench.store, 'import', file)
        expect((result.returncode, result.stdout), (1, ''))
        assert result.stderr.startswith('regtool: ') and 'Broken' in result.stderr, result.stderr
        assert told in result.stderr, (told, result.stderr)
        expect(revision(bench), before)
    file.write_text(DUMP.format(broken=''))
    bench.regtool('import', file)


def test_a_broken_rule_is_not_set(bench):
    key = 'HKRS\\Rules\\HKLM\\SOFTWARE\\Test'
    for arguments in (('add', key, '/v', 'Broken', '/t', 'REG_MULTI_SZ', '/d', 'min=1', '/f'),
                      ('add', key, '/v', 'Broken', '/t', 'REG_SZ', '/d', 'type=REG_SZ', '/f'),
                      ('set', key, 'Broken', 'type=REG_DWORD', '--type', 'REG_SZ')):
        result = bench.run('regtool', '--store', bench.store, *arguments)
        expect((result.returncode, result.stdout), (1, ''))
        assert 'Broken' in result.stderr, result.stderr
    expect(revision(bench), 0)


def test_the_build_refuses_what_is_no_rule(bench):
    """The generator ends with 1 and names the file."""
    file = bench.directory / 'broken.xml'
    for text in (DUMP.format(broken='<value type="int32" key="Broken" value="4"/>'),
                 DUMP.format(broken='').replace('HKEY_REGSTORE\\Rules', 'HKEY_LOCAL_MACHINE'),
                 'no XML', '<hive></hive>'):
        file.write_text(text)
        result = subprocess.run([sys.executable, TOP / 'services/common/rules_generate.py', file],
                                capture_output=True, text=True, check=False)
        expect((result.returncode, result.stdout), (1, ''))
        assert result.stderr.startswith(f'rules_generate: {file}: '), result.stderr


if __name__ == '__main__':
    sys.exit(run_tests(__doc__, globals()))
