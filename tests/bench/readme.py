#!/usr/bin/env python3
"""Puts a run of the benchmark into README's table.

    scons -Q bench bench_args=--json | tests/bench/readme.py [--readme FILE]

Reads the lines that are JSON and hands everything on to standard output. Every row that README has
must be there. Exit status 1 if one is missing, or the table is.
"""

import argparse
import json
import re
import sys
from pathlib import Path

TOP = Path(__file__).resolve().parent.parent.parent
HEAD = ('row', 'unit', 'regstore', 'raw', 'SQLite', 'ratio', '', 'goal', 'verdict')
LINE = '    {:<14} {:>4} {:>10} {:>10} {:>10} {:>8}  {:>2} {:>4}  {}'


def figure(number):
    if number is None:
        return '-'
    return f'{number:.{2 if number < 10 else 1 if number < 1000 else 0}f}'


def line_of(row):
    ratio = f'{row["ratio"]:.{4 if row["ratio"] < 0.1 else 2}f}'
    bound = '>=' if row['bound'] == 'at least' else '<='
    grown = re.search(r"raw LMDB's ratio is (\S+)$", row['note'])
    verdict = row['verdict'] + (f'; raw LMDB {grown[1]}' if grown else '')
    return LINE.format(row['row'], row['unit'], figure(row['regstore']), figure(row['raw']),
                       figure(row['sqlite']), ratio, bound, f'{row["goal"]:g}', verdict)


def main():
    parser = argparse.ArgumentParser(description="Fill in README's table of the benchmark.")
    parser.add_argument('--readme', type=Path, default=TOP / 'README.md')
    readme = parser.parse_args().readme
    rows = {}
    for line in sys.stdin:
        print(line, end='', flush=True)
        if line.startswith('{'):
            row = json.loads(line)
            rows[row['row']] = row
    text = readme.read_text()
    table = re.search(r'^    row +unit .*\n((?:    .*\n)+)', text, re.M)
    if not table:
        sys.exit(f'readme.py: {readme} has no table')
    missing = [name for name in re.findall(r'^ +(\S+)', table[1], re.M)
               if rows.get(name, {'ratio': None})['ratio'] is None]
    if missing:
        sys.exit(f'readme.py: no figures of {", ".join(missing)}; {readme} is as it was')
    lines = [LINE.format(*HEAD), *(line_of(row) for row in rows.values())]
    filled = '\n'.join(line.rstrip() for line in lines) + '\n'
    readme.write_text(text[:table.start()] + filled + text[table.end():])
    return 0


if __name__ == '__main__':
    sys.exit(main())
