#!/usr/bin/env python3
"""Runs a command whose standard output is a pipe that nobody reads any more.

    without_reader.py COMMAND...

Ends with the command's exit status.
"""

import os
import subprocess
import sys


def main():
    reader, writer = os.pipe()
    os.close(reader)
    return subprocess.run(sys.argv[1:], stdout=writer, check=False).returncode


if __name__ == '__main__':
    sys.exit(main())
