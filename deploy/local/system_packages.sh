#!/usr/bin/env bash
# What the tests need beyond Python: Mosquitto, Chromium with Chinese fonts, debootstrap for a TimescaleDB, LibreOffice Calc.
# Root on Debian or Ubuntu gets them installed; anyone else is told what is missing, and those suites say so.
set -eu
export PATH="$PATH:/usr/sbin:/sbin"
missing=()
command -v mosquitto >/dev/null || missing+=(mosquitto)
command -v chromium >/dev/null || command -v google-chrome >/dev/null || missing+=(chromium)
command -v debootstrap >/dev/null || missing+=(debootstrap)
command -v soffice >/dev/null || missing+=(libreoffice-calc-nogui)
[ -d /usr/share/fonts/opentype/noto ] || missing+=(fonts-noto-cjk)
[ "${#missing[@]}" = 0 ] && exit 0
if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
  echo "── installing for the tests: ${missing[*]}"
  log=$(mktemp)
  # A service manager must not start the broker: the tests start their own on free ports.
  printf '#!/bin/sh\nexit 101\n' > /usr/sbin/policy-rc.d.parkcarbon && chmod +x /usr/sbin/policy-rc.d.parkcarbon
  [ -e /usr/sbin/policy-rc.d ] || { cp /usr/sbin/policy-rc.d.parkcarbon /usr/sbin/policy-rc.d; own=1; }
  rm -f /usr/sbin/policy-rc.d.parkcarbon
  { apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "${missing[@]}"; } >"$log" 2>&1 \
    || { echo "could not install: ${missing[*]}"; tail -n 5 "$log"; }
  [ -z "${own:-}" ] || rm -f /usr/sbin/policy-rc.d
else
  echo "── not installed here, so the tests that need them will say so: ${missing[*]}"
fi
