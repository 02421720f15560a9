#!/bin/sh
# crontab of a simulated cron host: no production program, see test/sim/README.md.
# Tables live below @VAR@; the simulator checks and installs them, asked through a fifo.
user='@USER@'
var='@VAR@'
tab="$var/tabs/$user"
new="$var/new.$$"
answer="$var/answer.$$"

usage() {
	echo "crontab: usage error: $1" >&2
	echo "usage:	crontab [-u user] [-n] file" >&2
	echo "	crontab [ -u user ] [ -i ] { -e | -l | -r }" >&2
	exit 1
}

none() {
	echo "no crontab for $user" >&2
	exit 1
}

# submit VERB NAME: have the table on standard input checked ("check") or installed ("install").
submit() {
	trap 'rm -f "$new" "$answer"' 0
	(umask 077 && cat >"$new") || exit 1
	mkfifo "$answer" || exit 1
	exec 4<>"$answer"
	echo "$1 $$" >"$var/ask"
	IFS= read -r verdict <&4
	case $verdict in
	ok) [ "$1" = install ] || echo "The syntax of the crontab file was successfully checked." >&2 ;;
	bad*)
		echo "\"$2\":${verdict#bad }" >&2
		echo "errors in crontab file, can't install." >&2
		exit 1
		;;
	*)
		echo "$verdict" >&2
		exit 1
		;;
	esac
	exit 0
}

verb=install
op=
while [ $# -gt 0 ]; do
	case $1 in
	-l | -r | -e) op=$1 ;;
	-n) verb=check ;;
	-i) ;;
	-u)
		[ "$2" = "$user" ] || {
			echo "must be privileged to use -u" >&2
			exit 1
		}
		shift
		;;
	-?*)
		echo "crontab: invalid option -- '${1#-}'" >&2
		usage "unrecognized option"
		;;
	*) break ;;
	esac
	shift
done

case $op in
-l)
	[ $# -eq 0 ] || usage "no arguments permitted after this option"
	[ -f "$tab" ] || none
	exec cat "$tab"
	;;
-r)
	[ $# -eq 0 ] || usage "no arguments permitted after this option"
	[ -f "$tab" ] || none
	exec rm -f "$tab"
	;;
-e) usage "the simulator has no editor" ;;
esac
[ $# -eq 1 ] || usage "file name must be specified for replace"
if [ "$1" = - ]; then
	submit "$verb" -
fi
[ -r "$1" ] || {
	echo "$1: No such file or directory" >&2
	exit 1
}
exec <"$1"
submit "$verb" "$1"
