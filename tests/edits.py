#!/usr/bin/env python3
"""Edits that regtool foretells and makes, on random trees: import --plan, and diff --reg.

    tests/edits.py [--bin DIR] [--seed N] [--rounds N]

A round of plans makes a store of random keys and values and a random .reg file of edits. What
"import --plan" prints is applied to what the store holds, and must give what the import of the file
gives; the plan itself changes nothing; it ends with 2 exactly where the import makes a revision; and
the values that the journal then tells of are those of the plan, old and new, but for keys that came
or went, which the journal tells as a whole.
Half of the rounds use --keep.

A round of patches makes two random trees, of keys, of files, or of both. The .reg file that
"diff --reg" prints is imported, and then the first is the same as the second: "diff" and "compare"
find nothing.

Names meet, in different cases; there are links, and keys that are a link in one tree alone. Ends
with "N passed, N failed, 0 skipped", counting rounds; the seed of a failure is printed.
"""

import argparse
import json
import os
import random
import subprocess
import sys
import tempfile
from pathlib import Path

TOP = Path(__file__).resolve().parent.parent
NAMES = ['a', 'A', 'b', 'Long name', 'ä', 'Ä', 'x[1]', 'quo"te', 'back', '中']
HEADER = 'Windows Registry Editor Version 5.00\r\n'


class Failure(Exception):
    """What was foretold is not what came."""


class Tool:
    """regtool with a store of its own in a directory."""

    def __init__(self, bin_dir, directory):
        self.regtool, self.directory = Path(bin_dir).resolve() / 'regtool', Path(directory)
        self.must('init')

    def run(self, *arguments):
        return subprocess.run(
            [self.regtool, '--store', self.directory / 'store', *arguments], cwd=self.directory,
            stdin=subprocess.DEVNULL, capture_output=True, check=False,
            env={**os.environ, 'TMPDIR': str(self.directory)})

    def must(self, *arguments, exits=(0,)):
        done = self.run(*arguments)
        if done.returncode not in exits:
            raise Failure(f'{arguments} ended with {done.returncode}: {done.stderr.decode()}'
                          f'{done.stdout.decode(errors="replace")[:2000]}')
        return done

    def write(self, name, data):
        (self.directory / name).write_bytes(data)
        return name

    def content(self):
        """Each key and its values, names regardless of case."""
        keys = {}
        for root in ('HKLM', 'HKU'):
            for line in self.must('--json', 'query', root, '/s').stdout.splitlines():
                entry = json.loads(line)
                values = keys.setdefault(entry['key'].upper(), {})
                if 'name' in entry:
                    values[entry['name'].upper()] = (entry['type'], entry['hex'])
        return keys

    def revision(self):
        return json.loads(self.must('--json', 'status').stdout)['revision']


# ---- Random .reg files


def escaped(name):
    return '"' + name.replace('\\', '\\\\').replace('"', '\\"') + '"'


def value_line(rng):
    name = escaped(rng.choice(NAMES)) if rng.random() < 0.8 else '@'
    data = rng.choice(['"text"', '"other"', '""', 'dword:00000001', 'dword:00000002', 'hex:01,02',
                       'hex(7):61,00,00,00,00,00', 'hex(20000):ff', 'hex(0):'])
    return f'{name}={data}'


def link_line(target):
    data = (target.replace('HKEY_LOCAL_MACHINE', '\\Registry\\Machine')).encode('utf-16-le')
    return '"SymbolicLinkValue"=hex(6):' + ','.join(f'{byte:02x}' for byte in data)


def random_path(rng, top):
    return '\\'.join([top] + [rng.choice(NAMES) for _ in range(rng.randrange(4))])


def tree(rng, top):
    """Keys with values, and some links, which are made by their first value."""
    lines = [f'[{top}]']
    for _ in range(rng.randrange(2, 14)):
        lines += ['', f'[{random_path(rng, top)}]']
        lines += [value_line(rng) for _ in range(rng.randrange(4))]
    for number in range(3):
        lines += ['', f'[{top}\\Link{number}]']
        if rng.random() < 0.6:
            lines.append(link_line(rng.choice([top, 'HKEY_LOCAL_MACHINE\\Target'])))
        else:
            lines.append(value_line(rng))
    return lines


def edits(rng, top):
    """Lines that set and take away."""
    lines = []
    for _ in range(rng.randrange(1, 10)):
        path = random_path(rng, top)
        if rng.random() < 0.2 and path != top:
            lines += ['', f'[-{path}]']
            continue
        lines += ['', f'[{path}]']
        for _ in range(rng.randrange(5)):
            name = escaped(rng.choice(NAMES))
            lines.append(f'{name}=-' if rng.random() < 0.3 else value_line(rng))
    return lines


def reg(lines):
    return b'\xff\xfe' + '\r\n'.join([HEADER, *lines, '']).encode('utf-16-le')


# ---- Plans


