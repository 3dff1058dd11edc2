"""Rows of a benchmark of services: figures of ours and of another, by rounds, judged and printed.

A row is a unit, how it is bound ("at most" or "at least"), a goal, and what is judged by it: ratio,
difference or own, of rounds that are pairs of figures. A row that could not be measured has the
reason in place of the rounds.
"""

import argparse
import json
import statistics
from pathlib import Path
from typing import Callable, NamedTuple

HEAD = ('row', 'unit', 'regstore', 'other', 'ratio', '', 'goal', 'verdict')
LINE = '{:<12} {:>7} {:>10} {:>10} {:>9} {:>3} {:>5}  {}'


def median(rounds, which):
    return statistics.median(each[which] for each in rounds)


def ratio(rounds):
    """Ours by the other's."""
    return statistics.median(own / other for own, other in rounds)


def difference(rounds):
    return median(rounds, 0) - median(rounds, 1)


def own(rounds):
    """Ours alone; the other's is None."""
    return median(rounds, 0)


class Row(NamedTuple):
    unit: str
    bound: str
    goal: float
    judged: Callable = ratio


def row_of(name, row, rounds):
    """A row's figures and verdict."""
    told = {'row': name, 'unit': row.unit, 'bound': row.bound, 'goal': row.goal}
    if isinstance(rounds, str):
        return {**told, 'verdict': 'skipped', 'note': rounds}
    judged = row.judged(rounds)
    alone = row.judged is own
    reached = judged >= row.goal if row.bound == 'at least' else judged <= row.goal
    return {**told, 'regstore': median(rounds, 0), 'other': None if alone else median(rounds, 1),
            'ratio': None if alone else judged, 'verdict': 'reached' if reached else 'missed', 'note': ''}


def figure(number):
    if number is None:
        return '-'
    return f'{number:.{2 if abs(number) < 10 else 1 if abs(number) < 1000 else 0}f}'


def show(told):
    if told['verdict'] == 'skipped':
        return f'{told["row"]:<12} skipped: {told["note"]}'
    return LINE.format(told['row'], told['unit'], *map(figure, (told['regstore'], told['other'], told['ratio'])),
                       '>=' if told['bound'] == 'at least' else '<=', told['goal'], told['verdict'])


def parser_of(text, rows):
    """The options that all such benchmarks have; text is the program's own."""
    parser = argparse.ArgumentParser(description=text.split('\n', maxsplit=1)[0])
    parser.add_argument('--bin', default='build/bin', type=lambda path: Path(path).resolve(), metavar='DIR')
    parser.add_argument('--rounds', default=3, type=int, metavar='N')
    parser.add_argument('--seconds', default=5, type=float, metavar='N', help='of each measurement')
    parser.add_argument('--row', action='append', choices=rows, metavar='NAME')
    parser.add_argument('--json', action='store_true')
    return parser


def run(arguments, rows, measure):
    """Measures what is wanted, prints it, and gives the exit status: measure(arguments, names) gives each
    name's rounds."""
    if not arguments.json:
        print(LINE.format(*HEAD), flush=True)
    found = measure(arguments, arguments.row or list(rows))
    told = [row_of(name, rows[name], rounds) for name, rounds in found.items()]
    for each in told:
        print(json.dumps(each) if arguments.json else show(each), flush=True)
    return 1 if any(each['verdict'] == 'missed' for each in told) else 0
