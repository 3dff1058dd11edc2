#!/usr/bin/env python3
"""Who may do what with a store, and what regtool says to those who may not.

    tests/permissions.py [--bin DIR] [CASE...]

CASES is the table: who does what to which store, the exit status, and a part of what is printed.
Each case has a store of its own, owned by OWNER and of the group GROUP, with the modes that "regtool
init" gives. MEMBER is in that group, STRANGER is not; ROOT is root. Only root can become all of
these, so without root every case is skipped. Ends with "N passed, N failed, N skipped"; exit status
1 if any failed.
"""

import argparse
import os
import shutil
import stat
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Callable, Optional

TOP = Path(__file__).resolve().parent.parent
TIMEOUT = 60

GROUP = 62000
OWNER, MEMBER, STRANGER, ROOT = 61001, 61002, 61003, 0
PEOPLE = {OWNER: 'owner', MEMBER: 'member', STRANGER: 'stranger', ROOT: 'root'}
GROUPS = {OWNER: [GROUP], MEMBER: [GROUP], STRANGER: [], ROOT: []}

DENIED = 'Permission denied'
READ_ONLY = 'the store or the transaction is read-only'
REFUSED_DIRECTORY = 'refused, others may write this directory'
REFUSED_FILE = 'refused, others may write this file'
NO_FILE = 'refused, not a regular file'
REFUSED_OWNER = 'refused, it belongs to uid '

QUERY = ('query', 'HKLM\\A')
ADD = ('add', 'HKLM\\A', '/v', 'y', '/d', '2')
DELETE = ('delete', 'HKLM\\A', '/f')
WATCH = ('watch', 'HKLM\\A', '--once', '--since', '0')
STATUS = ('status',)
CHECK = ('check', '--store')
EXPORT = ('export', 'HKLM\\A', '{home}/out.xml')
IMPORT = ('import', '{home}/in.xml', 'HKLM\\B')
INIT = ('init',)

DUMP = '<hive><node name="r" root="1"><value type="string" key="a" value="b"/></node></hive>'


class Place:
    """A scratch directory with a store, a directory for each of the people, and regtool."""

    def __init__(self, base, bin_dir):
        self.base = base
        self.regtool = bin_dir / 'regtool'
        self.store = base / 'store'
        for person, name in PEOPLE.items():
            home = base / name
            home.mkdir()
            (home / 'in.xml').write_text(DUMP)
            os.chown(home, person, person)
        self.store.mkdir()
        os.chown(self.store, OWNER, GROUP)
        self.store.chmod(0o2750)
        for arguments in (INIT, ('add', 'HKLM\\A', '/v', 'x', '/d', '1')):
            made = self.run(OWNER, arguments)
            if made.returncode != 0:
                sys.exit(f'permissions.py: regtool {arguments}: {made.stdout}')

    def home(self, person):
        return self.base / PEOPLE[person]

    def run(self, person, arguments, store=None, umask=0o022, swapped=None):
        """Runs regtool as that person; its output and its errors come together. Where it makes a
        directory of the name swapped, it finds a link to a file of root's."""
        environment = dict(os.environ)
        if swapped:
            environment.update(LD_PRELOAD=str(self.regtool.parent.parent / 'lib/swap_directory.so'),
                               SWAP_NAME=swapped, SWAP_TARGET=str(precious(self)))
        words = [word.format(home=self.home(person), base=self.base) for word in arguments]
        return subprocess.run([self.regtool, '--store', store or self.store, *words],
                              stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT, check=False, timeout=TIMEOUT, text=True,
                              errors='replace', cwd=self.base, env=environment, user=person,
                              group=person,
                              extra_groups=GROUPS[person], umask=umask)


# ---- What is done to the store before, and what is looked at afterwards


def mode(name, bits):
    return lambda place: (place.store / name).chmod(bits)


def link(name):
    """Another file stands behind a symbolic link in the place of one of the store's."""
    def prepare(place):
        elsewhere = place.home(OWNER) / 'elsewhere'
        (place.store / name).rename(elsewhere)
        (place.store / name).symlink_to(elsewhere)
    return prepare


def precious(place):
    return place.home(ROOT) / 'precious'


def make_precious(place):
    """A file of root's; the store's directory is there and empty."""
    no_setgid(place)
    precious(place).write_text('precious')
    precious(place).chmod(0o600)


