#!/usr/bin/env python3
"""Imports hives in which bytes were changed at random: each is read or refused, whole.

    tests/hives.py [--regtool PROGRAM] [--seed N] [--count N]

One test is one changed hive: a hive of our own, or one of shared/corpus/hives beside the checkout.
Single bytes, numbers in the records, whole records and the length are changed. regtool must end
within the time, not crash, and exit with 0 or with 1 and one line that names the file; after a
refusal the store is what it was. What was read is saved as a hive, which must be readable if it
could be written. At the end the store must be free of damage.

The seed is printed; with it the same hives are made again, and a hive that fails is kept in the
directory that is named. Ends with "N passed, N failed, N skipped"; exit status 1 if any failed.
"""

import argparse
import json
import lzma
import os
import random
import shutil
import struct
import subprocess
import sys
import tempfile
from pathlib import Path

TOP = Path(__file__).resolve().parent.parent
CORPUS = TOP.parent / 'shared/corpus/hives'
TIMEOUT = 60
BASE = 4096  # bytes before the first bin
MARKS = (b'nk', b'vk', b'lf', b'lh', b'li', b'ri', b'db', b'hbin')
LARGEST = 3 << 20  # a larger hive takes too long to try often


class Store:
    """A store, and regtool on it."""

    def __init__(self, regtool, directory):
        self.regtool = regtool
        self.env = {**os.environ, 'REGSTORE': str(directory / 'store'), 'LC_ALL': 'C.UTF-8'}
        self.must('init')

    def ask(self, *arguments):
        """The exit status (1000 where it took too long), standard output, standard error."""
        try:
            ran = subprocess.run([self.regtool, *map(str, arguments)], stdin=subprocess.DEVNULL,
                                 stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=self.env,
                                 timeout=TIMEOUT, check=False)
        except subprocess.TimeoutExpired:
            return 1000, '', f'still running after {TIMEOUT} s\n'
        return (ran.returncode, ran.stdout.decode('utf-8', 'replace'),
                ran.stderr.decode('utf-8', 'replace'))

    def must(self, *arguments):
        status, out, err = self.ask(*arguments)
        if status != 0:
            raise RuntimeError(f'regtool {" ".join(map(str, arguments))}: exit {status}: {err}')
        return out

    def revision(self):
        return json.loads(self.must('--json', 'status'))['revision']


# ---- Hives


def hives(store, directory):
    """The bytes of what is changed."""
    store.must('import', TOP / 'hives/system.xml')
    own = directory / 'own.hiv'
    store.must('save', 'HKLM\\SYSTEM', own)
    found = [own.read_bytes()]
    for packed in sorted(CORPUS.glob('*.hive.xz')):
        with lzma.open(packed) as hive:
            data = hive.read()
        if len(data) <= LARGEST:
            found.append(data)
    return found


def any_number(chance, hive):
    return chance.choice([0, 1, 4, 8, 0x7f, 0xffff, 0x10000, 0x7fffffff, 0x80000000, 0x80000004,
                          0xfffffff8, 0xffffffff, chance.randrange(len(hive)) & ~7,
                          chance.getrandbits(32)])


def change_bytes(chance, hive):
    for _ in range(chance.choice([1, 3, 30, 300])):
        hive[chance.randrange(BASE, len(hive))] = chance.randrange(256)


def change_numbers(chance, hive):
    for _ in range(chance.choice([1, 5, 50])):
        struct.pack_into('<I', hive, chance.randrange(BASE, len(hive) - 4) & ~3,
                         any_number(chance, hive))


def find_record(chance, hive):
    """The place of a record, its length in front of it."""
    mark = chance.choice(MARKS)
    at = hive.find(mark, chance.randrange(BASE, len(hive)))
    at = at if at >= 0 else hive.find(mark, BASE)
    return max(at - 4, BASE)


