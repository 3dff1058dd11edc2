#!/usr/bin/env python3
"""regtool shell and regtool edit on a real terminal, as a person sees them.

    terminal.py [--bin DIR] [TEST...]

Each function test_NAME is a test. It types into a terminal of 40 columns (tmux) and waits for what
the screen must show; what does not come within half a minute has failed. No test knows how long anything
takes. Needs tmux, else all is skipped. Ends with "N passed, N failed, N skipped"; exit status 1 if
any failed.
"""

import argparse
import os
import pty
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

PATIENCE = 30
WIDTH, HEIGHT = 40, 30
ACUTE = '\u0301'


class Failure(Exception):
    """What a test did not see."""


class Terminal:
    """A terminal in which a command runs, on a store of its own."""

    def __init__(self, bin_dir, work):
        self.work, self.bin = Path(work), bin_dir
        self.started = 0
        self.tmux = []
        self.env = {'PATH': f'{bin_dir}:/usr/bin:/bin', 'HOME': str(work), 'TMPDIR': str(work),
                    'REGSTORE': f'{work}/store', 'LC_ALL': 'C.UTF-8', 'TERM': 'xterm',
                    'NO_COLOR': '1', 'XDG_STATE_HOME': f'{work}/state',
                    'ASAN_OPTIONS': f'log_path={work}/report'}
        self.regtool('init')

    def regtool(self, *arguments):
        """Runs regtool beside the terminal; what it printed."""
        return subprocess.run([self.bin / 'regtool', *arguments], env=self.env, check=True,
                              stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True).stdout

    def run(self, command, width=WIDTH):
        """Starts the command; the screen stays when it ends."""
        self.started += 1
        self.tmux = ['tmux', '-S', str(self.work / f'tmux{self.started}'), '-u', '-f', '/dev/null']
        subprocess.run([*self.tmux, 'new-session', '-d', '-x', str(width), '-y', str(HEIGHT),
                        f'trap : INT; {command}; echo "[ended $?]"; exec cat'], env=self.env, check=True)

    def shell(self, key=''):
        """Starts a shell, at a root perhaps, and waits for its prompt."""
        self.run(f'regtool shell {key}')
        self.see_last(f'{key or "regtool"}>')

    def type(self, *keys):
        """Types texts; names such as Enter and C-c are keys."""
        subprocess.run([*self.tmux, 'send-keys', '--', *keys], env=self.env, check=True)

    def screen(self):
        """What it shows, without the spaces at the ends of lines; long lines as one."""
        shown = subprocess.run([*self.tmux, 'capture-pane', '-p', '-J'], env=self.env, check=True,
                               stdout=subprocess.PIPE, text=True).stdout
        return '\n'.join(line.rstrip() for line in shown.rstrip().splitlines())

    def wait(self, condition, what):
        end = time.monotonic() + PATIENCE
        while not condition():
            if time.monotonic() > end:
                raise Failure(f'did not see {what!r} on the screen:\n{self.screen()}')
            time.sleep(0.02)

    def command(self, line, shown):
        """Types a line and waits for what it shows."""
        self.type(line, 'Enter')
        self.see(shown)

    def see(self, text):
        """Waits until the screen shows the text."""
        self.wait(lambda: text in self.screen(), text)

    def see_last(self, text):
        """Waits until the last line of the screen is the text."""
        self.wait(lambda: self.screen().splitlines()[-1:] == [text.rstrip()], text)

    def reports(self):
        return [path.read_text() for path in self.work.glob('report.*')]

    def close(self):
        if self.tmux:
            subprocess.run([*self.tmux, 'kill-server'], env=self.env, check=False,
                           stderr=subprocess.DEVNULL)


# ---- The shell


def test_walk(t):
    """Commands, relative keys, and the prompt with the current key."""
    t.regtool('add', 'HKLM\\SOFTWARE\\Acme\\Sub', '/v', 'Size', '/d', 'big', '/f')
    t.shell()
    t.type('cd hklm\\software', 'Enter')
    t.see_last('HKLM\\SOFTWARE>')
    t.command('cd acme\\sub', 'HKLM\\SOFTWARE\\Acme\\Sub\n>')  # more than half of the line: it stands above
    t.command('cat size', '\nbig\n')
    t.type('cd ..', 'Enter', 'ls', 'Enter')
    t.see('\nSub\\\n')
    t.command('exit 3', '[ended 3]')