def precious_is_private(place):
    found = precious(place).stat()
    private = stat.S_IMODE(found.st_mode) == 0o600 and found.st_gid == 0
    return '' if private else f'mode {oct(found.st_mode)}, group {found.st_gid}'


def link_of_bell(place):
    (place.store / 'bell').unlink()
    (place.home(ROOT) / 'precious').write_text('precious')
    (place.store / 'bell').symlink_to(place.home(ROOT) / 'precious')


def link_of_watches(place):
    """The owner wants root to do something to what he may not touch himself."""
    (place.store / 'watches').rmdir()
    (place.home(ROOT) / 'precious').write_text('precious')
    (place.home(ROOT) / '1-0').write_text('precious')
    (place.store / 'watches').symlink_to(place.home(ROOT))


def precious_is_there(place):
    files = [file for file in place.home(ROOT).iterdir() if file.read_text() == 'precious']
    wanted = 1 if (place.store / 'bell').is_symlink() else 2
    others = {file.name for file in place.home(ROOT).iterdir()} - {'precious', '1-0', 'in.xml'}
    return '' if len(files) == wanted and not others else f'{sorted(files)}, {sorted(others)}'


def no_bell(place):
    (place.store / 'bell').unlink()


def owned_by_stranger(place):
    for path in [place.store, *place.store.iterdir()]:
        os.chown(path, STRANGER, STRANGER)


def kept_by_others(place):
    """A watch that was kept under a name, in a directory that the group may only read."""
    (place.store / 'watches/gone.pos').write_bytes(b'')
    (place.store / 'watches').chmod(0o750)


def owned_by(person, name):
    """The directory, a file in it, or with * all of it; the group stays."""
    def prepare(place):
        paths = [place.store, *place.store.iterdir()] if name == '*' else [place.store / name]
        for path in paths:
            os.chown(path, person, -1, follow_symlinks=False)
    return prepare


def of_root(prepare):
    """The store is root's, so that root takes it, and then something is done to it."""
    def both(place):
        owned_by(ROOT, '*')(place)
        prepare(place)
    return both


def open_copy(place):
    """A store that a stranger made, and lets everybody read and lock."""
    owned_by_stranger(place)
    place.store.chmod(0o755)
    (place.store / 'data.mdb').chmod(0o644)
    (place.store / 'lock.mdb').chmod(0o664)


def as_a_copy(place):
    """A store that somebody unpacked: everybody may read it, and it has no lock file."""
    owned_by_stranger(place)
    place.store.chmod(0o755)
    (place.store / 'data.mdb').chmod(0o644)
    (place.store / 'lock.mdb').unlink()


def modes_are_right(name):
    def look(place):
        wanted = {'': 0o750, 'data.mdb': 0o640, 'lock.mdb': 0o660, 'bell': 0o660,
                  'watches': 0o770}
        found = {file: stat.S_IMODE((place.base / name / file).stat().st_mode) & 0o777
                 for file in wanted}
        return '' if found == wanted else str({file: oct(bits) for file, bits in found.items()})
    return look


def group_is_right(place):
    found = {path.name: path.stat().st_gid for path in place.store.iterdir()}
    return '' if set(found.values()) == {GROUP} and 'bell' in found else str(found)


def no_setgid(place):
    """Nothing but an empty directory of the group, without the bit that hands the group down."""
    shutil.rmtree(place.store)
    place.store.mkdir()
    os.chown(place.store, ROOT, GROUP)
    place.store.chmod(0o750)


# ---- The table


@dataclass
class Case:
    name: str
    person: int
    arguments: tuple
    exit: int
    text: str = ''
    prepare: Optional[Callable] = None
    after: Optional[Callable] = None
    store: str = 'store'
    umask: int = 0o022
    swapped: Optional[str] = None


