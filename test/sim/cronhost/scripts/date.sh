#!/bin/sh
# date of a simulated cron host whose clock is off: no production program, see test/sim/README.md.
# Only "now" is shifted; with a date of the caller's own (-d, -r, -s, -f) the real program answers.
for a; do
	case $a in
	-d* | -r* | -s* | -f* | -u[drsf]* | --d* | --ref* | --s* | --f*) exec '@DATE@' "$@" ;;
	esac
done
read -r offset <'@OFFSET@' || offset=0
exec '@DATE@' -d "$offset seconds" "$@"
