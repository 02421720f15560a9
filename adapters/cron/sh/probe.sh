# sb_probe: what this host is, one word and its value a line. It changes nothing.
sb_probe() {
  echo "home $HOME"
  echo "user ${LOGNAME:-`id -un`}"
  [ ! -w "$HOME" ] || echo "writable $HOME"
  for sb_file in sbsh sbpoll sbstart; do
    [ -f "$D/bin/$sb_file" ] || continue
    set -- `cksum <"$D/bin/$sb_file"`
    [ -x "$D/bin/$sb_file" ] && sb_x=x || sb_x=-
    echo "tool $sb_file $1.$2 $sb_x"
  done
  sb_pid=
  set -f
  for sb_pid in `{ ps -eo pid=,args= || ps -o pid,args; } 2>/dev/null |
    awk '$2 ~ /(^|\/)(cron|crond)$/ || ($2 ~ /busybox$/ && $3 == "crond") { print $1 }'`; do
    sb_args=`tr '\0' ' ' 2>/dev/null <"/proc/$sb_pid/cmdline"`
    echo "daemon ${sb_args:-$sb_pid}"
    sb_zone=`tr '\0' '\n' 2>/dev/null <"/proc/$sb_pid/environ" | sed -n 's/^TZ=:*//p'`
    [ -z "$sb_zone" ] || echo "tz $sb_zone"
    break
  done
  set +f
  sb_zone=`readlink -f /etc/localtime 2>/dev/null`
  [ -z "$sb_zone" ] || echo "localtime $sb_zone"
  [ ! -r /etc/timezone ] || echo "timezone `head -n 1 /etc/timezone`"
  sb_file=`command -v crontab`
  echo "crontab $sb_file"
  [ -z "$sb_file" ] || echo "realcrontab `readlink -f "$sb_file" 2>/dev/null`"
  echo "says `crontab -V 2>&1 </dev/null | head -n 1`"
  dpkg-query -W -f='package ${Package} ${Version} ${db:Status-Status}\n' cron cronie systemd-cron 2>/dev/null
  rpm -q --qf 'package %{NAME} %{VERSION}-%{RELEASE} installed\n' cronie 2>/dev/null | grep '^package '
  return 0
}
