package sqlite

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
)

// defaultWAL is how far the write-ahead log is extended at start: what gathers between two
// checkpoints (1,000 pages of 4 KiB) and a large batch on top.
const defaultWAL = 8 << 20

// extendWAL writes zeros behind the end of the log until it is size bytes long. SQLite stops reading
// a log at the first frame with a wrong checksum, so they mean nothing to it. Nobody may write
// meanwhile. An existing log keeps its bytes.
func extendWAL(path string, size int64) error {
	f, err := os.OpenFile(path+"-wal", os.O_WRONLY, 0)
	if err != nil {
		return err
	}
	defer func() { _ = f.Close() }()
	info, err := f.Stat()
	if err != nil {
		return err
	}
	zeros := make([]byte, 1<<20)
	for at := info.Size(); at < size; {
		n, err := f.WriteAt(zeros[:min(int64(len(zeros)), size-at)], at)
		if err != nil {
			return err
		}
		at += int64(n)
	}
	if info.Size() < size {
		return f.Sync()
	}
	return nil
}

// checkLength refuses a database file that is shorter than it says it is. pages and pageSize are what
// SQLite reads; while there is a log, pages may stand there instead, and nothing can be said.
func checkLength(path string, pages, pageSize int64) error {
	if info, err := os.Stat(path + "-wal"); err == nil && info.Size() > 0 {
		return nil
	}
	info, err := os.Stat(path)
	if err != nil {
		return err
	}
	if want := pages * pageSize; info.Size() < want {
		return fmt.Errorf("the file was cut off: %d of %d bytes are there; restore a backup", info.Size(), want)
	}
	return nil
}

// exists tells whether there is a file at path.
func exists(path string) (bool, error) {
	_, err := os.Stat(path)
	if errors.Is(err, fs.ErrNotExist) {
		return false, nil
	}
	return err == nil, err
}
