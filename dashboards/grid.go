package dashboards

// grid is a picture made of a table: fields with a colour and a number, each with words for
// whoever does not see the colour. It needs no script and prints.
type grid struct {
	Caption, Corner string
	Days            []gridDay // above the parts; none: one row of headings
	Parts           []string
	Rows            []gridRow
}

type gridDay struct {
	Text, Sub string
	Span      int
}

type gridRow struct {
	Head, Href, Sub, SubHref string
	Cells                    []gridCell
}

// gridCell is one field; Label says all of it.
type gridCell struct{ Class, Text, Label string }
