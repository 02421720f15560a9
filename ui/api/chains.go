package api

import (
	"context"
	"errors"
	"net/http"

	"github.com/labstack/echo/v4"

	"signalbox/federation/chain"
	"signalbox/federation/store"
	"signalbox/ui/fault"
	"signalbox/ui/paging"
)

func (a *API) chains(c echo.Context) error {
	defs, err := a.store.Definitions(c.Request().Context())
	if err != nil {
		return err
	}
	out := List[Chain]{Items: []Chain{}}
	for _, d := range defs {
		one, err := sealedChain(d)
		if err != nil {
			return err
		}
		out.Items = append(out.Items, one)
	}
	return c.JSON(http.StatusOK, out)
}

func (a *API) chain(c echo.Context) error {
	name, err := segment(c, "name")
	if err != nil {
		return err
	}
	defs, err := a.store.Definitions(c.Request().Context())
	if err != nil {
		return err
	}
	for _, d := range defs {
		if d.Chain == name {
			one, err := sealedChain(d)
			if err != nil {
				return err
			}
			return c.JSON(http.StatusOK, one)
		}
	}
	return fault.NotFound("chain %q: not in service", name)
}

// sealedChain gives a definition with its version, which is the hash of its record.
func sealedChain(d chain.Definition) (Chain, error) {
	r, err := d.Seal()
	return chainOf(d, r.Hash), err
}

func (a *API) instances(c echo.Context) (err error) {
	f := store.InstanceFilter{Chain: c.QueryParam("chain")}
	switch open := c.QueryParam("open"); open {
	case "", "false":
	case "true":
		f.Open = true
	default:
		return fault.Bad("open %q: want true or false", open)
	}
	if f.Limit, err = limit(c); err != nil {
		return err
	}
	if f.Before, err = before(c); err != nil {
		return err
	}
	if behind := c.QueryParam("behind"); behind != "" {
		if f.Behind, err = chain.ParseKey(behind); err != nil {
			return fault.Bad("behind: %v", err)
		}
	}
	page, more, err := paging.Instances(c.Request().Context(), a.store, f)
	if err != nil {
		return err
	}
	out := List[Instance]{Items: []Instance{}}
	if more {
		next := f.Next(page)
		out.Next = nextPage(c, "before", stamp(next.Before), "behind", next.Behind.String())
	}
	defs := map[string]*chain.Definition{}
	for _, in := range page {
		def, err := a.definition(c.Request().Context(), in, defs)
		if err != nil {
			return err
		}
		out.Items = append(out.Items, instanceOf(in, def, nil))
	}
	return c.JSON(http.StatusOK, out)
}

// definition gives the version that an instance began with; known holds those already read. One that
// is not stored gives nil: the nodes are then shown without their jobs.
func (a *API) definition(ctx context.Context, in chain.Instance, known map[string]*chain.Definition) (*chain.Definition, error) {
	if d, ok := known[in.Version.String()]; ok {
		return d, nil
	}
	d, err := a.store.Definition(ctx, in.Version)
	if err != nil {
		if errors.Is(err, store.ErrNotFound) {
			return nil, nil //nolint:nilnil // an absent definition is an answer here
		}
		return nil, err
	}
	known[in.Version.String()] = &d
	return &d, nil
}

func (a *API) instance(c echo.Context) error {
	k, err := instanceKey(c)
	if err != nil {
		return err
	}
	ctx := c.Request().Context()
	in, err := a.store.Instance(ctx, k)
	if err != nil {
		return err
	}
	def, err := a.definition(ctx, in, map[string]*chain.Definition{})
	if err != nil {
		return err
	}
	var why []chain.Explanation
	if in.Closed.IsZero() {
		if why, err = a.engine.Explain(ctx, k); err != nil {
			return err
		}
	}
	return c.JSON(http.StatusOK, instanceOf(in, def, why))
}

func (a *API) receipts(c echo.Context) error {
	k, err := instanceKey(c)
	if err != nil {
		return err
	}
	if _, err := a.store.Instance(c.Request().Context(), k); err != nil {
		return err
	}
	out := List[Receipt]{Items: []Receipt{}}
	out.Next, err = a.about(c, store.InstanceSubject(k), chain.KindReceipt, func(e store.Entry) error {
		var r chain.Receipt
		if err := e.Open(chain.KindReceipt, &r); err != nil {
			return err
		}
		out.Items = append(out.Items, receiptOf(placeOf(e), r))
		return nil
	})
	if err != nil {
		return err
	}
	return c.JSON(http.StatusOK, out)
}
