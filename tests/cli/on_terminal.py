#!/usr/bin/env python3
"""Runs a command on a terminal of its own and prints what appears there.

    on_terminal.py ANSWER COMMAND...

When the terminal shows a question mark and a space, ANSWER and a line end are typed, once. Ends
with the command's exit status.
"""

import os
import pty
import sys


def show_until(terminal, mark):
    """Copies what the terminal shows; True when it ends in mark, False at the command's end."""
    shown = b''
    while not (mark and shown.endswith(mark)):
        try:
            part = os.read(terminal, 4096)
        except OSError:
            part = b''
        if not part:
            return False
        shown += part
        sys.stdout.buffer.write(part.replace(b'\r\n', b'\n'))
        sys.stdout.buffer.flush()
    return True


def main():
    answer, command = sys.argv[1], sys.argv[2:]
    child, terminal = pty.fork()
    if child == 0:
        os.execvp(command[0], command)
    if show_until(terminal, b'? '):
        os.write(terminal, answer.encode() + b'\n')
        show_until(terminal, None)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


if __name__ == '__main__':
    sys.exit(main())
