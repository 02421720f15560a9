#!/bin/sh
# A crontab command for tests: keeps the table in $HOME/.crontab and answers like Debian's. It counts
# its calls that change something in $HOME/.crontab-changes, so that a test can prove there were none.
# A file $HOME/.crontab-broken makes every call fail with its text; $HOME/.crontab-deny refuses.
f=$HOME/.crontab
me=`id -un`
if [ -f "$f-broken" ]; then cat "$f-broken" >&2; exit 1; fi
if [ -f "$f-deny" ]; then
  echo "You ($me) are not allowed to use this program (crontab)" >&2
  echo "See crontab(1) for more information" >&2
  exit 1
fi
case $1 in
-l)
  if [ ! -f "$f" ]; then echo "no crontab for $me" >&2; exit 1; fi
  cat "$f" ;;
-r)
  echo "remove" >>"$f-changes"
  rm -f "$f" ;;
-)
  echo "install" >>"$f-changes"
  cat >"$f.new.$$" || exit 1
  if [ -s "$f.new.$$" ] && [ -n "`tail -c 1 "$f.new.$$"`" ]; then
    echo "new crontab file is missing newline before EOF, can't install." >&2
    rm -f "$f.new.$$"
    exit 1
  fi
  mv -f "$f.new.$$" "$f" ;;
*)
  echo "crontab: usage error: unrecognized option" >&2
  exit 1 ;;
esac
