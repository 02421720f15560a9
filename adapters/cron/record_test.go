package cron

import (
	"bytes"
	"context"
	"errors"
	"strings"
	"testing"

	"signalbox/adapters"
	"signalbox/adapters/cron/crontab"
	"signalbox/adapters/internal/remote"
	"signalbox/adapters/job"
	"signalbox/test/peer"
)

const whole = "sb1 e r=20261122T074537Z-20927-2588936279-363b7b7f ck=2588936279.4 s=2026-11-22T07:45:37.8Z t=2026-11-22T07:45:38Z " +
	"c=bridge k=t2 b=363b p=20927.563970 q=20958.563973 rc=3 sig=0 stop=0 j=a b  ."

func TestRecords(t *testing.T) {
	t.Parallel()
	r, ok := readRecord(whole)
	if !ok || r.kind != 'e' || r.name != "a b" || r.token != "t2" || r.code != 3 || r.cause != job.CauseBridge {
		t.Fatalf("%v %+v", ok, r)
	}
	// Whatever is cut off at the end, nothing but the whole counts.
	for n := range len(whole) {
		if _, ok := readRecord(whole[:n]); ok {
			t.Errorf("%q was taken for whole", whole[:n])
		}
	}
	for old, changed := range map[string]string{
		"sb1 e": "sb2 e", "sb1 ": "", "c=bridge": "c=", "rc=3": "rc=x", "rc=": "rx=", "sig=0": "sig=", "ck=2588936279.4": "ck=5", "s=2026": "s=x",
		"r=2026": "r=../2026", "k=t2": "k=t2 k=t3", "sb1 e ": "sb1 l ", "sb1 e r": "sb1 er", " j=": " ", "p=20927": "p=\x0020927",
	} {
		if _, ok := readRecord(strings.Replace(whole, old, changed, 1)); ok {
			t.Errorf("%q for %q was taken", changed, old)
		}
	}
}

// TestMapping is the table of README.md.
func TestMapping(t *testing.T) {
	t.Parallel()
	with := func(kind, extra string) string {
		s := strings.Replace(whole, "sb1 e", "sb1 "+kind, 1)
		return strings.Replace(s, "rc=3 sig=0 stop=0", extra, 1)
	}
	for _, tt := range []struct {
		line, native string
		state        job.State
		reason       job.Reason
		end          string
		over         bool
	}{
		{with("s", ""), "started", job.Running, job.None, "", false},
		{with("e", "rc=0 sig=0 stop=0"), "rc=0", job.Succeeded, job.None, "exit_code 0", false},
		{with("e", "rc=3 sig=0 stop=0"), "rc=3", job.Failed, job.None, "exit_code 3", false},
		{with("e", "rc=127 sig=0 stop=0"), "rc=127", job.Failed, job.None, "exit_code 127", false},
		{with("e", "rc=137 sig=9 stop=0"), "rc=137 sig=9", job.Failed, job.Killed, "signal 9", false},
		{with("e", "rc=143 sig=15 stop=1"), "rc=143 sig=15", job.Cancelled, job.ByOperator, "signal 15", false},
		{with("e", "rc=1 sig=0 stop=1"), "rc=1", job.Cancelled, job.ByOperator, "exit_code 1", false},
		{with("e", "rc=0 sig=0 stop=1"), "rc=0", job.Succeeded, job.None, "exit_code 0", false},
		{with("l", "f=gone"), "gone", job.Unknown, job.OutcomeUnknown, "", true},
		{with("l", "f=reboot"), "reboot", job.Failed, job.LostAtReboot, "", false},
	} {
		r, ok := readRecord(tt.line)
		if !ok {
			t.Errorf("%q is no record", tt.line)
			continue
		}
		o := r.observe("etl", "a", 7)
		if err := o.Check(); err != nil {
			t.Errorf("%s: %v", tt.native, err)
		}
		if o.NativeState != tt.native || o.State != tt.state || o.Reason != tt.reason || o.End.String() != tt.end || o.Over != tt.over ||
			o.Started.IsZero() || o.At.IsZero() || o.Token != "t2" || o.Seq != 7 || o.Sighting.Payload.IsZero() {
			t.Errorf("%+v, want %+v", o, tt)
		}
		if o.State.Terminal() && o.State != job.Unknown && tt.native != "reboot" && o.Ended.IsZero() {
			t.Errorf("%s has no end time", tt.native)
		}
	}
}

func TestConceal(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"/opt/load --all":                           "/opt/load --all",
		"x --password=geheim y":                     "x --password=(redacted) y",
		"x --password geheim y":                     "x --password (redacted) y",
		"DB_PASSWORD='a b' x":                       "DB_PASSWORD=(redacted) x",
		"curl -H 'Authorization: Bearer abcdefgh1'": "curl -H 'Authorization: Bearer (redacted)'",
		"curl https://me:geheim@host/x":             "curl https://me:(redacted)@host/x",
		"mysqldump -u root -pgeheim db":             "mysqldump -u root -p(redacted) db",
		"API_KEY=abc TOKEN=def run":                 "API_KEY=(redacted) TOKEN=(redacted) run",
	} {
		if got := conceal(text); strings.Contains(got, "geheim") || got != want && !strings.Contains(want, "Authorization") {
			t.Errorf("%q: %q, want %q", text, got, want)
		}
	}
}

