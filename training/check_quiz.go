package training

import "fmt"

// A quiz of fewer questions is passed by luck, one of more is not read.
const (
	fewestQuestions, mostQuestions = 4, 8
	fewestOptions, mostOptions     = 3, 4
)

func checkQuiz(m *Module) (out []Problem) {
	fault := func(field, format string, args ...any) {
		out = append(out, m.fault(field, fmt.Sprintf(format, args...)))
	}
	if !(m.PassMark > 0 && m.PassMark <= 1) { // not a number is neither
		fault("pass_mark", "must be above 0 and at most 1, the share of right answers")
	}
	if n := len(m.Quiz); n < fewestQuestions || n > mostQuestions {
		fault("quiz", "%d questions; %d to %d are wanted", n, fewestQuestions, mostQuestions)
	}
	for i, q := range m.Quiz {
		field := fmt.Sprintf("quiz[%d].", i)
		if q.Q == "" {
			fault(field+"q", "missing")
		}
		if q.Explain == "" {
			fault(field+"explain", "missing")
		}
		if n := len(q.Options); n < fewestOptions || n > mostOptions {
			fault(field+"options", "%d options; %d or %d are wanted", n, fewestOptions, mostOptions)
		}
		right, texts := 0, map[string]bool{}
		for j, o := range q.Options {
			at := fmt.Sprintf("%soptions[%d].", field, j)
			switch {
			case o.Text == "":
				fault(at+"text", "missing")
			case texts[o.Text]:
				fault(at+"text", "the same as an option before it")
			}
			texts[o.Text] = true
			if o.Why == "" {
				fault(at+"why", "missing: an answer that is not explained teaches nothing")
			}
			if o.Right {
				right++
			}
		}
		if right != 1 {
			fault(field+"options", "%d options are marked right; exactly one must be", right)
		}
	}
	return out
}