def test_end(t):
    """Ctrl-D ends the shell with the status of the last command."""
    t.shell('HKLM')
    t.command('query nope', 'no key nope')
    t.see_last('HKLM>')
    t.type('C-d')
    t.see('[ended 1]')


def test_complete_keys(t):
    """Tab completes keys in any case, in quotes where they are needed, and lists what fits."""
    for name in ('Two words\\One', 'Twofold', 'Alpha', 'a"b'):
        t.regtool('add', f'HKLM\\{name}', '/f')
    t.shell()
    t.type('cd hkl', 'Tab')
    t.see_last('regtool> cd HKLM\\')
    t.type('tw', 'Tab')
    t.see_last('regtool> cd HKLM\\Two')
    t.type('Tab')
    t.see('Two words\\  Twofold\n')
    t.see_last('regtool> cd HKLM\\Two')
    t.type(' ', 'BSpace', 'f', 'Tab', 'Enter')
    t.see_last('HKLM\\Twofold>')
    t.type('ls "..\\two w', 'Tab', 'Tab', 'Enter')
    t.see('ls "..\\Two words\\One"')
    t.see('(Default)')
    t.type('ls ..\\a"', 'BSpace', 'Tab', 'Tab')
    t.see('a"b')
    t.type('C-c')
    t.see('^C')
    t.type("ls '..\\a", '"', 'Tab')
    t.see("ls '..\\a\"b'")


def test_complete_slashes(t):
    """A path with slashes is completed with slashes."""
    t.regtool('add', 'HKLM\\One\\Two', '/f')
    t.shell()
    t.type('cd /hk', 'Tab')
    t.see('HKLM/')
    t.type('lm', 'Tab', 'o', 'Tab', 't', 'Tab')
    t.see_last('regtool> cd /HKLM/One/Two')
    t.type('Enter')
    t.see_last('HKLM\\One\\Two>')


def test_complete_verbs(t):
    """Verbs, switches, types, values and files are completed, too."""
    t.regtool('add', 'HKLM\\K', '/v', 'Some name', '/d', 'x', '/f')
    (t.work / 'file-of-mine.xml').write_text('', encoding='utf-8')
    t.run(f'cd {t.work}; regtool shell HKLM\\\\K')
    t.see_last('HKLM\\K>')
    for typed, shown in (('quer', 'query'), ('pw', 'pwd'), ('add . --val', 'add . --value'),
                         ('add . /t reg_multi', 'add . /t REG_MULTI_SZ'),
                         ('query /v some', 'query /v "Some name"'),
                         ('cat so', 'cat "Some name"'), ('get . so', 'get . "Some name"'),
                         ('import file-of', 'import file-of-mine.xml'), ('help vers', 'help version'),
                         ('net sta', 'net start'), ('net stop serv', 'net stop server'),
                         ('net use lpt7', 'net use LPT7'), ('mode com3', 'mode COM3:'),
                         ('lpt wr', 'lpt write'), ('lpt write lpt2', 'lpt write LPT2')):
        t.type(typed, 'Tab')
        t.see_last(f'HKLM\\K> {shown}')
        t.type('C-c')
        t.see_last('HKLM\\K>')


def test_no_store(t):
    """Completion says nothing where there is no store; commands do."""
    shutil.rmtree(t.work / 'store')
    t.shell()
    t.type('cd HKLM\\x', 'Tab', 'Tab', 'y')
    t.see_last('regtool> cd HKLM\\xy')
    t.type('Enter')
    t.see('no store')
    t.see_last('regtool>')


