#!/usr/bin/env python3
"""The README's tour, played as a reader would type it: what it shows is what comes.

    tests/tour.py [--bin DIR]

Each line of the tour's blocks that begins with "$ " is typed into one bash, in a scratch directory,
and is one test: it passes if what comes is what the README shows below it, but for times, sizes, process
numbers and the reader's name. "..." stands for any lines. Programs that the tour starts in terminals
of their own stay; what the README shows and no command printed must come from them.
Ends with "N passed, N failed, N skipped"; exit status 1 if any failed.
"""

import argparse
import getpass
import os
import re
import shlex
import subprocess
import sys
import tempfile
from itertools import groupby
from pathlib import Path

from services_bench import TIMEOUT, Lines

TOP = Path(__file__).resolve().parent.parent
STORE = '/tmp/tour'  # where the README has it
STAYS = ('regstore-spooler', 'regtool watch ')
END = '\x01end of command '

CHANGING = [
    (re.compile(r'\b20[2-9]\d-\d\d-\d\d[T ]\d\d:\d\d:\d\d(\.\d+Z)?'), 'TIME'),
    (re.compile(r'\bpid \d+'), 'pid N'),
    (re.compile(r'^(regstore-\S+) +\d+ '), r'\1  N '),
    (re.compile(r'\b\d+ us after'), 'N us after'),
    (re.compile(r'\b[\d.]+ [KMGT]iB'), 'SIZE'),
]


def blocks(text):
    """The lines of the tour's code blocks, one list for each block."""
    tour = text.split('\n## A tour', maxsplit=1)[1].split('\n## ', maxsplit=1)[0]
    block = []
    for line in [*tour.split('\n'), 'text']:
        if line.startswith('    '):
            block.append(line[4:])
        elif block and not line:
            block.append('')
        elif block:
            yield block
            block = []


def steps(text):
    """Pairs of a command and the lines shown below it; the command is '' where there is none."""
    for block in blocks(text):
        command, shown = '', []
        for line in block:
            if line.startswith('$ '):
                if command or any(shown):
                    yield command, shown
                command, shown = line[2:], []
            else:
                shown.append(line)
        yield command, shown


class Reader:
    """Somebody who types what the README says."""

    def __init__(self, directory, bin_dir):
        self.directory = Path(directory)
        self.user = getpass.getuser()
        for name in ('hives', 'tests'):
            (self.directory / name).symlink_to(TOP / name)
        (self.directory / 'build').mkdir()
        (self.directory / 'build' / 'bin').symlink_to(bin_dir)
        self.environment = {name: value for name, value in os.environ.items()
                            if not name.startswith('REGSTORE')}
        self.environment |= {'LC_ALL': 'C.UTF-8', 'TZ': 'UTC', 'HOME': str(directory)}
        self.programs = {}
        self.bash = self.start(['bash', '--norc'], stdin=subprocess.PIPE)
        self.output = Lines(self.bash.stdout)

    def start(self, command, **streams):
        return subprocess.Popen(command, cwd=self.directory, env=self.environment,
                                stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                                **{'stdin': subprocess.DEVNULL, **streams})

    def type(self, command):
        """Types a command and gives its lines."""
        text = command.replace(STORE, str(self.directory / 'store'))
        self.bash.stdin.write(f"{{ {text}\n}} </dev/null; printf '{END}\\n'\n".encode())
        self.bash.stdin.flush()
        lines = []
        while (line := self.output.next()) != END:
            assert line is not None, f'bash ended: {lines}'
            lines.append(line)
        return lines

    def leave_running(self, command):
        """Starts a program in a terminal of its own."""
        path, store = self.directory / 'build' / 'bin', self.directory / 'store'
        self.environment |= {'PATH': f'{path}:/usr/bin:/bin', 'REGSTORE': str(store)}
        program = self.start(shlex.split(command))
        self.programs[shlex.split(command)[0]] = (program, Lines(program.stdout))

    def comparable(self, lines):
        """Lines without what is different each time; processes are listed in any order."""
        return [line for listed, run in groupby(map(self.plain, lines),
                                                lambda line: line.startswith('    pid N'))
                for line in (sorted(run) if listed else run)]

    def plain(self, line):
        line = line.replace(str(self.directory / 'store'), STORE)
        for pattern, word in CHANGING:
            line = pattern.sub(word, line)
        line = re.sub(rf'^( +\d+  TIME  ){re.escape(self.user)} +', r'\1root      ', line)
        return line.replace(f'TIME, {self.user}, ', 'TIME, root, ')

    def await_lines(self, shown):
        """Lines that one of the programs writes next."""
        for line in filter(None, shown):
            name = 'regstore-spooler' if line.startswith('regstore-spooler: ') else 'regtool'
            assert name in self.programs, f'nothing printed "{line}"'
            came = self.programs[name][1].next()
            assert came is not None and self.plain(came) == line, f'"{came}" instead of "{line}"'

    def play(self, command, shown):
        shown = self.comparable(shown)
        if command.startswith(STAYS) and '--check' not in command:
            self.leave_running(command)
            came = []
        else:
            came = self.comparable(self.type(command)) if command else []
        self.await_lines(shown[covered(came, shown):])

    def end(self):
        self.bash.stdin.close()
        for process in [self.bash, *(program for program, _ in self.programs.values())]:
            if process is not self.bash:
                process.terminate()
            process.wait(TIMEOUT)
            process.stdout.close()


def covered(came, shown):
    """How many of the shown lines are what came; all that came must be among them."""
    at = 0
    for number, line in enumerate(shown):
        if line == '...':
            return number + 1 + covered_end(came[at:], shown[number + 1:])
        if at == len(came):
            return number
        assert came[at] == line, f'"{came[at]}" instead of "{line}"'
        at += 1
    assert at == len(came), f'not shown: "{came[at]}"'
    return len(shown)


def covered_end(came, shown):
    """The same for what is behind "...": lines that end what came."""
    while shown and not shown[-1]:
        shown = shown[:-1]
    assert len(came) > len(shown), f'nothing for "...": {came}'
    assert came[len(came) - len(shown):] == shown, f'{came} does not end with {shown}'
    return len(shown)


def main():
    parser = argparse.ArgumentParser(description=__doc__.split('\n', maxsplit=1)[0])
    parser.add_argument('--bin', default='build/bin', type=Path, metavar='DIR')
    bin_dir = parser.parse_args().bin.resolve()
    passed = 0
    with tempfile.TemporaryDirectory() as directory:
        reader = Reader(directory, bin_dir)
        for command, shown in steps((TOP / 'README.md').read_text(encoding='utf-8')):
            try:
                reader.play(command, shown)
            except AssertionError as error:
                # What comes later in the tour builds on this.
                print(f'FAILED: README, "{command}": {error}')
                break
            passed += 1
        else:
            reader.end()
            print(f'{passed} passed, 0 failed, 0 skipped')
            return 0 if passed else 1
        reader.end()
    print(f'{passed} passed, 1 failed, 0 skipped')
    return 1


if __name__ == '__main__':
    sys.exit(main())
