package api

import (
	"context"
	"net/http"
	"slices"
	"strings"

	"github.com/labstack/echo/v4"

	"signalbox/federation/chain"
	"signalbox/ui/access"
	"signalbox/ui/fault"
)

// Wish is what a person asks for, in the body of a command.
type Wish struct {
	Reason string `json:"reason"`          // in the person's words; required
	Actor  string `json:"actor,omitempty"` // who says so: the token is shared, so this is not proof

	actor string // as it will stand in the record
}

// Asked says that something was passed on; what became of it shows later.
type Asked struct {
	Asked string `json:"asked"`
}

// Done says what a command did.
type Done struct {
	Instance string `json:"instance"`
	Node     string `json:"node"`
	State    string `json:"state"` // of the node afterwards
}

const maxReason = 500

// wish reads the body of a command.
func wish(c echo.Context) (Wish, error) {
	var w Wish
	if err := read(c, &w); err != nil {
		return w, err
	}
	w.Reason = strings.TrimSpace(w.Reason)
	switch {
	case w.Reason == "":
		return w, fault.Bad("reason is required: it stands in the record")
	case len(w.Reason) > maxReason:
		return w, fault.Bad("reason is longer than %d bytes", maxReason)
	}
	v := access.Of(c.Request().Context())
	name, err := access.CheckName(w.Actor)
	if err != nil {
		return w, fault.Bad("actor: %v", err)
	}
	v.Name = name
	w.actor = v.Actor()
	return w, nil
}

func (a *API) command(c echo.Context) error {
	k, err := instanceKey(c)
	if err != nil {
		return err
	}
	node, err := segment(c, "node")
	if err != nil {
		return err
	}
	verb := chain.Verb(c.Param("verb"))
	if !slices.Contains(chain.Verbs(), verb) {
		return fault.NotFound("verb %q is not known", c.Param("verb")).WithFix("Known ones: hold, unhold, skip, mark_ok, rerun, force.")
	}
	w, err := wish(c)
	if err != nil {
		return err
	}
	r, err := a.engine.Command(c.Request().Context(), chain.Command{
		Actor: w.actor, At: a.now().UTC(), Instance: k, Node: node, Verb: verb, Reason: w.Reason,
	})
	if err != nil {
		return err
	}
	return c.JSON(http.StatusOK, Done{Instance: r.Instance.String(), Node: r.Node, State: string(r.State)})
}

func (a *API) poll(c echo.Context) error {
	name, err := segment(c, "name")
	if err != nil {
		return err
	}
	return a.asked(c, "poll "+name, func(ctx context.Context) error { return a.engine.PollNow(ctx, name) })
}

// asked passes something on and says so.
func (a *API) asked(c echo.Context, what string, ask func(context.Context) error) error {
	if err := ask(c.Request().Context()); err != nil {
		return err
	}
	return c.JSON(http.StatusAccepted, Asked{Asked: what})
}