def test_wide(t):
    """Names in CJK: the cursor is where it is shown to be."""
    t.regtool('add', 'HKLM\\設定\\印刷', '/v', '値', '/d', 'yes', '/f')
    t.shell('HKLM')
    t.type('cd 設', 'Tab', '印', 'Tab', 'Enter')
    t.see_last('HKLM\\設定\\印刷>')
    t.type('cat ', 'Tab', 'Enter')
    t.see('\nyes\n')
    t.type('一二三四五六七八九十一二三四五六七八九十', 'Left', 'Left', 'X')
    t.see('X九十')
    t.type('C-c')
    t.see_last('HKLM\\設定\\印刷>')


def test_combining(t):
    """Names with combining characters: the prompt and what is typed are right."""
    t.regtool('add', f'HKLM\\De{ACUTE}cor\\Sub', '/v', f'e{ACUTE}t', '/d', 'yes', '/f')
    t.shell('HKLM')
    t.type('cd de', 'Tab', 'su', 'Tab', 'Enter')
    t.see(f'HKLM\\De{ACUTE}cor\\Sub\n>')
    t.type(f'cat e{ACUTE}', 'Tab', 'Enter')
    t.see('\nyes\n')
    t.type('pwd', 'Enter')
    t.see(f'HKEY_LOCAL_MACHINE\\De{ACUTE}cor\\Sub\n')


def test_long_line(t):
    """A line longer than the terminal is edited across its rows."""
    t.shell('HKLM')
    t.type('set K Name ' + 'abcdefghij' * 8, 'C-a', 'Right', 'Right', 'Right', '  ', 'C-e', '!',
           'Enter', 'pwd', 'Enter')
    t.see('HKEY_LOCAL_MACHINE')
    assert t.regtool('get', 'HKLM\\K', 'Name') == 'abcdefghij' * 8 + '!\n'


def test_control_characters(t):
    """What the store holds does not drive the terminal."""
    t.regtool('add', 'HKLM\\A\033[31mred', '/f')
    t.shell('HKLM')
    t.command('ls', 'A\\x1b[31mred')
    t.type('cd A', 'Tab', 'Tab', 'Enter')
    t.see('no key A')


def test_control_characters_everywhere(t):
    """No verb sends what the store holds to the terminal raw: no escape, no C1, no turned text."""
    evil = '\033]0;owned\a\x9b31m\u202e'
    key, other = f'HKLM\\K\\a{evil}', f'HKLM\\L\\a{evil}'
    for number, name in enumerate((key, other)):
        t.regtool('add', name, '/v', f'n{evil}', '/d', f'd{evil}{number}', '/f')
        t.regtool('add', f'{name}\\sub{evil}', '/f')
    (t.work / f'f{evil}.reg').write_text('nonsense', encoding='utf-8')
    store = t.work / 'store'
    for arguments in (
            ('query', 'HKLM\\K', '/s'), ('query', key, '/v', f'n{evil}'), ('query', key, '/v', evil),
            ('query', 'HKLM\\K', '/f', 'owned', '/s'), ('find', 'owned', 'HKLM\\K'),
            ('list', key), ('tree', 'HKLM\\K', '--values'), ('get', key, f'n{evil}'),
            ('diff', key, other), ('diff', key, f'f{evil}.reg'), ('compare', key, other, '/s'),
            ('--json', 'query', 'HKLM\\K', '/s'), ('--json', 'diff', key, other),
            ('export', key, '-'), ('export', key, '-', '--utf8'), ('export', key, '-', '--format', 'reg'),
            ('save', key, '-'), ('backup', '-'), ('export', evil, '-'), ('set', key, f'n{evil}'),
            ('add', key, '/v', f'n{evil}', '/t', 'REG_DWORD', '/d', evil), ('rename', key, evil),
            ('delete', key, '/v', evil), ('copy', key, other), ('import', f'f{evil}.reg'),
            ('import', '--plan', f'f{evil}.reg'), ('load', f'HKLM\\{evil}', f'f{evil}.reg'),
            ('restore', key, f'f{evil}.reg'), ('watch', key, '/s', '--since', '0', '--once'),
            ('restore-store', f'f{evil}.reg', '/y'), ('help', evil), (evil,), ('list', '--' + evil),
            ('--store', evil, 'status'), ('status',), ('check', '--store')):
        shown = on_terminal(t, *arguments)
        bad = [c for c in shown if (ord(c) < 32 and c not in '\r\n\t') or 127 <= ord(c) < 160 or
               c == '\u202e']
        if bad:
            raise Failure(f'{arguments} sent {bad} to the terminal: {shown!r}')
        if not shown:
            raise Failure(f'{arguments} showed nothing')
    assert store.is_dir()