CASES = [
    # The owner
    Case('owner-reads', OWNER, QUERY, 0, 'x    REG_SZ    1'),
    Case('owner-writes', OWNER, ADD, 0, 'completed successfully'),
    Case('owner-watches', OWNER, WATCH, 0, 'revision 1'),
    Case('owner-status', OWNER, STATUS, 0, 'revision    1'),
    Case('owner-exports', OWNER, EXPORT, 0),
    Case('owner-imports', OWNER, IMPORT, 0, '1 values added'),
    Case('owner-checks', OWNER, CHECK, 0, 'no damage found'),
    Case('owner-without-write', OWNER, ADD, 1, READ_ONLY, mode('data.mdb', 0o440)),
    Case('owner-reads-without-write', OWNER, QUERY, 0, 'REG_SZ', mode('data.mdb', 0o440)),
    Case('owner-without-read', OWNER, QUERY, 1, DENIED, mode('data.mdb', 0)),
    Case('owner-in-read-only-directory', OWNER, ADD, 0, 'completed', mode('', 0o550)),
    # A member of the group
    Case('member-reads', MEMBER, QUERY, 0, 'x    REG_SZ    1'),
    Case('member-writes', MEMBER, ADD, 1, READ_ONLY),
    Case('member-deletes', MEMBER, DELETE, 1, READ_ONLY),
    Case('member-watches', MEMBER, WATCH, 0, 'revision 1'),
    Case('member-status', MEMBER, STATUS, 0, 'revision    1'),
    Case('member-exports', MEMBER, EXPORT, 0),
    Case('member-imports', MEMBER, IMPORT, 1, READ_ONLY),
    Case('member-checks', MEMBER, CHECK, 0, 'no damage found'),
    Case('member-init', MEMBER, INIT, 0, 'a store exists'),
    Case('member-writes-0660', MEMBER, ADD, 0, 'completed', mode('data.mdb', 0o660)),
    Case('member-lock-read-only', MEMBER, QUERY, 1, DENIED, mode('lock.mdb', 0o640)),
    Case('member-bell-unreadable', MEMBER, WATCH, 0, 'revision 1', mode('bell', 0o600)),
    Case('member-watches-unwritable', MEMBER, WATCH, 0, 'revision 1', mode('watches', 0o750)),
    Case('member-without-x', MEMBER, QUERY, 1, DENIED, mode('', 0o740)),
    Case('member-forgets', MEMBER, ('services', '--forget', 'gone'), 1,
         'the watch gone cannot be forgotten: ' + DENIED, kept_by_others),
    # Others
    Case('stranger-reads', STRANGER, QUERY, 1, DENIED),
    Case('stranger-writes', STRANGER, ADD, 1, DENIED),
    Case('stranger-watches', STRANGER, WATCH, 1, DENIED),
    Case('stranger-status', STRANGER, STATUS, 1, DENIED),
    Case('stranger-checks', STRANGER, CHECK, 1, DENIED),
    Case('stranger-init', STRANGER, INIT, 1, DENIED),
    Case('stranger-makes-one-here', STRANGER, INIT, 1, 'cannot make the store', store='new'),
    # What others may write
    Case('open-directory', OWNER, QUERY, 1, REFUSED_DIRECTORY, mode('', 0o757)),
    Case('open-directory-sticky', OWNER, QUERY, 1, REFUSED_DIRECTORY, mode('', 0o1777)),
    Case('open-data', OWNER, QUERY, 1, REFUSED_FILE, mode('data.mdb', 0o646)),
    Case('open-lock', OWNER, QUERY, 1, REFUSED_FILE, mode('lock.mdb', 0o666)),
    # Symbolic links in place of files
    Case('link-data', OWNER, QUERY, 1, NO_FILE, link('data.mdb')),
    Case('link-lock', OWNER, QUERY, 1, NO_FILE, link('lock.mdb')),
    Case('link-bell', ROOT, ADD, 0, 'completed', of_root(link_of_bell), precious_is_there),
    Case('link-watches-status', ROOT, STATUS, 1, 'not safe to use', of_root(link_of_watches),
         precious_is_there),
    Case('link-watches-watch', ROOT, WATCH, 0, 'revision 1', of_root(link_of_watches),
         precious_is_there),
    # Stores of somebody else
    Case('others-store-owner', OWNER, QUERY, 1, DENIED, owned_by_stranger),
    Case('others-store-root', ROOT, QUERY, 1, REFUSED_OWNER, owned_by_stranger),
    Case('others-store-root-writes', ROOT, ADD, 1, REFUSED_OWNER),
    Case('others-store-root-init', ROOT, INIT, 1, REFUSED_OWNER),
    Case('others-directory-root', ROOT, QUERY, 1, REFUSED_OWNER,
         of_root(owned_by(OWNER, ''))),
    Case('others-data-root', ROOT, QUERY, 1, REFUSED_OWNER, of_root(owned_by(OWNER, 'data.mdb'))),
    Case('others-lock-root', ROOT, QUERY, 1, REFUSED_OWNER, of_root(owned_by(OWNER, 'lock.mdb'))),
    Case('others-open-copy', MEMBER, QUERY, 1, REFUSED_OWNER, open_copy),
    Case('others-data-member', MEMBER, QUERY, 0, 'REG_SZ', owned_by(STRANGER, 'data.mdb')),
    Case('roots-store-root', ROOT, ADD, 0, 'completed', owned_by(ROOT, '*')),
    Case('roots-store-member', MEMBER, QUERY, 0, 'REG_SZ', owned_by(ROOT, '*')),
    Case('roots-store-member-writes', MEMBER, ADD, 1, READ_ONLY, owned_by(ROOT, '*')),
    Case('others-copy', MEMBER, QUERY, 1, REFUSED_OWNER, as_a_copy),
    # Directories that root makes where somebody else can put others in their place
    Case('swapped-watches', ROOT, INIT, 1, 'watches', make_precious, precious_is_private,
         swapped='watches'),
    Case('swapped-store', ROOT, INIT, 1, 'cannot make', make_precious, precious_is_private,
         store='owner/new', swapped='new'),
    # Modes and groups do not depend on who makes a file with which umask
    Case('init-umask-000', OWNER, INIT, 0, 'made a store', after=modes_are_right('owner/new'),
         store='owner/new', umask=0),
    Case('init-umask-077', OWNER, INIT, 0, 'made a store', after=modes_are_right('owner/new'),
         store='owner/new', umask=0o077),
    Case('init-umask-027', OWNER, INIT, 0, 'made a store', after=modes_are_right('owner/new'),
         store='owner/new', umask=0o027),
    Case('init-by-root', ROOT, INIT, 0, 'made a store', no_setgid, group_is_right, umask=0o077),
    Case('bell-made-by-root', ROOT, ADD, 0, 'completed', of_root(no_bell), group_is_right,
         umask=0o077),
]


