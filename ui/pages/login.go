package pages

import (
	"net/http"
	"strings"

	"github.com/labstack/echo/v4"

	"signalbox/ui/access"
	"signalbox/ui/fault"
)

type loginView struct {
	Next  string
	Name  string
	Fault *fault.Error
}

// login shows the form.
func (p *Pages) login(c echo.Context) error {
	v := loginView{Next: localPath(c.QueryParam("next"))}
	return p.render(c, http.StatusOK, "login", view{F: frame{Title: "Sign in"}, V: v})
}

// signIn begins a session for whoever shows the token.
func (p *Pages) signIn(c echo.Context) error {
	v := loginView{Next: localPath(c.FormValue("next")), Name: c.FormValue("name")}
	name, err := access.CheckName(v.Name)
	if err != nil {
		err = fault.Bad("%v", err)
	} else {
		err = p.guard.SignIn(c, strings.TrimSpace(c.FormValue("token")), name)
	}
	if err != nil {
		v.Fault = fault.Of(err)
		return p.render(c, v.Fault.Status, "login", view{F: frame{Title: "Sign in"}, V: v})
	}
	return c.Redirect(http.StatusSeeOther, v.Next)
}

// signOut ends the session.
func (p *Pages) signOut(c echo.Context) error {
	p.guard.SignOut(c)
	return c.Redirect(http.StatusSeeOther, "/")
}

// localPath gives a path of this server, so that nobody is sent elsewhere after signing in.
func localPath(s string) string {
	if !strings.HasPrefix(s, "/") || strings.HasPrefix(s, "//") || strings.ContainsAny(s, "\\\r\n\t") {
		return "/"
	}
	return s
}
