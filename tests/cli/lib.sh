# lib.sh - what several cases need; a cmd reads it with: . "$TOP/tests/cli/lib.sh"

# Runs a command as user and group 65534 (the case needs root).
as_nobody() { # COMMAND...
    setpriv --reuid=65534 --regid=65534 --clear-groups "$@"
}

# Waits until a line of a file matches, looking ten times a second; fails after 30 seconds.
wait_for_line() { # FILE PATTERN
    looks=300
    until grep -q -s -e "$2" "$1"; do
        looks=$((looks - 1))
        [ "$looks" -gt 0 ] || return 1
        sleep 0.1
    done
}
