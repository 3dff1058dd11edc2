#!/usr/bin/env python3
"""Completion in real shells: bash and zsh on a terminal, with keys typed as a person types them.

    completion.py [--bin DIR] [SHELL...]        SHELL: bash, zsh; without names both

In the shell, "regtool" is a function that notes its arguments, while the completion asks the real
program. So each case tells what the shell makes of the completed line, quotes and all. Each line
ends with a Return that the shell reads after it has completed: nothing waits for a length of time.

A shell that is not installed is skipped. Ends with "N passed, N failed, N skipped".
"""

import argparse
import fcntl
import os
import pty
import select
import shutil
import signal
import struct
import subprocess
import sys
import tempfile
import termios
import time
from pathlib import Path

TOP = Path(__file__).resolve().parent.parent
PATIENCE = 60  # seconds until a shell that does not answer counts as hanging
TAB = '\t'
ODD = '$a"b\'c=d*'

START = {
    'bash': (['bash', '--norc', '--noprofile', '-i'], '''
bind 'set bell-style none'; bind 'set page-completions off'; bind 'set enable-bracketed-paste off'
bind 'set completion-query-items 0'; HISTFILE=
'''),
    'zsh': (['zsh', '-f', '-i'], '''
autoload -Uz compinit; compinit -u -d "$TMPDIR/zcompdump"; LISTMAX=10000; unsetopt beep
'''),
}
COMMON = '''
source <(command regtool completion %s)
regtool() { printf '%%s\\0' "$@" >"$TMPDIR/arguments"; echo; echo "ran-$1-it"; }
PS1='$ '; cd "$TMPDIR/files"; echo rea''dy
'''

K = 'HKLM\\Software\\'
CASES = [  # what it is, what is typed, the arguments that the shell has then
    ('a verb', f'que{TAB} x', ['query', 'x']),
    ('the verb of help', f'help exp{TAB}', ['help', 'export']),
    ('what net does to whom', f'net sto{TAB} ser{TAB}', ['net', 'stop', 'server']),
    ('a root', f'query HKL{TAB}', ['query', 'HKLM\\']),
    ('a long root', f'query hkey_l{TAB}', ['query', 'HKEY_LOCAL_MACHINE\\']),
    ('a key as it is spelled', f'query hklm\\\\softw{TAB}', ['query', 'hklm\\Software\\']),
    ('a key after one backslash', f'query HKLM\\{TAB}{TAB}', ['query', K]),
    ('keys in quotes', f"query 'HKLM\\so{TAB}Tw{TAB}I{TAB}", ['query', K + 'Two Words\\In It']),
    ('keys in double quotes', f'query "HKLM\\so{TAB}Tw{TAB}I{TAB}',
     ['query', K + 'Two Words\\In It']),
    ('keys without quotes', f'query HKLM\\\\so{TAB}tw{TAB}i{TAB}', ['query', K + 'Two Words\\In It']),
    ('keys with slashes', f'query /HKLM/so{TAB}tw{TAB}i{TAB}',
     ['query', '/HKLM/Software/Two Words/In It']),
    ('odd names', f'query HKLM\\\\Software\\\\\\${TAB}', ['query', K + ODD]),
    ('odd names in quotes', f"query 'HKLM\\Software\\${TAB}", ['query', K + ODD]),
    ('odd names in double quotes', f'query "HKLM\\Software\\\\\\${TAB}', ['query', K + ODD]),
    ('wide letters', f'query HKLM\\\\Software\\\\漢{TAB}', ['query', K + '漢字']),
    ('an exclamation mark', f"query 'HKLM\\Software\\wo{TAB}", ['query', K + 'Wow!x']),
    ('history in double quotes', f'query "HKLM\\Software\\ha{TAB}', ['query', K + 'Ha!!x']),
    ('a colon', f'query HKLM\\\\Software\\\\co{TAB}t{TAB}', ['query', K + 'Col:two']),
    ('spellings that differ', f'query HKLM\\\\Software\\\\Mixed\\\\al{TAB}',
     ['query', K + 'Mixed\\al']),
    ('a value', f'query HKLM\\\\Software\\\\Mixed /v the{TAB}',
     ['query', K + 'Mixed', '/v', 'The value']),
    ('a value in quotes', f"get HKLM\\\\Software\\\\Mixed 't{TAB}",
     ['get', K + 'Mixed', 'The value']),
    ('a type', f'add HKLM\\\\X /t reg_b{TAB}', ['add', 'HKLM\\X', '/t', 'REG_BINARY']),
    ('a long switch', f'query HKLM --rec{TAB}', ['query', 'HKLM', '--recursive']),
    ('a revision', f'show 1{TAB} x', ['show', '1', 'x']),
    ('revisions, listed with what they are', f'undo {TAB}2{TAB} x', ['undo', '2', 'x']),
    ('a file', f'import dum{TAB}', ['import', 'dump file.xml']),
    ('no store', f'--store /none query HKLM\\\\S{TAB}', ['--store', '/none', 'query', 'HKLM\\S']),
    ('nothing that fits', f'query HKLM\\\\None\\\\x{TAB}', ['query', 'HKLM\\None\\x']),
]