def on_terminal(t, *arguments):
    """What regtool sends to a terminal; questions are answered with no."""
    child, terminal = pty.fork()
    if child == 0:
        os.chdir(t.work)
        os.execve(t.bin / 'regtool', ['regtool', *arguments], t.env)
    os.write(terminal, b'\n')  # an answer, if there is a question
    shown = b''
    try:
        while part := os.read(terminal, 65536):
            shown += part
    except OSError:  # it has ended
        pass
    os.waitpid(child, 0)
    os.close(terminal)
    return shown.decode('utf-8', 'replace')


def test_pwd_and_list(t):
    """The shell's own lines, too."""
    t.regtool('add', 'HKLM\\A\033[31mred\\B', '/f')
    t.regtool('add', 'HKLM\\A\033[32mgreen', '/f')
    t.run(f"cd {t.work}; printf 'cd A\\033[31mred\npwd\nls\n' >commands; regtool shell HKLM <commands")
    t.see('A\\x1b[31mred')
    t.see('[ended 0]')


def test_interrupt(t):
    """Ctrl-C cancels a line and ends a command, and never the shell."""
    t.shell('HKLM')
    t.type('delete everything', 'C-c')
    t.see('everything^C')
    t.see_last('HKLM>')
    t.command('watch . /s', 'from revision')
    t.type('C-c')
    t.see_last('HKLM>')
    t.command('add Made /f', 'completed')
    t.see_last('HKLM>')
    t.type('delete Made', 'Enter')  # a question
    t.see('(yes/no)?')
    t.type('C-c')
    t.see_last('HKLM>')
    t.command('ls', '\nMade\\\n')
    t.type('delete Made', 'Enter')
    t.wait(lambda: t.screen().count('(yes/no)?') == 2, 'a second question')
    t.type('y', 'Enter')
    t.wait(lambda: t.screen().count('completed') == 2, 'that it is deleted')
    t.command('exit', '[ended 0]')


def test_cancel_long(t):
    """Ctrl-C in the middle of a line of several rows leaves what was typed to be read."""
    t.run('regtool shell HKLM')
    t.see_last('HKLM>')
    t.type('add ' + 'abcdefghij' * 6, 'C-a', 'C-c')
    t.see_last('HKLM>')
    t.type('pwd', 'Enter')
    t.see('HKLM> add ' + 'abcdefghij' * 6 + '^C\nHKLM> pwd\nHKEY_LOCAL_MACHINE\nHKLM>')


def test_suspend(t):
    """Ctrl-Z stops the shell, time and again in one line, and the line is there afterwards."""
    t.run('HISTFILE= PS1="sh> " bash --norc --noprofile -i')
    t.see_last('sh>')
    t.type('regtool shell HKLM', 'Enter')
    t.see_last('HKLM>')
    t.type('p')
    for number, letter in enumerate('wd', 1):
        t.type('C-z')
        t.wait(lambda: t.screen().count('Stopped') == number, 'that it is stopped')
        t.see_last('sh>')
        t.type('fg', 'Enter')
        t.see_last('HKLM> ' + 'pw'[:number])
        t.type(letter)
    t.type('Enter')
    t.see_last('HKLM>')
    t.see('HKLM> pwd\nHKEY_LOCAL_MACHINE\nHKLM>')


def test_suspend_alone(t):
    """Where nobody could continue it, Ctrl-Z does nothing."""
    t.run('regtool shell HKLM')
    t.see_last('HKLM>')
    t.type('p', 'C-z', 'wd', 'Enter')
    t.see('HKEY_LOCAL_MACHINE\nHKLM>')
    t.type('exit', 'Enter')
    t.see('[ended 0]')


