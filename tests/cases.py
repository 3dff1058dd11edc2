#!/usr/bin/env python3
"""Runs the case folders: each one is a shell script and what it must print.

    tests/cases.py [--regtool-dir DIR] [--jobs N] [--keep] [CASE...]

A case is a folder below tests/cli/ or tests/parser/; without names all of them run. It holds

    cmd       run by "sh -e"; a folder without one uses the cmd of the folder above it
    stdout    what it must write there; no file: nothing
    stderr    the same
    exit      its exit status; no file: 0
    needs     words for what it cannot do without: root, unprivileged, shared

A line of stdout or stderr that begins with "~" is a regular expression that must match the whole
line. The script starts in an empty directory, which $DIR names, with regtool on PATH, REGSTORE
naming a store fresh from "regtool init", CASE the folder, TOP the checkout and SHARED the directory
"shared" beside it. In the output these directories are written $DIR, $CASE, $TOP and $SHARED.
"unprivileged" cases are run as user and group 65534 when root runs them. A crash or a sanitizer's
report is a failure whatever the case expects.

Ends with "N passed, N failed, N skipped"; exit status 1 if any failed or none ran.
"""

import argparse
import concurrent.futures
import difflib
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
from dataclasses import dataclass, field
from pathlib import Path

TOP = Path(__file__).resolve().parent.parent
SHARED = TOP.parent / 'shared'
NOBODY = 65534
TIMEOUT = 120
CRASHES = {128 + number for number in (signal.SIGILL, signal.SIGTRAP, signal.SIGABRT,
                                       signal.SIGBUS, signal.SIGFPE, signal.SIGSEGV,
                                       signal.SIGSYS)}
KNOWN_NEEDS = {'root', 'unprivileged', 'shared'}


@dataclass
class Result:
    name: str
    skipped: str = ''
    problems: list = field(default_factory=list)


def read_text(path):
    """The file's text with undecodable bytes kept; '' if there is no such file."""
    try:
        return path.read_bytes().decode('utf-8', 'surrogateescape')
    except FileNotFoundError:
        return ''


def find_cases(names):
    """The folders named, or all: those that hold what a case holds."""
    if names:
        return [find_case(name) for name in names]
    marks = {'cmd', 'stdout', 'stderr', 'exit', 'needs'}
    return sorted(folder for kind in ('cli', 'parser') if (TOP / 'tests' / kind).is_dir()
                  for folder in (TOP / 'tests' / kind).iterdir()
                  if folder.is_dir() and marks & set(os.listdir(folder)))


def find_case(name):
    for folder in (Path(name), TOP / 'tests' / name, TOP / 'tests/cli' / name,
                   TOP / 'tests/parser' / name):
        if folder.is_dir():
            return folder.resolve()
    sys.exit(f'cases.py: no case "{name}"')


def reachable(path):
    """Whether any user can run what is below path."""
    return all(parent.stat().st_mode & 0o001 for parent in [path, *path.parents])


def unmet(needs, bin_dir):
    """Why a case cannot run here; '' if it can."""
    is_root = os.geteuid() == 0
    if 'root' in needs and not is_root:
        return 'needs root'
    if 'unprivileged' in needs and is_root and not (reachable(bin_dir) and reachable(TOP)):
        return 'other users cannot reach the programs'
    if 'shared' in needs and not SHARED.is_dir():
        return 'no directory "shared" beside the checkout'
    return ''


def environment(case, work, reports, bin_dir):
    options = f'log_path={reports}/report:print_stacktrace=1:second_deadlock_stack=1'
    return {
        'PATH': f'{bin_dir}:{os.environ.get("PATH", "/usr/bin:/bin")}',
        'REGSTORE': f'{work}/store', 'HOME': str(work), 'TMPDIR': str(work),
        'DIR': str(work), 'CASE': str(case), 'TOP': str(TOP), 'SHARED': str(SHARED),
        'LC_ALL': 'C.UTF-8', 'TZ': 'UTC',
        'ASAN_OPTIONS': options, 'UBSAN_OPTIONS': options, 'LSAN_OPTIONS': options,
        'TSAN_OPTIONS': options,
        # Where coverage is counted, programs that were killed leave libgcov something to say.
        **{name: text for name, text in os.environ.items() if name == 'GCOV_ERROR_FILE'},
    }


def run_script(command, work, env, nobody, streams):
    """The exit status, or None after too long a time. Ends what the script left running."""
    identity = {'user': NOBODY, 'group': NOBODY, 'extra_groups': []} if nobody else {}
    with open(streams / 'stdout', 'wb') as out, open(streams / 'stderr', 'wb') as err:
        process = subprocess.Popen(command, cwd=work, env=env, stdin=subprocess.DEVNULL,
                                   stdout=out, stderr=err, start_new_session=True, **identity)
    try:
        return process.wait(TIMEOUT)
    except subprocess.TimeoutExpired:
        return None
    finally:
        try:
            os.killpg(process.pid, signal.SIGKILL)
        except ProcessLookupError:
            pass
        process.wait()


