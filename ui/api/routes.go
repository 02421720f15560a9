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

// param is a query parameter of a route.
type param struct {
	name, about string
	repeated    bool
}

// route is one line of the table that the router and the OpenAPI document are both made from.
type route struct {
	method  string
	path    string // as echo has it: ":name"
	handler echo.HandlerFunc
	access  accessLevel
	summary string
	query   []param
	body    any // a value of the type that is read; nil = none
	answer  any // a value of the type that is written; nil = a stream
	status  int // of the good answer; 0 = 200
}

var ( // query parameters that several routes have; never changed
	limitParam   = param{name: "limit", about: "Length of the page: 1 to 500, 50 if left out."}
	beforeParam  = param{name: "before", about: "From the next address of the page before: an RFC 3339 time."}
	behindParam  = param{name: "behind", about: "From the next address of the page before: its last key."}
	subjectParam = param{name: "subject", about: "Only records about this: run:KEY, instance:KEY, chain:NAME, source:NAME or site."}
	afterParam   = param{name: "after", about: "Sequence number to go on behind; 0 if left out."}
)

func (a *API) routes() []route {
	return append(append(a.readRoutes(), a.runRoutes()...), a.changeRoutes()...)
}

func (a *API) readRoutes() []route {
	const get = http.MethodGet
	return []route{
		{method: get, path: "/healthz", handler: a.health, access: accessOpen, answer: Health{}, summary: "Tell that the server answers. Needs no token anywhere."},
		{method: get, path: "/openapi.json", handler: a.openAPI, answer: map[string]any{}, summary: "Give this document."},
		{method: get, path: "/sources", handler: a.sources, answer: List[Source]{}, summary: "List the sources and how they stand."},
		{method: get, path: "/sources/:name", handler: a.source, answer: Source{}, summary: "Tell how one source stands."},
		{
			method: get, path: "/jobs", handler: a.jobs, answer: List[Job]{}, summary: "List jobs as their sources list them, by source and name.",
			query: []param{{name: "source", about: "Only of this source."}, {name: "after", about: "From the next address of the page before: SOURCE/JOB."}, limitParam},
		},
		{method: get, path: "/chains", handler: a.chains, answer: List[Chain]{}, summary: "List the chains in service."},
		{method: get, path: "/chains/:name", handler: a.chain, answer: Chain{}, summary: "Give the current definition of a chain."},
		{
			method: get, path: "/instances", handler: a.instances, answer: List[Instance]{}, summary: "List instances of chains, latest opened first.",
			query: []param{{name: "chain", about: "Only of this chain."}, {name: "open", about: "true: only open ones."}, beforeParam, behindParam, limitParam},
		},
		{method: get, path: "/instances/:key", handler: a.instance, answer: Instance{}, summary: "Give one instance; an open one with why each node waits."},
		{
			method: get, path: "/instances/:key/receipts", handler: a.receipts, answer: List[Receipt]{}, summary: "List the receipts of an instance in the order decided.",
			query: []param{afterParam, limitParam},
		},
		{method: get, path: "/receipts/:hash", handler: a.receipt, answer: SealedReceipt{}, summary: "Give one receipt with its canonical bytes."},
		{
			method: get, path: "/records", handler: a.records, answer: List[RawRecord]{}, summary: "Read the ledger in order: every record with its canonical bytes.",
			query: []param{afterParam, limitParam, subjectParam},
		},
		{method: get, path: "/records/:hash", handler: a.record, answer: RawRecord{}, summary: "Give one record with its canonical bytes."},
		{
			method: get, path: "/stream", handler: a.stream, summary: "Be told of changes as server-sent events: instance, run, source, chain; reset means read everything again.",
			query: []param{{name: "since", about: "Sequence number that is already known; the Last-Event-ID header takes its place on a reconnect."}},
		},
	}
}

func (a *API) runRoutes() []route {
	const get = http.MethodGet
	return []route{
		{
			method: get, path: "/runs", handler: a.runs, answer: List[Run]{}, summary: "List runs, latest activity first.",
			query: []param{
				{name: "source", about: "Only of this source."},
				{name: "job", about: "Only of this job; needs source."},
				{name: "state", about: "Only in this state; may be given several times.", repeated: true},
				{name: "token", about: "Only the run started with this token."},
				beforeParam, behindParam, limitParam,
			},
		},
		{method: get, path: "/runs/:key", handler: a.run, answer: Run{}, summary: "Give one run."},
		{
			method: get, path: "/runs/:key/observations", handler: a.observations, answer: List[Observation]{}, summary: "List what was seen of a run, in the order seen.",
			query: []param{afterParam, limitParam},
		},
		{method: get, path: "/runs/:key/log", handler: a.runLog, answer: Log{}, summary: "Read the tail of what a run printed from its source."},
		{
			method: get, path: "/runs/:key/why", handler: a.why, answer: Step{}, summary: "Go back from a run to every observation and decision that led to it.",
			query: []param{{name: "depth", about: "How many upstream steps, at most 50."}, {name: "runs", about: "How many runs in all, at most 500."}},
		},
	}
}

func (a *API) changeRoutes() []route {
	const post = http.MethodPost
	return []route{
		{
			method: post, path: "/sources/:name/poll", handler: a.poll, access: accessChange, answer: Asked{}, status: http.StatusAccepted,
			summary: "Poll a source now, also one that is stopped after a denied login.",
		},
		{
			method: post, path: "/runs/:key/cancel", handler: a.cancel, access: accessChange, body: Wish{}, answer: Asked{}, status: http.StatusAccepted,
			summary: "Ask the source to stop a run. What became of it is learnt by polling.",
		},
		{
			method: post, path: "/instances/:key/nodes/:node/:verb", handler: a.command, access: accessChange, body: Wish{}, answer: Done{},
			summary: "Command a node: hold, unhold, skip, mark_ok, rerun or force.",
		},
	}
}
