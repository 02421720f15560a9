# sb_readlog RUN LIMIT: the end of a run's output between marks, or "none".
sb_readlog() {
  sb_live=over
  [ ! -f "$D/live/$1" ] || sb_live=live
  [ -f "$D/out/$1" ] || { echo none; return; }
  echo "$sb_live `wc -c <"$D/out/$1"`"
  printf '%s data out 0\n' "$sb_mark"
  tail -c "$2" "$D/out/$1"
  printf '\n%s done\n' "$sb_mark"
}
