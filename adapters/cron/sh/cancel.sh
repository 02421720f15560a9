# sb_cancel RUN: asks a run to stop: "sent", "over", or "unknown" if there is no trace of it.
sb_cancel() {
  sb_bootid
  sb_line=
  { read -r sb_line <"$D/live/$1"; } 2>/dev/null
  if [ -z "$sb_line" ]; then
    if grep " r=$1 " "$D"/spool/*.log >/dev/null 2>&1; then echo over; else echo unknown; fi
    return
  fi
  sb_judge "$sb_line"
  case $sb_fate in
  alive)
    { : >"$D/stop/$1"; } 2>/dev/null
    sb_field p "$sb_line" ;;
  orphan)
    sb_field q "$sb_line" ;;
  *) echo over; return ;;
  esac
  if kill -TERM "${sb_value%%.*}" 2>/dev/null; then echo sent; else echo over; fi
}
