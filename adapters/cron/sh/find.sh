# sb_find TOKEN: what became of a start: "present RECORD", "claimed" (the claim is there, its run is not
# told), "underway" (not claimed yet, but a process carries the token), "nowhere" (there is no folder of
# claims to look in), "absent". It changes nothing.
sb_find() {
  [ -d "$D/claim" ] || { echo nowhere; return; }
  # The processes first: a runner that claims and ends between two looks has left its claim.
  sb_under=
  for sb_file in `grep -ls "SB_TOKEN=$1" /proc/[0-9]*/environ 2>/dev/null`; do sb_under=$sb_file; done
  if ps -eo args= 2>/dev/null | grep "sbstart [a-z0-9]* $1 " | grep -v grep >/dev/null; then sb_under=ps; fi
  if [ -d "$D/claim/$1" ]; then
    sb_line=
    { read -r sb_line <"$D/claim/$1/run"; } 2>/dev/null
    [ -n "$sb_line" ] || sb_line=`grep -h " k=$1 " "$D"/live/* 2>/dev/null | head -n 1`
    [ -n "$sb_line" ] || sb_line=`grep -h " k=$1 " "$D"/spool/*.log 2>/dev/null | head -n 1`
    if [ -n "$sb_line" ]; then echo "present $sb_line"; else echo claimed; fi
  elif [ -n "$sb_under" ]; then
    echo underway
  else
    echo absent
  fi
}
