package pages

import (
	"context"

	"github.com/labstack/echo/v4"

	"signalbox/adapters/job"
	"signalbox/federation"
	"signalbox/federation/chain"
	"signalbox/federation/store"
	"signalbox/ui/fault"
	"signalbox/ui/paging"
)

type chainsView struct {
	Rows []chainRow
}

// chainRow is a chain in a list.
type chainRow struct {
	Name    string
	URL     string
	Service string
	Jobs    int
	Sources []string
	Latest  *instanceRow
	Version job.Hash
	VersURL string
}

func (p *Pages) chains(c echo.Context, f *frame) (any, error) {
	ctx := c.Request().Context()
	defs, err := p.store.Definitions(ctx)
	if err != nil {
		return nil, err
	}
	blind := blindOf(p.engine.Sources())
	var v chainsView
	for i := range defs {
		row, err := p.chainRow(ctx, &defs[i], blind)
		if err != nil {
			return nil, err
		}
		v.Rows = append(v.Rows, row)
	}
	f.Title, f.Section, f.Live = "Chains", "chains", []string{"instance", "chain", "source"}
	return v, nil
}

func (p *Pages) chainRow(ctx context.Context, def *chain.Definition, blind map[string]federation.SourceStatus) (chainRow, error) {
	sealedDef, err := def.Seal()
	if err != nil {
		return chainRow{}, err
	}
	row := chainRow{
		Name: def.Chain, URL: chainURL(def.Chain), Service: def.Service, Jobs: len(def.Nodes), Sources: sourcesOf(def),
		Version: sealedDef.Hash, VersURL: recordURL(sealedDef.Hash),
	}
	latest, err := p.store.Instances(ctx, store.InstanceFilter{Chain: def.Chain, Limit: 1})
	if err != nil || len(latest) == 0 {
		return row, err
	}
	in := p.instanceRow(&latest[0], def, blind)
	row.Latest = &in
	return row, nil
}

// sourcesOf names the sources that a chain links, in the order of its nodes.
func sourcesOf(def *chain.Definition) []string {
	var out []string
	seen := map[string]bool{}
	for i := range def.Nodes {
		if s := def.Nodes[i].Job.Source; !seen[s] {
			seen[s] = true
			out = append(out, s)
		}
	}
	return out
}

type chainView struct {
	Def       chain.Definition
	Version   job.Hash
	VersURL   string
	KeepOpen  string
	Graph     graph
	Instances []instanceRow
	Next      string
	First     string
}

func (p *Pages) chain(c echo.Context, f *frame) (any, error) {
	name, err := segment(c, "name")
	if err != nil {
		return nil, err
	}
	ctx := c.Request().Context()
	def, err := p.current(ctx, name)
	if err != nil {
		return nil, err
	}
	r, err := def.Seal()
	if err != nil {
		return nil, err
	}
	v := chainView{Def: *def, Version: r.Hash, VersURL: recordURL(r.Hash), KeepOpen: exactSpan(def.KeepOpen.Duration()), Graph: graphOfDefinition(def)}
	if err := p.chainInstances(c, &v); err != nil {
		return nil, err
	}
	f.Title, f.Section, f.Live = name, "chains", []string{"instance", "chain:" + name, "source"}
	return v, nil
}

// current gives a chain's definition in service.
func (p *Pages) current(ctx context.Context, name string) (*chain.Definition, error) {
	defs, err := p.store.Definitions(ctx)
	if err != nil {
		return nil, err
	}
	for i := range defs {
		if defs[i].Chain == name {
			return &defs[i], nil
		}
	}
	return nil, fault.NotFound("chain %q: not in service", name)
}

func (p *Pages) chainInstances(c echo.Context, v *chainView) error {
	filter := store.InstanceFilter{Chain: v.Def.Chain, Limit: 20}
	var err error
	if filter.Before, err = beforeParam(c); err != nil {
		return err
	}
	if behind := c.QueryParam("behind"); behind != "" {
		if filter.Behind, err = chain.ParseKey(behind); err != nil {
			return fault.Bad("behind: %v", err)
		}
	}
	ctx := c.Request().Context()
	page, more, err := paging.Instances(ctx, p.store, filter)
	if err != nil {
		return err
	}
	if more {
		next := filter.Next(page)
		v.Next = pageURL(chainURL(v.Def.Chain), "before", stamp(next.Before), "behind", next.Behind.String())
	}
	if !filter.Before.IsZero() {
		v.First = chainURL(v.Def.Chain)
	}
	blind := blindOf(p.engine.Sources())
	defs := definitions{p: p}
	for i := range page {
		def, err := defs.of(ctx, page[i].Version)
		if err != nil {
			return err
		}
		v.Instances = append(v.Instances, p.instanceRow(&page[i], def, blind))
	}
	return nil
}
