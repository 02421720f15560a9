# sb_showtable MARK: the user's crontab, byte for byte, and why it cannot be read if so.
sb_showtable() {
  printf '%s data table 0\n' "$1"
  crontab -l 2>/dev/null
  sb_rc=$?
  printf '\n%s done\n' "$1"
  [ $sb_rc = 0 ] || echo "table $sb_rc `crontab -l 2>&1 >/dev/null | head -n 1`"
}

# sb_poll MARK ID OLD OLD-OFFSET NEW NEW-OFFSET TABLE: what is new since a position. ID names the spool,
# - for none. OLD and NEW are the two newest generations that the asker has seen, and how far: what was
# late for the old one must not be missed. TABLE is the checksum of the crontab that the asker knows.
# It changes nothing.
sb_poll() {
  LC_ALL=C
  export LC_ALL
  sb_utc
  sb_bootid
  sb_table
  sb_id=
  { read -r sb_id <"$D/spool/id"; } 2>/dev/null
  sb_id=$sb_id
  sb_lostline=
  { read -r sb_lostline <"$D/spool/lost"; } 2>/dev/null
  sb_field n "x $sb_lostline"
  sb_lostn=$sb_value
  sb_write=0
  [ ! -w "$D/spool" ] || sb_write=1
  sb_gen=0 sb_first=0
  for sb_file in "$D"/spool/[0-9]*.log; do
    [ -f "$sb_file" ] || continue
    sb_gen=${sb_file##*/}
    sb_gen=${sb_gen%.log}
    [ "$sb_first" != 0 ] || sb_first=$sb_gen
  done
  echo "v=1 t=$sb_now boot=$sb_boot id=$sb_id gen=$sb_gen first=$sb_first w=$sb_write lost=${sb_lostn:-0} table=$sb_sum"
  [ "${sb_lostn:-0}" = 0 ] || [ "$sb_lostn" = 00000000 ] || echo "lost $sb_lostline"

  # A reader that does not know this spool, or has lost its place, needs to know what runs.
  sb_all=1
  if [ "$2" = "$sb_id" ]; then
    [ ! -f "$D/spool/$5.log" ] || sb_all=0
  fi
  sb_shown=0
  for sb_file in "$D"/live/*; do
    [ -f "$sb_file" ] || continue
    sb_line=
    { read -r sb_line <"$sb_file"; } 2>/dev/null
    sb_judge "$sb_line"
    case $sb_fate in
    never | torn) ;;
    alive) [ $sb_all = 0 ] || echo "alive $sb_line" ;;
    *) sb_shown=`expr $sb_shown + 1`
       [ $sb_shown -gt 20 ] || echo "$sb_fate $sb_line" ;;
    esac
  done

  sb_room=262144
  sb_seen=$sb_all
  for sb_file in "$D"/spool/[0-9]*.log; do
    [ -f "$sb_file" ] || continue
    sb_g=${sb_file##*/}
    sb_g=${sb_g%.log}
    sb_from=0
    if [ "$2" = "$sb_id" ]; then
      case $sb_g in
      "$3") sb_from=$4 sb_seen=1 ;;
      "$5") sb_from=$6 sb_seen=1 ;;
      esac
    fi
    # A file that is older than both was made again by a writer that came far too late.
    [ $sb_seen = 1 ] || continue
    sb_size=`wc -c <"$sb_file"`
    if [ $sb_size -lt "$sb_from" ]; then
      echo "shrunk $sb_g"
      sb_from=0
    fi
    [ $sb_size -gt "$sb_from" ] || continue
    sb_new=`expr $sb_size - "$sb_from"`
    if [ $sb_room -le 0 ]; then echo "more"; break; fi
    [ $sb_new -le $sb_room ] || echo "more"
    printf '%s data %s %s\n' "$1" "$sb_g" "$sb_from"
    tail -c +`expr "$sb_from" + 1` "$sb_file" | head -c $sb_room
    printf '\n%s done\n' "$1"
    sb_room=`expr $sb_room - $sb_new`
  done

  [ "$7" != "$sb_sum" ] || return 0
  sb_showtable "$1"
  return 0
}
