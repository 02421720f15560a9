package api

import (
	"encoding/json"
	"net/http"

	"github.com/labstack/echo/v4"

	"signalbox/ui/fault"
)

// Problem is an error as RFC 9457 has it, with two members of our own.
type Problem struct {
	Type   string `json:"type"`          // "about:blank": Title says what the status means
	Title  string `json:"title"`         //
	Status int    `json:"status"`        //
	Detail string `json:"detail"`        // operation, subject, cause
	Code   string `json:"code"`          // one word for programs
	Fix    string `json:"fix,omitempty"` // what a person can do
}

// WriteProblem answers a request with an error.
func WriteProblem(c echo.Context, f *fault.Error) error {
	body, err := json.Marshal(Problem{
		Type: "about:blank", Title: http.StatusText(f.Status), Status: f.Status, Detail: f.Detail, Code: f.Code, Fix: f.Fix,
	})
	if err != nil {
		return err
	}
	return c.Blob(f.Status, "application/problem+json", body)
}
