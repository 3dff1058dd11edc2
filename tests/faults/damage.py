#!/usr/bin/env python3
"""Damages copies of a store and looks what regtool says of them.

    tests/faults/damage.py [--regtool PROGRAM] [--seed N] [--only KIND:NUMBER]

A store with some thousand records is cut short at 50 places, given a page of noise at 200 places and
a flipped bit at 200 places, and LMDB's lists of free pages are made wrong in 4 ways, each time in a
copy of the whole one. What must hold:

  - "check --store" ends with 0 or 1, never by a signal, and its last line says which;
  - "query" and "status" end; they may crash, as LMDB trusts its pages, but they do not hang;
  - a file that was cut short is refused when it is opened, or loses nothing;
  - lists of free pages that are wrong are found, as the next writer would destroy something;
  - where the check finds nothing, every key and value is there, under its name. Only what no record
    repeats may differ: the data of values, types, times, class names, the case of a name;
  - of each kind so many are found as README may promise: LEAST_FOUND.

The places follow from the seed, which is printed. Ends with "N passed, N failed, N skipped"; each
place is a test. Exit status 1 if any failed.
"""

import argparse
import json
import os
import random
import shutil
import struct
import subprocess
import sys
import tempfile
from collections import Counter
from pathlib import Path

TOP = Path(__file__).resolve().parent.parent.parent
PAGE = 4096
TRIES = {'cut': 50, 'noise': 200, 'flip': 200, 'lists': 4}
# Some of the places hold nothing, or what nothing repeats.
LEAST_FOUND = {'cut': 50, 'noise': 165, 'flip': 10, 'lists': 4}
TIMEOUT = 60
# What a key's or a value's record says and nothing else repeats.
UNNOTICED = ('hex', 'data', 'type', 'type_name', 'written')


class Store:
    """A directory with a store, and regtool on it."""

    def __init__(self, regtool, directory):
        self.regtool = regtool
        self.directory = directory
        self.data = directory / 'data.mdb'

    def run(self, *arguments):
        """The process that has ended; None if it hung."""
        try:
            return subprocess.run([self.regtool, '--store', self.directory, *arguments],
                                  stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                                  stderr=subprocess.PIPE, check=False, timeout=TIMEOUT)
        except subprocess.TimeoutExpired:
            return None

    def must(self, *arguments):
        result = self.run(*arguments)
        if result is None or result.returncode != 0:
            sys.exit(f'damage.py: regtool {arguments}: {result}')
        return result


def dump_of_many_keys(path):
    """Keys in four levels, long names, values of every size up to some pages."""
    lines = ['<hive><node name="r" root="1">']
    for i in range(12):
        lines.append(f'<node name="group {i}">')
        for j in range(40):
            lines.append(f'<node name="key {j} {"long " * (20 * (j == 7))}">')
            for k in range(j % 6):
                text = f'{i}-{j}-{k} ' * (1 if k else 1 + 3 * j)
                lines.append(f'<value type="string" key="value {k}" value="{text}"/>')
            lines.append('</node>')
        lines.append('</node>')
    lines.append('</node></hive>')
    path.write_text('\n'.join(lines))


def make_store(regtool, directory):
    store = Store(regtool, directory / 'whole')
    dump = directory / 'dump.xml'
    dump_of_many_keys(dump)
    store.must('init')
    store.must('import', TOP / 'hives' / 'system.xml')
    store.must('import', dump, 'HKLM\\SOFTWARE\\Many')
    for i in range(60):
        store.must('add', f'HKU\\Person {i}', '/v', 'v', '/d', 'x' * (i * 50))
    for i in range(0, 60, 4):
        store.must('delete', f'HKU\\Person {i}', '/f')
    store.must('delete', 'HKLM\\SOFTWARE\\Many\\group 3', '/f')
    store.must('add', 'HKLM\\SOFTWARE\\Big', '/t', 'REG_BINARY', '/d', '5a' * 30000)
    return store


