# shellcheck shell=bash
# The web libraries of package.json (the map, the API page), in node_modules; for tests with what checks the scripts.

set_up_web() { # runtime | test
    local hash installed leave_out=()
    [[ $1 == runtime ]] || set_up_browser
    hash=$(cat package.json package-lock.json | sha256sum | cut -d' ' -f1)
    installed=$(cat node_modules/.installed 2>/dev/null || true)
    [[ $installed != "$hash $1" && $installed != "$hash test" ]] || return 0 # what tests need holds the rest too
    if ! npm_works; then
        if ((EUID == 0)) || sudo -n true 2>/dev/null; then
            install_packages nodejs npm
        else
            say "npm is missing, so the map page will stay empty. To have it:  sudo apt-get install -y nodejs npm"
            return 0
        fi
    fi
    say "Installing the web libraries"
    # npm ci empties node_modules first, and with it the old stamp
    [[ $1 == test ]] || leave_out=(--omit=dev)
    step npm "Check the network, then run this again." \
        npm ci --ignore-scripts --no-audit --no-fund --no-update-notifier "${leave_out[@]}"
    printf '%s' "$hash $1" >node_modules/.installed
}

# Tests look at the pages in Debian's Chromium; tests of the browser are skipped where it cannot be had.
set_up_browser() {
    ! command -v chromium >/dev/null || return 0
    if ((EUID == 0)) || sudo -n true 2>/dev/null; then
        install_packages chromium
    else
        say "Chromium is missing, so the pages are not tried in it. To have it:  sudo apt-get install -y chromium"
    fi
}

npm_works() { npm --version >/dev/null 2>&1; }
