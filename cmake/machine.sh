# What this machine needs, shared by ./run, ./test, ./bench and .ci/run (bash, sourced; `root` is the source tree).
set -u -o pipefail
# Only bash, coreutils and dpkg/apt of a bare Debian are used here before packages were installed.

packages_build="g++ make git ca-certificates cmake ninja-build ccache pkg-config python3-minimal
 qt6-base-dev libqt6sql6-sqlite qt6-websockets-dev qt6-networkauth-dev qt6-svg-dev
 qtkeychain-qt6-dev libsecret-1-0 libcmark-gfm-dev libcmark-gfm-extensions-dev libsimdjson-dev libsqlite3-dev
 libvterm-dev qt6-l10n-tools fonts-inter fonts-jetbrains-mono"
packages_test="xvfb xauth openbox xdotool x11-utils x11-apps imagemagick dbus dbus-x11 gnome-keyring libsecret-tools at-spi2-core openssl
 python3-pyatspi fonts-noto-core fonts-noto-color-emoji"
apt_locks="/var/lib/dpkg/lock-frontend /var/lib/dpkg/lock /var/lib/apt/lists/lock /var/cache/apt/archives/lock"
apt_patience=900 # seconds to wait for another program that uses apt

say() { printf 'foundry: %s\n' "$*" >&2; }
fail() { say "$*"; exit 1; }
have() { command -v "$1" >/dev/null 2>&1; }

distribution() { # "debian 12"
    local ID="" VERSION_ID=""
    local file=${FOUNDRY_OS_RELEASE:-/etc/os-release} # the tests' way to another distribution
    [ -r "$file" ] && . "$file"
    printf '%s %s' "${ID:-unknown}" "${VERSION_ID:-}"
}

as_root() {
    if [ "$(id -u)" = 0 ]; then "$@"; else sudo "$@"; fi
}

missing_packages() { # those of the named ones that are not installed, one a line
    local installed
    installed=$(dpkg-query -W -f '${db:Status-Status} ${Package}\n' "$@" 2>/dev/null | sed -n 's/^installed //p')
    local package
    for package in "$@"; do
        case $'\n'$installed$'\n' in *$'\n'$package$'\n'*) ;; *) printf '%s\n' "$package" ;; esac
    done
}

list_for_others() {
    cat >&2 <<EOF
On this distribution ($(distribution)) please install these yourself, then run the same command again:
  a C++20 compiler (g++ >= 12 or clang >= 16), make, git, cmake >= 3.25, ninja, pkg-config, python3, ccache (optional)
  Qt >= 6.4: base (core, gui, widgets, network, sql with SQLite, dbus), websockets, networkauth, svg, linguist tools
  KDE Syntax-Highlighting for Qt 6 (KF6), QtKeychain for Qt 6, libsecret, cmark-gfm with its extensions, simdjson >= 3,
  SQLite >= 3.38, libvterm, the fonts Inter and JetBrains Mono
Debian 13, Ubuntu 24.10 and newer:
  apt install g++ make git cmake ninja-build ccache pkg-config python3 qt6-base-dev libqt6sql6-sqlite qt6-websockets-dev \\
    qt6-networkauth-dev qt6-svg-dev qt6-l10n-tools libkf6syntaxhighlighting-dev qtkeychain-qt6-dev libsecret-1-0 libcmark-gfm-dev \\
    libcmark-gfm-extensions-dev libsimdjson-dev libsqlite3-dev libvterm-dev fonts-inter fonts-jetbrains-mono
Fedora:
  dnf install gcc-c++ make git cmake ninja-build ccache pkgconf python3 qt6-qtbase-devel qt6-qtwebsockets-devel qt6-qtnetworkauth-devel \\
    qt6-qtsvg-devel qt6-linguist kf6-syntax-highlighting-devel qtkeychain-qt6-devel libsecret cmark-gfm-devel simdjson-devel \\
    sqlite-devel libvterm-devel rsms-inter-fonts jetbrains-mono-fonts
Arch:
  pacman -S --needed base-devel git cmake ninja ccache python qt6-base qt6-websockets qt6-networkauth qt6-svg qt6-tools \\
    syntax-highlighting qtkeychain-qt6 libsecret cmark-gfm simdjson sqlite libvterm inter-font ttf-jetbrains-mono
The tests need besides: Xvfb, openbox, xdotool, ImageMagick, dbus, gnome-keyring, openssl, AT-SPI with pyatspi, Noto fonts, node and npm.
EOF
}

