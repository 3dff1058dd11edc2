"""Runs full_disk on a full tmpfs, on a full ext4 image, and with a small map; regtool on the first two.

    full_disk.py --bin DIRECTORY

The file systems are mounted in a mount namespace of their own, which ends with the program: nobody
else sees them and nothing stays. Without root, or where mounting is not possible, they are skipped.
Ends with "N passed, N failed, N skipped". Needs unshare(1), mount(8), mkfs.ext4(8).
"""

import argparse
import os
import re
import shutil
import subprocess
import sys
import tempfile

TMPFS = 'mount -t tmpfs -o size=32m none "$1"'
EXT4 = ('truncate -s 40M "$1.img" && mkfs.ext4 -q -F -m 0 "$1.img" && '
        'mount -o loop "$1.img" "$1"')
SECONDS = 300


def can_mount(mount, directory):
    """None, or why it cannot."""
    if os.geteuid() != 0:
        return 'only root can mount'
    if not shutil.which('unshare'):
        return 'no unshare(1)'
    tried = subprocess.run(['unshare', '--mount', 'sh', '-c', mount, 'sh', directory],
                           capture_output=True, text=True)
    return None if tried.returncode == 0 else 'cannot mount: ' + tried.stderr.strip()[:200]


# On a full disk nothing is left of a file that could not be finished, and the store stays as it is.
FILES = r'''cd "$1" && set -e
regtool=$0
failed=0
expect() { if ! eval "$2"; then echo "FAILED: $1"; failed=$((failed + 1)); fi; }
export REGSTORE=$1/files
"$regtool" init >/dev/null
head -c 600000 /dev/zero | tr '\0' x | fold -w 60000 >texts
n=0
while read -r text; do
    "$regtool" add "HKLM\A" /v "v$n" /d "$text" >/dev/null
    n=$((n + 1))
done <texts
rm texts
"$regtool" backup copy >/dev/null
"$regtool" export 'HKLM\A' before.xml >/dev/null
: >filler
: >said
ls >names
cat /dev/zero >filler 2>/dev/null || :
for verb in 'backup out' 'export HKLM\A out.xml' 'export HKLM\A out.reg' 'restore-store copy /y' compact; do
    expect "$verb does not fail" '! "$regtool" $verb >/dev/null 2>said'
    expect "$verb does not say why" 'grep -q "No space left on device" said || [ ! -s said ]'
    expect "$verb leaves something" 'ls | cmp -s - names && [ ! -e files/restore ]'
done
rm filler
expect 'the store is damaged' '"$regtool" check --store >/dev/null'
"$regtool" export 'HKLM\A' after.xml >/dev/null
expect 'the store has changed' 'cmp -s before.xml after.xml'
expect 'a backup with room again' '"$regtool" backup out >/dev/null'
expect 'compacting with room again' '"$regtool" compact >/dev/null'
echo "$((18 - failed)) passed, $failed failed, 0 skipped"
'''


# What is to be taken back when the disk is full is told, stays due, and is done when there is room.
UNCONFIRMED = r'''cd "$1" && set -e
regtool=$0
bin=$(dirname "$0")
failed=0
expect() { if ! eval "$2"; then echo "FAILED: $1"; failed=$((failed + 1)); fi; }
within() { # WHAT CONDITION: a minute
    looks=600
    until eval "$2"; do
        looks=$((looks - 1))
        if [ "$looks" = 0 ]; then echo "FAILED: $1"; failed=$((failed + 1)); return; fi
        sleep 0.1
    done
}
export REGSTORE=$1/unconfirmed
why='an unconfirmed change cannot be taken back: .*no space left on the device'
"$regtool" init >/dev/null
for n in 1 2 3 4 5 6 7 8; do
    "$regtool" add 'HKLM\A' /v "v$n" /d "$(head -c 100000 /dev/zero | tr '\0' "$n")" >/dev/null
done
"$regtool" export 'HKLM\A' before.xml >/dev/null
"$bin/regstore-spooler" --name other >/dev/null 2>log & service=$!
trap 'kill -9 "$service" 2>/dev/null || :' EXIT
within 'the service does not start' '"$regtool" services | grep -q other'
fill() {
    cat /dev/zero >filler 2>/dev/null || :
    n=0
    while [ "$n" -lt 100 ] &&
        "$regtool" add 'HKLM\B' /v "v$n" /d "$(head -c 90000 /dev/zero | tr '\0' x)" >/dev/null 2>&1
    do n=$((n + 1)); done
}
# On a slow machine it is taken back before the disk is full: then there is more time.
: >filler
for seconds in 10 40; do
    "$regtool" delete 'HKLM\A' /f --confirm "$seconds" >/dev/null 2>&1 || :
    fill
    if "$regtool" status | grep -q '^waiting'; then break; fi
    : >filler
    "$regtool" delete 'HKLM\B' /f >/dev/null 2>&1 || :
    : >log
done
within 'a service does not tell' 'grep -q "$why" log'
expect 'a service tells it more than once' '[ "$(grep -c "$why" log)" = 1 ]'
expect 'a verb that writes does not tell' '"$regtool" delete HKLM\\B /v v0 /f 2>&1 | grep -q "$why"'
expect 'confirm does not tell' '"$regtool" confirm 2>&1 | grep -q "$why"'
expect 'status does not tell' '"$regtool" status | grep -q "too late: it is to be taken back"'
kill -9 "$service"
rm filler
within 'it is not taken back' '"$regtool" export HKLM\\A after.xml >/dev/null 2>&1 && cmp -s before.xml after.xml'
expect 'the store is damaged' '"$regtool" check --store >/dev/null'
echo "$((8 - failed)) passed, $failed failed, 0 skipped"
'''


def run(command, sums):
    """Adds the program's counts; one that does not end with them is a failure."""
    ran = subprocess.run(command, capture_output=True, text=True, timeout=SECONDS)
    print(ran.stdout + ran.stderr, end='')
    counts = re.search(r'^(\d+) passed, (\d+) failed, 0 skipped\n\Z', ran.stdout, re.M)
    if not counts:
        print(f'FAILED: exit status {ran.returncode}, no counts')
        sums[1] += 1
        return
    sums[0] += int(counts[1])
    sums[1] += int(counts[2])


def main():
    options = argparse.ArgumentParser()
    options.add_argument('--bin', required=True)
    bin_dir = os.path.abspath(options.parse_args().bin)
    program, regtool = os.path.join(bin_dir, 'full_disk'), os.path.join(bin_dir, 'regtool')
    sums = [0, 0, 0]
    with tempfile.TemporaryDirectory() as scratch:
        for name, mount in (('tmpfs', TMPFS), ('ext4', EXT4)):
            directory = os.path.join(scratch, name)
            os.mkdir(directory)
            why = can_mount(mount, directory)
            print(f'-- {name}')
            if why:
                print(f'skipped: {name}: {why}')
                sums[2] += 1
                continue
            run(['unshare', '--mount', 'sh', '-c', mount + ' && exec "$0" disk "$1"', program,
                 directory], sums)
            for script in (FILES, UNCONFIRMED):
                run(['unshare', '--mount', 'sh', '-c', mount + ' && ' + script, regtool, directory],
                    sums)
        directory = os.path.join(scratch, 'map')
        os.mkdir(directory)
        print('-- map')
        run([program, 'map', directory], sums)
    print(f'{sums[0]} passed, {sums[1]} failed, {sums[2]} skipped')
    return 0 if sums[1] == 0 and sums[0] > 0 else 1


if __name__ == '__main__':
    sys.exit(main())
