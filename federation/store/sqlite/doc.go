// Package sqlite keeps the ledger in one SQLite file, without anything to set up.
//
// # Files
//
// Beside PATH stand PATH-wal and PATH-shm, which belong to it while it is in use (and after a crash
// until the next start: never delete them), and PATH.lock, which says who writes. One process writes
// at a time: [Open] takes an exclusive lock that the system itself releases when the process ends,
// however it ends. [OpenReadOnly] needs no lock and works beside a running writer.
//
// # Durability
//
// Each Commit is one transaction and one sync of the write-ahead log (synchronous=FULL): when it
// returned nil, the batch survives a power cut. The log is extended once, at start, and never made
// shorter while in use, because a sync of a file that grows costs several times that of one that
// does not. If a commit ends in an error of the disk, nobody can know what the disk holds: the store
// refuses to write until it is opened again and has read back what is really there.
//
// # Damage
//
// Open checks that the file is a database of Signalbox, whole in length, with the schema of this
// version and unaltered migrations. It does not read all pages, which would take time in proportion
// to history; a damaged page is reported when it is read. Records carry hashes that prove their bytes.
package sqlite
