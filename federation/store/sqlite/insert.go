package sqlite

// What Commit runs. The first part is for single rows, the second for many.
const (
	sqlUncurrent = "UPDATE definition SET current = 0 WHERE chain = ? AND current = 1"
	sqlDefine    = `INSERT INTO definition (version, chain, current, body) VALUES (?, ?, 1, ?)
		ON CONFLICT (version) DO UPDATE SET current = 1`

	sqlShrinkListing = "DELETE FROM job WHERE source = ? AND job NOT IN (SELECT value FROM json_each(?))"
	sqlShrinkNodes   = `DELETE FROM node WHERE place >= ?
		AND instance = (SELECT id FROM instance WHERE chain = ? AND business_date = ? AND cycle = ?)`

	// sqlMove leaves run and note as they are when the move brings none.
	sqlMove = `UPDATE intent SET state = ?3, updated = ?4,
		note = CASE ?5 WHEN '' THEN note ELSE ?5 END,
		run_source = CASE ?7 WHEN '' THEN run_source ELSE ?6 END,
		run_job = CASE ?7 WHEN '' THEN run_job ELSE ?8 END,
		run_epoch = CASE ?7 WHEN '' THEN run_epoch ELSE ?9 END,
		run_native = CASE ?7 WHEN '' THEN run_native ELSE ?7 END
		WHERE token = ?1 AND state = ?2`
)

var (
	insertRecords = bulk{5, "INSERT INTO record (at, kind, subject, hash, body)", "ON CONFLICT (subject, hash) DO NOTHING"}

	insertSources = bulk{
		6, "INSERT INTO source (name, cursor, cursor_at, listed_at, offset_ns, doc)",
		`ON CONFLICT DO UPDATE SET cursor = excluded.cursor, cursor_at = excluded.cursor_at,
		listed_at = excluded.listed_at, offset_ns = excluded.offset_ns, doc = excluded.doc`,
	}

	insertJobs = bulk{
		3, "INSERT INTO job (source, job, doc)",
		"ON CONFLICT DO UPDATE SET doc = excluded.doc WHERE doc <> excluded.doc",
	}

	insertRuns = bulk{
		9, "INSERT INTO run (source, native, job, epoch, state, activity, token, evidence, doc)",
		`ON CONFLICT (source, native, job, epoch) DO UPDATE SET state = excluded.state,
		activity = excluded.activity, token = excluded.token, evidence = excluded.evidence, doc = excluded.doc`,
	}

	insertSlices = bulk{1, "INSERT INTO run_slice (n)", "ON CONFLICT DO NOTHING"}

	insertInstances = bulk{
		6, "INSERT INTO instance (chain, business_date, cycle, version, opened, closed)",
		`ON CONFLICT (chain, business_date, cycle) DO UPDATE SET version = excluded.version,
		opened = excluded.opened, closed = excluded.closed`,
	}

	insertNodes = bulk{
		5, "WITH given (chain, business_date, cycle, place, doc) AS (",
		`) INSERT INTO node (instance, place, doc)
		SELECT i.id, given.place, given.doc FROM given CROSS JOIN instance i INDEXED BY instance_key
		ON i.chain = given.chain AND i.business_date = given.business_date AND i.cycle = given.cycle
		WHERE true ON CONFLICT DO UPDATE SET doc = excluded.doc`,
	}

	// changeNodes writes only where a node stands already, so that the number of rows written tells
	// whether all were found.
	changeNodes = bulk{
		5, "WITH given (chain, business_date, cycle, place, doc) AS (",
		`) INSERT INTO node (instance, place, doc)
		SELECT n.instance, n.place, given.doc FROM given CROSS JOIN instance i INDEXED BY instance_key
		ON i.chain = given.chain AND i.business_date = given.business_date AND i.cycle = given.cycle
		CROSS JOIN node n ON n.instance = i.id AND n.place = given.place
		WHERE true ON CONFLICT DO UPDATE SET doc = excluded.doc`,
	}

	insertIntents = bulk{
		17, `INSERT INTO intent (token, chain, business_date, cycle, node, attempt, source, job, state,
		run_source, run_job, run_native, run_epoch, note, receipt, created, updated)`, "",
	}

	insertEdges = bulk{
		8, "INSERT INTO edge (down_token, up_source, up_native, up_job, up_epoch, up_attempt, evidence, receipt)",
		"ON CONFLICT DO NOTHING",
	}
)
