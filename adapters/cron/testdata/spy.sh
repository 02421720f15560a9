#!/bin/sh
# Stands between sshd and the commands of the adapter (ForceCommand), and spoils the answers as the test
# asks: $1 is the folder in which the test says how.
mode=`cat "$1/mode" 2>/dev/null`
case $mode in
truncated)
  /bin/sh -c "$SSH_ORIGINAL_COMMAND" | head -c 60 ;;
garbage)
  cat >/dev/null
  echo 'sb0123456789abcdef begin'
  echo '%%% 5 lorem ipsum' ;;
dropped)
  /bin/sh -c "$SSH_ORIGINAL_COMMAND" >/dev/null 2>&1
  kill -9 $PPID ;;
*)
  exec /bin/sh -c "$SSH_ORIGINAL_COMMAND" ;;
esac
