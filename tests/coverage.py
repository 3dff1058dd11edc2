#!/usr/bin/env python3
"""Says how much of regstore/ the tests reach, and why they do not reach the rest.

    tests/coverage.py BUILD_DIRECTORY

Reads what the programs of the coverage flavour left in BUILD_DIRECTORY (tests/run --coverage builds
and runs them), prints lines and branches for each file and in all, and then each function with
lines that were never reached, with its reason from tests/uncovered.txt. Fails below the goals, for a
function without a reason, and for a reason that is no longer needed. Ends with "N passed, N failed, N skipped". Needs gcov.
"""

import json
import subprocess
import sys
from collections import defaultdict
from pathlib import Path

TOP = Path(__file__).resolve().parent.parent
SOURCES = 'regstore/'
REASONS = TOP / 'tests' / 'uncovered.txt'
GOALS = {'lines': 90.0, 'branches': 80.0}
CHANCE = 'by chance: '  # how the reason begins of what is reached in some runs only


class File:
    """What was reached of one source file; a header is in several object files."""

    def __init__(self):
        self.lines = defaultdict(int)     # number: times
        self.branches = defaultdict(int)  # (line, index): times
        self.functions = {}               # line: name

    def add(self, report):
        for line in report['lines']:
            number = line['line_number']
            self.lines[number] += line['count']
            self.functions[number] = line.get('function_name', '')
            for index, branch in enumerate(line['branches']):
                self.branches[number, index] += branch['count']

    def missed(self):
        """Function: its lines that were never reached."""
        missed = defaultdict(list)
        for number, count in sorted(self.lines.items()):
            if not count:
                missed[self.functions[number]].append(number)
        return missed


def reports(build):
    """What gcov tells of each object file, a dictionary each."""
    for data in sorted((build / 'obj' / SOURCES).glob('*.gcda')):
        gcov = subprocess.run(['gcov', '-b', '-j', '-t', str(data)], cwd=TOP, check=True,
                              stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
        for line in gcov.stdout.splitlines():
            if line.startswith(b'{'):
                yield json.loads(line)


def collect(build):
    files = defaultdict(File)
    for report in reports(build):
        for part in report['files']:
            if part['file'].startswith(SOURCES):
                files[part['file']].add(part)
    return files


def reached(counts):
    return sum(1 for count in counts if count)


def share(counts):
    return 100.0 * reached(counts) / len(counts) if counts else 100.0


def print_row(name, lines, branches):
    print(f'{name:36} {reached(lines):6}/{len(lines):<6} {share(lines):5.1f}%'
          f' {reached(branches):6}/{len(branches):<6} {share(branches):5.1f}%')


def print_table(files):
    """Prints a row for each file; gives all lines and all branches."""
    lines, branches = [], []
    print(f'{"":36} {"lines":>13}        {"branches":>13}')
    for name, file in sorted(files.items()):
        print_row(name, list(file.lines.values()), list(file.branches.values()))
        lines += file.lines.values()
        branches += file.branches.values()
    print_row('all', lines, branches)
    return lines, branches


def read_reasons():
    """(file, function): reason; the file says how its lines look."""
    reasons = {}
    for line in REASONS.read_text(encoding='utf-8').splitlines():
        if line.strip() and not line.startswith('#'):
            place, reason = line.split(': ', 1)
            reasons[tuple(place.split())] = reason
    return reasons


def print_missed(files, reasons):
    """Prints what was not reached and why; gives the functions concerned."""
    places = set()
    for name, file in sorted(files.items()):
        for function, numbers in sorted(file.missed().items()):
            places.add((name, function))
            lines = ','.join(map(str, numbers))
            reason = reasons.get((name, function), 'NO REASON GIVEN')
            print(f'{name}:{lines}: {function}: {reason}')
    return places


def named(places):
    return ', '.join(' '.join(place) for place in sorted(places)) or 'none'


def main():
    files = collect(Path(sys.argv[1]).resolve())
    lines, branches = print_table(files)
    print()
    reasons = read_reasons()
    missed = print_missed(files, reasons)
    unexplained = missed - set(reasons)
    stale = {place for place, reason in reasons.items()
             if place not in missed and not reason.startswith(CHANCE)}
    results = [(share(lines) >= GOALS['lines'],
                f'{share(lines):.1f}% of lines, the goal is {GOALS["lines"]}%'),
               (share(branches) >= GOALS['branches'],
                f'{share(branches):.1f}% of branches, the goal is {GOALS["branches"]}%'),
               (not unexplained, f'functions not reached whole, without a reason: '
                                 f'{named(unexplained)}'),
               (not stale, f'reasons of functions that are reached whole, or gone: {named(stale)}')]
    if not lines:
        results = [(False, 'nothing was run')]
    for good, text in results:
        print(f'{"ok" if good else "FAILED"}: {text}')
    passed = sum(good for good, _ in results)
    print(f'{passed} passed, {len(results) - passed} failed, 0 skipped')
    return 0 if passed == len(results) else 1


if __name__ == '__main__':
    sys.exit(main())