def line_matches(expected, line):
    if expected.startswith('~'):
        return re.fullmatch(expected[1:], line) is not None
    return expected == line


def compare(what, expected, actual):
    """A diff of what differs, as a list of lines; expressions that match count as equal."""
    wanted, got = expected.splitlines(), actual.splitlines()
    if expected[-1:] not in ('', '\n') or actual[-1:] not in ('', '\n'):
        wanted.append('<end of line>' if expected.endswith('\n') else '<no end of line>')
        got.append('<end of line>' if actual.endswith('\n') else '<no end of line>')
    for i, line in enumerate(got):
        if i < len(wanted) and wanted[i].startswith('~') and line_matches(wanted[i], line):
            wanted[i] = line
    return list(difflib.unified_diff(wanted, got, f'expected {what}', f'actual {what}',
                                     lineterm=''))


def with_names(text, env):
    """The text with the run's own directories replaced by their names."""
    for name in ('DIR', 'CASE', 'TOP', 'SHARED'):
        text = text.replace(env[name], f'${name}')
    return text


def judge(case, status, streams, reports, env):
    problems = []
    expected = int(read_text(case / 'exit').strip() or 0)
    if status is None:
        problems.append(f'still running after {TIMEOUT} s')
    elif status < 0 or status in CRASHES:
        problems.append(f'crashed: exit status {status}')
    elif status != expected:
        problems.append(f'exit status {status}, expected {expected}')
    for what in ('stdout', 'stderr'):
        actual = with_names(read_text(streams / what), env)
        problems += compare(what, read_text(case / what), actual)
    for report in sorted(reports.iterdir()):
        problems.append('a sanitizer reports:\n' + read_text(report))
    return problems


def prepare(base, nobody):
    """The script's directory, the sanitizers' and the output's, all inside base."""
    places = [base / 'work', base / 'reports', base / 'streams']
    for place in places:
        place.mkdir()
        if nobody:
            os.chown(place, NOBODY, NOBODY)
    base.chmod(0o755)
    return places


def run_case(case, bin_dir, keep):
    result = Result(f'{case.parent.name}/{case.name}')
    needs = set(read_text(case / 'needs').split())
    if needs - KNOWN_NEEDS:
        result.problems.append('needs: unknown word: ' + ' '.join(sorted(needs - KNOWN_NEEDS)))
        return result
    result.skipped = unmet(needs, bin_dir)
    if result.skipped:
        return result
    script = case / 'cmd' if (case / 'cmd').exists() else case.parent / 'cmd'
    nobody = 'unprivileged' in needs and os.geteuid() == 0
    base = Path(tempfile.mkdtemp(prefix='regstore-case.'))
    try:
        work, reports, streams = prepare(base, nobody)
        env = environment(case, work, reports, bin_dir)
        made = run_script([bin_dir / 'regtool', 'init'], work, env, nobody, streams)
        if made != 0:
            result.problems = [f'regtool init: exit status {made}', read_text(streams / 'stderr')]
            return result
        status = run_script(['sh', '-e', str(script)], work, env, nobody, streams)
        result.problems = judge(case, status, streams, reports, env)
    finally:
        if keep and result.problems:
            print(f'{result.name}: kept in {base}')
        else:
            shutil.rmtree(base, ignore_errors=True)
    return result


def printable(text):
    return text.encode('utf-8', 'surrogateescape').decode('utf-8', 'backslashreplace')


def main():
    parser = argparse.ArgumentParser(description='Run the case folders.')
    parser.add_argument('--regtool-dir', type=Path, default=TOP / 'build/bin')
    parser.add_argument('--jobs', type=int, default=2)
    parser.add_argument('--keep', action='store_true', help='keep the files of failed cases')
    parser.add_argument('cases', nargs='*')
    args = parser.parse_args()
    bin_dir = args.regtool_dir.resolve()
    if not os.access(bin_dir / 'regtool', os.X_OK):
        sys.exit(f'cases.py: {bin_dir}/regtool: not there or no program')
    counts = {'passed': 0, 'failed': 0, 'skipped': 0}
    with concurrent.futures.ThreadPoolExecutor(args.jobs) as pool:
        for result in pool.map(lambda case: run_case(case, bin_dir, args.keep),
                               find_cases(args.cases)):
            if result.skipped:
                counts['skipped'] += 1
                print(f'skipped: {result.name}: {result.skipped}')
            elif result.problems:
                counts['failed'] += 1
                print(f'FAILED: {result.name}')
                print(printable('\n'.join(result.problems)))
            else:
                counts['passed'] += 1
    print(', '.join(f'{number} {what}' for what, number in counts.items()))
    return 1 if counts['failed'] or not counts['passed'] else 0


if __name__ == '__main__':
    sys.exit(main())
