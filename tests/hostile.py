#!/usr/bin/env python3
"""Imports dumps that somebody made to do harm: each is read or refused, in little memory.

    tests/hostile.py [--regtool FILE] [--list] [CASE...]

Each row of CASES below is a test: a generator that writes the dump, and what must come of it: READ,
or a regular expression that the one line of the refusal matches. A refused dump must leave nothing
behind. The peak memory (ru_maxrss of "regtool import") has a limit; the
time is only told, with the seconds for 25 MB. Dumps are made while they are needed and removed.

Ends with "N passed, N failed, N skipped"; exit status 1 if any failed or none ran.
"""

import argparse
import os
import re
import resource
import shutil
import signal
import socket
import struct
import sys
import tempfile
import time
from pathlib import Path

TOP = Path(__file__).resolve().parent.parent
MB = 1000 * 1000
MEMORY_KB = 64 * 1024
REG_MEMORY_KB = 128 * 1024  # a line of a .reg file may have 64 MiB
BY_STORE = 1.3  # LMDB keeps the pages that a transaction changed until its commit
HANG_SECONDS = 120
READ = None
TIME = '<mtime>2010-02-02T13:42:44Z</mtime>'
HEAD = '<?xml version="1.0" encoding="UTF-8"?>\n'
OPEN = f'{HEAD}<hive>{TIME}<node name="r" root="1">{TIME}'
CLOSE = '</node></hive>\n'


# ---- Generators: each gives pieces of text or bytes, so that no dump is held in memory


