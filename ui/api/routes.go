package api

import (
	"net/http"

	"github.com/labstack/echo/v4"
)

// accessLevel says who may call a route.
type accessLevel int

const (
	accessRead accessLevel = iota
	accessChange
	accessOpen
)

// route is one line of the table that both the router and the OpenAPI document are made from.
type route struct {
	method  string
	path    string // as echo has it: ":name"
	handler echo.HandlerFunc
	access  accessLevel
	summary string
}

func (a *API) routes() []route {
	return []route{
		{http.MethodGet, "/healthz", a.health, accessOpen, "Tell that the server answers."},
	}
}

func (a *API) health(c echo.Context) error {
	return c.JSON(http.StatusOK, map[string]string{"status": "ok", "version": a.version})
}
