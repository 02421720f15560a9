package pages

import (
	"bytes"
	"embed"
	"fmt"
	"html/template"
	"io/fs"
	"log/slog"
	"net/http"
	"path"
	"strings"
	"time"

	"github.com/labstack/echo/v4"

	"signalbox/ui/access"
)

//go:embed templates
var templateFiles embed.FS

// pageNames are all pages. At start each is checked against the embedded files, both ways.
func pageNames() []string {
	return []string{
		"board", "chains", "chain", "instance", "runs", "run", "log", "receipt", "record", "sources", "source", "jobs", "login", "error",
	}
}

// frame is what every page has around it.
type frame struct {
	Title    string        // of the page, without the product's name
	Section  string        // of the navigation
	Live     []string      // changes that make it read itself again: "run", "instance:KEY"
	Refresh  int           // seconds after which it reads itself again anyway; 0 = never
	Announce string        // said to screen readers when it changes
	Viewer   access.Viewer //
	Version  string        //
	Now      when          //
	Seq      int64         // of the ledger before the page was read
	Path     string        // of the page, to come back to after signing in
	Flash    string        // what was just done
}

// LiveText gives Live as it stands in the page, one a line: names may hold blanks.
func (f frame) LiveText() string { return strings.Join(f.Live, "\n") }

// view is what a template gets.
type view struct {
	F frame
	V any
}

// templates are the parsed pages.
type templates map[string]*template.Template

func loadTemplates(a *assets) (templates, error) {
	shared := template.New("").Funcs(functions(a))
	shared, err := shared.ParseFS(templateFiles, "templates/parts/*.html")
	if err != nil {
		return nil, fmt.Errorf("templates: %w", err)
	}
	t := templates{}
	for _, name := range pageNames() {
		one, err := shared.Clone()
		if err == nil {
			one, err = one.ParseFS(templateFiles, "templates/"+name+".html")
		}
		if err != nil {
			return nil, fmt.Errorf("templates: %w", err)
		}
		t[name] = one
	}
	files, err := fs.Glob(templateFiles, "templates/*.html")
	if err != nil {
		return nil, fmt.Errorf("templates: %w", err)
	}
	for _, f := range files {
		if name := strings.TrimSuffix(path.Base(f), ".html"); t[name] == nil {
			return nil, fmt.Errorf("templates: %s is not in the list of pages", f)
		}
	}
	return t, nil
}

// render writes a page, or only its main part if the browser asked for that.
func (p *Pages) render(c echo.Context, status int, name string, v view) error {
	r := c.Request()
	v.F.Viewer, v.F.Version, v.F.Now, v.F.Path = access.Of(r.Context()), p.version, p.when(p.now()), r.URL.RequestURI()
	part := "layout"
	if c.QueryParam("fragment") != "" {
		part = "main"
	}
	var buf bytes.Buffer
	if err := p.templates[name].ExecuteTemplate(&buf, part, v); err != nil {
		return fmt.Errorf("page %s: %w", name, err)
	}
	return c.HTMLBlob(status, buf.Bytes())
}

// show reads where the ledger stands, then lets build read what the page shows: what changes in
// between is told by the stream.
func (p *Pages) show(name string, build func(echo.Context, *frame) (any, error)) echo.HandlerFunc {
	return func(c echo.Context) error {
		seq, err := p.store.Last(c.Request().Context())
		if err != nil {
			return err
		}
		f := frame{Seq: seq}
		v, err := build(c, &f)
		if err != nil {
			return err
		}
		return p.render(c, http.StatusOK, name, view{F: f, V: v})
	}
}

func (p *Pages) when(t time.Time) when { return when{at: t, now: p.now()} }

// logFault keeps what a page leaves out because it could not be read.
func (p *Pages) logFault(what string, err error) {
	p.log.Warn("a page leaves something out", slog.String("what", what), slog.Any("error", err))
}