def change_fields(chance, hive):
    for _ in range(chance.choice([1, 4, 40])):
        at = find_record(chance, hive) + chance.randrange(0, 80, 2)
        if at + 4 <= len(hive):
            struct.pack_into('<I', hive, at, any_number(chance, hive))


def move_records(chance, hive):
    """One record over another: lists and keys come twice, and lead elsewhere."""
    for _ in range(chance.choice([1, 5])):
        source, target = find_record(chance, hive), find_record(chance, hive)
        size = chance.choice([8, 32, 84])
        piece = hive[source:source + size]
        if target + len(piece) <= len(hive):
            hive[target:target + len(piece)] = piece


def cut(chance, hive):
    del hive[chance.randrange(1, len(hive)):]


def change_base(chance, hive):
    """The base block, with a checksum that is right again."""
    for _ in range(chance.choice([1, 3])):
        struct.pack_into('<I', hive, chance.randrange(4, 508) & ~3, any_number(chance, hive))
    total = 0
    for (word,) in struct.iter_unpack('<I', hive[:508]):
        total ^= word
    struct.pack_into('<I', hive, 508, {0: 1, 0xffffffff: 0xfffffffe}.get(total, total))


CHANGES = [change_bytes, change_numbers, change_fields, change_fields, move_records, cut,
           change_base]


# ---- One hive


def judge_refusal(store, file, before, status, err):
    if status != 1:
        return f'exit {status}: {err}'
    if not err.startswith('regtool: ') or err.count('\n') != 1 or file.name not in err:
        return f'its error is not one line that names the file: {err}'
    if store.revision() != before:
        return 'refused, and something is in the store'
    return ''


def judge_saved(store, file, key):
    """What was read must be readable once it could be written."""
    saved = file.with_suffix('.saved')
    status, _, err = store.ask('save', key, saved)
    if status == 1 and not saved.exists():
        return ''
    if status != 0:
        return f'save: exit {status}: {err}'
    status, _, err = store.ask('restore', key, saved)
    saved.unlink()
    return f'what was saved is not read: exit {status}: {err}' if status else ''


def try_hive(store, file, key):
    """Why it failed, '' if it did not; and whether it was read."""
    before = store.revision()
    status, _, err = store.ask('import', file, key)
    if status != 0:
        return judge_refusal(store, file, before, status, err), False
    why = judge_saved(store, file, key)
    store.must('delete', key, '/f')
    return why, True


def main():
    parser = argparse.ArgumentParser(description='Hives with bytes changed at random.')
    parser.add_argument('--regtool', type=Path, default=TOP / 'build/bin/regtool')
    parser.add_argument('--seed', type=int, default=random.randrange(1 << 32))
    parser.add_argument('--count', type=int, default=300)
    args = parser.parse_args()
    print(f'seed {args.seed}')
    chance = random.Random(args.seed)
    directory = Path(tempfile.mkdtemp(prefix='regstore-hives.'))
    store = Store(str(args.regtool.resolve()), directory)
    originals = hives(store, directory)
    passed = failed = read = 0
    for number in range(args.count):
        hive = bytearray(chance.choice(originals))
        change = chance.choice(CHANGES)
        change(chance, hive)
        file = directory / f'{number}.hive'
        file.write_bytes(hive)
        why, was_read = try_hive(store, file, f'HKLM\\T{number}')
        read += was_read
        passed += not why
        failed += bool(why)
        if why:
            print(f'FAILED: {file}: {change.__name__}: {why}')
        else:
            file.unlink()
    print(f'{read} were read, {args.count - read} refused')
    status, out, err = store.ask('check', '--store')
    passed += status == 0
    failed += status != 0
    if status != 0:
        print(f'FAILED: the store is damaged: {out}{err}')
    if not failed:
        shutil.rmtree(directory)
    print(f'{passed} passed, {failed} failed, 0 skipped')
    return 1 if failed or not passed else 0


if __name__ == '__main__':
    sys.exit(main())
