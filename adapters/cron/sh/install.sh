# sb_crontab: whether the table can be read, into sb_state: ok, none, or broken with the reason in
# sb_said; its checksum into sb_sum.
sb_crontab() {
  sb_said=`crontab -l 2>&1 >/dev/null`
  sb_rc=$?
  sb_state=ok
  if [ $sb_rc -ne 0 ]; then
    case $sb_said in
    *'no crontab'* | *'No such file'*) sb_state=none ;;
    *) sb_state=broken ;;
    esac
  fi
  sb_table
}

# sb_install OLD NEW: replaces the table with checksum OLD by what sb_newtable prints, which has
# checksum NEW, and reads it back: "installed", "changed" (it is not OLD any more), "refused" and
# "broken" with cron's words, "mismatch". A copy of the old one is kept first. NEW "none" removes it.
sb_install() {
  sb_crontab
  case $sb_state in
  broken) echo "broken $sb_said"; return ;;
  none) sb_sum=none ;;
  esac
  [ "$sb_sum" = "$1" ] || { echo changed; return; }
  [ "$1" != "$2" ] || { echo installed; return; }
  if [ "$sb_sum" != none ] && [ -d "$D/backup" ]; then
    sb_utc
    sb_copy=$D/backup/crontab.`printf %s "${sb_now%%[.Z]*}" | tr -d ':-'`Z
    crontab -l >"$sb_copy" 2>/dev/null
    set -- "$1" "$2" `cksum <"$sb_copy"`
    [ "$3.$4" = "$1" ] || { rm -f "$sb_copy"; echo "broken cannot keep a copy of the crontab: is the disk full?"; return; }
  fi
  if [ "$2" = none ]; then
    sb_said=`crontab -r 2>&1` || { echo "refused $sb_said"; return; }
  else
    sb_said=`sb_newtable | crontab - 2>&1` || { echo "refused $sb_said" | tr '\n' ' '; echo; return; }
  fi
  sb_crontab
  [ "$sb_state" != none ] || sb_sum=none
  if [ "$sb_sum" = "$2" ]; then echo installed; else echo "mismatch $sb_sum"; fi
}
