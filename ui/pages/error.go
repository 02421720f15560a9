package pages

import (
	"net/http"
	"net/url"

	"github.com/labstack/echo/v4"

	"signalbox/ui/fault"
)

type errorView struct {
	Fault *fault.Error
	Title string
	Back  string
}

// WriteError answers a request with an error page. Who is not signed in but must be is sent to do so.
func (p *Pages) WriteError(c echo.Context, f *fault.Error) error {
	r := c.Request()
	if f.Status == http.StatusUnauthorized && r.Method == http.MethodGet && c.QueryParam("fragment") == "" {
		return c.Redirect(http.StatusSeeOther, "/login?next="+url.QueryEscape(r.URL.RequestURI()))
	}
	v := errorView{Fault: f, Title: http.StatusText(f.Status), Back: "/"}
	if r.Method == http.MethodPost {
		if ref, err := url.Parse(r.Referer()); err == nil && ref.Host == r.Host {
			v.Back = localPath(ref.EscapedPath())
		}
	}
	return p.render(c, f.Status, "error", view{F: frame{Title: v.Title}, V: v})
}
