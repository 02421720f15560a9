package api

import (
	"net/http"
	"strconv"

	"github.com/labstack/echo/v4"

	"signalbox/federation/chain"
	"signalbox/federation/store"
	"signalbox/ui/fault"
)

func (a *API) records(c echo.Context) error {
	out := List[RawRecord]{Items: []RawRecord{}}
	take := func(e store.Entry) error {
		out.Items = append(out.Items, rawRecord(e))
		return nil
	}
	var err error
	if subject := c.QueryParam("subject"); subject != "" {
		out.Next, err = a.about(c, subject, "", take)
	} else {
		out.Next, err = a.afterAll(c, take)
	}
	if err != nil {
		return err
	}
	return c.JSON(http.StatusOK, out)
}

func (a *API) afterAll(c echo.Context, take func(store.Entry) error) (next string, err error) {
	after, err := sequence(c, "after")
	if err != nil {
		return "", err
	}
	n, err := limit(c)
	if err != nil {
		return "", err
	}
	entries, err := a.store.After(c.Request().Context(), after, n+1)
	if err != nil {
		return "", err
	}
	if len(entries) > n {
		entries = entries[:n]
		next = nextPage(c, "after", strconv.FormatInt(entries[n-1].Seq, 10))
	}
	for _, e := range entries {
		if err := take(e); err != nil {
			return "", err
		}
	}
	return next, nil
}

func (a *API) record(c echo.Context) error {
	h, err := hashParam(c)
	if err != nil {
		return err
	}
	e, err := a.store.ByHash(c.Request().Context(), h)
	if err != nil {
		return err
	}
	return c.JSON(http.StatusOK, rawRecord(e))
}

func (a *API) receipt(c echo.Context) error {
	h, err := hashParam(c)
	if err != nil {
		return err
	}
	e, err := a.store.ByHash(c.Request().Context(), h)
	if err != nil {
		return err
	}
	if e.Kind != chain.KindReceipt {
		return fault.NotFound("receipt %s: the record of this hash is of kind %s", h.Short(), e.Kind).WithFix("Read it at /api/v1/records/" + h.String())
	}
	var r chain.Receipt
	if err := e.Open(chain.KindReceipt, &r); err != nil {
		return err
	}
	return c.JSON(http.StatusOK, SealedReceipt{Receipt: receiptOf(placeOf(e), r), Kind: e.Kind, Body: string(e.Body)})
}
