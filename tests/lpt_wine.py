#!/usr/bin/env python3
"""A Windows program prints to LPT1 in a real Wine, by the line that the manual page gives.

    tests/lpt_wine.py [--bin DIR] [TEST...]

The program adds a printer at LPT1: and prints bytes of all kinds; Wine gives them to what its
registry says for that port, which is the line of regtool.1. Needs Wine and a compiler for Windows
(Debian: wine64, gcc-mingw-w64-x86-64-win32); without them, all of it is skipped. Ends with "N
passed, N failed, N skipped"; exit status 1 if any failed or none ran.
"""

import re
import shutil
import subprocess
import sys
from pathlib import Path

from services_bench import Skip, expect, run_tests

TOP = Path(__file__).resolve().parent.parent
COMPILER = 'x86_64-w64-mingw32-gcc'
WINE_TIMEOUT = 300  # its first start makes a whole Windows
DOCUMENT = bytes(i % 256 for i in range(100000))

# Prints DOCUMENT.
PROGRAM = r'''
#include <stdio.h>
#include <windows.h>
#include <winspool.h>

static char document[100000];

static int fail(const char *what)
{
    printf("%s: error %lu\n", what, GetLastError());
    return 1;
}

int main(void)
{
    DRIVER_INFO_3A driver = {.cVersion = 3, .pName = "Plain", .pDriverPath = "wineps.drv",
                             .pDataFile = "wineps.drv", .pConfigFile = "wineps.drv",
                             .pDefaultDataType = "RAW"};
    PRINTER_INFO_2A printer = {.pPrinterName = "Old", .pPortName = "LPT1:", .pDriverName = "Plain",
                               .pPrintProcessor = "WinPrint", .pDatatype = "RAW"};
    DOC_INFO_1A job = {"a letter", NULL, "RAW"};
    DWORD written = 0;
    HANDLE handle;

    for (size_t i = 0; i < sizeof(document); i++) {
        document[i] = (char)i;
    }
    if (!AddPrinterDriverExA(NULL, 3, (BYTE *)&driver, APD_COPY_ALL_FILES)) {
        return fail("AddPrinterDriverEx");
    }
    if ((handle = AddPrinterA(NULL, 2, (BYTE *)&printer)) == NULL) {
        return fail("AddPrinter");
    }
    ClosePrinter(handle);
    if (!OpenPrinterA("Old", &handle, NULL)) {
        return fail("OpenPrinter");
    }
    if (StartDocPrinterA(handle, 1, (BYTE *)&job) == 0 ||
        !WritePrinter(handle, document, sizeof(document), &written) || !EndDocPrinter(handle)) {
        return fail("printing");
    }
    ClosePrinter(handle);
    return 0;
}
'''


def find_wine():
    """Wine and the server of its processes, and whether there is a compiler for it."""
    places = '/usr/lib/wine:/usr/bin:/usr/local/bin'
    wine = shutil.which('wine64', path=places) or shutil.which('wine', path=places)
    server = shutil.which('wineserver64', path=places) or shutil.which('wineserver', path=places)
    if not (wine and server and shutil.which(COMPILER)):
        raise Skip('there is no wine64, or no ' + COMPILER)
    return wine, server


class Windows:
    """A Wine of our own, in which nothing is shown."""

    def __init__(self, bench):
        self.wine, self.server = find_wine()
        self.work = bench.directory
        self.environment = {**bench.environment, 'HOME': str(self.work),
                            'WINEPREFIX': str(self.work / 'wine'), 'WINEDEBUG': '-all',
                            'WINEDLLOVERRIDES': 'mscoree,mshtml=', 'DISPLAY': '',
                            'REGSTORE': str(bench.store),
                            'PATH': f'{bench.bin}:{bench.environment["PATH"]}'}
        bench.open_things.append(self)

    def run(self, *words):
        done = subprocess.run([self.wine, *words], cwd=self.work, env=self.environment,
                              stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                              stderr=subprocess.DEVNULL, timeout=WINE_TIMEOUT, check=False)
        expect((words, done.returncode, done.stdout), (words, 0, b''))

    def close(self):
        """Ends what is left of this Wine, and of no other."""
        for word in ('-k', '-w'):
            subprocess.run([self.server, word], env=self.environment, timeout=WINE_TIMEOUT,
                           stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=False)


def test_windows_program_prints(bench):
    windows = Windows(bench)
    page = (TOP / 'regtool/regtool.1').read_text(encoding='utf-8')
    lines = re.search(r'^\[HKEY_CURRENT_USER.*\]\n"LPT1:"=".*"$', page, re.M).group()
    (bench.directory / 'line.reg').write_text('REGEDIT4\n\n' + lines.replace('\\e', '\\') + '\n')
    (bench.directory / 'prints.c').write_text(PROGRAM)
    subprocess.run([COMPILER, '-o', 'prints.exe', 'prints.c', '-lwinspool'], cwd=bench.directory,
                   check=True)
    out = bench.directory / 'out.prn'
    bench.regtool('mode', f'LPT1:={out}')
    windows.run('wineboot', '-i')
    windows.run('regedit', 'line.reg')
    windows.run('prints.exe')
    expect(out.read_bytes() == DOCUMENT, True)


if __name__ == '__main__':
    sys.exit(run_tests(__doc__, dict(globals())))
