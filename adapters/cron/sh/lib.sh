# Shared by all programs of Signalbox on this host. Results are left in variables that begin with sb_,
# which costs no process. D is the folder of Signalbox; every program sets it first.

# sb_utc: the time in UTC, with a fraction of the second where date can, into sb_now.
sb_utc() {
  sb_now=`date -u +%Y-%m-%dT%H:%M:%S.%NZ 2>/dev/null`
  case $sb_now in
  '' | *[!0-9TZ:.-]*) sb_now=`date -u +%Y-%m-%dT%H:%M:%SZ 2>/dev/null` ;;
  esac
}

# sb_bootid: what changes with every boot, into sb_boot.
sb_bootid() {
  sb_boot=
  { read -r sb_boot </proc/sys/kernel/random/boot_id; } 2>/dev/null ||
    sb_boot=`who -b 2>/dev/null | tr -cs 'A-Za-z0-9:\n' '-'`
  sb_boot=${sb_boot:-unknown}
}

# sb_stat PID: start time into sb_ticks and process group into sb_group; false if there is no such
# process, if it is a zombie, or if the system does not tell.
sb_stat() {
  sb_ticks= sb_group=
  sb_stat_line=
  { read -r sb_stat_line </proc/"$1"/stat; } 2>/dev/null || return 1
  set -- ${sb_stat_line##*) }
  [ "$1" != Z ] && [ $# -ge 20 ] || return 1
  sb_group=$3
  shift 19
  sb_ticks=$1
}

# sb_alive PID.TICKS NAME: whether this very process is still there, not another one with its number.
# Where the system does not tell start times, NAME must stand in its command line; no NAME trusts the
# number.
sb_alive() {
  case $1 in '' | .* | *[!0-9.]*) return 1 ;; esac
  if [ -r /proc/self/stat ]; then
    sb_stat "${1%%.*}" && [ "$sb_ticks" = "${1#*.}" ]
    return
  fi
  kill -0 "${1%%.*}" 2>/dev/null || return 1
  [ -z "$2" ] || ps -p "${1%%.*}" -o args= 2>/dev/null | grep "$2" >/dev/null
}

# sb_field NAME RECORD: the value of a field, which holds no blanks, into sb_value.
sb_field() {
  case $2 in
  *" $1="*)
    sb_value=${2#*" $1="}
    sb_value=${sb_value%% *} ;;
  *) sb_value= ;;
  esac
}

# sb_judge RECORD: what became of the run whose live file holds RECORD, into sb_fate: alive, orphan
# (the runner is gone, the job is not), gone, reboot, ended (the record is its end, for which the spool
# had no room), never (it lost its token to another runner, or died before it had it).
sb_judge() {
  case $1 in
  'sb1 e '*' .') sb_fate=ended; return ;;
  'sb1 s '*' .') ;;
  *) sb_fate=torn; return ;;
  esac
  sb_field b "$1"
  if [ "$sb_value" != "$sb_boot" ]; then
    sb_fate=reboot
  else
    sb_field p "$1"
    if sb_alive "$sb_value" sbsh; then sb_fate=alive; return; fi
    sb_field q "$1"
    if sb_alive "$sb_value" ''; then sb_fate=orphan; else sb_fate=gone; fi
  fi
  sb_field k "$1"
  [ "$sb_value" != - ] || return 0
  sb_claim=$D/claim/$sb_value
  sb_field r "$1"
  [ -d "$sb_claim" ] || { sb_fate=never; return; }
  sb_owner=
  { read -r sb_owner <"$sb_claim/run"; } 2>/dev/null
  case $sb_owner in
  '' | *" r=$sb_value "*) ;;
  *) sb_fate=never ;;
  esac
}

# sb_newest: the newest generation of the spool into sb_log; false if there is none.
sb_newest() {
  sb_log=
  for sb_file in "$D"/spool/[0-9]*.log; do sb_log=$sb_file; done
  [ -f "$sb_log" ]
}

# sb_append RECORD: adds one record in one write. It begins with a line feed, so that a record before it
# that was torn by a full disk spoils only itself; and ends with a dot, so that a torn one is seen.
sb_append() {
  sb_newest || sb_log=$D/spool/00000001.log
  { printf '\n%s\n' "$1" >>"$sb_log"; } 2>/dev/null
}

# sb_table: checksum of the user's crontab into sb_sum.
sb_table() {
  set -- `crontab -l 2>/dev/null | cksum`
  sb_sum=$1.$2
}