def many(piece, count):
    """A piece count times, in blocks."""
    block = max(1, 100000 // len(piece))
    for _ in range(count // block):
        yield piece * block
    yield piece * (count % block)


def around(before, middle, after):
    yield before
    yield from middle
    yield after


def inside(*parts):
    """Parts, texts or generators, inside the root node."""
    yield OPEN
    for part in parts:
        if isinstance(part, (str, bytes)):
            yield part
        else:
            yield from part
    yield CLOSE


def numbered(template, count):
    for start in range(0, count, 1000):
        yield ''.join(template % number for number in range(start, min(count, start + 1000)))


def long_attribute(before, size, after):
    return inside(before, many('A', size), after)


def encoded(encoding, declared=None, mark=b''):
    """A small dump in another encoding that says so."""
    text = OPEN.replace('UTF-8', declared or encoding)
    text += '<value type="string" key="a" value="\xe4"/>' if encoding != 'shift_jis' else \
        '<value type="string" key="a" value="\u30bd\u8868"/>'
    yield mark + (text + CLOSE).encode(encoding)


def bomb():
    yield HEAD + '<!DOCTYPE hive [<!ENTITY a0 "aaaaaaaaaa">'
    for level in range(1, 30):
        yield f'<!ENTITY a{level} "{f"&a{level - 1};" * 10}">'
    yield f']><hive><node name="r" root="1">{TIME}<value type="string" key="&a29;"/></node></hive>'


def quadratic():
    yield HEAD + '<!DOCTYPE hive [<!ENTITY a "'
    yield from many('a', MB)
    yield '">]><hive><node name="'
    yield from many('&a;', MB)
    yield '" root="1"/></hive>'


def hive(*bins):
    """A hive with these bytes behind its base block; its outermost key is where one would be."""
    size = sum(len(part) if isinstance(part, bytes) else part for part in bins)
    base = bytearray(4096)
    struct.pack_into('<4s16xIIIIII', base, 0, b'regf', 1, 5, 0, 1, 32, size)
    total = 0
    for (word,) in struct.iter_unpack('<I', base[:508]):
        total ^= word
    struct.pack_into('<I', base, 508, total)
    yield bytes(base)
    for part in bins:
        yield from [part] if isinstance(part, bytes) else many(b'\0', part)


def external(target):
    def generate():
        yield HEAD + f'<!DOCTYPE hive [<!ENTITY x SYSTEM "{target()}">]>'
        yield '<hive><node name="&x;" root="1"/></hive>'
    return generate


def external_subset(target):
    def generate():
        yield HEAD + f'<!DOCTYPE hive SYSTEM "{target()}"><hive/>'
    return generate


def included(target):
    """XInclude, which nobody asked libxml2 for."""
    def generate():
        yield OPEN + '<xi:include xmlns:xi="http://www.w3.org/2001/XInclude" parse="text" '
        yield f'href="{target()}"/>' + CLOSE
    return generate


def broken_text(data):
    return lambda: inside(b'<value type="string" key="' + data + b'" value="1"/>')


# ---- The network that must not be used


class Listener:
    """A port of this machine that notices who connects."""

    def __init__(self):
        self.socket = socket.socket()
        self.socket.bind(('127.0.0.1', 0))
        self.socket.listen()
        self.socket.setblocking(False)

    def address(self):
        return f'http://127.0.0.1:{self.socket.getsockname()[1]}/x.dtd'

    def visited(self):
        try:
            self.socket.accept()[0].close()
        except BlockingIOError:
            return False
        return True


listener = Listener()
DOCTYPE = r'a DOCTYPE: hive dumps have none'
TOO_LONG = r'(a tag is longer than|is too long|too large|longer than|at most)'

# name, generator, READ or what the refusal says, KB of memory or BY_STORE: so many times the store's
# size where that is more than MEMORY_KB, for dumps that hold much.
CASES = [
    ('entity-bomb', bomb, DOCTYPE, MEMORY_KB),
    ('entity-quadratic', quadratic, DOCTYPE, MEMORY_KB),
    ('entity-undefined', lambda: inside('<node name="', many('&a;', 8 * MB), '"/>'),
     r'(not well-formed|a tag is longer)', MEMORY_KB),
    ('references-in-text', lambda: inside('<value type="string-list" key="a"><string>',
                                          many('&#65;', 5 * MB), '</string></value>'),
     READ, MEMORY_KB),
    ('external-file', external(lambda: 'file:///etc/passwd'), DOCTYPE, MEMORY_KB),
    ('external-network', external(listener.address), DOCTYPE, MEMORY_KB),
    ('external-subset-file', external_subset(lambda: 'file:///etc/passwd'), DOCTYPE, MEMORY_KB),
    ('external-subset-network', external_subset(listener.address), DOCTYPE, MEMORY_KB),
    ('xinclude-file', included(lambda: 'file:///etc/passwd'), r'namespace', MEMORY_KB),
    ('xinclude-network', included(listener.address), r'namespace', MEMORY_KB),
    ('siblings', lambda: inside(numbered('<node name="n%d"/>\n', 1000000)), READ, BY_STORE),
    ('values', lambda: inside(numbered('<value type="int32" key="v%d" value="1"/>\n', 1000000)),
     READ, BY_STORE),
    ('same-siblings', lambda: inside(many('<node name="n"/>\n', 1000000)), READ, MEMORY_KB),
    ('levels', lambda: inside(many('<node name="k">', 2000000), many('</node>', 2000000)),
     r'keys are nested deeper than 512', MEMORY_KB),
    ('levels-of-unknown', lambda: around('', many('<a>', 2000000), ''), r'<a>', MEMORY_KB),
    ('long-name', lambda: long_attribute('<node name="', 50 * MB, '"/>'), TOO_LONG, MEMORY_KB),
    ('long-value-name', lambda: long_attribute('<value type="int32" value="1" key="', 50 * MB,
                                               '"/>'), TOO_LONG, MEMORY_KB),
    ('long-value', lambda: long_attribute('<value type="string" key="a" value="', 50 * MB, '"/>'),
     TOO_LONG, MEMORY_KB),
    ('long-binary', lambda: long_attribute('<value type="binary" encoding="base64" key="a" value="',
                                           50 * MB, '"/>'), TOO_LONG, MEMORY_KB),
    ('long-type', lambda: long_attribute('<value type="', 50 * MB, '"/>'), TOO_LONG, MEMORY_KB),
    ('long-unknown-attribute', lambda: long_attribute('<node other="', 50 * MB, '"/>'), TOO_LONG,
     MEMORY_KB),
    ('long-attribute-name', lambda: long_attribute('<node ', 50 * MB, '="1"/>'),
     r'(a tag is longer|not well-formed)', MEMORY_KB),
    ('long-element-name', lambda: long_attribute('<', 50 * MB, '/>'),
     r'(a tag is longer|not well-formed)', MEMORY_KB),
    ('long-end-tag', lambda: inside('<node name="a"></node', many(' ', 50 * MB), '>'),
     TOO_LONG, MEMORY_KB),
    ('long-time', lambda: inside('<node name="a"><mtime>', many('1', 50 * MB), '</mtime></node>'),
     r'.', MEMORY_KB),
    ('long-text', lambda: inside(many('text ', 10 * MB)), r'.', MEMORY_KB),
    ('long-string', lambda: inside('<value type="string-list" key="a"><string>',
                                   many('a', 50 * MB), '</string></value>'), r'.', MEMORY_KB),
    ('long-comment', lambda: inside('<!--', many('a', 50 * MB), '-->'), TOO_LONG, MEMORY_KB),
    ('long-instruction', lambda: inside('<?x ', many('a', 50 * MB), '?>'), TOO_LONG, MEMORY_KB),
    ('long-cdata', lambda: inside('<![CDATA[', many('a', 50 * MB), ']]>'), r'.', MEMORY_KB),
    ('long-space', lambda: inside(many(' \n', 25 * MB)), READ, MEMORY_KB),
    ('comments', lambda: inside(many('<!-- a -->', 5 * MB)), READ, MEMORY_KB),
    ('instructions', lambda: inside(many('<?a b?>', 7 * MB)), READ, MEMORY_KB),
    ('many-attributes', lambda: inside('<node', numbered(' a%d="1"', 1000000), '/>'),
     r'a tag with more than', MEMORY_KB),
    ('many-namespaces', lambda: inside('<node', numbered(' xmlns:a%d="b"', 1000000), '/>'),
     r'a tag with more than', MEMORY_KB),
    ('open-tag', lambda: around(OPEN + '<node name="', many('<', 25 * MB), ''), r'.', MEMORY_KB),
    ('utf-16-le', lambda: encoded('utf-16-le', 'UTF-16', b'\xff\xfe'), r'UTF-16', MEMORY_KB),
    ('utf-16-be', lambda: encoded('utf-16-be', 'UTF-16', b'\xfe\xff'), r'UTF-16', MEMORY_KB),
    ('utf-16-unmarked', lambda: encoded('utf-16-le', 'UTF-16'), r'UTF-16', MEMORY_KB),
    ('utf-32-le', lambda: encoded('utf-32-le', 'UTF-32', b'\xff\xfe\0\0'), r'.', MEMORY_KB),
    ('utf-32-be', lambda: encoded('utf-32-be', 'UTF-32', b'\0\0\xfe\xff'), r'.', MEMORY_KB),
    ('latin-1', lambda: encoded('iso-8859-1'), r'the encoding is iso-8859-1', MEMORY_KB),
    ('shift-jis', lambda: encoded('shift_jis', 'Shift_JIS'), r'the encoding is Shift_JIS',
     MEMORY_KB),
    ('ebcdic', lambda: encoded('cp037', 'IBM037'), r'(EBCDIC|not a dump of a format)', MEMORY_KB),
    ('utf-7', lambda: encoded('utf-7', 'UTF-7'), r'the encoding is UTF-7', MEMORY_KB),
    ('unknown-encoding', lambda: encoded('utf-8', 'x-nothing'), r'.', MEMORY_KB),
    ('marked-utf-8', lambda: encoded('utf-8', 'UTF-8', b'\xef\xbb\xbf'), READ, MEMORY_KB),
    ('lower-case-utf-8', lambda: encoded('utf-8', 'utf-8'), READ, MEMORY_KB),
    ('overlong-slash', broken_text(b'a\xc0\xaf'), r'not valid UTF-8', MEMORY_KB),
    ('overlong-nul', broken_text(b'a\xc0\x80'), r'not valid UTF-8', MEMORY_KB),
    ('five-bytes', broken_text(b'\xf8\x88\x80\x80\x80'), r'not valid UTF-8', MEMORY_KB),
    ('beyond-unicode', broken_text(b'\xf4\x90\x80\x80'), r'out of allowed range', MEMORY_KB),
    ('lone-continuation', broken_text(b'a\x80b'), r'not valid UTF-8', MEMORY_KB),
    ('cut-sequence', broken_text(b'a\xe2\x82'), r'not valid UTF-8', MEMORY_KB),
    ('byte-ff', broken_text(b'\xff'), r'not valid UTF-8', MEMORY_KB),
    ('hive-of-one-empty-bin', lambda: hive(b'hbin' + struct.pack('<II', 0, 200 << 20),
                                           (200 << 20) - 12), r'libhivex cannot open', MEMORY_KB),
    ('hive-of-zeros', lambda: hive(200 << 20), r'libhivex cannot open', MEMORY_KB),
    ('hive-with-a-tail', lambda: around(b'', hive(4096), b'x' * 8192), r'libhivex cannot open',
     MEMORY_KB),
    ('reg-line', lambda: around('REGEDIT4\n[HKEY_LOCAL_MACHINE\\Hostile]\n"a"="',
                                many('x' * MB, 300), ''), r':3: a line is longer than 67108864 bytes',
     REG_MEMORY_KB),
    ('reg-line-of-utf-16', lambda: around(
        b'\xff\xfe' + 'REGEDIT4\n[HKEY_LOCAL_MACHINE\\Hostile]\n"a"=hex:'.encode('utf-16-le'),
        many('00,'.encode('utf-16-le') * MB, 50), b''), r':3: a line is longer than 67108864 bytes',
     REG_MEMORY_KB),
    ('reg-data', lambda: around('REGEDIT4\n[HKEY_LOCAL_MACHINE\\Hostile]\n"a"=hex:\\\n',
                                many('00,' * 1000 + '\\\n', 100000), ''),
     r'has more data than the limit of 16777216 bytes', REG_MEMORY_KB),
    ('nul', broken_text(b'a\0b'), r'a NUL byte', MEMORY_KB),
]


# ---- One case


def write_dump(path, pieces):
    with open(path, 'wb') as file:
        for piece in pieces:
            file.write(piece if isinstance(piece, bytes) else piece.encode())
    return path.stat().st_size


def run(command, work, env):
    """Exit status (None: ended after too long a time), standard error, seconds, peak memory in KB
    of a program."""
    with open(work / 'out', 'wb') as out, open(work / 'err', 'wb') as err:
        started = time.monotonic()
        pid = os.posix_spawn(command[0], command, env, file_actions=[
            (os.POSIX_SPAWN_DUP2, out.fileno(), 1), (os.POSIX_SPAWN_DUP2, err.fileno(), 2)])
        signal.signal(signal.SIGALRM, lambda *_: os.kill(pid, signal.SIGKILL))
        signal.alarm(HANG_SECONDS)
        _, status, usage = os.wait4(pid, 0)
        signal.alarm(0)
    code = os.waitstatus_to_exitcode(status)
    message = (work / 'err').read_bytes().decode('utf-8', 'replace')
    return code, message, time.monotonic() - started, usage.ru_maxrss


def most_memory(limit, store):
    """The KB that an import may take which made a store of so many bytes."""
    return max(MEMORY_KB, store / 1024 * BY_STORE) if limit is BY_STORE else limit


def judge(expected, limit, code, message, memory):
    """What is wrong with how an import ended."""
    if code < 0:
        return [f'ended by {signal.Signals(-code).name}']
    problems = []
    if expected is READ and code != 0:
        problems.append(f'refused: {message.strip()[:300]}')
    if expected is not READ and (code != 1 or not re.search(expected, message) or
                                 message.count('\n') != 1):
        problems.append(f'exit status {code}, expected /{expected}/: {message.strip()[:300]}')
    if memory > limit:
        problems.append(f'{memory} KB of memory, at most {limit:.0f} are wanted')
    if listener.visited():
        problems.append('it used the network')
    return problems


def left_behind(regtool, work, env):
    """What a refused import wrote into the store."""
    code, _, _, _ = run([regtool, 'query', 'HKLM\\Hostile'], work, env)
    return [] if code == 1 else ['the refused dump left something in the store']


def run_case(row, regtool, work):
    name, generate, expected, limit = row
    env = {**os.environ, 'REGSTORE': str(work / 'store'), 'LC_ALL': 'C.UTF-8'}
    code, message, _, _ = run([regtool, 'init'], work, env)
    if code != 0:
        return [f'regtool init: {message}']
    size = write_dump(work / 'dump.xml', generate())
    key = [] if name.startswith('reg-') else ['HKLM\\Hostile']  # .reg files say it themselves
    code, message, seconds, memory = run(
        [regtool, 'import', str(work / 'dump.xml'), *key], work, env)
    store = (work / 'store/data.mdb').stat().st_size
    problems = judge(expected, most_memory(limit, store), code, message, memory)
    if expected is not READ:
        problems += left_behind(regtool, work, env)
    pace = f', {seconds * 25 * MB / size:.2f} s for 25 MB' if size >= MB else ''
    print(f'  {name}: {size / MB:.1f} MB {"read" if code == 0 else "refused"} in {seconds:.2f} s'
          f'{pace}; {memory / 1024:.1f} MiB of memory, store {store / MB:.1f} MB', flush=True)
    return problems


def main():
    parser = argparse.ArgumentParser(description='Import hostile dumps.')
    parser.add_argument('--regtool', type=Path, default=TOP / 'build/bin/regtool')
    parser.add_argument('--list', action='store_true')
    parser.add_argument('cases', nargs='*')
    args = parser.parse_args()
    names = [row[0] for row in CASES]
    if args.list:
        print('\n'.join(names))
        return 0
    unknown = set(args.cases) - set(names)
    if unknown:
        print(f'hostile.py: no case "{min(unknown)}"', file=sys.stderr)
        return 2
    counts = {'passed': 0, 'failed': 0, 'skipped': 0}
    for row in CASES:
        if args.cases and row[0] not in args.cases:
            continue
        work = Path(tempfile.mkdtemp(prefix='regstore-hostile.'))
        try:
            problems = run_case(row, str(args.regtool.resolve()), work)
        finally:
            shutil.rmtree(work, ignore_errors=True)
        counts['failed' if problems else 'passed'] += 1
        for problem in problems:
            print(f'FAILED: {row[0]}: {problem}')
    own = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(f'  (what is told as memory is at least this driver\'s own, {own:.1f} MiB)')
    print(', '.join(f'{number} {what}' for what, number in counts.items()))
    return 1 if counts['failed'] or not counts['passed'] else 0


if __name__ == '__main__':
    sys.exit(main())
