#!/usr/bin/env python3
"""Imports the real dumps in "shared" beside the checkout and compares what comes back.

    tests/conformance.py [--regtool PROGRAM] [NAME...]

Each hive of shared/corpus/hives whose hivexml dump is there is one test, made by
shared/conformance/hive_roundtrip.py. That program accepts a refusal of the dumps that are not
well-formed; regtool reads them, so here a refusal is a failure.

Ends with "N passed, N failed, N skipped"; exit status 1 if any failed or none ran.
"""

import argparse
import lzma
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

TOP = Path(__file__).resolve().parent.parent
SHARED = TOP.parent / 'shared'
TIMEOUT = 120


def unpack(packed, directory):
    target = Path(directory) / packed.stem
    with lzma.open(packed) as source, open(target, 'wb') as copy:
        shutil.copyfileobj(source, copy)
    return target


def round_trip(packed, regtool):
    """What hive_roundtrip.py prints for a dump, and whether that is a success."""
    canon = packed.with_name(packed.name.replace('.xml.xz', '.canon.xz'))
    with tempfile.TemporaryDirectory(prefix='regstore-conformance.') as directory:
        command = [sys.executable, SHARED / 'conformance/hive_roundtrip.py', '--regtool', regtool,
                   '--canon', canon, '--xml', unpack(packed, directory)]
        try:
            run = subprocess.run(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                                 stderr=subprocess.STDOUT, timeout=TIMEOUT, check=False)
        except subprocess.TimeoutExpired:
            return f'still running after {TIMEOUT} s', False
    text = run.stdout.decode('utf-8', 'replace')
    return text, run.returncode == 0 and '\nrefused' not in text


def main():
    parser = argparse.ArgumentParser(description='Import real dumps and compare.')
    parser.add_argument('--regtool', type=Path, default=TOP / 'build/bin/regtool')
    parser.add_argument('names', nargs='*')
    args = parser.parse_args()
    dumps = [dump for dump in sorted((SHARED / 'corpus/hives').glob('*.xml.xz'))
             if not args.names or dump.name.removesuffix('.xml.xz') in args.names]
    passed = failed = 0
    for dump in dumps:
        text, good = round_trip(dump, args.regtool.resolve())
        passed += good
        failed += not good
        print(f'{"ok" if good else "FAILED"}: {dump.name}: {(text.splitlines() or [""])[-1]}')
        if not good:
            print(text)
    print(f'{passed} passed, {failed} failed, 0 skipped')
    return 1 if failed or not passed else 0


if __name__ == '__main__':
    sys.exit(main())
