package pages

import (
	"net/http"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/labstack/echo/v4"

	"signalbox/federation/chain"
	"signalbox/ui/access"
	"signalbox/ui/fault"
)

const maxReason = 500

// reason reads why a person asks for something.
func reason(c echo.Context) (string, error) {
	s := strings.TrimSpace(c.FormValue("reason"))
	switch {
	case s == "":
		return "", fault.Bad("a reason is required: it stands in the record").WithFix("Go back, say why, and send it again.")
	case len(s) > maxReason || !utf8.ValidString(s):
		return "", fault.Bad("the reason is longer than %d bytes, or not UTF-8", maxReason)
	}
	return s, nil
}

// command carries out what a person asked for a node, and goes back to the instance.
func (p *Pages) command(c echo.Context) error {
	k, err := instanceParam(c)
	if err != nil {
		return err
	}
	why, err := reason(c)
	if err != nil {
		return err
	}
	verb, node := chain.Verb(c.FormValue("verb")), c.FormValue("node")
	if !slices.Contains(chain.Verbs(), verb) {
		return fault.Bad("verb %q is not known", verb)
	}
	ctx := c.Request().Context()
	_, err = p.engine.Command(ctx, chain.Command{
		Actor: access.Of(ctx).Actor(), At: p.now().UTC(), Instance: k, Node: node, Verb: verb, Reason: why,
	})
	if err != nil {
		return err
	}
	return c.Redirect(http.StatusSeeOther, pageURL(instanceURL(k), "done", string(verb)+":"+node))
}

// cancel asks a source to stop a run, and goes back to the run.
func (p *Pages) cancel(c echo.Context) error {
	k, err := runParam(c)
	if err != nil {
		return err
	}
	why, err := reason(c)
	if err != nil {
		return err
	}
	ctx := c.Request().Context()
	if err := p.engine.Cancel(ctx, k, access.Of(ctx).Actor(), why); err != nil {
		return err
	}
	return c.Redirect(http.StatusSeeOther, pageURL(runURL(k), "done", "cancel"))
}

// poll asks for a poll now, and goes back to the source.
func (p *Pages) poll(c echo.Context) error {
	name, err := segment(c, "name")
	if err != nil {
		return err
	}
	if err := p.engine.PollNow(c.Request().Context(), name); err != nil {
		return err
	}
	return c.Redirect(http.StatusSeeOther, pageURL(sourceURL(name), "done", "poll"))
}
