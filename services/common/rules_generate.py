#!/usr/bin/env python3
"""Write shipped_rules.c, the rules of hives/rules/ as a table of C, to standard output.

    rules_generate.py RULES.xml...

A service needs the rules also where the store has none. So that there is one truth, the build runs
this over the files that an administrator imports. Each value of a file is a row: the key that the
rule is for, the value's name, and the bytes that an import stores. Rules of keys with a "*" in
their path are left out: no service knows such a key by name.
"""

import sys
import xml.etree.ElementTree as ElementTree

BASE = 'HKEY_REGSTORE\\Rules\\'
PER_LINE = 16

HEADER = '''\
/*
 * shipped_rules.c - written by rules_generate.py from hives/rules/; do not edit.
 */
#include "shipped_rules.h"

'''


class Mistake(Exception):
    """What is wrong with a file."""


def rules_of(node, path):
    """(path, name, strings) of each value at and below a node."""
    for value in node.findall('value'):
        strings = [string.text or '' for string in value.findall('string')]
        if value.get('type') != 'string-list' or value.get('key') is None or strings[-1:] != ['']:
            raise Mistake(f'{path}: a value that is no rule')
        yield path, value.get('key'), strings
    for below in node.findall('node'):
        yield from rules_of(below, path + '\\' + below.get('name'))


def rules_in(file):
    """Those of a file that a service can ask for."""
    root = ElementTree.parse(file).getroot().find('node')
    name = root.get('name', '') if root is not None else ''
    if not name.startswith(BASE):
        raise Mistake(f'its outermost node is not below {BASE}')
    return [rule for rule in rules_of(root, name.removeprefix(BASE))
            if '*' not in rule[0].split('\\')]


def quoted(text):
    """Text as a string of C."""
    return '"' + ''.join(letter if ' ' <= letter <= '~' and letter not in '"\\?'
                         else ''.join(f'\\{byte:03o}' for byte in letter.encode())
                         for letter in text) + '"'


def write(out, rules):
    """The whole file."""
    out.write(HEADER)
    for number, (_, _, strings) in enumerate(rules):
        data = b''.join(string.encode('utf-16-le') + b'\0\0' for string in strings)
        out.write(f'static const unsigned char rule_{number}[] = {{\n')
        for start in range(0, len(data), PER_LINE):
            out.write('    ' + ', '.join(map(str, data[start:start + PER_LINE])) + ',\n')
        out.write('};\n')
    out.write('\nconst struct shipped_rule shipped_rules[] = {\n')
    for number, (path, name, _) in enumerate(rules):
        out.write(f'    {{{quoted(path)}, {quoted(name)}, rule_{number}, sizeof(rule_{number})}},\n')
    out.write('    {0},\n};\n')


def main():
    rules = []
    for file in sys.argv[1:]:
        try:
            rules += rules_in(file)
        except (Mistake, OSError, ElementTree.ParseError) as problem:
            print(f'rules_generate: {file}: {problem}', file=sys.stderr)
            return 1
    write(sys.stdout, rules)
    return 0


if __name__ == '__main__':
    sys.exit(main())
