package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"signalbox/federation/store"
)

// Acquire implements [store.Leases].
func (s *Store) Acquire(ctx context.Context, lease, owner string, ttl time.Duration) (store.Fence, error) {
	f := store.Fence{Lease: lease}
	if lease == "" || owner == "" || ttl <= 0 {
		return store.Fence{}, fmt.Errorf("acquire lease %q for %q: name, owner and a time to live are required", lease, owner)
	}
	err := s.w.do(ctx, func(ctx context.Context) error {
		if err := s.w.held(ctx, lease, owner); err != nil {
			return err
		}
		return s.w.conn.QueryRowContext(ctx, `INSERT INTO lease (name, owner, fence, until) VALUES (?1, ?2, 1, `+clock+` + ?3)
			ON CONFLICT DO UPDATE SET owner = excluded.owner, fence = fence + 1, until = excluded.until
			RETURNING fence`, lease, owner, int64(ttl)).Scan(&f.Value)
	})
	if err != nil {
		return store.Fence{}, fmt.Errorf("acquire lease: %w", explain(err))
	}
	return f, nil
}

// held gives a [*store.HeldError] if another owner holds the lease now.
func (w *writer) held(ctx context.Context, lease, owner string) error {
	var who string
	var until int64
	err := w.conn.QueryRowContext(ctx, "SELECT owner, until FROM lease WHERE name = ? AND owner NOT IN ('', ?) AND until > "+clock,
		lease, owner).Scan(&who, &until)
	if errors.Is(err, sql.ErrNoRows) {
		return nil
	}
	if err != nil {
		return err
	}
	return &store.HeldError{Lease: lease, Owner: who, Until: moment(until)}
}

// Renew implements [store.Leases].
func (s *Store) Renew(ctx context.Context, f store.Fence, ttl time.Duration) error {
	err := s.w.do(ctx, func(ctx context.Context) error {
		res, err := s.w.conn.ExecContext(ctx, "UPDATE lease SET until = "+clock+` + ?1
			WHERE name = ?2 AND fence = ?3 AND owner <> '' AND until > `+clock, int64(ttl), f.Lease, f.Value)
		if err != nil {
			return err
		}
		if n, err := res.RowsAffected(); err != nil || n == 1 {
			return err
		}
		return store.ErrFenced
	})
	if err != nil {
		return fmt.Errorf("renew lease %s with fence %d: %w", f.Lease, f.Value, explain(err))
	}
	return nil
}

// Release implements [store.Leases].
func (s *Store) Release(ctx context.Context, f store.Fence) error {
	err := s.w.do(ctx, func(ctx context.Context) error {
		_, err := s.w.conn.ExecContext(ctx, "UPDATE lease SET owner = '', until = 0 WHERE name = ? AND fence = ?", f.Lease, f.Value)
		return err
	})
	if err != nil {
		return fmt.Errorf("release lease %s: %w", f.Lease, explain(err))
	}
	return nil
}
