package training

import (
	"html/template"
	"net/url"
	"slices"
	"strings"
	"testing"

	"golang.org/x/net/html"
)

// allowed is every element that a body may hold and the attributes it may have.
var allowed = map[string][]string{
	"h1": nil, "h2": {"id"}, "h3": nil, "h4": nil, "h5": nil, "h6": nil, "p": nil, "em": nil, "strong": nil, "code": nil, "blockquote": nil,
	"ul": nil, "ol": {"start"}, "li": nil, "hr": nil, "br": nil, "pre": {"tabindex"}, "a": {"href", "rel"},
	"table": nil, "thead": nil, "tbody": nil, "tr": nil, "th": nil, "td": nil,
}

// forbidden reads HTML as a browser would and says what may not be in it.
func forbidden(text template.HTML) (out []string) {
	z := html.NewTokenizer(strings.NewReader(string(text)))
	for {
		switch z.Next() {
		case html.ErrorToken:
			return out
		case html.CommentToken, html.DoctypeToken:
			out = append(out, z.Token().String())
		case html.StartTagToken, html.SelfClosingTagToken:
			tag := z.Token()
			attributes, ok := allowed[tag.Data]
			if !ok {
				out = append(out, "<"+tag.Data+">")
			}
			for _, a := range tag.Attr {
				known := false
				for _, name := range attributes {
					known = known || a.Key == name
				}
				if !known {
					out = append(out, tag.Data+" "+a.Key)
				}
				if a.Key == "id" && !slices.Contains([]string{"purpose", "the-idea", "a-worked-example", "what-good-looks-like", "exercise", "further-reading"}, a.Val) {
					out = append(out, "id "+a.Val)
				}
				if a.Key == "href" && !lawful(a.Val) {
					out = append(out, "href "+a.Val)
				}
			}
		}
	}
}

// lawful is written apart from what it tests: a page of a module, or http(s) to a named host.
func lawful(href string) bool {
	if id, ok := strings.CutPrefix(href, "/training/"); ok {
		return id != "" && strings.Trim(id, "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-") == ""
	}
	lower := strings.ToLower(href)
	if !strings.HasPrefix(lower, "https://") && !strings.HasPrefix(lower, "http://") {
		return false
	}
	u, err := url.Parse(href)
	return err == nil && u.Host != "" && u.User == nil
}