# ---- The run


def judge(case, place):
    """What is wrong with a case; '' if nothing is."""
    if case.prepare:
        case.prepare(place)
    try:
        result = place.run(case.person, case.arguments, place.base / case.store, case.umask,
                           case.swapped)
    except subprocess.TimeoutExpired:
        return f'still running after {TIMEOUT} s'
    if result.returncode != case.exit:
        return f'exit status {result.returncode}, expected {case.exit}: {result.stdout}'
    if case.text not in result.stdout:
        return f'printed "{result.stdout}", expected "{case.text}"'
    if case.exit != 0 and result.stdout.count('regtool: ') != 1:
        return f'not one line of error: "{result.stdout}"'
    why = case.after(place) if case.after else ''
    return f'afterwards: {why}' if why else ''


def copy_programs(source, target):
    """Programs and library where everybody can reach them."""
    for directory in ('bin', 'lib', 'lib/regstore'):
        (target / directory).mkdir()
    shutil.copy(source / 'regtool', target / 'bin')
    for file in (source.parent / 'lib').glob('libregstore.so*'):
        shutil.copy(file, target / 'lib', follow_symlinks=True)
    shutil.copy(source.parent / 'lib/tests/swap_directory.so', target / 'lib')
    for file in (source.parent / 'lib/regstore').glob('*.so'):
        shutil.copy(file, target / 'lib/regstore')


def run_case(case, bin_dir, base):
    directory = base / case.name
    directory.mkdir()
    problem = judge(case, Place(directory, bin_dir))
    if problem:
        print(f'FAILED: {case.name}: {problem}')
    return not problem


def main():
    parser = argparse.ArgumentParser(description='Who may do what with a store.')
    parser.add_argument('--bin', type=Path, default=TOP / 'build/bin')
    parser.add_argument('cases', nargs='*')
    args = parser.parse_args()
    cases = [case for case in CASES if not args.cases or case.name in args.cases]
    if os.geteuid() != 0:
        print('skipped: only root can become an owner, a member of the group and a stranger')
        print(f'0 passed, 0 failed, {len(cases)} skipped')
        return 0
    base = Path(tempfile.mkdtemp(prefix='regstore-permissions.'))
    try:
        base.chmod(0o755)
        os.umask(0o022)
        copy_programs(args.bin.resolve(), base)
        passed = sum(run_case(case, base / 'bin', base) for case in cases)
    finally:
        shutil.rmtree(base, ignore_errors=True)
    print(f'{passed} passed, {len(cases) - passed} failed, 0 skipped')
    return 0 if cases and passed == len(cases) else 1


if __name__ == '__main__':
    sys.exit(main())
