// Package chromium drives a real browser for tests.
//
// Theory of operation
//
//  1. Tab opens a tab of a browser that was installed; its profile is new and goes with the
//     test. Without a browser a test is skipped, and in CI fails.
//  2. A Witness keeps what the browser complains about and every request that goes
//     elsewhere than to the host under test: a page that needs the network is a fault.
//  3. Axe runs axe-core, which npm brought, on the page that is open, and fails the test for
//     what is serious or critical.
//
// Nothing but tests imports it.
package chromium

import (
	"context"
	"encoding/json"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/cdproto/cdp"
	cdplog "github.com/chromedp/cdproto/log"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"
)

// Path is the browser, or a skip that CI turns into a failure.
func Path(t testing.TB) string {
	t.Helper()
	for _, p := range []string{os.Getenv("STEWARD_CHROMIUM"), "/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome"} {
		if _, err := os.Stat(p); p != "" && err == nil {
			return p
		}
	}
	if os.Getenv("STEWARD_CI") == "1" {
		t.Fatal("no Chromium here, and CI must have one; STEWARD_CHROMIUM names it")
	}
	t.Skip("no Chromium here; STEWARD_CHROMIUM names one")
	return ""
}

// Tab opens a tab that lives for within at most; more are flags of the browser.
func Tab(t testing.TB, within time.Duration, more ...chromedp.ExecAllocatorOption) context.Context {
	t.Helper()
	path := Path(t)
	dir, err := os.MkdirTemp("", "steward-chromium")
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(context.Background(), within)
	ctx, cancelAllocator := chromedp.NewExecAllocator(ctx, append([]chromedp.ExecAllocatorOption{
		chromedp.ExecPath(path), chromedp.Headless, chromedp.NoSandbox, chromedp.DisableGPU, chromedp.UserDataDir(dir),
		chromedp.Flag("disable-background-networking", true), chromedp.Flag("disable-component-update", true), chromedp.Flag("disable-sync", true),
		chromedp.Flag("no-first-run", true), chromedp.Flag("disable-default-apps", true), chromedp.Flag("disable-extensions", true), chromedp.Flag("disable-dev-shm-usage", true),
	}, more...)...)
	tab, cancelTab := chromedp.NewContext(ctx)
	t.Cleanup(func() {
		cancelTab()
		cancelAllocator()
		cancel()
		for range 30 { // its children may write for a moment longer
			if os.RemoveAll(dir) == nil {
				return
			}
			time.Sleep(100 * time.Millisecond)
		}
	})
	return tab
}

// Witness keeps what a browser complains about and where it goes.
type Witness struct {
	mu       sync.Mutex
	host     string
	trouble  []string
	requests int
}

// Watch attaches a witness to a tab that shows pages of a host, "127.0.0.1:8080".
func Watch(t testing.TB, tab context.Context, host string) *Witness {
	t.Helper()
	w := &Witness{host: host}
	if err := chromedp.Listen(tab, w.see); err != nil {
		t.Fatal(err)
	}
	for _, enable := range []cdp.Command[cdp.Empty, cdp.Empty]{runtime.Enable, cdplog.Enable} {
		if _, err := chromedp.Call(tab, enable, cdp.Empty{}); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := chromedp.Call(tab, network.Enable, network.EnableParams{}); err != nil {
		t.Fatal(err)
	}
	return w
}

func (w *Witness) see(ev any) {
	w.mu.Lock()
	defer w.mu.Unlock()
	switch e := ev.(type) {
	case *runtime.EventConsoleAPICalled:
		var args []string
		for _, a := range e.Args {
			args = append(args, string(a.Value)+a.Description)
		}
		w.trouble = append(w.trouble, fmt.Sprint("console ", e.Type, ": ", strings.Join(args, " ")))
	case *runtime.EventExceptionThrown:
		d := e.ExceptionDetails
		text := d.Text
		if d.Exception != nil {
			text += " " + d.Exception.Description
		}
		w.trouble = append(w.trouble, "exception: "+text)
	case *cdplog.EventEntryAdded:
		// The browser notes that a page answered 404 or 400, and that a test reads pixels;
		// everything else is ours.
		if !strings.Contains(e.Entry.Text, "the server responded with a status of 4") && !strings.HasPrefix(e.Entry.Text, "Canvas2D: Multiple readback") {
			w.trouble = append(w.trouble, fmt.Sprintf("log %s: %s %s", e.Entry.Level, e.Entry.Text, e.Entry.URL))
		}
	case *network.EventRequestWillBeSent:
		w.requests++
		u, err := url.Parse(e.Request.URL)
		if err != nil || (u.Host != w.host && u.Scheme != "data" && u.Scheme != "blob") {
			w.trouble = append(w.trouble, "request to "+e.Request.URL)
		}
	}
}

// Take is what was complained about since the last time.
func (w *Witness) Take() []string {
	w.mu.Lock()
	defer w.mu.Unlock()
	out := w.trouble
	w.trouble = nil
	return out
}

// Requests is how many there were. A test that saw none would prove nothing.
func (w *Witness) Requests() int {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.requests
}

// AxeScript is axe-core, where npm brought it; empty elsewhere, and a failure in CI.
func AxeScript(t testing.TB) string {
	t.Helper()
	dir, err := os.Getwd()
	for err == nil {
		if _, stat := os.Stat(filepath.Join(dir, "go.mod")); stat == nil || dir == filepath.Dir(dir) {
			break
		}
		dir = filepath.Dir(dir)
	}
	var b []byte
	if err == nil {
		b, err = os.ReadFile(filepath.Join(dir, "node_modules", "axe-core", "axe.min.js"))
	}
	if err != nil {
		if os.Getenv("STEWARD_CI") == "1" {
			t.Fatal("axe-core is missing: npm ci: ", err)
		}
		return ""
	}
	return string(b)
}

// Axe fails the test for what axe-core finds serious or critical on the open page.
func Axe(t testing.TB, tab context.Context, script string) {
	t.Helper()
	if _, err := chromedp.Run(tab, chromedp.Evaluate[bool](script+";true")); err != nil {
		t.Fatal(err)
	}
	text, err := chromedp.Run(tab, chromedp.Evaluate[string](`axe.run(document, {resultTypes: ['violations', 'passes']}).then(r => JSON.stringify({Passed: r.passes.length, Found: r.violations.map(v => ({id: v.id, impact: v.impact, help: v.help, nodes: v.nodes.slice(0, 4).map(n => n.html.slice(0, 160) + ' ' + n.any.map(a => a.message).join(';'))}))}))`, chromedp.EvalAwaitPromise))
	if err != nil {
		t.Fatal(err)
	}
	var got struct {
		Passed int
		Found  []struct {
			ID, Impact, Help string
			Nodes            []string
		}
	}
	if err := json.Unmarshal([]byte(text), &got); err != nil {
		t.Fatal(err)
	}
	if got.Passed < 10 {
		t.Errorf("axe passed only %d rules; this check would prove nothing", got.Passed)
	}
	for _, v := range got.Found {
		if v.Impact == "serious" || v.Impact == "critical" {
			t.Errorf("axe %s %s: %s\n  %s", v.Impact, v.ID, v.Help, strings.Join(v.Nodes, "\n  "))
		} else {
			t.Logf("axe %s %s: %s %s", v.Impact, v.ID, v.Help, v.Nodes)
		}
	}
}
