package fault_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/labstack/echo/v4"

	"signalbox/adapters"
	"signalbox/federation"
	"signalbox/federation/store"
	"signalbox/ui/fault"
)

func TestOf(t *testing.T) {
	t.Parallel()
	denied := adapters.Errorf(adapters.Denied, "poll", "host", "wrong key")
	denied.Fix = "Add the key."
	cases := []struct {
		err    error
		status int
		code   string
		says   string // part of the detail
	}{
		{fault.Bad("limit %d", 7), 400, "bad_request", "limit 7"},
		{fmt.Errorf("outside: %w", fault.NotFound("run %q", "x")), 404, "not_found", `run "x"`},
		{fmt.Errorf("read run: %w", store.ErrNotFound), 404, "not_found", "read run"},
		{fmt.Errorf("command: %w", store.ErrConflict), 409, "conflict", "command"},
		{store.ErrFenced, 503, "not_owner", "lease"},
		{fmt.Errorf("node x: %w", federation.ErrRefused), 409, "refused", "node x"},
		{fmt.Errorf("%w: %w", denied, federation.ErrUnavailable), 502, "denied", "poll host: wrong key"},
		{adapters.Errorf(adapters.Unavailable, "read log", "r", "refused"), 503, "unavailable", "read log r: refused"},
		{adapters.Errorf(adapters.NotFound, "read log", "r", "no output kept"), 404, "not_found", "no output kept"},
		{adapters.Errorf(adapters.Unsupported, "cancel", "r", "cannot"), 501, "unsupported", "cancel r"},
		{adapters.Errorf(adapters.Rejected, "start", "j", "disabled"), 409, "rejected", "disabled"},
		{adapters.Errorf(adapters.Malformed, "poll", "h", "garbage"), 502, "malformed", "garbage"},
		{&http.MaxBytesError{Limit: 10}, 413, "too_large", "10 bytes"},
		{context.DeadlineExceeded, 504, "timeout", "too long"},
		{context.Canceled, 503, "stopping", "given up"},
		{echo.ErrNotFound, 404, "not_found", "nothing at this address"},
		{echo.NewHTTPError(http.StatusTeapot, "short and stout"), 418, "i'm_a_teapot", "short and stout"},
		{errors.New("password=hunter2"), 500, "internal", "inside Signalbox"},
	}
	for _, c := range cases {
		f := fault.Of(c.err)
		if f.Status != c.status || f.Code != c.code || !strings.Contains(f.Detail, c.says) {
			t.Errorf("%v: %d %s %q, want %d %s …%s…", c.err, f.Status, f.Code, f.Detail, c.status, c.code, c.says)
		}
	}
	if got := fault.Of(denied).Fix; got != "Add the key." {
		t.Errorf("the fix of a source's error is %q", got)
	}
	if f := fault.Of(errors.New("password=hunter2")); strings.Contains(f.Detail+f.Fix, "hunter2") || f.Unwrap() == nil {
		t.Error("an unknown error shows, or its cause is lost to the log")
	}
}
