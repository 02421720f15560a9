package api

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
)

// Every route is in the document with its parameters, and every reference in it leads somewhere.
func TestOpenAPI(t *testing.T) {
	t.Parallel()
	a := New(Options{Version: "1.2.3"})
	raw, err := json.Marshal(a.document())
	if err != nil {
		t.Fatal(err)
	}
	var doc struct {
		Paths map[string]map[string]struct {
			Summary    string
			Parameters []struct{ Name, In string }
			Responses  map[string]any
			Security   []map[string][]string
		}
		Components struct {
			Schemas map[string]struct {
				Type       string
				Properties map[string]any
			}
		}
	}
	if err := json.Unmarshal(raw, &doc); err != nil {
		t.Fatal(err)
	}
	routes := a.routes()
	count := 0
	for _, operations := range doc.Paths {
		count += len(operations)
	}
	if count != len(routes) {
		t.Errorf("%d operations, %d routes", count, len(routes))
	}
	for _, r := range routes {
		op, ok := doc.Paths[openPath(r.path)][strings.ToLower(r.method)]
		if !ok || op.Summary == "" || len(op.Responses) != 2 {
			t.Errorf("%s %s is not described: %+v", r.method, r.path, op)
		}
		if want := strings.Count(r.path, ":") + len(r.query); len(op.Parameters) != want {
			t.Errorf("%s: %d parameters, want %d", r.path, len(op.Parameters), want)
		}
		if open := fmt.Sprint(op.Security) == "[map[token:[]]]"; open != (r.access == accessChange) {
			t.Errorf("%s: security %v", r.path, op.Security)
		}
	}
	for name, s := range doc.Components.Schemas {
		if s.Type != "object" || len(s.Properties) == 0 {
			t.Errorf("schema %s is empty", name)
		}
	}
	for ref := range strings.SplitSeq(string(raw), `"$ref":"#/components/schemas/`) {
		name, _, _ := strings.Cut(ref, `"`)
		if _, ok := doc.Components.Schemas[name]; !ok && !strings.HasPrefix(ref, "{") {
			t.Errorf("reference to %q leads nowhere", name)
		}
	}
}