func TestFacts(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		lines   []string
		dialect crontab.Dialect
		version string
		zone    string
	}{
		"debian":  {[]string{"says crontab: invalid option -- 'V'", "package cron 3.0pl1-162 installed", "localtime /usr/share/zoneinfo/Europe/Berlin", "timezone Etc/UTC"}, crontab.Debian, "3.0pl1-162", "Europe/Berlin"},
		"cronie":  {[]string{"says cronie 1.5.7", "tz America/New_York", "localtime /usr/share/zoneinfo/Etc/UTC"}, crontab.Cronie, "1.5.7", "America/New_York"},
		"busybox": {[]string{"realcrontab /bin/busybox", "timezone Etc/UTC"}, crontab.BusyBox, "", "Etc/UTC"},
		"systemd": {[]string{"package cron 3.0 deinstalled", "package systemd-cron 1.15.19-4 installed"}, crontab.SystemdCron, "1.15.19-4", ""},
		"nothing": {nil, crontab.Unknown, "", ""},
	} {
		f := readFacts(tt.lines, ".signalbox")
		if f.dialect != tt.dialect || f.version != tt.version || f.zone != tt.zone || f.location == nil {
			t.Errorf("%s: %+v", name, f)
		}
	}
}

func TestCursor(t *testing.T) {
	t.Parallel()
	for _, bad := range []string{"", "x", `{"v":2}`, `{"v":0}`, `[]`} {
		if _, err := readCursor([]byte(bad)); err == nil {
			t.Errorf("%q was taken", bad)
		}
	}
	k, err := readCursor(nil)
	if err != nil || strings.Join(k.words(""), " ") != "- 00000000 0 00000000 0 -" {
		t.Errorf("%v %q", err, k.words(""))
	}
	for _, w := range k.words("") {
		if !remote.Plain(w) {
			t.Errorf("%q", w)
		}
	}
}

// TestIdlePollIsSmall measures the answer of a poll when nothing is new.
func TestIdlePollIsSmall(t *testing.T) {
	t.Parallel()
	h := peer.Start(t, peer.Options{})
	h.SetCrontab(t, strings.Repeat("@daily true\n", 500))
	a, err := New(Options{Source: "etl", Host: "127.0.0.1", Port: h.Port, User: h.User, KeyFile: h.KeyFile, KnownHosts: h.KnownHosts})
	must(t, err)
	t.Cleanup(func() { _ = a.Close() })
	_, err = a.Deploy(t.Context(), false)
	must(t, err)
	b, err := a.Poll(t.Context(), nil)
	must(t, err)
	k, err := readCursor(b.Next)
	must(t, err)
	ans, err := a.host.Tool(t.Context(), "poll", remote.Call{Path: a.facts.dir + "/bin/sbpoll", Words: k.words(a.sum)})
	must(t, err)
	size := len(ans.Text) + 2*len(ans.Mark) + len(" begin\n\n end 0\n")
	t.Logf("%d bytes: %s", size, ans.Text)
	if size > 450 {
		t.Errorf("an idle poll is %d bytes", size)
	}
}

func FuzzReport(f *testing.F) {
	head := "v=1 t=2026-11-22T07:45:37.8Z boot=x id=s gen=00000001 first=00000001 w=1 lost=00000000 table=1.1\n"
	f.Add([]byte(head+"M data 00000001 0\n\n"+whole+"\n\nM done\n"), []byte(nil))
	f.Add([]byte(head+"gone "+strings.Replace(whole, "sb1 e", "sb1 s", 1)+"\nmore\nshrunk 00000001\nM data table 0\n@daily x\n\nM done\n"), []byte(`{"v":1,"spool":"s","gen":2,"open":{"r":{"job":"a"}}}`))
	f.Add([]byte("table 1 no crontab for root\n"), []byte(`{"v":1}`))
	f.Fuzz(func(t *testing.T, text, cur []byte) {
		k, err := readCursor(cur)
		if err != nil {
			return
		}
		r, err := readReport(remote.Answer{Text: text, Mark: "M"})
		if err != nil {
			return
		}
		d := digest{source: "etl", table: crontab.Parse("@daily x\n", crontab.Debian), location: readFacts(nil, "x").location, cursor: k, report: r}
		b := d.batch()
		for i := range b.Observations {
			// What came from a record is complete; what came from the cursor was complete when it was put there.
			if err := b.Observations[i].Check(); err != nil && len(k.Open) == 0 {
				t.Fatalf("%v: %+v", err, b.Observations[i])
			}
		}
		next, err := d.cursor.bytes()
		if err != nil {
			t.Fatal(err)
		}
		if _, err := readCursor(next); err != nil {
			t.Fatalf("cannot read our own cursor %s: %v", next, err)
		}
	})
}

// TestEffectOfReading makes sure that questions are told from changes.
func TestEffectOfReading(t *testing.T) {
	t.Parallel()
	e := &adapters.Error{Kind: adapters.Unavailable, Op: "x", Err: context.Canceled}
	if err := reading(e); adapters.EffectOf(err) != adapters.EffectNone || !errors.Is(err, context.Canceled) {
		t.Errorf("%v", err)
	}
	if plain := errors.New("x"); reading(plain) != plain { //nolint:errorlint // the same one
		t.Error("another error was changed")
	}
}

func TestPrinterIsExact(t *testing.T) {
	t.Parallel()
	h := peer.Start(t, peer.Options{})
	r, err := remote.New(remote.Options{Host: "127.0.0.1", Port: h.Port, User: h.User, KeyFile: h.KeyFile, KnownHosts: h.KnownHosts})
	must(t, err)
	t.Cleanup(func() { _ = r.Close() })
	var noise bytes.Buffer
	for i := 1; i < 256; i++ {
		noise.WriteByte(byte(i))
	}
	for _, text := range []string{"", "a", "a\n", "\n\n", "it's %s \\n $HOME `x`\n", noise.String(), source("sbsh.sh")} {
		ans, err := r.Script(t.Context(), "test", printer(text))
		if err != nil || string(ans.Text) != text {
			t.Errorf("%v %.60q, want %.60q", err, ans.Text, text)
		}
	}
}
