#!/bin/sh
# sbstart MARK TOKEN TABLE DAY - starts a job at most once for TOKEN, however often it is asked: the
# runner itself takes the claim. The request stands on the input, one line each, the first letter says
# what: c command, e environment NAME=value, i line of the job's own input, and last ".MARK"; without
# that line nothing happens. TABLE is the checksum of the crontab that the request was made from, DAY
# (YYYYMMDD, UTC) today for the asker.
D=${0%/bin/*}
PATH=$PATH:/usr/bin:/bin:/usr/sbin:/sbin
#include lib.sh
sb_mark=$1 sb_token=$2 sb_know=$3 sb_day=$4

# sb_say WORDS: answers and ends.
sb_say() {
  printf '%s\n\n%s end 0\n' "$1" "$sb_mark"
  exit 0
}

# sb_old: answers with what is known of a token that is claimed already.
sb_old() {
  sb_line=
  { read -r sb_line <"$D/claim/$sb_token/run"; } 2>/dev/null
  sb_say "known $sb_line"
}

# sb_purge: deletes claims, outputs and backups that are older than 90 days, never younger claims; and
# the oldest outputs above 500. Not more often than daily, and not if this clock and the asker's
# disagree about the day.
sb_purge() {
  [ "`date -u +%Y%m%d`" = "$sb_day" ] || return 0
  [ -z "`find "$D/purged" -mtime -1 2>/dev/null`" ] || return 0
  : >"$D/purged"
  for sb_dir in claim out backup stop tmp; do
    find "$D/$sb_dir/." ! -name . -prune -mtime +90 -exec rm -rf {} +
  done
  set -- "$D"/out/*
  while [ $# -gt 500 ]; do
    rm -f "$1"
    shift
  done
} 2>/dev/null

echo "$sb_mark begin"
case $sb_token in '' | *[!A-Za-z0-9-]*) sb_say "refused this is no token" ;; esac
sb_whole= sb_text= sb_input= sb_home=$HOME
sb_user=${LOGNAME:-`id -un`}
set -- HOME="$HOME"
while IFS= read -r sb_line; do
  case $sb_line in
  c*) sb_text=${sb_line#c} ;;
  eHOME=*) sb_home=${sb_line#eHOME=}; set -- "$@" "HOME=$sb_home" ;;
  e*) set -- "$@" "${sb_line#e}" ;;
  i*) sb_input="$sb_input${sb_line#i}
" ;;
  ".$sb_mark") sb_whole=yes; break ;;
  esac
done
[ -n "$sb_whole" ] || sb_say "refused the request is cut off"

[ ! -d "$D/claim/$sb_token" ] || sb_old
sb_table
[ "$sb_sum" = "$sb_know" ] || sb_say changed
cd "$sb_home" 2>/dev/null || sb_say "refused cannot change to the folder $sb_home"
sb_purge
sb_in=/dev/null
if [ -n "$sb_input" ]; then
  sb_in=$D/tmp/i.$$
  { printf %s "$sb_input" >"$sb_in"; } 2>/dev/null || { rm -f "$sb_in"; sb_say noroom; }
fi
sb_detach=`command -v setsid || command -v nohup`
sb_setter=`command -v env`
sb_wrapper=$D/bin/sbsh

# sb_become SETTING...: becomes the runner with exactly these settings. They are exported rather than
# given to env, since everybody on the host may read a command line; but for names that sh cannot set.
sb_become() {
  for sb_name in `env | sed -n 's/^\([A-Za-z_][A-Za-z0-9_]*\)=.*/\1/p'`; do
    case $sb_name in sb_*) ;; *) unset "$sb_name" ;; esac
  done
  sb_count=$#
  while [ $sb_count -gt 0 ]; do
    case ${1%%=*} in
    -*) ;;
    '' | [0-9]* | *[!A-Za-z0-9_]* | UID | EUID | PPID | BASHOPTS | SHELLOPTS) set -- "$@" "$1" ;;
    *) export "$1" ;;
    esac
    shift
    sb_count=$((sb_count - 1))
  done
  exec "$sb_detach" "$sb_setter" "$@" "$sb_wrapper" -c "$sb_text"
}

# No terminal and no descriptor of ours: the job must not notice when the connection ends. The answer
# comes through descriptor 9, which the runner closes before the job begins.
sb_state=`sb_become "$@" LOGNAME="$sb_user" SB_TOKEN="$sb_token" <"$sb_in" 9>&1 >/dev/null 2>&1 &`
[ "$sb_in" = /dev/null ] || rm -f "$sb_in"
case $sb_state in
claimed* | noroom) sb_say "$sb_state" ;;
esac
[ ! -d "$D/claim/$sb_token" ] || sb_old
sb_say "unclear the runner ended without an answer"
