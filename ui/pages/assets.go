package pages

import (
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"fmt"
	"io/fs"
	"mime"
	"net/http"
	"path"
	"strings"

	"github.com/labstack/echo/v4"
)

//go:embed static
var staticFiles embed.FS

// assets are the static files, each under a name that holds a part of its hash: a browser may keep
// them for ever, and a new version is another name.
type assets struct {
	names map[string]string // by file, "app.css" to "/static/app.0123456789ab.css"
	files map[string]asset  // by the last part of that
}

type asset struct {
	body []byte
	kind string
}

func loadAssets() (*assets, error) {
	a := &assets{names: map[string]string{}, files: map[string]asset{}}
	err := fs.WalkDir(staticFiles, "static", func(file string, d fs.DirEntry, err error) error {
		ext := path.Ext(file)
		if err != nil || d.IsDir() || ext == ".md" || ext == ".txt" || ext == "" {
			return err
		}
		body, err := staticFiles.ReadFile(file)
		if err != nil {
			return err
		}
		sum := sha256.Sum256(body)
		name := strings.TrimSuffix(path.Base(file), ext) + "." + hex.EncodeToString(sum[:6]) + ext
		if _, twice := a.files[name]; twice {
			return fmt.Errorf("asset %s: two files have this name", name)
		}
		a.names[path.Base(file)] = "/static/" + name
		a.files[name] = asset{body: body, kind: mime.TypeByExtension(ext)}
		return nil
	})
	return a, err
}

// url gives the address of a file. A template that names one that is not there fails.
func (a *assets) url(file string) (string, error) {
	if u, ok := a.names[file]; ok {
		return u, nil
	}
	return "", fmt.Errorf("asset %q: no such file in static", file)
}

func (a *assets) serve(c echo.Context) error {
	f, ok := a.files[c.Param("file")]
	if !ok {
		return echo.ErrNotFound
	}
	c.Response().Header().Set("Cache-Control", "public, max-age=31536000, immutable")
	return c.Blob(http.StatusOK, f.kind, f.body)
}
