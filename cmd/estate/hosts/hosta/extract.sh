#!/bin/sh
# extract writes the orders of the last period as CSV, for the load on the other host. It takes 2 to 4
# seconds, and every fifth time the database lets it down.
set -eu
mkdir -p "$HOME/state" "$SHARED/outgoing"
n=$(($(cat "$HOME/state/extract.count" 2>/dev/null || echo 0) + 1))
echo "$n" >"$HOME/state/extract.count"
rows=$((40 + n * 7 % 25))
echo "extract $n: reading $rows orders"
sleep $((2 + n % 3))
if [ $((n % 5)) -eq 0 ]; then
	echo "extract $n: the database closed the connection after $((rows / 3)) orders" >&2
	exit 1
fi
out=$SHARED/outgoing/orders-$n.csv
awk -v n="$n" -v rows="$rows" 'BEGIN {
	print "order,item,quantity"
	for (i = 1; i <= rows; i++)
		printf "%d,item-%03d,%d\n", n * 1000 + i, i * 37 % 200, 1 + i * n % 9
}' >"$out.part"
mv "$out.part" "$out"
echo "extract $n: wrote $rows orders to $out"