def listing(store, noticed_only):
    """All keys and values as text; None if they cannot be listed."""
    lines = []
    for root in ('HKLM', 'HKU'):
        result = store.run('--json', 'query', root, '/s')
        if result is None or result.returncode != 0:
            return None
        for line in result.stdout.decode('utf-8', 'surrogateescape').splitlines():
            entry = json.loads(line)
            if noticed_only:
                entry = {name: text.upper() for name, text in entry.items()
                         if name not in UNNOTICED}
            lines.append(json.dumps(entry))
    return '\n'.join(lines)


# ---- Damage


def written_pages(store):
    """The numbers of the pages that are not empty: what the store keeps in reserve was never used."""
    data = store.data.read_bytes()
    return [at // PAGE for at in range(0, len(data), PAGE) if any(data[at:at + PAGE])]


def cut(store, chance, _):
    size = (written_pages(store)[-1] + 1) * PAGE
    at = chance.randrange(1, size)
    if chance.random() < 0.7:
        at -= at % PAGE
    os.truncate(store.data, at)
    return f'cut at {at} of {size}'


def write_at(store, at, data):
    with open(store.data, 'r+b') as file:
        file.seek(at)
        file.write(data)


def noise(store, chance, _):
    page = chance.choice(written_pages(store))
    write_at(store, page * PAGE, chance.randbytes(PAGE))
    return f'noise in page {page}'


def flip(store, chance, _):
    at = chance.choice(written_pages(store)) * PAGE + chance.randrange(PAGE)
    bit = chance.randrange(8)
    with open(store.data, 'rb') as file:
        file.seek(at)
        byte = file.read(1)[0]
    write_at(store, at, bytes([byte ^ 1 << bit]))
    return f'bit {bit} of byte {at % PAGE} in page {at // PAGE}'


def number_at(data, at):
    return struct.unpack_from('<Q', data, at)[0]


def free_lists(data):
    """Where LMDB's lists of free pages stand that name two or more: a count, and so many numbers.

    A meta page has a head of 16 bytes and three numbers more, the tables of free pages and of all
    others, 48 bytes each with the root at the end, the last page's number and the transaction's. A
    leaf page has the places of its entries after its head; an entry is the size of its value in two
    halves, flags, the size of its key, and both.
    """
    metas = sorted((0, PAGE), key=lambda at: number_at(data, at + 16 + 24 + 2 * 48 + 8))
    leaf = number_at(data, metas[-1] + 16 + 24 + 40) * PAGE
    if struct.unpack_from('<H', data, leaf + 10)[0] != 2:
        sys.exit('damage.py: the table of free pages has more than one page')
    entries = (struct.unpack_from('<H', data, leaf + 12)[0] - 16) // 2
    for place in struct.unpack_from(f'<{entries}H', data, leaf + 16):
        flags, key_size = struct.unpack_from('<HH', data, leaf + place + 4)
        at = leaf + place + 8 + key_size
        if flags == 0 and number_at(data, at) >= 2:
            yield at


def lists(store, _, number):
    """A list names a page twice, one behind the end, a meta page; its count is too high."""
    data = store.data.read_bytes()
    at = next(free_lists(data))
    count = number_at(data, at)
    where, what = ((at + 8, number_at(data, at + 16)), (at + 8, len(data) // PAGE + 1000),
                   (at + 8, 1), (at, count + 1000))[number]
    write_at(store, where, struct.pack('<Q', what))
    return f'free list number {number} says {what}'


KINDS = {'cut': cut, 'noise': noise, 'flip': flip, 'lists': lists}


KINDS = {'cut': cut, 'noise': noise, 'flip': flip, 'lists': lists}


# ---- Judging


def judge_check(store, problems):
    """'whole', 'refused' (when it is opened), 'found', or 'crashed' (the child did)."""
    result = store.run('check', '--store')
    if result is None:
        problems.append('check hangs')
        return 'hangs'
    out = result.stdout.decode(errors='replace').splitlines()
    err = result.stderr.decode(errors='replace').splitlines()
    last = (out or [''])[-1]
    if result.returncode == 0:
        if not last.startswith('no damage found') or len(out) != 1 or err:
            problems.append(f'check ends with 0 and says {out} {err}')
        return 'whole'
    if result.returncode != 1:
        problems.append(f'check ends with {result.returncode}')
    if not out and len(err) == 1 and err[0].startswith('regtool: '):
        return 'refused'
    if err or len(out) < 2 or ' found: read ' not in last:
        problems.append(f'check ends with 1 and says {out} {err}')
    if any('crashes' in line or 'never ends' in line for line in out):
        return 'crashed'
    return 'refused' if 'read 0 keys, 0 values, 0 revisions' in last and 'data.mdb: ' in out[0] \
        else 'found'


def judge_others(store, problems):
    for arguments in (('query', 'HKLM', '/s'), ('query', 'HKU', '/s'), ('status',)):
        if store.run(*arguments) is None:
            problems.append(f'{" ".join(arguments)} hangs')


def judge_data(store, whole, problems):
    """Where nothing was found: is all there? 'same' or 'other data'."""
    noticed = listing(store, True)
    if noticed is None:
        problems.append('the check finds nothing, but the keys cannot be listed')
    elif noticed != whole['noticed']:
        problems.append('the check finds nothing, but keys or values are missing')
    return 'same' if listing(store, False) == whole['all'] else 'other data'


def run_try(whole, directory, kind, number, seed):
    """One damaged copy: what it was, what came of it, and what is wrong with that."""
    chance = random.Random(f'{seed}:{kind}:{number}')
    problems = []
    copy = directory / 'copy'
    shutil.copytree(whole['store'].directory, copy)
    try:
        store = Store(whole['store'].regtool, copy)
        what = KINDS[kind](store, chance, number)
        verdict = judge_check(store, problems)
        judge_others(store, problems)
        if verdict == 'whole':
            verdict = judge_data(store, whole, problems)
        if kind == 'cut' and verdict not in ('refused', 'same'):
            problems.append(f'a file that was cut short is not refused: {verdict}')
    finally:
        shutil.rmtree(copy)
    return what, verdict, problems


def found_of(verdicts):
    return verdicts['refused'] + verdicts['found'] + verdicts['crashed']


def print_summary(kind, verdicts):
    tries = sum(verdicts.values())
    found = found_of(verdicts)
    print(f'{kind}: {tries} places: {found} found ({verdicts["refused"]} when opened, '
          f'{verdicts["found"]} by reading, {verdicts["crashed"]} where reading crashed), '
          f'{verdicts["same"]} not found and without effect, '
          f'{verdicts["other data"]} not found with other data')


def main():
    parser = argparse.ArgumentParser(description='Damage copies of a store.')
    parser.add_argument('--regtool', type=Path, default=TOP / 'build/bin/regtool')
    parser.add_argument('--seed', type=int, default=3)
    parser.add_argument('--only', help='one place, as a failure names it')
    args = parser.parse_args()
    failed = passed = 0
    with tempfile.TemporaryDirectory(prefix='regstore-damage.') as name:
        directory = Path(name)
        store = make_store(args.regtool.resolve(), directory)
        whole = {'store': store, 'noticed': listing(store, True), 'all': listing(store, False)}
        print(f'seed {args.seed}, data.mdb has {store.data.stat().st_size // PAGE} pages, '
              f'{len(written_pages(store))} of them written')
        for kind, tries in TRIES.items():
            verdicts = Counter()
            for number in range(tries):
                if args.only and args.only != f'{kind}:{number}':
                    continue
                what, verdict, problems = run_try(whole, directory, kind, number, args.seed)
                verdicts[verdict] += 1
                failed += bool(problems)
                passed += not problems
                if problems:
                    print(f'FAILED: {kind}:{number}, {what}: {"; ".join(problems)}')
            print_summary(kind, verdicts)
            if not args.only:
                enough = found_of(verdicts) >= LEAST_FOUND[kind]
                failed += not enough
                passed += enough
                if not enough:
                    print(f'FAILED: {kind}: fewer than {LEAST_FOUND[kind]} places were found')
    print(f'{passed} passed, {failed} failed, 0 skipped')
    return 1 if failed or not passed else 0


if __name__ == '__main__':
    sys.exit(main())
