# packages.sh - installs the Debian packages that are missing; for tests/run and regtool/quickstart.
#
# install_packages SCRATCH PACKAGE... Says what it installs, and is silent about apt unless that
# fails. Status 1, with the reason on standard error, if something cannot be installed. Elsewhere
# than on Debian it does nothing: the build names what it lacks.

missing_packages() { # SCRATCH PACKAGE...
    local scratch=$1 package
    shift
    for package; do
        [ "$(dpkg-query -W -f '${db:Status-Status}' "$package" 2>"$scratch/dpkg")" = installed ] ||
            echo "$package"
    done
}

run_apt() { # SCRATCH PACKAGE...
    local scratch=$1 as_root=()
    shift
    [ "$(id -u)" = 0 ] || as_root=(sudo)
    { "${as_root[@]}" apt-get update &&
        "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive \
            apt-get install -y --no-install-recommends "$@"; } >"$scratch/apt" 2>&1
}

install_packages() { # SCRATCH PACKAGE...
    local scratch=$1 missing
    command -v dpkg-query >"$scratch/dpkg" || return 0
    mapfile -t missing < <(missing_packages "$@")
    [ "${#missing[@]}" -gt 0 ] || return 0
    if [ "$(id -u)" != 0 ] && ! command -v sudo >"$scratch/sudo"; then
        echo "missing Debian packages: ${missing[*]}" >&2
        return 1
    fi
    echo "Installing ${missing[*]} ..."
    if ! run_apt "$scratch" "${missing[@]}"; then
        cat "$scratch/apt" >&2
        echo "could not install: ${missing[*]}" >&2
        return 1
    fi
}
