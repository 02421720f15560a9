package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/go-resty/resty/v2"
	"github.com/spf13/cobra"

	"signalbox/adapters/job"
	"signalbox/config"
	"signalbox/federation/chain"
	"signalbox/federation/store"
	"signalbox/federation/store/sqlite"
	"signalbox/ui/api"
)

// server is the API of the Signalbox that runs with this configuration.
type server struct {
	client *resty.Client
	url    string
}

func newServer(cfg *config.Config) (*server, error) {
	s := &server{url: "http://" + reachable(cfg.Listen)}
	s.client = resty.New().SetBaseURL(s.url + "/api/v1").SetTimeout(10 * time.Second)
	if cfg.API.Token.IsZero() {
		return s, nil
	}
	token, err := cfg.API.Token.Resolve()
	if err != nil {
		return nil, fail(exitInput, "api.token: %w", err)
	}
	s.client.SetAuthToken(token).SetDisableWarn(true)
	return s, nil
}

// reachable turns a listening address into one to call: an unspecified host means this one.
func reachable(listen string) string {
	host, port, err := net.SplitHostPort(listen)
	if err != nil {
		return listen
	}
	if ip := net.ParseIP(host); host == "" || (ip != nil && ip.IsUnspecified()) {
		host = "127.0.0.1"
	}
	return net.JoinHostPort(host, port)
}

// call makes one request. The server's own words become the error.
func (s *server) call(ctx context.Context, method, path string, body, result any) error {
	var problem api.Problem
	r := s.client.R().SetContext(ctx).SetError(&problem).ForceContentType("application/json")
	if body != nil {
		r.SetBody(body)
	}
	if result != nil {
		r.SetResult(result)
	}
	resp, err := r.Execute(method, path)
	if err != nil {
		return fail(exitUnavailable, "the server at %s cannot be asked: %w", s.url, err)
	}
	if !resp.IsError() {
		return nil
	}
	code := exitFailed
	switch resp.StatusCode() {
	case http.StatusBadRequest, http.StatusUnprocessableEntity:
		code = exitInput
	case http.StatusNotFound:
		code = exitNotFound
	case http.StatusUnauthorized, http.StatusForbidden, http.StatusConflict:
		code = exitRefused
	case http.StatusBadGateway, http.StatusServiceUnavailable, http.StatusGatewayTimeout:
		code = exitUnavailable
	}
	text := problem.Detail
	if text == "" {
		text = resp.Status()
	}
	if problem.Fix != "" {
		text += "; " + problem.Fix
	}
	return &coded{code, errors.New(text)}
}

func (a *app) withServer(do func(*server) error) error {
	cfg, err := a.load()
	if err != nil {
		return err
	}
	s, err := newServer(cfg)
	if err != nil {
		return err
	}
	return do(s)
}

func (a *app) sourcesCommand() *cobra.Command {
	return &cobra.Command{
		Use: "sources", Short: "List the sources and how fresh they are", Args: args(cobra.NoArgs),
		Long: "Asks the running server. If none answers, it says so and shows what the ledger holds.",
		RunE: func(cmd *cobra.Command, _ []string) error {
			var live api.List[api.Source]
			err := a.withServer(func(s *server) error { return s.call(cmd.Context(), http.MethodGet, "/sources", nil, &live) })
			if exitCode(err) == exitUnavailable {
				fmt.Fprintf(a.errOut, "%v\nThis is what the ledger holds:\n", err)
				return a.storedSources(cmd.Context())
			}
			if err != nil {
				return err
			}
			return listed(a, live.Items, func() { a.sourceRows(live.Items) })
		},
	}
}

func (a *app) sourceRows(items []api.Source) {
	t := a.table("")
	t.row("SOURCE", "PEER", "SIGHT", "JOBS", "CLOCK", "START CLASS", "NOTE")
	for i := range items {
		s := &items[i]
		sight := "not seen yet"
		switch {
		case s.Blind && s.Since != nil:
			sight = "blind since " + clock(*s.Since)
		case s.Blind:
			sight = "blind"
		case s.LastSeen != nil:
			sight = "seen " + age(*s.LastSeen, time.Now())
		}
		t.row(s.Name, s.Peer, sight, fmt.Sprint(s.Jobs), offsetText(s.OffsetMS), s.StartClass, s.Error)
	}
	t.flush()
}

