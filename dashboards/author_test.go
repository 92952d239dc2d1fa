package dashboards

import (
	"net/url"
	"strings"
	"testing"

	"golang.org/x/net/html"
)

// hidden reads the digests that the form carries.
func hidden(t *testing.T, page string) url.Values {
	t.Helper()
	doc, err := html.Parse(strings.NewReader(page))
	if err != nil {
		t.Fatal(err)
	}
	out := url.Values{}
	var walk func(*html.Node)
	walk = func(n *html.Node) {
		a := map[string]string{}
		for _, x := range n.Attr {
			a[x.Key] = x.Val
		}
		if n.Data == "input" && a["type"] == "hidden" && strings.HasPrefix(a["name"], "of-") {
			out.Set(a["name"], a["value"])
		}
		for c := n.FirstChild; c != nil; c = c.NextSibling {
			walk(c)
		}
	}
	walk(doc)
	return out
}

func TestAuthoringADrill(t *testing.T) {
	store := newFake()
	s := boot(t, store, asPlayer)
	h := hand{t, s}
	path := at("incidents", hostile[2]) + "/drill"
	page := body(t, get(t, s, path))
	if got := text(t, page); strings.Contains(got, "Ann Surname") || !strings.Contains(got, "responder 1 says") {
		t.Errorf("the form shows %s", got)
	}
	form := hidden(t, page)
	if len(form) != 3 {
		t.Fatalf("texts: %v", form)
	}
	r, again := h.post(path, url.Values{"title": {"Something is full"}})
	for _, want := range []string{"It is not published yet", "5:00 responder 1 wrote a note, text: keep, replace or drop", "decisive: at least one card", "questions: at least one", "skills: at least one"} {
		if r.StatusCode != 400 || !strings.Contains(text(t, again), want) {
			t.Errorf("an empty form: %d, does not say %q", r.StatusCode, want)
		}
	}
	if !strings.Contains(again, `value="Something is full"`) || len(store.published) != 0 {
		t.Error("what was typed is lost, or it was published")
	}
	for name, v := range map[string]string{
		"title": "Something is full", "lesson": "Ask Zoe Other first", "service": "svc", "services": "other, third", "targets": "team:disks", "mitigated": "20:00", "decisive": "note-300", "skill": "queue-stream-ops", "herring-opened-0": "it is loud",
		"redact-opened-0.title": "keep", "redact-note-300.text": "keep", "redact-resolved-1800.reason": "replace", "with-resolved-1800.reason": "Ann Surname made room",
		"q1-question": "What now?", "q1-at": "6:00", "q1-mitigates": "1", "q1-real": "a", "q1-a-text": "make room", "q1-a-why": "it is full", "q1-a-value": "3", "q1-b-text": "wait", "q1-b-why": "it stays full", "q1-b-value": "-1",
	} {
		form.Set(name, v)
	}
	bad := url.Values{}
	for k, v := range form {
		bad[k] = v
	}
	bad.Set("of-note-300.text", "0000")
	bad.Set("mitigated", "soon")
	bad.Add("skill", "flying")
	bad.Set("targets", "disks")
	if r, again := h.post(path, bad); r.StatusCode != 400 || !strings.Contains(text(t, again), "flying") || !strings.Contains(again, `href="#text-note-300.text"`) || !strings.Contains(text(t, again), "further teams and policies to page: each must be team: or policy:") || !strings.Contains(text(t, again), "another than the one that was read") || !strings.Contains(text(t, again), "“soon”") && !strings.Contains(text(t, again), `"soon"`) {
		t.Errorf("a text that changed since it was read: %d", r.StatusCode)
	}
	r, again = h.post(path, form)
	if r.StatusCode != 303 || len(store.published) != 1 {
		t.Fatalf("published: %d %.600s", r.StatusCode, text(t, again))
	}
	d := store.published[0]
	if r.Header.Get("Location") != "/drills/"+d.ID || d.ID != drillOf(hostile[2]) || d.Facts.Mitigated == nil || *d.Facts.Mitigated != 1200 || len(d.Services) != 3 || len(d.Unpublished()) != 0 || len(d.Skills) != 1 || d.Decisions[0].Real != "a" {
		t.Errorf("%+v", d)
	}
	for _, x := range d.Texts {
		if strings.Contains(x.Text, "Ann Surname") {
			t.Errorf("%s names a person: %s", x.Place, x.Text)
		}
	}
}

// A drill that is published comes back as the form it was made with: sent again it is the same drill.
func TestAuthoringAgain(t *testing.T) {
	src, err := newFake().DrillSource(t.Context(), hostile[2])
	if err != nil {
		t.Fatal(err)
	}
	plain := bare(src)
	form := url.Values{"skill": {"alert-triage", "logs-and-traces"}, "decisive": {"note-300"}}
	for name, v := range map[string]string{
		"title": "Something is full", "lesson": "look at disks", "service": "svc", "services": "other, third", "targets": "team:disks", "mitigated": "20:00", "herring-opened-0": "it is loud", "astray-third": "it is slow every night",
		"redact-opened-0.title": "keep", "redact-note-300.text": "drop", "redact-resolved-1800.reason": "replace", "with-resolved-1800.reason": "made room",
		"q1-question": "What now?", "q1-at": "6:00", "q1-mitigates": "1", "q1-real": "a", "q1-a-text": "make room", "q1-a-why": "it is full", "q1-a-value": "3", "q1-b-text": "wait", "q1-b-why": "it stays full", "q1-b-value": "-1",
		"q2-question": "And then?", "q2-at": "1:00:00", "q2-a-text": "x", "q2-a-why": "y", "q2-a-value": "1", "q2-b-text": "z", "q2-b-why": "y", "q2-b-value": "0",
	} {
		form.Set(name, v)
	}
	form.Set("q2-at", "25:00")
	for _, x := range plain.Texts {
		form.Set("of-"+x.Place, x.Digest)
	}
	d, problems := compileForm(src, form)
	if len(problems) > 0 {
		t.Fatal(problems)
	}
	if len(d.Herrings) != 2 || d.Herrings[1].Service != "third" {
		t.Errorf("red herrings %+v", d.Herrings)
	}
	again := formOf(d, plain)
	for _, x := range plain.Texts {
		again.Set("of-"+x.Place, x.Digest)
	}
	second, problems := compileForm(src, again)
	a, _ := d.Encode()
	b, _ := second.Encode()
	if len(problems) > 0 || string(a) != string(b) {
		t.Errorf("%v\n%s\n%s", problems, a, b)
	}
	plain.Texts[0].Text = "another"
	if got := formOf(d, plain); got.Get("redact-opened-0.title") != "" || got.Get("redact-note-300.text") != "drop" {
		t.Error("a text that changed is proposed to be kept")
	}
}

func TestOffsets(t *testing.T) {
	for in, want := range map[string]int64{"0:00": 0, "14:05": 845, "90:00": 5400, "1:02:03": 3723} {
		if got, ok := offset(in); !ok || got != want {
			t.Errorf("%s: %d %v", in, got, ok)
		}
	}
	for _, in := range []string{"", "14", "1:60", "-1:00", "a:b", "1:2:3:4"} {
		if _, ok := offset(in); ok {
			t.Errorf("%q is an offset", in)
		}
	}
}
