package dashboards

import (
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io/fs"
	"net/http"
	"os"
	"path"
	"path/filepath"
	"strings"

	"github.com/labstack/echo/v4"
)

// asset is one static file, compressed once at start.
type asset struct {
	kind, digest string
	plain, small []byte
}

var assetKinds = map[string]string{
	".js": "text/javascript; charset=utf-8", ".css": "text/css; charset=utf-8", ".svg": "image/svg+xml",
}

// loadAssets reads what is served under /static. The chart library comes from the given
// file, else from the binary (`make build` copies it in), else from a checkout's
// node_modules; without it the map has no echarts.min.js.
func loadAssets(static fs.FS, echarts string) (map[string]asset, error) {
	out := map[string]asset{}
	entries, err := fs.ReadDir(static, ".")
	if err != nil {
		return nil, err
	}
	for _, e := range entries {
		if assetKinds[path.Ext(e.Name())] == "" {
			continue
		}
		b, err := fs.ReadFile(static, e.Name())
		if err != nil {
			return nil, err
		}
		if out[e.Name()], err = newAsset(e.Name(), b); err != nil {
			return nil, err
		}
	}
	if _, ok := out["echarts.min.js"]; echarts == "" && !ok {
		echarts = findEcharts()
	}
	if echarts != "" {
		b, err := os.ReadFile(echarts)
		if err != nil {
			return nil, fmt.Errorf("the chart library: %w", err)
		}
		if out["echarts.min.js"], err = newAsset("echarts.min.js", b); err != nil {
			return nil, err
		}
	}
	return out, nil
}

// findEcharts looks for an npm checkout upward from the working directory.
func findEcharts() string {
	dir, err := os.Getwd()
	if err != nil {
		return ""
	}
	for {
		p := filepath.Join(dir, "node_modules", "echarts", "dist", "echarts.min.js")
		if _, err := os.Stat(p); err == nil {
			return p
		}
		up := filepath.Dir(dir)
		if up == dir {
			return ""
		}
		dir = up
	}
}

func newAsset(name string, b []byte) (asset, error) {
	sum := sha256.Sum256(b)
	a := asset{kind: assetKinds[path.Ext(name)], digest: hex.EncodeToString(sum[:8]), plain: b}
	var out bytes.Buffer
	w := gzip.NewWriter(&out)
	if _, err := w.Write(b); err != nil {
		return a, err
	}
	if err := w.Close(); err != nil {
		return a, err
	}
	a.small = out.Bytes()
	return a, nil
}

// asset serves one static file. Pages name it with its digest, so it may be kept for ever
// under that address.
func (s *Server) asset(c echo.Context) error {
	a, ok := s.assets[param(c, "file")]
	if !ok {
		return echo.ErrNotFound
	}
	h := c.Response().Header()
	h.Set("ETag", `"`+a.digest+`"`)
	h.Set("Vary", "Accept-Encoding")
	if c.QueryParam("v") == a.digest {
		h.Set("Cache-Control", "public, max-age=31536000, immutable")
	}
	if c.Request().Header.Get("If-None-Match") == `"`+a.digest+`"` {
		return c.NoContent(http.StatusNotModified)
	}
	if strings.Contains(c.Request().Header.Get("Accept-Encoding"), "gzip") {
		h.Set("Content-Encoding", "gzip")
		return c.Blob(http.StatusOK, a.kind, a.small)
	}
	return c.Blob(http.StatusOK, a.kind, a.plain)
}