# apt's locks are POSIX locks, which flock(1) does not see; the kernel's table names inode and owner.
apt_user() { # name and pid of the program that holds one of apt's locks; nothing when they are free
    local file inode pid
    [ -r /proc/locks ] || return 0
    for file in $apt_locks; do
        [ -e "$file" ] || continue
        inode=$(stat -c %i "$file")
        pid=$(sed -n "s/^[0-9]*: POSIX .* WRITE \([0-9]*\) [0-9a-f]*:[0-9a-f]*:$inode .*/\1/p" /proc/locks | head -n 1)
        if [ -n "$pid" ]; then
            printf '%s, process %s' "$(cat "/proc/$pid/comm" 2>/dev/null || echo 'another program')" "$pid"
            return 0
        fi
    done
}

wait_for_apt() {
    local user waited=0
    while user=$(apt_user) && [ -n "$user" ]; do
        [ $((waited % 30)) = 0 ] && say "apt is in use ($user): waiting until it is free (for $waited s so far)"
        [ $waited -ge $apt_patience ] && fail "apt is still in use ($user) after $waited s. Let it finish, then run this again."
        sleep 2
        waited=$((waited + 2))
    done
    return 0
}

apt_get() { # apt-get as root, in a fixed language; call wait_for_apt first, whose words must not go to a log
    as_root env DEBIAN_FRONTEND=noninteractive LC_ALL=C apt-get -o DPkg::Lock::Timeout=$apt_patience -o Dpkg::Use-Pty=0 "$@"
}

