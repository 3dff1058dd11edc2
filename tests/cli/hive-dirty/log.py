#!/usr/bin/env python3
"""Writes a transaction log with one entry: all pages of a hive.

    log.py HIVE SEQUENCE >LOG
"""

import struct
import sys


def turn(number, bits):
    return (number << bits | number >> (32 - bits)) & 0xffffffff


def hash_of(data):
    """Marvin32 with the seed of such logs, of a whole number of words."""
    low, high = 0x7a4e55c5, 0x82ef4d88
    for word in [*(word for (word,) in struct.iter_unpack('<I', data)), 0x80, 0]:
        low = (low + word) & 0xffffffff
        high ^= low
        low = (turn(low, 20) + high) & 0xffffffff
        high = turn(high, 9) ^ low
        low = (turn(low, 27) + high) & 0xffffffff
        high = turn(high, 19)
    return struct.pack('<II', low, high)


def base_of(hive):
    base = bytearray(hive[:512])
    struct.pack_into('<I', base, 28, 6)  # a log with entries
    total = 0
    for (word,) in struct.iter_unpack('<I', base[:508]):
        total ^= word
    struct.pack_into('<I', base, 508, total)
    return base


def main():
    with open(sys.argv[1], 'rb') as file:
        hive = file.read()
    pages = hive[4096:]
    body = struct.pack('<II', 0, len(pages)) + pages
    size = (40 + len(body) + 511) // 512 * 512
    body += bytes(size - 40 - len(body))
    head = struct.pack('<4sIIIII', b'HvLE', size, 0, int(sys.argv[2]), len(pages), 1)
    head += hash_of(body)
    sys.stdout.buffer.write(base_of(hive) + head + hash_of(head) + body)


main()