def test_history(t):
    """What was typed is there again, in the next shell, too; only the owner can read it."""
    t.shell('HKLM')
    t.command('pwd', 'HKEY_LOCAL_MACHINE')
    t.see_last('HKLM>')
    t.command(' version', '0.1')
    t.see_last('HKLM>')
    t.command('exit', '[ended 0]')
    t.close()
    history = t.work / 'state/regtool/history'
    assert history.read_text(encoding='utf-8') == 'pwd\nexit\n'
    assert history.stat().st_mode & 0o777 == 0o600
    t.shell('HKU')
    t.type('Up', 'Up')
    t.see_last('HKU> pwd')
    t.type('Enter')
    t.see('HKEY_USERS')


def test_unsafe_history(t):
    """A history that is a link or that others can read is left alone."""
    (t.work / 'state/regtool').mkdir(parents=True)
    other = t.work / 'other'
    other.write_text('secret\n', encoding='utf-8')
    (t.work / 'state/regtool/history').symlink_to(other)
    t.shell('HKLM')
    t.command('pwd', 'HKEY_LOCAL_MACHINE')
    assert other.read_text(encoding='utf-8') == 'secret\n'


def test_killed(t):
    """A shell whose terminal is gone ends; nothing stays behind."""
    t.shell('HKLM')
    t.command('watch . /s', 'from revision')
    t.close()
    end = time.monotonic() + PATIENCE
    while t.regtool('--json', 'status').find('"watchers":[]') < 0:
        if time.monotonic() > end:
            raise Failure('the watch still runs')
        time.sleep(0.02)


# ---- The editor


def editor(t, script):
    """A script as the editor; the name of the command."""
    path = t.work / 'editor'
    path.write_text('#!/bin/sh\n' + script, encoding='utf-8')
    path.chmod(0o755)
    t.env['EDITOR'] = str(path)


def left_behind(t):
    return list(t.work.glob('regtool.*'))


def test_edit_again(t):
    """A bad edit is shown with its line, and can be edited again."""
    t.regtool('add', 'HKLM\\K', '/v', 'N', '/t', 'REG_DWORD', '/d', '7', '/f')
    editor(t, 'if [ -e once ]; then echo 9 >"$1"; else echo nine >"$1"; touch once; fi\n')
    t.run(f'cd {t.work}; regtool edit HKLM\\\\K /v N')
    t.see('line 1: "nine" is not a REG_DWORD')
    t.see('edit it again (yes/no)?')
    t.command('y', 'completed')
    t.see('[ended 0]')
    assert t.regtool('get', 'HKLM\\K', 'N') == '9\n'
    assert not left_behind(t)


def test_edit_refused(t):
    """What a rule refuses stands in the text when it is edited again, and can be mended."""
    t.regtool('add', 'HKRS\\Rules\\HKLM\\K', '/v', 'N', '/t', 'REG_MULTI_SZ',
              '/d', 'type=REG_DWORD\\0max=9')
    t.regtool('add', 'HKLM\\K', '/v', 'N', '/t', 'REG_DWORD', '/d', '7', '/f')
    editor(t, 'head -n 1 "$1" | cut -c 1-30\n'
              'if [ -e once ]; then sed -i "s/^10$/8/" "$1"; else sed -i "s/^7$/10/" "$1"; touch once; fi\n')
    t.run(f'cd {t.work}; regtool edit HKLM\\\\K /v N')
    t.see('edit it again (yes/no)?')
    t.command('y', '#!! HKEY_LOCAL_MACHINE')
    t.see('completed')
    t.see('[ended 0]')
    assert t.regtool('get', 'HKLM\\K', 'N') == '8\n'
    assert not left_behind(t)


def test_edit_not_again(t):
    """Who does not want to edit again has changed nothing."""
    t.regtool('add', 'HKLM\\K', '/v', 'N', '/t', 'REG_DWORD', '/d', '7', '/f')
    editor(t, 'echo nine >"$1"\n')
    for number, keys in enumerate((('n', 'Enter'), ('C-c',), ('C-d',))):
        t.run('regtool edit HKLM\\\\K /v N')
        t.see('edit it again (yes/no)?')
        t.type(*keys)
        t.see('[ended 130]' if number == 1 else '[ended 1]')
        t.close()
        assert t.regtool('get', 'HKLM\\K', 'N') == '7\n'
    t.wait(lambda: not left_behind(t), 'that the file is removed')