apt_progress() { # reads apt's status lines
    local line kind rest percent text last=-1 step=1
    [ -t 2 ] || step=20
    while IFS= read -r line; do
        case $line in dlstatus:* | pmstatus:*) ;; *) continue ;; esac
        kind=${line%%:*} rest=${line#*:*:}
        percent=${rest%%[.:]*} text=${rest#*:}
        # Downloading counts as the first half.
        if [ "$kind" = dlstatus ]; then percent=$((percent / 2)); else percent=$((50 + percent / 2)); fi
        [ $((percent / step)) != "$last" ] || continue
        last=$((percent / step))
        if [ -t 2 ]; then printf '\r\033[K  %3d %%  %.70s' "$percent" "$text" >&2; else printf '  %3d %%  %s\n' "$percent" "$text" >&2; fi
    done
}

apt_install_with_progress() { # LOG PACKAGE...
    # apt makes the status channel non-blocking, so it must not be its standard output (package scripts would fail with EAGAIN),
    # and sudo closes all others: a named pipe, opened on the other side of sudo.
    local log=$1 channel reader status=0
    shift
    channel=$root/build/apt.progress
    rm -f "$channel"
    mkfifo "$channel" || return 1
    apt_progress <>"$channel" &
    reader=$!
    as_root env DEBIAN_FRONTEND=noninteractive LC_ALL=C sh -c 'channel=$1; shift; exec apt-get "$@" 3>"$channel"' sh "$channel" \
        -o DPkg::Lock::Timeout=$apt_patience -o Dpkg::Use-Pty=0 -o APT::Status-Fd=3 install -y -q --no-install-recommends "$@" \
        >>"$log" 2>&1 || status=$?
    kill $reader 2>/dev/null
    wait $reader 2>/dev/null
    rm -f "$channel"
    [ -t 2 ] && printf '\r\033[K' >&2
    return $status
}

megabytes_free() { # of the file system that holds a path (or its nearest existing parent)
    local path=$1
    while [ ! -e "$path" ]; do path=$(dirname "$path"); done
    df -Pk "$path" | awk 'NR == 2 { print int($4 / 1024) }'
}

to_megabytes() { # "1,234 kB" "927 MB" "1.2 GB" as apt writes them
    awk -v n="${1//,/}" -v u="$2" 'BEGIN { f = u == "GB" ? 1000 : u == "MB" ? 1 : u == "kB" ? 0.001 : 0.000001; printf "%d", n * f + 0.999 }'
}

need_space() { # PATH MEGABYTES WHAT
    local free
    free=$(megabytes_free "$1")
    [ "$free" -ge "$2" ] || fail "not enough disk space for $3: $2 MB needed at $1, $free MB free. Make room, then run this again."
}

apt_lists_fresh() { # read within a day (the lists themselves carry the server's time, the folder beside them does not)
    compgen -G '/var/lib/apt/lists/*_Packages*' >/dev/null && [ -n "$(find /var/lib/apt/lists -maxdepth 1 -name partial -mtime -1 2>/dev/null)" ]
}

update_apt_lists() { # LOG
    say "reading the package lists (apt-get update)"
    wait_for_apt
    apt_get -q update >>"$1" 2>&1 && compgen -G '/var/lib/apt/lists/*_Packages*' >/dev/null && return 0
    tail -n 5 "$1" >&2
    fail "apt-get update failed (all of it: build/apt.log). Check the network and /etc/apt/sources.list."
}

# Prints what apt would do for these packages (its own summary), or nothing when it does not know one of them.
apt_plan() {
    LC_ALL=C apt-get install --no-install-recommends --print-uris -y "$@" 2>/dev/null | grep -E '^(Need to get|After this operation|[0-9]+ upgraded)'
}

install_packages() { # PURPOSE PACKAGE...: only those that are missing
    local purpose=$1; shift
    local missing
    mapfile -t missing < <(missing_packages "$@")
    [ ${#missing[@]} = 0 ] && return 0
    if [ "$(distribution)" != "debian 12" ]; then
        list_for_others
        exit 1
    fi
    if [ "$(id -u)" != 0 ] && ! have sudo; then
        fail "packages are missing, and installing them needs root or sudo. As root, run:
  apt-get update && apt-get install -y --no-install-recommends ${missing[*]}"
    fi
    local log=$root/build/apt.log plan
    mkdir -p "$root/build"
    : >"$log"
    if ! apt_lists_fresh || [ -z "$(apt_plan "${missing[@]}")" ]; then
        update_apt_lists "$log"
    fi
    plan=$(apt_plan "${missing[@]}")
    [ -n "$plan" ] || { LC_ALL=C apt-get install --no-install-recommends --print-uris -y "${missing[@]}" 2>&1 >/dev/null | tail -n 5 >&2
        fail "apt cannot install: ${missing[*]}"; }

    local count download disk
    count=$(sed -n 's/^[0-9]* upgraded, \([0-9]*\) newly.*/\1/p' <<<"$plan")
    read -r -a download <<<"$(sed -n 's/^Need to get \([^ /]*\) \([kMG]*B\).*/\1 \2/p' <<<"$plan")"
    read -r -a disk <<<"$(sed -n 's/^After this operation, \([^ ]*\) \([kMG]*B\) of additional.*/\1 \2/p' <<<"$plan")"
    local down used
    down=$(to_megabytes "${download[0]:-0}" "${download[1]:-B}")
    used=$(to_megabytes "${disk[0]:-0}" "${disk[1]:-B}")
    say "$purpose needs $count Debian packages that are not installed: $down MB to download, $used MB on disk"
    printf '%s\n' "${missing[*]}" | fold -s -w 100 | sed 's/^/  /' >&2
    need_space /usr $((used + 200)) "the packages"
    need_space /var/cache/apt/archives $((down + 50)) "downloading the packages"
    [ "$(id -u)" = 0 ] || say "installing with sudo (it may ask for your password)"

    wait_for_apt
    if ! apt_install_with_progress "$log" "${missing[@]}"; then
        say "apt failed; trying once more with new package lists"
        update_apt_lists "$log"
        wait_for_apt
        apt_get install -y -q --no-install-recommends "${missing[@]}" >>"$log" 2>&1 ||
            { tail -n 12 "$log" >&2; fail "the packages could not be installed (all of it: build/apt.log)"; }
    fi
    mapfile -t missing < <(missing_packages "$@")
    [ ${#missing[@]} = 0 ] || fail "still not installed: ${missing[*]} (see build/apt.log)"
}

# Packages of this project for a purpose; on another distribution only the tools are looked at, the rest is CMake's.
need_packages() { # PURPOSE PACKAGE...
    if [ "${FOUNDRY_NO_INSTALL:-}" = 1 ]; then return 0; fi
    if [ "$(distribution)" = "debian 12" ]; then
        install_packages "$@"
    else
        local tool
        for tool in cmake ninja pkg-config git python3; do
            have $tool || { say "$tool is missing"; list_for_others; exit 1; }
        done
    fi
}

need_syntax_highlighting() {
    # Debian 12 packages the library for Qt 5 only; where CMake finds KF6SyntaxHighlighting the prefix is never asked for.
    [ "$(distribution)" = "debian 12" ] || [ "$(distribution)" = "ubuntu 24.04" ] || return 0
    local prefix=$root/build/ksyntaxhighlighting
    # Asking apt costs 0.4 s: only when the script changed or nothing is there. A newer package is taken by ./test.
    if [ "${1:-}" != thorough ] && [ -e "$prefix/stamp" ] &&
        [ "$(tail -n 1 "$prefix/stamp")" = "script $(sha256sum <"$root/cmake/ksyntaxhighlighting-prefix" | cut -d' ' -f1)" ]; then
        return 0
    fi
    if ! apt_lists_fresh && [ ! -e "$prefix/stamp" ] && [ "${FOUNDRY_NO_INSTALL:-}" != 1 ]; then
        mkdir -p "$root/build"
        update_apt_lists "$root/build/apt.log"
    fi
    [ -e "$prefix/stamp" ] || { need_space "$root" 250 "KDE Syntax-Highlighting"; say "making KDE Syntax-Highlighting for Qt 6 from Debian's packages (26 MB to download, 10 MB kept in build/)"; }
    "$root/cmake/ksyntaxhighlighting-prefix" >&2 || fail "KDE Syntax-Highlighting could not be made ready (see above)"
}

build_jobs() { # as many as there are cores, but a unity file takes up to 1.2 GB
    local cores memory
    cores=$(nproc)
    memory=$(awk '/^MemAvailable/ { print int($2 / 1258291) }' /proc/meminfo 2>/dev/null)
    [ -n "$memory" ] || memory=$cores
    [ "$memory" -lt 1 ] && memory=1
    [ "$cores" -lt "$memory" ] && echo "$cores" || echo "$memory"
}

cached() { # PRESET VARIABLE: its value in that build folder
    sed -n "s/^$2:[A-Z]*=//p" "$root/build/$1/CMakeCache.txt" 2>/dev/null
}

configure() { # PRESET [-DNAME=VALUE...]: only when never configured, or with another value
    local preset=$1 changed=0 option name log
    shift
    [ -e "$root/build/$preset/build.ninja" ] || changed=1
    for option in "$@"; do
        name=${option#-D}
        [ "$(cached "$preset" "${name%%=*}")" = "${name#*=}" ] || changed=1
    done
    [ $changed = 1 ] || return 0
    log=$root/build/$preset.configure.log
    mkdir -p "$root/build"
    say "configuring ($preset)"
    if ! (cd "$root" && cmake --preset "$preset" "$@") >"$log" 2>&1; then
        rm -f "$root/build/$preset/build.ninja" # so that the next attempt configures again
        grep -A 12 -E 'CMake Error' "$log" | head -n 40 >&2
        [ "$(distribution)" = "debian 12" ] || list_for_others
        fail "configuring failed (all of it: build/$preset.configure.log)"
    fi
}

build() { # PRESET [TARGET...]
    local preset=$1 jobs status=0
    shift
    jobs=$(build_jobs)
    export NINJA_STATUS="[%f/%t %es] "
    if [ -t 1 ]; then
        ninja -C "$root/build/$preset" -j"$jobs" "$@" >&2 || status=$?
    else
        ninja -C "$root/build/$preset" -j"$jobs" "$@" 2>&1 | build_progress "$root/build/$preset.build.log" >&2
        status=${PIPESTATUS[0]}
    fi
    [ "$status" = 0 ] || fail "the build failed (preset $preset)"
}

build_progress() { # without a terminal: one line every 10 seconds, all of it when something went wrong
    local log=$1 line last=$SECONDS broken=0
    : >"$log"
    while IFS= read -r line; do
        printf '%s\n' "$line" >>"$log"
        case $line in
        \[*\]\ *)
            if [ $((SECONDS - last)) -ge 10 ]; then
                last=$SECONDS
                printf '  %s\n' "$line"
            fi
            [ $broken = 1 ] && broken=0 ;;
        *FAILED:*) broken=1; printf '%s\n' "$line" ;;
        *) [ $broken = 1 ] && printf '%s\n' "$line" ;;
        esac
    done
    return 0
}