// storedSource is what the ledger holds of a source while no server runs.
type storedSource struct {
	Name     string     `json:"name"`
	Peer     string     `json:"peer"`
	Blind    bool       `json:"blind"`
	Since    *time.Time `json:"since,omitempty"`
	Error    string     `json:"error,omitempty"`
	ReadUpTo *time.Time `json:"read_up_to,omitempty"` // when the cursor moved last
}

func (a *app) storedSources(ctx context.Context) error {
	return a.withLedger(ctx, func(r *sqlite.Reader) error {
		rows, err := r.Sources(ctx)
		if err != nil {
			return err
		}
		items := convert(rows, func(s store.Source) storedSource {
			return storedSource{
				Name: s.Name, Peer: s.Properties.Peer, Blind: s.Contact.Blind, Since: when(s.Contact.Since),
				Error: s.Contact.Error, ReadUpTo: when(s.CursorAt),
			}
		})
		return listed(a, items, func() {
			t := a.table("")
			t.row("SOURCE", "PEER", "LAST READ", "NOTE")
			for i := range rows {
				t.row(rows[i].Name, rows[i].Properties.Peer, clock(rows[i].CursorAt), rows[i].Contact.Error)
			}
			t.flush()
		})
	})
}

func when(t time.Time) *time.Time {
	if t.IsZero() {
		return nil
	}
	return &t
}

// verbCommands are what a person may ask for one job of an instance.
func (a *app) verbCommands() []*cobra.Command {
	short := map[chain.Verb]string{
		chain.Hold:   "Keep a job of an instance from being released",
		chain.Unhold: "Let a held job of an instance go on",
		chain.Skip:   "Pass over a job once: what depends on it goes on as after success",
		chain.MarkOK: "Declare a job good without, or in spite of, a run",
		chain.Rerun:  "Release a job again, with a new token",
		chain.Force:  "Release a job now although its dependencies or its window say no",
	}
	var out []*cobra.Command
	for _, verb := range chain.Verbs() {
		var wish api.Wish
		c := &cobra.Command{
			Use: strings.ReplaceAll(string(verb), "_", "-") + " INSTANCE JOB", Short: short[verb], Args: args(cobra.ExactArgs(2)),
			RunE: func(cmd *cobra.Command, given []string) error {
				path := "/instances/" + url.PathEscape(given[0]) + "/nodes/" + url.PathEscape(given[1]) + "/" + string(verb)
				return a.withServer(func(s *server) error {
					var done api.Done
					if err := s.call(cmd.Context(), http.MethodPost, path, wish, &done); err != nil {
						return err
					}
					fmt.Fprintf(a.out, "%s %s: %s\n", done.Instance, done.Node, done.State)
					return nil
				})
			},
		}
		wishFlags(c, &wish)
		out = append(out, c)
	}
	return out
}

func wishFlags(c *cobra.Command, w *api.Wish) {
	c.Flags().StringVar(&w.Reason, "reason", "", "why; it stands in the record (required)")
	c.Flags().StringVar(&w.Actor, "as", "", "who says so")
	c.PreRunE = func(*cobra.Command, []string) error {
		if strings.TrimSpace(w.Reason) == "" {
			return fail(exitInput, "--reason is required: it stands in the record")
		}
		return nil
	}
}

func (a *app) cancelCommand() *cobra.Command {
	var wish api.Wish
	c := &cobra.Command{
		Use: "cancel RUN", Short: "Ask a run's source to stop it", Args: args(cobra.ExactArgs(1)),
		RunE: func(cmd *cobra.Command, given []string) error {
			if _, err := job.ParseRunKey(given[0]); err != nil {
				return fail(exitInput, "%w", err)
			}
			return a.withServer(func(s *server) error {
				path := "/runs/" + url.PathEscape(given[0]) + "/cancel"
				if err := s.call(cmd.Context(), http.MethodPost, path, wish, nil); err != nil {
					return err
				}
				fmt.Fprintln(a.out, "the source was asked; what becomes of the run shows in signalbox runs")
				return nil
			})
		},
	}
	wishFlags(c, &wish)
	return c
}