def apply_plan(content, plan):
    for line in plan.splitlines():
        entry = json.loads(line)
        change, key = entry.get('change'), entry.get('key', '').upper()
        if change == 'key-created':
            content[key] = {}
        elif change == 'key-deleted':
            del content[key]
        elif change == 'value-set':
            if (content[key].get(entry['name'].upper()) is None) != (entry['old'] is None):
                raise Failure(f'the old side is wrong: {entry}')
            content[key][entry['name'].upper()] = (entry['new']['type'], entry['new']['hex'])
        elif change == 'value-deleted' and key in content:
            del content[key][entry['name'].upper()]
    return content


def net_values(lines, whole):
    """What values were before all changes and are after them, outside of the keys in whole."""
    net = {}
    for line in lines:
        change = json.loads(line)
        key = change.get('key', '').upper()
        if change.get('change') not in ('value-set', 'value-deleted'):
            continue
        if any(key == other or key.startswith(other + '\\') for other in whole):
            continue
        sides = [side and (side['type'], side['hex']) for side in (change['old'], change['new'])]
        place = (key, change['name'].upper())
        net[place] = (net.get(place, sides)[0], sides[1])
    return {place: sides for place, sides in net.items() if sides[0] != sides[1]}


def check_journal(tool, revision, plan):
    told = tool.must('--json', 'watch', 'HKLM', '/s', '--since', str(revision), '--once').stdout
    lines = told.splitlines()
    whole = {json.loads(line)['key'].upper() for line in lines
             if json.loads(line)['change'] in ('key-created', 'key-deleted', 'key-relinked')}
    journal, foretold = net_values(lines, whole), net_values(plan.splitlines(), whole)
    if journal != foretold:
        raise Failure(f'the journal has {journal}, the plan {foretold}')


def plan_round(rng, tool):
    top = 'HKEY_LOCAL_MACHINE\\T'
    tool.must('import', tool.write('target.reg', reg(['[HKEY_LOCAL_MACHINE\\Target]'])))
    tool.must('import', tool.write('base.reg', reg(tree(rng, top))))
    tool.write('edits.reg', reg(edits(rng, top) + (tree(rng, top) if rng.random() < 0.3 else [])))
    keep = ['--keep'] if rng.random() < 0.5 else []
    before, revision = tool.content(), tool.revision()
    plan = tool.must('--json', 'import', 'edits.reg', '--plan', *keep, exits=(0, 2))
    if tool.content() != before or tool.revision() != revision:
        raise Failure('the plan changed something')
    foretold = apply_plan(before, plan.stdout)
    tool.must('import', 'edits.reg', *keep)
    after = tool.content()
    if foretold != after:
        wrong = {key: (foretold.get(key), after.get(key)) for key in foretold.keys() | after.keys()
                 if foretold.get(key) != after.get(key)}
        raise Failure(f'foretold, and what came: {wrong}')
    if (tool.revision() != revision) != (plan.returncode == 2):
        raise Failure(f'the plan ended with {plan.returncode}, revision {revision} and then '
                      f'{tool.revision()}')
    if plan.returncode == 2:
        check_journal(tool, revision, plan.stdout)


# ---- Patches


def patch_round(rng, tool):
    """The left side is always a key of the store, where the patch is tried."""
    left, right = 'HKEY_LOCAL_MACHINE\\T', 'HKEY_LOCAL_MACHINE\\Other'
    if rng.random() < 0.5:
        right = left
    tool.must('import', tool.write('target.reg', reg(['[HKEY_LOCAL_MACHINE\\Target]'])))
    tool.must('import', tool.write('right.reg', reg(tree(rng, right))))
    if rng.random() < 0.5 or right == left:
        tool.must('export', right, 'right.xml')
        tool.must('delete', right, '/f')
        right = 'right.xml'
    tool.must('import', tool.write('left.reg', reg(tree(rng, left))))
    left_file = left
    if rng.random() < 0.3:
        tool.must('export', left, 'left.xml')
        left_file = 'left.xml'
    done = tool.must('diff', left_file, right, '--reg', exits=(0, 2))
    tool.write('patch.reg', done.stdout)
    differ = tool.must('diff', left_file, right, exits=(0, 2))
    if differ.returncode != done.returncode:
        raise Failure(f'diff ended with {differ.returncode}, with --reg {done.returncode}')
    tool.must('import', 'patch.reg')
    tool.must('diff', left, right)
    if not right.endswith('.xml'):
        tool.must('compare', left, right, '/s')


def main():
    parser = argparse.ArgumentParser(description=__doc__.split('\n', 1)[0])
    parser.add_argument('--bin', default=TOP / 'build/bin')
    parser.add_argument('--seed', type=int, default=20261121)
    parser.add_argument('--rounds', type=int, default=60, help='of each kind')
    options = parser.parse_args()
    passed = failed = 0
    for number in range(options.rounds):
        for kind in (plan_round, patch_round):
            seed = options.seed + number
            with tempfile.TemporaryDirectory() as directory:
                try:
                    kind(random.Random(seed), Tool(options.bin, directory))
                    passed += 1
                except Failure as failure:
                    failed += 1
                    print(f'FAILED: {kind.__name__}, --seed {seed} --rounds 1: {failure}')
    print(f'{passed} passed, {failed} failed, 0 skipped')
    return 1 if failed or not passed else 0


if __name__ == '__main__':
    sys.exit(main())
