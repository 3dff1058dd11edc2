#!/usr/bin/env python3
"""Checks that the benchmark runs: every row is there, with figures, and wrong options are refused.

    tests/bench/smoke.py BENCH

The data are few and there is one round, so no figure is judged. Ends with "N passed, N failed, N
skipped"; exit status 1 if anything failed.
"""

import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

FEW = ['--keys', '200', '--rounds', '1']
counts = {'passed': 0, 'failed': 0, 'skipped': 0}


def run(program, *options):
    return subprocess.run([program, *options], capture_output=True, text=True, check=False,
                          timeout=250)


def count(name, problem, skipped=''):
    """Counts a test: failed with a problem, skipped with a reason, else passed."""
    how = 'failed' if problem else 'skipped' if skipped else 'passed'
    counts[how] += 1
    if problem or skipped:
        print(f'{"FAILED" if problem else "skipped"}: {name}: {problem or skipped}')


def problem_of_row(row):
    """Why a row's line is not what it should be; '' if it is."""
    if row['verdict'] not in ('reached', 'missed'):
        return f'its verdict is {row["verdict"]}'
    wrong = [name for name in ('regstore', 'raw', 'ratio', 'low', 'high', 'goal')
             if not isinstance(row[name], (int, float)) or row[name] <= 0]
    if wrong:
        return f'without {wrong[0]}'
    better = row['ratio'] >= row['goal'] if row['bound'] == 'at least' else (
        row['ratio'] <= row['goal'])
    return '' if better == (row['verdict'] == 'reached') else 'its verdict is wrong'


def check_rows(program, scratch):
    """One test for each row that --list names, and one for the run."""
    names = run(program, '--list').stdout.split()
    result = run(program, *FEW, '--json', '--dir', scratch)
    rows = {}
    for line in result.stdout.splitlines():
        row = json.loads(line)
        rows.setdefault(row['row'], row)
    for name in names:
        if name not in rows:
            count(name, 'is missing')
        elif rows[name]['verdict'] == 'skipped':
            count(name, '', rows[name]['note'] or 'without a reason')
        else:
            count(name, problem_of_row(rows[name]))
    told = result.stderr.strip()
    whole = result.returncode == 0 and len(result.stdout.splitlines()) == len(names) >= 16
    count('the run', '' if whole else f'exit status {result.returncode}: {told}')
    count('leaves nothing behind', ' '.join(os.listdir(scratch)))
    skipped = [name for name in names if rows.get(name, {}).get('verdict') == 'skipped']
    count("README's table", *problem_of_table(result.stdout, names, scratch, skipped))


def problem_of_table(lines, names, scratch, skipped):
    """readme.py fills in each row and leaves all else of a README alone."""
    if skipped:
        return '', f'no figures of {skipped[0]}'
    readme = Path(scratch) / 'README.md'
    readme.write_text('before\n\n    row           unit old\n    held 1\n\nafter\n')
    result = subprocess.run([Path(__file__).with_name('readme.py'), '--readme', readme],
                            input=lines, capture_output=True, text=True, check=False)
    text = readme.read_text().splitlines()
    readme.unlink()
    shown = [line.split()[0] for line in text[3:-2]]
    good = result.returncode == 0 and text[:2] + text[-2:] == ['before', '', '', 'after']
    return '' if good and shown == names else f'{result.stderr} {text}', ''



def check_table(program, scratch):
    """The table for a person has a heading and the rows that were asked for, and only these."""
    result = run(program, *FEW, '--only', 'path', '--dir', scratch)
    shown = [line.split()[0] for line in result.stdout.splitlines() if line]
    count('the table', '' if shown == ['200', 'row', 'path-hot', 'path-random'] else str(shown))


def check_refusals(program):
    """Wrong options end it with status 2, an impossible directory with 1."""
    for options, status in ((['--keys', '10'], 2), (['--keys', 'many'], 2), (['--only', 'no'], 2),
                            (['--rounds', '0'], 2), (['more'], 2), (['--unknown'], 2),
                            (['--dir', '/nowhere', '--only', 'held'], 1)):
        result = run(program, *options)
        wrong = result.returncode != status or not result.stderr or result.stdout
        count(' '.join(options), f'exit status {result.returncode}' if wrong else '')


def main():
    if len(sys.argv) != 2:
        print('usage: smoke.py BENCH', file=sys.stderr)
        return 2
    program = os.path.abspath(sys.argv[1])
    with tempfile.TemporaryDirectory() as scratch:
        check_rows(program, scratch)
        check_table(program, scratch)
    check_refusals(program)
    print(', '.join(f'{number} {how}' for how, number in counts.items()))
    return 1 if counts['failed'] else 0


if __name__ == '__main__':
    sys.exit(main())