class Shell:
    """An interactive shell on a terminal of its own."""

    def __init__(self, name, env, columns):
        command, start = START[name]
        self.shown = b''
        self.arguments = Path(env['TMPDIR']) / 'arguments'
        self.pid, self.terminal = pty.fork()
        if self.pid == 0:
            os.execvpe(command[0], command, env)
        fcntl.ioctl(self.terminal, termios.TIOCSWINSZ, struct.pack('HHHH', 24, columns, 0, 0))
        rc = Path(env['TMPDIR']) / f'rc.{name}'
        rc.write_text(start + COMMON % name, encoding='utf-8')
        self.type(f'. {rc}\n')
        self.wait_for(b'ready\r\n')

    def type(self, text):
        os.write(self.terminal, text.encode())

    def wait_for(self, mark):
        """What the terminal has shown up to the mark."""
        end = time.monotonic() + PATIENCE
        while mark not in self.shown:
            ready, _, _ = select.select([self.terminal], [], [], max(0, end - time.monotonic()))
            part = os.read(self.terminal, 65536) if ready else b''
            if not part:
                raise TimeoutError(f'no {mark!r} in {self.shown!r}')
            self.shown += part
        before, self.shown = self.shown.split(mark, 1)
        return before

    def run(self, typed):
        """The arguments of the line, and what was shown meanwhile."""
        self.arguments.unlink(missing_ok=True)
        self.type(f'regtool {typed}\r')
        shown = self.wait_for(b'-it\r\n')
        return self.arguments.read_bytes().decode().split('\0')[:-1], shown

    def end(self):
        os.kill(self.pid, signal.SIGKILL)
        os.waitpid(self.pid, 0)
        os.close(self.terminal)


def make_store(regtool, env):
    names = [('Two Words\\In It', ''), ('Two Words\\Other', ''), (ODD, ''), ('漢字', ''), ('Wow!x', ''),
             ('Ha!!x', ''), ('Col:one', ''), ('Col:two', ''), ('Mixed\\alpha', ''), ('Mixed\\ALPHA2', ''),
             ('Mixed', 'The value'), ('Mixed', 'Other'), ('Broken\nname', '')]
    subprocess.run([regtool, 'init'], env=env, check=True, stdout=subprocess.DEVNULL)
    for key, value in names:
        subprocess.run([regtool, 'set', K + key, value, 'data'], env=env, check=True)


def judge(shell, case):
    """What is wrong with a case; None if nothing is."""
    _, typed, expected = case
    try:
        arguments, shown = shell.run(typed)
    except TimeoutError as error:
        return str(error)
    if arguments != expected:
        return f'the arguments are {arguments}, expected {expected}'
    if b'regtool:' in shown or b'error' in shown or b'bash:' in shown:
        return f'the terminal shows {shown!r}'
    return None


def try_listing(shell, name):
    """The keys that fit are listed, and one that cannot be shown is not."""
    tabs = {'bash': 2, 'zsh': 1}[name] * TAB
    try:
        _, shown = shell.run(f"query 'HKLM\\Software\\{tabs}'")
    except TimeoutError as error:
        return str(error)
    listed = [name for name in ('Two Words', 'Mixed', '漢字') if name.encode() not in shown]
    if listed:
        return f'not listed: {listed}: {shown!r}'
    return 'a name with a line end is listed' if b'Broken' in shown else None


def try_shell(name, env, columns):
    failed = 0
    for number, case in enumerate([*CASES, ('listing', '', [])]):
        shell = Shell(name, env, columns)
        problem = judge(shell, case) if number < len(CASES) else try_listing(shell, name)
        shell.end()
        if problem:
            failed += 1
            print(f'FAILED: {name} at {columns} columns: {case[0]}: {problem}')
    return len(CASES) + 1 - failed, failed


def main():
    parser = argparse.ArgumentParser(description='Completion in real shells.')
    parser.add_argument('--bin', type=Path, default=TOP / 'build/bin')
    parser.add_argument('shells', nargs='*', default=['bash', 'zsh'])
    args = parser.parse_args()
    passed = failed = skipped = 0
    with tempfile.TemporaryDirectory() as scratch:
        env = {'PATH': f'{args.bin.resolve()}:{os.environ["PATH"]}', 'HOME': scratch,
               'TMPDIR': scratch, 'REGSTORE': f'{scratch}/store', 'LC_ALL': 'C.UTF-8',
               'TERM': 'xterm'}
        make_store(args.bin.resolve() / 'regtool', env)
        (Path(scratch) / 'files').mkdir()
        (Path(scratch) / 'files' / 'dump file.xml').touch()
        for name in args.shells:
            if shutil.which(name):
                for columns in (80, 40):
                    good, bad = try_shell(name, env, columns)
                    passed, failed = passed + good, failed + bad
            else:
                skipped += 1
                print(f'skipped: completion in {name}: it is not installed')
    print(f'{passed} passed, {failed} failed, {skipped} skipped')
    return 1 if failed or not passed else 0


if __name__ == '__main__':
    sys.exit(main())
