package api

import (
	"net/http"
	"reflect"
	"strings"
	"time"

	"github.com/labstack/echo/v4"
)

// The OpenAPI document is made from the route table and the JSON types, so that it cannot lag behind.

type object = map[string]any

func (a *API) openAPI(c echo.Context) error {
	return c.JSON(http.StatusOK, a.document())
}

func (a *API) document() object {
	s := schemas{named: object{}}
	paths := map[string]object{}
	for _, r := range a.routes() {
		path := openPath(r.path)
		if paths[path] == nil {
			paths[path] = object{}
		}
		paths[path][strings.ToLower(r.method)] = operation(r, &s)
	}
	s.of(reflect.TypeFor[Problem]())
	s.of(reflect.TypeFor[Event]())
	return object{
		"openapi": "3.1.0",
		"info": object{
			"title": "Signalbox", "version": a.version,
			"description": "What is known about jobs, runs and chains across schedulers, why each job was released, and the commands a person may give.",
		},
		"servers": []object{{"url": "/api/v1"}},
		"paths":   paths,
		"components": object{
			"schemas":         s.named,
			"securitySchemes": object{"token": object{"type": "http", "scheme": "bearer"}},
		},
	}
}

// openPath turns echo's ":name" into "{name}".
func openPath(path string) string {
	parts := strings.Split(path, "/")
	for i, p := range parts {
		if strings.HasPrefix(p, ":") {
			parts[i] = "{" + p[1:] + "}"
		}
	}
	return strings.Join(parts, "/")
}

func operation(r route, s *schemas) object {
	op := object{"summary": r.summary, "responses": responses(r, s)}
	var params []object
	for p := range strings.SplitSeq(r.path, "/") {
		if strings.HasPrefix(p, ":") {
			params = append(params, object{"name": p[1:], "in": "path", "required": true, "schema": object{"type": "string"}})
		}
	}
	for _, q := range r.query {
		schema := object{"type": "string"}
		if q.repeated {
			schema = object{"type": "array", "items": schema}
		}
		params = append(params, object{"name": q.name, "in": "query", "description": q.about, "schema": schema})
	}
	if params != nil {
		op["parameters"] = params
	}
	if r.body != nil {
		op["requestBody"] = object{"required": true, "content": object{"application/json": object{"schema": s.of(reflect.TypeOf(r.body))}}}
	}
	switch r.access {
	case accessChange:
		op["security"] = []object{{"token": []string{}}}
	case accessRead: // open on loopback only
		op["security"] = []object{{}, {"token": []string{}}}
	case accessOpen:
		op["security"] = []object{{}}
	}
	return op
}

func responses(r route, s *schemas) object {
	good, code := object{"description": "The answer."}, "200"
	if r.status == http.StatusAccepted {
		code = "202"
	}
	if r.answer == nil {
		good["content"] = object{"text/event-stream": object{"schema": object{"type": "string"}}}
	} else {
		good["content"] = object{"application/json": object{"schema": s.of(reflect.TypeOf(r.answer))}}
	}
	return object{
		code: good,
		"default": object{
			"description": "What went wrong.",
			"content":     object{"application/problem+json": object{"schema": s.of(reflect.TypeFor[Problem]())}},
		},
	}
}

// schemas collects JSON schemas of Go types.
type schemas struct{ named object }

// of gives the schema of a type: a reference for a struct, else the schema itself.
func (s *schemas) of(t reflect.Type) object {
	switch t.Kind() {
	case reflect.Pointer:
		return s.of(t.Elem())
	case reflect.Slice:
		return object{"type": "array", "items": s.of(t.Elem())}
	case reflect.Bool:
		return object{"type": "boolean"}
	case reflect.Int, reflect.Int64:
		return object{"type": "integer"}
	case reflect.Map:
		return object{"type": "object"}
	case reflect.Struct:
		return s.structure(t)
	default:
		return object{"type": "string"}
	}
}

func (s *schemas) structure(t reflect.Type) object {
	if t == reflect.TypeFor[time.Time]() {
		return object{"type": "string", "format": "date-time"}
	}
	name := typeName(t)
	ref := object{"$ref": "#/components/schemas/" + name}
	if _, known := s.named[name]; known {
		return ref
	}
	s.named[name] = object{} // stops a type that holds itself
	properties, required := object{}, []string{}
	s.fields(t, properties, &required)
	schema := object{"type": "object", "properties": properties}
	if len(required) > 0 {
		schema["required"] = required
	}
	s.named[name] = schema
	return ref
}

func (s *schemas) fields(t reflect.Type, properties object, required *[]string) {
	for f := range t.Fields() {
		if f.Anonymous {
			s.fields(f.Type, properties, required)
			continue
		}
		name, options, _ := strings.Cut(f.Tag.Get("json"), ",")
		if name == "" {
			continue
		}
		properties[name] = s.of(f.Type)
		if options == "" {
			*required = append(*required, name)
		}
	}
}

// typeName gives "RunList" for List[Run].
func typeName(t reflect.Type) string {
	name, arg, ok := strings.Cut(t.Name(), "[")
	if !ok {
		return name
	}
	arg = strings.TrimSuffix(arg, "]")
	return arg[strings.LastIndex(arg, ".")+1:] + name
}
