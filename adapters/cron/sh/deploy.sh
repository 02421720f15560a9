# sb_room: the file system of the home folder, for a look before anything is written.
sb_room() {
  df -P "$HOME" 2>/dev/null | sed -n '2s/^/df /p'
  df -Pi "$HOME" 2>/dev/null | sed -n '2s/^/inodes /p'
  sb_mount=`df -P "$HOME" 2>/dev/null | sed -n '2s/.*% *//p'`
  [ ! -r /proc/mounts ] || while read -r sb_dev sb_at sb_type sb_rest; do
    [ "$sb_at" != "$sb_mount" ] || echo "mount $sb_type"
  done </proc/mounts
  if [ -f "$D/backup/before-wrapper" ]; then
    set -- `cksum <"$D/backup/before-wrapper"`
    echo "before $1.$2"
  fi
  [ ! -f "$D/backup/before-wrapper.none" ] || echo "before none"
}

# sb_whole: whether everything that sb_folders makes is there.
sb_whole() {
  for sb_dir in bin spool live claim out tmp stop backup; do
    [ -d "$D/$sb_dir" ] || return 0
  done
  [ -s "$D/spool/id" ] && [ -s "$D/spool/lost" ] && sb_newest && echo "folders whole"
  return 0
}

# sb_folders: the folders of Signalbox. Nobody else may look in: commands may hold secrets.
sb_folders() {
  umask 077
  for sb_dir in bin spool live claim out tmp stop backup; do
    [ -d "$D/$sb_dir" ] || mkdir -p "$D/$sb_dir" || return 1
  done
  chmod 700 "$D" || return 1
  if [ ! -s "$D/spool/id" ]; then
    sb_utc
    sb_bootid
    printf '%s-%s\n' "`printf %s "${sb_now%%[.Z]*}" | tr -d ':-'`" "$$" >"$D/spool/id" || return 1
  fi
  [ -s "$D/spool/lost" ] || printf 'n=%08d first=%-20s last=%-20s .\n' 0 - - >"$D/spool/lost" || return 1
  sb_newest || : >"$D/spool/00000001.log"
}

# sb_put NAME MODE SUM: writes what comes on the input, checks it, and only then puts it in place. A
# program that runs keeps the old file.
sb_put() {
  cat >"$D/$1.new" && chmod "$2" "$D/$1.new" || { echo "failed cannot write $D/$1"; return 1; }
  sb_want=$3
  sb_name=$1
  set -- `cksum <"$D/$1.new"`
  if [ "$1.$2" = "$sb_want" ] && mv -f "$D/$sb_name.new" "$D/$sb_name"; then return 0; fi
  rm -f "$D/$sb_name.new"
  echo "failed cannot write $D/$sb_name: is the disk full?"
  return 1
}

# sb_check: whether the wrapper can be run at all, before cron is told to use it.
sb_check() {
  sb_said=`"$D/bin/sbsh" --signalbox-check 2>&1`
  [ "$sb_said" = "sbsh 1" ] || { echo "failed $D/bin/sbsh cannot be run: $sb_said"; return 1; }
}

# sb_remember STATE: keeps the table as it is before the wrapper, to compare with on removal.
sb_remember() {
  rm -f "$D/backup/before-wrapper" "$D/backup/before-wrapper.none"
  if [ "$1" = none ]; then : >"$D/backup/before-wrapper.none"; else crontab -l >"$D/backup/before-wrapper" 2>/dev/null; fi
}
