#!/usr/bin/env python3
"""Write fold_table.h, the table by which names are folded, to standard output.

    fold_generate.py [UNICODEDATA] > fold_table.h

The rule, for each UTF-16 unit c that is no surrogate: u is the simple upper case of c, if it is one
unit; c folds to u where the simple lower case of u is c again. U+00DF folds to itself. A changed
table would lose keys of stores that exist, so the table is committed; the checks of the project run
this again and compare. UNICODEDATA is by default that of Debian's package unicode-data.
"""

import sys
import zlib

UNICODE_DATA = '/usr/share/unicode/UnicodeData.txt'
BLOCK_BITS = 6
BLOCK = 1 << BLOCK_BITS
UNITS = 0x10000
PER_LINE = 12

HEADER = '''\
/*
 * fold_table.h - written by fold_generate.py, which has the rule; do not edit.
 *
 * A unit folds to itself plus the delta of its place in its block, modulo 65536. Blocks that are
 * alike are stored once. FOLD_VERSION is the CRC-32 of all pairs (unit, folded unit) that differ,
 * in order, each number in two bytes, the low one first.
 */
#ifndef REGSTORE_FOLD_TABLE_H
#define REGSTORE_FOLD_TABLE_H

#include <stdint.h>

/* clang-format off */
'''
FOOTER = '''\
/* clang-format on */

#endif
'''


def read_case(path):
    """The simple upper and lower case mappings of the file."""
    upper, lower = {}, {}
    with open(path, encoding='ascii') as data:
        for line in data:
            fields = line.rstrip('\n').split(';')
            code = int(fields[0], 16)
            if fields[12]:
                upper[code] = int(fields[12], 16)
            if fields[13]:
                lower[code] = int(fields[13], 16)
    return upper, lower


def fold_pairs(upper, lower):
    """(unit, folded unit) for each unit that does not fold to itself."""
    pairs = []
    for unit, up in sorted(upper.items()):
        surrogate = 0xD800 <= unit <= 0xDFFF
        if unit < UNITS and up < UNITS and not surrogate and unit != 0xDF and lower.get(up) == unit:
            pairs.append((unit, up))
    return pairs


def compress(pairs):
    """The number of each block of units, and the different blocks of deltas."""
    deltas = [0] * UNITS
    for unit, up in pairs:
        deltas[unit] = (up - unit) % UNITS
    numbers, index = {}, []
    for start in range(0, UNITS, BLOCK):
        block = tuple(deltas[start:start + BLOCK])
        index.append(numbers.setdefault(block, len(numbers)))
    return index, list(numbers)


def rows(numbers, indent):
    """Numbers as lines of C, PER_LINE in each."""
    for start in range(0, len(numbers), PER_LINE):
        yield indent + ', '.join(str(n) for n in numbers[start:start + PER_LINE]) + ',\n'


def write(out, pairs):
    """The whole header."""
    version = zlib.crc32(b''.join(unit.to_bytes(2, 'little') + up.to_bytes(2, 'little')
                                  for unit, up in pairs))
    index, blocks = compress(pairs)
    assert len(blocks) <= 256
    out.write(HEADER)
    out.write(f'#define FOLD_VERSION 0x{version:08x}u /* {len(pairs)} pairs */\n')
    out.write(f'#define FOLD_BLOCK_BITS {BLOCK_BITS}\n\n')
    out.write(f'static const uint8_t fold_index[{len(index)}] = {{\n')
    out.writelines(rows(index, '    '))
    out.write(f'}};\n\nstatic const uint16_t fold_delta[{len(blocks)}][{BLOCK}] = {{\n')
    for block in blocks:
        out.write('    {\n')
        out.writelines(rows(block, '        '))
        out.write('    },\n')
    out.write('};\n')
    out.write(FOOTER)


if __name__ == '__main__':
    write(sys.stdout, fold_pairs(*read_case(sys.argv[1] if len(sys.argv) > 1 else UNICODE_DATA)))
