#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# The truncation sweep over every fixture: sweep.sh PROGRAM
set -euo pipefail
exec "$1" "$(dirname "$0")"/../pcap-fixtures/*.pcap*