func shown(t testing.TB, markdown string) template.HTML {
	t.Helper()
	out, err := readBody([]byte(markdown), 1).render(func(module, _ string) bool { return module != "GONE1" })
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// hostile are texts that have become script in one renderer or another.
var hostile = []string{
	"<script>alert(1)</script>", "a <b onclick=alert(1)>b</b>", "<img src=x onerror=alert(1)>", "<!-- x --><svg/onload=alert(1)>",
	"<style>*{display:none}</style>", "<div style='x'>\n\n*a*\n\n</div>", "<iframe src=//evil.example></iframe>", "<?php x ?>", "<![CDATA[ <script> ]]>", "<a\nhref=javascript:x>y</a>",
	"[x](javascript:alert(1))", "[x](JaVaScRiPt:alert(1))", "[x](java\tscript:alert(1))", "[x](&#106;avascript:alert(1))", "[x](javascript&colon;alert(1))", "[x](%6aavascript:alert(1))",
	"[x](data:text/html;base64,PHNjcmlwdD4=)", "[x](vbscript:x)", "[x](file:///etc/passwd)", "[x](//evil.example/x)", "[x](/admin)", "[x](?a)", "[x](#a)", "[x]()", "[x](http:evil)", "[x](https:///path)",
	"[x](https://user:pass@example.org/)", "[x](https://example.org/\"onmouseover=\"alert(1))", "[x](<https://example.org/ onmouseover=x>)", "[x](https://example.org/ \"t\\\" onclick=alert(1) \\\"\")",
	"[x](../pg/../../admin.md)", "[x](../pg/pg1.md?x)", "[x](../pg/PG1.md)", "[x](../pg/gone1.md)",
	"![x](https://evil.example/pixel.png)", "![x](javascript:alert(1))", "![<script>](x \"t\")", "[![x](https://evil.example/p)](javascript:alert(1))",
	"<javascript:alert(1)>", "<data:text/html,x>", "<me@example.org>", "<https://example.org/?a=1&b=\"x>", "<MAILTO:me@example.org>",
	"[a]: javascript:alert(1)\n\n[a]", "[a]: https://example.org 'x\" onclick=\"y'\n\n[a]", "[x][a]\n\n[a]: data:text/html,x",
	"```<script>\"onclick=\nx</script>\n```", "```js\" onclick=\"x\n```", "    <script>x</script>", "`<script>`",
	"# h {onclick=x}\n", "## h {#id .class style=x}\n", "| a | b |\n|:-:|--:|\n| <script> | [x](javascript:y) |", "&lt;script&gt;&#60;script&#62;", "\\<script\\>", "1000000000. x", "x\x00y <scr\x00ipt>",
	"[x](https://example.org/\x00)", "*[x](https://example.org)*<br/>", "> <script>\n> x", "- <script>\n- y", "[a <b>c</b>](https://example.org)", "\xff\xfe<script>", "[x](https://[::1]/)", "[x](http://ex ample.org)",
}

func TestNothingHostileIsShown(t *testing.T) {
	for _, text := range hostile {
		if bad := forbidden(shown(t, text)); len(bad) > 0 {
			t.Errorf("%q holds %v", text, bad)
		}
	}
}

// The reader of HTML must be able to object.
func TestForbiddenObjects(t *testing.T) {
	for _, text := range []template.HTML{"<script>", "<p style=x>", "<a href=javascript:x>", "<a href=//x>", "<img>", "<!-- x -->", "<td align=left>", "<a href='/training/PG1?x'>", "<a href='https://a@b/'>"} {
		if len(forbidden(text)) == 0 {
			t.Errorf("%s is let through", text)
		}
	}
}

func TestTheBuiltInBodiesHoldNothingForbidden(t *testing.T) {
	c, err := Load()
	if err != nil {
		t.Fatal(err)
	}
	for _, m := range c.Modules() {
		if bad := forbidden(m.HTML); len(bad) > 0 {
			t.Errorf("%s: %v", m.ID, bad)
		}
		for i, q := range m.Quiz {
			for _, o := range append([]Option{{Text: q.Q, Why: q.Explain}}, q.Options...) {
				if bad := append(forbidden(Inline(o.Text)), forbidden(Inline(o.Why))...); len(bad) > 0 {
					t.Errorf("%s quiz[%d]: %v", m.ID, i, bad)
				}
			}
		}
	}
}

func FuzzBody(f *testing.F) {
	for _, text := range hostile {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		for _, out := range []template.HTML{shown(t, text), Inline(text)} {
			if bad := forbidden(out); len(bad) > 0 {
				t.Errorf("%q holds %v in %q", text, bad, out)
			}
		}
	})
}

func TestWhatIsShown(t *testing.T) {
	for _, c := range []struct{ text, want string }{
		{"[a *b*](../fx/fx1.md)", `<p><a href="/training/FX1">a <em>b</em></a></p>`},
		{"[a *b*](../fx/gone1.md)", `<p>a <em>b</em></p>`},
		{"[a](https://example.org/?x=1&y=2 'title')", `<p><a href="https://example.org/?x=1&amp;y=2" rel="noopener noreferrer">a</a></p>`},
		{"<https://example.org/a>", `<p><a href="https://example.org/a" rel="noopener noreferrer">https://example.org/a</a></p>`},
		{"<me@example.org>", `<p>me@example.org</p>`},
		{"a ![picture of *b*](x.png) c", `<p>a picture of <em>b</em> c</p>`},
		{"[x](javascript:y)", `<p>x</p>`},
		{"a <b>c</b>", `<p>a c</p>`},
		{"```sh\na < b && \"c\"\n```", "<pre tabindex=\"0\"><code>a &lt; b &amp;&amp; &quot;c&quot;\n</code></pre>"},
		{"| a |\n|--:|\n| b |", "<table>\n<thead>\n<tr>\n<th>a</th>\n</tr>\n</thead>\n<tbody>\n<tr>\n<td>b</td>\n</tr>\n</tbody>\n</table>"},
	} {
		if got := strings.TrimSpace(string(shown(t, c.text))); got != c.want {
			t.Errorf("%s\ngot  %s\nwant %s", c.text, got, c.want)
		}
	}
}

func TestInline(t *testing.T) {
	for text, want := range map[string]template.HTML{
		"a `b < c` d":  "a <code>b &lt; c</code> d",
		"one ` alone":  "one ` alone",
		"`a` and ` b":  "<code>a</code> and ` b",
		"<b> *no* [x]": "&lt;b&gt; *no* [x]",
	} {
		if got := Inline(text); got != want {
			t.Errorf("%s: %s", text, got)
		}
	}
}
