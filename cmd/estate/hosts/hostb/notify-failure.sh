#!/bin/sh
# notify-failure tells people that the extract let them down.
set -eu
echo "$(date -u +%Y-%m-%dT%H:%M:%SZ) the extract on hosta failed: today's orders are not complete" >>"$SHARED/alerts.txt"
echo "notify-failure: $(wc -l <"$SHARED/alerts.txt") alerts so far"
