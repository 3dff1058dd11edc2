#!/usr/bin/env python3
"""Real hives through every format, and the recorded suites, as "shared" beside the checkout has them.

    tests/formats.py [--regtool PROGRAM] [--jobs N] [NAME...]

One test is a hive in one format (NAME is nt4-system.regf), made by hive_roundtrip.py: the hive
itself, hivexml's dump of it, hivexregedit's export of it, and what regtool writes of the imported
hive, read back (.ours-xml, .ours-regf, .ours-reg, which is the form of .reg that loses nothing).
Another is a recorded suite of reg.exe's tests (NAME is wine-add or wine-add.wow64), made by
wine_suite.py --strict. The third kind is a .reg file of the corpus (NAME is its own): it is
imported; what is exported then changes nothing when it is planned and when it is imported.

hive_roundtrip.py accepts a refusal of what cannot be read; here it is a failure. Ends with
"N passed, N failed, N skipped"; exit status 1 if any failed or none ran.
"""

import argparse
import concurrent.futures
import lzma
import os
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

TOP = Path(__file__).resolve().parent.parent
SHARED = TOP.parent / 'shared'
HIVES = SHARED / 'corpus/hives'
PATCHES = SHARED / 'corpus/reg'
CONFORMANCE = SHARED / 'conformance'
TIMEOUT = 250
SUITES = ['wine-import', 'wine-add', 'wine-query', 'wine-delete']
MOUNT = 'HKEY_LOCAL_MACHINE\\TEST'
SHOWN = 30  # lines of a failure

# What libhivex cannot carry, so that regtool refuses to write it: the hive, and what it says.
UNWRITABLE = {'hivex-special.ours-regf': r'names with a NUL .*zero\\x00key'}


class Skip(Exception):
    """Why a test cannot be made here."""


def run(*command, **options):
    """The exit status and all that was printed; a crash is never an answer."""
    try:
        ran = subprocess.run(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                             stderr=subprocess.STDOUT, timeout=TIMEOUT, check=False, **options)
    except subprocess.TimeoutExpired:
        return 1, f'still running after {TIMEOUT} s: {command}'
    text = ran.stdout.decode('utf-8', 'replace')
    return ran.returncode, text if ran.returncode >= 0 else f'{text}\nsignal {-ran.returncode}'


def unpack(packed, directory):
    target = Path(directory) / packed.stem
    with lzma.open(packed) as source, open(target, 'wb') as copy:
        shutil.copyfileobj(source, copy)
    return target


class Store:
    """A store of a test's own, and regtool on it."""

    def __init__(self, regtool, directory):
        self.regtool = regtool
        self.env = {**os.environ, 'REGSTORE': str(Path(directory) / 'store'), 'LC_ALL': 'C.UTF-8'}
        self.must('init')

    def ask(self, *arguments):
        return run(self.regtool, *arguments, env=self.env)

    def must(self, *arguments):
        status, text = self.ask(*arguments)
        if status != 0:
            raise RuntimeError(f'regtool {" ".join(map(str, arguments))}: exit {status}\n{text}')
        return text


def printable(text):
    """Names hold what a terminal and a log do not like."""
    return re.sub('[\0-\x08\x0b-\x1f\x7f]', lambda found: f'\\x{ord(found[0]):02x}', text)


# ---- Hives


def compare(regtool, hive, form, file):
    """A file against the listing of its hive. What hive_roundtrip.py refuses, too, is a failure."""
    status, text = run(sys.executable, str(CONFORMANCE / 'hive_roundtrip.py'), '--regtool',
                       regtool, '--canon', str(HIVES / f'{hive}.canon.xz'), f'--{form}', str(file))
    return status == 0 and '\nrefused' not in text, text


def hivexregedit(hive, file):
    if not shutil.which('hivexregedit'):
        raise Skip('Debian package libwin-hivex-perl is not installed')
    # Without being told so, perl writes a line that could be Latin-1 as Latin-1.
    env = {**os.environ, 'PERL_UNICODE': 'O'}
    with open(file, 'wb') as out:
        ran = subprocess.run(['hivexregedit', '--export', '--prefix', MOUNT, hive, '\\'],
                             stdout=out, stderr=subprocess.PIPE, timeout=TIMEOUT, env=env, check=False)
    if ran.returncode != 0:
        raise Skip(f'hivexregedit cannot export it: {printable(ran.stderr.decode("utf-8", "replace"))}')


def write_ours(regtool, directory, hive, form):
    """Imports a hive and writes it in a format; returns the file."""
    store = Store(regtool, directory)
    file = Path(directory) / f'ours.{form}'
    store.must('import', unpack(HIVES / f'{hive}.hive.xz', directory), MOUNT)
    if form == 'regf':
        store.must('save', MOUNT, file)
    elif form == 'xml':
        store.must('export', MOUNT, file)
    else:
        store.must('export', MOUNT, file, '--utf8')
    return file


