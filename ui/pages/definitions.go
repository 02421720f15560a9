package pages

import (
	"context"
	"errors"

	"signalbox/adapters/job"
	"signalbox/federation/chain"
	"signalbox/federation/store"
)

// definitions reads versions of chains once each.
type definitions struct {
	p     *Pages
	known map[job.Hash]*chain.Definition
}

// of gives a version; one that is not stored gives nil.
func (d *definitions) of(ctx context.Context, version job.Hash) (*chain.Definition, error) {
	if def, ok := d.known[version]; ok {
		return def, nil
	}
	if d.known == nil {
		d.known = map[job.Hash]*chain.Definition{}
	}
	def, err := d.p.store.Definition(ctx, version)
	switch {
	case errors.Is(err, store.ErrNotFound):
		d.known[version] = nil
		return nil, nil //nolint:nilnil // an absent definition is an answer here
	case err != nil:
		return nil, err
	}
	d.known[version] = &def
	return &def, nil
}
