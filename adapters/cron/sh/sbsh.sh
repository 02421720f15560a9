#!/bin/sh
# sbsh - the shell that cron uses for the jobs of this crontab. It runs the job in the real shell and
# leaves a trace of its start and end. Installed by Signalbox, see README beside the spool.
#
# Rule 1: the job runs, with its own input, output, environment and exit status, whatever happens to
# the trace. Only a run that Signalbox itself asked for (SB_TOKEN) needs its claim first, since it must
# not run twice.
#
# A shell that is killed by signal n is seen by cron as exit status 128+n: sh cannot tell the two apart.
[ "$1" != --signalbox-check ] || { echo "sbsh 1"; exit 0; }
D=${0%/bin/*}
sb_real=${SB_SHELL:-/bin/sh}
case $sb_real in */sbsh) sb_real=/bin/sh ;; esac
SHELL=$sb_real
export SHELL
sb_name=${SB_JOB-} sb_token=${SB_TOKEN-}
unset SB_JOB SB_SHELL SB_TOKEN
if [ $# -ne 2 ] || [ "$1" != -c ]; then exec "$sb_real" "$@"; fi
sb_text=$2
sb_limit=1048576 # bytes of one generation of the spool
sb_keep=65536    # bytes of output that are kept of a run with a token
sb_path=${PATH-} sb_pathset=${PATH+set}
PATH=/usr/bin:/bin:/usr/sbin:/sbin:$PATH
#include lib.sh

# sb_identify: who this run is, into sb_run and sb_base.
sb_identify() {
  sb_bootid
  sb_stat $$
  sb_leader=$sb_group
  sb_me=$$.$sb_ticks
  set -- `printf %s "$sb_text" | cksum 2>/dev/null`
  sb_check=${1:-0}.${2:-0}
  sb_second=${sb_start%%[.Z]*}
  sb_run=-$$-${1:-0}-${sb_boot%%-*}
  sb_ifs=$IFS
  IFS=:T-
  set -- $sb_second
  IFS=$sb_ifs
  sb_run=$1$2$3T$4$5$6Z$sb_run
  sb_live=$D/live/$sb_run
  case $sb_name in *'
'*) sb_name= ;; esac
  [ ${#sb_name} -le 250 ] || sb_name=
  sb_cause=schedule
  [ -z "$sb_token" ] || sb_cause=bridge
}

# sb_record TYPE EXTRA: one record into sb_line. All of a run's records repeat what is known of it.
sb_record() {
  sb_utc
  sb_line="sb1 $1 r=$sb_run ck=$sb_check s=$sb_start t=$sb_now c=$sb_cause k=${sb_token:--} b=$sb_boot p=$sb_me q=$sb_job$2 j=$sb_name ."
}

# sb_alight: the live file, with room to take more, and the end, in place when the disk is full.
sb_alight() {
  sb_record s ''
  if [ -f "$sb_live" ]; then
    { printf '%s\n' "$sb_line" 1<>"$sb_live"; } 2>/dev/null
    return
  fi
  { printf '%s\n%80s\n' "$sb_line" '' >"$sb_live"; } 2>/dev/null || { rm -f "$sb_live" 2>/dev/null; return 1; }
}

# sb_forward: passes a signal on to the job; a stop that Signalbox asked for goes to everything that the
# job has started.
sb_forward() {
  [ -n "$sb_pid" ] || return 0
  if [ "$sb_signal" = TERM ] && [ -f "$D/stop/$sb_run" ] && [ "$sb_leader" = $$ ]; then
    trap '' TERM
    kill -TERM 0
    trap 'sb_signal=TERM; sb_forward' TERM
  else
    kill -"$sb_signal" "$sb_pid" 2>/dev/null
  fi
}

# sb_lost: notes that a record could not be kept. The file has its size already, so this needs no room
# on the disk.
sb_lost() {
  sb_utc
  sb_stamp=${sb_now%%[.Z]*}Z
  {
    read -r sb_line <"$D/spool/lost"
    sb_field n "x $sb_line"
    sb_count=`expr "$sb_value" + 1`
    sb_field first "x $sb_line"
    [ "$sb_value" != - ] && sb_first=$sb_value || sb_first=$sb_stamp
    printf 'n=%08d first=%-20s last=%-20s .\n' "$sb_count" "$sb_first" "$sb_stamp" 1<>"$D/spool/lost"
  } 2>/dev/null
}

# sb_rotate: begins a new generation when this one is full, and keeps the last two.
sb_rotate() {
  sb_size=`wc -c <"$sb_log" 2>/dev/null`
  [ "${sb_size:-0}" -gt $sb_limit ] 2>/dev/null || return 0
  sb_old=${sb_log##*/}
  sb_next=`expr "${sb_old%.log}" + 1`
  sb_next=$D/spool/`printf %08d "$sb_next"`.log
  ( set -C; : >"$sb_next" ) 2>/dev/null || return 0
  for sb_file in "$D"/spool/[0-9]*.log; do
    case $sb_file in "$sb_next" | "$sb_log") ;; *) rm -f "$sb_file" ;; esac
  done
}

# sb_tidy: writes down what became of runs whose runner was killed.
sb_tidy() {
  for sb_file in "$D"/live/*; do
    [ -f "$sb_file" ] && [ "$sb_file" != "$sb_live" ] || continue
    sb_line=
    { read -r sb_line <"$sb_file"; } 2>/dev/null
    sb_judge "$sb_line"
    case $sb_fate in
    alive | orphan | torn) continue ;;
    never) rm -f "$sb_file"; continue ;;
    ended) ;;
    *) sb_line="sb1 l ${sb_line#sb1 s }"
       sb_line="${sb_line%% j=*} f=$sb_fate j=${sb_line#* j=}" ;;
    esac
    sb_mine=$D/tmp/${sb_file##*/}.$$
    mv "$sb_file" "$sb_mine" 2>/dev/null || continue
    if sb_append "$sb_line"; then rm -f "$sb_mine"; else mv "$sb_mine" "$sb_file" 2>/dev/null; fi
  done
}

# sb_answer WORD: tells whoever asked for this run (sbstart) what became of the asking.
sb_answer() { { printf '%s\n' "$1" >&9; } 2>/dev/null; exec 9>&-; }

# sb_go: becomes the job. Shells start what runs in the background with INT and QUIT ignored, and some
# cannot undo it; env can, where it is new enough.
sb_go() {
  exec 3<&- 9>&-
  sb_env=
  if env --default-signal=INT,QUIT true 2>/dev/null; then sb_env=`command -v env`; fi
  if [ -n "$sb_pathset" ]; then PATH=$sb_path; else unset PATH; fi
  trap - HUP INT QUIT TERM USR1 USR2
  if [ -n "$sb_env" ]; then exec "$sb_env" --default-signal=INT,QUIT "$sb_real" -c "$sb_text"; fi
  exec "$sb_real" -c "$sb_text"
}

sb_utc
sb_start=$sb_now
sb_pid= sb_job= sb_signal= sb_run=
for sb_s in HUP INT QUIT TERM USR1 USR2; do trap "sb_signal=$sb_s; sb_forward" $sb_s; done
if { [ x ] 3<&0; } 2>/dev/null; then exec 3<&0; else exec 3</dev/null; fi

if [ -n "$sb_token" ]; then
  sb_identify
  sb_claim=$D/claim/$sb_token
  sb_alight || { sb_answer noroom; exit 0; }
  if mkdir "$sb_claim" 2>/dev/null; then
    { printf '%s\n' "$sb_line" >"$sb_claim/run"; } 2>/dev/null
    sb_answer "claimed $sb_line"
  else
    rm -f "$sb_live"
    if [ -d "$sb_claim" ]; then sb_answer taken; else sb_answer noroom; fi
    exit 0
  fi
  sb_pipe=$D/tmp/p.$$
  if mkfifo "$sb_pipe" 2>/dev/null; then
    # Both ends at once first: no open may ever block.
    exec 4<>"$sb_pipe" 5<"$sb_pipe" 6>"$sb_pipe" 4>&-
    rm -f "$sb_pipe"
    ( trap '' PIPE HUP INT TERM; exec tail -c $sb_keep <&5 >"$D/out/$sb_run" 2>/dev/null 3<&- 5<&- 6>&- ) &
    sb_tail=$!
    sb_go <&3 >&6 2>&1 5<&- 6>&- &
    sb_pid=$!
    exec 5<&- 6>&-
  else
    sb_tail=
    sb_go <&3 &
    sb_pid=$!
  fi
else
  sb_go <&3 &
  sb_pid=$!
fi
exec 3<&-
[ -z "$sb_signal" ] || sb_forward

# From here on the job runs. What the shell says about its end is not for cron's mail.
[ ! -w /dev/null ] || exec </dev/null >/dev/null 2>&1
[ -n "$sb_run" ] || sb_identify
sb_stat $sb_pid
sb_job=$sb_pid.$sb_ticks
sb_kept=
if sb_alight; then
  sb_kept=yes
  sb_append "$sb_line"
fi

while :; do
  sb_signal=
  wait $sb_pid
  sb_rc=$?
  [ -n "$sb_signal" ] || break
  kill -0 $sb_pid 2>/dev/null && continue # only the waiting was interrupted
  wait $sb_pid
  sb_again=$?
  [ $sb_again -eq 127 ] || sb_rc=$sb_again
  break
done
[ $sb_rc -le 256 ] || sb_rc=`expr $sb_rc - 128` # ksh93 says 256+n
for sb_s in HUP INT QUIT TERM USR1 USR2; do trap '' $sb_s; done

if [ -n "$sb_token" ] && [ -n "$sb_tail" ]; then
  # What the job started may hold its output open: two seconds, then its end counts without it.
  trap : USR1
  ( trap - USR1; sleep 2; kill -USR1 $$ ) &
  sb_dog=$!
  wait $sb_tail
  kill $sb_dog
  trap '' USR1
fi
sb_killed=0
[ $sb_rc -le 128 ] || sb_killed=`expr $sb_rc - 128`
sb_stop=0
[ ! -f "$D/stop/$sb_run" ] || { sb_stop=1; rm -f "$D/stop/$sb_run"; }
sb_record e " rc=$sb_rc sig=$sb_killed stop=$sb_stop"
if sb_append "$sb_line"; then
  [ -z "$sb_kept" ] || rm -f "$sb_live"
elif [ -n "$sb_kept" ] && printf '%s\n' "$sb_line" 1<>"$sb_live"; then
  :
else
  sb_lost
fi
sb_tidy
sb_rotate
exit $sb_rc