def try_hive(regtool, hive, form, directory):
    if form.startswith('ours-'):
        form = form.removeprefix('ours-')
        # Our XML loses nothing, so that it is judged as the hive itself is.
        return compare(regtool, hive, 'reg' if form == 'reg' else 'regf',
                       write_ours(regtool, directory, hive, form))
    if form == 'regf':
        return compare(regtool, hive, form, unpack(HIVES / f'{hive}.hive.xz', directory))
    if form == 'xml':
        return compare(regtool, hive, form, unpack(HIVES / f'{hive}.xml.xz', directory))
    file = Path(directory) / 'export.reg'
    hivexregedit(unpack(HIVES / f'{hive}.hive.xz', directory), file)
    return compare(regtool, hive, form, file)


# ---- Suites and patches


def try_suite(regtool, suite, wow64):
    status, text = run(sys.executable, str(CONFORMANCE / 'wine_suite.py'),
                       str(CONFORMANCE / f'{suite}.jsonl'), '--regtool', regtool, '--strict',
                       *(['--wow64'] if wow64 else []))
    return status == 0, text


def roots_of(store):
    """The keys directly below the roots: what a patch may have made."""
    found = []
    for root in ('HKEY_LOCAL_MACHINE', 'HKEY_USERS'):
        lines = store.must('query', root).splitlines()
        found += [line for line in lines if line.startswith(root + '\\')]
    return found


def try_patch(regtool, name, directory):
    """Imported, exported and imported again it is what it was, in each way to see that."""
    store = Store(regtool, directory)
    store.must('import', PATCHES / name)
    before = store.must('--json', 'query', 'HKLM', '/s') + store.must('--json', 'query', 'HKU', '/s')
    for number, key in enumerate(roots_of(store)):
        file = Path(directory) / f'{number}.reg'
        store.must('export', key, file, '/y')
        status, text = store.ask('import', '--plan', file)
        if status != 0:
            return False, f'{key}: its export would change something, exit {status}:\n{text}'
        store.must('import', file)
    after = store.must('--json', 'query', 'HKLM', '/s') + store.must('--json', 'query', 'HKU', '/s')
    return before == after, '' if before == after else 'its export, imported, changed the store'


# ---- The run


def all_tests():
    forms = ('regf', 'xml', 'reg', 'ours-regf', 'ours-xml', 'ours-reg')
    hives = sorted(hive.name.removesuffix('.hive.xz') for hive in HIVES.glob('*.hive.xz'))
    tests = [f'{hive}.{form}' for hive in hives for form in forms]
    tests += [f'{suite}{view}' for suite in SUITES for view in ('', '.wow64')]
    return tests + sorted(patch.name for patch in PATCHES.glob('*.reg'))


def try_one(regtool, name):
    with tempfile.TemporaryDirectory(prefix='regstore-formats.') as directory:
        suite, _, view = name.partition('.')
        try:
            if (PATCHES / name).is_file():
                return try_patch(regtool, name, directory)
            if suite in SUITES:
                return try_suite(regtool, suite, view == 'wow64')
            hive, _, form = name.rpartition('.')
            return try_hive(regtool, hive, form, directory)
        except RuntimeError as error:
            why = UNWRITABLE.get(name)
            return why is not None and re.search(why, str(error)) is not None, str(error)


def main():
    parser = argparse.ArgumentParser(description='Hives, suites and patches of "shared".')
    parser.add_argument('--regtool', type=Path, default=TOP / 'build/bin/regtool')
    parser.add_argument('--jobs', type=int, default=2)
    parser.add_argument('names', nargs='*')
    args = parser.parse_args()
    regtool = str(args.regtool.resolve())
    names = args.names or all_tests()
    counts = {'passed': 0, 'failed': 0, 'skipped': 0}
    with concurrent.futures.ThreadPoolExecutor(args.jobs) as pool:
        for name, future in [(name, pool.submit(try_one, regtool, name)) for name in names]:
            try:
                good, text = future.result()
            except Skip as why:
                counts['skipped'] += 1
                print(f'skipped: {name}: {why}')
                continue
            counts['passed' if good else 'failed'] += 1
            lines = text.splitlines() or ['']
            print(f'{"ok" if good else "FAILED"}: {name}: {lines[-1] if good else ""}')
            if not good:
                print(printable('\n'.join(lines[-SHOWN:])))
    print(', '.join(f'{number} {what}' for what, number in counts.items()))
    return 1 if counts['failed'] or not counts['passed'] else 0


if __name__ == '__main__':
    sys.exit(main())