def test_edit_in_shell(t):
    """The shell's edit has the terminal; Ctrl-C is the editor's."""
    t.regtool('add', 'HKLM\\K', '/v', 'List', '/t', 'REG_MULTI_SZ', '/d', 'one\\0two', '/f')
    editor(t, 'trap "echo interrupted" INT\necho ready\nread line\necho "$line" >>"$1"\n')
    t.run('regtool shell HKLM\\\\K')
    t.see_last('HKLM\\K>')
    t.command('edit /v List', 'ready')
    t.type('C-c')
    t.see('interrupted')
    t.type('three', 'Enter')
    t.see_last('HKLM\\K>')
    t.command('cat List', 'one\ntwo\n')
    t.command('exit', '[ended 0]')
    assert not left_behind(t)


def test_edit_vi(t):
    """Without VISUAL and EDITOR it is vi: a string is added below the others."""
    vi = next((path for path in ('/usr/bin/vi', '/bin/vi') if os.path.exists(path)), None)
    if vi is None:
        return 'vi is not installed'
    t.regtool('add', 'HKLM\\K', '/v', 'List', '/t', 'REG_MULTI_SZ', '/d', '一\\0two', '/f')
    t.run('regtool edit HKLM\\\\K /v List', width=100)
    t.see('two')
    t.type('Go', 'three', 'Escape', ':wq', 'Enter')
    t.see('completed')
    assert t.regtool('get', 'HKLM\\K', 'List') == '一\ntwo\nthree\n'
    assert not left_behind(t)
    return None


def test_edit_signals(t):
    """A signal that ends regtool removes the file."""
    t.regtool('add', 'HKLM\\K', '/v', 'N', '/d', 'x', '/f')
    editor(t, 'touch ready\nexec sleep 600\n')
    for signal in ('TERM', 'HUP'):
        t.run(f'cd {t.work}; sh -c \'echo $$ >pid; exec regtool edit HKLM\\\\K /v N\'')
        t.wait((t.work / 'ready').exists, 'the editor')
        assert len(left_behind(t)) == 1
        subprocess.run(['kill', f'-{signal}', (t.work / 'pid').read_text().strip()], check=True)
        t.see('[ended 143]' if signal == 'TERM' else '[ended 129]')
        assert not left_behind(t)
        (t.work / 'ready').unlink()
        t.close()


# ---- The run


def run_test(name, test, bin_dir):
    """'passed', 'failed' or 'skipped'."""
    with tempfile.TemporaryDirectory(prefix='regtool-terminal.') as work:
        terminal = Terminal(bin_dir, work)
        try:
            why = test(terminal)
            found = terminal.reports()
            if found:
                raise Failure(found[0])
        except (Failure, AssertionError, OSError, subprocess.CalledProcessError) as problem:
            print(f'FAILED: {name}: {test.__doc__}\n{type(problem).__name__}: {problem}\n'
                  f'left: {left_behind(terminal)}')
            return 'failed'
        finally:
            terminal.close()
    if why:
        print(f'skipped: {name}: {why}')
    return 'skipped' if why else 'passed'


def main():
    parser = argparse.ArgumentParser(description='Drive the shell and the editor.')
    parser.add_argument('--bin', type=Path, default=Path('build/bin'))
    parser.add_argument('tests', nargs='*')
    args = parser.parse_args()
    tests = {name.removeprefix('test_'): test for name, test in globals().items()
             if name.startswith('test_')}
    chosen = args.tests or list(tests)
    if shutil.which('tmux') is None:
        print('skipped: tmux is not installed')
        print(f'0 passed, 0 failed, {len(chosen)} skipped')
        return 0
    counts = {'passed': 0, 'failed': 0, 'skipped': 0}
    for name in chosen:
        counts[run_test(name, tests[name], args.bin.resolve())] += 1
    print(', '.join(f'{number} {what}' for what, number in counts.items()))
    return 1 if counts['failed'] else 0


if __name__ == '__main__':
    sys.exit(main())
