package training

import (
	"bytes"
	"html/template"
	"net/url"
	"regexp"
	"strings"

	"github.com/yuin/goldmark"
	"github.com/yuin/goldmark/ast"
	"github.com/yuin/goldmark/extension"
	"github.com/yuin/goldmark/renderer"
	mdtext "github.com/yuin/goldmark/text"
	"github.com/yuin/goldmark/util"
)

// body is a module's Markdown, taken apart.
//
// Theory of operation
//
//  1. An organisation's own modules are shown to people who are signed in, so no text may
//     become script, style or a request to elsewhere, whoever wrote it.
//  2. Text that may hold anything is not cleaned afterwards; it never becomes markup. The
//     syntax tree is the one place where that can be decided exactly: HTML and images are taken
//     out of it, links that are not of the two allowed kinds become their words, and the renderer
//     then writes only elements that it knows, with everything else escaped. A cleaner of
//     HTML behind it would be a second dependency that has to guess what the first meant.
//  3. The two kinds of links are http(s) to a host, and ../track/module.md to another module,
//     which becomes that module's page. Nothing else has an href.
//  4. Alignment of table cells would be a style attribute, and is left out.
//  5. What was taken out is remembered with its line, so that Check can tell the author.
//
// A test reads the result with an independent HTML parser against a list of what may be in it,
// over hostile texts and random ones.
type body struct {
	tree     ast.Node
	source   []byte
	first    int // line of the file on which the body begins
	headings []heading
	links    []link
	html     []int // lines
	images   []int
}

type heading struct {
	level, line int
	text        string
}

type link struct {
	line    int
	to      string // as written
	section string // the level-2 heading above it
	node    ast.Node
}

// readBody parses Markdown whose first line is the line first of its file.
func readBody(source []byte, first int) *body {
	b := &body{source: source, first: first}
	b.tree = markdown().Parser().Parse(mdtext.NewReader(source))
	section := ""
	_ = ast.Walk(b.tree, func(n ast.Node, entering bool) (ast.WalkStatus, error) {
		if !entering {
			return ast.WalkContinue, nil
		}
		switch n := n.(type) {
		case *ast.Heading:
			h := heading{n.Level, b.line(n), words(n, source)}
			b.headings = append(b.headings, h)
			if h.level == 2 {
				section = h.text
			}
			if id := SectionID(h.text); h.level == 2 && id != "" {
				n.SetAttributeString("id", []byte(id))
			}
		case *ast.Link:
			b.links = append(b.links, link{b.line(n), string(n.Destination), section, n})
		case *ast.AutoLink:
			b.links = append(b.links, link{b.line(n), string(n.URL(source)), section, n})
		case *ast.RawHTML, *ast.HTMLBlock:
			b.html = append(b.html, b.line(n))
		case *ast.Image:
			b.images = append(b.images, b.line(n))
		}
		return ast.WalkContinue, nil
	})
	return b
}

func markdown() goldmark.Markdown {
	return goldmark.New(
		goldmark.WithExtensions(extension.NewTable(extension.WithTableCellAlignMethod(extension.TableCellAlignNone))),
		goldmark.WithRendererOptions(renderer.WithNodeRenderers(util.Prioritized(codeRenderer{}, 100))),
	)
}

// line is where a node begins; the parser knows the place of most, and of the rest that of
// what is around them.
func (b *body) line(n ast.Node) int {
	for ; n != nil; n = n.Parent() {
		if at := n.Pos(); at >= 0 && at <= len(b.source) {
			return b.first + bytes.Count(b.source[:at], []byte("\n"))
		}
	}
	return b.first
}

// words is the text of a node without its markup.
func words(n ast.Node, source []byte) string {
	var out strings.Builder
	_ = ast.Walk(n, func(n ast.Node, entering bool) (ast.WalkStatus, error) {
		if t, ok := n.(*ast.Text); ok && entering {
			out.Write(t.Segment.Value(source))
		}
		return ast.WalkContinue, nil
	})
	return out.String()
}

var moduleLink = regexp.MustCompile(`^\.\./([a-z][a-z0-9]*)/([a-z][a-z0-9-]*)\.md$`)

// asModule is the module that a relative link leads to.
func asModule(to string) (id, track string, ok bool) {
	m := moduleLink.FindStringSubmatch(to)
	if m == nil {
		return "", "", false
	}
	return strings.ToUpper(m[2]), strings.ToUpper(m[1]), true
}

