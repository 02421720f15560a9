package cronhost

import (
	"bufio"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strconv"
	"strings"
	"syscall"
)

// openAsk makes the fifo through which the host's crontab command asks the daemon.
func (h *Host) openAsk() error {
	name := h.path("var", "cron", "ask")
	if err := os.Remove(name); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	if err := syscall.Mkfifo(name, 0o600); err != nil {
		return fmt.Errorf("make fifo %s: %w", name, err)
	}
	f, err := os.OpenFile(name, os.O_RDWR, 0) // Also for writing: so it never ends when a client is done.
	h.askFile = f
	return err
}

// answerCrontab serves the crontab command until the host stops: a line "install PID" or "check PID"
// asks for the table in new.PID, and the answer goes to the fifo answer.PID.
func (h *Host) answerCrontab() {
	lines := bufio.NewScanner(h.askFile)
	for lines.Scan() {
		verb, pid, _ := strings.Cut(lines.Text(), " ")
		if _, err := strconv.Atoi(pid); err != nil {
			continue
		}
		verdict := h.submit(h.path("var", "cron", "new."+pid), verb == "install")
		reply(h.path("var", "cron", "answer."+pid), verdict)
	}
}

// submit checks a table and installs it if it is good: "ok", "bad LINE: WHAT", or another fault in full.
func (h *Host) submit(name string, install bool) string {
	text, err := os.ReadFile(name)
	if err != nil {
		return err.Error()
	}
	_, err = parseTable(string(text))
	var syntax *syntaxError
	switch {
	case errors.As(err, &syntax):
		return "bad " + syntax.Error()
	case err != nil:
		return err.Error()
	case !install:
		return "ok"
	}
	defer h.daemon.forget()
	if err := os.Rename(name, h.tabFile()); err != nil {
		return err.Error()
	}
	return "ok"
}

// reply writes a verdict to a client's fifo. A client that is gone gets none.
func reply(name, verdict string) {
	f, err := os.OpenFile(name, os.O_WRONLY|syscall.O_NONBLOCK, 0)
	if err != nil {
		return
	}
	_, _ = f.WriteString(verdict + "\n")
	_ = f.Close()
}
