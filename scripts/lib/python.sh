# shellcheck shell=bash
# Finds a Python, makes .venv with it, installs the pinned packages there, and compiles the planner's search.

# The interpreter behind a name, if it is one we can use (3.12 or newer, the usual build).
usable_python() { # NAME-OR-PATH
    "$1" -I -c '
import sys, sysconfig
if sys.version_info < (3, 12) or sysconfig.get_config_var("Py_GIL_DISABLED"):
    sys.exit(1)
print(getattr(sys, "_base_executable", sys.executable))' 2>/dev/null
}

# Sets python: from PATH, from pyenv, else fetched by uv.
find_python() {
    local candidate
    local candidates=(python3.12 python3.13 python3.14)
    # HOME may be an empty folder of the moment while pyenv lives in the account's own.
    local roots=("$real_home/.pyenv" "$account_home/.pyenv")
    [[ -z ${PYENV_ROOT:-} ]] || roots=("$PYENV_ROOT")
    for candidate in "${roots[@]}"; do
        candidates+=("$candidate"/versions/3.1[2-9]*/bin/python3)
    done
    for candidate in "${candidates[@]}" python3 python; do
        ! python=$(usable_python "$candidate") || return 0
    done
    python_from_uv || die "no Python 3.12 or newer was found (on PATH or in pyenv), and none could be fetched" \
        "Install one, then run this again:" \
        "  Debian 13, Ubuntu 24.04:   sudo apt-get install -y python3 python3-venv" \
        "  Debian 12, Ubuntu 22.04:   pyenv install 3.12    or    uv python install 3.12"
}

# Sets uv: the user's own, else one that pip puts into a private folder.
find_uv() {
    local candidate
    for candidate in uv "$real_home/.local/bin/uv" "$account_home/.local/bin/uv" "$LOCAL/uv/bin/uv"; do
        ! uv=$(command -v "$candidate") || return 0
    done
    python3 -m pip --version >/dev/null 2>&1 || return 1
    run python3 -m pip install --quiet --target "$LOCAL/uv" uv >"$LOG/uv.log" 2>&1 || return 1
    uv=$LOCAL/uv/bin/uv
}

python_from_uv() {
    find_uv || return 1
    say "No Python 3.12 or newer here: letting uv fetch one"
    run "$uv" python install 3.12 >"$LOG/uv.log" 2>&1 || return 1
    python=$(usable_python "$("$uv" python find 3.12)")
}

# Debian ships venv without ensurepip unless python3.X-venv is installed.
make_venv() {
    local version
    say "Making .venv with $python"
    rm -rf .venv
    if ! "$python" -I -c 'import ensurepip' 2>/dev/null; then
        if find_uv; then
            step venv "Remove .venv and run this again." "$uv" venv --quiet --seed --python "$python" .venv
            return
        fi
        version=$("$python" -I -c 'import sys; print("python%d.%d" % sys.version_info[:2])')
        [[ $python == /usr/bin/* ]] || die "$python has no ensurepip" "Use a complete Python, or install uv."
        install_packages "$version-venv"
    fi
    step venv "Remove .venv and run this again." "$python" -m venv .venv
}

# A venv is kept only where it was made: its programs name its path.
venv_is_sound() {
    [[ -x .venv/bin/python ]] || return 1
    [[ ! -e .venv/.made-for || $(<.venv/.made-for) == "$ROOT" ]] || return 1
    usable_python .venv/bin/python >/dev/null && .venv/bin/python -m pip --version >/dev/null 2>&1
}

# One hash for what a set of packages depends on.
packages_hash() { # runtime | test
    local files=(requirements.txt)
    [[ $1 == runtime ]] || files+=(tests/requirements.txt)
    { printf '%s\n' "$ROOT"; readlink .venv/bin/python; cat "${files[@]}"; } | sha256sum | cut -d' ' -f1
}

# .venv/.installed names what was installed to the end; it is gone while an installation runs.
set_up_python() { # runtime | test
    local file=requirements.txt
    [[ $1 == runtime ]] || file=tests/requirements.txt
    [[ -r $file ]] || die "$file is missing" "The checkout is not complete: git checkout $file"
    export VIRTUAL_ENV=$ROOT/.venv PATH=$ROOT/.venv/bin:$PATH

    [[ -x .venv/bin/python && -e .venv/.installed ]] && grep -qx "$1 $(packages_hash "$1")" .venv/.installed && return 0
    if ! venv_is_sound; then
        find_python
        make_venv
    fi
    rm -f .venv/.installed
    printf '%s' "$ROOT" >.venv/.made-for
    say "Installing the Python packages of $file (a minute or two the first time)"
    step pip "Check the network, then run this again: it goes on where it stopped." \
        .venv/bin/python -m pip install --no-input --disable-pip-version-check --progress-bar off -r "$file"
    {
        echo "runtime $(packages_hash runtime)"
        [[ $1 == runtime ]] || echo "test $(packages_hash test)"
    } >.venv/.installed.new
    mv .venv/.installed.new .venv/.installed
}

# Compile the search once for these sources and packages, so that nobody's first plan waits for it.
set_up_kernel() {
    local hash filled=$NUMBA_CACHE_DIR/.filled
    hash=$({ packages_hash runtime; cat routing/*.py routing/kernel/*.py; } | sha256sum | cut -d' ' -f1)
    [[ ! -e $filled || $(<"$filled") != "$hash" ]] || return 0
    say "Compiling the planner's search (about a minute the first time)"
    step kernel "See the log above." .venv/bin/python -c 'from routing.solver import warm_up; warm_up()'
    printf '%s' "$hash" >"$filled"
}
