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

# sb_purge: deletes claims, outputs and backups that are older than 90 days, never younger ones; not
# more often than daily, and not if this clock and the asker's disagree about the day.
sb_purge() {
  [ "`date -u +%Y%m%d`" = "$sb_day" ] || return 0
  [ -z "`find "$D/purged" -mtime -1 2>/dev/null`" ] || return 0
  : >"$D/purged"
  for sb_dir in claim out backup stop tmp; do
    find "$D/$sb_dir/." ! -name . -prune -mtime +90 -exec rm -rf {} +
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
# No terminal and no descriptor of ours: the job must not notice when the connection ends. The answer
# comes through descriptor 9, which the runner closes before the job begins.
sb_detach=nohup
if command -v setsid >/dev/null 2>&1; then sb_detach=setsid; fi
sb_state=`$sb_detach env -i "$@" LOGNAME="$sb_user" SB_TOKEN="$sb_token" "$D/bin/sbsh" -c "$sb_text" <"$sb_in" 9>&1 >/dev/null 2>&1 &`
[ "$sb_in" = /dev/null ] || rm -f "$sb_in"
case $sb_state in
claimed* | noroom) sb_say "$sb_state" ;;
esac
[ ! -d "$D/claim/$sb_token" ] || sb_old
sb_say "unclear the runner ended without an answer"