// plainHost is a name or an IPv4 address, and perhaps a port. The renderer escapes what
// goes beyond that, and the address written would then not be the one that was judged.
var plainHost = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9.-]*(:[0-9]+)?$`)

// asWeb says whether a link leads to a page on another host, with nothing hidden in it.
func asWeb(to string) bool {
	u, err := url.Parse(to)
	return err == nil && (u.Scheme == "https" || u.Scheme == "http") && plainHost.MatchString(u.Host) && u.User == nil && u.Opaque == "" &&
		!strings.ContainsAny(to, " \t\r\n\"'<>`\\")
}

// pages is where a module's page is.
const pages = "/training/"

// render makes HTML once all modules are known; exists says which ones there are. It changes
// the tree and is called once.
func (b *body) render(exists func(module, track string) bool) (template.HTML, error) {
	var out []ast.Node // collected first: a tree must not change under a walk
	_ = ast.Walk(b.tree, func(n ast.Node, entering bool) (ast.WalkStatus, error) {
		switch n.(type) {
		case *ast.RawHTML, *ast.HTMLBlock, *ast.Image, *ast.Link, *ast.AutoLink:
			if entering {
				out = append(out, n)
			}
		}
		return ast.WalkContinue, nil
	})
	for _, n := range out {
		switch n := n.(type) {
		case *ast.RawHTML, *ast.HTMLBlock:
			n.Parent().RemoveChild(n.Parent(), n)
		case *ast.Image:
			unwrap(n)
		case *ast.AutoLink:
			if !asWeb(string(n.URL(b.source))) {
				n.Parent().ReplaceChild(n.Parent(), n, ast.NewString(n.Label(b.source)))
				continue
			}
			outside(n)
		case *ast.Link:
			n.Title = nil
			id, track, ok := asModule(string(n.Destination))
			switch {
			case ok && exists(id, track):
				n.Destination = []byte(pages + id)
			case asWeb(string(n.Destination)):
				outside(n)
			default:
				unwrap(n)
			}
		}
	}
	var html bytes.Buffer
	if err := markdown().Renderer().Render(&html, b.source, b.tree); err != nil {
		return "", err
	}
	return template.HTML(html.String()), nil
}

// outside keeps the page that is left from the one that is opened.
func outside(n ast.Node) { n.SetAttributeString("rel", []byte("noopener noreferrer")) }

// unwrap leaves a node's children in its place.
func unwrap(n ast.Node) {
	parent := n.Parent()
	for c := n.FirstChild(); c != nil; {
		next := c.NextSibling()
		parent.InsertBefore(parent, n, c)
		c = next
	}
	parent.RemoveChild(parent, n)
}

// codeRenderer writes code blocks that the keyboard can reach: they scroll sideways, and what
// scrolls must be reachable without a mouse. The language after the fence is left out.
type codeRenderer struct{}

func (codeRenderer) RegisterFuncs(reg renderer.NodeRendererFuncRegisterer) {
	reg.Register(ast.KindFencedCodeBlock, renderCode)
	reg.Register(ast.KindCodeBlock, renderCode)
}

func renderCode(w util.BufWriter, source []byte, n ast.Node, entering bool) (ast.WalkStatus, error) {
	if !entering {
		_, err := w.WriteString("</code></pre>\n")
		return ast.WalkContinue, err
	}
	_, err := w.WriteString(`<pre tabindex="0"><code>`)
	for i := range n.Lines().Len() {
		line := n.Lines().At(i)
		_, err = w.Write(util.EscapeHTML(line.Value(source)))
	}
	return ast.WalkContinue, err
}

// Inline is a short text of a question: escaped, with `code` as code and nothing else.
func Inline(text string) template.HTML {
	parts := strings.Split(text, "`")
	var out strings.Builder
	for i, part := range parts {
		switch {
		case i%2 == 0:
			out.WriteString(template.HTMLEscapeString(part))
		case i == len(parts)-1: // a quote that is never closed is a character
			out.WriteString(template.HTMLEscapeString("`" + part))
		default:
			out.WriteString("<code>" + template.HTMLEscapeString(part) + "</code>")
		}
	}
	return template.HTML(out.String())
}
